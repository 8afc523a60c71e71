/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/yaml/diag.h"
#include "lib/yaml/text.h"

static char *print(struct diags *d)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    diags_print(d, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_printed(struct diags *d, const char *expected)
{
    char *text = print(d);

    assert_string_equal(text, expected);
    free(text);
    diags_done(d);
    assert_int_equal(diags_count(d), 0);
}

static void test_forms(void **state)
{
    struct diags d = {0};

    (void)state;
    diags_add(&d, NULL, 0, 0, NULL, "of the options: %d", 7);
    diags_add(&d, "a.yaml", 0, 0, "text", "as a whole");
    diags_add(&d, "a.yaml", 2, 3, NULL, "no source");
    assert_int_equal(diags_count(&d), 3);
    assert_printed(&d, "a.yaml: as a whole\na.yaml:2:3: no source\ncontraced: of the options: 7\n");
}

static void test_order_is_that_of_the_places(void **state)
{
    struct diags d = {0};

    (void)state;
    diags_add(&d, "b", 1, 1, NULL, "5");
    diags_add(&d, "a", 2, 1, NULL, "3");
    diags_add(&d, "a", 1, 9, NULL, "2");
    diags_add(&d, "a", 1, 2, NULL, "1");
    diags_add(&d, "a", 2, 1, NULL, "4");
    assert_printed(&d, "a:1:2: 1\na:1:9: 2\na:2:1: 3\na:2:1: 4\nb:1:1: 5\n");
}

static void test_caret_follows_tabs_and_letters(void **state)
{
    struct diags d = {0};

    (void)state;
    diags_add(&d, "f", 2, 4, "one\n\tb\tc: x\r\nthree", "here");
    diags_add(&d, "f", 3, 6, "one\n\ntr\xc3\xa8s x\n", "there");
    diags_add(&d, "f", 9, 1, "one\n", "past the end");
    diags_add(&d, "f", 10, 9, "1\r2\r\n3\xc2\x85-4\xe2\x80\xa8-5\xe2\x80\xa9-6\n7\n8\n9\nten",
              "short");
    assert_printed(&d, "f:2:4: here\n\tb\tc: x\n\t \t^\n"
                       "f:3:6: there\ntr\xc3\xa8s x\n     ^\n"
                       "f:9:1: past the end\n"
                       "f:10:9: short\nten\n        ^\n");
}

static void test_long_lines_are_cut(void **state)
{
    struct diags d = {0};
    char line[1001];
    char *text, *source, *caret;

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    line[499] = '!';
    diags_add(&d, "f", 1, 500, line, "m");
    text = print(&d);
    source = strchr(text, '\n') + 1;
    caret = strchr(source, '\n') + 1;
    assert_int_equal(strcspn(source, "!"), strcspn(caret, "^"));
    assert_true(strcspn(source, "\n") < 130);
    free(text);
    diags_done(&d);
}

static void test_terminals_are_safe(void **state)
{
    struct diags d = {0};

    (void)state;
    diags_add(&d, "f\x1b", 1, 1, "\x1b[2J \xff \xc2\x9b", "a\nb\x7f%s", "\xc3");
    assert_printed(&d, "f?:1:1: a?b??\n?[2J ? ??\n^\n");
}

/* Neither a line with a password nor its password in a text that is the other way round. */
static void test_passwords_and_directions(void **state)
{
    struct diags d = {0};

    (void)state;
    diags_add(&d, "f", 1, 1, "targets: [u:canary@h]", "one");
    diags_add(&d, "f", 2, 1, "\n - http://u:can ary@h \"x", "two");
    diags_add(&d, "f", 3, 1, "\n\nowner: a@b", "three");
    diags_add(&d, "f", 4, 1, "\n\n\nunix:@name", "four");
    diags_add(&d, "f", 5, 1, "\n\n\n\na\xe2\x80\xaez\xe2\x81\xa9\xd8\x9c\xe2\x80\xa0", "five");
    assert_printed(&d, "f:1:1: one\nf:2:1: two\nf:3:1: three\nowner: a@b\n^\n"
                       "f:4:1: four\nunix:@name\n^\nf:5:1: five\na???z?????\xe2\x80\xa0\n^\n");
}

static void test_only_so_many(void **state)
{
    struct diags d = {0};
    char *text;

    (void)state;
    for (int i = 0; i < DIAG_MAX + 3; i++)
        diags_add(&d, "f", 1, 1, NULL, "m");
    assert_int_equal(diags_count(&d), DIAG_MAX + 3);
    text = print(&d);
    assert_non_null(strstr(text, "\ncontraced: 3 more not shown\n"));
    free(text);
    diags_done(&d);
    d.dropped = 1;
    assert_printed(&d, "contraced: out of memory\n");
}

static void test_distance(void **state)
{
    char longer[TEXT_WORD_MAX + 2];

    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("", "ab"), 2);
    assert_int_equal(text_distance("seconds", "sceonds"), 1);
    assert_int_equal(text_distance("seconds", "second"), 1);
    assert_int_equal(text_distance("seconds", "secondss"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_true(text_distance("a", longer) == SIZE_MAX);
    assert_true(text_distance(longer, "a") == SIZE_MAX);
    longer[TEXT_WORD_MAX] = '\0';
    assert_int_equal(text_distance(longer, longer), 0);
}

static void test_utf8(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xe2\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xc2\xc2",
        "\xf0\x8f\xbf\xbf",
        "\xf5\x80\x80\x80",
        "\xf4\x90\x80\x80",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(text_is_utf8(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(text_is_utf8(bad[i]));
}

static void test_brief(void **state)
{
    struct diags d = {0};
    char *text;

    (void)state;
    assert_null(diags_brief(&d));
    diags_add(&d, "b", 2, 1, "one\ntwo", "later");
    text = diags_brief(&d);
    assert_string_equal(text, "b:2:1: later");
    free(text);
    diags_add(&d, "a", 0, 0, NULL, "first");
    diags_add(&d, NULL, 0, 0, NULL, "last");
    text = diags_brief(&d);
    assert_string_equal(text, "a: first; b:2:1: later; contraced: last");
    free(text);
    diags_add(&d, "c", 1, 1, NULL, "left out");
    text = diags_brief(&d);
    assert_string_equal(text, "a: first; b:2:1: later; c:1:1: left out; and 1 more: "
                              "contraced --check-config shows all");
    free(text);
    diags_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_order_is_that_of_the_places),
        cmocka_unit_test(test_caret_follows_tabs_and_letters),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_terminals_are_safe),
        cmocka_unit_test(test_passwords_and_directions),
        cmocka_unit_test(test_only_so_many),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_brief),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
