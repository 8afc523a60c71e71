/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/stored.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/common/screen.h"
#include "cli/find/download.h"

/* After this many traces in a row that do not match (a page of most stores, with records) a new
 * request starts behind them. */
#define SKIP_AFTER 500

#define OBJECT_KEY_SIZE 1088 /* S3 allows 1024 bytes of a key */

/* How many more than the wanted entries are kept before the catalog is cut. */
#define SURPLUS 1000

struct listing {
    struct sources *sources;
    struct selection selection; /* `since` rises when enough newer traces are known */
    struct catalog *catalog;
    size_t newest;
    const char *prefix;
    char after[OBJECT_KEY_SIZE]; /* the next request begins behind it */
    unsigned useless;
    bool skipping; /* we ended the request; the next one starts behind `after` */
    bool complete; /* no later key can match */
    bool ended;
    struct store_result result;
};

/* Traces older than the newest that are wanted can be skipped. */
static void tighten(struct listing *l)
{
    struct catalog *c = l->catalog;

    if (l->newest == 0 || c->n < l->newest)
        return;
    catalog_merge(c);
    if (c->n < l->newest)
        return;
    catalog_sort(c, order_by_time, false);
    catalog_cut(c, l->newest);
    if (c->items[c->n - 1].name.time > l->selection.since)
        l->selection.since = c->items[c->n - 1].name.time;
}

static int take(struct listing *l, const char *key, uint64_t size)
{
    int r = catalog_add(l->catalog, key, size, WHERE_REMOTE);

    l->useless = 0;
    if (r == 0 && l->newest > 0 && l->catalog->n >= l->newest + SURPLUS)
        tighten(l);
    return r;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct listing *l = userdata;
    char behind[NAME_KEY_MAX];
    struct name name;

    (void)modified;
    if (l->sources->interrupt.number)
        return -EINTR;
    (void)snprintf(l->after, sizeof(l->after), "%s", key);
    if (name_parse(key, &name) < 0)
        return 0;
    if (selection_match(&l->selection, &name))
        return take(l, key, size);
    if (selection_covers(&l->selection, &name))
        return 0; /* another artifact, between those that are wanted */
    l->complete = !selection_skip(&l->selection, &name, behind);
    if (!l->complete && ++l->useless < SKIP_AFTER)
        return 0;
    l->skipping = true;
    if (strcmp(behind, l->after) > 0)
        (void)snprintf(l->after, sizeof(l->after), "%s", behind);
    return -ECANCELED;
}

static void on_listed(void *userdata, const struct store_result *result)
{
    struct listing *l = userdata;

    l->result = *result;
    l->ended = true;
}

/* Runs one listing to its end; the store may need several requests. */
static int list_once(struct listing *l)
{
    struct store_call *call = NULL;
    int r;

    l->ended = l->skipping = false;
    l->useless = 0;
    r = store_list(l->sources->store, l->prefix, l->after, on_object, on_listed, l, &call);
    while (r == 0 && !l->ended)
        r = sources_wait(l->sources);
    if (r < 0 && !l->ended)
        store_cancel(call);
    return r;
}

static int list_range(struct listing *l, const struct range *range)
{
    char before[sizeof(l->after)];
    unsigned tries = 0;
    usec pause;
    int r;

    l->prefix = range->prefix;
    (void)snprintf(l->after, sizeof(l->after), "%s", range->after);
    l->complete = false;
    for (;;) {
        (void)snprintf(before, sizeof(before), "%s", l->after);
        r = list_once(l);
        if (r < 0)
            return r;
        if (l->skipping ? l->complete : l->result.end == STORE_DONE)
            return 0;
        if (l->skipping)
            continue;
        tries = strcmp(before, l->after) == 0 ? tries + 1 : 1;
        pause = download_pause(&l->result, tries, UINT64_MAX);
        if (pause == USEC_NEVER)
            break;
        r = sources_pause(l->sources, pause);
        if (r < 0)
            return r;
    }
    complain("%s cannot be listed: %s", store_describe(l->sources->store), l->result.text);
    return -EIO;
}

static int list_ranges(struct listing *l, usec now)
{
    struct range *ranges = NULL;
    size_t n = 0;
    int r = selection_plan(&l->selection, now, &ranges, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = list_range(l, &ranges[i]);
    free(ranges);
    return r;
}

/*
 * Tries the last day only, which is cheap and likely has the newest traces of a host. True if it
 * had enough.
 */
static bool list_last_day(struct listing *l, usec now, int *ret)
{
    usec since = l->selection.since;

    if (l->newest == 0 || since > 0 || l->selection.until <= now ||
        !selection_one_host(&l->selection))
        return false;
    l->selection.since = now - USEC_PER_DAY;
    *ret = list_ranges(l, now);
    if (*ret < 0)
        return true;
    tighten(l);
    l->selection.since = l->catalog->n < l->newest ? since : l->selection.since;
    return l->catalog->n >= l->newest;
}

int stored_list(struct sources *s, const struct selection *selection, size_t newest, usec now,
                struct catalog *c)
{
    struct listing l = {.sources = s, .selection = *selection, .catalog = c, .newest = newest};
    int r = 0;

    tighten(&l);
    if (!list_last_day(&l, now, &r))
        r = list_ranges(&l, now);
    if (r == -ENOMEM)
        complain("not enough memory");
    return r;
}
