/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "lib/spool/scan.h"
#include "lib/spool/state.h"

#define REST_DOUBLED 7 /* times: by then it is more than the most */

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

usec spool_rest(unsigned failures)
{
    usec rest = REST_FIRST << (failures < REST_DOUBLED ? failures : REST_DOUBLED);

    return rest < REST_MOST ? rest : REST_MOST;
}

static usec now(const struct spool *s, clockid_t clock)
{
    uint64_t t = 0;

    (void)sd_event_now(s->event, clock, &t); /* fails only for clocks it does not know */
    return t;
}

usec spool_now_boot(const struct spool *s)
{
    return now(s, CLOCK_BOOTTIME);
}

/*
 * The time by which traces come of age. The wall clock may jump years ahead, while we run or before
 * we start, and must not take the whole history with it. So age advances at most as boot time does,
 * from the newest trace that was found at the start: no start expires what was kept at the end of
 * the run before, except for the time that has since been seen to pass. A machine that was off for
 * a week keeps its traces that much longer; the other bounds still hold. A clock that runs behind
 * is simply believed.
 */
usec spool_age_now(const struct spool *s)
{
    usec real = now(s, CLOCK_REALTIME), boot = spool_now_boot(s);
    usec bound = s->base_real + (boot > s->base_boot ? boot - s->base_boot : 0);

    return real < bound ? real : bound;
}

static void age_begin(struct spool *s)
{
    s->base_boot = spool_now_boot(s);
    s->base_real = now(s, CLOCK_REALTIME);
    if (s->kept.n > 0)
        s->base_real = index_items(&s->kept)[s->kept.n - 1].time;
}

void spool_wake(struct spool *s)
{
    if (s->wake)
        (void)sd_event_source_set_enabled(s->wake, SD_EVENT_ONESHOT);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    (void)source;
    reservation_advance(userdata);
    return 0;
}

static int on_expiry(sd_event_source *source, uint64_t usec_now, void *userdata)
{
    (void)source;
    (void)usec_now;
    reservation_advance(userdata);
    return 0;
}

/* The oldest trace that age may take, or NULL. */
static const struct retention_item *next_to_expire(const struct spool *s)
{
    const struct retention_item *items = index_items(&s->kept);

    for (size_t i = 0; i < s->kept.n; i++) {
        if (!items[i].pending && !items[i].busy && !items[i].failed)
            return &items[i];
    }
    return NULL;
}

/* Nothing else wakes an idle spool. */
void spool_arm_expiry(struct spool *s)
{
    const struct retention_item *item = s->limits.max_age > 0 ? next_to_expire(s) : NULL;
    usec boot = spool_now_boot(s), age = spool_age_now(s), due = USEC_NEVER;

    if (!s->expiry)
        return;
    if (item && s->limits.max_age < USEC_NEVER / 4) {
        usec end = item->time + s->limits.max_age + USEC_PER_SEC;

        due = boot + (end > age ? end - age : 0);
    }
    /* Overdue here is what could not even be tried: no hurry. */
    if (due < boot + USEC_PER_MIN)
        due = boot + USEC_PER_MIN;
    if (s->failed_items > 0 && s->failed_retry < due)
        due = s->failed_retry;
    if (s->stuck > 0 && s->stuck_retry < due)
        due = s->stuck_retry;
    if (due != USEC_NEVER)
        (void)sd_event_source_set_time(s->expiry, due);
    (void)sd_event_source_set_enabled(s->expiry,
                                      due == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void spool_will_expire(struct spool *s, usec time)
{
    usec boot = spool_now_boot(s), age = spool_age_now(s), due = boot + USEC_PER_MIN;
    usec end = time + s->limits.max_age + USEC_PER_SEC;
    int enabled = SD_EVENT_OFF;
    uint64_t armed = 0;

    if (!s->expiry || s->limits.max_age == 0 || s->limits.max_age >= USEC_NEVER / 4)
        return;
    if (end > age + USEC_PER_MIN)
        due = boot + (end - age);
    (void)sd_event_source_get_enabled(s->expiry, &enabled);
    (void)sd_event_source_get_time(s->expiry, &armed);
    if (enabled != SD_EVENT_OFF && armed <= due)
        return;
    (void)sd_event_source_set_time(s->expiry, due);
    (void)sd_event_source_set_enabled(s->expiry, SD_EVENT_ONESHOT);
}

bool spool_find(const struct spool *s, const char *key, size_t *ret)
{
    struct name name;

    return name_parse(key, &name) >= 0 && (index_find(&s->kept, key, name.time, false, ret) ||
                                           index_find(&s->kept, key, name.time, true, ret));
}

void spool_submit(struct spool *s, struct disk_job *job)
{
    s->jobs++;
    disk_submit(s->disk, job);
}

static void destroy(struct spool *s)
{
    while (s->files)
        file_free(s->files);
    pass_free(s->pass);
    (void)sd_event_source_disable_unref(s->wake);
    (void)sd_event_source_disable_unref(s->expiry);
    queue_stop(s);
    archiving_stop(s);
    amending_stop(s);
    kept_stop(s);
    index_done(&s->kept);
    if (s->tree.path)
        tree_close(&s->tree);
    (void)sd_event_unref(s->event);
    free(s);
}

void spool_job_ended(struct spool *s)
{
    assert(s->jobs > 0);
    s->jobs--;
    if (s->closing && s->jobs == 0)
        destroy(s);
}

static int add_sources(struct spool *s)
{
    int r;

    r = sd_event_add_defer(s->event, &s->wake, on_wake, s);
    if (r < 0)
        return r;
    r = sd_event_add_time(s->event, &s->expiry, CLOCK_BOOTTIME, 0, USEC_PER_MIN, on_expiry, s);
    if (r >= 0)
        r = archiving_start(s);
    if (r >= 0)
        r = queue_start(s);
    return r < 0 ? r : amending_start(s);
}

static int scan(struct spool *s)
{
    struct scan found;
    int r;

    r = scan_run(&s->tree, &s->kept, &found);
    if (r < 0)
        log_write(LOG_LEVEL_ERROR, &storage, "cannot see what is in %s: %s", s->tree.path,
                  strerror(-r));
    else
        scan_log(&found, &s->tree, &s->kept);
    return r;
}

int spool_prepare(const char *path)
{
    return tree_make(path);
}

int spool_new(sd_event *event, struct disk *disk, const char *path,
              const struct retention_limits *limits, bool upload, struct spool **ret)
{
    struct spool *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->event = sd_event_ref(event);
    s->disk = disk;
    s->limits = *limits;
    s->upload = upload;
    s->waiting_end = &s->waiting;
    index_init(&s->kept);
    r = tree_open(&s->tree, path);
    if (r >= 0)
        r = scan(s);
    if (r >= 0)
        r = add_sources(s);
    if (r < 0) {
        destroy(s);
        return r;
    }
    age_begin(s);
    spool_wake(s); /* the limits may have been lowered since */
    *ret = s;
    return 0;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    s->closing = true;
    s->wake = sd_event_source_disable_unref(s->wake);
    s->expiry = sd_event_source_disable_unref(s->expiry);
    queue_stop(s);
    archiving_stop(s);
    amending_stop(s);
    kept_stop(s);
    if (s->jobs == 0)
        destroy(s);
}

void spool_set_upload(struct spool *s, bool upload)
{
    s->upload = upload;
}

void spool_set_limits(struct spool *s, const struct retention_limits *limits)
{
    s->limits = *limits;
    spool_wake(s);
}

/* Of those in pending/, or of the others; 0: there is none. */
static usec oldest(const struct spool *s, bool pending)
{
    const struct retention_item *items = index_items(&s->kept);

    for (size_t i = 0; i < s->kept.n && s->kept.sums[pending].files > 0; i++) {
        if (items[i].pending == pending)
            return items[i].time;
    }
    return 0;
}

void spool_stats(const struct spool *s, struct spool_stats *ret)
{
    const struct retention_item *items = index_items(&s->kept);

    *ret = (struct spool_stats){
        .archive_files = s->kept.sums[false].files,
        .archive_bytes = s->kept.sums[false].bytes,
        .pending_files = s->kept.sums[true].files,
        .pending_bytes = s->kept.sums[true].bytes,
        .aside_files = s->kept.aside,
        .reserved_bytes = s->reserved_bytes,
        .dropped_unsent = s->dropped_unsent,
    };
    memcpy(ret->deleted, s->deleted, sizeof(ret->deleted));
    if (s->kept.n > 0) {
        ret->oldest = items[0].time;
        ret->newest = items[s->kept.n - 1].time;
    }
    ret->oldest_archive = oldest(s, false);
    ret->oldest_pending = oldest(s, true);
}

int spool_space(const struct spool *s, struct space *ret)
{
    return space_read(s->tree.root, ret);
}

bool spool_busy(const struct spool *s)
{
    return s->jobs > 0 || s->waiting || s->pass;
}
