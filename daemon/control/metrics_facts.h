/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The plain facts from which all metrics are rendered. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "daemon/control/process.h"
#include "daemon/outcome/meters.h"
#include "daemon/watch/triggers.h"
#include "lib/spool/spool.h"
#include "lib/store/http/breaker.h"
#include "lib/store/interface/store.h"

#define METRICS_TARGETS_MAX 1000 /* targets that have series of their own */
#define METRICS_CAUSES_MAX 8

/* The targets of one job, and its configured times. */
struct metrics_job {
    uint64_t targets, failing;
    usec interval, window; /* the longest of the job's targets; 0: the job is gone */
};

/* Texts are borrowed. */
struct metrics_target {
    const char *job, *address;
    unsigned failures;  /* failed captures in a row */
    usec last_success;  /* real time; 0: none yet */
    double latency_p99; /* seconds; negative: not known */
    double covered;     /* 0 to 1; negative: not known */
};

struct metrics_cause {
    const char *name;
    usec since; /* real time; 0: it does not hold */
};

struct metrics_upload {
    bool enabled;
    uint64_t ends[STORE_END_COUNT];
    uint64_t bytes;
    usec last_success; /* real time; 0: none yet */
    unsigned in_flight, concurrency;
    enum breaker_state breaker;
    usec credentials_expiry; /* real time; 0: they don't expire, or there are none */
};

struct metrics_library {
    const char *name, *version; /* name also is the name of the label */
};

/* Arrays are borrowed. */
struct metrics_facts {
    const char *version;
    const struct metrics_library *libraries;
    size_t n_libraries;
    const struct meters *meters;
    const struct metrics_job *jobs; /* one per job of the meters, then one for all other jobs */
    const struct metrics_target *targets; /* at most METRICS_TARGETS_MAX */
    size_t n_targets;
    uint64_t targets_left_out;
    unsigned in_flight, waiting, max_concurrent;
    const struct metrics_cause *causes;
    size_t n_causes;
    bool inspecting; /* traces are inspected */
    const struct triggers_stats *triggers;
    struct spool_stats spool;
    struct retention_limits limits;
    struct space space; /* of the spool's file system; zeros: not known */
    bool refusing;
    struct metrics_upload upload;
    struct process_facts process;
};
