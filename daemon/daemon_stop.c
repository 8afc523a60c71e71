/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/control/notify.h"
#include "daemon/daemon_state.h"

static int on_leave(sd_event_source *s, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    if (part_table_ended(d->parts, d))
        (void)sd_event_exit(d->event, 0);
    return 0;
}

/* After each dispatch, checks whether everything in flight has ended. */
static int on_post(sd_event_source *s, void *userdata)
{
    return on_leave(s, userdata);
}

static int on_deadline(sd_event_source *s, uint64_t now, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    (void)now;
    log_warn("shutdown_timeout is over: captures in flight are cut at their last whole generation, "
             "and what is not uploaded stays in pending/");
    d->stage = STAGE_CUT;
    part_table_cut(d->parts, d);
    return 0;
}

void daemon_stop(struct daemon *d, const char *why)
{
    if (d->stage != STAGE_RUNNING) {
        log_warn("%s again: exiting at once; what is in incoming/ is swept at the next start", why);
        _exit(EXIT_FAILURE);
    }
    d->stage = STAGE_DRAINING;
    notify_stopping();
    log_info(pipeline_idle(d->pipeline) && uploader_idle(d->uploader)
                 ? "%s: stopping"
                 : "%s: stopping; what is in flight may finish",
             why);
    part_table_drain(d->parts, d);
    (void)sd_event_source_set_time_relative(d->deadline, d->config->shutdown_timeout);
    (void)sd_event_source_set_enabled(d->deadline, SD_EVENT_ONESHOT);
    (void)sd_event_source_set_enabled(d->leave, SD_EVENT_ON);
    (void)on_leave(NULL, d);
}

void daemon_stop_free(struct daemon *d)
{
    d->deadline = sd_event_source_disable_unref(d->deadline);
    d->leave = sd_event_source_disable_unref(d->leave);
}

/* Makes the event sources at the start, so that stopping needs no memory. */
int daemon_stop_new(struct daemon *d)
{
    int r = sd_event_add_post(d->event, &d->leave, on_post, d);

    if (r >= 0)
        r = sd_event_source_set_enabled(d->leave, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(d->event, &d->deadline, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC,
                              on_deadline, d);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->deadline, SD_EVENT_OFF);
    if (r < 0)
        daemon_stop_free(d);
    return r < 0 ? r : 0;
}
