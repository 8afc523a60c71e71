/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counts and durations since the start, by job, kind of artifact and class. A report also updates
 * the totals (counters.h), so that each end is reported by a single call. Jobs come from the
 * configuration; a removed job keeps its numbers. All jobs beyond METERS_JOBS_MAX are counted as
 * one, so that memory stays bounded. Reports cannot fail.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/outcome/counters.h"
#include "lib/record/kind.h"
#include "trace/findings/code.h"

#define METERS_JOBS_MAX 1000
#define METERS_OTHER "other" /* stands for all jobs beyond that, and for unknown labels */
#define METERS_BUCKETS_MAX 16

/* Bounds are in seconds, ascending. counts[i] counts values up to bounds[i] and above the bound
 * before it; counts[n] those above the last bound. */
struct meters_histogram {
    const double *bounds;
    size_t n;
    uint64_t counts[METERS_BUCKETS_MAX + 1];
    double sum;
};

/* The number of labels that are counted: those of code.h, CODE_NOT_INSPECTED and METERS_OTHER. */
enum { METERS_LABELS = CODES_LABELS + 2 };

/* The numbers of one kind of artifact. */
struct meters_kind {
    uint64_t captures[OUTCOME_COUNT];
    uint64_t bytes;                   /* that were kept */
    struct meters_histogram duration; /* of captures that were kept: from the request to the end */
};

struct meters_job {
    char *name;
    struct meters_kind *kinds[KINDS]; /* NULL: none of it yet; KIND_TRACE is always there */
    uint64_t labels[METERS_LABELS];
    usec last_success; /* real time of the last kept trace's request; 0: none yet */
};

struct meters {
    struct counters *totals;  /* borrowed */
    struct meters_job **jobs; /* by name */
    size_t n_jobs;
    struct meters_job *other;            /* has all kinds */
    struct meters_histogram start_delay; /* from a capture's due time to its request */
    struct meters_histogram upload; /* of traces that arrived: from the start of the delivery */
    struct meters_histogram inspection;
};

/* How a capture ended. */
struct meters_capture {
    enum kind kind;
    enum outcome outcome;
    uint64_t bytes;        /* of the trace that was kept */
    usec start;            /* real time of the request; 0: nothing was kept */
    usec due, sent, ended; /* boot time; 0: not known, not sent */
};

/* Borrows `totals` until meters_free. 0 or -ENOMEM. */
int meters_new(struct counters *totals, struct meters **ret);
void meters_free(struct meters *m);

/* A job is configured that captures these artifacts (a bit for each kind; traces in any case). Its
 * numbers exist from now on, as zeros. */
void meters_expect(struct meters *m, const char *job, unsigned artifacts);

void meters_captured(struct meters *m, const char *job, const struct meters_capture *c);

/* The inspection of a trace ended, or was not possible. */
void meters_inspected(struct meters *m, enum inspection_end end, usec took);

/* A trace of the job got this label, which may be any text. */
void meters_labelled(struct meters *m, const char *job, const char *label);

/* A trace arrived at the store. */
void meters_uploaded(struct meters *m, usec took);

/* The job's index in `jobs`; n_jobs if it counts with the others. */
size_t meters_job_index(const struct meters *m, const char *job);

/* The name of the label with this index: "lock-contention". */
const char *meters_label_name(size_t i);
