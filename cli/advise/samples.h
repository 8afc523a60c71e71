/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Summaries of one program's traces, as the rules read them: numbers by name, and findings. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

#define SAMPLES_MAX 1000

/* The numbers; samples.c has the path of each in the summary's JSON. */
enum number {
    NUMBER_WINDOW,
    NUMBER_PROCS,
    NUMBER_EXECUTING,
    NUMBER_ALL_BUSY,
    NUMBER_GC_SHARE,
    NUMBER_ASSIST,
    NUMBER_CYCLES,
    NUMBER_HEAP,
    NUMBER_HEAP_GOAL,
    NUMBER_LATENCY,
    NUMBER_RUNNABLE,
    NUMBER_ALIVE,
    NUMBER_POLLED,       /* time in which goroutines waited for the network, summed */
    NUMBER_LOCK_WAIT,    /* the longest */
    NUMBER_REQUEST_WAIT, /* likewise, of a request that waits inside the process */
    NUMBER_QUOTA,
    NUMBER_PERIOD,
    NUMBER_PERIODS,
    NUMBER_THROTTLED_PERIODS,
    NUMBER_THROTTLED,
    NUMBER_USAGE,
    NUMBER_MEMORY,
    NUMBER_MEMORY_MAX,
    NUMBER_CPUS_ALLOWED,
    NUMBER_CPUS,
    NUMBER_BUSY,
    NUMBER_CONTEXT_WINDOW,
    NUMBERS,
};

struct sample {
    json_t *findings;       /* owned; NULL: none */
    usec time;              /* when it was taken; 0: not known */
    double values[NUMBERS]; /* NAN: not known */
};

struct samples {
    struct sample list[SAMPLES_MAX];
    size_t n;
    size_t left_out; /* which say too little, as no label could be given either */
};

/* Takes a summary, with the member `context` if anything is known of the host. What could not be
 * inspected is counted, and does not join. 0, or -E2BIG beyond SAMPLES_MAX. */
int samples_add(struct samples *s, const json_t *summary, usec time);
void samples_done(struct samples *s);

/* A sample's finding with this code and a score that makes it one; NULL: it has none. */
const json_t *sample_finding(const struct sample *s, const char *code);

/* A number of a finding's evidence; NAN: it has none such. */
double finding_number(const json_t *finding, const char *name);

/* What is derived: nanoseconds of the whole window as how many at any time, and counts a second. */
double sample_mean(const struct sample *s, enum number number);
double sample_rate(const struct sample *s, enum number number);

/* The CPUs that a quota gives, and those that the process may use at all; NAN: not known, or no
 * quota. */
double sample_quota(const struct sample *s);
double sample_cpus(const struct sample *s);

/* The share of the quota's periods in which it was used up; NAN: not known. */
double sample_throttled(const struct sample *s);

/* The median of what `value` gives of the samples for which `counts` (NULL: all); NAN if it is known
 * of none. */
double samples_median(const struct samples *s, double (*value)(const struct sample *),
                      bool (*counts)(const struct sample *));
