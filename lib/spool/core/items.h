/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kept traces, and whether each is in use. An item is known by its place in the index, which is
 * valid until the index changes. It is busy while the uploader or a disk thread has it; nobody else
 * touches it then.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/disk/amendment.h"
#include "lib/spool/core/index.h"
#include "lib/spool/core/recent.h"
#include "lib/spool/core/reserved.h"

/* Bytes that are counted, beside trace and record, for a trace whose record will be amended. In a
 * file's reservation RESERVED_RECORD has room for this. */
#define ITEMS_AMEND_ROOM AMENDMENT_RECORD_MAX

/* An item has become idle. The function must not change the index. */
typedef void (*items_idle_fn)(void *userdata);

struct items {
    struct index index;
    struct recent recent; /* keys that are no longer here but may be in the store */
    struct core *core;
    const struct reserved *reserved;
    items_idle_fn idle; /* the only call into the layers above */
    void *userdata;
};

void items_init(struct items *s, struct core *core, const struct reserved *reserved);
void items_done(struct items *s);
void items_set_idle_fn(struct items *s, items_idle_fn fn, void *userdata);

struct retention_item *items_at(const struct items *s, size_t at);

/* Finds the place of a key, whichever directory it is in. */
bool items_find(const struct items *s, const char *key, size_t *ret);

/* Bytes of all items on the disk. */
uint64_t items_bytes(const struct items *s);

/* Marks the item as idle. */
void items_idle(struct items *s, size_t at);

/* Removes an item that is no longer on the disk. */
void items_drop(struct items *s, size_t at);

/* items_hold begins to count room for a longer record of the item, items_unhold ends that. */
void items_hold(struct items *s, size_t at);
void items_unhold(struct items *s, size_t at);
