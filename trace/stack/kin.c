/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stack/kin.h"

#include <string.h>

#include "trace/common/texts.h"

void kin_init(struct kin *k, struct memory *mem, uint64_t seed)
{
    *k = (struct kin){.seed = seed};
    idmap_init(&k->names, mem, seed);
}

void kin_done(struct kin *k)
{
    idmap_done(&k->names);
}

static int add(struct kin *k, const char *name, size_t len, uint32_t *ret)
{
    uint64_t hash = k->seed;
    int r;

    *ret = IDMAP_NONE;
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        hash = texts_mix(hash, (uint8_t)name[i]);
    *ret = idmap_find(&k->names, hash);
    if (*ret != IDMAP_NONE)
        return 0;
    r = idmap_add(&k->names, hash, k->n);
    if (r == 0)
        *ret = k->n++;
    return r;
}

int kin_add(struct kin *k, const char *func, uint32_t ret[2])
{
    int r = add(k, func, strlen(func), &ret[0]);

    return r < 0 ? r : add(k, func, kin_receiver(func), &ret[1]);
}

struct kin_walk kin_walk(const struct kin *k, const char *func)
{
    return (struct kin_walk){func, k->seed};
}

/* Each part of a name that a dot or the end follows may be a function's or a receiver's. */
uint32_t kin_next(const struct kin *k, struct kin_walk *walk)
{
    while (walk->rest) {
        char c = *walk->rest;
        uint32_t found = IDMAP_NONE;

        if (c == '.' || c == '\0')
            found = idmap_find(&k->names, walk->hash);
        walk->hash = texts_mix(walk->hash, (uint8_t)c);
        walk->rest = c == '\0' ? NULL : walk->rest + 1;
        if (found != IDMAP_NONE)
            return found;
    }
    return IDMAP_NONE;
}

size_t kin_receiver(const char *func)
{
    const char *end = strstr(func, ").");

    return end ? (size_t)(end + 1 - func) : 0;
}

size_t kin_outer(const char *func)
{
    const char *within = strstr(func, ".func");

    return within ? (size_t)(within - func) + strlen(".func") : 0;
}
