/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_INDEX_H
#define CONTRACE_SPOOL_INDEX_H

/*
 * All kept traces, oldest first: the only thing in the daemon that grows with the history. The
 * items are one array, as a retention plan needs them. Removing an item at the old end moves no
 * others. The search for the newest item that may be taken for its upload does not look again at
 * newer ones that it has already passed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/labels.h"
#include "lib/record/record.h"
#include "lib/spool/core/retention.h"

struct index_state {
    uint64_t files;
    uint64_t bytes;
};

struct index {
    struct retention_item *items; /* item i is items[head + i], its key is keys[head + i] */
    char **keys;
    size_t head, n, cap;
    struct index_state sums[2]; /* by `pending` */
    uint64_t aside;             /* items that are put aside */
    uint64_t held;              /* items whose record will be amended */
    uint64_t urgent;            /* items of pending/ that belong to an incident */
    size_t offer_end;           /* no item from here on may be taken */
    bool unranked;              /* the worst may be others than those that are marked */
    unsigned ranked;            /* so many of each label and service were marked at most */
    struct labels labels;
};

void index_init(struct index *ix);
void index_done(struct index *ix);

/* Makes sure that `more` items can be added without allocating memory. 0 or -ENOMEM. */
int index_reserve(struct index *ix, size_t more);

/* Adds an item at its place in the order, and returns the place. Room must have been reserved.
 * Takes `key`, which must not be in the index yet with the same `pending`. */
size_t index_add(struct index *ix, char *key, usec time, uint64_t bytes, bool pending);

/* index_append adds an item at the end, in any order; index_sort must follow the last one. Takes
 * `key` also on an error. 0 or -ENOMEM. */
int index_append(struct index *ix, char *key, usec time, uint64_t bytes, bool pending);
int index_sort(struct index *ix);

/* The place of the first item that is not older than this time. */
size_t index_at_time(const struct index *ix, usec time);

/* The place of the first item that does not come before this key, whichever directory it is in. */
size_t index_at_key(const struct index *ix, const char *key, usec time);

/* True, and its place in *ret, if the key is there. */
bool index_find(const struct index *ix, const char *key, usec time, bool pending, size_t *ret);

void index_remove(struct index *ix, size_t i);

/* Finds the newest item of pending/ that may be taken, not busy, not put off, not aside: one of an
 * incident, if there is any. */
bool index_newest_offer(struct index *ix, size_t *ret);

/* To be called when item i may now be taken, but could not before; index_offer_all: when any item
 * may. */
void index_offer(struct index *ix, size_t i);
void index_offer_all(struct index *ix);

/* Marks item i of pending/ as archived; its place stays the same. */
void index_archive(struct index *ix, size_t i);

/* Sets how many bytes item i takes on the disk. */
void index_resize(struct index *ix, size_t i, uint64_t bytes);

/* Set what is known of item i: the bytes of its trace; what its record says, see record.h. */
void index_set_size(struct index *ix, size_t i, uint64_t size);
void index_annotate(struct index *ix, size_t i, const struct record_annotation *found);

/* The items, oldest first; NULL when there are none. */
struct retention_item *index_items(const struct index *ix);

/* Marks the worst traces (retention_rank), if anything has changed about them. 0 or -ENOMEM. */
int index_rank(struct index *ix, unsigned keep_worst);

/* The key of item i, borrowed until the item is removed. It stays valid when other items move. */
const char *index_key(const struct index *ix, size_t i);

#endif
