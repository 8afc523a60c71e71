/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/strings.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void strings_init(struct strings *s, struct memory *mem, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->mem = mem;
    s->seed = seed;
    idmap_init(&s->ids, mem, seed);
    idmap_init(&s->hashes, mem, seed);
}

static size_t name_size(const struct name *name)
{
    return sizeof(*name) + name->len;
}

void strings_done(struct strings *s)
{
    for (uint32_t i = 0; i < s->n_names; i++)
        memory_free(s->mem, s->names[i], name_size(s->names[i]));
    memory_free(s->mem, s->names, s->names_cap * sizeof(struct name *));
    memory_free(s->mem, s->named, s->named_cap * sizeof(*s->named));
    memory_free(s->mem, s->list, s->cap * sizeof(*s->list));
    idmap_done(&s->ids);
    idmap_done(&s->hashes);
}

void name_free(struct strings *s, struct name *name)
{
    struct name *last = s->names[--s->n_names];

    idmap_remove(&s->hashes, name->hash);
    if (last != name) {
        last->slot = name->slot;
        s->names[last->slot] = last;
        idmap_set(&s->hashes, last->hash, last->slot);
    }
    memory_free(s->mem, name, name_size(name));
}

void strings_clear(struct strings *s)
{
    for (size_t i = 0; i < s->n_named; i++) {
        struct string *string = &s->list[s->named[i] - 1];

        name_release(s, string->name);
    }
    s->n_named = 0;
    s->n = 0;
    s->epoch++;
    idmap_clear(&s->ids);
}

static int append(struct strings *s, const void *text, uint32_t len)
{
    int r;

    if (s->n >= IDMAP_NONE - 1)
        return -E2BIG;
    r = memory_grow(s->mem, &s->list, &s->cap, (size_t)s->n + 1, sizeof(*s->list));
    if (r < 0)
        return r;
    s->list[s->n++] = (struct string){.data = text, .len = len};
    return 0;
}

int strings_add(struct strings *s, uint64_t id, const void *text, uint32_t len)
{
    int r;

    if (id == 0)
        return -EEXIST;
    r = idmap_add_dense(&s->ids, id, s->n + 1);
    return r < 0 ? r : append(s, text, len);
}

int strings_seal(struct strings *s)
{
    return idmap_seal(&s->ids);
}

const char *strings_text(const struct strings *s, uint64_t handle, size_t *ret_len)
{
    bool valid = handle > 0 && handle <= s->n;

    if (ret_len)
        *ret_len = valid ? s->list[handle - 1].len : 0;
    return valid ? s->list[handle - 1].data : "";
}

/* FNV-1a with a secret start value, and a finaliser. */
static uint64_t hash_text(uint64_t seed, const char *text, size_t len)
{
    uint64_t h = seed ^ 0xcbf29ce484222325U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)text[i]) * 0x100000001b3U;
    h ^= h >> 32;
    return h * (seed | 1);
}

static int name_new(struct strings *s, const char *text, uint32_t len, uint64_t hash,
                    struct name **ret)
{
    struct name *name;
    int r = memory_grow(s->mem, &s->names, &s->names_cap, (size_t)s->n_names + 1,
                        sizeof(struct name *));

    if (r == 0)
        r = memory_new(s->mem, sizeof(*name) + len, &name);
    if (r < 0)
        return r;
    r = idmap_add(&s->hashes, hash, s->n_names);
    if (r < 0) {
        memory_free(s->mem, name, sizeof(*name) + len);
        return r;
    }
    name->len = len;
    name->hash = hash;
    name->slot = s->n_names;
    if (len > 0)
        memcpy(name->text, text, len);
    s->names[s->n_names++] = name;
    *ret = name;
    return 0;
}

/*
 * Two texts with the same 64-bit hash do not occur in practice, as the start value is secret; if
 * they did, the second would be stored under the next hash.
 */
static int find_name(struct strings *s, const char *text, uint32_t len, struct name **ret)
{
    for (uint64_t hash = hash_text(s->seed, text, len);; hash++) {
        uint32_t slot = idmap_find(&s->hashes, hash);
        struct name *name;

        if (slot == IDMAP_NONE)
            return name_new(s, text, len, hash, ret);
        name = s->names[slot];
        if (name->len == len && memcmp(name->text, text, len) == 0) {
            *ret = name;
            return 0;
        }
    }
}

static int remember(struct strings *s, uint32_t handle, struct name *name)
{
    int r = memory_grow(s->mem, &s->named, &s->named_cap, s->n_named + 1, sizeof(*s->named));

    if (r < 0)
        return r;
    s->named[s->n_named++] = handle;
    s->list[handle - 1].name = name;
    name_hold(name);
    if (name->epoch != s->epoch) {
        name->epoch = s->epoch;
        name->handle = handle;
    }
    return 0;
}

int strings_new_name(struct strings *s, uint32_t handle, struct name **ret)
{
    struct name *name;
    int r = find_name(s, s->list[handle - 1].data, s->list[handle - 1].len, &name);

    if (r == 0)
        r = remember(s, handle, name);
    if (r == 0)
        *ret = name;
    return r;
}

int strings_of_name(struct strings *s, struct name *name, uint32_t *ret)
{
    int r = 0;

    if (!name) {
        *ret = 0;
        return 0;
    }
    if (name->epoch != s->epoch) {
        r = append(s, name->text, name->len);
        if (r == 0)
            r = remember(s, s->n, name);
    }
    if (r == 0)
        *ret = name->handle;
    return r;
}
