/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 65536

int arena_new(struct summary_arena **arena, size_t n, void *ret)
{
    struct summary_arena *a = *arena;
    void *p;

    n = (n + 15) & ~(size_t)15;
    if (!a || a->size - a->used < n) {
        size_t size = n > ARENA_CHUNK ? n : ARENA_CHUNK;

        a = calloc(1, sizeof(*a) + size);
        if (!a)
            return -ENOMEM;
        a->size = size;
        a->next = *arena;
        *arena = a;
    }
    p = a->data + a->used;
    a->used += n;
    memcpy(ret, &p, sizeof(p));
    return 0;
}

void arena_free(struct summary_arena *arena)
{
    while (arena) {
        struct summary_arena *next = arena->next;

        free(arena);
        arena = next;
    }
}

uint64_t texts_hash(uint64_t seed, uint64_t kind, const char *text, size_t len)
{
    uint64_t h = texts_mix(seed ^ kind, len), word;

    for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        h = texts_mix(h, word);
    }
    word = 0;
    memcpy(&word, text, len);
    return texts_mix(h + seed, word);
}

int texts_init(struct texts *t, struct memory *mem, uint64_t seed)
{
    uint32_t n;
    int r;

    memset(t, 0, sizeof(*t));
    t->mem = mem;
    t->seed = seed;
    idmap_init(&t->hashes, mem, seed);
    handles_init(&t->by_handle, mem);
    r = texts_add(t, "", 0, &n);
    return r < 0 ? r : texts_add(t, "(other)", 7, &n);
}

void texts_done(struct texts *t)
{
    idmap_done(&t->hashes);
    memory_free(t->mem, t->list, t->list_cap * sizeof(*t->list));
    handles_done(&t->by_handle);
}

void texts_generation(struct texts *t, uint32_t n_strings)
{
    handles_generation(&t->by_handle, n_strings);
}

int texts_add(struct texts *t, const char *text, size_t len, uint32_t *ret)
{
    uint64_t h = texts_hash(t->seed, 0, text, len);
    uint32_t found = idmap_find(&t->hashes, h);
    char *copy;
    int r;

    if (found != IDMAP_NONE) {
        *ret = found;
        return 0;
    }
    *ret = TEXTS_OTHER;
    if (t->n == TEXTS_MAX || t->bytes + len > TEXTS_MAX_BYTES)
        return 0;
    r = memory_grow(t->mem, &t->list, &t->list_cap, t->n + 1, sizeof(*t->list));
    if (r == 0)
        r = arena_new(&t->arena, len + 1, &copy);
    if (r == 0)
        r = idmap_add(&t->hashes, h, t->n);
    if (r < 0)
        return r;
    memcpy(copy, text, len);
    t->bytes += len + 16;
    t->list[t->n] = copy;
    *ret = t->n++;
    return 0;
}

int texts_of(struct texts *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    const char *text;
    uint64_t known;
    size_t len;
    int r;

    if (handle == 0) {
        *ret = TEXTS_EMPTY;
        return 0;
    }
    if (handles_find(&t->by_handle, handle, &known)) {
        *ret = (uint32_t)known;
        return 0;
    }
    text = gotrace_string(trace, handle, &len);
    r = texts_add(t, text, len, ret);
    if (r == 0)
        handles_set(&t->by_handle, handle, *ret);
    return r;
}
