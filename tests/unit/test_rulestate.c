/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/trigger/rule/rulestate.h"
#include "trace/findings/code.h"
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
    struct rulestate_view view;

    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_ABOVE, 10);
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    rulestate_refused(s, "max_per_hour", now + rule.cooldown + 1);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    assert_int_equal(poll_value(11), RULESTATE_NOTHING);
    rulestate_look(s, &view);
    assert_string_equal(view.refused, "max_per_hour");
    assert_int_equal(view.again, view.fired + rule.cooldown + 1);
    assert_int_equal(view.over, rule.polls); /* however often it was over */
    rulestate_refused(s, "max_per_hour", 0);
    rulestate_look(s, &view);
    assert_int_equal(view.again, view.fired + rule.cooldown);
    now += rule.cooldown;
    assert_int_equal(poll_value(11), RULESTATE_FIRES);
    rulestate_look(s, &view);
    assert_null(view.refused);
    assert_int_equal(view.again, 0);
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

/* A service that restarted fills up and stays so: no leak. */
static void test_warm_up(void **state)
{
    double value = 10;

    (void)state;
    begin(TRIGGER_GAUGE, TRIGGER_GROWTH, 0.5);
    for (int i = 0; i < 400; i++) {
        assert_int_equal(poll_value(value), RULESTATE_NOTHING);
        value = value < 1000 ? value * 2 : value;
    }
    assert_int_equal(phase(), RULESTATE_CALM);
    end();
}

/* Reads that are far apart do not belong together, nor do the times that were counted. */
static void test_gap(void **state)
{
    struct rulestate_view view;

    (void)state;
    begin(TRIGGER_RATE, TRIGGER_ABOVE, 1);
    rule.polls = 2;
    assert_int_equal(poll_value(0), RULESTATE_NOTHING);
    assert_int_equal(poll_value(100), RULESTATE_NOTHING);
    assert_int_equal(phase(), RULESTATE_OVER);
    now += RULESTATE_GAP_POLLS * POLL;
    assert_int_equal(poll_value(1e6), RULESTATE_NOTHING);
    rulestate_look(s, &view);
    assert_string_equal(view.why, "the read before is too long ago");
    assert_int_equal(poll_value(2e6), RULESTATE_NOTHING);
    assert_int_equal(poll_value(3e6), RULESTATE_FIRES);
    end();
    /* One that is only late counts by its real time: 40 in 30 s. */
    begin(TRIGGER_RATE, TRIGGER_ABOVE, 2);
    assert_int_equal(poll_value(0), RULESTATE_NOTHING);
    now += POLL;
    assert_int_equal(poll_value(40), RULESTATE_NOTHING);
    end();
}

static void test_odd_numbers(void **state)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -5};

    (void)state;
    begin(TRIGGER_RATE, TRIGGER_ABOVE, 1);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(poll_value(10), RULESTATE_NOTHING);
        assert_int_equal(poll_value(odd[i]), RULESTATE_NOTHING);
        assert_int_equal(poll_value(1e6), RULESTATE_NOTHING);
        assert_int_equal(poll_value(1e6), RULESTATE_NOTHING);
    }
    assert_int_equal(poll_value(2e6), RULESTATE_FIRES);
    end();
}

/* A poll of a ratio: a counter over a gauge. */
static enum rulestate_event poll_ratio(double first, double second, enum scrape_type type)
{
    const struct scrape_sample a = {.type = type, .value = first};
    const struct scrape_sample b = {.type = SCRAPE_GAUGE, .value = second};
    enum rulestate_event event;
    struct reading r;

    now += POLL;
    assert_int_equal(reading_init(&r, &rule), 0);
    reading_add(&r, READING_FIRST, &a);
    reading_add(&r, READING_SECOND, &b);
    event = rulestate_poll(s, &r, now);
    reading_done(&r);
    return event;
}

static void test_ratio(void **state)
{
    struct rulestate_view view;

    (void)state;
    begin(TRIGGER_RATIO, TRIGGER_ABOVE, 2);
    rule.of[1] = TEXT("b");
    rule.of_rate[0] = true;
    assert_int_equal(poll_ratio(0, 4, SCRAPE_COUNTER), RULESTATE_NOTHING);
    assert_int_equal(poll_ratio(90, 4, SCRAPE_COUNTER), RULESTATE_NOTHING); /* 6 a second / 4 */
    rulestate_look(s, &view);
    assert_true(view.value > 1.49 && view.value < 1.51);
    assert_int_equal(poll_ratio(900, 0, SCRAPE_COUNTER), RULESTATE_NOTHING);
    rulestate_look(s, &view);
    assert_string_equal(view.why, "it is divided by 0");
    /* What has another type is another metric. */
    assert_int_equal(poll_ratio(9000, 4, SCRAPE_UNTYPED), RULESTATE_NOTHING);
    rulestate_look(s, &view);
    assert_string_equal(view.why, "its type changed");
    assert_int_equal(poll_ratio(9900, 4, SCRAPE_UNTYPED), RULESTATE_FIRES);
    end();
}

static enum rulestate_event label(const char *text)
{
    now += 5 * USEC_PER_MIN;
    return rulestate_label(s, text, now);
}

/* It fires when a label comes after one of `after`, and not again while it stays. */
static void test_labels(void **state)
{
    (void)state;
    begin(TRIGGER_LABEL, TRIGGER_BECOMES, 0);
    rule.metrics.interval = 0;
    rule.labels = 1u << CODE_lock | 1u << CODE_throttled;
    rule.after = 1u << CODE_healthy | 1u << CODE_idle;
    assert_int_equal(label("lock-contention"), RULESTATE_NOTHING); /* what was before? */
    assert_int_equal(label("cpu-throttled"), RULESTATE_NOTHING);
    assert_int_equal(label("gc-pressure"), RULESTATE_NOTHING);
    assert_int_equal(label("lock-contention"), RULESTATE_NOTHING); /* gc-pressure is not in it */
    assert_int_equal(label("healthy"), RULESTATE_NOTHING);
    assert_int_equal(label(NULL), RULESTATE_NOTHING);
    assert_int_equal(label("no-such-label"), RULESTATE_NOTHING);
    assert_int_equal(label("lock-contention"), RULESTATE_FIRES);
    assert_int_equal(label("cpu-throttled"), RULESTATE_NOTHING);
    assert_int_equal(label("idle"), RULESTATE_NOTHING);
    assert_int_equal(label("cpu-throttled"), RULESTATE_FIRES);
    end();
}

static void test_values(void **state)
{
    (void)state;
    begin(TRIGGER_VALUE, TRIGGER_BELOW, 0.5);
    rule.metrics.interval = 0;
    assert_int_equal(rulestate_value(s, true, 0.9, now), RULESTATE_NOTHING);
    assert_int_equal(rulestate_value(s, true, 0.4, now + 1), RULESTATE_FIRES);
    assert_int_equal(rulestate_value(s, false, 0, now + USEC_PER_MIN), RULESTATE_NOTHING);
    assert_int_equal(rulestate_value(s, false, 0, now + 2 * USEC_PER_HOUR),
                     RULESTATE_BECOMES_BLIND);
    end();
}

/* The most that one rule takes: all buckets, and a baseline. */
static void test_most_memory(void **state)
{
    struct reading r;

    (void)state;
    begin(TRIGGER_HISTOGRAM, TRIGGER_TIMES_BASELINE, 4);
    assert_int_equal(reading_init(&r, &rule), 0);
    for (int i = 0; i < 2 * BUCKETS_MAX; i++) {
        char le[16];

        (void)snprintf(le, sizeof(le), "%d", i);
        assert_true(buckets_add_le(r.buckets, le, i));
    }
    r.sum[0].series = 1;
    assert_int_equal(rulestate_poll(s, &r, now), RULESTATE_NOTHING);
    reading_done(&r);
    print_message("%zu bytes\n", rulestate_memory(s));
    assert_true(rulestate_memory(s) <= RULESTATE_MEMORY_MAX);
    assert_true(rulestate_memory(s) > BUCKETS_MAX * sizeof(struct bucket));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warm_up),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_odd_numbers),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_most_memory),
        cmocka_unit_test(test_polls_in_a_row),
        cmocka_unit_test(test_hysteresis_and_cooldown),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_times_baseline),
        cmocka_unit_test(test_blind),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
