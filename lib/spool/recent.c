/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/recent.h"

/* FNV-1a, but never 0, which stands for an empty place. */
static uint64_t hash(const char *key)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3U;
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
