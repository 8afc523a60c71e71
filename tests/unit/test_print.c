/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/common/print.h"

static char text[256];

static FILE *begin(void)
{
    memset(text, 0, sizeof(text));
    return fmemopen(text, sizeof(text), "w");
}

static void test_cell(void **state)
{
    FILE *out = begin();

    (void)state;
    print_cell(out, "3 µs", 6);
    print_cell(out, "longer", 3);
    print_cell(out, "", 2);
    (void)fclose(out);
    assert_string_equal(text, "  3 µslonger  ");
    assert_int_equal(print_width("µ", 2), 1);
    assert_int_equal(print_width("µs and more", 3), 2);
}

/* What a trace says. */
static void test_plain(void **state)
{
    FILE *out = begin();

    (void)state;
    assert_int_equal(print_plain(out, "a\033b\x7f", 9), 4);
    assert_int_equal(print_plain(out, "abcdef", 3), 3);
    (void)fclose(out);
    assert_string_equal(text, "a?b?abc");
}

/* Letters of any language stay, and nothing reaches the terminal that it would obey. */
static void test_name(void **state)
{
    FILE *out = begin();

    (void)state;
    print_name(out, "dir/träce\n\033[1m\xc2\x9b"
                    "2J\xc2");
    (void)fclose(out);
    assert_string_equal(text, "dir/träce??[1m?2J\xc2");
}

static void test_flow(void **state)
{
    FILE *out = begin();
    struct print_flow flow = {.out = out, .indent = 2, .width = 10},
                      behind = {.out = out, .indent = 4, .width = 12, .column = 4};

    (void)state;
    print_flow_words(&flow, "12 456 89 µ  bcd longer-than-a-line e");
    assert_true(print_flow_piece(&flow, "not broken", 10));
    print_flow_end(&flow);
    (void)fputs("--- ", out);
    print_flow_words(&behind, "one two three");
    print_flow_end(&behind);
    (void)fclose(out);
    assert_string_equal(text, "  12 456\n  89 µ bcd\n  longer-than-a-line\n  e\n  not broken\n"
                              "--- one two\n    three\n");
}

/* Pieces of a list, in no more lines than it may have. */
static void test_flow_of_a_list(void **state)
{
    FILE *out = begin();
    struct print_flow flow = {.out = out, .indent = 2, .width = 10, .between = ",", .most = 2};

    (void)state;
    assert_true(print_flow_piece(&flow, "one", 3));
    assert_true(print_flow_piece(&flow, "2", 1));
    assert_true(print_flow_piece(&flow, "three", 5));
    assert_false(print_flow_piece(&flow, "four", 4));
    print_flow_end(&flow);
    (void)fclose(out);
    assert_string_equal(text, "  one, 2,\n  three\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cell),           cmocka_unit_test(test_plain),
        cmocka_unit_test(test_name),           cmocka_unit_test(test_flow),
        cmocka_unit_test(test_flow_of_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
