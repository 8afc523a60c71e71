/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/metrics.h"

#include "daemon/control/exposition.h"
#include "daemon/control/metrics_parts.h"
#include "daemon/control/metrics_sample.h"

/* Those that the meters have, and then all others as one, if there are any. */
static size_t count_jobs(const struct metrics_facts *f)
{
    const struct meters *m = f->meters;
    bool others = f->jobs[m->n_jobs].targets > 0;

    for (int o = 0; o < OUTCOME_COUNT; o++)
        others = others || m->other.captures[o] > 0;
    for (int l = 0; l < METERS_LABELS; l++)
        others = others || m->other.labels[l] > 0;
    return m->n_jobs + others;
}

static const struct meters_job *job_at(const struct metrics_facts *f, size_t i)
{
    return i < f->meters->n_jobs ? f->meters->jobs[i] : &f->meters->other;
}

/* There from the start, so that the first one of its class is seen as a rise; the other classes
 * come with their first. */
static bool begins_at_zero(enum outcome o)
{
    static const bool from_the_start[OUTCOME_COUNT] = {
        [OUTCOME_OK] = true,        [OUTCOME_TRUNCATED] = true, [OUTCOME_SHORT] = true,
        [OUTCOME_BUSY] = true,      [OUTCOME_SKIPPED] = true,   [OUTCOME_CONNECT] = true,
        [OUTCOME_TIMEOUT] = true,   [OUTCOME_NO_SPACE] = true,  [OUTCOME_STORAGE] = true,
        [OUTCOME_RESOURCES] = true,
    };

    return from_the_start[o];
}

static void write_captures(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_captures_total", EXPOSITION_COUNTER,
                      "Captures that ended, by job and by what came of them.");
    for (size_t i = 0; i < n; i++) {
        const struct meters_job *j = job_at(f, i);

        for (int o = 0; o < OUTCOME_COUNT; o++) {
            const struct exposition_label labels[] = {{METRICS_JOB, j->name},
                                                      {"result", outcome_name((enum outcome)o)}};

            if (j->captures[o] > 0 || begins_at_zero((enum outcome)o))
                exposition_count(e, labels, 2, j->captures[o]);
        }
    }
    exposition_family(e, "contrace_captured_bytes_total", EXPOSITION_COUNTER,
                      "Bytes of the traces that were kept.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, METRICS_JOB, job_at(f, i)->name, job_at(f, i)->bytes);
    exposition_family(e, "contrace_capture_last_success_timestamp_seconds", EXPOSITION_GAUGE,
                      "When the last trace that was kept was asked for; 0: none yet.");
    for (size_t i = 0; i < n; i++)
        exposition_sample(e, &(struct exposition_label){METRICS_JOB, job_at(f, i)->name}, 1,
                          metrics_seconds(job_at(f, i)->last_success));
}

static void write_capture_times(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_capture_duration_seconds", EXPOSITION_HISTOGRAM,
                      "Captures that were kept, from the request to the trace being durable.");
    for (size_t i = 0; i < n; i++)
        metrics_histogram(e, job_at(f, i)->name, &job_at(f, i)->duration);
    exposition_family(e, "contrace_capture_start_delay_seconds", EXPOSITION_HISTOGRAM,
                      "How long after its due time a scheduled capture was asked for.");
    metrics_histogram(e, NULL, &f->meters->start_delay);
    metrics_number(e, "contrace_captures_in_flight", "Captures past waiting for their turn.",
                   f->in_flight);
    metrics_number(e, "contrace_captures_waiting", "Captures that wait for their turn.",
                   f->waiting);
    metrics_number(e, "contrace_max_concurrent_captures", "Captures that may be in flight at once.",
                   f->max_concurrent);
}

static void write_labels(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_traces_labelled_total", EXPOSITION_COUNTER,
                      "Traces by job and by the label that they got.");
    for (size_t i = 0; i < n; i++) {
        const struct meters_job *j = job_at(f, i);

        for (size_t l = 0; l < METERS_LABELS; l++) {
            const struct exposition_label labels[] = {{METRICS_JOB, j->name},
                                                      {"label", meters_label_name(l)}};

            if (j->labels[l] > 0 || (f->inspecting && l < METERS_LABELS - 1))
                exposition_count(e, labels, 2, j->labels[l]);
        }
    }
}

static void write_jobs(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_targets", EXPOSITION_GAUGE, "Targets that are configured.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, METRICS_JOB, job_at(f, i)->name, f->jobs[i].targets);
    exposition_family(e, "contrace_targets_failing", EXPOSITION_GAUGE,
                      "Targets of which the last try to capture failed.");
    for (size_t i = 0; i < n; i++)
        metrics_classed(e, METRICS_JOB, job_at(f, i)->name, f->jobs[i].failing);
    exposition_family(e, "contrace_scrape_interval_seconds", EXPOSITION_GAUGE,
                      "How often each target of the job is captured; 0: it has none.");
    for (size_t i = 0; i < n; i++)
        exposition_sample(e, &(struct exposition_label){METRICS_JOB, job_at(f, i)->name}, 1,
                          metrics_seconds(f->jobs[i].interval));
    exposition_family(e, "contrace_window_seconds", EXPOSITION_GAUGE,
                      "How long a trace of the job is; 0: it has no targets.");
    for (size_t i = 0; i < n; i++)
        exposition_sample(e, &(struct exposition_label){METRICS_JOB, job_at(f, i)->name}, 1,
                          metrics_seconds(f->jobs[i].window));
}

static void write_target(struct exposition *e, const struct metrics_target *t, double value)
{
    const struct exposition_label labels[] = {{METRICS_JOB, t->job}, {"target", t->address}};

    exposition_sample(e, labels, 2, value);
}

static void write_targets(struct exposition *e, const struct metrics_facts *f)
{
    exposition_family(e, "contrace_target_consecutive_failures", EXPOSITION_GAUGE,
                      "Tries to capture the target that failed since the last that did not.");
    for (size_t i = 0; i < f->n_targets; i++)
        write_target(e, &f->targets[i], f->targets[i].failures);
    exposition_family(e, "contrace_target_last_success_timestamp_seconds", EXPOSITION_GAUGE,
                      "When the target's last trace was asked for; 0: none yet.");
    for (size_t i = 0; i < f->n_targets; i++)
        write_target(e, &f->targets[i], metrics_seconds(f->targets[i].last_success));
    exposition_family(e, "contrace_target_scheduler_latency_p99_seconds", EXPOSITION_GAUGE,
                      "99th percentile of the scheduler latency in the target's last trace; absent "
                      "until that was inspected.");
    for (size_t i = 0; i < f->n_targets; i++) {
        if (f->targets[i].latency_p99 >= 0)
            write_target(e, &f->targets[i], f->targets[i].latency_p99);
    }
    exposition_family(e, "contrace_target_covered_ratio", EXPOSITION_GAUGE,
                      "Share of the target's last trace that its label and numbers rest on; absent "
                      "until that was inspected.");
    for (size_t i = 0; i < f->n_targets; i++) {
        if (f->targets[i].covered >= 0)
            write_target(e, &f->targets[i], f->targets[i].covered);
    }
    metrics_number(e, "contrace_targets_left_out",
                   "Targets that have no series of their own because they are too many.",
                   f->targets_left_out);
}

int metrics_render(const struct metrics_facts *f, struct buf *out)
{
    struct exposition e;
    size_t n = count_jobs(f);

    exposition_init(&e, out);
    metrics_write_build(&e, f);
    write_captures(&e, f, n);
    write_capture_times(&e, f, n);
    write_labels(&e, f, n);
    write_jobs(&e, f, n);
    write_targets(&e, f);
    metrics_write_inspections(&e, f);
    metrics_write_suspension(&e, f);
    metrics_write_spool(&e, f);
    metrics_write_upload(&e, f);
    metrics_write_config(&e, f);
    metrics_write_process(&e, f);
    return exposition_end(&e);
}
