/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/relabel/labelset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct labelset {
    struct labelset_item items[LABELSET_MAX];
    size_t n;
    size_t n_sorted; /* the first ones, which were there when the set was sorted */
    int error;
    char *text; /* of LABELSET_BYTES_MAX; names and values stay where they are */
    size_t used;
};

struct labelset *labelset_new(void)
{
    struct labelset *ls = malloc(sizeof(*ls));
    char *text = malloc(LABELSET_BYTES_MAX);

    if (!ls || !text) {
        free(ls);
        free(text);
        return NULL;
    }
    ls->text = text;
    labelset_clear(ls);
    return ls;
}

void labelset_free(struct labelset *ls)
{
    if (!ls)
        return;
    free(ls->text);
    free(ls);
}

void labelset_clear(struct labelset *ls)
{
    ls->n = ls->n_sorted = ls->used = 0;
    ls->error = 0;
}

static size_t find(const struct labelset *ls, const char *name)
{
    size_t i = 0;

    while (i < ls->n && strcmp(ls->items[i].name, name) != 0)
        i++;
    return i;
}

/* Takes the i-th label out. */
static void take(struct labelset *ls, size_t i)
{
    memmove(&ls->items[i], &ls->items[i + 1], (ls->n - i - 1) * sizeof(ls->items[0]));
    ls->n--;
    if (i < ls->n_sorted)
        ls->n_sorted--;
}

static const char *keep(struct labelset *ls, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = ls->text + ls->used;

    if (n > LABELSET_BYTES_MAX - ls->used) {
        ls->error = -E2BIG;
        return NULL;
    }
    memcpy(copy, text, n);
    ls->used += n;
    return copy;
}

void labelset_set(struct labelset *ls, const char *name, const char *value)
{
    size_t i = find(ls, name);
    struct labelset_item item;

    if (*value == '\0') {
        labelset_remove(ls, name);
        return;
    }
    item = (struct labelset_item){i < ls->n ? ls->items[i].name : keep(ls, name), keep(ls, value)};
    if (!item.name || !item.value)
        return;
    if (i >= ls->n_sorted && i < ls->n) {
        ls->items[i] = item;
        return;
    }
    if (i < ls->n_sorted)
        take(ls, i);
    if (ls->n == LABELSET_MAX) {
        ls->error = -E2BIG;
        return;
    }
    ls->items[ls->n++] = item;
}

void labelset_remove(struct labelset *ls, const char *name)
{
    size_t i = find(ls, name);

    if (i < ls->n)
        take(ls, i);
}

const char *labelset_get(const struct labelset *ls, const char *name)
{
    size_t i = find(ls, name);

    return i < ls->n ? ls->items[i].value : "";
}

bool labelset_has(const struct labelset *ls, const char *name)
{
    return find(ls, name) < ls->n;
}

int labelset_error(const struct labelset *ls)
{
    return ls->error;
}

size_t labelset_count(const struct labelset *ls)
{
    return ls->n;
}

struct labelset_item labelset_at(const struct labelset *ls, size_t i)
{
    return ls->items[i];
}

static int by_name(const void *a, const void *b)
{
    const struct labelset_item *x = a, *y = b;

    return strcmp(x->name, y->name);
}

void labelset_sort(struct labelset *ls)
{
    qsort(ls->items, ls->n, sizeof(ls->items[0]), by_name);
    ls->n_sorted = ls->n;
}

size_t labelset_snapshot(const struct labelset *ls, struct labelset_item *out)
{
    memcpy(out, ls->items, ls->n * sizeof(ls->items[0]));
    return ls->n;
}

bool labelset_is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    if (*name == '\0' || !strchr(letters, *name))
        return false;
    for (; *name; name++) {
        if (!strchr(letters, *name) && !(*name >= '0' && *name <= '9'))
            return false;
    }
    return true;
}
