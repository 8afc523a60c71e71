/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Numbers that are spread evenly, for waits of many daemons and for places in hash tables. Not for
 * secrets: they can be guessed.
 */

#include <stdint.h>

#define RANDOM_STEP 0x9e3779b97f4a7c15ULL /* of splitmix64's state */

/* splitmix64's finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit. */
static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* splitmix64: the next number; any state is good to begin with. */
static inline uint64_t random_next(uint64_t *state)
{
    return random_mix(*state += RANDOM_STEP);
}

#define RANDOM_FNV 0xcbf29ce484222325ULL /* an empty text's hash */

/* FNV-1a, 64 bits, over the text and its zero: so that ("ab", "c") and ("a", "bc") differ. */
static inline uint64_t random_fnv(uint64_t h, const char *text)
{
    do {
        h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
    } while (*text++);
    return h;
}
