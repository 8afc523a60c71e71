/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void index_init(struct index *ix)
{
    *ix = (struct index){0};
}

void index_done(struct index *ix)
{
    for (size_t i = 0; i < ix->n; i++)
        free(ix->keys[ix->head + i]);
    free(ix->items);
    free(ix->keys);
    labels_done(&ix->labels);
    index_init(ix);
}

struct retention_item *index_items(const struct index *ix)
{
    return ix->n > 0 ? ix->items + ix->head : NULL;
}

int index_rank(struct index *ix, unsigned keep_worst)
{
    char **keys = ix->n > 0 ? ix->keys + ix->head : NULL;
    int r;

    if (!ix->unranked && ix->ranked == keep_worst)
        return 0;
    r = retention_rank(index_items(ix), (const char *const *)keys, ix->n, keep_worst);
    if (r < 0)
        return r;
    ix->unranked = false;
    ix->ranked = keep_worst;
    return 0;
}

const char *index_key(const struct index *ix, size_t i)
{
    return ix->keys[ix->head + i];
}

/* Moves `n` items from place `from` to place `to`, counted in the arrays. */
static void move_items(struct index *ix, size_t to, size_t from, size_t n)
{
    memmove(ix->items + to, ix->items + from, n * sizeof(*ix->items));
    memmove(ix->keys + to, ix->keys + from, n * sizeof(*ix->keys));
}

int index_reserve(struct index *ix, size_t more)
{
    struct retention_item *items;
    char **keys;
    size_t cap;

    if (ix->cap - ix->head - ix->n >= more)
        return 0;
    /* The old end has at least as many empty places as there are items. Moving the items there
     * costs no more than the removals that emptied it. */
    if (ix->head >= ix->n + more) {
        move_items(ix, 0, ix->head, ix->n);
        ix->head = 0;
        return 0;
    }
    cap = ix->cap ? ix->cap : 64;
    while (cap - ix->head - ix->n < more)
        cap += cap / 2;
    items = reallocarray(ix->items, cap, sizeof(*items));
    if (!items)
        return -ENOMEM;
    ix->items = items;
    keys = reallocarray(ix->keys, cap, sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    ix->keys = keys;
    ix->cap = cap;
    return 0;
}

static int compare(usec time_a, const char *key_a, bool pending_a, const struct retention_item *b,
                   const char *key_b)
{
    int r;

    if (time_a != b->time)
        return time_a < b->time ? -1 : 1;
    r = strcmp(key_a, key_b);
    return r ? r : (int)pending_a - (int)b->pending;
}

/* The place of the first item that does not come before the one asked for. */
static size_t lower_bound(const struct index *ix, const char *key, usec time, bool pending)
{
    size_t low = 0, high = ix->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(time, key, pending, &ix->items[ix->head + middle], index_key(ix, middle)) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put(struct index *ix, size_t i, char *key, usec time, uint64_t bytes, bool pending)
{
    ix->items[ix->head + i] = (struct retention_item){.time = time,
                                                      .bytes = bytes,
                                                      .pending = pending,
                                                      .latency = -1,
                                                      .covered = RETENTION_NOT_COVERED};
    ix->keys[ix->head + i] = key;
    ix->n++;
    if (i < ix->offer_end)
        ix->offer_end++;
    else if (pending)
        ix->offer_end = i + 1;
    ix->sums[pending].files++;
    ix->sums[pending].bytes += bytes;
}

size_t index_add(struct index *ix, char *key, usec time, uint64_t bytes, bool pending)
{
    size_t i = lower_bound(ix, key, time, pending);

    assert(ix->cap - ix->head - ix->n > 0);
    move_items(ix, ix->head + i + 1, ix->head + i, ix->n - i);
    put(ix, i, key, time, bytes, pending);
    return i;
}

int index_append(struct index *ix, char *key, usec time, uint64_t bytes, bool pending)
{
    if (!key || index_reserve(ix, 1) < 0) {
        free(key);
        return -ENOMEM;
    }
    put(ix, ix->n, key, time, bytes, pending);
    return 0;
}

struct pair {
    struct retention_item item;
    char *key;
};

static int compare_pairs(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;

    return compare(a->item.time, a->key, a->item.pending, &b->item, b->key);
}

int index_sort(struct index *ix)
{
    struct pair *pairs;

    if (ix->n < 2)
        return 0;
    pairs = calloc(ix->n, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < ix->n; i++)
        pairs[i] = (struct pair){ix->items[ix->head + i], ix->keys[ix->head + i]};
    qsort(pairs, ix->n, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < ix->n; i++) {
        ix->items[ix->head + i] = pairs[i].item;
        ix->keys[ix->head + i] = pairs[i].key;
    }
    free(pairs);
    index_offer_all(ix);
    return 0;
}

size_t index_at_time(const struct index *ix, usec time)
{
    return lower_bound(ix, "", time, false);
}

size_t index_at_key(const struct index *ix, const char *key, usec time)
{
    return lower_bound(ix, key, time, false);
}

bool index_find(const struct index *ix, const char *key, usec time, bool pending, size_t *ret)
{
    size_t i = lower_bound(ix, key, time, pending);

    if (i == ix->n || compare(time, key, pending, &ix->items[ix->head + i], index_key(ix, i)) != 0)
        return false;
    *ret = i;
    return true;
}

static bool may_be_taken(const struct retention_item *item)
{
    return item->pending && !item->busy && !item->put_off && !item->aside;
}

static bool newest_urgent(const struct index *ix, size_t *ret)
{
    for (size_t i = ix->offer_end; i > 0; i--) {
        const struct retention_item *item = &ix->items[ix->head + i - 1];

        if (item->incident > 0 && may_be_taken(item)) {
            *ret = i - 1;
            return true;
        }
    }
    return false;
}

bool index_newest_offer(struct index *ix, size_t *ret)
{
    if (ix->urgent > 0 && newest_urgent(ix, ret))
        return true;
    for (; ix->offer_end > 0; ix->offer_end--) {
        if (may_be_taken(&ix->items[ix->head + ix->offer_end - 1])) {
            *ret = ix->offer_end - 1;
            return true;
        }
    }
    return false;
}

void index_offer(struct index *ix, size_t i)
{
    if (i >= ix->offer_end)
        ix->offer_end = i + 1;
}

void index_offer_all(struct index *ix)
{
    ix->offer_end = ix->n;
}

void index_archive(struct index *ix, size_t i)
{
    struct retention_item *item = &ix->items[ix->head + i];

    ix->sums[true].files--;
    ix->sums[true].bytes -= item->bytes;
    ix->sums[false].files++;
    ix->sums[false].bytes += item->bytes;
    ix->aside -= item->aside;
    ix->urgent -= item->incident > 0;
    item->pending = item->put_off = item->aside = false;
}

void index_set_size(struct index *ix, size_t i, uint64_t size)
{
    ix->items[ix->head + i].size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

void index_annotate(struct index *ix, size_t i, const struct record_annotation *found)
{
    struct retention_item *item = &ix->items[ix->head + i];
    double covered = found->covered;

    item->annotated = true;
    item->label = labels_intern(&ix->labels, found->label[0] ? found->label : NULL);
    item->latency = found->latency >= 0 ? (float)found->latency : -1;
    item->covered = RETENTION_NOT_COVERED;
    if (covered >= 0 && covered <= 1) /* rounded down, so that only a fully covered trace has 1 */
        item->covered = (uint8_t)(covered * 250);
    ix->unranked = ix->unranked || item->worst || found->severity > 0;
    item->severity = (float)found->severity;
    ix->urgent -= item->pending && item->incident > 0;
    item->incident = retention_incident(item->time, found->incident);
    ix->urgent += item->pending && item->incident > 0;
}

void index_resize(struct index *ix, size_t i, uint64_t bytes)
{
    struct retention_item *item = &ix->items[ix->head + i];

    ix->sums[item->pending].bytes += bytes - item->bytes;
    item->bytes = bytes;
}

void index_remove(struct index *ix, size_t i)
{
    struct retention_item *item = &ix->items[ix->head + i];

    ix->sums[item->pending].files--;
    ix->sums[item->pending].bytes -= item->bytes;
    ix->aside -= item->aside;
    ix->held -= item->held;
    ix->urgent -= item->pending && item->incident > 0;
    ix->unranked = ix->unranked || item->worst;
    if (i < ix->offer_end)
        ix->offer_end--;
    free(ix->keys[ix->head + i]);
    if (i < ix->n / 2) {
        move_items(ix, ix->head + 1, ix->head, i);
        ix->head++;
    } else {
        move_items(ix, ix->head + i, ix->head + i + 1, ix->n - i - 1);
    }
    ix->n--;
    if (ix->n == 0)
        ix->head = 0;
}
