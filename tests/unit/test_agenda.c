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

#define TARGETS 300

static struct target targets[TARGETS];

static int setup(void **state)
{
    (void)state;
    memset(targets, 0, sizeof(targets));
    for (size_t i = 0; i < TARGETS; i++)
        targets[i].due = USEC_NEVER;
    return 0;
}

static void check_heap(const struct agenda *a)
{
    size_t in = 0;
    usec first = USEC_NEVER;

    for (size_t i = 0; i < TARGETS; i++) {
        if (targets[i].agenda_index == 0) {
            assert_true(targets[i].due == USEC_NEVER);
            continue;
        }
        in++;
        assert_ptr_equal(a->heap[targets[i].agenda_index], &targets[i]);
        first = targets[i].due < first ? targets[i].due : first;
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
    agenda_set(&a, &targets[0], USEC_NEVER); /* was not in */
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
    assert_int_equal(agenda_reserve(&a, TARGETS), 0);
    for (size_t i = 0; i < TARGETS; i++)
        agenda_set(&a, &targets[i], (i * 7919) % TARGETS);
    for (usec due = 0; due < TARGETS; due++) {
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
    assert_int_equal(agenda_reserve(&a, TARGETS), 0);
    for (size_t i = 0; i < TARGETS; i++)
        agenda_set(&a, &targets[i], 5);
    for (size_t i = 0; i < TARGETS; i++) {
        struct target *t = agenda_first(&a);

        assert_int_equal(t->due, 5);
        agenda_set(&a, t, 6 + (usec)i);
        check_heap(&a);
    }
    assert_int_equal(agenda_first(&a)->due, 6);
    agenda_done(&a);
}

static void test_done_lets_targets_go(void **state)
{
    struct agenda a;

    (void)state;
    agenda_init(&a);
    assert_int_equal(agenda_reserve(&a, 2), 0);
    agenda_set(&a, &targets[0], 1);
    agenda_set(&a, &targets[1], 2);
    agenda_done(&a);
    assert_int_equal(targets[0].agenda_index, 0);
    assert_int_equal(targets[1].agenda_index, 0);
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
        size_t n = (size_t)random() % TARGETS + 1;
        struct target *t;

        if (n > room && random() % 100 == 0) { /* grows on the way */
            assert_int_equal(agenda_reserve(&a, n), 0);
            room = n;
        }
        if (room == 0)
            continue;
        t = &targets[(size_t)random() % room];
        agenda_set(&a, t, random() % 4 == 0 ? USEC_NEVER : (usec)random() % 1000);
        if (i % 16 == 0)
            check_heap(&a);
    }
    check_heap(&a);
    for (usec last = 0; agenda_first(&a);) {
        struct target *t = agenda_first(&a);

        assert_true(t->due >= last);
        last = t->due;
        agenda_set(&a, t, USEC_NEVER);
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
        cmocka_unit_test_setup(test_done_lets_targets_go, setup),
        cmocka_unit_test_setup(test_random, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
