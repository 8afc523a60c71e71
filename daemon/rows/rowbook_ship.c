/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Uploads the files of ready/, one at a time, while the uploader has nothing else to do, and removes
 * each when the store has confirmed it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/random.h"
#include "daemon/rows/rowbook_state.h"

#define CONTENT_TYPE "application/gzip"
#define ACCURACY USEC_PER_SEC

static const struct backoff pauses = {.base = USEC_PER_MIN, .cap = 30 * USEC_PER_MIN};

static void end(struct rowbook *b)
{
    b->fd = close_fd(b->fd);
    b->sending = false;
}

/* Tries again later; while contraced stops, at the next start. */
static void fail(struct rowbook *b, const char *why, usec retry_after)
{
    usec wait;

    end(b);
    b->gave_up = b->finishing;
    if (b->failures++ == 0)
        log_warn("rows cannot be uploaded: %s; they wait in storage.path/rows, and are tried again",
                 why);
    wait = backoff_wait(&pauses, b->failures - 1, retry_after, random_next(&b->random));
    (void)sd_event_source_set_time_relative(b->retry, wait);
    (void)sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT);
}

static void on_put(void *userdata, const struct store_result *result)
{
    struct rowbook *b = userdata;

    if (result->end != STORE_DONE) {
        fail(b, result->text, result->retry_after);
        b->up->step(b);
        return;
    }
    if (b->failures > 0)
        log_info("rows are uploaded again");
    b->failures = 0;
    log_debug("uploaded %s", b->key);
    end(b);
    b->remove = true;
    b->up->step(b);
}

static void on_hashed(void *userdata, int r, const char *sha256)
{
    struct rowbook *b = userdata;

    b->hashing = NULL;
    if (r >= 0) {
        memcpy(b->sha256, sha256, sizeof(b->sha256));
        b->meta = (struct store_meta){"sha256", b->sha256};
        b->object = (struct store_object){
            .key = b->key,
            .fd = b->fd,
            .size = b->size,
            .sha256 = b->sha256,
            .content_type = CONTENT_TYPE,
            .meta = &b->meta,
            .n_meta = 1,
        };
        r = uploader_put(b->uploader, &b->object, on_put, b);
    }
    if (r == -EAGAIN)
        end(b); /* a trace goes first */
    else if (r < 0)
        fail(b, strerror(-r), 0);
}

void rowbook_ship_next(struct rowbook *b, struct rowbook_job *j, int r)
{
    if (r == -ENOENT)
        b->waiting = false;
    if (r < 0 || b->cut)
        return;
    b->fd = steal_fd(&j->fd);
    b->size = j->size;
    memcpy(b->name, j->name, sizeof(b->name));
    b->sending = true;
    r = rowfile_key(b->name, b->key);
    if (r >= 0)
        r = filehash_start(b->disk, b->fd, b->size, on_hashed, b, &b->hashing);
    if (r < 0)
        fail(b, strerror(-r), 0);
}

static bool pauses_now(const struct rowbook *b)
{
    int enabled = SD_EVENT_OFF;

    (void)sd_event_source_get_enabled(b->retry, &enabled);
    return enabled != SD_EVENT_OFF;
}

/* Without memory for it, the file is uploaded once more, which changes nothing. */
static void remove_sent(struct rowbook *b)
{
    struct rowbook_job *j = rowbook_job_new(b, ROWBOOK_REMOVE);

    b->remove = false;
    if (!j)
        return;
    memcpy(j->name, b->name, sizeof(j->name));
    rowbook_job_submit(b, j);
}

void rowbook_ship(struct rowbook *b)
{
    struct rowbook_job *j;

    if (b->remove) {
        remove_sent(b);
        return;
    }
    if (!b->enabled || !b->waiting || b->sending || b->cut || b->gave_up || pauses_now(b) ||
        !uploader_spare(b->uploader))
        return;
    j = rowbook_job_new(b, ROWBOOK_NEXT);
    if (j)
        rowbook_job_submit(b, j);
    else
        fail(b, strerror(ENOMEM), 0);
}

static int on_retry(sd_event_source *source, uint64_t now, void *userdata)
{
    struct rowbook *b = userdata;

    (void)source;
    (void)now;
    b->up->step(b);
    return 0;
}

int rowbook_ship_new(struct rowbook *b)
{
    int r = sd_event_add_time(b->event, &b->retry, CLOCK_BOOTTIME, 0, ACCURACY, on_retry, b);

    return r < 0 ? r : sd_event_source_set_enabled(b->retry, SD_EVENT_OFF);
}

void rowbook_ship_stop(struct rowbook *b)
{
    filehash_cancel(b->hashing);
    b->hashing = NULL;
    uploader_put_cancel(b->uploader);
    end(b);
}
