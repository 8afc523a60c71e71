/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decides what happens to a trace and to the breaker after the store's answer. One function for
 * each class of answers.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/ship/uploader_state.h"

#define PAUSE_MOST USEC_PER_MIN
#define SET_BACK_MOST USEC_PER_HOUR
#define STRUGGLES 5 /* failures of one trace after which the log reports it */

void uploader_pause(struct uploader *u, const char *why)
{
    static const struct backoff backoff = {.base = USEC_PER_SEC, .cap = PAUSE_MOST};
    usec wait = backoff_wait(&backoff, u->pauses, USEC_PER_SEC, random_next(&u->random));

    u->pause_until = loop_now(u->event, CLOCK_BOOTTIME) + wait;
    if (++u->pauses == UPLOADER_PAUSES)
        uploader_say_pause(u, why);
}

/* Remembers a trace that parked the queue. Whether the trace itself is at fault shows at its next
 * try. */
static void suspect(struct uploader *u, const char *key)
{
    struct suspect *s = &u->suspects[u->n_suspects++ % UPLOADER_SUSPECTS];
    size_t n = strnlen(key, sizeof(s->key) - 1);

    memcpy(s->key, key, n);
    s->key[n] = '\0';
    s->said = false;
}

/* The remembered suspect, if this trace is one; else NULL. */
static struct suspect *find_suspect(struct uploader *u, const struct spool_item *item)
{
    for (unsigned i = 0; i < UPLOADER_SUSPECTS && i < u->n_suspects; i++) {
        if (strcmp(u->suspects[i].key, spool_item_key(item)) == 0)
            return &u->suspects[i];
    }
    return NULL;
}

/* The store works again. Tries again what was put off, and the refused traces that parked the
 * queue: they may be innocent. */
static void recover(struct uploader *u)
{
    uploader_say_recovered(u);
    u->said = 0;
    u->parked_said = false;
    spool_offer_put_off(u->spool);
    for (unsigned i = 0; u->row_parked && i < u->n_row; i++) {
        suspect(u, u->row[i]);
        spool_offer_key(u->spool, u->row[i]);
    }
    if (u->row_parked)
        u->n_row = 0;
    u->row_parked = false;
}

static void end_done(struct uploader *u, struct flight *f, const struct store_result *result)
{
    (void)result;
    u->bytes += f->delivery.size;
    u->last_success = loop_now(u->event, CLOCK_REALTIME);
    if (u->meters)
        meters_uploaded(u->meters, loop_now(u->event, CLOCK_BOOTTIME) - f->begun);
}

/* The present store took an object: ends the pauses, and the trouble if the breaker agrees. */
static void succeeded(struct uploader *u, bool probe)
{
    bool recovered = breaker_succeeded(&u->breaker, probe, loop_now(u->event, CLOCK_BOOTTIME));

    if (u->pauses >= UPLOADER_PAUSES)
        uploader_say_goes_on(u);
    u->pauses = 0;
    if (recovered)
        recover(u);
    if (u->breaker.state == BREAKER_CLOSED)
        u->n_row = 0;
}

/* Chooses the next trace for a store in trouble. Each try is made with another trace, so that one
 * that cannot be stored does not block the others. If this is the only one, it is tried again. */
static void set_back(struct uploader *u, struct spool_item *item)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME), next = breaker_next(&u->breaker);
    struct backoff backoff = {.cap = SET_BACK_MOST};

    if (spool_next_offer(u->spool) != 0) {
        spool_item_return(item);
        return;
    }
    backoff.base = (next > now && next != USEC_NEVER ? next - now : 0) + USEC_PER_SEC;
    spool_item_put_off(item, backoff_ceiling(&backoff, spool_item_failures(item)));
}

/* Tries this trace again after a growing delay; the others go on meanwhile. */
static void put_off(struct uploader *u, struct spool_item *item, usec least,
                    const struct store_result *result)
{
    unsigned failures = spool_item_failures(item);
    usec wait = backoff_wait(&BACKOFF_DEFAULT, failures, least, random_next(&u->random));

    /* While draining, a trace that will be left in pending/ must be logged now. */
    if (failures + 1 == STRUGGLES ||
        (u->draining && failures + 1 < STRUGGLES && wait > UPLOADER_DRAIN_PATIENCE))
        uploader_say_struggles(u, spool_item_key(item), failures + 1, result);
    spool_item_put_off(item, wait);
}

static void end_retry(struct uploader *u, struct flight *f, const struct store_result *result)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME);
    bool changed = false;

    if (result->trouble)
        changed = breaker_failed(&u->breaker, f->probe, now, result->retry_after,
                                 random_next(&u->random));
    else
        (void)breaker_abandoned(&u->breaker, f->probe, now);
    if (u->breaker.state == BREAKER_CLOSED) {
        put_off(u, f->delivery.item, result->retry_after, result);
        return;
    }
    uploader_say_trouble(u, result, changed, false);
    set_back(u, f->delivery.item);
}

static void put_aside(struct uploader *u, struct flight *f, const struct store_result *result)
{
    uploader_say_aside(u, spool_item_key(f->delivery.item), result);
    spool_item_put_aside(f->delivery.item);
}

/* A repeat offender waits alone instead of parking the queue. It may still be innocent, as when one
 * of the store's machines lacks a permission. */
static void wait_alone(struct uploader *u, struct spool_item *item, struct suspect *s,
                       const struct store_result *result)
{
    if (!s->said)
        uploader_say_alone(u, spool_item_key(item), result);
    s->said = true;
    spool_item_put_off(item, SET_BACK_MOST);
}

static void end_parked(struct uploader *u, struct flight *f, const struct store_result *result)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME);
    struct suspect *s = find_suspect(u, f->delivery.item);
    bool changed;

    if (!f->probe && s) {
        wait_alone(u, f->delivery.item, s, result);
        return;
    }
    if (!f->probe)
        suspect(u, spool_item_key(f->delivery.item));
    changed = breaker_parked(&u->breaker, f->probe, now, random_next(&u->random));
    uploader_say_trouble(u, result, changed, false);
    set_back(u, f->delivery.item);
}

/* Counts objects that were refused for the first time. True: so many in a row that the store is at
 * fault. */
static bool refused_in_row(struct uploader *u, const struct spool_item *item)
{
    if (find_suspect(u, item))
        return false;
    (void)snprintf(u->row[u->n_row++], sizeof(u->row[0]), "%s", spool_item_key(item));
    return u->n_row == UPLOADER_ROW;
}

static void end_refused(struct uploader *u, struct flight *f, const struct store_result *result)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME);

    if (u->row_parked) {
        (void)breaker_parked(&u->breaker, f->probe, now, random_next(&u->random));
        uploader_say_trouble(u, result, false, false);
        set_back(u, f->delivery.item);
    } else if (refused_in_row(u, f->delivery.item)) {
        u->row_parked = true;
        (void)breaker_parked(&u->breaker, f->probe, now, random_next(&u->random));
        put_aside(u, f, result);
        uploader_say_row(u, result);
    } else {
        put_aside(u, f, result);
        if (breaker_succeeded(&u->breaker, f->probe, now))
            recover(u); /* the store answered, so it works */
    }
}

static void end_changed(struct uploader *u, struct flight *f, const struct store_result *result)
{
    (void)breaker_abandoned(&u->breaker, f->probe, loop_now(u->event, CLOCK_BOOTTIME));
    put_aside(u, f, result);
}

/* The cause is on this machine. It may be this very file, so it is put off beyond the pause, and
 * others are tried first. */
static void end_local(struct uploader *u, struct flight *f, const struct store_result *result)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME);

    (void)breaker_abandoned(&u->breaker, f->probe, now);
    uploader_pause(u, result->text);
    put_off(u, f->delivery.item, u->pause_until - now + USEC_PER_SEC, result);
}

/* An upload that was already under way when the breaker opened tells nothing new. */
static bool is_news(const struct uploader *u, const struct flight *f)
{
    return f->probe || u->breaker.state == BREAKER_CLOSED;
}

void uploader_end(struct uploader *u, struct flight *f, const struct store_result *result)
{
    static void (*const ends[])(struct uploader *, struct flight *, const struct store_result *) = {
        [STORE_DONE] = end_done,       [STORE_RETRY] = end_retry,     [STORE_PARKED] = end_parked,
        [STORE_REFUSED] = end_refused, [STORE_CHANGED] = end_changed, [STORE_MISSING] = end_retry,
        [STORE_LOCAL] = end_local,
    };
    bool present = f->store == u->store && !u->cut;

    if (result->end == STORE_DONE) {
        if (present)
            succeeded(u, f->probe);
    } else if (!present || !is_news(u, f)) {
        spool_item_return(f->delivery.item);
        return;
    }
    ends[result->end](u, f, result);
}

void uploader_probe_end(struct uploader *u, const struct store_result *result)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME);
    bool changed;

    switch (result->end) {
    case STORE_RETRY:
    case STORE_MISSING:
        u->breaker.threshold = 1; /* the probe's is the only answer, so one failure is enough */
        changed =
            breaker_failed(&u->breaker, false, now, result->retry_after, random_next(&u->random));
        u->breaker.threshold = BREAKER_THRESHOLD;
        uploader_say_trouble(u, result, changed, true);
        break;
    case STORE_PARKED:
        changed = breaker_parked(&u->breaker, false, now, random_next(&u->random));
        uploader_say_trouble(u, result, changed, true);
        break;
    case STORE_LOCAL: uploader_pause(u, result->text); break;
    default: /* the store works; how it treats other objects will show */
        uploader_say_works(u, result);
        break;
    }
}
