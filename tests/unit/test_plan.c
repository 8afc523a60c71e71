/* SPDX-License-Identifier: Apache-2.0 */

/* Which rules hold for whom, and what became of them: plan.c and tally.c. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/watch/plan.h"
#include "daemon/watch/pollend.h"
#include "daemon/watch/tally.h"
#include "tests/support/text.h"

static struct trigger_config gauge(const char *name, const char *path, usec interval)
{
    return (struct trigger_config){.name = TEXT(name),
                                   .metrics = {.path = TEXT(path), .interval = interval},
                                   .measure = TRIGGER_GAUGE,
                                   .of = {TEXT("go_goroutines"), NULL},
                                   .test = TRIGGER_ABOVE,
                                   .limit = 10,
                                   .polls = 1};
}

static void test_pages(void **state)
{
    struct trigger_config rules[] = {
        gauge("a", "/metrics", 15),
        gauge("b", "/other", 15),
        gauge("c", "/metrics", 15),
        gauge("d", "/metrics", 60),
        {.name = TEXT("e"), .measure = TRIGGER_LABEL},
        gauge("f", "/metrics", 15),
    };
    char *only[] = {TEXT("db")};
    struct job_config jobs[] = {{.name = TEXT("web")}, {.name = TEXT("db")}, {.name = TEXT("api")}};
    const struct config config = {.jobs = jobs,
                                  .n_jobs = 3,
                                  .triggers = rules,
                                  .n_triggers = sizeof(rules) / sizeof(rules[0])};
    const struct plan_job *j;
    struct plan *plan;

    (void)state;
    rules[5].jobs = only;
    rules[5].n_jobs = 1;
    assert_int_equal(plan_new(&config, &plan), 0);
    assert_null(plan_job(plan, "none"));
    j = plan_job(plan, "web");
    assert_int_equal(j->n, 5);
    assert_int_equal(j->n_pages, 3); /* one poll serves both rules of a page */
    assert_string_equal(j->pages[0].path, "/metrics");
    assert_int_equal(j->pages[0].interval, 15);
    assert_int_equal(j->pages[0].n, 2);
    assert_string_equal(j->rules[0]->name, "a");
    assert_string_equal(j->rules[1]->name, "c");
    assert_int_equal(j->pages[1].interval, 60);
    assert_string_equal(j->pages[2].path, "/other");
    assert_int_equal(j->pages[2].first, 3);
    assert_string_equal(j->rules[4]->name, "e");
    j = plan_job(plan, "db");
    assert_int_equal(j->n, 6);
    assert_int_equal(j->pages[0].n, 3);
    plan_free(plan);
    plan_free(NULL);
}

static void test_no_rules(void **state)
{
    struct job_config jobs[] = {{.name = TEXT("web")}};
    const struct config config = {.jobs = jobs, .n_jobs = 1};
    struct plan *plan;

    (void)state;
    assert_int_equal(plan_new(&config, &plan), 0);
    assert_null(plan_job(plan, "web"));
    plan_free(plan);
}

static void test_tally(void **state)
{
    static struct tally t;
    struct tally_rule *other;
    char name[16];

    (void)state;
    tally_rule(&t, "a")->fired = 3;
    for (int i = 0; i < 2 * TALLY_MAX; i++) {
        (void)snprintf(name, sizeof(name), "rule%d", i);
        tally_rule(&t, name)->fired++;
    }
    assert_int_equal(t.n, TALLY_MAX);
    assert_int_equal(tally_rule(&t, "a")->fired, 3);
    other = tally_rule(&t, "rule300");
    assert_ptr_equal(other, &t.rules[TALLY_MAX]);
    assert_int_equal(other->fired, TALLY_MAX + 1);
    tally_done(&t);
}

static void test_ends(void **state)
{
    (void)state;
    for (int i = 0; i < POLLEND_COUNT; i++) {
        assert_non_null(pollend_name((enum pollend)i));
        assert_non_null(pollend_hint((enum pollend)i));
    }
    assert_int_equal(pollend_of_status(404), POLLEND_MISSING);
    assert_int_equal(pollend_of_status(302), POLLEND_REDIRECT);
    assert_int_equal(pollend_of_status(403), POLLEND_UNAUTHORIZED);
    assert_int_equal(pollend_of_status(204), POLLEND_HTTP_STATUS);
    assert_int_equal(pollend_of_status(500), POLLEND_HTTP_STATUS);
    assert_int_equal(pollend_of_error(HTTP_PROXY), POLLEND_CONNECT);
    assert_int_equal(pollend_of_error(HTTP_ABORTED), POLLEND_PROTOCOL);
    assert_int_equal(pollend_of_error(HTTP_OK), POLLEND_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
