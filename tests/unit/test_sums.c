/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace/profile/sums.h"

static struct memory mem;
static struct sums sums;

static int setup(void **state)
{
    (void)state;
    mem = (struct memory){.max = SIZE_MAX};
    sums_init(&sums, &mem, 0x9e3779b97f4a7c15U);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sums_done(&sums);
    assert_int_equal(mem.used, 0);
    return 0;
}

static uint32_t string(const char *text)
{
    uint32_t n;

    assert_int_equal(sums_string(&sums, text, strlen(text), &n), 0);
    return n;
}

static uint32_t frame(uint64_t pc, const char *name, const char *file, uint64_t line)
{
    uint32_t n;

    assert_int_equal(sums_frame(&sums, pc, string(name), string(file), line, &n), 0);
    return n;
}

static uint32_t stack(const uint32_t *frames, size_t n_frames)
{
    uint32_t n;

    assert_int_equal(sums_stack(&sums, frames, n_frames, &n), 0);
    return n;
}

static void test_strings(void **state)
{
    uint32_t n;

    (void)state;
    assert_int_equal(string("a"), 0);
    assert_int_equal(string(""), 1);
    assert_int_equal(string("main.work"), 2);
    assert_int_equal(string("a"), 0);
    assert_int_equal(string(""), 1);
    assert_int_equal(sums_string(&sums, "a\0b", 3, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(sums_string(&sums, "a\0c", 3, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(sums.n_strings, 5);
    assert_memory_equal(sums.texts + sums.strings[2].offset, "main.work", 9);
}

/* Each part of a frame makes another one; a function is a name in a file. */
static void test_frames(void **state)
{
    (void)state;
    assert_int_equal(frame(1, "f", "x.go", 10), 0);
    assert_int_equal(frame(2, "f", "x.go", 10), 1);
    assert_int_equal(frame(1, "g", "x.go", 10), 2);
    assert_int_equal(frame(1, "f", "y.go", 10), 3);
    assert_int_equal(frame(1, "f", "x.go", 11), 4);
    assert_int_equal(frame(1, "f", "x.go", 10), 0);
    assert_int_equal(frame(1, "x.go", "f", 10), 5);
    assert_int_equal(sums.n_functions, 4);
    assert_int_equal(sums.functions[sums.frames[4].function].name, string("f"));
    assert_int_equal(sums.functions[sums.frames[4].function].file, string("x.go"));
}

static void test_stacks(void **state)
{
    const uint32_t frames[] = {3, 1, 2};

    (void)state;
    assert_int_equal(stack(frames, 3), 0);
    assert_int_equal(stack(frames, 2), 1);
    assert_int_equal(stack(frames + 1, 2), 2);
    assert_int_equal(stack(NULL, 0), 3);
    assert_int_equal(stack(frames, 3), 0);
    assert_int_equal(stack(frames, 0), 3);
    assert_int_equal(sums.stacks[2].n, 2);
    assert_memory_equal(sums.rows + sums.stacks[2].offset, frames + 1, 2 * sizeof(*frames));
}

static void check(uint32_t n, uint64_t count, int64_t ns)
{
    assert_int_equal(sums.stacks[n].count, count);
    assert_int_equal(sums.stacks[n].ns, ns);
}

static void test_commit(void **state)
{
    const uint32_t frames[] = {1, 2};
    uint32_t a = stack(frames, 1), b = stack(frames, 2);

    (void)state;
    sums_add(&sums, b, 5);
    sums_add(&sums, b, 6);
    check(b, 0, 0);
    sums_commit(&sums);
    check(a, 0, 0);
    check(b, 2, 11);
    sums_add(&sums, a, 1);
    sums_add(&sums, b, 1);
    sums_drop(&sums);
    sums_commit(&sums);
    check(a, 0, 0);
    check(b, 2, 11);
    sums_add(&sums, a, 3);
    sums_add(&sums, b, 1);
    sums_commit(&sums);
    check(a, 1, 3);
    check(b, 3, 12);
    sums_add(&sums, a, 3);
    sums_reset(&sums);
    sums_commit(&sums);
    check(a, 0, 0);
    check(b, 0, 0);
    assert_int_equal(stack(frames, 2), b);
}

static void test_greatest_number(void **state)
{
    uint32_t a = stack(NULL, 0);

    (void)state;
    sums_add(&sums, a, INT64_MAX - 1);
    sums_add(&sums, a, 5);
    sums_commit(&sums);
    check(a, 2, INT64_MAX);
    sums_add(&sums, a, 5);
    sums_commit(&sums);
    check(a, 3, INT64_MAX);
}

/* Everything is found again among many others, in a table that grew. */
static void test_many(void **state)
{
    char text[32];

    (void)state;
    for (unsigned again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t row[2] = {i, i / 2};

            (void)snprintf(text, sizeof(text), "function %u", i);
            assert_int_equal(string(text), i);
            assert_int_equal(stack(row, 2), i);
        }
    }
    assert_int_equal(sums.n_strings, 5000);
}

static void test_bound(void **state)
{
    uint32_t n, i = 0;
    int r = 0;

    (void)state;
    mem.max = 20000;
    while (r == 0 && i < 20000) {
        r = sums_stack(&sums, &i, 1, &n);
        i++;
    }
    assert_int_equal(r, -E2BIG);
    assert_true(mem.used <= mem.max);
    i = 0;
    assert_int_equal(sums_stack(&sums, &i, 1, &n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_greatest_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
