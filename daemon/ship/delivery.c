/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ship/delivery.h"

#include <stdio.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"

#define RECORD_TYPE "application/json"

_Static_assert(SPOOL_RECORD_MAX <= HTTP_BODY_MAX, "a record is sent out of memory");

static void end(struct delivery *d, const struct store_result *result)
{
    d->call = NULL;
    d->done(d, result);
}

static void end_local(struct delivery *d, const char *what, int r)
{
    struct store_result result = {.end = STORE_LOCAL};

    (void)snprintf(result.text, sizeof(result.text), "%s: %s", what, strerror(-r));
    end(d, &result);
}

static void on_record(void *userdata, const struct store_result *result)
{
    end(userdata, result);
}

static int put_record(struct delivery *d)
{
    const struct buf *record = spool_item_record(d->item);
    int r = filehash_memory(buf_str(record), record->len, d->record_sha256);

    if (r < 0)
        return r;
    memcpy(d->record_meta, d->meta.items, METADATA_COMMON * sizeof(d->record_meta[0]));
    d->record_meta[METADATA_COMMON] = (struct store_meta){"sha256", d->record_sha256};
    d->object = (struct store_object){
        .key = name_record_key(spool_item_key(d->item), d->record_key),
        .data = buf_str(record),
        .fd = -1,
        .size = record->len,
        .sha256 = d->record_sha256,
        .content_type = RECORD_TYPE,
        .meta = d->record_meta,
        .n_meta = METADATA_COMMON + 1,
    };
    return store_put(d->store, &d->object, on_record, d, &d->call);
}

static void on_trace(void *userdata, const struct store_result *result)
{
    struct delivery *d = userdata;
    int r;

    d->call = NULL;
    if (result->end != STORE_DONE || !spool_item_record(d->item)) {
        end(d, result);
        return;
    }
    r = put_record(d);
    if (r < 0)
        end_local(d, "the record cannot be sent", r);
}

/* The content type of the key's artifact; plain bytes if this contraced does not capture the
 * kind. */
static const char *content_type_of(const char *key)
{
    const struct artifact *a = artifacts_of_kind(name_kind(key));

    return a ? a->content_type : "application/octet-stream";
}

static int put_trace(struct delivery *d)
{
    d->object = (struct store_object){
        .key = spool_item_key(d->item),
        .fd = spool_item_fd(d->item),
        .size = d->size,
        .sha256 = d->meta.sha256,
        .content_type = content_type_of(spool_item_key(d->item)),
        .meta = d->meta.items,
        .n_meta = d->meta.n,
    };
    return store_put(d->store, &d->object, on_trace, d, &d->call);
}

static void on_hashed(void *userdata, int r, const char *sha256)
{
    struct delivery *d = userdata;

    d->hashing = NULL;
    if (r >= 0) {
        metadata_set_sha256(&d->meta, sha256);
        r = put_trace(d);
    }
    if (r < 0)
        end_local(d, "the trace cannot be read for its hash", r);
}

int delivery_start(struct delivery *d, struct store *store, struct disk *disk,
                   struct spool_item *item, delivery_done_fn done)
{
    int r;

    d->item = item;
    d->size = spool_item_size(item);
    d->store = store;
    d->call = NULL;
    d->done = done;
    d->hashing = NULL;
    r = metadata_init(&d->meta, spool_item_key(item), spool_item_record(item));
    if (r < 0)
        return r;
    if (d->meta.sha256[0] != '\0')
        return put_trace(d);
    return filehash_start(disk, spool_item_fd(item), d->size, on_hashed, d, &d->hashing);
}

void delivery_stop(struct delivery *d)
{
    filehash_cancel(d->hashing);
    d->hashing = NULL;
    store_cancel(d->call);
    d->call = NULL;
}
