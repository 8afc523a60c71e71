/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records whose rows may never have been written: those younger than the mark. They are taken page
 * by page, the newest first, with pauses, so that captures do not wait for them.
 */

#include <stdio.h>
#include <time.h>

#include "daemon/rows/rowbook_state.h"

#define PAGE 32
#define PAUSE (50 * USEC_PER_MSEC)
#define PAUSE_AFTER_ERROR USEC_PER_MIN
#define ACCURACY (10 * USEC_PER_MSEC)

static void pause_for(struct rowbook *b, usec wait)
{
    (void)sd_event_source_set_time_relative(b->pause, wait);
    (void)sd_event_source_set_enabled(b->pause, SD_EVENT_ONESHOT);
}

static void on_page(void *userdata, int r, const struct spool_page *page)
{
    struct rowbook *b = userdata;

    b->page = NULL;
    if (r < 0) {
        pause_for(b, PAUSE_AFTER_ERROR);
        return;
    }
    for (size_t i = 0; i < page->n; i++)
        b->up->take(b, page->entries[i].key);
    b->catching = page->n > 0 && page->more;
    if (b->catching) {
        (void)snprintf(b->before, sizeof(b->before), "%s", page->entries[page->n - 1].key);
        pause_for(b, PAUSE);
    }
    b->up->step(b);
}

static int on_pause(sd_event_source *source, uint64_t now, void *userdata)
{
    struct rowbook *b = userdata;
    const struct spool_query query = {
        .since = b->since,
        .until = b->until,
        .before = b->before[0] ? b->before : NULL,
        .limit = PAGE,
    };

    (void)source;
    (void)now;
    if (!b->catching || b->page)
        return 0;
    if (b->taken)
        pause_for(b, PAUSE);
    else if (spool_list(b->spool, &query, on_page, b, &b->page) < 0)
        pause_for(b, PAUSE_AFTER_ERROR);
    return 0;
}

int rowbook_catchup_new(struct rowbook *b)
{
    int r = sd_event_add_time(b->event, &b->pause, CLOCK_BOOTTIME, 0, ACCURACY, on_pause, b);

    return r < 0 ? r : sd_event_source_set_enabled(b->pause, SD_EVENT_OFF);
}

void rowbook_catchup_begin(struct rowbook *b)
{
    struct spool_stats stats;

    spool_stats(b->spool, &stats);
    b->until = stats.newest + 1;
    b->catching = true;
    b->missed = false; /* unless something is missed from now on */
    b->before[0] = '\0';
    pause_for(b, PAUSE);
}

void rowbook_catchup_stop(struct rowbook *b)
{
    b->catching = false;
    if (b->page)
        spool_list_forget(b->page);
    b->page = NULL;
    (void)sd_event_source_set_enabled(b->pause, SD_EVENT_OFF);
}
