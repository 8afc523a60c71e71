/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/label/results.h"
#include "tests/support/text.h"

struct world {
    struct counters counters;
    struct meters *meters;
    struct results *results;
    struct target_job job;
    struct target *target;
    struct lane *lane;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->job = (struct target_job){.refs = 2, .name = TEXT("shop")}; /* never freed */
    assert_int_equal(meters_new(&w->counters, &w->meters), 0);
    meters_expect(w->meters, "shop", 0);
    w->results = results_new(w->meters);
    w->target = target_new("a:1");
    assert_true(w->results && w->target);
    w->target->job = &w->job;
    w->lane = w->target->lanes = lane_new(w->target, artifacts_of_kind(KIND_TRACE));
    assert_non_null(w->lane);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    results_free(w->results);
    assert_int_equal(w->target->refs, 1); /* nobody else has it any more */
    target_unref(w->target);
    meters_free(w->meters);
    free(w);
    return 0;
}

static usec sent;

static void ended(struct world *w, const char *key, bool inspected)
{
    const struct pipeline_end end = {
        .target = w->target,
        .lane = w->lane,
        .outcome = key ? OUTCOME_OK : OUTCOME_CONNECT,
        .text = key ? "" : "refused",
        .key = key,
        .start = 1000,
        .sent = sent,
        .bytes = key ? 5 : 0,
    };

    results_ended(w->results, &end, inspected);
}

static void labelled(struct world *w, const char *key, const char *label)
{
    enum reason reason;

    target_unref(results_labelled(
        w->results, &(struct labelling_label){key, label, 2500, 0.95, NULL}, &reason));
}

static void test_label_follows(void **state)
{
    struct world *w = *state;
    const struct lane_last *last = &w->lane->last;

    ended(w, "one", true);
    assert_string_equal(last->key, "one");
    assert_null(last->label);
    labelled(w, "one", "healthy");
    assert_string_equal(last->label, "healthy");
    assert_true(last->latency > 2499 && last->latency < 2501);
    assert_true(last->covered > 0.94 && last->covered < 0.96);
    assert_int_equal(w->target->refs, 1);
    ended(w, NULL, true); /* the last trace stays what it was */
    assert_int_equal(last->outcome, OUTCOME_CONNECT);
    assert_string_equal(last->text, "refused");
    assert_string_equal(last->key, "one");
    assert_string_equal(last->label, "healthy");
}

/* A label that comes after the next trace says nothing of that. */
static void test_label_of_the_one_before(void **state)
{
    struct world *w = *state;

    ended(w, "one", true);
    ended(w, "two", true);
    labelled(w, "one", "idle");
    assert_string_equal(w->lane->last.key, "two");
    assert_null(w->lane->last.label);
    labelled(w, "two", "gc-pressure");
    assert_string_equal(w->lane->last.label, "gc-pressure");
}

/* No label will come: nothing is remembered for it. */
static void test_not_inspected(void **state)
{
    struct world *w = *state;

    ended(w, "one", false);
    assert_string_equal(w->lane->last.key, "one");
    assert_int_equal(w->target->refs, 1);
}

static void test_bound(void **state)
{
    struct world *w = *state;
    char key[16];

    for (int i = 0; i < RESULTS_AWAITED_MAX + 10; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        ended(w, key, true);
    }
    assert_int_equal(w->target->refs, 1 + RESULTS_AWAITED_MAX);
    labelled(w, key, "idle");
    assert_string_equal(w->lane->last.label, "idle");
}

/* The state is the lane's, so that it survives whatever the lane does. A key that nobody waits for is
 * nobody's. */
static void test_growth(void **state)
{
    struct world *w = *state;
    struct growth growth;
    char key[64];

    for (int i = 0; i < 4; i++) {
        const struct digest digest = {.goroutines = 1000 + 1000 * i, .growing = 5};
        bool grown;

        (void)snprintf(key, sizeof(key), "s/h/20261130/10%02d00-7.trace", 5 * i);
        assert_false(results_grown(w->results, key, &digest, &growth));
        sent = (1 + 5 * (usec)i) * USEC_PER_MIN;
        ended(w, key, true);
        grown = results_grown(w->results, key, &digest, &growth);
        assert_int_equal(grown, i == 3);
        labelled(w, key, "idle");
    }
    assert_int_equal(growth.from, 1000);
    assert_int_equal(growth.to, 4000);
    assert_int_equal(w->lane->growth.pid, 7);
}

/* The clock is set back between the samples, which come after each other all the same. */
static void test_growth_and_clock(void **state)
{
    static const char *const keys[] = {"s/h/20261130/100000-7.trace", "s/h/20261129/100500-7.trace",
                                       "s/h/20261130/095900-7.trace",
                                       "s/h/20261130/095930-7.trace"};
    struct world *w = *state;
    struct growth growth;

    for (unsigned i = 0; i < 4; i++) {
        const struct digest digest = {.goroutines = 1000 * (i + 1), .growing = 7};

        sent = (1 + 5 * (usec)i) * USEC_PER_MIN;
        ended(w, keys[i], true);
        assert_int_equal(results_grown(w->results, keys[i], &digest, &growth), i == 3);
    }
    assert_int_equal(growth.over, 15 * USEC_PER_MIN);
}

/* What no lane has counts for its job. */
static void test_sent(void **state)
{
    struct world *w = *state;
    struct growth growth;
    const struct digest digest = {.goroutines = 1000, .growing = 5};

    results_sent(w->results, "shop", "s/h/20261130/100000-7.flight.trace");
    assert_false(results_grown(w->results, "s/h/20261130/100000-7.flight.trace", &digest, &growth));
    labelled(w, "s/h/20261130/100000-7.flight.trace", "idle");
    for (size_t i = 0; i < METERS_LABELS; i++)
        assert_int_equal(w->meters->jobs[0]->labels[i], strcmp(meters_label_name(i), "idle") == 0);
    assert_null(w->lane->last.label);
    results_sent(w->results, "shop", "s/h/20261130/100001-7.flight.trace"); /* never labelled */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_label_follows), TEST(test_label_of_the_one_before),
        TEST(test_not_inspected), TEST(test_bound),
        TEST(test_growth),        TEST(test_growth_and_clock),
        TEST(test_sent),
    };

    return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
