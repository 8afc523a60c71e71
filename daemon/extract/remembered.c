/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/extract/remembered.h"

#include <stdlib.h>
#include <string.h>

static void drop(struct remembered *r, struct remembered_entry *e)
{
    r->bytes -= e->n;
    free(e->key);
    free(e->data);
    free(e->text);
    *e = (struct remembered_entry){0};
}

void remembered_done(struct remembered *r)
{
    for (size_t i = 0; i < REMEMBERED_MAX; i++)
        drop(r, &r->list[i]);
}

static struct remembered_entry *find(struct remembered *r, const char *key,
                                     enum extraction_view view)
{
    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        struct remembered_entry *e = &r->list[i];

        if (e->key && e->view == view && strcmp(e->key, key) == 0)
            return e;
    }
    return NULL;
}

/* A free place, or that of the one which was asked for the longest time ago. */
static struct remembered_entry *oldest(struct remembered *r)
{
    struct remembered_entry *least = &r->list[0];

    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        if (!r->list[i].key)
            return &r->list[i];
        if (r->list[i].used < least->used)
            least = &r->list[i];
    }
    return least;
}

/* The one that holds bytes and was asked for the longest time ago. */
static struct remembered_entry *oldest_with_bytes(struct remembered *r)
{
    struct remembered_entry *least = NULL;

    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        struct remembered_entry *e = &r->list[i];

        if (e->n > 0 && (!least || e->used < least->used))
            least = e;
    }
    return least;
}

void remembered_add(struct remembered *r, const char *key, enum extraction_view view,
                    const struct extraction *result)
{
    struct remembered_entry new = {
        .key = strdup(key),
        .view = view,
        .end = result->end,
        .data = malloc(result->n > 0 ? result->n : 1),
        .n = result->n,
        .text = strdup(result->text),
        .used = ++r->questions,
    };
    struct remembered_entry *place = find(r, key, view);

    if (place)
        drop(r, place);
    if (!new.key || !new.data || !new.text || new.n > REMEMBERED_BYTES) {
        free(new.key);
        free(new.data);
        free(new.text);
        return;
    }
    if (new.n > 0)
        memcpy(new.data, result->data, new.n);
    while (r->bytes + new.n > REMEMBERED_BYTES)
        drop(r, oldest_with_bytes(r));
    place = oldest(r);
    drop(r, place);
    *place = new;
    r->bytes += new.n;
}

bool remembered_find(struct remembered *r, const char *key, enum extraction_view view,
                     struct extraction *ret)
{
    struct remembered_entry *e = find(r, key, view);

    if (!e)
        return false;
    e->used = ++r->questions;
    *ret = (struct extraction){e->end, e->data, e->n, e->text};
    return true;
}
