/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/names.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A hash table with open addressing, at most half full. */
struct slot {
    uint32_t hash;
    uint32_t length;
    int number;       /* -1: empty */
    const char *text; /* in `texts` */
};

struct names {
    size_t mask;
    char *texts;
    struct slot slots[];
};

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

static struct slot *find(const struct names *s, const char *text, size_t len, uint32_t hash)
{
    const struct slot *slots = s->slots;

    for (size_t i = hash & s->mask;; i = (i + 1) & s->mask) {
        if (slots[i].number < 0 || (slots[i].hash == hash && slots[i].length == len &&
                                    memcmp(slots[i].text, text, len) == 0))
            return (struct slot *)&slots[i];
    }
}

int names_new(const char *const *names, size_t n, struct names **ret)
{
    size_t size = 2, bytes = 0;
    struct names *s;
    char *at;

    if (n > NAMES_MAX)
        return -E2BIG;
    while (size < 2 * n)
        size *= 2;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(names[i]) + 1;
    s = calloc(1, sizeof(*s) + size * sizeof(s->slots[0]));
    at = malloc(bytes ? bytes : 1);
    if (!s || !at) {
        free(s);
        free(at);
        return -ENOMEM;
    }
    s->mask = size - 1;
    s->texts = at;
    for (size_t i = 0; i < size; i++)
        s->slots[i].number = -1;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(names[i]);
        uint32_t hash = hash_of(names[i], len);
        struct slot *slot = find(s, names[i], len, hash);

        if (slot->number >= 0)
            continue;
        memcpy(at, names[i], len + 1);
        *slot = (struct slot){hash, (uint32_t)len, (int)i, at};
        at += len + 1;
    }
    *ret = s;
    return 0;
}

void names_free(struct names *s)
{
    if (!s)
        return;
    free(s->texts);
    free(s);
}

int names_find(const struct names *s, const char *text, size_t len)
{
    return find(s, text, len, hash_of(text, len))->number;
}
