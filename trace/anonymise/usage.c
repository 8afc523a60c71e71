/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* A string that stacks refer to. */
struct name {
    char *text; /* NULL: its text is not known; with a zero byte behind it */
    size_t size;
    bool is_func, is_file;
    bool kept;     /* of a file: all functions in it */
    uint8_t owner; /* of a file: an enum owner, that of the first function */
    uint32_t func; /* of a file: the first function, plus 1; 0: none */
};

struct pair {
    uint32_t func, file;
};

struct usage {
    struct memory mem;
    uint64_t seed;
    struct idmap ids;   /* of strings to names */
    struct idmap known; /* pairs that were met */
    struct name *names;
    size_t n_names, names_cap;
    struct pair *pairs;
    size_t n_pairs, pairs_cap;
    char *main_file;
};

int usage_new(uint64_t seed, struct usage **ret)
{
    struct usage *u = calloc(1, sizeof(*u));

    if (!u)
        return -ENOMEM;
    u->mem.max = USAGE_MAX_MEMORY;
    u->seed = seed;
    idmap_init(&u->ids, &u->mem, seed);
    idmap_init(&u->known, &u->mem, seed);
    *ret = u;
    return 0;
}

void usage_clear(struct usage *u)
{
    for (size_t i = 0; i < u->n_names; i++)
        memory_free(&u->mem, u->names[i].text, u->names[i].size);
    u->n_names = 0;
    u->n_pairs = 0;
    idmap_clear(&u->ids);
    idmap_clear(&u->known);
}

void usage_free(struct usage *u)
{
    if (!u)
        return;
    usage_clear(u);
    memory_free(&u->mem, u->names, u->names_cap * sizeof(*u->names));
    memory_free(&u->mem, u->pairs, u->pairs_cap * sizeof(*u->pairs));
    idmap_done(&u->ids);
    idmap_done(&u->known);
    free(u->main_file);
    free(u);
}

static int name_of(struct usage *u, uint64_t id, uint32_t *ret)
{
    int r;

    *ret = idmap_find(&u->ids, id);
    if (*ret != IDMAP_NONE)
        return 0;
    r = memory_grow(&u->mem, &u->names, &u->names_cap, u->n_names + 1, sizeof(*u->names));
    if (r == 0)
        r = idmap_add(&u->ids, id, (uint32_t)u->n_names);
    if (r < 0)
        return r;
    *ret = (uint32_t)u->n_names;
    u->names[u->n_names++] = (struct name){.kept = true};
    return 0;
}

/* Two pairs with the same hash do not occur, as the seed is secret. */
int usage_add_frame(struct usage *u, uint64_t func, uint64_t file)
{
    uint64_t key = random_mix(random_mix(u->seed ^ func) + file);
    uint32_t names[2];
    int r;

    if (idmap_find(&u->known, key) != IDMAP_NONE)
        return 0;
    r = name_of(u, func, &names[0]);
    if (r == 0)
        r = name_of(u, file, &names[1]);
    if (r == 0)
        r = memory_grow(&u->mem, &u->pairs, &u->pairs_cap, u->n_pairs + 1, sizeof(*u->pairs));
    if (r == 0)
        r = idmap_add(&u->known, key, 0);
    if (r < 0)
        return r;
    u->names[names[0]].is_func = true;
    u->names[names[1]].is_file = true;
    u->pairs[u->n_pairs++] = (struct pair){names[0], names[1]};
    return 0;
}

int usage_add_text(struct usage *u, uint64_t id, const void *text, size_t len)
{
    uint32_t at = idmap_find(&u->ids, id);
    struct name *name = at != IDMAP_NONE ? &u->names[at] : NULL;
    int r;

    if (!name || name->text)
        return 0;
    r = memory_new(&u->mem, len + 1, &name->text);
    if (r < 0)
        return r;
    memcpy(name->text, text, len);
    name->size = len + 1;
    return 0;
}

static const char *text_of(const struct name *name)
{
    return name->text ? name->text : "";
}

static int find_main(struct usage *u)
{
    for (size_t i = 0; i < u->n_pairs && !u->main_file; i++) {
        const char *file = text_of(&u->names[u->pairs[i].file]);

        if (!owner_tells_main(text_of(&u->names[u->pairs[i].func]), file))
            continue;
        u->main_file = strdup(file);
        return u->main_file ? 0 : -ENOMEM;
    }
    return 0;
}

/* A function that is kept in one file and not in another is not kept. */
int usage_judge(struct usage *u, const struct pseudonyms *p)
{
    int r = find_main(u);

    for (size_t i = 0; i < u->n_pairs && r == 0; i++) {
        struct name *func = &u->names[u->pairs[i].func], *file = &u->names[u->pairs[i].file];
        enum owner owner = owner_of(text_of(func), text_of(file), u->main_file);
        bool kept = pseudonym_keeps(p, text_of(func), text_of(file), owner);

        func->kept = func->kept && kept;
        file->kept = file->kept && kept;
        if (file->func == 0)
            file->owner = (uint8_t)owner;
        file->func = file->func ? file->func : u->pairs[i].func + 1;
    }
    return r;
}

/* A text with zero bytes is no name that Go gives. */
static bool is_plain(const struct name *name)
{
    return name->text && strlen(name->text) + 1 == name->size;
}

void usage_pseudonym(const struct usage *u, struct pseudonyms *p, uint64_t id, const void *text,
                     size_t len, struct pseudonym *ret)
{
    uint32_t at = idmap_find(&u->ids, id);
    const struct name *name = at != IDMAP_NONE ? &u->names[at] : NULL;

    if (!name || !is_plain(name)) {
        pseudonym_of_text(p, text, len, ret);
    } else if (name->is_func) {
        pseudonym_of_func(p, name->text, name->kept, ret);
    } else {
        struct pseudonym_file file = {(enum owner)name->owner, name->kept,
                                      name->func ? u->names[name->func - 1].text : NULL};

        pseudonym_of_file(p, name->text, &file, ret);
    }
}
