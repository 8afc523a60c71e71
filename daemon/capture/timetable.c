/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/timetable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/capture/agenda.h"
#include "daemon/outcome/outcome.h"

/* How much later than due the timer may fire: sd-event may combine wake-ups within it. */
#define DUE_ACCURACY (10 * USEC_PER_MSEC)

/* How long --once retries a target that somebody else is tracing. */
#define ONCE_PATIENCE (30 * USEC_PER_SEC)

struct timetable {
    sd_event *event;
    sd_event_source *timer;
    struct agenda agenda;
    timetable_due_fn fn;
    void *userdata;
    uint64_t random; /* the random generator's state, for retry times */
    usec once_until; /* 0: not --once */
    bool suspended, stopped;
};

static void arm(struct timetable *tt)
{
    const struct lane *first = agenda_first(&tt->agenda);

    if (tt->stopped)
        return;
    if (!first) {
        (void)sd_event_source_set_enabled(tt->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(tt->timer, first->due);
    (void)sd_event_source_set_enabled(tt->timer, SD_EVENT_ONESHOT);
}

/* The next due time by the schedule alone. With --once there is none: the end of its patience. */
static usec next_due(const struct timetable *tt, const struct lane *l)
{
    if (tt->once_until)
        return tt->once_until;
    return schedule_next(&l->schedule, l->last_start, loop_now(tt->event, CLOCK_BOOTTIME));
}

static int on_due(sd_event_source *s, uint64_t now, void *userdata)
{
    struct timetable *tt = userdata;
    struct lane *l;

    (void)s;
    while ((l = agenda_first(&tt->agenda)) && l->due <= now) {
        _cleanup_free_ char *name = steal(&l->due_name);
        enum reason reason = l->due_reason;
        usec due = l->due;

        /* Set the next due time now, in case this capture is skipped or waits. The first capture
         * is at no cycle's time, so a cycle that would follow it too soon is left out. */
        l->due_reason = REASON_SCHEDULE;
        l->retrying = false;
        agenda_set(&tt->agenda, l,
                   tt->once_until       ? USEC_NEVER
                   : l->last_start == 0 ? schedule_next(&l->schedule, now, now)
                                        : next_due(tt, l));
        if (reason != REASON_SCHEDULE || !tt->suspended)
            tt->fn(tt->userdata, l, reason, name, due);
    }
    arm(tt);
    return 0;
}

int timetable_new(sd_event *event, bool once, uint64_t random, timetable_due_fn fn, void *userdata,
                  struct timetable **ret)
{
    struct timetable *tt = calloc(1, sizeof(*tt));
    int r;

    if (!tt)
        return -ENOMEM;
    *tt = (struct timetable){.event = event, .fn = fn, .userdata = userdata, .random = random};
    agenda_init(&tt->agenda);
    if (once)
        tt->once_until = loop_now(tt->event, CLOCK_BOOTTIME) + ONCE_PATIENCE;
    r = sd_event_add_time(event, &tt->timer, CLOCK_BOOTTIME, 0, DUE_ACCURACY, on_due, tt);
    if (r >= 0)
        r = sd_event_source_set_enabled(tt->timer, SD_EVENT_OFF);
    if (r < 0) {
        timetable_free(tt);
        return r;
    }
    *ret = tt;
    return 0;
}

void timetable_free(struct timetable *tt)
{
    if (!tt)
        return;
    agenda_done(&tt->agenda);
    sd_event_source_disable_unref(tt->timer);
    free(tt);
}

int timetable_reserve(struct timetable *tt, size_t n)
{
    return agenda_reserve(&tt->agenda, n);
}

/* The time of the first capture of another lane: at `at`, but after those of the lanes before it,
 * if these are still to come. */
static usec first_of_other(const struct lane *l, usec at)
{
    usec wait = l->target->job->window + USEC_PER_SEC;

    for (const struct lane *other = l->target->lanes; other != l; other = other->next) {
        if (other->last_start == 0 && other->due != USEC_NEVER && other->due + wait > at)
            at = other->due + wait;
    }
    return at;
}

static void forget_retry(struct lane *l)
{
    l->retrying = false;
    l->due_reason = REASON_SCHEDULE;
    free(steal(&l->due_name));
}

/* A removed lane stays with its target and may be added again, so it keeps no retry. */
static void take_out(struct timetable *tt, struct lane *l)
{
    forget_retry(l);
    l->backing_off = false;
    agenda_set(&tt->agenda, l, USEC_NEVER);
}

void timetable_update(struct timetable *tt, const struct targets_change *change)
{
    usec now = loop_now(tt->event, CLOCK_BOOTTIME);

    for (size_t i = 0; i < change->n_removed; i++)
        take_out(tt, change->removed[i]);
    for (size_t i = 0; i < change->n_moved; i++)
        agenda_set(&tt->agenda, change->moved[i], next_due(tt, change->moved[i]));
    for (size_t i = 0; i < change->n_first; i++) {
        struct lane *l = change->added[i];
        usec interval = target_interval(l);

        agenda_set(&tt->agenda, l, schedule_first(i, change->n_first, interval, now));
    }
    for (size_t i = change->n_first; i < change->n_added; i++) {
        struct lane *l = change->added[i];
        usec at = schedule_first(i - change->n_first, change->n_added - change->n_first,
                                 target_interval(l), now);

        agenda_set(&tt->agenda, l, first_of_other(l, at));
    }
    arm(tt);
}

/* When to retry before the next due time; USEC_NEVER: not before. */
static usec retry_time(struct timetable *tt, struct lane *l, enum outcome outcome)
{
    usec now = loop_now(tt->event, CLOCK_BOOTTIME), next = next_due(tt, l);

    switch (outcome_retry(outcome)) {
    case OUTCOME_RETRY_BUSY:
        return schedule_retry_busy(now, next, l->target->job->window, random_next(&tt->random));
    case OUTCOME_RETRY_DOWN:
        if (tt->once_until)
            return USEC_NEVER;
        return schedule_retry_down(now, next, l->attempts++, random_next(&tt->random));
    case OUTCOME_RETRY_NEXT: break;
    }
    return USEC_NEVER;
}

/* Schedules a retry. A client that asked over HTTP was told the end and may ask again, so a retry
 * after REASON_API counts as a scheduled capture. */
static void set_retry(struct timetable *tt, struct lane *l, usec at, enum reason reason,
                      const char *name)
{
    bool told = reason == REASON_API;

    l->retrying = true;
    l->due_reason = told ? REASON_SCHEDULE : reason;
    free(l->due_name); /* without memory for the name, the record says reason_name() */
    l->due_name = name && !told ? strdup(name) : NULL;
    agenda_set(&tt->agenda, l, at);
}

/* Drops the retry: a capture succeeded before it was due. */
static void drop_retry(struct timetable *tt, struct lane *l)
{
    if (!l->retrying)
        return;
    forget_retry(l);
    agenda_set(&tt->agenda, l, tt->once_until ? USEC_NEVER : next_due(tt, l));
}

/*
 * Tries a target less often if it fails slowly, because it holds a place all the while. Without a
 * retry, `due` is still the schedule's, set when this try began.
 */
static void back_off(struct timetable *tt, struct lane *l)
{
    usec interval = target_interval(l), wait = schedule_backoff(l->failures, interval);
    usec now = loop_now(tt->event, CLOCK_BOOTTIME), from = l->last_start + wait - interval / 2;

    if (tt->once_until || l->last_took < SCHEDULE_SLOW || wait <= interval)
        return;
    l->backing_off = true;
    agenda_set(&tt->agenda, l, schedule_next(&l->schedule, 0, from > now ? from : now));
}

static void end_back_off(struct timetable *tt, struct lane *l)
{
    if (!l->backing_off)
        return;
    l->backing_off = false;
    agenda_set(&tt->agenda, l, next_due(tt, l));
}

bool timetable_finished(struct timetable *tt, struct lane *l, enum reason reason, const char *name,
                        enum outcome outcome)
{
    usec retry;

    if (tt->stopped || !l->scheduled)
        return false;
    if (outcome_published(outcome)) {
        l->attempts = 0;
        drop_retry(tt, l);
        end_back_off(tt, l);
    }
    retry = retry_time(tt, l, outcome);
    if (retry != USEC_NEVER)
        set_retry(tt, l, retry, reason, name);
    else if (outcome_failed(outcome) && !l->retrying)
        back_off(tt, l);
    arm(tt);
    return retry != USEC_NEVER;
}

void timetable_suspend(struct timetable *tt, bool suspended)
{
    tt->suspended = suspended && !tt->once_until;
}

void timetable_stop(struct timetable *tt)
{
    tt->stopped = true;
    (void)sd_event_source_set_enabled(tt->timer, SD_EVENT_OFF);
}
