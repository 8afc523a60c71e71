/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/recent.h"

#include "base/random.h"

/* Never 0, which marks an empty place. */
static uint64_t hash(const char *key)
{
    uint64_t h = random_fnv(RANDOM_FNV, key);

    return h ? h : 1;
}

void recent_add(struct recent *r, const char *key)
{
    r->hashes[r->next] = hash(key);
    r->next = (r->next + 1) % RECENT_KEYS;
}

bool recent_has(const struct recent *r, const char *key)
{
    uint64_t h = hash(key);

    for (unsigned i = 0; i < RECENT_KEYS; i++) {
        if (r->hashes[i] == h)
            return true;
    }
    return false;
}
