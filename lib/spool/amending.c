/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records that are replaced by new ones when more is known of their traces. One that is being
 * uploaded, moved or deleted just then is waited for.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/spool/core/space.h"
#include "lib/spool/state.h"

static void amending_free(struct amending *a)
{
    for (size_t i = 0; i < sizeof(a->texts) / sizeof(a->texts[0]); i++)
        free(a->texts[i]);
    free(a);
}

static void take_out(struct amending *a)
{
    struct amending **link = &a->spool->amendings;

    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
}

static void end(struct amending *a, int r)
{
    struct spool *s = a->spool;

    take_out(a);
    if (a->fn && !s->closing)
        a->fn(r, a->key, a->userdata);
    amending_free(a);
    spool_job_ended(s);
}

static int run(struct disk_job *job)
{
    struct amending *a = (struct amending *)job;

    return amendment_run(&a->amendment);
}

static void on_amended(struct disk_job *job, int r)
{
    struct amending *a = (struct amending *)job;
    struct spool *s = a->spool;
    size_t at;

    if (spool_find(s, a->key, &at)) { /* nobody removes a busy item */
        struct retention_item *item = &index_items(&s->kept)[at];

        item->busy = false;
        if (r >= 0) {
            index_annotate(&s->kept, at, a->amendment.what.label, a->amendment.what.latency,
                           a->amendment.what.covered);
            index_resize(&s->kept, at,
                         item->bytes - space_round(a->amendment.before) +
                             space_round(a->amendment.after));
        }
        queue_release(s, at);
        if (item->pending)
            queue_now(s, at); /* it may have been on offer while it was busy */
        amending_kick(s);
    }
    end(a, r);
}

/* Item `at` is its trace, and free. */
static void start(struct amending *a, size_t at)
{
    struct spool *s = a->spool;
    struct retention_item *item = &index_items(&s->kept)[at];

    item->busy = true;
    a->running = true;
    a->amendment.tree = &s->tree;
    a->amendment.top = item->pending ? s->tree.pending : s->tree.archive;
    a->amendment.key = a->key;
    a->amendment.tmp = a->tmp;
    (void)snprintf(a->tmp, sizeof(a->tmp), "tmp-%08" PRIx64 "-amended.out", ++s->tmp_counter);
    a->job = (struct disk_job){.run = run, .done = on_amended};
    disk_submit(s->disk, &a->job);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct spool *s = userdata;
    struct amending *next;

    (void)source;
    for (struct amending *a = s->amendings; a; a = next) {
        size_t at;

        next = a->next;
        if (a->running)
            continue;
        if (!spool_find(s, a->key, &at))
            end(a, -ENOENT);
        else if (!index_items(&s->kept)[at].busy)
            start(a, at);
    }
    return 0;
}

void amending_kick(struct spool *s)
{
    if (s->amendings && s->amend_wake)
        (void)sd_event_source_set_enabled(s->amend_wake, SD_EVENT_ONESHOT);
}

int amending_start(struct spool *s)
{
    int r = sd_event_add_defer(s->event, &s->amend_wake, on_wake, s);

    return r < 0 ? r : sd_event_source_set_enabled(s->amend_wake, SD_EVENT_OFF);
}

/* What has not begun never will. */
void amending_stop(struct spool *s)
{
    struct amending *next;

    s->amend_wake = sd_event_source_disable_unref(s->amend_wake);
    for (struct amending *a = s->amendings; a; a = next) {
        next = a->next;
        if (a->running)
            continue;
        take_out(a);
        amending_free(a);
        s->jobs--;
    }
}

static int copy_texts(struct amending *a, const struct record_amendment *what)
{
    const char *const from[] = {what->label, what->not_inspected, what->summary};
    struct record_amendment *to = &a->amendment.what;

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        a->texts[i] = from[i] ? strdup(from[i]) : NULL;
        if (from[i] && !a->texts[i])
            return -ENOMEM;
    }
    *to = (struct record_amendment){a->texts[0], a->texts[1], a->texts[2], what->latency,
                                    what->covered};
    return 0;
}

int spool_amend(struct spool *s, const char *key, const struct record_amendment *what,
                spool_amended_fn fn, void *userdata)
{
    struct amending *a = calloc(1, sizeof(*a)), **link = &s->amendings;

    if (!a)
        return -ENOMEM;
    if (copy_texts(a, what) < 0) {
        amending_free(a);
        return -ENOMEM;
    }
    a->spool = s;
    (void)snprintf(a->key, sizeof(a->key), "%s", key);
    a->fn = fn;
    a->userdata = userdata;
    while (*link)
        link = &(*link)->next;
    *link = a;
    s->jobs++; /* from here on, and until end() */
    amending_kick(s);
    return 0;
}

void spool_set_kept_fn(struct spool *s, spool_kept_fn fn, void *userdata)
{
    s->kept_fn = fn;
    s->kept_userdata = userdata;
}
