/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

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
    access_done(&j->access);
    free(j->pid_file);
    free(j);
}

struct target_job *target_job_new(const struct job_config *from)
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
        .interval = from->interval,
        .window = from->window,
        .timeout = from->timeout,
        .body_size_limit = from->body_size_limit,
        .pid_file = copy(from->pid_file, &failed),
    };
    if (access_copy(&from->access, &j->access) < 0 || failed) {
        target_job_unref(j);
        return NULL;
    }
    return j;
}

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
        [REASON_SCHEDULE] = "schedule", [REASON_SIGNAL] = "signal",   [REASON_API] = "api",
        [REASON_ALERT] = "alert",       [REASON_TRIGGER] = "trigger",
    };

    return names[reason];
}

struct target *target_new(const char *address)
{
    struct target *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->refs = 1;
    t->last.latency = t->last.covered = -1;
    t->due = USEC_NEVER;
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

void target_unref(struct target *t)
{
    if (!t || --t->refs > 0)
        return;
    free_texts(t);
    free(t->address);
    free(t->due_name);
    free(t->last.text);
    free(t->last.key);
    free(t->last.label);
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

/* The window is the shortest decimal number: 2, 1.9, 0.25. */
char *target_request(const struct target *t, usec window)
{
    char *url;
    int n = asprintf(&url, "%s%cseconds=%.15g", t->url, strchr(t->url, '?') ? '&' : '?',
                     (double)window / (double)USEC_PER_SEC);

    return n < 0 ? NULL : url;
}

static const char *service_of(const struct target_job *job, const struct target_config *from)
{
    for (size_t i = 0; i < from->n_labels; i++) {
        if (strcmp(from->labels[i].name, "service") == 0 && from->labels[i].value[0])
            return from->labels[i].value;
    }
    return job->name;
}

/* Whether it is this machine that answers: of a proxy's, nothing is known here. */
static bool is_here(const struct target_job *job, const struct address *a)
{
    const struct proxy *p = &job->access.proxy;

    if (a->unix_path || !p->url ||
        (p->no_proxy && proxy_excepts(p->no_proxy, a->host, port_of(job, a))))
        return address_is_local(a);
    return false;
}

/* The host of the key; with the port where the job has another target on the same host. */
static char *host_of(const struct target_config *from, const struct target_job *job,
                     const char *own_host, bool shared)
{
    const struct address *a = &from->parsed;
    char *host;

    if (is_here(job, a))
        return strdup(own_host);
    if (!shared)
        return strdup(a->host);
    return asprintf(&host, "%s_%u", a->host, port_of(job, a)) < 0 ? NULL : host;
}

int target_fill(struct target *t, struct target_job *job, const struct target_config *from,
                const char *own_host, bool shared)
{
    const struct address *a = &from->parsed;
    struct target fresh = *t;

    fresh.url = fresh.shown = fresh.unix_path = NULL;
    fresh.labels = NULL;
    fresh.n_labels = 0;
    fresh.service = strdup(service_of(job, from));
    fresh.host = host_of(from, job, own_host, shared);
    fresh.unix_path = a->unix_path ? strdup(a->unix_path) : NULL;
    fresh.local_port = !a->unix_path && is_here(job, a) ? port_of(job, a) : 0;
    if (!fresh.service || !fresh.host || (a->unix_path && !fresh.unix_path) ||
        make_url(&fresh, job, a) < 0 ||
        label_copy_all(from->labels, from->n_labels, &fresh.labels) < 0) {
        free_texts(&fresh);
        return -ENOMEM;
    }
    fresh.n_labels = from->n_labels;
    fresh.job = target_job_ref(job); /* first: it may be the one that is let go below */
    free_texts(t);
    target_job_unref(t->job);
    *t = fresh;
    return 0;
}
