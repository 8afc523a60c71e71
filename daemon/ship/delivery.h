/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Delivers one trace to the store: computes its hash if the record has none, uploads the trace,
 * then its record. It does not decide when or how often to try; its owner archives the item or
 * returns it to the spool.
 */

#include "base/disk.h"
#include "base/filehash.h"
#include "daemon/ship/metadata.h"
#include "lib/spool/spool.h"
#include "lib/store/interface/store.h"

struct delivery;

/*
 * Called once, from the event loop, never from inside delivery_start. STORE_DONE: the store has
 * confirmed both objects. After any other end, the trace may be in the store without its record.
 * The result is valid during the call; the delivery may be freed in it.
 */
typedef void (*delivery_done_fn)(struct delivery *d, const struct store_result *result);

/* To be embedded in the owner's struct. The owner may read the first two members; the others are
 * private. */
struct delivery {
    struct spool_item *item;
    uint64_t size; /* of the trace */

    struct store *store;
    struct store_call *call;
    delivery_done_fn done;
    struct metadata meta;
    struct store_object object; /* being uploaded */
    char record_key[NAME_KEY_MAX];
    char record_sha256[STORE_SHA256_SIZE];
    struct store_meta record_meta[METADATA_COMMON + 1];
    struct filehash *hashing; /* NULL: not hashing */
};

/* Store, disk and item are borrowed until the end. 0; or a negative errno such as -ENOMEM or
 * -EMFILE, and nothing has begun. */
int delivery_start(struct delivery *d, struct store *store, struct disk *disk,
                   struct spool_item *item, delivery_done_fn done);

/* Ends the delivery; `done` is not called. */
void delivery_stop(struct delivery *d);
