/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "trace/stack/kin.h"

static struct memory mem = {.max = SIZE_MAX};
static struct kin kin;

static int begin(void **state)
{
    (void)state;
    kin_init(&kin, &mem, 12345);
    return 0;
}

static int end(void **state)
{
    (void)state;
    kin_done(&kin);
    assert_int_equal(mem.used, 0);
    return 0;
}

static void add(const char *func, uint32_t name, uint32_t receiver)
{
    uint32_t ret[2];

    assert_int_equal(kin_add(&kin, func, ret), 0);
    assert_int_equal(ret[0], name);
    assert_int_equal(ret[1], receiver);
}

/* What the function belongs to, as bits. */
static uint32_t found(const char *func)
{
    struct kin_walk walk = kin_walk(&kin, func);
    uint32_t ret = 0;

    for (uint32_t n; (n = kin_next(&kin, &walk)) != IDMAP_NONE;)
        ret |= 1U << n;
    assert_int_equal(kin_next(&kin, &walk), IDMAP_NONE);
    return ret;
}

static void test_belongs(void **state)
{
    (void)state;
    add("app.(*store).get", 0, 1);
    add("app.(*store).put", 2, 1);
    add("app.serve", 3, IDMAP_NONE);
    add("app.serve.func1", 4, IDMAP_NONE);
    add("app.serve", 3, IDMAP_NONE);
    add("", IDMAP_NONE, IDMAP_NONE);
    assert_int_equal(found("app.(*store).get"), 1 | 2);
    assert_int_equal(found("app.(*store).put.func1"), 4 | 2);
    assert_int_equal(found("app.(*store).other"), 2);
    assert_int_equal(found("app.(*storefront).get"), 0);
    assert_int_equal(found("app.serve"), 8);
    assert_int_equal(found("app.serve.func1.2"), 8 | 16);
    assert_int_equal(found("app.server"), 0);
    assert_int_equal(found("app"), 0);
    assert_int_equal(found(""), 0);
}

static void test_parts(void **state)
{
    (void)state;
    assert_int_equal(kin_receiver("app.(*store).get"), 12);
    assert_int_equal(kin_receiver("app.(*pool[...]).get.func1"), 16);
    assert_int_equal(kin_receiver("app.serve"), 0);
    assert_int_equal(kin_outer("app.run.func2.1"), 12);
    assert_int_equal(kin_outer("app.run"), 0);
}

/* Without memory there is nothing, and nothing is found. */
static void test_no_memory(void **state)
{
    struct memory none = {.max = 0};
    struct kin k;
    struct kin_walk walk;
    uint32_t ret[2];

    (void)state;
    kin_init(&k, &none, 1);
    assert_true(kin_add(&k, "app.serve", ret) < 0);
    walk = kin_walk(&k, "app.serve");
    assert_int_equal(kin_next(&k, &walk), IDMAP_NONE);
    kin_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_belongs, begin, end),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("kin", tests, NULL, NULL);
}
