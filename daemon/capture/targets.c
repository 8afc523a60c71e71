/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"

/* How many variants of jobs are looked through for one that a target can share. */
#define VARIANTS_RECENT 16

struct targets {
    char *host;
    struct target **items; /* ordered by (job, address) */
    size_t n;
    struct target **gone; /* since the last update */
    size_t n_gone;
    struct lane **added, **removed, **moved; /* lanes, in the last update */
};

struct targets *targets_new(const char *host)
{
    struct targets *ts = calloc(1, sizeof(*ts));

    if (!ts)
        return NULL;
    ts->host = strdup(host);
    if (!ts->host) {
        free(ts);
        return NULL;
    }
    return ts;
}

static void forget_change(struct targets *ts)
{
    for (size_t i = 0; i < ts->n_gone; i++)
        target_unref(ts->gone[i]);
    free(ts->gone);
    free(ts->removed);
    free(ts->added);
    free(ts->moved);
    ts->gone = NULL;
    ts->removed = ts->added = ts->moved = NULL;
    ts->n_gone = 0;
}

void targets_free(struct targets *ts)
{
    if (!ts)
        return;
    forget_change(ts);
    for (size_t i = 0; i < ts->n; i++)
        target_unref(ts->items[i]);
    free(ts->items);
    free(ts->host);
    free(ts);
}

size_t targets_count(const struct targets *ts)
{
    return ts->n;
}

struct target *targets_at(struct targets *ts, size_t i)
{
    return ts->items[i];
}

size_t targets_scheduled(const struct targets *ts)
{
    size_t n = 0;

    for (size_t i = 0; i < ts->n; i++) {
        for (const struct lane *l = ts->items[i]->lanes; l; l = l->next)
            n += l->scheduled;
    }
    return n;
}

/* A configured address, before it is matched with an existing target or becomes a new one. */
struct wanted {
    const struct target_config *config;
    struct target_job *job;
    struct target *target; /* existing or new */
    size_t order;          /* its position in the configuration */
    bool shared;           /* the job has another address on the same host */
    bool old;
};

struct update {
    struct target_job **jobs;
    size_t n_jobs;
    struct target_job **variants; /* jobs with what some of their targets say otherwise */
    size_t n_variants;
    struct wanted *wanted;
    size_t n;
};

static int compare_identity(const char *job_a, const char *address_a, const char *job_b,
                            const char *address_b)
{
    int r = strcmp(job_a, job_b);

    return r != 0 ? r : strcmp(address_a, address_b);
}

static int by_identity(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    int r = compare_identity(x->job->name, x->config->address, y->job->name, y->config->address);

    if (r != 0)
        return r;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The host that the key would have; "" for a socket. */
static const char *host_of(const struct target_config *t)
{
    if (t->host)
        return t->host;
    return t->parsed.host ? t->parsed.host : "";
}

static int by_host(const void *a, const void *b)
{
    const struct wanted *x = *(struct wanted *const *)a, *y = *(struct wanted *const *)b;
    int r = strcmp(x->job->name, y->job->name);

    if (r != 0)
        return r;
    return strcmp(host_of(x->config), host_of(y->config));
}

static void update_done(struct update *u)
{
    for (size_t i = 0; i < u->n_jobs; i++)
        target_job_unref(u->jobs[i]);
    free(u->jobs);
    for (size_t i = 0; i < u->n_variants; i++)
        target_job_unref(u->variants[i]);
    free(u->variants);
    for (size_t i = 0; i < u->n; i++) {
        if (!u->wanted[i].old)
            target_unref(u->wanted[i].target);
    }
    free(u->wanted);
}

/*
 * The settings for a target: its job's, or a variant of them, which targets that say the same share
 * if they are not far from each other. NULL when memory is short.
 */
static struct target_job *settings_of(struct update *u, const struct job_config *from,
                                      struct target_job *job, const struct target_config *to)
{
    size_t first = u->n_variants > VARIANTS_RECENT ? u->n_variants - VARIANTS_RECENT : 0;

    if (!target_job_differs(to))
        return job;
    for (size_t i = u->n_variants; i > first; i--) {
        if (target_job_suits(u->variants[i - 1], from, to))
            return u->variants[i - 1];
    }
    job = target_job_new(from, to);
    if (job)
        u->variants[u->n_variants++] = job;
    return job;
}

/* Collects the addresses of all jobs, each once, ordered by identity: (job, address). */
static int collect(struct update *u, const struct config *config,
                   const struct target_list *const *lists)
{
    size_t total = 0, kept = 0;

    for (size_t j = 0; j < config->n_jobs; j++)
        total += lists[j]->n;
    u->jobs = calloc(config->n_jobs + 1, sizeof(*u->jobs));
    u->wanted = calloc(total + 1, sizeof(*u->wanted));
    u->variants = calloc(total + 1, sizeof(*u->variants));
    if (!u->jobs || !u->wanted || !u->variants)
        return -ENOMEM;
    for (size_t j = 0; j < config->n_jobs; j++) {
        u->jobs[u->n_jobs] = target_job_new(&config->jobs[j], NULL);
        if (!u->jobs[u->n_jobs])
            return -ENOMEM;
        u->n_jobs++;
        for (size_t i = 0; i < lists[j]->n; i++) {
            const struct target_config *to = &lists[j]->items[i];
            struct target_job *job = settings_of(u, &config->jobs[j], u->jobs[j], to);

            if (!job)
                return -ENOMEM;
            u->wanted[u->n] = (struct wanted){.config = to, .job = job, .order = u->n};
            u->n++;
        }
    }
    qsort(u->wanted, u->n, sizeof(*u->wanted), by_identity);
    for (size_t i = 0; i < u->n; i++) {
        const struct wanted *w = &u->wanted[i], *last = &u->wanted[kept - (kept > 0)];

        if (kept == 0 || compare_identity(w->job->name, w->config->address, last->job->name,
                                          last->config->address) != 0)
            u->wanted[kept++] = *w;
    }
    u->n = kept;
    return 0;
}

static int find_shared_hosts(struct update *u)
{
    struct wanted **sorted = calloc(u->n + 1, sizeof(struct wanted *));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < u->n; i++)
        sorted[i] = &u->wanted[i];
    qsort(sorted, u->n, sizeof(struct wanted *), by_host);
    for (size_t i = 1; i < u->n; i++) {
        if (by_host(&sorted[i - 1], &sorted[i]) == 0)
            sorted[i - 1]->shared = sorted[i]->shared = true;
    }
    free(sorted);
    return 0;
}

/* Allocates the arrays for all changes that the update may make. */
static int make_room(struct targets *ts, const struct update *u)
{
    size_t n = n_artifacts * (u->n + 1), n_old = n_artifacts * (ts->n + 1);

    ts->added = calloc(n, sizeof(struct lane *));
    ts->moved = calloc(n, sizeof(struct lane *));
    ts->removed = calloc(n_old, sizeof(struct lane *));
    ts->gone = calloc(ts->n + 1, sizeof(struct target *));
    return ts->added && ts->moved && ts->removed && ts->gone ? 0 : -ENOMEM;
}

/* Matches each wanted address with the existing target of the same identity; both are in the same
 * order. */
static void match(struct targets *ts, struct update *u)
{
    size_t i = 0;

    for (size_t w = 0; w < u->n; w++) {
        struct wanted *want = &u->wanted[w];
        int r = -1;

        while (i < ts->n && (r = compare_identity(ts->items[i]->job->name, ts->items[i]->address,
                                                  want->job->name, want->config->address)) < 0)
            i++;
        if (i < ts->n && r == 0) {
            want->target = ts->items[i++];
            want->old = true;
        }
    }
}

/* Makes the new targets, completely, before any old target is changed. */
static int make_new(struct targets *ts, struct update *u)
{
    for (size_t w = 0; w < u->n; w++) {
        struct wanted *want = &u->wanted[w];
        struct target *t;

        if (want->old)
            continue;
        t = want->target = target_new(want->config->address);
        if (!t || target_fill(t, want->job, want->config, ts->host, want->shared) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The lanes of a target share phase and jitter; each is shifted to its own part of the interval. */
static void schedule_lane(struct lane *l, uint64_t hash, usec real, usec boot)
{
    schedule_init(&l->schedule, hash, target_interval(l), real, boot);
    schedule_shift(&l->schedule, l->artifact->kind, KINDS);
}

static void unschedule(struct targets *ts, struct lane *l, struct targets_change *change)
{
    if (l->scheduled)
        ts->removed[change->n_removed++] = l;
    l->scheduled = false;
}

/* Applies the job's wishes to the lane. `hash` is for its schedule if it has none yet. */
static void update_lane(struct targets *ts, struct lane *l, uint64_t hash, usec real, usec boot,
                        struct targets_change *change)
{
    if (!l->wanted) {
        unschedule(ts, l, change);
    } else if (!l->scheduled) {
        schedule_lane(l, l->schedule.interval > 0 ? l->schedule.hash : hash, real, boot);
        l->scheduled = true;
        ts->added[change->n_added++] = l;
    } else if (l->schedule.interval != target_interval(l)) {
        schedule_lane(l, l->schedule.hash, real, boot);
        ts->moved[change->n_moved++] = l;
    }
}

/* The target's hash: the one with which its first lane was scheduled, or else a new one. */
static uint64_t hash_of(const struct target *t)
{
    for (const struct lane *l = t->lanes; l; l = l->next) {
        if (l->schedule.interval > 0)
            return l->schedule.hash;
    }
    return schedule_hash(t->job->name, t->address, t->host);
}

/* Updates the primary lanes of all targets (`first`), or all other lanes. */
static void update_lanes(struct targets *ts, bool first, usec real, usec boot,
                         struct targets_change *change)
{
    for (size_t i = 0; i < ts->n; i++) {
        struct target *t = ts->items[i];
        const struct lane *primary = target_primary(t);
        uint64_t hash = hash_of(t);

        for (struct lane *l = t->lanes; l; l = l->next) {
            if ((l == primary) == first)
                update_lane(ts, l, hash, real, boot, change);
        }
    }
    if (first)
        change->n_first = change->n_added;
}

static void let_go(struct targets *ts, struct target *t, struct targets_change *change)
{
    t->gone = true;
    for (struct lane *l = t->lanes; l; l = l->next)
        unschedule(ts, l, change);
    ts->gone[ts->n_gone++] = t;
}

/*
 * Replaces the old set; cannot fail. If memory is short for the new settings of an old target, it
 * keeps its old ones and is still captured.
 */
static void commit(struct targets *ts, struct update *u, struct target **items, usec real,
                   usec boot, struct targets_change *change)
{
    for (size_t w = 0; w < u->n; w++) {
        struct wanted *want = &u->wanted[w];

        want->target->marked = true;
        items[w] = want->target;
        if (want->old)
            (void)target_fill(want->target, want->job, want->config, ts->host, want->shared);
    }
    for (size_t i = 0; i < ts->n; i++) {
        if (!ts->items[i]->marked)
            let_go(ts, ts->items[i], change);
    }
    free(ts->items);
    ts->items = items;
    ts->n = u->n;
    for (size_t i = 0; i < ts->n; i++)
        ts->items[i]->marked = false;
    update_lanes(ts, true, real, boot, change);
    update_lanes(ts, false, real, boot, change);
    u->n = 0; /* the set owns the targets now */
}

int targets_update(struct targets *ts, const struct config *config,
                   const struct target_list *const *lists, usec real, usec boot,
                   struct targets_change *ret)
{
    struct update u = {0};
    struct target **items;

    forget_change(ts);
    if (collect(&u, config, lists) < 0 || find_shared_hosts(&u) < 0)
        goto fail;
    match(ts, &u);
    if (make_new(ts, &u) < 0)
        goto fail;
    items = calloc(u.n + 1, sizeof(struct target *));
    if (!items || make_room(ts, &u) < 0) {
        free(items);
        goto fail;
    }
    *ret = (struct targets_change){0};
    commit(ts, &u, items, real, boot, ret);
    ret->added = ts->added;
    ret->moved = ts->moved;
    ret->removed = ts->removed;
    update_done(&u);
    return 0;

fail:
    update_done(&u);
    return -ENOMEM;
}
