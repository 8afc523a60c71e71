/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What happened since the start, by job, kind of artifact and class, and how long it took. It keeps the totals
 * (counters.h) with it, so that who reports an end does so once. Jobs come from the configuration;
 * one that is gone keeps its numbers, and beyond METERS_JOBS_MAX all others are counted as one, so
 * that no configuration makes this grow without end. Reports cannot fail.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/outcome/counters.h"
#include "lib/record/kind.h"

#define METERS_JOBS_MAX 1000
#define METERS_OTHER "other" /* the name of all jobs beyond, and of labels that are not known */
#define METERS_BUCKETS_MAX 16

/* Bounds are seconds, ascending; counts[i] are those up to bounds[i], counts[n] those above. */
struct meters_histogram {
    const double *bounds;
    size_t n;
    uint64_t counts[METERS_BUCKETS_MAX + 1];
    double sum;
};

/* Labels of traces, with a place each; the last one is METERS_OTHER. */
enum { METERS_LABELS = 11 };

/* Of one kind of artifact. */
struct meters_kind {
    uint64_t captures[OUTCOME_COUNT];
    uint64_t bytes;                   /* that were kept */
    struct meters_histogram duration; /* of captures that were kept, from the request on */
};

struct meters_job {
    char *name;
    struct meters_kind
        *kinds[KINDS]; /* NULL: nothing of that kind yet; there is always KIND_TRACE */
    uint64_t labels[METERS_LABELS];
    usec last_success; /* real time of the last kept trace's request; 0: none yet */
};

struct meters {
    struct counters *totals;  /* borrowed */
    struct meters_job **jobs; /* by name */
    size_t n_jobs;
    struct meters_job *other;            /* it has a place for every kind */
    struct meters_histogram start_delay; /* of requests, behind their due times */
    struct meters_histogram upload;      /* of traces that arrived, from the first byte asked for */
    struct meters_histogram inspection;
};

/* How a capture ended. */
struct meters_capture {
    enum kind kind;
    enum outcome outcome;
    uint64_t bytes;        /* of the trace that was kept */
    usec start;            /* real time of its request; 0: nothing was kept */
    usec due, sent, ended; /* boot time; 0: not known, not sent */
};

/* Keeps `totals`. 0 or -ENOMEM. */
int meters_new(struct counters *totals, struct meters **ret);
void meters_free(struct meters *m);

/* The job is configured, and captures these artifacts (a bit for each kind; traces in any case): its
 * numbers are there from now on, as zeros. */
void meters_expect(struct meters *m, const char *job, unsigned artifacts);

void meters_captured(struct meters *m, const char *job, const struct meters_capture *c);

/* A trace was inspected, or was not. */
void meters_inspected(struct meters *m, enum inspection_end end, usec took);

/* The label that a trace of the job got; any text. */
void meters_labelled(struct meters *m, const char *job, const char *label);

/* A trace arrived at the store. */
void meters_uploaded(struct meters *m, usec took);

/* The place of a job in `jobs`; n_jobs: it is counted with the others. */
size_t meters_job_index(const struct meters *m, const char *job);

/* The word for the label at this place: "lock-contention". */
const char *meters_label_name(size_t i);
