/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/artifact/artifacts.h"
#include "lib/config/flight.h"

#define URL_MAX 4096

static char *copy(const char *s, bool *failed)
{
    char *c = s ? strdup(s) : NULL;

    if (s && !c)
        *failed = true;
    return c;
}

struct target_job *target_job_ref(struct target_job *j)
{
    j->refs++;
    return j;
}

void target_job_unref(struct target_job *j)
{
    if (!j || --j->refs > 0)
        return;
    free(j->name);
    free(j->path);
    free(j->query);
    for (size_t i = 0; i < KINDS; i++)
        free(j->paths[i]);
    flight_done(&j->flight);
    access_done(&j->access);
    free(j->pid_file);
    free(j);
}

static int path_of(const struct artifact *a, const struct job_config *from, char **ret)
{
    const char *own = a->elsewhere ? from->flight.path : from->of_kind[a->kind].path;

    if (!own)
        return artifact_path(a, from->path, from->profiles_path, ret);
    *ret = strdup(own);
    return *ret ? 0 : -ENOMEM;
}

static bool is_snapshot(const struct artifact *a, enum artifact_delta delta)
{
    return delta == ARTIFACT_DELTA_USUAL ? a->snapshot : a->delta && delta == ARTIFACT_DELTA_NO;
}

/* An artifact whose path is unknown is not captured; checking the configuration reports it. */
static int fill_artifacts(struct target_job *j, const struct job_config *from)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];
        const struct artifact_config *of = &from->of_kind[a->kind];
        int r = path_of(a, from, &j->paths[a->kind]);

        j->intervals[a->kind] = of->interval ? of->interval : from->interval;
        if (of->path)
            j->own_paths |= 1u << a->kind;
        if (is_snapshot(a, of->delta))
            j->snapshots |= 1u << a->kind;
        if (r == -EINVAL)
            j->artifacts &= ~(1u << a->kind);
        else if (r < 0)
            return r;
        else if (!from->incident_artifacts && a->of_incidents)
            j->incident_artifacts |= 1u << a->kind;
    }
    return 0;
}

static struct target_job *job_copy(const struct job_config *from, const char *query)
{
    struct target_job *j = calloc(1, sizeof(*j));
    bool failed = false;

    if (!j)
        return NULL;
    *j = (struct target_job){
        .refs = 1,
        .name = copy(from->name, &failed),
        .https = from->https,
        .path = copy(from->path, &failed),
        .query = copy(query, &failed),
        .artifacts = from->artifacts ? from->artifacts : 1u << KIND_TRACE,
        .incident_artifacts = from->incident_artifacts,
        .cpu_samples = from->cpu_samples,
        .window = from->window,
        .timeout = from->timeout,
        .body_size_limit = from->body_size_limit,
        .pid_file = copy(from->pid_file, &failed),
    };
    if (flight_copy(&from->flight, &j->flight) < 0 || access_copy(&from->access, &j->access) < 0 ||
        failed || fill_artifacts(j, from) < 0) {
        target_job_unref(j);
        return NULL;
    }
    return j;
}

static bool https_of(const struct job_config *from, const struct target_config *to)
{
    return to->https == CONFIG_INHERIT ? from->https : to->https == CONFIG_ON;
}

struct target_job *target_job_new(const struct job_config *from, const struct target_config *to)
{
    struct job_config with = *from; /* all that it points to is borrowed */

    if (!to)
        return job_copy(from, NULL);
    with.https = https_of(from, to);
    if (to->path)
        with.path = to->path;
    return job_copy(&with, to->query);
}

bool target_job_differs(const struct target_config *to)
{
    return to->https != CONFIG_INHERIT || to->path || to->query;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool target_job_suits(const struct target_job *j, const struct job_config *from,
                      const struct target_config *to)
{
    return strcmp(j->name, from->name) == 0 && j->https == https_of(from, to) &&
           strcmp(j->path, to->path ? to->path : from->path) == 0 && same_text(j->query, to->query);
}

struct target *target_new(const char *address)
{
    struct target *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->refs = 1;
    t->address = strdup(address);
    if (!t->address) {
        free(t);
        return NULL;
    }
    return t;
}

struct target *target_ref(struct target *t)
{
    t->refs++;
    return t;
}

static void free_texts(struct target *t)
{
    free(t->url);
    free(t->shown);
    free(t->unix_path);
    free(t->service);
    free(t->host);
    label_clear_all(&t->labels, &t->n_labels);
}

static void free_lanes(struct lane *first)
{
    struct lane *next;

    for (struct lane *l = first; l; l = next) {
        next = l->next;
        lane_free(l);
    }
}

void target_unref(struct target *t)
{
    if (!t || --t->refs > 0)
        return;
    free_texts(t);
    free(t->address);
    free_lanes(t->lanes);
    target_job_unref(t->job);
    free(t);
}

static uint16_t port_of(const struct target_job *job, const struct address *a)
{
    if (a->port != 0)
        return a->port;
    return job->https ? 443 : 80;
}

static int make_url(struct target *t, const struct target_job *job, const struct address *a)
{
    const char *host = a->unix_path ? "localhost" : a->host;
    bool v6 = strchr(host, ':') != NULL;
    struct buf url, shown;
    int r;

    buf_init(&url, URL_MAX);
    buf_init(&shown, URL_MAX);
    r = buf_addf(&url, "%s://%s%s%s", job->https ? "https" : "http", v6 ? "[" : "", host,
                 v6 ? "]" : "");
    if (r == 0 && !a->unix_path)
        r = buf_addf(&url, ":%u", port_of(job, a));
    if (r == 0)
        r = buf_addf(&url, "%s", job->path);
    if (r == 0)
        r = a->unix_path ? buf_addf(&shown, "unix:%s:%s", a->unix_path, job->path)
                         : buf_adds(&shown, buf_str(&url));
    t->url = r == 0 ? strdup(buf_str(&url)) : NULL;
    t->shown = r == 0 ? strdup(buf_str(&shown)) : NULL;
    buf_done(&url);
    buf_done(&shown);
    return t->url && t->shown ? 0 : -ENOMEM;
}

struct lane *target_primary(const struct target *t)
{
    struct lane *l = t->lanes;

    while (l && !l->wanted)
        l = l->next;
    return l ? l : t->lanes;
}

struct lane *target_lane(const struct target *t, const struct artifact *artifact)
{
    struct lane *l = t->lanes;

    while (l && l->artifact != artifact)
        l = l->next;
    return l;
}

bool target_lane_fails(const struct lane *l)
{
    if (l->state != OUTCOME_MISSING)
        return outcome_failed(l->state);
    for (const struct lane *other = l->target->lanes; other; other = other->next) {
        if (other->wanted && other->state != OUTCOME_MISSING)
            return false;
    }
    return l->wanted;
}

const char *target_shown(const struct lane *l)
{
    return l->shown ? l->shown : l->target->shown;
}

/* Replaces the path of traces, with which a target's URL and its shown form end. */
static char *replace_path(const char *text, const struct target_job *job, const char *path)
{
    size_t n = strlen(text) - strlen(job->path);
    char *with;

    return asprintf(&with, "%.*s%s", (int)n, text, path) < 0 ? NULL : with;
}

static char *with_path(const char *text, const struct target_job *job, const struct artifact *a)
{
    return replace_path(text, job, job->paths[a->kind]);
}

char *target_url(const struct target *t, const char *path)
{
    return replace_path(t->url, t->job, path);
}

char *target_shown_at(const struct target *t, const char *path)
{
    return replace_path(t->shown, t->job, path);
}

usec target_interval(const struct lane *l)
{
    return l->target->job->intervals[l->artifact->kind];
}

usec target_window(const struct target_job *job, const struct artifact *artifact, usec wanted)
{
    return job->snapshots & 1u << artifact->kind ? 0 : artifact_window(artifact, wanted);
}

/* The window is written as a decimal number without trailing zeros: 2, 1.9, 0.25. */
char *target_request(const struct lane *l, usec window)
{
    const struct target *t = l->target;
    _cleanup_free_ char *path = with_path(t->url, t->job, l->artifact), *url = NULL;
    char *request;

    if (!path || asprintf(&url, "%s%s%s", path, t->job->query ? "?" : "",
                          t->job->query ? t->job->query : "") < 0) {
        url = NULL;
        return NULL;
    }
    if (window == 0)
        return steal(&url);
    if (asprintf(&request, "%s%cseconds=%.15g", url, strchr(url, '?') ? '&' : '?',
                 (double)window / (double)USEC_PER_SEC) < 0)
        return NULL;
    return request;
}

static const char *service_of(const struct target_job *job, const struct target_config *from)
{
    for (size_t i = 0; i < from->n_labels; i++) {
        if (strcmp(from->labels[i].name, "service") == 0 && from->labels[i].value[0])
            return from->labels[i].value;
    }
    return job->name;
}

/* Whether the target is on this machine. An address that a proxy connects to is never taken for
 * this machine's. */
static bool is_here(const struct target_job *job, const struct address *a)
{
    const struct proxy *p = &job->access.proxy;

    if (a->unix_path || !p->url ||
        (p->no_proxy && proxy_excepts(p->no_proxy, a->host, port_of(job, a))))
        return address_is_local(a);
    return false;
}

/* The host part of the key: the target's own, or that of the address; with the port if the job has
 * another target on the same host. */
static char *host_of(const struct target_config *from, const struct target_job *job,
                     const char *own_host, bool shared)
{
    const struct address *a = &from->parsed;
    const char *name = from->host;
    char *host;

    if (!name && is_here(job, a))
        return strdup(own_host);
    if (!name)
        name = a->host;
    if (!shared || a->unix_path)
        return strdup(name);
    return asprintf(&host, "%s_%u", name, port_of(job, a)) < 0 ? NULL : host;
}

/* Its path is not that of traces. */
static bool has_own_path(const struct artifact *a)
{
    return a->sibling || a->elsewhere;
}

/* Inserts the lane in the order of the artifact table. */
static void insert_lane(struct target *t, struct lane *l)
{
    struct lane **at = &t->lanes;

    for (size_t i = 0; artifacts[i] != l->artifact; i++) {
        if (*at && (*at)->artifact == artifacts[i])
            at = &(*at)->next;
    }
    l->next = *at;
    *at = l;
}

int target_add_lane(struct target *t, const struct artifact *artifact, struct lane **ret)
{
    struct lane *l = target_lane(t, artifact);

    if (!t->job->paths[artifact->kind])
        return -ENOENT;
    if (!l) {
        l = lane_new(t, artifact);
        if (!l)
            return -ENOMEM;
        if (has_own_path(artifact))
            l->shown = with_path(t->shown, t->job, artifact);
        if (has_own_path(artifact) && !l->shown) {
            lane_free(l);
            return -ENOMEM;
        }
        insert_lane(t, l);
    }
    *ret = l;
    return 0;
}

/* The changes to a target's lanes, by index in the artifact table. */
struct lanes {
    struct lane *made[KINDS]; /* lanes that the target lacks */
    char *shown[KINDS];       /* of all lanes that there will be */
};

static void lanes_done(struct lanes *ls)
{
    for (size_t i = 0; i < KINDS; i++) {
        lane_free(ls->made[i]);
        free(ls->shown[i]);
    }
}

/* Makes a lane for each artifact that the job wants and `t` lacks, and `shown` for all lanes, out
 * of the texts of `fresh`. */
static int make_lanes(struct target *t, const struct target *fresh, const struct target_job *job,
                      struct lanes *ret)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];
        bool has = target_lane(t, a), wanted = job->artifacts & 1u << a->kind;

        if (wanted && !has) {
            ret->made[i] = lane_new(t, a);
            if (!ret->made[i])
                return -ENOMEM;
        }
        if ((wanted || has) && has_own_path(a) && job->paths[a->kind]) {
            ret->shown[i] = with_path(fresh->shown, job, a);
            if (!ret->shown[i])
                return -ENOMEM;
        }
    }
    return 0;
}

static void take_lanes(struct target *t, struct lanes *ls)
{
    for (size_t i = 0; i < n_artifacts; i++) {
        struct lane *l;

        if (ls->made[i])
            insert_lane(t, steal(&ls->made[i]));
        l = target_lane(t, artifacts[i]);
        if (!l)
            continue;
        l->wanted = t->job->artifacts & 1u << l->artifact->kind;
        free(l->shown);
        l->shown = steal(&ls->shown[i]);
    }
}

int target_fill(struct target *t, struct target_job *job, const struct target_config *from,
                const char *own_host, bool shared)
{
    const struct address *a = &from->parsed;
    struct target fresh = *t;
    struct lanes lanes = {0};

    fresh.url = fresh.shown = fresh.unix_path = NULL;
    fresh.labels = NULL;
    fresh.n_labels = 0;
    fresh.service = strdup(service_of(job, from));
    fresh.host = host_of(from, job, own_host, shared);
    fresh.unix_path = a->unix_path ? strdup(a->unix_path) : NULL;
    fresh.local_port = !a->unix_path && is_here(job, a) ? port_of(job, a) : 0;
    if (!fresh.service || !fresh.host || (a->unix_path && !fresh.unix_path) ||
        make_url(&fresh, job, a) < 0 || make_lanes(t, &fresh, job, &lanes) < 0 ||
        label_copy_all(from->labels, from->n_labels, &fresh.labels) < 0) {
        lanes_done(&lanes);
        free_texts(&fresh);
        return -ENOMEM;
    }
    fresh.n_labels = from->n_labels;
    fresh.job = target_job_ref(job); /* before the unref below: it may be the same job */
    free_texts(t);
    target_job_unref(t->job);
    *t = fresh;
    take_lanes(t, &lanes);
    lanes_done(&lanes);
    return 0;
}
