/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/queue.h"

#include <time.h>

#include "lib/record/name.h"

static void kick(struct queue *q)
{
    if (q->wake)
        (void)sd_event_source_set_enabled(q->wake, SD_EVENT_ONESHOT);
}

void queue_now(struct queue *q, size_t at)
{
    index_offer(&q->items->index, at);
    kick(q);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct queue *q = userdata;

    (void)source;
    if (q->fn && q->items->index.sums[true].files > 0)
        q->fn(q->userdata);
    return 0;
}

/* True if the item is put off only because its record is still to be amended, not because of a
 * failure. */
static bool waits_for_record(const struct retention_item *item)
{
    return item->put_off && item->held && item->failures == 0;
}

/* Sets the timer to `next`, when the next item is offered again. */
static void arm_retry(struct queue *q, usec next)
{
    q->next = next;
    if (!q->retry)
        return;
    if (next != USEC_NEVER)
        (void)sd_event_source_set_time(q->retry, next);
    (void)sd_event_source_set_enabled(q->retry,
                                      next == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* Offers every item that was put off until `now` at the latest. */
static void offer_due(struct queue *q, usec now)
{
    struct index *ix = &q->items->index;
    struct retention_item *items = index_items(ix);
    usec next = USEC_NEVER;
    bool offered = false;

    if (now < q->next)
        return;
    for (size_t i = 0; i < ix->n; i++) {
        usec due = items[i].offer_at * USEC_PER_SEC;

        if (!items[i].put_off)
            continue;
        /* An item that waits for its record keeps waiting when `now` is USEC_NEVER, as after the
         * store works again. */
        if (due > (waits_for_record(&items[i]) ? core_now(q->core) : now)) {
            next = due < next ? due : next;
            continue;
        }
        items[i].put_off = false;
        index_offer(ix, i);
        offered = true;
    }
    arm_retry(q, next);
    if (offered)
        kick(q);
}

static int on_retry(sd_event_source *source, uint64_t usec_now, void *userdata)
{
    struct queue *q = userdata;

    (void)source;
    (void)usec_now;
    offer_due(q, core_now(q->core));
    return 0;
}

int queue_start(struct queue *q, const struct core *core, struct items *items)
{
    int r;

    *q = (struct queue){.core = core, .items = items, .next = USEC_NEVER};
    r = sd_event_add_defer(core->event, &q->wake, on_wake, q);
    if (r >= 0)
        r = sd_event_source_set_enabled(q->wake, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(core->event, &q->retry, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_retry, q);
    return r < 0 ? r : sd_event_source_set_enabled(q->retry, SD_EVENT_OFF);
}

void queue_stop(struct queue *q)
{
    q->wake = sd_event_source_disable_unref(q->wake);
    q->retry = sd_event_source_disable_unref(q->retry);
}

void queue_set_fn(struct queue *q, queue_fn fn, void *userdata)
{
    q->fn = fn;
    q->userdata = userdata;
    kick(q);
}

static void put_off(struct queue *q, struct retention_item *item, usec wait)
{
    usec due = core_now(q->core) + (wait < USEC_PER_DAY ? wait : USEC_PER_DAY);

    item->offer_at = (uint32_t)((due + USEC_PER_SEC - 1) / USEC_PER_SEC);
    due = item->offer_at * USEC_PER_SEC;
    item->put_off = true;
    if (due < q->next)
        arm_retry(q, due);
}

void queue_set_final_fn(struct queue *q, queue_final_fn fn, void *userdata)
{
    q->final = fn;
    q->final_userdata = userdata;
}

/* The function may change no index. */
static void tell_final(struct queue *q, size_t at)
{
    if (q->final && !q->core->closing)
        q->final(q->final_userdata, index_key(&q->items->index, at));
}

void queue_join(struct queue *q, size_t at, usec hold)
{
    struct retention_item *item = items_at(q->items, at);

    if (item->pending && hold > 0)
        put_off(q, item, hold);
    items_idle(q->items, at);
    if (item->pending)
        queue_now(q, at);
    if (hold == 0)
        tell_final(q, at);
}

void queue_release(struct queue *q, size_t at)
{
    struct retention_item *item = items_at(q->items, at);
    bool waits = waits_for_record(item);

    items_unhold(q->items, at);
    if (waits) {
        item->put_off = false;
        queue_now(q, at);
    }
    tell_final(q, at);
}

bool queue_newest(struct queue *q, size_t *ret)
{
    offer_due(q, core_now(q->core));
    return index_newest_offer(&q->items->index, ret);
}

static void count_failure(struct retention_item *item)
{
    if (item->failures < UINT8_MAX)
        item->failures++;
}

void queue_later(struct queue *q, size_t at, usec wait)
{
    struct retention_item *item = items_at(q->items, at);

    put_off(q, item, wait);
    count_failure(item);
}

void queue_never(struct queue *q, size_t at)
{
    struct retention_item *item = items_at(q->items, at);

    item->aside = true;
    count_failure(item);
    q->items->index.aside++;
}

bool queue_rest(struct queue *q, size_t at)
{
    usec boot = core_now(q->core);
    bool say = boot >= q->quiet;

    queue_later(q, at, core_rest(items_at(q->items, at)->failures));
    if (say)
        q->quiet = boot + CORE_REST_MOST;
    return say;
}

void queue_offer_again(struct queue *q)
{
    struct index *ix = &q->items->index;
    struct retention_item *items = index_items(ix);

    for (size_t i = 0; i < ix->n; i++) {
        if (waits_for_record(&items[i]))
            continue;
        items[i].aside = items[i].put_off = items[i].uploaded = false;
        items[i].failures = 0;
    }
    ix->aside = 0;
    q->next = 0;
    offer_due(q, core_now(q->core));
    index_offer_all(ix);
    kick(q);
}

void queue_offer_put_off(struct queue *q)
{
    if (q->next != USEC_NEVER)
        offer_due(q, USEC_NEVER);
}

void queue_offer_key(struct queue *q, const char *key)
{
    struct index *ix = &q->items->index;
    struct name name;
    size_t at;

    if (name_parse(key, &name) < 0 || !index_find(ix, key, name.time, true, &at) ||
        !items_at(q->items, at)->aside)
        return;
    items_at(q->items, at)->aside = false;
    ix->aside--;
    queue_now(q, at);
}

usec queue_next_offer(struct queue *q)
{
    size_t at;

    return queue_newest(q, &at) ? 0 : q->next;
}

bool queue_holds_since(const struct queue *q, usec time)
{
    const struct index *ix = &q->items->index;
    const struct retention_item *items = index_items(ix);

    for (size_t i = ix->n; i > 0 && items[i - 1].time >= time; i--) {
        if (items[i - 1].pending)
            return true;
    }
    return false;
}
