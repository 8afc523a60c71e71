/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "lib/spool/scan.h"
#include "lib/spool/spool_state.h"

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

/* Called when something may have become possible: room became free, limits changed or a time has
 * come. */
static void advance(void *userdata)
{
    struct spool *s = userdata;

    files_retry_stuck(&s->files, false);
    reservation_advance(&s->reservations);
    expiry_arm(&s->expiry);
}

static int on_expiry(sd_event_source *source, uint64_t usec_now, void *userdata)
{
    (void)source;
    (void)usec_now;
    advance(userdata);
    return 0;
}

static void on_idle(void *userdata)
{
    struct spool *s = userdata;

    amending_kick(&s->amending);
}

static void stop(struct spool *s)
{
    expiry_stop(&s->expiry);
    queue_stop(&s->queue);
    archiving_stop(&s->archiving);
    amending_stop(&s->amending);
    kept_stop(&s->kept);
    reread_stop(&s->reread);
}

/* Called when nothing is on the disk threads any more. */
static void destroy(void *userdata)
{
    struct spool *s = userdata;

    stop(s);
    files_done(&s->files);
    pass_done(&s->pass);
    items_done(&s->items);
    core_done(&s->core);
    free(s);
}

static int scan(struct spool *s)
{
    const struct tree *tree = &s->core.tree;
    struct index *ix = &s->items.index;
    struct scan found;
    int r;

    r = scan_run(tree, ix, &found);
    if (r < 0)
        log_write(LOG_LEVEL_ERROR, &storage, "cannot see what is in %s: %s", tree->path,
                  strerror(-r));
    else
        scan_log(&found, tree, ix);
    return r;
}

/* Gives each layer the layers below it. */
static void connect_layers(struct spool *s, const struct retention_limits *limits, bool upload)
{
    reserved_init(&s->reserved);
    items_init(&s->items, &s->core, &s->reserved);
    items_set_idle_fn(&s->items, on_idle, s);
    s->facts = (struct facts){&s->core, &s->items, &s->reserved, *limits};
    pass_init(&s->pass, &s->core, &s->items, &s->facts, &s->expiry, &s->queue);
    reservation_init(&s->reservations, &s->core, &s->items, &s->facts, &s->pass, &s->reserved);
    files_init(&s->files, &s->core, &s->items, &s->reservations, &s->queue, &s->expiry);
    s->files.upload = upload;
    s->pending = (struct pending){&s->items, &s->queue, &s->archiving};
    s->kept = (struct kept){.core = &s->core, .items = &s->items};
    s->reread = (struct reread){.core = &s->core, .items = &s->items};
}

/* Starts the layers that have sources on the event loop. */
static int start_layers(struct spool *s)
{
    int r = core_start(&s->core, advance, destroy, s);

    if (r >= 0)
        r = expiry_start(&s->expiry, &s->core, &s->facts, on_expiry, s);
    if (r >= 0)
        r = queue_start(&s->queue, &s->core, &s->items);
    if (r >= 0)
        r = archiving_start(&s->archiving, &s->core, &s->items, &s->queue, &s->expiry);
    if (r >= 0)
        r = amending_start(&s->amending, &s->core, &s->items, &s->queue);
    return r < 0 ? r : reread_begin(&s->reread);
}

int spool_prepare(const char *path)
{
    return tree_make(path);
}

int spool_new(sd_event *event, struct disk *disk, const char *path,
              const struct retention_limits *limits, bool upload, struct spool **ret)
{
    struct spool *s = calloc(1, sizeof(*s));
    const struct retention_item *newest;
    int r;

    if (!s)
        return -ENOMEM;
    connect_layers(s, limits, upload);
    r = core_init(&s->core, event, disk, path);
    if (r >= 0)
        r = scan(s);
    if (r >= 0)
        r = start_layers(s);
    if (r < 0) {
        destroy(s);
        return r;
    }
    newest = s->items.index.n > 0 ? items_at(&s->items, s->items.index.n - 1) : NULL;
    core_age_begin(&s->core, newest ? newest->time : 0);
    core_wake(&s->core); /* the limits may have been lowered since the last run */
    *ret = s;
    return 0;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    /* When the last job ends, `destroy` frees the spool. This is the last unless others run. */
    core_job_begins(&s->core);
    core_close(&s->core);
    stop(s);
    core_job_ended(&s->core);
}

void spool_set_upload(struct spool *s, bool upload)
{
    s->files.upload = upload;
}

void spool_set_limits(struct spool *s, const struct retention_limits *limits)
{
    s->facts.limits = *limits;
    core_wake(&s->core);
}

int spool_file_new(struct spool *s, uint64_t room, spool_room_fn fn, void *userdata,
                   struct spool_file **ret)
{
    return files_new(&s->files, room, fn, userdata, ret);
}

bool spool_refusing(const struct spool *s)
{
    return reservation_refusing(&s->reservations);
}

void spool_found_full(struct spool *s)
{
    reservation_found_full(&s->reservations);
}

void spool_set_hold_fn(struct spool *s, spool_hold_fn fn, void *userdata)
{
    files_set_hold_fn(&s->files, fn, userdata);
}

void spool_set_final_fn(struct spool *s, spool_final_fn fn, void *userdata)
{
    queue_set_final_fn(&s->queue, fn, userdata);
}

void spool_release(struct spool *s, const char *key)
{
    size_t at;

    if (items_find(&s->items, key, &at))
        queue_release(&s->queue, at);
}

int spool_amend(struct spool *s, const char *key, const struct record_amendment *what,
                spool_amended_fn fn, void *userdata)
{
    return amending_add(&s->amending, key, what, fn, userdata);
}

int spool_open(const struct spool *s, const char *key, int *ret_fd)
{
    return kept_open(&s->kept, key, ret_fd);
}

int spool_scratch(const struct spool *s, int *ret_fd)
{
    int fd;

    if (spool_refusing(s))
        return -ENOSPC;
    fd = openat(s->core.tree.incoming, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EOPNOTSUPP) /* such as NFS */
        fd = memfd_create("view", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int spool_open_record(const struct spool *s, const char *key, int *ret_fd)
{
    return kept_open_record(&s->kept, key, ret_fd);
}

int spool_list(struct spool *s, const struct spool_query *query, spool_listed_fn fn, void *userdata,
               struct spool_list **ret)
{
    return kept_list(&s->kept, query, fn, userdata, ret);
}

void spool_set_pending_fn(struct spool *s, spool_pending_fn fn, void *userdata)
{
    queue_set_fn(&s->queue, fn, userdata);
}

int spool_take(struct spool *s, struct spool_item **ret)
{
    return pending_take(&s->pending, ret);
}

void spool_offer_again(struct spool *s)
{
    queue_offer_again(&s->queue);
}

void spool_offer_put_off(struct spool *s)
{
    queue_offer_put_off(&s->queue);
}

void spool_offer_key(struct spool *s, const char *key)
{
    queue_offer_key(&s->queue, key);
}

usec spool_next_offer(struct spool *s)
{
    return queue_next_offer(&s->queue);
}

bool spool_pending_since(const struct spool *s, usec time)
{
    return queue_holds_since(&s->queue, time);
}

/* Time of the oldest trace in pending/, or of the oldest in archive/; 0: there is none. */
static usec oldest(const struct index *ix, bool pending)
{
    const struct retention_item *items = index_items(ix);

    for (size_t i = 0; i < ix->n && ix->sums[pending].files > 0; i++) {
        if (items[i].pending == pending)
            return items[i].time;
    }
    return 0;
}

void spool_stats(const struct spool *s, struct spool_stats *ret)
{
    const struct index *ix = &s->items.index;
    const struct retention_item *items = index_items(ix);

    *ret = (struct spool_stats){
        .archive_files = ix->sums[false].files,
        .archive_bytes = ix->sums[false].bytes,
        .pending_files = ix->sums[true].files,
        .pending_bytes = ix->sums[true].bytes,
        .aside_files = ix->aside,
        .reserved_bytes = s->reserved.bytes,
        .dropped_unsent = s->pass.dropped_unsent,
        .oldest_archive = oldest(ix, false),
        .oldest_pending = oldest(ix, true),
    };
    memcpy(ret->deleted, s->pass.deleted, sizeof(ret->deleted));
    if (ix->n > 0) {
        ret->oldest = items[0].time;
        ret->newest = items[ix->n - 1].time;
    }
}

int spool_space(const struct spool *s, struct space *ret)
{
    return space_read(s->core.tree.root, ret);
}

bool spool_busy(const struct spool *s)
{
    return s->core.jobs > 0 || s->reserved.waiting || pass_running(&s->pass);
}
