/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Limits captures on demand by a token bucket of capture time for each target, so that neither a
 * script in a loop nor a storm of alerts traces a service all the time. A bucket holds
 * ALLOWANCE_BURST of capture time. One second of capture time flows in per ALLOWANCE_SHARE seconds.
 * A capture is allowed when its time is in the bucket. A capture that is longer than the bucket can
 * hold is allowed when the bucket is full; the bucket then owes the rest. So in the long run a
 * target is traced on demand for at most that share of the time, plus one burst. Pure: the time is
 * passed in.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define ALLOWANCE_BURST (6 * USEC_PER_SEC) /* three captures of two seconds at once */
#define ALLOWANCE_SHARE 20 /* one second in so many: 5%, or two seconds of capture every 40 */

struct allowance_bucket {
    uint64_t id;
    usec full; /* boot time at which it is full again */
};

/* Full buckets need not be stored. */
struct allowance {
    struct allowance_bucket *buckets; /* sorted by id */
    size_t n, cap;
};

void allowance_init(struct allowance *a);
void allowance_done(struct allowance *a);

/* The id of a target, from its job's name and its address. It stays the same across reloads. */
uint64_t allowance_id(const char *job, const char *address);

/* How long until a capture of this length is allowed; 0: it is allowed now. */
usec allowance_wait(const struct allowance *a, uint64_t id, usec window, usec now);

/* Takes the time of a capture out of the bucket, whether it is allowed or not. 0, or -ENOMEM and
 * nothing is taken. */
int allowance_take(struct allowance *a, uint64_t id, usec window, usec now);
