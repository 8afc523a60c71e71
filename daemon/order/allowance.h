/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much may be captured on demand: a bucket of capture time for each target, so that neither a
 * script in a loop nor a storm of alerts traces a service all the time. A bucket holds
 * ALLOWANCE_BURST and fills by ALLOWANCE_SHARE of the time that passes. A capture is allowed when
 * its time is in the bucket; one that is longer than a bucket can hold, when the bucket is full,
 * and what it lacks is owed. So whatever is asked for, a target is traced on demand for at most
 * that share of the time and one burst. Pure: the time is passed in.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define ALLOWANCE_BURST (6 * USEC_PER_SEC) /* three captures of two seconds at once */
#define ALLOWANCE_SHARE 20                 /* one in so many: 5%, and two seconds again every 40 */

struct allowance_bucket {
    uint64_t id;
    usec full; /* boot time at which it is full again */
};

/* Buckets that are full are not stored. */
struct allowance {
    struct allowance_bucket *buckets; /* by id */
    size_t n, cap;
};

void allowance_init(struct allowance *a);
void allowance_done(struct allowance *a);

/* What stands for a target: its job's name and its address, which reloads keep. */
uint64_t allowance_id(const char *job, const char *address);

/* How long until a capture of `window` may be taken: 0, now. */
usec allowance_wait(const struct allowance *a, uint64_t id, usec window, usec now);

/* Takes it, whether it is allowed or not. 0, or -ENOMEM and nothing is taken. */
int allowance_take(struct allowance *a, uint64_t id, usec window, usec now);
