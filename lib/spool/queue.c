/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What of pending/ is on offer, and since when: what failed rests for a while or until it is asked
 * for again, and whoever uploads is told when there is something to take.
 */

#include <time.h>

#include "lib/spool/state.h"

void queue_kick(struct spool *s)
{
    if (s->pending_wake)
        (void)sd_event_source_set_enabled(s->pending_wake, SD_EVENT_ONESHOT);
}

void queue_now(struct spool *s, size_t i)
{
    index_offer(&s->kept, i);
    queue_kick(s);
}

static int on_pending_wake(sd_event_source *source, void *userdata)
{
    struct spool *s = userdata;

    (void)source;
    if (s->pending_fn && s->kept.sums[true].files > 0)
        s->pending_fn(s->pending_userdata);
    return 0;
}

/* Not offered because its record is still to be amended; nothing has gone wrong with it. */
static bool waits_for_record(const struct retention_item *item)
{
    return item->put_off && item->held && item->failures == 0;
}

/* The timer follows what is offered again first. */
static void arm_retry(struct spool *s, usec next)
{
    s->put_off_next = next;
    if (!s->pending_retry)
        return;
    if (next != USEC_NEVER)
        (void)sd_event_source_set_time(s->pending_retry, next);
    (void)sd_event_source_set_enabled(s->pending_retry,
                                      next == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void queue_due(struct spool *s, usec now)
{
    struct retention_item *items = index_items(&s->kept);
    usec next = USEC_NEVER;
    bool offered = false;

    if (now < s->put_off_next)
        return;
    for (size_t i = 0; i < s->kept.n; i++) {
        usec due = items[i].offer_at * USEC_PER_SEC;

        if (!items[i].put_off)
            continue;
        /* A store that works again is no reason not to wait for a record. */
        if (due > (waits_for_record(&items[i]) ? spool_now_boot(s) : now)) {
            next = due < next ? due : next;
            continue;
        }
        items[i].put_off = false;
        index_offer(&s->kept, i);
        offered = true;
    }
    arm_retry(s, next);
    if (offered)
        queue_kick(s);
}

static int on_retry(sd_event_source *source, uint64_t usec_now, void *userdata)
{
    (void)source;
    (void)usec_now;
    queue_due(userdata, spool_now_boot(userdata));
    return 0;
}

int queue_start(struct spool *s)
{
    int r;

    s->put_off_next = USEC_NEVER;
    r = sd_event_add_defer(s->event, &s->pending_wake, on_pending_wake, s);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(s->pending_wake, SD_EVENT_OFF);
    if (r < 0)
        return r;
    r = sd_event_add_time(s->event, &s->pending_retry, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_retry,
                          s);
    return r < 0 ? r : sd_event_source_set_enabled(s->pending_retry, SD_EVENT_OFF);
}

void queue_stop(struct spool *s)
{
    s->pending_wake = sd_event_source_disable_unref(s->pending_wake);
    s->pending_retry = sd_event_source_disable_unref(s->pending_retry);
}

void spool_set_pending_fn(struct spool *s, spool_pending_fn fn, void *userdata)
{
    s->pending_fn = fn;
    s->pending_userdata = userdata;
    queue_kick(s);
}

void spool_offer_again(struct spool *s)
{
    struct retention_item *items = index_items(&s->kept);

    for (size_t i = 0; i < s->kept.n; i++) {
        if (waits_for_record(&items[i]))
            continue;
        items[i].aside = items[i].put_off = items[i].uploaded = false;
        items[i].failures = 0;
    }
    s->kept.aside = 0;
    s->put_off_next = 0;
    queue_due(s, spool_now_boot(s));
    index_offer_all(&s->kept);
    queue_kick(s);
}

void spool_offer_put_off(struct spool *s)
{
    if (s->put_off_next != USEC_NEVER)
        queue_due(s, USEC_NEVER);
}

void spool_offer_key(struct spool *s, const char *key)
{
    struct name name;
    size_t at;

    if (name_parse(key, &name) < 0 || !index_find(&s->kept, key, name.time, true, &at) ||
        !index_items(&s->kept)[at].aside)
        return;
    index_items(&s->kept)[at].aside = false;
    s->kept.aside--;
    queue_now(s, at);
}

usec spool_next_offer(struct spool *s)
{
    size_t at;

    queue_due(s, spool_now_boot(s));
    return index_newest_offer(&s->kept, &at) ? 0 : s->put_off_next;
}

bool spool_pending_since(const struct spool *s, usec time)
{
    const struct retention_item *items = index_items(&s->kept);

    for (size_t i = s->kept.n; i > 0 && items[i - 1].time >= time; i--) {
        if (items[i - 1].pending)
            return true;
    }
    return false;
}

static void count_failure(struct retention_item *item)
{
    if (item->failures < UINT8_MAX)
        item->failures++;
}

static void put_off(struct spool *s, struct retention_item *item, usec wait)
{
    usec due = spool_now_boot(s) + (wait < USEC_PER_DAY ? wait : USEC_PER_DAY);

    item->offer_at = (uint32_t)((due + USEC_PER_SEC - 1) / USEC_PER_SEC);
    due = item->offer_at * USEC_PER_SEC;
    item->put_off = true;
    if (due < s->put_off_next)
        arm_retry(s, due);
}

void queue_later(struct spool *s, size_t i, usec wait)
{
    struct retention_item *item = &index_items(&s->kept)[i];

    put_off(s, item, wait);
    count_failure(item);
}

void spool_hold(struct spool *s, const char *key, usec most)
{
    struct retention_item *item;
    size_t at;

    if (!spool_find(s, key, &at))
        return;
    item = &index_items(&s->kept)[at];
    if (item->held)
        return;
    item->held = true;
    s->kept.held++;
    index_resize(&s->kept, at, item->bytes + STATE_AMEND_ROOM);
    if (item->pending && !item->busy)
        put_off(s, item, most);
}

void queue_release(struct spool *s, size_t at)
{
    struct retention_item *item = &index_items(&s->kept)[at];
    bool waits = waits_for_record(item);

    if (!item->held)
        return;
    item->held = false;
    s->kept.held--;
    index_resize(&s->kept, at, item->bytes - STATE_AMEND_ROOM);
    if (s->waiting)
        spool_wake(s); /* there is room now */
    if (waits) {
        item->put_off = false;
        queue_now(s, at);
    }
}

void spool_release(struct spool *s, const char *key)
{
    size_t at;

    if (spool_find(s, key, &at))
        queue_release(s, at);
}

bool queue_rest(struct spool *s, size_t i)
{
    usec boot = spool_now_boot(s);
    bool say = boot >= s->put_off_quiet;

    queue_later(s, i, spool_rest(index_items(&s->kept)[i].failures));
    if (say)
        s->put_off_quiet = boot + REST_MOST;
    return say;
}

void queue_never(struct spool *s, size_t i)
{
    struct retention_item *item = &index_items(&s->kept)[i];

    item->aside = true;
    count_failure(item);
    s->kept.aside++;
}
