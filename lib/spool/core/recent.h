/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keys of traces that were deleted here lately and may be in the store. Two captures of one
 * process that began in the same second have keys that differ only in their sequence. If the first
 * trace is deleted here before the second is published, nothing on the disk tells that its key is
 * taken in the store, and the second would replace the first there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define RECENT_KEYS 1024               /* more traces than end during one capture */
#define RECENT_AGE (60 * USEC_PER_MIN) /* the keys of older traces are not remembered */

/* All zero: empty. Only hashes are kept: if two keys have the same one, a key gets a sequence that
 * it does not need. */
struct recent {
    uint64_t hashes[RECENT_KEYS];
    unsigned next;
};

void recent_add(struct recent *r, const char *key);
bool recent_has(const struct recent *r, const char *key);
