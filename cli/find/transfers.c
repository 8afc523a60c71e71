/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/transfers.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/screen.h"
#include "cli/find/download.h"
#include "cli/find/parcel.h"
#include "cli/find/progress.h"

#define REDRAW (100 * USEC_PER_MSEC)

struct transfers;

/*
 * One transfer. From the spool: one job on a disk thread. From the store: download the record, a
 * job that prepares, download the trace, a job that verifies and publishes.
 */
struct transfer {
    struct transfers *all;
    struct entry *entry; /* NULL: free */
    struct parcel parcel;
    struct disk_job job;
    bool in_job, from_store;
    bool too_long; /* the store sent more than the trace's size */
    struct download *download;
    char record[NAME_KEY_MAX];
};

struct transfers {
    struct sources *sources;
    const struct transfers_options *options;
    struct catalog *catalog;
    struct transfer *slots;
    size_t next; /* entry */
    unsigned busy;
    int out;
    bool failed;
    struct progress progress;
    sd_event_source *timer;
    size_t pulled, there;
    uint64_t bytes;
};

static void say_failure(struct transfer *t, enum parcel_end end, const char *text)
{
    const struct transfers *all = t->all;
    struct parcel_story story = {.parcel = &t->parcel,
                                 .end = end,
                                 .directory = all->options->directory,
                                 .text = text,
                                 .asked_spool = all->sources->has_local,
                                 .asked_store = t->from_store};

    progress_clear(&t->all->progress);
    parcel_say(&story);
}

static void say_success(struct transfer *t, enum parcel_end end)
{
    if (!*t->parcel.sha256)
        progress_clear(&t->all->progress);
    parcel_say_success(&t->parcel, end, t->from_store, t->all->progress.width > 0);
}

/* `text`: the store's error; NULL: none. */
static void finish(struct transfer *t, enum parcel_end end, const char *text)
{
    struct transfers *all = t->all;

    t->entry->here = end == PARCEL_PULLED || end == PARCEL_THERE;
    if (t->entry->here)
        say_success(t, end);
    else if (end != PARCEL_CANCELLED)
        say_failure(t, end, text);
    all->failed = all->failed || !t->entry->here;
    all->pulled += end == PARCEL_PULLED;
    all->there += end == PARCEL_THERE;
    all->bytes += end == PARCEL_PULLED ? t->parcel.arrival.landing.size : t->entry->size;
    all->progress.files_done++;
    parcel_done(&t->parcel);
    t->entry = NULL;
    all->busy--;
}

static void submit(struct transfer *t, int (*run)(struct disk_job *job),
                   void (*done)(struct disk_job *job, int r))
{
    t->job = (struct disk_job){.run = run, .done = done};
    t->in_job = true;
    disk_submit(t->all->sources->disk, &t->job);
}

static struct transfer *transfer_of(struct disk_job *job)
{
    return (struct transfer *)((char *)job - offsetof(struct transfer, job));
}

static int run_settle(struct disk_job *job)
{
    return (int)parcel_settle(&transfer_of(job)->parcel);
}

static void on_settled(struct disk_job *job, int r)
{
    struct transfer *t = transfer_of(job);

    t->in_job = false;
    finish(t, (enum parcel_end)r, NULL);
}

static int begin_trace(void *userdata)
{
    struct transfer *t = userdata;

    atomic_store(&t->parcel.bytes, 0);
    t->too_long = false;
    t->parcel.error = arrival_begin(&t->parcel.arrival);
    return t->parcel.error;
}

static int on_trace(void *userdata, const void *data, size_t n)
{
    struct transfer *t = userdata;

    uint64_t before = atomic_fetch_add(&t->parcel.bytes, n), most = t->parcel.most;

    /* A store that sends without end must not fill the disk. */
    t->too_long = most > 0 && (before > most || n > most - before);
    if (t->too_long)
        return -EFBIG;
    t->parcel.error = arrival_write(&t->parcel.arrival, data, n);
    return t->parcel.error;
}

static void on_trace_done(void *userdata, const struct store_result *result)
{
    struct transfer *t = userdata;

    t->download = NULL;
    if (result->end == STORE_DONE) {
        if (!*t->parcel.sha256)
            memcpy(t->parcel.sha256, result->sha256, sizeof(t->parcel.sha256));
        submit(t, run_settle, on_settled);
    } else if (t->too_long) {
        finish(t, PARCEL_DAMAGED, NULL);
    } else if (t->parcel.error < 0) {
        finish(t, PARCEL_NO_PLACE, NULL);
    } else if (result->end == STORE_MISSING) {
        finish(t, PARCEL_MISSING, NULL);
    } else {
        finish(t, PARCEL_NO_SOURCE, result->text);
    }
}

static int run_prepare(struct disk_job *job)
{
    return (int)parcel_prepare(&transfer_of(job)->parcel);
}

static void on_prepared(struct disk_job *job, int r)
{
    static const struct download_handlers handlers = {begin_trace, on_trace, on_trace_done};
    struct transfer *t = transfer_of(job);
    struct sources *s = t->all->sources;

    t->in_job = false;
    if (r != PARCEL_GOES_ON)
        finish(t, (enum parcel_end)r, NULL);
    else if (atomic_load(&t->parcel.cancelled))
        finish(t, PARCEL_CANCELLED, NULL);
    else if (download_start(s->event, s->store, t->entry->key, &handlers, t, &t->download) < 0)
        finish(t, PARCEL_NO_SOURCE, "not enough memory");
}

static int begin_record(void *userdata)
{
    struct transfer *t = userdata;

    buf_clear(&t->parcel.record);
    return 0;
}

static int on_record(void *userdata, const void *data, size_t n)
{
    struct transfer *t = userdata;

    return buf_add(&t->parcel.record, data, n);
}

static void on_record_done(void *userdata, const struct store_result *result)
{
    struct transfer *t = userdata;

    t->download = NULL;
    if (result->end != STORE_DONE && result->end != STORE_MISSING) {
        finish(t, PARCEL_NO_SOURCE, *result->text ? result->text : "its record cannot be read");
        return;
    }
    if (result->end == STORE_MISSING)
        buf_clear(&t->parcel.record);
    if (parcel_use_record(&t->parcel) < 0)
        finish(t, PARCEL_NO_SOURCE, "not enough memory");
    else
        submit(t, run_prepare, on_prepared);
}

static void start_store(struct transfer *t)
{
    static const struct download_handlers handlers = {begin_record, on_record, on_record_done};
    struct sources *s = t->all->sources;

    t->from_store = true;
    (void)name_record_key(t->entry->key, t->record);
    if (download_start(s->event, s->store, t->record, &handlers, t, &t->download) < 0)
        finish(t, PARCEL_NO_SOURCE, "not enough memory");
}

static int run_copy(struct disk_job *job)
{
    struct transfer *t = transfer_of(job);

    return (int)parcel_copy(&t->parcel, &t->all->sources->local);
}

static void init_parcel(struct transfer *t)
{
    const struct transfers_options *o = t->all->options;

    parcel_init(&t->parcel, t->entry->key, t->all->out, o->flat, o->force);
}

/* If the spool has no such trace, or one that is damaged or cannot be read, tries the store. */
static void on_copied(struct disk_job *job, int r)
{
    struct transfer *t = transfer_of(job);
    bool other = t->all->sources->store && !t->all->sources->interrupt.number;

    t->in_job = false;
    if (!other || (r != PARCEL_MISSING && r != PARCEL_DAMAGED && r != PARCEL_NO_SOURCE)) {
        finish(t, (enum parcel_end)r, NULL);
        return;
    }
    if (r != PARCEL_MISSING) {
        say_failure(t, (enum parcel_end)r, NULL);
        complain("%s: the store is asked for it", t->entry->key);
    }
    parcel_done(&t->parcel);
    init_parcel(t);
    start_store(t);
}

static void start(struct transfer *t, struct entry *e)
{
    struct transfers *all = t->all;

    t->entry = e;
    t->from_store = false;
    all->busy++;
    init_parcel(t);
    /* An entry without a place was named by the user. */
    if (all->sources->has_local && (e->where == 0 || (e->where & WHERE_LOCAL)))
        submit(t, run_copy, on_copied);
    else if (all->sources->store)
        start_store(t);
    else
        finish(t, PARCEL_MISSING, NULL);
}

static void draw(struct transfers *all)
{
    uint64_t bytes = all->bytes;

    for (unsigned i = 0; i < all->options->concurrency; i++) {
        if (all->slots[i].entry)
            bytes += atomic_load(&all->slots[i].parcel.bytes);
    }
    all->progress.bytes_done = bytes;
    progress_draw(&all->progress, clock_boot());
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    draw(userdata);
    return sd_event_source_set_time(source, now + REDRAW);
}

static void fill(struct transfers *all)
{
    for (unsigned i = 0; i < all->options->concurrency; i++) {
        struct transfer *t = &all->slots[i];

        while (!t->entry && all->next < all->catalog->n)
            start(t, &all->catalog->items[all->next++]);
    }
}

/* Cancels all transfers and waits for the disk threads; part files are removed. */
static void cancel(struct transfers *all)
{
    for (unsigned i = 0; i < all->options->concurrency; i++) {
        struct transfer *t = &all->slots[i];

        if (!t->entry)
            continue;
        atomic_store(&t->parcel.cancelled, true);
        if (t->download) {
            download_cancel(t->download);
            t->download = NULL;
            finish(t, PARCEL_CANCELLED, NULL);
        }
    }
    all->next = all->catalog->n;
    while (all->busy > 0 && sd_event_run(all->sources->event, UINT64_MAX) >= 0)
        ;
}

static int run(struct transfers *all)
{
    int r = 0;

    do {
        fill(all);
        if (all->busy > 0)
            r = sources_wait(all->sources);
    } while (r == 0 && (all->busy > 0 || all->next < all->catalog->n));
    if (r < 0)
        cancel(all);
    return r;
}

static void say_total(const struct transfers *all)
{
    char size[PARSE_TEXT_SIZE];

    if (all->progress.width == 0)
        return;
    (void)fprintf(stderr, "%zu pulled, %zu already here, %s\n", all->pulled, all->there,
                  format_size(all->bytes, size));
}

static bool is_here(const struct entry *e, const void *userdata)
{
    (void)userdata;
    return e->here;
}

static int run_slots(struct transfers *all)
{
    int r;

    for (unsigned i = 0; i < all->options->concurrency; i++)
        all->slots[i].all = all;
    if (all->progress.width > 0)
        (void)sd_event_add_time_relative(all->sources->event, &all->timer, CLOCK_BOOTTIME, REDRAW,
                                         REDRAW / 10, on_timer, all);
    if (all->timer)
        (void)sd_event_source_set_enabled(all->timer, SD_EVENT_ON);
    r = run(all);
    (void)sd_event_source_disable_unref(all->timer);
    progress_clear(&all->progress);
    catalog_filter(all->catalog, is_here, NULL);
    return r < 0 ? r : all->failed;
}

int transfers_run(struct sources *s, const struct transfers_options *o, struct catalog *c)
{
    _cleanup_close_ int out = landing_open(o->directory);
    struct transfers all = {.sources = s, .options = o, .catalog = c, .out = out};
    uint64_t bytes = 0;
    int r;

    if (out < 0) {
        complain("%s cannot be used: %s", o->directory, strerror(-out));
        return -EIO;
    }
    all.slots = calloc(o->concurrency, sizeof(*all.slots));
    if (!all.slots)
        return complain_memory();
    for (size_t i = 0; i < c->n; i++)
        bytes += c->items[i].size;
    progress_init(&all.progress, c->n, bytes, clock_boot());
    r = run_slots(&all);
    if (r >= 0)
        say_total(&all);
    free(all.slots);
    return r;
}
