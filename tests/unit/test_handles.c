/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "trace/common/handles.h"

static struct memory mem;
static struct handles handles;

static int setup(void **state)
{
    (void)state;
    mem = (struct memory){.max = SIZE_MAX};
    handles_init(&handles, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    handles_done(&handles);
    return mem.used == 0 ? 0 : -1;
}

static void assert_known(uint32_t handle, uint64_t value)
{
    uint64_t known;

    assert_true(handles_find(&handles, handle, &known));
    assert_int_equal(known, value);
}

static void assert_unknown(uint32_t handle)
{
    uint64_t known;

    assert_false(handles_find(&handles, handle, &known));
}

static void test_nothing(void **state)
{
    (void)state;
    assert_unknown(0);
    handles_set(&handles, 0, 1); /* has no place yet */
    assert_unknown(0);
}

/* Each generation begins with nothing. */
static void test_generations(void **state)
{
    (void)state;
    for (uint64_t round = 1; round < 5; round++) {
        handles_generation(&handles, 3000);
        for (uint32_t i = 0; i <= 3000; i++) {
            assert_unknown(i);
            handles_set(&handles, i, i * round);
        }
        for (uint32_t i = 0; i <= 3000; i++)
            assert_known(i, i * round);
    }
    handles.generation = UINT32_MAX;
    handles_set(&handles, 7, 70);
    handles_generation(&handles, 3000);
    assert_unknown(7);
    assert_unknown(8);
    handles_set(&handles, 7, 71);
    assert_known(7, 71);
}

/* However many strings there are, memory is bounded, and no two are mistaken for each other. */
static void test_many(void **state)
{
    (void)state;
    handles_generation(&handles, 5000000);
    assert_true(mem.used <= HANDLES_MAX * sizeof(struct handles_place));
    for (uint32_t i = 1; i < 5000000; i += 1000003) {
        handles_set(&handles, i, i);
        assert_known(i, i);
        assert_unknown(i + HANDLES_MAX);
    }
    handles_set(&handles, 5, 50);
    handles_set(&handles, 5 + HANDLES_MAX, 51);
    assert_unknown(5);
    assert_known(5 + HANDLES_MAX, 51);
}

/* Where there is no memory, what there was goes on to serve. */
static void test_no_memory(void **state)
{
    (void)state;
    handles_generation(&handles, 100);
    mem.max = mem.used;
    handles_generation(&handles, 1000000);
    handles_set(&handles, 900000, 9);
    assert_known(900000, 9);
    assert_unknown(900000 % 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_generations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };

    return cmocka_run_group_tests_name("handles", tests, NULL, NULL);
}
