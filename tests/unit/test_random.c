/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/random.h"

/* The first numbers of splitmix64 from 1234567, as its reference implementation gives them. */
static void test_splitmix(void **state)
{
    static const uint64_t expected[] = {6457827717110365317U, 3203168211198807973U,
                                        9817491932198370423U, 4593380528125082431U};
    uint64_t s = 1234567;

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(random_next(&s), expected[i]);
}

/* FNV-1a's own vector for "a\0": the zero counts. */
static void test_fnv(void **state)
{
    uint64_t h = ((RANDOM_FNV ^ 'a') * 0x100000001b3ULL) * 0x100000001b3ULL;

    (void)state;
    assert_int_equal(0xaf63dc4c8601ec8cULL, (RANDOM_FNV ^ 'a') * 0x100000001b3ULL);
    assert_int_equal(random_fnv(RANDOM_FNV, "a"), h);
    assert_int_not_equal(random_fnv(random_fnv(RANDOM_FNV, "ab"), "c"),
                         random_fnv(random_fnv(RANDOM_FNV, "a"), "bc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splitmix),
        cmocka_unit_test(test_fnv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
