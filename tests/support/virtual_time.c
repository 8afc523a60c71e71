/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/virtual_time.h"

#include <time.h>

#include "tests/support/spool_fixture.h"

#define MOST 32

int __real_sd_event_source_set_time(sd_event_source *s, uint64_t usec);
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t usec);
sd_event_source *__real_sd_event_source_disable_unref(sd_event_source *s);
sd_event_source *__wrap_sd_event_source_disable_unref(sd_event_source *s);

static struct timer {
    sd_event_source *source;
    usec time;
} timers[MOST];
static unsigned n_timers, wakes;

/* A timer of the boot clock only goes off in virtual_pass. */
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t time)
{
    clockid_t clock = CLOCK_REALTIME;
    unsigned i = 0;

    if (sd_event_source_get_time_clock(s, &clock) < 0 || clock != CLOCK_BOOTTIME)
        return __real_sd_event_source_set_time(s, time);
    while (i < n_timers && timers[i].source != s)
        i++;
    assert_true(i < MOST);
    if (i == n_timers)
        n_timers++;
    timers[i] = (struct timer){s, time};
    return __real_sd_event_source_set_time(s, USEC_NEVER - 1);
}

sd_event_source *__wrap_sd_event_source_disable_unref(sd_event_source *s)
{
    for (unsigned i = 0; i < n_timers; i++) {
        if (timers[i].source == s)
            timers[i--] = timers[--n_timers];
    }
    return __real_sd_event_source_disable_unref(s);
}

usec virtual_now(void)
{
    uint64_t now = 0;

    assert_true(sd_event_now(fx.event, CLOCK_BOOTTIME, &now) >= 0);
    return now;
}

static struct timer *first_timer(void)
{
    struct timer *first = NULL;

    for (unsigned i = 0; i < n_timers; i++) {
        int on = SD_EVENT_OFF;

        (void)sd_event_source_get_enabled(timers[i].source, &on);
        if (on != SD_EVENT_OFF && (!first || timers[i].time < first->time))
            first = &timers[i];
    }
    return first;
}

static void move_to(usec time)
{
    usec now = virtual_now();

    if (time > now) {
        boot_shift += (int64_t)(time - now);
        real_shift += (int64_t)(time - now);
    }
}

void virtual_pass(usec time, void (*run)(void))
{
    usec end = virtual_now() + time;
    struct timer *t;

    for (;;) {
        run();
        t = first_timer();
        if (!t || t->time > end)
            break;
        move_to(t->time);
        t->time = USEC_NEVER;
        wakes++;
        assert_true(__real_sd_event_source_set_time(t->source, 1) >= 0);
    }
    move_to(end);
    run();
}

usec virtual_next(void)
{
    const struct timer *t = first_timer();

    return t ? t->time : USEC_NEVER;
}

unsigned virtual_wakes(void)
{
    unsigned n = wakes;

    wakes = 0;
    return n;
}
