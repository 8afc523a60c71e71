/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "trace/reader/strings.h"

static struct memory mem = {.max = SIZE_MAX};
static struct strings strings;

static int setup(void **state)
{
    (void)state;
    strings_init(&strings, &mem, 12345);
    strings_clear(&strings);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    strings_done(&strings);
    return mem.used == 0 ? 0 : -1;
}

static void add(uint64_t id, const char *text)
{
    assert_int_equal(strings_add(&strings, id, text, (uint32_t)strlen(text)), 0);
}

static struct name *name_of(uint32_t handle)
{
    struct name *name;

    assert_int_equal(strings_name(&strings, handle, &name), 0);
    return name;
}

static void assert_text(uint32_t handle, const char *expected)
{
    size_t n;
    const char *text = strings_text(&strings, handle, &n);

    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
}

static void test_handles(void **state)
{
    (void)state;
    add(9, "nine");
    add(UINT64_MAX, "");
    assert_int_equal(strings_add(&strings, 9, "x", 1), -EEXIST);
    assert_int_equal(strings_add(&strings, 0, "x", 1), -EEXIST);
    assert_int_equal(strings_seal(&strings), 0);
    assert_int_equal(strings_handle(&strings, 0), 0);
    assert_int_equal(strings_handle(&strings, 8), IDMAP_NONE);
    assert_text(strings_handle(&strings, 9), "nine");
    assert_text(strings_handle(&strings, UINT64_MAX), "");
    assert_text(0, "");
    assert_text(77, "");
}

static void test_one_name_a_text(void **state)
{
    struct name *a;

    (void)state;
    add(1, "a");
    add(2, "b");
    add(3, "a");
    a = name_of(1);
    assert_ptr_equal(a, name_of(1));
    assert_ptr_equal(a, name_of(3));
    assert_ptr_not_equal(a, name_of(2));
    assert_null(name_of(0));
}

/* Held names live on, and get a handle in the next generation: the same each time asked. */
static void test_names_outlive_generations(void **state)
{
    struct name *a, *b;
    uint32_t handle, again;

    (void)state;
    add(1, "a");
    add(2, "b");
    add(3, "gone");
    a = name_of(1);
    b = name_of(2);
    (void)name_of(3);
    name_hold(a);
    name_hold(b);
    assert_int_equal(strings.n_names, 3);

    strings_clear(&strings);
    assert_int_equal(strings.n_names, 2);
    add(50, "b");
    assert_ptr_equal(name_of(1), b);
    assert_int_equal(strings_of_name(&strings, b, &handle), 0);
    assert_int_equal(handle, 1);
    assert_int_equal(strings_of_name(&strings, a, &handle), 0);
    assert_int_equal(strings_of_name(&strings, a, &again), 0);
    assert_int_equal(handle, again);
    assert_text(handle, "a");
    assert_int_equal(strings_of_name(&strings, NULL, &handle), 0);
    assert_int_equal(handle, 0);

    name_release(&strings, a);
    name_release(&strings, b);
    strings_clear(&strings);
    assert_int_equal(strings.n_names, 0);
}

static void test_many_names(void **state)
{
    struct name *names[1000];
    char texts[1000][8];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "n%u", i);
        add(i + 1, texts[i]);
        names[i] = name_of(i + 1);
        name_hold(names[i]);
    }
    strings_clear(&strings);
    for (unsigned i = 0; i < 1000; i += 2)
        name_release(&strings, names[i]);
    for (unsigned i = 0; i < 1000; i++)
        add(i + 1, texts[i]);
    for (unsigned i = 1; i < 1000; i += 2)
        assert_ptr_equal(name_of(i + 1), names[i]);
    for (unsigned i = 1; i < 1000; i += 2)
        name_release(&strings, names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_name_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_outlive_generations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_names, setup, teardown),
    };

    return cmocka_run_group_tests_name("strings", tests, NULL, NULL);
}
