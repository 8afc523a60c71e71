/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/blockers/trail.h"

static struct memory mem = {.max = SIZE_MAX};
static struct trail trail;

static int setup(void **state)
{
    (void)state;
    mem = (struct memory){.max = SIZE_MAX};
    trail_init(&trail);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trail_done(&trail, &mem);
    return mem.used == 0 ? 0 : -1;
}

#define THINGS 64

static int64_t told[THINGS], unknown;

static void tell(void *userdata, uint32_t thing, int64_t ns)
{
    assert_ptr_equal(userdata, &trail);
    assert_true(ns > 0);
    if (thing == TRAIL_UNKNOWN)
        unknown += ns;
    else
        told[thing] += ns;
}

/* What is told always adds up to what is asked. */
static void ask(int64_t from, int64_t until)
{
    int64_t sum = 0;

    memset(told, 0, sizeof(told));
    unknown = 0;
    trail_ask(&trail, from, until, tell, &trail);
    for (size_t i = 0; i < THINGS; i++)
        sum += told[i];
    assert_int_equal(sum + unknown, until - from);
}

static void test_nothing(void **state)
{
    (void)state;
    ask(10, 30);
    assert_int_equal(unknown, 20);
}

/* What is recent is known to the nanosecond. */
static void test_recent(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < TRAIL_RECENT; i++)
        trail_add(&trail, &mem, 100 + 10 * (int64_t)i, i);
    assert_null(trail.blocks);
    ask(95, 100 + 10 * TRAIL_RECENT);
    assert_int_equal(unknown, 5);
    for (uint32_t i = 0; i < TRAIL_RECENT; i++)
        assert_int_equal(told[i], 10);
    ask(105, 123);
    assert_int_equal(told[0], 5);
    assert_int_equal(told[1], 10);
    assert_int_equal(told[2], 3);
    ask(1000, 1001);
    assert_int_equal(told[TRAIL_RECENT - 1], 1);
}

/* Two things in turn: their shares of any long time are half each, however long ago. */
static void test_old(void **state)
{
    const int64_t n = 10000, end = 10 * n;

    (void)state;
    for (int64_t i = 0; i < n; i++)
        trail_add(&trail, &mem, 10 * i, (uint32_t)(i % 2));
    assert_int_equal(trail.n_blocks, TRAIL_BLOCKS);
    ask(0, end);
    assert_int_equal(unknown, 0);
    assert_int_equal(told[0], end / 2);
    assert_int_equal(told[1], end / 2);
    ask(end / 3, end / 2);
    assert_true(unknown < 10);
    assert_in_range(told[0], end / 12 - 100, end / 12 + 100);
}

/* Blocks are joined, the older the larger: what was half as long ago is known half as finely. */
static void test_blocks_grow_with_age(void **state)
{
    const struct trail_block *b;

    (void)state;
    for (int64_t i = 0; i < 100000; i++)
        trail_add(&trail, &mem, 10 * i, 1);
    b = trail.blocks;
    for (unsigned i = 0; i + 1 < trail.n_blocks; i++)
        assert_int_equal(b[i].until, b[i + 1].since);
    assert_true(b[0].items > b[trail.n_blocks - 2].items);
    assert_true(b[trail.n_blocks - 1].until - b[trail.n_blocks - 1].since <= 10 * 64);
}

/* More things than a block has places for: the rest is unknown, and nothing is lost. */
static void test_many_things(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 3200; i++)
        trail_add(&trail, &mem, 10 * i, (uint32_t)(i % THINGS));
    ask(0, 32000);
    assert_true(unknown > 0);
}

static void test_end_of(void **state)
{
    (void)state;
    assert_int_equal(trail_end_of(&trail, 1), INT64_MIN);
    trail_add(&trail, &mem, 10, 1);
    assert_int_equal(trail_end_of(&trail, 1), INT64_MIN); /* it lasts */
    trail_add(&trail, &mem, 20, 2);
    trail_add(&trail, &mem, 30, 1);
    assert_int_equal(trail_end_of(&trail, 1), 20);
    assert_int_equal(trail_end_of(&trail, 2), 30);
    assert_int_equal(trail_end_of(&trail, 3), INT64_MIN);
}

static void test_no_memory(void **state)
{
    (void)state;
    mem.max = 0;
    for (int64_t i = 0; i < 100; i++)
        trail_add(&trail, &mem, 10 * i, 3);
    assert_null(trail.blocks);
    ask(0, 1000);
    assert_int_equal(told[3], 10 * TRAIL_RECENT);
    assert_int_equal(unknown, 1000 - 10 * TRAIL_RECENT);
}

/* Against a list that forgets nothing. */
static void test_random(void **state)
{
    static uint32_t things[5000];
    static int64_t since[5001];
    unsigned seed = 20261201;
    int64_t time = 0;

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        things[i] = (uint32_t)rand_r(&seed) % TRAIL_PARTS;
        since[i] = time;
        trail_add(&trail, &mem, time, things[i]);
        time += 1 + rand_r(&seed) % 1000;
    }
    since[5000] = time;
    ask(since[5000 - TRAIL_RECENT], time);
    assert_int_equal(unknown, 0);
    for (uint32_t thing = 0; thing < TRAIL_PARTS; thing++) {
        int64_t exact = 0;

        for (size_t i = 5000 - TRAIL_RECENT; i < 5000; i++)
            exact += things[i] == thing ? since[i + 1] - since[i] : 0;
        assert_int_equal(told[thing], exact);
    }
    ask(0, time);
    for (uint32_t thing = 0; thing < TRAIL_PARTS; thing++) {
        int64_t exact = 0;

        for (size_t i = 0; i < 5000; i++)
            exact += things[i] == thing ? since[i + 1] - since[i] : 0;
        assert_int_equal(told[thing], exact);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),     TEST(test_recent),
        TEST(test_old),         TEST(test_blocks_grow_with_age),
        TEST(test_many_things), TEST(test_end_of),
        TEST(test_no_memory),   TEST(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
