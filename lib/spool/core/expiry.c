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

/* The oldest trace that may be deleted for its age, or NULL. */
static const struct retention_item *next_to_expire(const struct index *ix)
{
    const struct retention_item *items = index_items(ix);

    for (size_t i = 0; i < ix->n; i++) {
        if (!items[i].pending && !items[i].busy && !items[i].failed)
            return &items[i];
    }
    return NULL;
}

static bool age_matters(const struct expiry *e)
{
    usec most = e->facts->limits.max_age;

    return most > 0 && most < USEC_NEVER / 4;
}

/* Boot time at which a trace comes of age. A trace that is overdue could not even be tried, so it
 * waits another minute. */
static usec end_of(const struct expiry *e, usec time)
{
    usec boot = core_now(e->core), age = core_age_now(e->core);
    usec end = time + e->facts->limits.max_age + USEC_PER_SEC;

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
    const struct retention_item *item =
        age_matters(e) ? next_to_expire(&e->facts->items->index) : NULL;
    usec due = item ? end_of(e, item->time) : USEC_NEVER, accuracy = EXPIRY_ACCURACY;

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
    due = end_of(e, time);
    (void)sd_event_source_get_enabled(e->timer, &enabled);
    (void)sd_event_source_get_time(e->timer, &armed);
    if (enabled == SD_EVENT_OFF || armed > due)
        set(e, due, EXPIRY_ACCURACY);
}
