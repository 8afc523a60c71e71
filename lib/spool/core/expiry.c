/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/expiry.h"

#include <time.h>

int expiry_start(struct expiry *e, const struct core *core, const struct facts *facts,
                 sd_event_time_handler_t advance, void *userdata)
{
    *e = (struct expiry){.core = core, .facts = facts};
    for (unsigned i = 0; i < EXPIRY_RETRIES; i++)
        e->retry[i] = USEC_NEVER;
    return sd_event_add_time(core->event, &e->timer, CLOCK_BOOTTIME, 0, EXPIRY_ACCURACY, advance,
                             userdata);
}

void expiry_stop(struct expiry *e)
{
    e->timer = sd_event_source_disable_unref(e->timer);
}

void expiry_set_retry(struct expiry *e, enum expiry_retry which, usec time)
{
    e->retry[which] = time;
}

/* Real time at which the next trace may be deleted for its age; USEC_NEVER: there is none. No trace
 * comes of age before max_age. */
static usec next_end(const struct expiry *e)
{
    const struct index *ix = &e->facts->items->index;
    const struct retention_item *items = index_items(ix);
    const struct retention_limits *l = &e->facts->limits;
    usec next = USEC_NEVER;

    for (size_t i = 0; i < ix->n && items[i].time < next && next - items[i].time > l->max_age;
         i++) {
        usec end = retention_end(&items[i], l);

        if (!items[i].pending && !items[i].busy && !items[i].failed && end < next)
            next = end;
    }
    return next;
}

static bool age_matters(const struct expiry *e)
{
    usec most = e->facts->limits.max_age;

    return most > 0 && most < USEC_NEVER / 4;
}

/* Boot time at which a trace is deleted that comes of age at this real time. A trace that is overdue
 * could not even be tried, so it waits another minute. */
static usec due_of(const struct expiry *e, usec end)
{
    usec boot = core_now(e->core), age = core_age_now(e->core);

    end += USEC_PER_SEC;
    return boot + (end > age + USEC_PER_MIN ? end - age : USEC_PER_MIN);
}

static void set(struct expiry *e, usec due, usec accuracy)
{
    if (due != USEC_NEVER) {
        (void)sd_event_source_set_time_accuracy(e->timer, accuracy);
        (void)sd_event_source_set_time(e->timer, due);
    }
    (void)sd_event_source_set_enabled(e->timer,
                                      due == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void expiry_arm(struct expiry *e)
{
    usec end = age_matters(e) ? next_end(e) : USEC_NEVER, accuracy = EXPIRY_ACCURACY;
    usec due = end != USEC_NEVER ? due_of(e, end) : USEC_NEVER;

    if (!e->timer)
        return;
    for (unsigned i = 0; i < EXPIRY_RETRIES; i++) {
        if (e->retry[i] < due) {
            due = e->retry[i];
            accuracy = EXPIRY_RETRY_ACCURACY;
        }
    }
    set(e, due, accuracy);
}

void expiry_joined(struct expiry *e, usec time)
{
    int enabled = SD_EVENT_OFF;
    uint64_t armed = 0;
    usec due;

    if (!e->timer || !age_matters(e))
        return;
    due = due_of(e, time + e->facts->limits.max_age);
    (void)sd_event_source_get_enabled(e->timer, &enabled);
    (void)sd_event_source_get_time(e->timer, &armed);
    if (enabled == SD_EVENT_OFF || armed > due)
        set(e, due, EXPIRY_ACCURACY);
}
