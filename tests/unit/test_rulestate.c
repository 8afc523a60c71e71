/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/trigger/rule/rulestate.h"
#include "tests/support/text.h"

#define POLL (15 * USEC_PER_SEC)

static struct trigger_config rule;
static struct rulestate *s;
static usec now;

static void begin(enum trigger_measure measure, enum trigger_test test, double limit)
{
    rule = (struct trigger_config){.name = TEXT("r"),
                                   .metrics = {TEXT("/metrics"), POLL},
                                   .measure = measure,
                                   .of = {TEXT("a"), NULL},
                                   .test = test,
                                   .limit = limit,
                                   .over = 10 * USEC_PER_MIN,
                                   .polls = 1,
                                   .cooldown = USEC_PER_MIN};
    now = USEC_PER_HOUR;
    assert_int_equal(rulestate_new(&rule, now, &s), 0);
}

/* A poll, an interval later. */
static enum rulestate_event poll_value(double value)
{
    const struct scrape_sample sample = {.type = SCRAPE_GAUGE, .value = value};
    enum rulestate_event event;
    struct reading r;

    now += POLL;
    assert_int_equal(reading_init(&r, &rule), 0);
    reading_add(&r, READING_FIRST, &sample);
    event = rulestate_poll(s, &r, now);
    reading_done(&r);
    return event;
}

static enum rulestate_phase phase(void)
{
    struct rulestate_view view;

    rulestate_look(s, &view);
    return view.phase;
}

static void end(void)
{
    rulestate_free(s);
    s = NULL;
}

static void test_polls_in_a_row(void **state)
{
    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_ABOVE, 10);
    rule.polls = 3;
    assert_int_equal(phase(), RULESTATE_WAITING);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    assert_int_equal(phase(), RULESTATE_OVER);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    assert_int_equal(poll_value(10), RULESTATE_NOTHING); /* not more than the limit */
    assert_int_equal(phase(), RULESTATE_CALM);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    assert_int_equal(poll_value(12), RULESTATE_NOTHING);
    assert_int_equal(poll_value(13), RULESTATE_FIRES);
    assert_int_equal(phase(), RULESTATE_FIRED);
    end();
}

/* Once it fell clearly below it may fire again, after its cooldown. */
static void test_hysteresis_and_cooldown(void **state)
{
    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_ABOVE, 10);
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    for (int i = 0; i < 20; i++)
        assert_int_equal(poll_value(i % 2 ? 11 : 9), RULESTATE_NOTHING);
    assert_int_equal(phase(), RULESTATE_FIRED);
    assert_int_equal(poll_value(5), RULESTATE_NOTHING);
    assert_int_equal(phase(), RULESTATE_CALM);
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    assert_int_equal(poll_value(1), RULESTATE_NOTHING);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING); /* within the cooldown */
    now += rule.cooldown;
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    end();
}

static void test_refused(void **state)
{
    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_ABOVE, 10);
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    rulestate_refused(s);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    now += rule.cooldown;
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    end();
}

/* A rate is that between two reads; a counter that fell began anew. */
static void test_rate(void **state)
{
    struct rulestate_view view;

    (void)state;
    begin(TRIGGER_RATE, TRIGGER_ABOVE, 1);
    assert_int_equal(poll_value(1e9), RULESTATE_NOTHING);
    assert_int_equal(phase(), RULESTATE_WAITING);
    assert_int_equal(poll_value(1e9 + 15), RULESTATE_NOTHING); /* 1 a second */
    rulestate_look(s, &view);
    assert_true(view.value > 0.99 && view.value < 1.01);
    assert_int_equal(poll_value(10), RULESTATE_NOTHING);
    assert_int_equal(poll_value(100), RULESTATE_FIRES); /* 6 a second */
    end();
}

/* The ends of the span count by their medians. */
static void test_growth(void **state)
{
    unsigned fires = 0;

    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_GROWTH, 0.5);
    for (int i = 0; i < 60; i++)
        assert_int_equal(poll_value(100 + i % 3), RULESTATE_NOTHING);
    assert_int_equal(poll_value(1000), RULESTATE_NOTHING); /* one value is no growth */
    for (int i = 0; i < 30; i++)
        assert_int_equal(poll_value(140), RULESTATE_NOTHING);
    for (int i = 0; i < 8; i++)
        fires += poll_value(160) == RULESTATE_FIRES;
    assert_int_equal(fires, 1);
    end();
}

static void test_times_baseline(void **state)
{
    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_TIMES_BASELINE, 4);
    for (int i = 0; i < 240; i++)
        assert_int_equal(poll_value(10 + i % 5), RULESTATE_NOTHING);
    assert_int_equal(poll_value(45), RULESTATE_NOTHING);
    assert_int_equal(poll_value(60), RULESTATE_FIRES);
    end();
}

/* What is not served for an hour is said once, and that it is again. */
static void test_blind(void **state)
{
    enum rulestate_event event = RULESTATE_NOTHING;
    struct reading none;
    unsigned said = 0;

    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_ABOVE, 10);
    assert_int_equal(poll_value(1), RULESTATE_NOTHING);
    for (int i = 0; i < 300; i++) {
        now += POLL;
        assert_int_equal(reading_init(&none, &rule), 0);
        event = rulestate_poll(s, &none, now);
        reading_done(&none);
        said += event == RULESTATE_BECOMES_BLIND;
    }
    assert_int_equal(said, 1);
    assert_int_equal(phase(), RULESTATE_BLIND);
    assert_int_equal(poll_value(1), RULESTATE_SEES_AGAIN);
    assert_int_equal(phase(), RULESTATE_CALM);
    end();
}

static void test_memory(void **state)
{
    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_TIMES_BASELINE, 4);
    for (int i = 0; i < 1000; i++)
        (void)poll_value(10);
    assert_true(rulestate_memory(s) <= RULESTATE_MEMORY_MAX);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polls_in_a_row), cmocka_unit_test(test_hysteresis_and_cooldown),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_growth),         cmocka_unit_test(test_times_baseline),
        cmocka_unit_test(test_blind),          cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
