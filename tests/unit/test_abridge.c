/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "lib/record/abridge.h"

static void test_order(void **state)
{
    static const char *const gone[] = {"outliers", "gc", "window_ns", "x", "findings"};
    json_t *o =
        json_loads("{\"findings\": [{\"code\": \"gc-pressure\"}], \"x\": 7, \"outliers\": 1,"
                   " \"gc\": {\"cycles\": 10}, \"window_ns\": 200}",
                   0, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        assert_non_null(json_object_get(o, gone[i]));
        assert_true(abridge(o));
        assert_null(json_object_get(o, gone[i]));
        assert_int_equal(json_object_size(o), 4 - i);
    }
    assert_false(abridge(o));
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
