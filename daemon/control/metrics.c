/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/metrics.h"

#include "daemon/control/exposition.h"
#include "daemon/control/metrics_parts.h"
#include "daemon/control/metrics_sample.h"

static bool has_captures(const struct meters_kind *k)
{
    bool any = false;

    for (int o = 0; o < OUTCOME_COUNT; o++)
        any = any || k->captures[o] > 0;
    return any;
}

/* The jobs of the meters, plus one for all other jobs if there are any. */
static size_t count_jobs(const struct metrics_facts *f)
{
    const struct meters *m = f->meters;
    bool others = f->jobs[m->n_jobs].targets > 0;

    for (int k = 0; k < KINDS; k++)
        others = others || has_captures(m->other->kinds[k]);
    for (int l = 0; l < METERS_LABELS; l++)
        others = others || m->other->labels[l] > 0;
    return m->n_jobs + others;
}

static const struct meters_job *job_at(const struct metrics_facts *f, size_t i)
{
    return i < f->meters->n_jobs ? f->meters->jobs[i] : f->meters->other;
}

/* Outcomes whose counters exist from the start, at 0, so that Prometheus sees the first capture as
 * an increase. The other counters appear with their first capture. */
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

/* The numbers of one kind of artifact of a job; NULL: no series. The entry of all other jobs has
 * numbers for each kind; it shows traces, and the kinds that were captured. */
static const struct meters_kind *kind_at(const struct metrics_facts *f, size_t job, int kind)
{
    const struct meters_kind *k = job_at(f, job)->kinds[kind];

    return k && (kind == KIND_TRACE || job < f->meters->n_jobs || has_captures(k)) ? k : NULL;
}

static void write_results(struct exposition *e, const char *job, int kind,
                          const struct meters_kind *k)
{
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        const struct exposition_label labels[] = {{METRICS_JOB, job},
                                                  {METRICS_ARTIFACT, kind_name((enum kind)kind)},
                                                  {"result", outcome_name((enum outcome)o)}};

        if (k->captures[o] > 0 || begins_at_zero((enum outcome)o))
            exposition_count(e, labels, 3, k->captures[o]);
    }
}

static void write_bytes(struct exposition *e, const char *job, int kind,
                        const struct meters_kind *k)
{
    const struct exposition_label labels[] = {{METRICS_JOB, job},
                                              {METRICS_ARTIFACT, kind_name((enum kind)kind)}};

    exposition_count(e, labels, 2, k->bytes);
}

static void write_duration(struct exposition *e, const char *job, int kind,
                           const struct meters_kind *k)
{
    metrics_histogram(e, job, kind_name((enum kind)kind), &k->duration);
}

/* Writes the samples of one kind of artifact of one job. */
typedef void (*write_kind_fn)(struct exposition *e, const char *job, int kind,
                              const struct meters_kind *k);

static void write_kinds(struct exposition *e, const struct metrics_facts *f, size_t n,
                        write_kind_fn fn)
{
    for (size_t i = 0; i < n; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            const struct meters_kind *k = kind_at(f, i, kind);

            if (k)
                fn(e, job_at(f, i)->name, kind, k);
        }
    }
}

static void write_captures(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_captures_total", EXPOSITION_COUNTER,
                      "Captures that ended, by job, by artifact and by what came of them.");
    write_kinds(e, f, n, write_results);
    exposition_family(e, "contrace_captured_bytes_total", EXPOSITION_COUNTER,
                      "Bytes of the traces and other artifacts that were kept.");
    write_kinds(e, f, n, write_bytes);
    exposition_family(e, "contrace_capture_last_success_timestamp_seconds", EXPOSITION_GAUGE,
                      "When the last trace that was kept was asked for; 0: none yet.");
    for (size_t i = 0; i < n; i++)
        exposition_sample(e, &(struct exposition_label){METRICS_JOB, job_at(f, i)->name}, 1,
                          metrics_seconds(job_at(f, i)->last_success));
}

static void write_capture_times(struct exposition *e, const struct metrics_facts *f, size_t n)
{
    exposition_family(e, "contrace_capture_duration_seconds", EXPOSITION_HISTOGRAM,
                      "Captures that were kept, from the request to the artifact being durable.");
    write_kinds(e, f, n, write_duration);
    exposition_family(e, "contrace_capture_start_delay_seconds", EXPOSITION_HISTOGRAM,
                      "How long after its due time a scheduled capture was asked for.");
    metrics_histogram(e, NULL, NULL, &f->meters->start_delay);
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
    metrics_write_triggers(&e, f);
    metrics_write_spool(&e, f);
    metrics_write_upload(&e, f);
    metrics_write_config(&e, f);
    metrics_write_process(&e, f);
    return exposition_end(&e);
}
