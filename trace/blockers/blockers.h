/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who kept others waiting: for each place where goroutines waited for others, who woke them, for how
 * long that one had held what they waited for, and what it did meanwhile. Waits are those of the
 * profile `sync` of `go tool trace`: channels, select, and what package sync has. All counts and
 * times of waits are that profile's (trace/profile).
 *
 * A trace does not say which mutex a goroutine has. So a hold is the time in which the one that
 * woke another can have kept it waiting: from when that one queued, but not before the waker itself
 * had last waited at the same place, or, of a mutex, for any. Where it wakes several, the time
 * counts once.
 *
 * What no goroutine ended was ended by time, the network or a signal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/blockers/holds.h"
#include "trace/gotrace.h"

/* For goroutines and what they did, and for sums, stacks and texts. Of those that find no room it
 * is not known who they were and what they did. */
#define BLOCKERS_MAX_MEMORY ((size_t)256 << 20)
/* What the same goroutine wakes within this time, from the same place, is one hold: nanoseconds. */
#define BLOCKERS_BURST 100000

struct blockers;

struct blockers_sum {
    uint64_t count;
    int64_t total;
};

struct blockers_result {
    int64_t window;
    struct blockers_sum waits;   /* all */
    struct blockers_sum nobody;  /* of these: ended by no goroutine */
    struct blockers_sum untold;  /* of these: the trace does not tell, or there was no room */
    uint64_t unknown_goroutines; /* for whom there was no room */
    const struct holds_blocker *list;
    size_t n;
};

/* 0 or -ENOMEM. */
int blockers_new(struct blockers **ret);
void blockers_free(struct blockers *b);

/* What blockers_run does next, each with a reader at the trace's beginning. */
enum blockers_next {
    BLOCKERS_DONE,
    BLOCKERS_AGAIN, /* it must be read again */
};

/*
 * Reads the trace, or reads it again. A number of enum blockers_next; an error of gotrace other
 * than that it breaks off; or, when gotrace_last_error knows of none, -E2BIG over a bound of the
 * profile, or -ENOMEM. If the trace breaks off, *ret_broken is that error when everything before it
 * is summed up.
 */
int blockers_run(struct blockers *b, struct gotrace *trace, int *ret_broken);

/* After BLOCKERS_DONE; valid as long as the object. */
struct blockers_result blockers_result(const struct blockers *b);
