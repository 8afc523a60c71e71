/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trace/summary/types.h"

static struct memory handles = {.max = SIZE_MAX};
static struct types types;
static struct summary_arena *arena;
static struct summary_rows rows;

static int setup(void **state)
{
    (void)state;
    types_init(&types, &handles, 20261130);
    memset(&rows, 0, sizeof(rows));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    types_done(&types);
    arena_free(arena);
    arena = NULL;
    return types.mem.used == 0 ? 0 : -1;
}

static uint32_t row_of(const char *text)
{
    uint32_t row;

    assert_int_equal(types_find(&types, text, strlen(text), &row), 0);
    return row;
}

static void add(const char *text, int64_t duration)
{
    assert_int_equal(types_add(&types, row_of(text), duration), 0);
}

static void add_many(const char *what, unsigned from, unsigned n, int64_t duration)
{
    for (unsigned i = from; i < from + n; i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%s%u", what, i);
        add(text, duration);
    }
}

/* A name without any digit in it, another one for each number. */
static const char *letters(unsigned i)
{
    static char text[16];
    size_t n = 0;

    do
        text[n++] = (char)('g' + i % 20);
    while ((i /= 20) > 0);
    text[n] = '\0';
    return text;
}

static void get_rows(void)
{
    assert_int_equal(types_rows(&types, &arena, &rows), 0);
}

static const struct summary_row *row_named(const char *name)
{
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.list[i].name, name) == 0)
            return &rows.list[i];
    return NULL;
}

static void test_pattern(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"request", "request"},
        {"GET /item/1", "GET /item/N"},
        {"GET /item/123/part/45", "GET /item/N/part/N"},
        {"http2", "httpN"},
        {"face", "face"},
        {"cafe1", "N"},
        {"dead1 beef", "N beef"},
        {"base64", "baseN"},
        {"3f2a1b4c-12ab-4cde-8f00-0123456789ab", "N-N-N-N-N"},
        {"a1", "aN"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = types_pattern(cases[i][0], strlen(cases[i][0]), out);

        assert_int_equal(n, strlen(cases[i][1]));
        assert_memory_equal(out, cases[i][1], n);
    }
}

/* A few names that differ in a number are told as they are. */
static void test_few_alike(void **state)
{
    (void)state;
    add_many("phase ", 0, TYPES_ALIKE, 100);
    add("phase 3", 7);
    get_rows();
    assert_int_equal(rows.n, TYPES_ALIKE);
    assert_string_equal(rows.list[0].name, "phase 3");
    assert_int_equal(rows.list[0].times.total, 107);
    assert_int_equal(rows.list[0].times.count, 2);
    assert_false(rows.list[0].grouped);
    assert_int_equal(rows.left_out.names, 0);
}

static void test_many_alike(void **state)
{
    const struct summary_row *row;

    (void)state;
    add("POST /checkout", 5000);
    add_many("GET /item/", 0, 100000, 1);
    types_get(&types, row_of("GET /item/7"))->open++;
    get_rows();
    assert_int_equal(rows.n, 2);
    row = row_named("GET /item/N");
    assert_ptr_equal(row, &rows.list[0]);
    assert_true(row->grouped);
    assert_int_equal(row->times.count, 100000);
    assert_int_equal(row->times.total, 100000);
    assert_int_equal(row->times.p99, 1);
    assert_int_equal(row->open, 1);
    assert_string_equal(rows.list[1].name, "POST /checkout");
    assert_int_equal(rows.left_out.names, 0);
}

/* A row that is held leads to where its sums went. */
static void test_held(void **state)
{
    uint32_t row = row_of("task 1");

    (void)state;
    types_hold(&types, row);
    types_hold(&types, row);
    types_get(&types, row)->open += 2;
    add_many("task ", 2, 1000, 10);
    assert_int_equal(types_add(&types, row, 90), 0);
    types_get(&types, row)->open--;
    types_release(&types, row);
    get_rows();
    assert_int_equal(rows.n, 1);
    assert_string_equal(rows.list[0].name, "task N");
    assert_int_equal(rows.list[0].times.count, 1001);
    assert_int_equal(rows.list[0].times.max, 90);
    assert_int_equal(rows.list[0].open, 1);
    types_release(&types, row);
}

/* The largest are shown, however late they come, and the rest is told as a sum. */
static void test_compete(void **state)
{
    const unsigned n = 3 * TYPES_MAX;
    uint64_t count = 0;
    int64_t total = 0;

    (void)state;
    for (unsigned i = 0; i < n; i++)
        add(letters(i), 1);
    for (unsigned i = 0; i < TYPES_SHOWN; i++)
        add(letters(n + i), 1000 + i);
    add(letters(n), 1000000);
    get_rows();
    assert_int_equal(rows.n, TYPES_SHOWN);
    assert_int_equal(rows.list[0].times.total, 1001000);
    for (size_t i = 0; i < rows.n; i++) {
        assert_true(rows.list[i].times.total >= 1000);
        count += rows.list[i].times.count;
        total += rows.list[i].times.total;
    }
    assert_int_equal(rows.left_out.names, n);
    assert_int_equal(rows.left_out.count, n);
    assert_int_equal(rows.left_out.total, n);
    assert_int_equal(rows.left_out.max, 1);
    assert_int_equal(count, TYPES_SHOWN + 1);
    assert_int_equal(total, 1000000 + TYPES_SHOWN * 1000 + TYPES_SHOWN * (TYPES_SHOWN - 1) / 2);
}

/* Where memory for single times is short, the small ones give way, and no sum is wrong. */
static void test_memory(void **state)
{
    const unsigned names = 1000, each = TYPES_KEPT + 10;
    uint64_t count = 0;

    (void)state;
    for (unsigned i = 0; i < names; i++)
        for (unsigned k = 0; k < each; k++)
            add(letters(i), i + 1);
    assert_true(types.mem.used <= TYPES_MAX_MEMORY);
    get_rows();
    assert_int_equal(rows.n, TYPES_SHOWN);
    assert_int_equal(rows.list[0].times.total, (int64_t)names * each);
    for (size_t i = 0; i < rows.n; i++)
        count += rows.list[i].times.count;
    assert_int_equal(count + rows.left_out.count, (uint64_t)names * each);
}

/* Another name for each: what comes and gives way costs no more the more of it there is. */
static void test_patterns(void **state)
{
    const unsigned n = 200000;

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%s %u", letters(i), i);
        add(text, 1);
    }
    get_rows();
    assert_int_equal(rows.n, TYPES_SHOWN);
    assert_int_equal(rows.left_out.count, n - TYPES_SHOWN);
}

/* Each is held: nobody can give way. */
static void test_full(void **state)
{
    uint32_t row;

    (void)state;
    for (unsigned i = 0; i < TYPES_MAX; i++)
        types_hold(&types, row_of(letters(i)));
    row = row_of(letters(TYPES_MAX));
    assert_int_equal(row, TYPES_NONE);
    types_hold(&types, row);
    assert_int_equal(types_add(&types, row, 5), 0);
    types_release(&types, row);
    get_rows();
    assert_int_equal(rows.left_out.total, 5);
    for (unsigned i = 0; i < TYPES_MAX; i++)
        types_release(&types, row_of(letters(i)));
}

/* Hardly anybody can give way: not all are looked at for each name that comes. */
static void test_nearly_full(void **state)
{
    const unsigned n = 10000;
    unsigned placed = 0;

    (void)state;
    for (unsigned i = 0; i < TYPES_MAX - 1; i++)
        types_hold(&types, row_of(letters(i)));
    for (unsigned i = 0; i < n; i++) {
        uint32_t row = row_of(letters(TYPES_MAX + i));

        placed += row != TYPES_NONE;
        assert_int_equal(types_add(&types, row, 1), 0);
    }
    assert_in_range(placed, 2, n * 2 * TYPES_PATIENCE / TYPES_MAX + 2);
    get_rows();
    assert_int_equal(rows.left_out.count, n - 1); /* the last one that was placed is shown */
    for (unsigned i = 0; i < TYPES_MAX - 1; i++)
        types_release(&types, row_of(letters(i)));
}

/* A trace may have as many tasks open as the reader has memory for, all of them for hours. */
static void test_huge_totals(void **state)
{
    const struct summary_row *row;

    (void)state;
    add("one", INT64_MAX - 10);
    add("other", 8);
    add("other", 3);
    add("other", 2);
    add("one", INT64_MAX);
    get_rows();
    row = row_named("other");
    assert_true(row->times.count == 3 && row->times.total == 10 && !row->times.exact);
    row = row_named("one");
    assert_true(row->times.count == 2 && row->times.total == INT64_MAX - 10);
    assert_true(row->times.max == INT64_MAX - 10 && !row->times.exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pattern, setup, teardown),
        cmocka_unit_test_setup_teardown(test_few_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearly_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_huge_totals, setup, teardown),
    };

    return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
