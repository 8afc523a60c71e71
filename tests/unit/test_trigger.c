/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/config.h"
#include "lib/config/trigger.h"
#include "trace/findings/code.h"

#define BIT(kind) (1u << KIND_##kind)

static struct config *load(void)
{
    const char *dir = getenv("CONTRACE_SRC_DIR");
    char path[PATH_MAX];
    struct diags d = {0};
    struct config *c = NULL;

    (void)snprintf(path, sizeof(path), "%s/tests/unit/fixtures/config/ok-trigger.yaml",
                   dir ? dir : ".");
    if (config_load(path, &c, &d) < 0 || config_check(c, false, &d) < 0) {
        diags_print(&d, stderr);
        fail();
    }
    diags_done(&d);
    return c;
}

static const struct trigger_config *find(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_triggers; i++) {
        if (strcmp(c->triggers[i].name, name) == 0)
            return &c->triggers[i];
    }
    fail_msg("%s is missing", name);
    return NULL;
}

static void near(double value, double expected)
{
    if (value < expected * (1 - 1e-12) || value > expected * (1 + 1e-12))
        fail_msg("%.17g instead of %.17g", value, expected);
}

/* What each key becomes, and the defaults. */
static void test_values(void **state)
{
    struct config *c = load();
    const struct trigger_config *t = find(c, "slow-scheduler");

    (void)state;
    assert_int_equal(t->measure, TRIGGER_HISTOGRAM);
    assert_string_equal(t->of[0], "go_sched_latencies_seconds");
    assert_int_equal(t->test, TRIGGER_ABOVE);
    near(t->bound, 0.01);
    near(t->limit, 0.01);
    assert_int_equal(t->min_count, 100);
    assert_int_equal(t->polls, 2);
    assert_int_equal(t->capture, BIT(FLIGHT) | BIT(TRACE) | BIT(GOROUTINE) | BIT(MUTEX));
    assert_int_equal(t->cooldown, 10 * USEC_PER_MIN);
    assert_int_equal(t->line, 5);
    assert_true(trigger_for_job(t, "checkout"));
    assert_false(trigger_for_job(t, "other"));
    t = find(c, "slow-requests");
    assert_int_equal(t->n_match, 1);
    assert_string_equal(t->match[0].value, "/pay");
    assert_int_equal(t->min_count, 20);
    assert_string_equal(t->metrics.path, "/metrics");
    assert_int_equal(t->metrics.interval, 15 * USEC_PER_SEC);
    assert_int_equal(t->capture, 0);
    assert_true(trigger_for_job(t, "other"));
    config_free(c);
}

static void test_conditions(void **state)
{
    struct config *c = load();
    const struct trigger_config *t = find(c, "runnable");

    (void)state;
    assert_int_equal(t->measure, TRIGGER_RATIO);
    assert_false(t->of_rate[0] || t->of_rate[1]);
    t = find(c, "errors");
    assert_string_equal(t->of[0], "errors_total");
    assert_string_equal(t->of[1], "requests_total");
    assert_true(t->of_rate[0] && t->of_rate[1]);
    near(t->limit, 0.05);
    t = find(c, "leak");
    assert_int_equal(t->test, TRIGGER_GROWTH);
    near(t->limit, 0.5);
    assert_int_equal(t->over, 30 * USEC_PER_MIN);
    t = find(c, "slower-than-usual");
    assert_int_equal(t->test, TRIGGER_TIMES_BASELINE);
    near(t->limit, 3);
    near(t->bound, 0.001);
    near(find(c, "heap")->limit, 2147483648.0);
    assert_int_equal(find(c, "few-workers")->test, TRIGGER_BELOW);
    config_free(c);
}

/* Limits of times are in the unit of what they are held against; inspections are not polled. */
static void test_inspected(void **state)
{
    struct config *c = load();
    const struct trigger_config *t = find(c, "slow-p99");

    (void)state;
    assert_false(trigger_polled(t));
    assert_string_equal(t->of[0], "scheduler.latency.p99_ns");
    near(t->limit, 50e6);
    assert_int_equal(t->polls, 1);
    near(find(c, "covered")->limit, 0.5);
    t = find(c, "slow-queries");
    assert_string_equal(t->of[0], "regions[\"db.query > 1\"].max_ns");
    near(t->limit, 5e6);
    near(find(c, "many-syscalls")->limit, 20e3);
    t = find(c, "went-bad");
    assert_int_equal(t->labels, 1u << CODE_lock | 1u << CODE_throttled);
    assert_int_equal(t->after, 1u << CODE_healthy | 1u << CODE_idle);
    assert_int_equal(t->test, TRIGGER_BECOMES);
    config_free(c);
}

/* A reload keeps what is known of a rule that says the same. */
static void test_equal(void **state)
{
    struct config *a = load(), *b = load();

    (void)state;
    for (size_t i = 0; i < a->n_triggers; i++) {
        for (size_t j = 0; j < b->n_triggers; j++)
            assert_int_equal(trigger_equal(&a->triggers[i], &b->triggers[j]), i == j);
    }
    b->triggers[0].limit = 0.02;
    b->triggers[1].match[0].value[0] = 'x';
    b->triggers[2].cooldown++;
    b->triggers[3].metrics.interval++;
    b->triggers[4].of_rate[0] = false;
    b->triggers[5].capture ^= 1;
    for (size_t i = 0; i < 6; i++)
        assert_false(trigger_equal(&a->triggers[i], &b->triggers[i]));
    config_free(a);
    config_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_inspected),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
