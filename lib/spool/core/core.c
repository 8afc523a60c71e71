/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/core.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/backoff.h"
#include "base/loop.h"

usec core_rest(unsigned failures)
{
    static const struct backoff backoff = {.base = CORE_REST_FIRST, .cap = CORE_REST_MOST};

    return backoff_ceiling(&backoff, failures);
}

usec core_now(const struct core *c)
{
    return loop_now(c->event, CLOCK_BOOTTIME);
}

usec core_age_now(const struct core *c)
{
    usec real = loop_now(c->event, CLOCK_REALTIME), boot = core_now(c);
    usec bound = c->base_real + (boot > c->base_boot ? boot - c->base_boot : 0);

    return real < bound ? real : bound;
}

void core_age_begin(struct core *c, usec newest)
{
    c->base_boot = core_now(c);
    c->base_real = newest > 0 ? newest : loop_now(c->event, CLOCK_REALTIME);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct core *c = userdata;

    (void)source;
    c->advance(c->userdata);
    return 0;
}

void core_wake(struct core *c)
{
    if (c->wake)
        (void)sd_event_source_set_enabled(c->wake, SD_EVENT_ONESHOT);
}

void core_job_begins(struct core *c)
{
    c->jobs++;
}

void core_job_ended(struct core *c)
{
    assert(c->jobs > 0);
    c->jobs--;
    if (c->closing && c->jobs == 0)
        c->end(c->userdata);
}

void core_submit(struct core *c, struct disk_job *job)
{
    core_job_begins(c);
    disk_submit(c->disk, job);
}

void core_tmp_name(struct core *c, const char *suffix, char out[static CORE_TMP_SIZE])
{
    (void)snprintf(out, CORE_TMP_SIZE, "tmp-%08" PRIx64 "%s.out", ++c->tmp_counter, suffix);
}

int core_init(struct core *c, sd_event *event, struct disk *disk, const char *path)
{
    *c = (struct core){.event = sd_event_ref(event), .disk = disk};
    return tree_open(&c->tree, path);
}

int core_start(struct core *c, core_fn advance, core_fn end, void *userdata)
{
    c->advance = advance;
    c->end = end;
    c->userdata = userdata;
    return sd_event_add_defer(c->event, &c->wake, on_wake, c);
}

void core_close(struct core *c)
{
    c->closing = true;
    c->wake = sd_event_source_disable_unref(c->wake);
}

void core_done(struct core *c)
{
    c->wake = sd_event_source_disable_unref(c->wake);
    if (c->tree.path)
        tree_close(&c->tree);
    c->event = sd_event_unref(c->event);
}
