/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A log that is followed: a row for each snapshot as it comes, what is found when it shows, and the
 * sum at the end. */

#include <stdbool.h>

#include "cli/sched/shown.h"

/* What is found rests on so many of the last snapshots of a process. */
#define LIVE_SNAPSHOTS 60

struct live {
    bool json, utf8;
    unsigned rows;                 /* since the head of the table was printed */
    unsigned met;                  /* the highest number of a process that was introduced */
    unsigned found[PROCESSES_MAX]; /* by its number: bits of the patterns that were told */
    int error;
};

/* As processes_fn. */
void live_snapshot(struct live *live, const struct process *p, const struct snapshot *s);

/* What went wrong meanwhile, also with standard output: 0 or a negative errno. */
int live_error(const struct live *live);

/* The log is at its end. */
void live_end(struct live *live, const struct schedlog *log);
