/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keys that were last deleted here, by then perhaps in the store. Two captures that began in one second have the
 * same key but for its sequence; when the first is gone before the second is published, nothing on
 * the disk tells that the key is taken in the store, where the second would replace the first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define RECENT_KEYS 1024               /* more than end during one capture */
#define RECENT_AGE (60 * USEC_PER_MIN) /* of a trace that is worth to be remembered */

/* All zero: none. Only hashes are kept: if two are the same, a key gets a sequence needlessly. */
struct recent {
    uint64_t hashes[RECENT_KEYS];
    unsigned next;
};

void recent_add(struct recent *r, const char *key);
bool recent_has(const struct recent *r, const char *key);
