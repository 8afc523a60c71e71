/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/observation.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "daemon/control/exposition.h"
#include "daemon/control/metrics.h"

struct observation {
    struct process *process;
};

_Static_assert((int)SUSPENSION_CAUSES <= METRICS_CAUSES_MAX, "each cause has a place");

static struct metrics_target describe(const struct target *t)
{
    const struct lane *l = target_primary(t);
    const struct lane_last *last = &l->last;

    return (struct metrics_target){
        .job = t->job->name,
        .address = t->address,
        .failures = l->failures,
        .last_success = last->captured,
        .latency_p99 = last->latency < 0 || last->captured == 0 ? -1 : last->latency / 1e9,
        .covered = last->captured == 0 ? -1 : last->covered,
    };
}

/* Adds a target to its job's numbers. If the times of a job's targets differ, the longest
 * counts. */
static void add_to_job(struct metrics_job *j, const struct target *t)
{
    const struct lane *l = target_primary(t);
    usec interval = target_interval(l);

    j->targets++;
    j->failing += target_lane_fails(l);
    if (interval > j->interval)
        j->interval = interval;
    if (t->job->window > j->window)
        j->window = t->job->window;
}

/* Only the targets that were configured first get series, so these are always the same: a series
 * that comes and goes would be worth little. */
static void look_at_targets(const struct observation_context *c, struct metrics_job *jobs,
                            struct metrics_target *targets, struct metrics_facts *f)
{
    size_t n = targets_count(c->targets), at = 0;
    const struct target_job *job = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct target *t = targets_at(c->targets, i);

        if (t->job != job)
            at = meters_job_index(c->meters, t->job->name);
        job = t->job;
        add_to_job(&jobs[at], t);
        /* A job that is counted among the others has no name of its own in series. */
        if (f->n_targets < METRICS_TARGETS_MAX && at < c->meters->n_jobs)
            targets[f->n_targets++] = describe(t);
        else
            f->targets_left_out++;
    }
    f->jobs = jobs;
    f->targets = targets;
}

static void look_at_causes(const struct observation_context *c, struct metrics_cause *causes,
                           struct metrics_facts *f)
{
    for (int i = 0; i < SUSPENSION_CAUSES; i++) {
        causes[i].name = suspension_cause_name((enum suspension_cause)i);
        causes[i].since = 0;
        (void)suspension_cause(c->suspension, (enum suspension_cause)i, &causes[i].since, NULL);
    }
    f->causes = causes;
    f->n_causes = SUSPENSION_CAUSES;
}

static void look_at_spool(const struct observation_context *c, struct metrics_facts *f)
{
    spool_stats(c->spool, &f->spool);
    (void)spool_space(c->spool, &f->space);
    f->limits = c->limits;
    f->refusing = spool_refusing(c->spool);
}

static void look_at_uploads(const struct observation_context *c, struct metrics_facts *f)
{
    struct uploader_stats s;

    uploader_stats(c->uploader, &s);
    f->upload = (struct metrics_upload){
        .enabled = c->config->upload.url,
        .bytes = s.bytes,
        .last_success = s.last_success,
        .in_flight = s.in_flight,
        .concurrency = c->config->upload.concurrency,
        .breaker = s.breaker,
        .credentials_expiry = s.credentials_expiry,
    };
    for (int e = 0; e < STORE_END_COUNT; e++)
        f->upload.ends[e] = s.ends[e];
}

static int render(struct observation *o, const struct observation_context *c,
                  struct metrics_job *jobs, struct metrics_target *targets, struct buf *out)
{
    const struct metrics_library libraries[] = {
        {"libcurl", http_library_version()},
        {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
    };
    struct metrics_cause causes[METRICS_CAUSES_MAX];
    struct triggers_stats triggers;
    struct metrics_facts f = {
        .version = PACKAGE_VERSION,
        .libraries = libraries,
        .n_libraries = sizeof(libraries) / sizeof(libraries[0]),
        .meters = c->meters,
        .in_flight = pipeline_in_flight(c->pipeline),
        .waiting = pipeline_waiting(c->pipeline),
        .max_concurrent = c->config->max_concurrent_captures,
        .inspecting = c->config->inspect.enabled,
    };

    look_at_targets(c, jobs, targets, &f);
    look_at_causes(c, causes, &f);
    look_at_spool(c, &f);
    look_at_uploads(c, &f);
    triggers_stats(c->triggers, &triggers);
    f.triggers = &triggers;
    process_read(o->process, &f.process);
    return metrics_render(&f, out);
}

int observation_render(struct observation *o, const struct observation_context *c, struct buf *out)
{
    struct metrics_job *jobs = calloc(c->meters->n_jobs + 1, sizeof(*jobs));
    struct metrics_target *targets = calloc(METRICS_TARGETS_MAX, sizeof(*targets));
    int r = jobs && targets ? render(o, c, jobs, targets, out) : -ENOMEM;

    free(jobs);
    free(targets);
    return r;
}

void observation_serve(struct observation *o, const struct observation_context *c,
                       struct admin_call *call)
{
    struct buf text;
    int r;

    buf_init(&text, OBSERVATION_MAX);
    r = observation_render(o, c, &text);
    if (r == -ENOMEM)
        admin_no_memory(call);
    else if (r < 0)
        admin_fail(call, 500, "the metrics cannot be rendered: %s", strerror(-r));
    else
        admin_reply(call, 200, EXPOSITION_CONTENT_TYPE, buf_str(&text), text.len);
    buf_done(&text);
}

int observation_new(struct observation **ret)
{
    struct observation *o = calloc(1, sizeof(*o));
    int r = o ? process_new(&o->process) : -ENOMEM;

    if (r < 0) {
        free(o);
        return r;
    }
    *ret = o;
    return 0;
}

void observation_free(struct observation *o)
{
    if (!o)
        return;
    process_free(o->process);
    free(o);
}
