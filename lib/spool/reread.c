/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/reread.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/record/name.h"
#include "lib/spool/kept_state.h"

#define BATCH 32                       /* records of one disk job */
#define PAUSE (50 * USEC_PER_MSEC)     /* between two of them */
#define ACCURACY (10 * USEC_PER_MSEC)  /* of the pauses */
#define PAUSE_AFTER_ERROR USEC_PER_MIN /* records could not be read, but perhaps can be later */

struct reread_job {
    struct disk_job job;
    struct reread *reread;
    struct kept_reading readings[BATCH];
    size_t n;
};

static int run(struct disk_job *job)
{
    struct reread_job *j = (struct reread_job *)job;

    for (size_t i = 0; i < j->n; i++)
        kept_read(&j->reread->core->tree, &j->readings[i]);
    return 0;
}

static void pause_for(struct reread *r, usec pause)
{
    (void)sd_event_source_set_time_relative(r->timer, pause);
    (void)sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static void on_read(struct disk_job *job, int result)
{
    struct reread_job *j = (struct reread_job *)job;
    struct reread *r = j->reread;
    struct core *core = r->core;
    bool later = false;

    (void)result;
    r->job = NULL;
    for (size_t i = 0; i < j->n; i++)
        later = !kept_take_over(r->items, &j->readings[i]) || later;
    free(j);
    if (r->timer) {
        pause_for(r, later ? PAUSE_AFTER_ERROR : PAUSE);
        core_wake(core); /* some may be due for their age */
    }
    core_job_ended(core);
}

/* The oldest whose records were not read yet. */
static size_t collect(const struct reread *r, struct kept_reading *readings)
{
    const struct index *ix = &r->items->index;
    const struct retention_item *items = index_items(ix);
    size_t n = 0;

    for (size_t i = 0; i < ix->n && n < BATCH; i++) {
        if (items[i].annotated)
            continue;
        readings[n] = (struct kept_reading){.pending = items[i].pending};
        (void)snprintf(readings[n].key, sizeof(readings[n].key), "%s", index_key(ix, i));
        n++;
    }
    return n;
}

static int on_timer(sd_event_source *s, uint64_t now, void *userdata)
{
    struct reread *r = userdata;
    struct reread_job *j = malloc(sizeof(*j));

    (void)s;
    (void)now;
    if (!j) {
        pause_for(r, PAUSE_AFTER_ERROR);
        return 0;
    }
    j->job = (struct disk_job){.run = run, .done = on_read};
    j->reread = r;
    j->n = collect(r, j->readings);
    if (j->n == 0) {
        free(j);
        reread_stop(r);
        return 0;
    }
    r->job = j;
    core_submit(r->core, &j->job);
    return 0;
}

int reread_begin(struct reread *r)
{
    if (r->timer)
        return 0;
    return sd_event_add_time_relative(r->core->event, &r->timer, CLOCK_MONOTONIC, PAUSE, ACCURACY,
                                      on_timer, r);
}

void reread_stop(struct reread *r)
{
    r->timer = sd_event_source_disable_unref(r->timer);
}
