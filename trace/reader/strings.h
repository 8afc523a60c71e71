/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The strings of one generation, which are not copied; and names, which are strings that outlive
 * it. Types of tasks and regions that are open at a generation's end must be names, as the same
 * string has another id in the next one.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"

/* tracev2.MaxEventTrailerDataSize */
#define STRINGS_MAX_LEN 1024

/* Interned: equal names are the same pointer. */
struct name {
    uint32_t refs;
    uint32_t len;
    uint32_t slot;   /* in the table of names */
    uint32_t handle; /* the handle in generation `epoch` */
    uint64_t epoch;
    uint64_t hash;
    char text[];
};

struct string {
    const char *data;
    uint32_t len;
    struct name *name; /* the name, once it was asked for; held until the generation's end */
};

struct strings {
    struct memory *mem;
    struct idmap ids;
    struct string *list;
    size_t cap;
    uint32_t n;
    uint64_t epoch; /* counts generations */

    uint64_t seed;
    struct idmap hashes; /* of names */
    struct name **names;
    size_t names_cap;
    uint32_t n_names;
    uint32_t *named; /* strings of this generation with a name */
    size_t named_cap;
    size_t n_named;
};

void strings_init(struct strings *s, struct memory *mem, uint64_t seed);
void strings_done(struct strings *s);

/* Starts a generation: drops the old strings, and names that are not held. */
void strings_clear(struct strings *s);

/* The text is borrowed until strings_clear. 0, -EEXIST, or an error of memory.h. */
int strings_add(struct strings *s, uint64_t id, const void *text, uint32_t len);

/* All strings of this generation were added. Errors of memory.h. */
int strings_seal(struct strings *s);

/* An id's handle, 0 for the id 0, or IDMAP_NONE. */
static inline uint32_t strings_handle(const struct strings *s, uint64_t id)
{
    return id == 0 ? 0 : idmap_find(&s->ids, id);
}

/* A handle's text; "" for 0 and for what is no handle. */
const char *strings_text(const struct strings *s, uint64_t handle, size_t *ret_len);

/* The slow path of strings_name. */
int strings_new_name(struct strings *s, uint32_t handle, struct name **ret);

/* A handle's name, borrowed until strings_clear unless held by name_hold. Errors of memory.h. */
static inline int strings_name(struct strings *s, uint32_t handle, struct name **ret)
{
    *ret = handle == 0 ? NULL : s->list[handle - 1].name;
    return __builtin_expect(*ret || handle == 0, 1) ? 0 : strings_new_name(s, handle, ret);
}

/* The handle of a name in this generation; one is made if there is none. Errors of memory.h. */
int strings_of_name(struct strings *s, struct name *name, uint32_t *ret);

static inline void name_hold(struct name *name)
{
    name->refs++;
}

/* Called by name_release for the last reference. */
void name_free(struct strings *s, struct name *name);

/* NULL is fine. */
static inline void name_release(struct strings *s, struct name *name)
{
    if (name && --name->refs == 0)
        name_free(s, name);
}
