/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_TYPE "application/octet-stream"
#define RECORD_TYPE "application/json"

struct hashing {
    struct disk_job job;
    struct delivery *delivery;
    int fd;
    uint64_t size;
    atomic_bool stop;
    char sha256[STORE_SHA256_SIZE];
};

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
    int r = metadata_hash(buf_str(record), record->len, d->record_sha256);

    if (r < 0)
        return r;
    d->object = (struct store_object){
        .key = name_record_key(spool_item_key(d->item), d->record_key),
        .data = buf_str(record),
        .fd = -1,
        .size = record->len,
        .sha256 = d->record_sha256,
        .content_type = RECORD_TYPE,
        .meta = d->meta.items,
        .n_meta = d->meta.n < METADATA_COMMON ? d->meta.n : METADATA_COMMON,
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

static int put_trace(struct delivery *d)
{
    d->object = (struct store_object){
        .key = spool_item_key(d->item),
        .fd = spool_item_fd(d->item),
        .size = d->size,
        .sha256 = d->meta.sha256,
        .content_type = TRACE_TYPE,
        .meta = d->meta.items,
        .n_meta = d->meta.n,
    };
    return store_put(d->store, &d->object, on_trace, d, &d->call);
}

static int run_hash(struct disk_job *job)
{
    struct hashing *h = (struct hashing *)job;

    return metadata_hash_file(h->fd, h->size, &h->stop, h->sha256);
}

static void on_hashed(struct disk_job *job, int r)
{
    struct hashing *h = (struct hashing *)job;
    struct delivery *d = h->delivery;

    d->hashing = NULL;
    if (r >= 0) {
        metadata_set_sha256(&d->meta, h->sha256);
        r = atomic_load(&h->stop) ? -ECANCELED : 0;
    }
    free(h);
    if (r >= 0)
        r = put_trace(d);
    if (r < 0)
        end_local(d, "the trace cannot be read for its hash", r);
}

static int start_hash(struct delivery *d, struct disk *disk)
{
    struct hashing *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->job = (struct disk_job){.run = run_hash, .done = on_hashed};
    h->delivery = d;
    h->fd = spool_item_fd(d->item);
    h->size = d->size;
    d->hashing = h;
    disk_submit(disk, &h->job);
    return 0;
}

int delivery_start(struct delivery *d, struct store *store, struct disk *disk,
                   struct spool_item *item, delivery_done_fn done)
{
    d->item = item;
    d->size = spool_item_size(item);
    d->store = store;
    d->call = NULL;
    d->done = done;
    d->hashing = NULL;
    metadata_init(&d->meta, spool_item_key(item), spool_item_record(item));
    return d->meta.sha256[0] != '\0' ? put_trace(d) : start_hash(d, disk);
}

bool delivery_stop(struct delivery *d)
{
    if (d->hashing) {
        atomic_store(&d->hashing->stop, true);
        return false;
    }
    store_cancel(d->call);
    d->call = NULL;
    return true;
}
