/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One trace on its way to the store: its hash where the record does not tell it, the trace, then
 * its record. It knows nothing of when or how often; its owner settles the item or gives it back.
 */

#include "base/disk.h"
#include "base/filehash.h"
#include "daemon/ship/metadata.h"
#include "lib/spool/spool.h"
#include "lib/store/interface/store.h"

struct delivery;

/*
 * Called once, from the event loop, never from inside delivery_start. STORE_DONE: both objects are
 * confirmed. Anything else may have left the trace in the store without its record. The result is
 * valid during the call, in which the delivery may be freed.
 */
typedef void (*delivery_done_fn)(struct delivery *d, const struct store_result *result);

/* Embedded in the owner's own; its members are nobody else's but for the first two. */
struct delivery {
    struct spool_item *item;
    uint64_t size; /* of the trace */

    struct store *store;
    struct store_call *call;
    delivery_done_fn done;
    struct metadata meta;
    struct store_object object; /* being put */
    char record_key[NAME_KEY_MAX];
    char record_sha256[STORE_SHA256_SIZE];
    struct store_meta record_meta[METADATA_COMMON + 1];
    struct filehash *hashing; /* NULL: none under way */
};

/* Takes nothing: store, disk and item are borrowed until the end. 0; or -ENOMEM or -EMFILE, and
 * nothing has begun. */
int delivery_start(struct delivery *d, struct store *store, struct disk *disk,
                   struct spool_item *item, delivery_done_fn done);

/* Ends it without a word. */
void delivery_stop(struct delivery *d);
