/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/amending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/name.h"
#include "lib/spool/disk/amendment.h"
#include "lib/spool/core/space.h"

/* A request to replace one trace's record. */
struct amending_job {
    struct disk_job job;
    struct amending *amending;
    struct amending_job *next;
    /* True: on a disk thread, and its item is busy; false: waits until the item is idle. */
    bool running;
    char key[NAME_KEY_MAX];
    char tmp[CORE_TMP_SIZE];
    char *texts[3]; /* copies of the texts that what.label, .not_inspected and .summary point to */
    struct amendment amendment;
    amending_fn fn;
    void *userdata;
};

static void job_free(struct amending_job *j)
{
    for (size_t i = 0; i < sizeof(j->texts) / sizeof(j->texts[0]); i++)
        free(j->texts[i]);
    free(j);
}

static void take_out(struct amending_job *j)
{
    struct amending_job **link = &j->amending->jobs;

    while (*link != j)
        link = &(*link)->next;
    *link = j->next;
}

static void end(struct amending_job *j, int r)
{
    struct core *core = j->amending->core;

    take_out(j);
    if (j->fn && !core->closing)
        j->fn(r, j->key, j->userdata);
    job_free(j);
    core_job_ended(core);
}

static int run(struct disk_job *job)
{
    return amendment_run(&((struct amending_job *)job)->amendment);
}

/* Label and numbers are those that were asked for; a long record may tell them shorter. */
static void take_over(struct items *items, size_t at, const struct amendment *a)
{
    struct record_annotation found = a->found;

    (void)snprintf(found.label, sizeof(found.label), "%s", a->what.label);
    found.latency = a->what.latency;
    found.covered = a->what.covered;
    index_annotate(&items->index, at, &found);
    index_resize(&items->index, at,
                 items_at(items, at)->bytes - space_round(a->before) + space_round(a->after));
}

static void on_amended(struct disk_job *job, int r)
{
    struct amending_job *j = (struct amending_job *)job;
    struct items *items = j->amending->items;
    struct queue *queue = j->amending->queue;
    size_t at;

    if (items_find(items, j->key, &at)) { /* always true: nobody removes a busy item */
        if (r >= 0)
            take_over(items, at, &j->amendment);
        items_idle(items, at);
        queue_release(queue, at);
        if (items_at(items, at)->pending)
            queue_now(queue, at); /* the queue passed over it while it was busy */
    }
    end(j, r);
}

/* `at` is the place of its trace in the index. The item is idle. */
static void start(struct amending_job *j, size_t at)
{
    struct core *core = j->amending->core;
    struct retention_item *item = items_at(j->amending->items, at);

    item->busy = true;
    j->running = true;
    j->amendment.tree = &core->tree;
    j->amendment.top = item->pending ? core->tree.pending : core->tree.archive;
    j->amendment.key = j->key;
    j->amendment.tmp = j->tmp;
    core_tmp_name(core, "-amended", j->tmp);
    j->job = (struct disk_job){.run = run, .done = on_amended};
    disk_submit(core->disk, &j->job);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct amending *a = userdata;
    struct amending_job *next;

    (void)source;
    for (struct amending_job *j = a->jobs; j; j = next) {
        size_t at;

        next = j->next;
        if (j->running)
            continue;
        if (!items_find(a->items, j->key, &at))
            end(j, -ENOENT);
        else if (!items_at(a->items, at)->busy)
            start(j, at);
    }
    return 0;
}

void amending_kick(struct amending *a)
{
    if (a->jobs && a->wake)
        (void)sd_event_source_set_enabled(a->wake, SD_EVENT_ONESHOT);
}

int amending_start(struct amending *a, struct core *core, struct items *items, struct queue *queue)
{
    int r;

    *a = (struct amending){.core = core, .items = items, .queue = queue};
    r = sd_event_add_defer(core->event, &a->wake, on_wake, a);
    return r < 0 ? r : sd_event_source_set_enabled(a->wake, SD_EVENT_OFF);
}

void amending_stop(struct amending *a)
{
    struct amending_job *next;

    a->wake = sd_event_source_disable_unref(a->wake);
    for (struct amending_job *j = a->jobs; j; j = next) {
        next = j->next;
        if (j->running)
            continue;
        take_out(j);
        job_free(j);
        core_job_ended(a->core);
    }
}

static int copy_texts(struct amending_job *j, const struct record_amendment *what)
{
    const char *const from[] = {what->label, what->not_inspected, what->summary};
    struct record_amendment *to = &j->amendment.what;

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        j->texts[i] = from[i] ? strdup(from[i]) : NULL;
        if (from[i] && !j->texts[i])
            return -ENOMEM;
    }
    *to = (struct record_amendment){j->texts[0], j->texts[1], j->texts[2], what->latency,
                                    what->covered};
    return 0;
}

int amending_add(struct amending *a, const char *key, const struct record_amendment *what,
                 amending_fn fn, void *userdata)
{
    struct amending_job *j = calloc(1, sizeof(*j)), **link = &a->jobs;

    if (!j)
        return -ENOMEM;
    if (copy_texts(j, what) < 0) {
        job_free(j);
        return -ENOMEM;
    }
    j->amending = a;
    (void)snprintf(j->key, sizeof(j->key), "%s", key);
    j->fn = fn;
    j->userdata = userdata;
    while (*link)
        link = &(*link)->next;
    *link = j;
    core_job_begins(a->core); /* until end() */
    amending_kick(a);
    return 0;
}
