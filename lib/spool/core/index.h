/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_INDEX_H
#define CONTRACE_SPOOL_INDEX_H

/*
 * What is kept, oldest first: the only thing in the daemon that grows with the history. The items
 * lie side by side as a retention plan wants them, and leaving at the old end costs nothing. The
 * newest item that may be taken for its upload is found without looking at those above it again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/labels.h"
#include "lib/spool/core/retention.h"

struct index_state {
    uint64_t files;
    uint64_t bytes;
};

struct index {
    struct retention_item *items; /* item i is items[head + i], its key keys[head + i] */
    char **keys;
    size_t head, n, cap;
    struct index_state sums[2]; /* by `pending` */
    uint64_t aside;             /* items that are put aside */
    uint64_t held;              /* items whose record will be amended */
    size_t offer_end;           /* no item from here on may be taken */
    struct labels labels;
};

void index_init(struct index *ix);
void index_done(struct index *ix);

/* Makes sure that `more` items can be added without memory. 0 or -ENOMEM. */
int index_reserve(struct index *ix, size_t more);

/* Adds in order, and returns the place; room must have been reserved, and takes `key`, which is not
 * in the index as `pending`. */
size_t index_add(struct index *ix, char *key, usec time, uint64_t bytes, bool pending);

/* Adds at the end in any order, until index_sort. Takes `key` in any case. 0 or -ENOMEM. */
int index_append(struct index *ix, char *key, usec time, uint64_t bytes, bool pending);
int index_sort(struct index *ix);

/* The first place of all whose time is not before this one. */
size_t index_at_time(const struct index *ix, usec time);

/* The first place that does not come before this key in either directory. */
size_t index_at_key(const struct index *ix, const char *key, usec time);

/* True, and the place, if the key is there. */
bool index_find(const struct index *ix, const char *key, usec time, bool pending, size_t *ret);

void index_remove(struct index *ix, size_t i);

/* The newest item of pending/ that may be taken: not busy, not put off, not aside. */
bool index_newest_offer(struct index *ix, size_t *ret);

/* To be told when item i, or perhaps any item, may be taken that could not be before. */
void index_offer(struct index *ix, size_t i);
void index_offer_all(struct index *ix);

/* Item i of pending/ is now in the archive: its place is the same. */
void index_archive(struct index *ix, size_t i);

/* Item i takes so many bytes now. */
void index_resize(struct index *ix, size_t i, uint64_t bytes);

/* What is known of item i: the bytes of its trace; what its record says, see record.h. */
void index_set_size(struct index *ix, size_t i, uint64_t size);
void index_annotate(struct index *ix, size_t i, const char *label, double latency_ns,
                    double covered);

/* The items, oldest first; NULL when there are none. */
struct retention_item *index_items(const struct index *ix);

/* Borrowed until the item is removed; it does not move when others are. */
const char *index_key(const struct index *ix, size_t i);

#endif
