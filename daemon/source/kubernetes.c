/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubernetes_sd_configs: pods, as Kubernetes' API tells of them. Each namespace of each section is
 * followed by a watch of its own (kube/podwatch.h); sections that ask for the same share one. What
 * stays the same across a reload is not listed again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "config.h"
#include "daemon/source/kube/choice.h"
#include "daemon/source/podlabels.h"
#include "daemon/source/kube/podwatch.h"
#include "daemon/source/target_source.h"
#include "lib/config/kubernetes.h"
#include "lib/net/http.h"

#define USER_AGENT "contraced/" PACKAGE_VERSION
#define NAMESPACE_FILE KUBERNETES_SECRETS "namespace"
#define NAMESPACE_MAX 64

/*
 * Pods often change several at a time: from the first change until targets are updated. Where that
 * takes long, as with thousands of pods, it waits longer, so that it takes a tenth of the time at
 * most; but a new pod is a target within a second.
 */
#define SETTLE (100 * USEC_PER_MSEC)
#define SETTLE_MOST (700 * USEC_PER_MSEC)
#define SETTLE_SHARE 10

struct entry {
    struct podwatch *watch;
    bool marked;
};

struct kubernetes {
    struct target_source_context context;
    struct http *http; /* NULL: no job has looked for pods yet */
    struct entry *entries;
    size_t n;
    sd_event_source *settle;
    usec settle_for;
    uint64_t random;
};

static int on_settled(sd_event_source *s, uint64_t now, void *userdata)
{
    struct kubernetes *k = userdata;
    usec before = clock_boot(), wait;

    (void)s;
    (void)now;
    k->context.changed(k->context.userdata);
    wait = (clock_boot() - before) * SETTLE_SHARE;
    k->settle_for = wait < SETTLE ? SETTLE : wait > SETTLE_MOST ? SETTLE_MOST : wait;
    return 0;
}

static void on_changed(void *userdata)
{
    struct kubernetes *k = userdata;
    int enabled = SD_EVENT_OFF;

    (void)sd_event_source_get_enabled(k->settle, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(k->settle, k->settle_for);
    (void)sd_event_source_set_enabled(k->settle, SD_EVENT_ONESHOT);
}

static void kubernetes_free(void *state)
{
    struct kubernetes *k = state;

    for (size_t i = 0; i < k->n; i++)
        podwatch_free(k->entries[i].watch);
    free(k->entries);
    if (k->http)
        http_free(k->http);
    sd_event_source_disable_unref(k->settle);
    free(k);
}

static int kubernetes_new(const struct target_source_context *context, void **ret)
{
    struct kubernetes *k = calloc(1, sizeof(*k));
    int r;

    if (!k)
        return -ENOMEM;
    k->context = *context;
    k->settle_for = SETTLE;
    if (getrandom(&k->random, sizeof(k->random), 0) != (ssize_t)sizeof(k->random))
        k->random = clock_real();
    r = sd_event_add_time(context->event, &k->settle, CLOCK_BOOTTIME, 0, USEC_PER_MSEC, on_settled,
                          k);
    if (r >= 0)
        r = sd_event_source_set_enabled(k->settle, SD_EVENT_OFF);
    if (r < 0) {
        kubernetes_free(k);
        return r;
    }
    *ret = k;
    return 0;
}

static struct podwatch_scope scope_of(const struct kubernetes_sd *sd, const char *namespace)
{
    return (struct podwatch_scope){sd->api_server, namespace, sd->label, sd->field, &sd->access};
}

static struct entry *find(struct kubernetes *k, const struct podwatch_scope *scope)
{
    for (size_t i = 0; i < k->n; i++) {
        if (podwatch_is(k->entries[i].watch, scope))
            return &k->entries[i];
    }
    return NULL;
}

static int add(struct kubernetes *k, const struct podwatch_scope *scope)
{
    struct entry *entries = reallocarray(k->entries, k->n + 1, sizeof(*entries));
    int r;

    if (!entries)
        return -ENOMEM;
    k->entries = entries;
    entries[k->n] = (struct entry){0};
    r = k->http ? 0 : http_new(k->context.event, USER_AGENT, &k->http);
    if (r == 0)
        r = podwatch_new(k->context.event, k->http, scope, random_next(&k->random), on_changed, k,
                         &entries[k->n].watch);
    if (r == 0)
        k->n++;
    return r;
}

/* The namespace of this pod; "" if it is not known. */
static void read_own_namespace(char out[static NAMESPACE_MAX])
{
    struct buf text;

    buf_init(&text, NAMESPACE_MAX - 1);
    out[0] = '\0';
    if (buf_read_file(&text, NAMESPACE_FILE) == 0) {
        size_t n = strcspn(buf_str(&text), "\r\n");

        memcpy(out, buf_str(&text), n);
        out[n] = '\0';
    }
    buf_done(&text);
}

/* Calls fn for each scope of a section. */
static int each_scope(struct kubernetes *k, const struct kubernetes_sd *sd,
                      int (*fn)(struct kubernetes *k, const struct podwatch_scope *scope,
                                void *userdata),
                      void *userdata)
{
    struct podwatch_scope scope = scope_of(sd, "");
    char own[NAMESPACE_MAX] = "";
    int r = 0;

    if (sd->own_namespace)
        read_own_namespace(own);
    if (sd->n_namespaces == 0 && !sd->own_namespace)
        return fn(k, &scope, userdata);
    for (size_t i = 0; r == 0 && i < sd->n_namespaces; i++) {
        scope.namespace = sd->namespaces[i];
        if (strcmp(scope.namespace, own) == 0)
            own[0] = '\0';
        r = fn(k, &scope, userdata);
    }
    if (r < 0 || !own[0])
        return r;
    scope.namespace = own;
    return fn(k, &scope, userdata);
}

static int mark(struct kubernetes *k, const struct podwatch_scope *scope, void *userdata)
{
    struct entry *e = find(k, scope);
    int r = e ? 0 : add(k, scope);

    (void)userdata;
    if (r < 0)
        return r;
    e = e ? e : &k->entries[k->n - 1];
    e->marked = true;
    return 0;
}

/* Frees those that are not marked, or only those that are new. */
static void sweep(struct kubernetes *k, size_t from, bool all)
{
    size_t kept = from;

    for (size_t i = from; i < k->n; i++) {
        if (all || !k->entries[i].marked)
            podwatch_free(k->entries[i].watch);
        else
            k->entries[kept++] = k->entries[i];
    }
    k->n = kept;
}

static void say_without_namespace(const struct config *config)
{
    char own[NAMESPACE_MAX];

    read_own_namespace(own);
    for (size_t j = 0; j < config->n_jobs && !own[0]; j++) {
        for (size_t i = 0; i < config->jobs[j].n_kubernetes; i++) {
            if (config->jobs[j].kubernetes[i].own_namespace)
                log_warn("kubernetes: job %s: own_namespace finds no pods, as " NAMESPACE_FILE
                         " cannot be read",
                         config->jobs[j].name);
        }
    }
}

static int kubernetes_set(void *state, const struct config *config)
{
    struct kubernetes *k = state;
    size_t before = k->n;
    int r = 0;

    for (size_t i = 0; i < k->n; i++)
        k->entries[i].marked = false;
    for (size_t j = 0; r == 0 && j < config->n_jobs; j++) {
        for (size_t i = 0; r == 0 && i < config->jobs[j].n_kubernetes; i++)
            r = each_scope(k, &config->jobs[j].kubernetes[i], mark, NULL);
    }
    if (r < 0) {
        sweep(k, before, true);
        return r;
    }
    sweep(k, 0, false);
    say_without_namespace(config);
    return 0;
}

struct putting {
    struct target_sink *to;
    bool relabelled;
};

/* A pod that wants to be captured, and there is no telling where. */
static void say_wrong(struct podset *pods, size_t i)
{
    const struct pod *p = podset_at(pods, i);
    struct choice c;

    if (choice_of(p, &c) == CHOICE_WRONG && podset_first(pods, i))
        log_warn("kubernetes: pod %s/%s is not captured: %s", pod_fact(p, POD_NAMESPACE),
                 pod_fact(p, POD_NAME), c.why);
}

static int put(struct kubernetes *k, const struct podwatch_scope *scope, void *userdata)
{
    const struct putting *p = userdata;
    const struct entry *e = find(k, scope);
    struct podset *pods = e ? podwatch_pods(e->watch) : NULL;
    int r = 0;

    for (size_t i = 0; pods && r == 0 && i < podset_count(pods); i++) {
        if (!p->relabelled)
            say_wrong(pods, i);
        r = podlabels_put(podset_at(pods, i), p->relabelled, p->to);
    }
    return r;
}

static int kubernetes_targets(void *state, const struct config *config, size_t i,
                              struct target_sink *to)
{
    const struct job_config *job = &config->jobs[i];
    struct putting putting = {to, job->n_relabel > 0};
    int r = 0;

    for (size_t s = 0; r == 0 && s < job->n_kubernetes; s++)
        r = each_scope(state, &job->kubernetes[s], put, &putting);
    return r;
}

const struct target_source source_kubernetes = {
    .new = kubernetes_new,
    .free = kubernetes_free,
    .set = kubernetes_set,
    .targets = kubernetes_targets,
};
