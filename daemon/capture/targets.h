/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The set of all configured targets. It is updated as a whole; a target that stays keeps its state.
 */

#include "daemon/capture/target.h"

struct targets;

/* `host` is the host part of keys for targets on this machine; copied. NULL when memory is
 * short. */
struct targets *targets_new(const char *host);
void targets_free(struct targets *ts);

size_t targets_count(const struct targets *ts);
struct target *targets_at(struct targets *ts, size_t i);

/* How many lanes are captured by schedule. */
size_t targets_scheduled(const struct targets *ts);

/* How an update changed the lanes that are captured by schedule; the arrays are valid until the
 * next update. */
struct targets_change {
    struct lane **added; /* the targets' primary lanes (the first n_first), then all others */
    size_t n_added, n_first;
    struct lane **removed; /* no longer captured; their targets live until the next update */
    size_t n_removed;
    struct lane **moved; /* their interval changed: to be rescheduled */
    size_t n_moved;
};

/*
 * Makes the set equal to the configuration: `lists[i]` are the addresses of job `i`, static and
 * discovered ones. A target is the same if its job's name and its address are the same; then it
 * keeps its state, and new settings apply from its next capture on. A repeated address of a job
 * counts once. 0, or -ENOMEM and nothing changed.
 */
int targets_update(struct targets *ts, const struct config *config,
                   const struct target_list *const *lists, usec real, usec boot,
                   struct targets_change *ret);
