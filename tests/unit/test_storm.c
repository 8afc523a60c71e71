/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "daemon/capture/target.h"
#include "daemon/watch/storm.h"

static struct storm storm;

static int setup(void **state)
{
    (void)state;
    storm_init(&storm);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    storm_clear(&storm);
    return 0;
}

static int add(struct target *t, double severity)
{
    struct storm_entry out = {0};
    int r = storm_add(&storm, t, "rule", severity, &out);

    storm_release(&out);
    return r;
}

static void test_severity(void **state)
{
    (void)state;
    assert_true(storm_severity(30, 10, false) == 3);
    assert_true(storm_severity(2, 10, true) == 5);
    assert_true(storm_severity(NAN, 10, false) == 0);
    assert_true(storm_severity(5, NAN, false) == 0);
    assert_true(storm_severity(0, 0, false) == 1);
    assert_true(storm_severity(-1, 10, true) == 1);
    assert_true(isinf(storm_severity(5, 0, false)));
}

/* The first half of the budget is for who comes first. */
static void test_when_it_gathers(void **state)
{
    struct target t = {.refs = 1};

    (void)state;
    assert_false(storm_gathers(&storm, 6, 6));
    assert_false(storm_gathers(&storm, 4, 6));
    assert_true(storm_gathers(&storm, 3, 6));
    assert_false(storm_gathers(&storm, 0, 6));
    assert_false(storm_gathers(&storm, 1, 1)); /* nobody is to wait for the only one */
    assert_int_equal(add(&t, 1), 0);
    assert_true(storm_gathers(&storm, 6, 6)); /* one has begun: nobody overtakes it */
    storm_clear(&storm);
    assert_int_equal(t.refs, 1);
}

static void test_the_worst_come_first(void **state)
{
    static const double severities[] = {2, 7, 1, 7, INFINITY, 3};
    struct target targets[6];
    static const size_t expected[] = {4, 1, 3, 5, 0, 2};
    struct storm_entry e;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        targets[i] = (struct target){.refs = 1};
        assert_int_equal(add(&targets[i], severities[i]), 0);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_true(storm_worst(&storm, &e));
        assert_ptr_equal(e.target, &targets[expected[i]]);
        assert_int_equal(e.target->refs, 2);
        storm_release(&e);
    }
    assert_false(storm_worst(&storm, &e));
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(targets[i].refs, 1);
}

static void test_of_too_many_the_mildest_give_way(void **state)
{
    struct target t = {.refs = 1}, mild = {.refs = 1};
    struct storm_entry out = {0}, e;

    (void)state;
    assert_int_equal(add(&mild, 2), 0);
    for (size_t i = 1; i < STORM_MAX; i++)
        assert_int_equal(add(&t, 5), 0);
    assert_int_equal(storm_add(&storm, &t, "rule", 1, &out), -ENOSPC);
    assert_null(out.target);
    assert_int_equal(storm_add(&storm, &t, "rule", 9, &out), 0);
    assert_ptr_equal(out.target, &mild);
    storm_release(&out);
    assert_int_equal(storm.came, STORM_MAX + 2);
    assert_true(storm_worst(&storm, &e));
    assert_true(e.severity == 9);
    storm_release(&e);
    storm_clear(&storm);
    assert_int_equal(t.refs, 1);
    assert_int_equal(storm.came, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_severity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_when_it_gathers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_worst_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_too_many_the_mildest_give_way, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
