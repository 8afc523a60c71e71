/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "lib/record/labels.h"

static void test_each_once(void **state)
{
    struct labels l;
    uint8_t idle, healthy;

    (void)state;
    labels_init(&l);
    assert_int_equal(labels_find(&l, "idle"), LABELS_NONE);
    idle = labels_intern(&l, "idle");
    healthy = labels_intern(&l, "healthy");
    assert_int_not_equal(idle, healthy);
    assert_int_not_equal(idle, LABELS_NONE);
    assert_int_equal(labels_intern(&l, "idle"), idle);
    assert_int_equal(labels_find(&l, "healthy"), healthy);
    assert_string_equal(labels_text(&l, idle), "idle");
    assert_string_equal(labels_text(&l, healthy), "healthy");
    assert_int_equal(labels_intern(&l, NULL), LABELS_NONE);
    assert_null(labels_text(&l, LABELS_NONE));
    labels_done(&l);
}

/* Whatever records say, it does not grow. */
static void test_full(void **state)
{
    struct labels l;
    char text[16];

    (void)state;
    labels_init(&l);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t expected = i < LABELS_MAX ? (uint8_t)(i + 1) : LABELS_OTHER;

        (void)snprintf(text, sizeof(text), "label-%u", i);
        assert_int_equal(labels_intern(&l, text), expected);
        assert_string_equal(labels_text(&l, expected), i < LABELS_MAX ? text : "other");
    }
    assert_int_equal(labels_find(&l, "other"), LABELS_OTHER);
    assert_int_equal(labels_find(&l, "label-999"), LABELS_NONE);
    assert_int_equal(labels_find(&l, "label-3"), 4);
    labels_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
