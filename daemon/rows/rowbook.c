/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rows/rowbook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/rows/rowbook_state.h"

/* More than from a capture's start until its record is complete: window, timeout, inspection. */
#define SLACK USEC_PER_HOUR
#define ACCURACY USEC_PER_SEC

static void say_failure(struct rowbook *b, int r)
{
    if (!b->said)
        log_warn("rows for the store cannot be written below storage.path: %s; they are made from "
                 "the records later",
                 strerror(-r));
    b->said = true;
}

/* Later, what was missed is taken from the records. */
static void miss(struct rowbook *b, int r)
{
    b->missed = true;
    say_failure(b, r);
}

static void take(struct rowbook *b, const char *key)
{
    struct rowbook_taken *t;
    int fd = -1, r;

    if (b->n_taken == ROWBOOK_TAKEN_MAX) {
        b->missed = true;
        return;
    }
    r = spool_open_record(b->spool, key, &fd);
    if (r == -ENOENT)
        return;
    t = r < 0 ? NULL : calloc(1, sizeof(*t));
    if (!t) {
        (void)close_fd(fd);
        miss(b, r < 0 ? r : -ENOMEM);
        return;
    }
    t->fd = fd;
    (void)snprintf(t->key, sizeof(t->key), "%s", key);
    *b->last = t;
    b->last = &t->next;
    b->n_taken++;
}

static void step(struct rowbook *b);

static void on_final(void *userdata, const char *key)
{
    struct rowbook *b = userdata;

    if (!b->enabled || b->root < 0)
        return;
    take(b, key);
    step(b);
}

static void forget_taken(struct rowbook *b)
{
    rowbook_taken_free(b->taken);
    b->taken = NULL;
    b->last = &b->taken;
    b->n_taken = 0;
}

static void append(struct rowbook *b)
{
    struct rowbook_job *j = rowbook_job_new(b, ROWBOOK_APPEND);
    struct rowbook_taken **end = &b->taken;

    if (!j) {
        forget_taken(b);
        miss(b, -ENOMEM);
        return;
    }
    for (unsigned i = 0; *end && i < ROWBOOK_BATCH; i++) {
        end = &(*end)->next;
        b->n_taken--;
    }
    j->taken = b->taken;
    b->taken = *end;
    *end = NULL;
    if (!b->taken)
        b->last = &b->taken;
    rowbook_job_submit(b, j);
}

/* Where the mark may be when all that was written up to now is sealed; 0: it stays. */
static usec next_mark(const struct rowbook *b, usec now)
{
    usec slack = b->finishing && !b->cut ? 0 : SLACK;

    if (b->missed || b->catching || now < slack + USEC_PER_SEC)
        return 0;
    return (now - slack) / USEC_PER_SEC * USEC_PER_SEC;
}

static void seal(struct rowbook *b)
{
    struct rowbook_job *j = rowbook_job_new(b, ROWBOOK_SEAL);

    b->seal = false;
    if (!j)
        return;
    j->since = next_mark(b, j->now);
    rowbook_job_submit(b, j);
}

static void step(struct rowbook *b)
{
    if (b->job || b->root < 0)
        return;
    if (b->taken)
        append(b);
    else if (b->seal)
        seal(b);
    else
        rowbook_ship(b);
}

static void sealed(struct rowbook *b, const struct rowbook_job *j, int r)
{
    if (r < 0) {
        say_failure(b, r);
        return;
    }
    if (j->since > 0)
        b->since = j->since;
    if (j->dropped > 0)
        log_warn("%u files of rows were dropped, as the store has not taken them for long; "
                 "'contrace rows' makes rows again",
                 j->dropped);
    b->said = false;
    b->waiting = true;
}

static void ended(struct rowbook *b, struct rowbook_job *j, int r)
{
    switch (j->work) {
    case ROWBOOK_APPEND:
        if (r < 0)
            miss(b, r);
        b->seal = b->seal || j->largest > ROWBOOK_FILE_MAX;
        break;
    case ROWBOOK_SEAL: sealed(b, j, r); break;
    case ROWBOOK_NEXT: rowbook_ship_next(b, j, r); break;
    case ROWBOOK_REMOVE:
        if (r < 0)
            say_failure(b, r);
        break;
    }
}

static void arm(struct rowbook *b, usec wait)
{
    (void)sd_event_source_set_time_relative(b->timer, wait);
    (void)sd_event_source_set_enabled(b->timer, SD_EVENT_ONESHOT);
}

/* Opens the directory; anew if it failed, as it may have been removed. */
static void open_journal(struct rowbook *b)
{
    int r;

    if (b->root >= 0 && (!b->said || b->job))
        return;
    b->root = close_fd(b->root);
    r = journal_open(b->path, &b->root);
    if (r < 0) {
        say_failure(b, r);
        return;
    }
    b->since = journal_since(b->root);
    b->waiting = true;
    rowbook_catchup_begin(b);
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    struct rowbook *b = userdata;

    (void)source;
    (void)now;
    if (!b->enabled || b->finishing)
        return 0;
    arm(b, b->interval);
    open_journal(b);
    b->seal = b->root >= 0;
    if (b->missed && !b->catching && b->root >= 0)
        rowbook_catchup_begin(b);
    step(b);
    return 0;
}

static void on_spare(void *userdata)
{
    step(userdata);
}

static const struct rowbook_calls calls = {step, take, ended};

int rowbook_new(sd_event *event, struct disk *disk, struct spool *spool, struct uploader *uploader,
                const char *host, uint64_t random, struct rowbook **ret)
{
    struct rowbook *b = calloc(1, sizeof(*b));
    struct name name;
    int r;

    if (!b)
        return -ENOMEM;
    b->up = &calls;
    b->event = sd_event_ref(event);
    b->disk = disk;
    b->spool = spool;
    b->uploader = uploader;
    b->random = random;
    b->root = b->fd = -1;
    b->last = &b->taken;
    name_init(&name, "", host, 0, 0);
    (void)snprintf(b->host, sizeof(b->host), "%s", name.host);
    r = sd_event_add_time(event, &b->timer, CLOCK_BOOTTIME, 0, ACCURACY, on_timer, b);
    if (r >= 0)
        r = sd_event_source_set_enabled(b->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = rowbook_catchup_new(b);
    if (r >= 0)
        r = rowbook_ship_new(b);
    if (r < 0) {
        rowbook_free(b);
        return r;
    }
    spool_set_final_fn(spool, on_final, b);
    uploader_set_spare_fn(uploader, on_spare, b);
    *ret = b;
    return 0;
}

void rowbook_free(struct rowbook *b)
{
    if (!b)
        return;
    spool_set_final_fn(b->spool, NULL, NULL);
    uploader_set_spare_fn(b->uploader, NULL, NULL);
    rowbook_ship_stop(b);
    rowbook_catchup_stop(b);
    if (b->job)
        b->job->book = NULL;
    forget_taken(b);
    sd_event_source_disable_unref(b->timer);
    sd_event_source_disable_unref(b->pause);
    sd_event_source_disable_unref(b->retry);
    (void)close_fd(b->root);
    sd_event_unref(b->event);
    free(b->path);
    free(b);
}

/* Daemons that start together do not ship together. */
static usec first_wait(struct rowbook *b, usec interval)
{
    return interval - random_next(&b->random) % (interval / 2 + 1);
}

void rowbook_set(struct rowbook *b, const char *path, bool enabled, usec interval)
{
    bool begins = enabled && !b->enabled;

    b->enabled = enabled;
    if (!enabled) {
        rowbook_catchup_stop(b);
        (void)sd_event_source_set_enabled(b->timer, SD_EVENT_OFF);
        return;
    }
    if (!b->path)
        b->path = strdup(path);
    if (!b->path) {
        say_failure(b, -ENOMEM);
        return;
    }
    if (begins || interval != b->interval)
        arm(b, first_wait(b, interval));
    b->interval = interval;
    if (begins && b->root >= 0)
        rowbook_catchup_begin(b);
    open_journal(b);
    step(b);
}

void rowbook_finish(struct rowbook *b)
{
    if (b->finishing || b->root < 0)
        return;
    b->finishing = true;
    b->missed = b->missed || b->catching;
    rowbook_catchup_stop(b);
    b->seal = b->enabled;
    step(b);
}

void rowbook_cut(struct rowbook *b)
{
    b->cut = true;
    rowbook_ship_stop(b);
}

bool rowbook_idle(const struct rowbook *b)
{
    bool ships = b->enabled && b->waiting && !b->cut && !b->gave_up;

    if (b->root < 0)
        return true;
    if (b->job || b->taken || b->sending || b->seal || b->remove)
        return false;
    return !ships || !(uploader_spare(b->uploader) || uploader_probing(b->uploader));
}
