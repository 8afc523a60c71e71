/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept, and who has it in hand. An item is a place in the index, valid until the index
 * changes. It is busy while the uploader or a disk thread has it; nobody else touches it then.
 */

#include "lib/spool/core/core.h"
#include "lib/spool/disk/amendment.h"
#include "lib/spool/core/index.h"
#include "lib/spool/core/recent.h"
#include "lib/spool/core/reserved.h"

/* What a trace whose record is going to be amended takes beside itself and that record. A file's
 * reservation is always that much more than what it was needed for. */
#define ITEMS_AMEND_ROOM AMENDMENT_RECORD_MAX

/* An item is in nobody's hands any more. The index must not change from inside the call. */
typedef void (*items_idle_fn)(void *userdata);

struct items {
    struct index index;
    struct recent recent; /* keys that the store has and nothing here tells of */
    struct core *core;
    const struct reserved *reserved;
    items_idle_fn idle; /* the one way upwards */
    void *userdata;
};

void items_init(struct items *s, struct core *core, const struct reserved *reserved);
void items_done(struct items *s);
void items_set_idle_fn(struct items *s, items_idle_fn fn, void *userdata);

struct retention_item *items_at(const struct items *s, size_t at);

/* Where the key is, in either directory. */
bool items_find(const struct items *s, const char *key, size_t *ret);

/* Bytes on the disk, of all. */
uint64_t items_bytes(const struct items *s);

/* It is in nobody's hands any more. */
void items_idle(struct items *s, size_t at);

/* It is no longer there. */
void items_drop(struct items *s, size_t at);

/* Room for a longer record is counted for it, or is not any more. */
void items_hold(struct items *s, size_t at);
void items_unhold(struct items *s, size_t at);
