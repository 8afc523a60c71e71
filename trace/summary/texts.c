/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/texts.h"

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

static uint64_t hash(const struct texts *t, const char *text, size_t len)
{
    uint64_t h = texts_mix(t->seed, len), word;

    for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        h = texts_mix(h, word);
    }
    word = 0;
    memcpy(&word, text, len);
    return texts_mix(h + t->seed, word);
}

int texts_init(struct texts *t, struct memory *mem, uint64_t seed)
{
    uint32_t n;
    int r;

    memset(t, 0, sizeof(*t));
    t->mem = mem;
    t->seed = seed;
    idmap_init(&t->hashes, mem, seed);
    r = texts_add(t, "", 0, &n);
    return r < 0 ? r : texts_add(t, "(other)", 7, &n);
}

void texts_done(struct texts *t)
{
    idmap_done(&t->hashes);
    memory_free(t->mem, t->list, t->list_cap * sizeof(*t->list));
    memory_free(t->mem, t->by_handle, t->by_handle_cap * sizeof(*t->by_handle));
}

int texts_generation(struct texts *t, uint32_t n_strings)
{
    size_t n = (size_t)n_strings + 1;
    int r = memory_grow(t->mem, &t->by_handle, &t->by_handle_cap, n, sizeof(*t->by_handle));

    if (r == 0)
        memset(t->by_handle, 0, t->by_handle_cap * sizeof(*t->by_handle));
    return r;
}

int texts_add(struct texts *t, const char *text, size_t len, uint32_t *ret)
{
    uint64_t h = hash(t, text, len);
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

/* Types of tasks that are still open may be added to a generation's strings while it is read. */
static int more_handles(struct texts *t, uint32_t handle)
{
    size_t old = t->by_handle_cap;
    int r = memory_grow(t->mem, &t->by_handle, &t->by_handle_cap, (size_t)handle + 1,
                        sizeof(*t->by_handle));

    if (r == 0)
        memset(t->by_handle + old, 0, (t->by_handle_cap - old) * sizeof(*t->by_handle));
    return r;
}

int texts_of(struct texts *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    const char *text;
    size_t len;
    int r;

    if (handle == 0) {
        *ret = TEXTS_EMPTY;
        return 0;
    }
    r = handle < t->by_handle_cap ? 0 : more_handles(t, handle);
    if (r < 0)
        return r;
    if (t->by_handle[handle] != 0) {
        *ret = t->by_handle[handle] - 1;
        return 0;
    }
    text = gotrace_string(trace, handle, &len);
    r = texts_add(t, text, len, ret);
    if (r == 0)
        t->by_handle[handle] = *ret + 1;
    return r;
}
