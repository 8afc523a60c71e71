/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "daemon/watch/triggers_state.h"

/* How much later than due a poll may begin: wake-ups of many are combined. */
#define DUE_ACCURACY (50 * USEC_PER_MSEC)

static void enqueue(struct triggers *t, struct subject_page *p)
{
    struct triggers_queue *q = &t->queues[p->slow];

    p->state = SUBJECT_WAITING;
    p->previous = q->last;
    p->next = NULL;
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->n++;
}

static void dequeue(struct triggers *t, struct subject_page *p)
{
    struct triggers_queue *q = &t->queues[p->slow];

    if (p->previous)
        p->previous->next = p->next;
    else
        q->first = p->next;
    if (p->next)
        p->next->previous = p->previous;
    else
        q->last = p->previous;
    p->previous = p->next = NULL;
    p->state = SUBJECT_IDLE;
    q->n--;
}

/* The next page to poll; NULL: none waits, or there is no place for it. */
static struct subject_page *next_page(const struct triggers *t)
{
    if (t->running[0] + t->running[1] >= TRIGGERS_AT_ONCE)
        return NULL;
    if (t->queues[0].first)
        return t->queues[0].first;
    return t->running[1] < TRIGGERS_SLOW_AT_ONCE ? t->queues[1].first : NULL;
}

/* A page that fails slowly is polled less often. */
static usec next_due(const struct triggers *t, const struct subject_page *p)
{
    usec now = loop_now(t->event, CLOCK_BOOTTIME), interval = p->page->interval;
    usec wait = schedule_backoff(p->failures, interval), from = p->started + wait - interval / 2;

    if (!p->slow || wait <= interval)
        return schedule_next(&p->schedule, p->started, now);
    return schedule_next(&p->schedule, 0, from > now ? from : now);
}

static void arm(struct triggers *t, struct subject_page *p)
{
    (void)sd_event_source_set_time(p->timer, next_due(t, p));
    (void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

static void note(struct triggers *t, struct subject_page *p, const struct poll_result *result)
{
    usec now = loop_now(t->event, CLOCK_BOOTTIME);
    bool ok = result->end == POLLEND_OK;

    triggers_log_poll(p, result);
    t->polls[result->end]++;
    p->took = now - p->started;
    p->failures = ok ? 0 : p->failures + 1;
    p->slow = !ok && p->took >= SCHEDULE_SLOW;
    p->told = true;
    p->end = result->end;
    p->polled = loop_now(t->event, CLOCK_REALTIME);
    free(steal(&p->text));
    if (ok) {
        t->bytes += result->bytes;
        p->bytes = result->bytes;
        p->series = result->series;
    } else {
        p->text = strdup(result->text); /* without memory there is only the class */
    }
}

/* The rules of a page hear of a poll. `page` NULL: it failed. */
static void feed(struct triggers *t, struct subject_page *p, const struct rulebook_page *page)
{
    struct subject *s = p->subject;
    usec now = loop_now(t->event, CLOCK_BOOTTIME);

    for (size_t i = 0; i < p->page->n; i++) {
        struct subject_rule *r = &s->rules[p->page->first + i];

        triggers_event(t, s, r,
                       page ? rulestate_poll(r->state, rulebook_reading(page, i), now)
                            : rulestate_miss(r->state, now));
    }
}

static void ended(struct triggers *t, struct subject_page *p, const struct poll_result *result,
                  const struct rulebook_page *page)
{
    p->state = SUBJECT_IDLE;
    note(t, p, result);
    feed(t, p, page);
    arm(t, p);
}

static void pump(struct triggers *t);

static void on_ended(void *userdata, const struct poll_result *result,
                     const struct rulebook_page *page)
{
    struct subject_page *p = userdata;
    struct triggers *t = p->subject->owner;

    p->poll = NULL;
    t->running[p->slow]--;
    ended(t, p, result, page);
    pump(t);
}

static void start(struct triggers *t, struct subject_page *p)
{
    const usec most = p->page->interval / 10 * 9; /* a starved service takes its time */
    const struct poll_options options = {
        .target = p->subject->target,
        .path = p->page->path,
        .book = p->page->book,
        .timeout = most < TRIGGERS_TIMEOUT ? most : TRIGGERS_TIMEOUT,
        .keep = t->pages <= TRIGGERS_KEPT,
    };
    struct poll_result failure;

    p->started = loop_now(t->event, CLOCK_BOOTTIME);
    if (poll_start(t->http, &options, on_ended, p, &p->poll, &failure) < 0) {
        ended(t, p, &failure, NULL);
        return;
    }
    p->state = SUBJECT_RUNNING;
    t->running[p->slow]++;
}

static void pump(struct triggers *t)
{
    struct subject_page *p;

    while ((p = next_page(t))) {
        dequeue(t, p);
        start(t, p);
    }
}

static int on_due(sd_event_source *source, uint64_t now, void *userdata)
{
    struct subject_page *p = userdata;
    struct triggers *t = p->subject->owner;

    (void)source;
    (void)now;
    enqueue(t, p);
    pump(t);
    return 0;
}

int triggers_add_timers(struct triggers *t, struct subject *s)
{
    s->owner = t;
    for (size_t i = 0; i < s->job->n_pages; i++) {
        struct subject_page *p = &s->pages[i];
        int r = sd_event_add_time(t->event, &p->timer, CLOCK_BOOTTIME, 0, DUE_ACCURACY, on_due, p);

        if (r >= 0)
            r = sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
        if (r < 0)
            return r;
    }
    return 0;
}

void triggers_schedule(struct triggers *t, struct subject *s)
{
    const struct target *target = s->target;
    uint64_t hash = schedule_hash(target->job->name, target->address, target->host);

    for (size_t i = 0; i < s->job->n_pages; i++) {
        struct subject_page *p = &s->pages[i];

        schedule_init(&p->schedule, hash, p->page->interval, loop_now(t->event, CLOCK_REALTIME),
                      loop_now(t->event, CLOCK_BOOTTIME));
        schedule_shift(&p->schedule, (unsigned)i, (unsigned)s->job->n_pages);
        arm(t, p);
    }
}

void triggers_quiet(struct triggers *t, struct subject *s)
{
    for (size_t i = 0; i < s->job->n_pages; i++) {
        struct subject_page *p = &s->pages[i];

        (void)sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
        if (p->state == SUBJECT_WAITING)
            dequeue(t, p);
        if (p->state == SUBJECT_RUNNING) {
            poll_cancel(steal(&p->poll));
            t->running[p->slow]--;
            p->state = SUBJECT_IDLE;
        }
    }
}
