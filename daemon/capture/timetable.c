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

/* How exactly a due time is met: sd-event may combine wake-ups within it. */
#define DUE_ACCURACY (10 * USEC_PER_MSEC)

/* How long --once tries a target that somebody else is tracing. */
#define ONCE_PATIENCE (30 * USEC_PER_SEC)

struct timetable {
    sd_event *event;
    sd_event_source *timer;
    struct agenda agenda;
    timetable_due_fn fn;
    void *userdata;
    uint64_t random; /* state of the generator of retry times */
    usec once_until; /* 0: not --once */
    bool suspended, stopped;
};

static void arm(struct timetable *tt)
{
    const struct target *first = agenda_first(&tt->agenda);

    if (tt->stopped)
        return;
    if (!first) {
        (void)sd_event_source_set_enabled(tt->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(tt->timer, first->due);
    (void)sd_event_source_set_enabled(tt->timer, SD_EVENT_ONESHOT);
}

/* The next due time by the schedule alone; --once has none. */
static usec next_due(const struct timetable *tt, const struct target *t)
{
    if (tt->once_until)
        return tt->once_until;
    return schedule_next(&t->schedule, t->last_start, loop_now(tt->event, CLOCK_BOOTTIME));
}

static int on_due(sd_event_source *s, uint64_t now, void *userdata)
{
    struct timetable *tt = userdata;
    struct target *t;

    (void)s;
    while ((t = agenda_first(&tt->agenda)) && t->due <= now) {
        _cleanup_free_ char *name = steal(&t->due_name);
        enum reason reason = t->due_reason;
        usec due = t->due;

        /* The due time of the next cycle counts from now, in case this one is skipped or waits. The
           first capture comes at a time of its own, to which a cycle may be too near. */
        t->due_reason = REASON_SCHEDULE;
        t->retrying = false;
        agenda_set(&tt->agenda, t,
                   tt->once_until       ? USEC_NEVER
                   : t->last_start == 0 ? schedule_next(&t->schedule, now, now)
                                        : next_due(tt, t));
        if (reason != REASON_SCHEDULE || !tt->suspended)
            tt->fn(tt->userdata, t, reason, name, due);
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

void timetable_update(struct timetable *tt, const struct targets_change *change)
{
    usec now = loop_now(tt->event, CLOCK_BOOTTIME);

    for (size_t i = 0; i < change->n_removed; i++)
        agenda_set(&tt->agenda, change->removed[i], USEC_NEVER);
    for (size_t i = 0; i < change->n_moved; i++)
        agenda_set(&tt->agenda, change->moved[i], next_due(tt, change->moved[i]));
    for (size_t i = 0; i < change->n_added; i++) {
        struct target *t = change->added[i];

        agenda_set(&tt->agenda, t, schedule_first(i, change->n_added, t->job->interval, now));
    }
    arm(tt);
}

/* When to try again before the next due time, if at all. */
static usec retry_time(struct timetable *tt, struct target *t, enum outcome outcome)
{
    usec now = loop_now(tt->event, CLOCK_BOOTTIME), next = next_due(tt, t);

    switch (outcome_retry(outcome)) {
    case OUTCOME_RETRY_BUSY:
        return schedule_retry_busy(now, next, t->job->window, random_next(&tt->random));
    case OUTCOME_RETRY_DOWN:
        if (tt->once_until)
            return USEC_NEVER;
        return schedule_retry_down(now, next, t->attempts++, random_next(&tt->random));
    case OUTCOME_RETRY_NEXT: break;
    }
    return USEC_NEVER;
}

/* Whoever asked over HTTP was told how it ended, and asks again if he wants: the target is then
 * tried for the schedule's sake only. */
static void set_retry(struct timetable *tt, struct target *t, usec at, enum reason reason,
                      const char *name)
{
    bool told = reason == REASON_API;

    t->retrying = true;
    t->due_reason = told ? REASON_SCHEDULE : reason;
    free(t->due_name); /* without memory for it the reason's own word serves */
    t->due_name = name && !told ? strdup(name) : NULL;
    agenda_set(&tt->agenda, t, at);
}

/* A trace came before the next try of what failed. */
static void drop_retry(struct timetable *tt, struct target *t)
{
    if (!t->retrying)
        return;
    t->retrying = false;
    t->due_reason = REASON_SCHEDULE;
    free(steal(&t->due_name));
    agenda_set(&tt->agenda, t, tt->once_until ? USEC_NEVER : next_due(tt, t));
}

/*
 * A target that fails slowly holds a place all the while: it is tried less often. `due` was set by
 * the schedule when this try began.
 */
static void back_off(struct timetable *tt, struct target *t)
{
    usec interval = t->job->interval, wait = schedule_backoff(t->failures, interval);
    usec now = loop_now(tt->event, CLOCK_BOOTTIME), from = t->last_start + wait - interval / 2;

    if (tt->once_until || t->last_took < SCHEDULE_SLOW || wait <= interval)
        return;
    t->backing_off = true;
    agenda_set(&tt->agenda, t, schedule_next(&t->schedule, 0, from > now ? from : now));
}

static void end_back_off(struct timetable *tt, struct target *t)
{
    if (!t->backing_off)
        return;
    t->backing_off = false;
    agenda_set(&tt->agenda, t, next_due(tt, t));
}

bool timetable_finished(struct timetable *tt, struct target *t, enum reason reason,
                        const char *name, enum outcome outcome)
{
    usec retry;

    if (tt->stopped || t->gone)
        return false;
    if (outcome_published(outcome)) {
        t->attempts = 0;
        drop_retry(tt, t);
        end_back_off(tt, t);
    }
    retry = retry_time(tt, t, outcome);
    if (retry != USEC_NEVER)
        set_retry(tt, t, retry, reason, name);
    else if (outcome_failed(outcome) && !t->retrying)
        back_off(tt, t);
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
