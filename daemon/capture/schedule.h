/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When a target is captured: pure arithmetic. A target's phase within the interval is a hash of its
 * identity, placed on the wall clock once. So a restart does not move it, and the targets of a
 * fleet are not captured all at once. From then on only boot time counts, so a step of the wall
 * clock changes nothing. Each cycle adds a jitter of up to ±5% of the interval, so that periodic
 * events cannot always fall between the samples.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SCHEDULE_FIRST_SPACING (100 * USEC_PER_MSEC) /* between the first captures of two targets */
#define SCHEDULE_JITTER 0.05                         /* of the interval, to either side */

#define SCHEDULE_SLOW USEC_PER_SEC
#define SCHEDULE_BACKOFF_MAX (15 * USEC_PER_MIN)

struct schedule {
    uint64_t hash; /* of the target's identity */
    usec interval;
    /* Boot time of cycle 0 without its jitter: the last one before schedule_init, or the first one
     * after it if the machine booted less than an interval ago. */
    usec origin;
};

/* Hashes a target's identity to 64 evenly spread bits. */
uint64_t schedule_hash(const char *job, const char *address, const char *host);

/* Sets the target's phase. `real` and `boot` are the two clocks at the same moment; interval >
 * 0. */
void schedule_init(struct schedule *s, uint64_t hash, usec interval, usec real, usec boot);

/*
 * Moves the phase by place/places of the interval. The jitter stays the same, so two schedules of
 * one target, which differ only in their place, keep their distance.
 */
void schedule_shift(struct schedule *s, unsigned place, unsigned places);

/* The boot time at which this cycle is due, with its jitter. */
usec schedule_due(const struct schedule *s, uint64_t cycle);

/*
 * The first due time after `now` that is more than half an interval after `last`, the start of the
 * last capture (0: there was none). Otherwise it does not depend on how late the last capture was.
 */
usec schedule_next(const struct schedule *s, usec last, usec now);

/* The time of the first capture of the i-th of n targets that appear together at `now`. The first
 * captures are spread over min(interval, n × SCHEDULE_FIRST_SPACING), beginning at once. */
usec schedule_first(uint64_t i, uint64_t n, usec interval, usec now);

/* The minimum time from a failed try to the next scheduled one, for a target whose tries take
 * SCHEDULE_SLOW or longer: one interval, two from the third failure in a row on, four from the
 * sixth; at most SCHEDULE_BACKOFF_MAX, or the interval if that is longer. */
usec schedule_backoff(unsigned failures, usec interval);

/*
 * When to try again before the next due time: USEC_NEVER if it would not fit before `next`.
 * `random` is 64 random bits.
 *   busy: another trace is being taken: after one to five windows, evenly drawn.
 *   down: nobody answered: back-off from 5 s, doubled with each attempt, half of it drawn.
 */
usec schedule_retry_busy(usec now, usec next, usec window, uint64_t random);
usec schedule_retry_down(usec now, usec next, unsigned attempt, uint64_t random);
