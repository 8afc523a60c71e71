/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When a target is captured: pure arithmetic. A target's phase within the interval is a hash of who
 * it is, placed on the wall clock once, so that a restart does not move it and a fleet does not act
 * at once; from then on only boot time counts, and a stepped wall clock changes nothing. Each cycle
 * adds a jitter of up to ±5% of the interval, so that nothing periodic hides from the samples.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SCHEDULE_FIRST_SPACING (100 * USEC_PER_MSEC) /* between the first captures of two targets */
#define SCHEDULE_JITTER 0.05                         /* of the interval, to either side */

#define SCHEDULE_SLOW USEC_PER_SEC
#define SCHEDULE_BACKOFF_MAX (15 * USEC_PER_MIN)

struct schedule {
    uint64_t hash; /* who the target is */
    usec interval;
    usec
        origin; /* boot time of cycle 0 without its jitter: the last one before schedule_init, or the
                  * first one after it where the machine booted less than an interval ago */
};

/* Who a target is, as 64 evenly spread bits. */
uint64_t schedule_hash(const char *job, const char *address, const char *host);

/* Places the target's phase. Both clocks are read at the same moment; interval > 0. */
void schedule_init(struct schedule *s, uint64_t hash, usec interval, usec real, usec boot);

/*
 * Moves it by `place` of `places` parts of the interval. What is moved keeps its jitter, so that
 * two of one target, which differ by their place alone, are always as far apart.
 */
void schedule_shift(struct schedule *s, unsigned place, unsigned places);

/* The boot time at which the n-th cycle is due, its jitter included. */
usec schedule_due(const struct schedule *s, uint64_t cycle);

/*
 * The first due time after `now` that leaves at least half an interval since `last`, the start of
 * the last capture (0: there was none). It does not depend on how late the last one was.
 */
usec schedule_next(const struct schedule *s, usec last, usec now);

/* The first capture of the i-th of n targets that appear together at `now`: spread over
 * min(interval, n × SCHEDULE_FIRST_SPACING); the 0-th at once. */
usec schedule_first(uint64_t i, uint64_t n, usec interval, usec now);

/* How long at least from one try to the next scheduled one, for a target that failed so often in a
 * row and whose tries take SCHEDULE_SLOW or longer: the interval, and from the third failure on two,
 * then four; but no longer than SCHEDULE_BACKOFF_MAX, or the interval where that is longer. */
usec schedule_backoff(unsigned failures, usec interval);

/*
 * When to try again before the next due time: USEC_NEVER if it would not fit before `next`.
 * `random` is 64 random bits.
 *   busy: another trace is being taken: after one to five windows, evenly drawn.
 *   down: nobody answered: back-off from 5 s, doubled with each attempt, half of it drawn.
 */
usec schedule_retry_busy(usec now, usec next, usec window, uint64_t random);
usec schedule_retry_down(usec now, usec next, unsigned attempt, uint64_t random);
