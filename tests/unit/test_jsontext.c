/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "tests/support/allocations.h"

static void test_parse(void **state)
{
    json_error_t error;
    json_t *o = NULL;

    (void)state;
    assert_int_equal(jsontext_parse("{\"a\": 1}", 8, 0, NULL, &o), 0);
    assert_true(json_is_object(o));
    json_decref(o);
    o = NULL;
    assert_int_equal(jsontext_parse("", 0, 0, NULL, &o), -EINVAL);
    assert_int_equal(jsontext_parse("{\"a\": 1\n]", 9, 0, &error, &o), -EINVAL);
    assert_int_equal(error.line, 2);
    assert_int_equal(jsontext_parse("{\"a\":1,\"a\":1}", 13, JSON_REJECT_DUPLICATES, NULL, &o),
                     -EINVAL);
    assert_null(o);
}

static void check_print(const json_t *o)
{
    char *whole = json_dumps(o, JSON_ENSURE_ASCII), *text;

    for (allocations_fail_at = 0;; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        text = jsontext_print(o, JSON_ENSURE_ASCII);
        allocations_failing = false;
        if (text)
            break;
    }
    assert_true(allocations_fail_at > 5);
    assert_string_equal(text, whole);
    free(text);
    free(whole);
}

/* What is JSON is never called none for want of memory, and never comes with something missing. */
static void test_no_memory(void **state)
{
    static const char text[] =
        "{\"text\": \"long enough to grow a buffer, with \\u00e9 and \\n\", \"list\": [1, 2.5,"
        " true, null, {\"a\": {}}], \"b\": 1, \"c\": 2, \"d\": 3, \"e\": 4, \"f\": 5}";
    json_t *o = NULL;
    int r;

    (void)state;
    allocations_fail_once = true;
    for (allocations_fail_at = 0;; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        r = jsontext_parse(text, sizeof(text) - 1, 0, NULL, &o);
        allocations_failing = false;
        if (r == 0)
            break;
        assert_int_equal(r, -ENOMEM);
        assert_null(o);
    }
    assert_true(allocations_fail_at > 20);
    check_print(o);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_no_memory),
    };

    json_set_alloc_funcs(malloc, free); /* those of tests/support/allocations.h */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
