/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "trace/reader/cursor.h"
#include "trace/reader/gosort.h"

#define MAX 700

/*
 * What slices.SortFunc makes of the same elements, by Go 1.24 and later: a hash of where each of
 * them comes from, over all lengths.
 */
static const uint64_t expected[] = {0xb0d5a19dd7cbdfeb, 0x4182a7341336ad99, 0x1908b19b767974f5,
                                    0x46ba581bb48613c5, 0xaa8affd0dac85c15, 0x291504c336ea6855,
                                    0x2c2510514a44869f, 0xc96433f985f19e35};

static uint64_t seed;

static uint64_t next(void)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return seed >> 33;
}

static int64_t key(unsigned pattern, int64_t n, int64_t i)
{
    switch (pattern) {
    case 0: return (int64_t)(next() % 4);
    case 1: return (int64_t)(next() % (uint64_t)n);
    case 2: return i / 3;
    case 3: return (n - i) / 2;
    case 4: return i % 7;
    case 5: return i < n - i ? i : n - i;
    case 6:
        if (next() % 16 == 0)
            return (int64_t)(next() % (uint64_t)n);
        return i / 2;
    default: return (int64_t)((uint64_t)i * 2654435761U % 8 * (uint64_t)(i % 5));
    }
}

/* Random, sorted, the wrong way round, saws, an organ pipe, nearly sorted: many are equal. */
static void test_as_go(void **state)
{
    static struct cursor cursors[MAX];
    static struct frontier_entry list[MAX];

    (void)state;
    for (unsigned pattern = 0; pattern < 8; pattern++) {
        uint64_t hash = 0xcbf29ce484222325U;

        seed = pattern;
        for (int64_t n = 1; n <= MAX; n += 1 + n / 16) {
            for (int round = 0; round < 8; round++) {
                for (int64_t i = 0; i < n; i++)
                    list[i] = (struct frontier_entry){key(pattern, n, i), &cursors[i]};
                gosort(list, (size_t)n);
                for (int64_t i = 0; i < n; i++) {
                    assert_true(i == 0 || list[i - 1].time <= list[i].time);
                    hash = (hash ^ (uint64_t)(list[i].cursor - cursors)) * 0x100000001b3U;
                }
            }
        }
        assert_true(hash == expected[pattern]);
    }
}

static void test_few(void **state)
{
    struct frontier_entry two[] = {{2, NULL}, {1, NULL}};

    (void)state;
    gosort(two, 0);
    assert_int_equal(two[0].time, 2);
    gosort(two, 2);
    assert_int_equal(two[0].time, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_go),
        cmocka_unit_test(test_few),
    };

    return cmocka_run_group_tests_name("gosort", tests, NULL, NULL);
}
