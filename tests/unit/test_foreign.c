/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/foreign.h"

#define AS_TEXT "text in the trace, as if the program printed into it: "

static void test_names(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } cases[] = {
        {"go 1.26 trace\0\0\0\1", 17,
         "another trace begins here, of go 1.26: there are two in one file"},
        {"go 1.26 trace\0\0", 15, AS_TEXT "\"go 1.26 trace\""},
        {"listening on :8080\n\1\2", 21, AS_TEXT "\"listening on :8080\"..."},
        {"done", 4, AS_TEXT "\"done\""},
        {"ok", 2, AS_TEXT "\"ok\""},
        {"ok\1\2\3", 5, "expected a batch, found event type 111"},
        {"\3\3\3", 3, "expected a batch, found event type 3"},
        {"0123456789012345678901234567890123456789", 40,
         AS_TEXT "\"01234567890123456789012345678901\"..."},
    };
    char text[FOREIGN_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(foreign_name((const uint8_t *)cases[i].bytes, cases[i].n, text),
                            cases[i].name);
}

static void test_header(void **state)
{
    unsigned minor = 0;

    (void)state;
    assert_true(foreign_header((const uint8_t *)"go 1.26 trace\0\0\0", &minor));
    assert_int_equal(minor, 26);
    assert_true(foreign_header((const uint8_t *)"go 1.5 trace\0\0\0\0", &minor));
    assert_int_equal(minor, 5);
    assert_false(foreign_header((const uint8_t *)"go 1.26 trace\0\0x", &minor));
    assert_false(foreign_header((const uint8_t *)"go 1. trace\0\0\0\0\0", &minor));
    assert_false(foreign_header((const uint8_t *)"Go 1.26 trace\0\0\0", &minor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_header),
    };

    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
