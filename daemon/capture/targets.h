/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All configured targets, brought up to date as a whole: what stays keeps its state.
 */

#include "daemon/capture/target.h"

struct targets;

/* `host` is the key's host of targets on this machine; copied. NULL when memory is short. */
struct targets *targets_new(const char *host);
void targets_free(struct targets *ts);

size_t targets_count(const struct targets *ts);
struct target *targets_at(struct targets *ts, size_t i);

/* How many of their lanes are captured by schedule. */
size_t targets_scheduled(const struct targets *ts);

/* What an update did to the lanes that are captured by schedule; arrays are borrowed until the next
 * update. */
struct targets_change {
    struct lane **added; /* the first ones of targets before all others */
    size_t n_added, n_first;
    struct lane *
        *removed; /* not to be captured any more; their targets live until the next update */
    size_t n_removed;
    struct lane **moved; /* the interval changed: to be scheduled anew */
    size_t n_moved;
};

/*
 * Makes the set equal to what is configured: `lists[i]` are the addresses of job `i`, from its
 * static and its discovered targets. A target is the same if its job's name and its address are;
 * then it keeps its state, and new settings count from its next capture on. An address that stands
 * twice in a job counts once. 0, or -ENOMEM and nothing changed.
 */
int targets_update(struct targets *ts, const struct config *config,
                   const struct target_list *const *lists, usec real, usec boot,
                   struct targets_change *ret);
