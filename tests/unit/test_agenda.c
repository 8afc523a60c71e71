/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/capture/agenda.h"

#define LANES 300

static struct lane lanes[LANES];

static int setup(void **state)
{
    (void)state;
    memset(lanes, 0, sizeof(lanes));
    for (size_t i = 0; i < LANES; i++)
        lanes[i].due = USEC_NEVER;
    return 0;
}

static void check_heap(const struct agenda *a)
{
    size_t in = 0;
    usec first = USEC_NEVER;

    for (size_t i = 0; i < LANES; i++) {
        if (lanes[i].agenda_index == 0) {
            assert_true(lanes[i].due == USEC_NEVER);
            continue;
        }
        in++;
        assert_ptr_equal(a->heap[lanes[i].agenda_index], &lanes[i]);
        first = lanes[i].due < first ? lanes[i].due : first;
    }
    assert_int_equal(a->n, in);
    if (in == 0)
        assert_null(agenda_first(a));
    else
        assert_true(agenda_first(a)->due == first);
}

static void test_empty(void **state)
{
    struct agenda a;

    (void)state;
    agenda_init(&a);
    assert_null(agenda_first(&a));
    agenda_set(&a, &lanes[0], USEC_NEVER); /* was not in */
    assert_null(agenda_first(&a));
    assert_int_equal(agenda_reserve(&a, 0), 0);
    agenda_done(&a);
    agenda_done(&a);
}

static void test_order(void **state)
{
    struct agenda a;

    (void)state;
    agenda_init(&a);
    assert_int_equal(agenda_reserve(&a, LANES), 0);
    for (size_t i = 0; i < LANES; i++)
        agenda_set(&a, &lanes[i], (i * 7919) % LANES);
    for (usec due = 0; due < LANES; due++) {
        assert_int_equal(agenda_first(&a)->due, due);
        agenda_set(&a, agenda_first(&a), USEC_NEVER);
    }
    assert_null(agenda_first(&a));
    agenda_done(&a);
}

/* Many due at the same moment: each comes once. */
static void test_equal(void **state)
{
    struct agenda a;

    (void)state;
    agenda_init(&a);
    assert_int_equal(agenda_reserve(&a, LANES), 0);
    for (size_t i = 0; i < LANES; i++)
        agenda_set(&a, &lanes[i], 5);
    for (size_t i = 0; i < LANES; i++) {
        struct lane *l = agenda_first(&a);

        assert_int_equal(l->due, 5);
        agenda_set(&a, l, 6 + (usec)i);
        check_heap(&a);
    }
    assert_int_equal(agenda_first(&a)->due, 6);
    agenda_done(&a);
}

static void test_done_lets_lanes_go(void **state)
{
    struct agenda a;

    (void)state;
    agenda_init(&a);
    assert_int_equal(agenda_reserve(&a, 2), 0);
    agenda_set(&a, &lanes[0], 1);
    agenda_set(&a, &lanes[1], 2);
    agenda_done(&a);
    assert_int_equal(lanes[0].agenda_index, 0);
    assert_int_equal(lanes[1].agenda_index, 0);
}

static void test_random(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    size_t room = 0;
    struct agenda a;

    (void)state;
    print_message("seed %u\n", seed);
    srandom(seed);
    agenda_init(&a);
    for (unsigned i = 0; i < 30000; i++) {
        size_t n = (size_t)random() % LANES + 1;
        struct lane *l;

        if (n > room && random() % 100 == 0) { /* grows on the way */
            assert_int_equal(agenda_reserve(&a, n), 0);
            room = n;
        }
        if (room == 0)
            continue;
        l = &lanes[(size_t)random() % room];
        agenda_set(&a, l, random() % 4 == 0 ? USEC_NEVER : (usec)random() % 1000);
        if (i % 16 == 0)
            check_heap(&a);
    }
    check_heap(&a);
    for (usec last = 0; agenda_first(&a);) {
        struct lane *l = agenda_first(&a);

        assert_true(l->due >= last);
        last = l->due;
        agenda_set(&a, l, USEC_NEVER);
    }
    check_heap(&a);
    agenda_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, setup),
        cmocka_unit_test_setup(test_order, setup),
        cmocka_unit_test_setup(test_equal, setup),
        cmocka_unit_test_setup(test_done_lets_lanes_go, setup),
        cmocka_unit_test_setup(test_random, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
