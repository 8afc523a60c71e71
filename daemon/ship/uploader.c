/* SPDX-License-Identifier: Apache-2.0 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "daemon/ship/uploader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"
#include "base/random.h"
#include "daemon/ship/uploader_state.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define TIMER_ACCURACY (100 * USEC_PER_MSEC)
#define SETTLING_MOST 64 /* each holds a descriptor until a disk thread has settled it */

static bool store_used(const struct uploader *u, const struct store *s)
{
    for (const struct flight *f = u->flights; f; f = f->next) {
        if (f->store == s)
            return true;
    }
    return false;
}

/* Takes the flight out of the list. This may run inside the store's callback, so store and flight
 * are freed later, by on_sweep. */
static void land(struct uploader *u, struct flight *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        u->flights = f->next;
    if (f->next)
        f->next->prev = f->prev;
    u->in_flight--;
    f->last = f->store != u->store && !store_used(u, f->store);
    f->next = u->dead;
    u->dead = f;
    (void)sd_event_source_set_enabled(u->sweep, SD_EVENT_ONESHOT);
}

static void free_dead(struct uploader *u)
{
    struct flight *f;

    while ((f = u->dead)) {
        u->dead = f->next;
        if (f->last)
            store_free(f->store);
        free(f);
    }
}

static int on_sweep(sd_event_source *source, void *userdata)
{
    (void)source;
    free_dead(userdata);
    return 0;
}

static void fill(struct uploader *u);

static void on_settled(int r, const char *key, void *userdata)
{
    struct uploader *u = userdata;

    (void)r;
    (void)key;
    u->settling--;
    fill(u);
}

static void settle(struct uploader *u, struct spool_item *item)
{
    u->settling++;
    spool_item_archive(item, u->keep, on_settled, u);
}

static void on_end(struct delivery *d, const struct store_result *result)
{
    struct flight *f = (struct flight *)d;
    struct uploader *u = f->uploader;

    land(u, f);
    u->ends[result->end]++;
    uploader_end(u, f, result);
    if (result->end == STORE_DONE)
        settle(u, f->delivery.item);
    fill(u);
}

/* Starts a delivery. 0, or a negative errno and the item was returned to the spool. */
static int start(struct uploader *u, struct spool_item *item, bool probe)
{
    struct flight *f = calloc(1, sizeof(*f));
    int r = -ENOMEM;

    if (f) {
        f->uploader = u;
        f->store = u->store;
        f->probe = probe;
        f->begun = loop_now(u->event, CLOCK_BOOTTIME);
        r = delivery_start(&f->delivery, u->store, u->disk, item, on_end);
    }
    if (r < 0) {
        spool_item_return(item);
        free(f);
        return r;
    }
    f->next = u->flights;
    if (f->next)
        f->next->prev = f;
    u->flights = f;
    u->in_flight++;
    if (probe)
        breaker_probe(&u->breaker);
    return 0;
}

/* When the next delivery may start: 0: now; USEC_NEVER: only after another event. */
static usec next_start(const struct uploader *u, usec now)
{
    usec next;

    if (!u->store || u->cut || u->write_probe.call)
        return USEC_NEVER;
    next = breaker_next(&u->breaker);
    next = u->pause_until > next ? u->pause_until : next;
    if (u->draining && next > 0 && (u->breaker.state != BREAKER_CLOSED || next > now))
        return USEC_NEVER;
    return next > now ? next : 0;
}

/* Sets the timer only if an item could be taken now. If there is none, or all are put off, the
 * spool's callback wakes the uploader. */
static void wait_until(struct uploader *u, usec next)
{
    if (next == USEC_NEVER || spool_next_offer(u->spool) != 0)
        return;
    (void)sd_event_source_set_time(u->timer, next);
    (void)sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
}

static bool is_shortage(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

static void fill_places(struct uploader *u)
{
    while (u->in_flight < u->concurrency && u->settling < SETTLING_MOST) {
        usec now = loop_now(u->event, CLOCK_BOOTTIME), next = next_start(u, now);
        struct spool_item *item;
        int r;

        if (next > 0) {
            wait_until(u, next);
            return;
        }
        r = spool_take(u->spool, &item);
        if (r == 0)
            return;
        if (r > 0 && spool_item_uploaded(item))
            settle(u, item);
        else if (r > 0)
            r = start(u, item, breaker_allows(&u->breaker, now) == BREAKER_PROBE);
        if (is_shortage(r))
            uploader_pause(u, strerror(-r));
    }
}

static void fill(struct uploader *u)
{
    fill_places(u);
    uploader_tell_spare(u);
}

static int on_timer(sd_event_source *source, uint64_t usec_now, void *userdata)
{
    (void)source;
    (void)usec_now;
    fill(userdata);
    return 0;
}

static void on_pending(void *userdata)
{
    fill(userdata);
}

static void on_probe(void *userdata, const struct store_result *result)
{
    struct uploader *u = userdata;

    u->write_probe.call = NULL;
    uploader_probe_end(u, result);
    fill(u);
}

static void start_probe(struct uploader *u)
{
    struct write_probe *p = &u->write_probe;
    int r = filehash_memory(p->text, strlen(p->text), p->sha256);

    p->meta = (struct store_meta){"sha256", p->sha256};
    p->object = (struct store_object){
        .key = p->key,
        .data = p->text,
        .fd = -1,
        .size = strlen(p->text),
        .sha256 = p->sha256,
        .content_type = "text/plain",
        .meta = &p->meta,
        .n_meta = 1,
        .replace = true, /* replaces the probe of an earlier start or version */
    };
    if (r >= 0)
        r = store_put(u->store, &p->object, on_probe, u, &p->call);
    if (r < 0)
        uploader_pause(u, strerror(-r));
}

static void stop_probe(struct uploader *u)
{
    store_cancel(u->write_probe.call);
    u->write_probe.call = NULL;
}

int uploader_new(sd_event *event, struct disk *disk, struct spool *spool, const char *host,
                 uint64_t random, struct uploader **ret)
{
    struct uploader *u = calloc(1, sizeof(*u));
    struct name name;
    int r;

    if (!u)
        return -ENOMEM;
    u->event = sd_event_ref(event);
    u->disk = disk;
    u->spool = spool;
    u->random = random;
    u->started = loop_now(u->event, CLOCK_REALTIME) / USEC_PER_SEC * USEC_PER_SEC;
    breaker_init(&u->breaker, loop_now(u->event, CLOCK_BOOTTIME));
    name_init(&name, "", host, 0, 0);
    (void)snprintf(u->write_probe.key, sizeof(u->write_probe.key), "%s%s", UPLOADER_PROBE_KEY,
                   name.host);
    (void)snprintf(u->write_probe.text, sizeof(u->write_probe.text), "contraced %s\n",
                   PACKAGE_VERSION);
    r = sd_event_add_time(event, &u->timer, CLOCK_BOOTTIME, 0, TIMER_ACCURACY, on_timer, u);
    if (r >= 0)
        r = sd_event_source_set_enabled(u->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(event, &u->sweep, on_sweep, u);
    if (r >= 0)
        r = sd_event_source_set_enabled(u->sweep, SD_EVENT_OFF);
    if (r < 0) {
        uploader_free(u);
        return r;
    }
    spool_set_pending_fn(spool, on_pending, u);
    *ret = u;
    return 0;
}

void uploader_free(struct uploader *u)
{
    if (!u)
        return;
    if (u->timer && u->sweep)
        spool_set_pending_fn(u->spool, NULL, NULL);
    uploader_cut(u);
    free_dead(u);
    store_free(u->store);
    sd_event_source_disable_unref(u->timer);
    sd_event_source_disable_unref(u->sweep);
    sd_event_unref(u->event);
    free(u);
}

void uploader_set_meters(struct uploader *u, struct meters *m)
{
    u->meters = m;
}

void uploader_set(struct uploader *u, struct store *store, unsigned concurrency, bool keep)
{
    struct store *old = u->store;

    stop_probe(u);
    uploader_drop_other(u);
    u->store = store;
    if (old && !store_used(u, old))
        store_free(old);
    u->concurrency = concurrency;
    u->keep = keep;
    breaker_init(&u->breaker, loop_now(u->event, CLOCK_BOOTTIME));
    u->pause_until = u->said = 0;
    u->pauses = u->n_row = u->n_suspects = 0;
    u->row_parked = u->parked_said = false;
    if (!store || u->cut)
        return;
    start_probe(u);
    spool_offer_again(u->spool);
}

void uploader_try_again(struct uploader *u)
{
    if (!u->store || u->cut)
        return;
    u->pause_until = 0;
    breaker_wake(&u->breaker, loop_now(u->event, CLOCK_BOOTTIME));
    spool_offer_again(u->spool); /* which leads to fill */
}

void uploader_drain(struct uploader *u)
{
    u->draining = true;
    fill(u);
}

void uploader_cut(struct uploader *u)
{
    struct flight *next;

    u->cut = true;
    stop_probe(u);
    uploader_drop_other(u);
    for (struct flight *f = u->flights; f; f = next) {
        next = f->next;
        delivery_stop(&f->delivery);
        spool_item_return(f->delivery.item);
        land(u, f);
    }
}

bool uploader_idle(const struct uploader *u)
{
    usec now = loop_now(u->event, CLOCK_BOOTTIME), offer;

    if (u->in_flight > 0 || u->settling > 0)
        return false;
    if (!u->store || u->cut)
        return true;
    offer = spool_next_offer(u->spool);
    if (offer > now + (u->draining ? UPLOADER_DRAIN_PATIENCE : 0))
        return true;
    return !u->write_probe.call && next_start(u, now) > 0;
}

bool uploader_all_sent(const struct uploader *u)
{
    return !spool_pending_since(u->spool, u->started);
}

bool uploader_failing(const struct uploader *u)
{
    return u->breaker.state != BREAKER_CLOSED;
}

void uploader_stats(const struct uploader *u, struct uploader_stats *ret)
{
    usec expiry = u->store ? store_credentials_expiry(u->store) : USEC_NEVER;

    *ret = (struct uploader_stats){
        .bytes = u->bytes,
        .last_success = u->last_success,
        .in_flight = u->in_flight,
        .breaker = u->breaker.state,
        .credentials_expiry = expiry == USEC_NEVER ? 0 : expiry,
    };
    memcpy(ret->ends, u->ends, sizeof(ret->ends));
}
