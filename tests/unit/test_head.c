/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/control/head.h"

static const char *fault_of(const char *const lines[][2], size_t n)
{
    struct head h = {0};

    for (size_t i = 0; i < n; i++)
        head_add(&h, lines[i][0], lines[i][1]);
    return head_fault(&h);
}

#define FAULT(...)                                  \
    fault_of((const char *const[][2]){__VA_ARGS__}, \
             sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(const char *const[2]))

static void test_fine(void **state)
{
    (void)state;
    assert_null(fault_of(NULL, 0));
    assert_null(FAULT({"Host", "h"}, {"Content-Length", "2"}, {"Accept", "a"}, {"Accept", "b"}));
    assert_null(FAULT({"host", "h"}, {"transfer-encoding", "Chunked"}, {"X-!#$%&'*+.^_`|~", ""}));
}

static void test_twice(void **state)
{
    (void)state;
    assert_non_null(strstr(FAULT({"Content-Length", "2"}, {"content-length", "2"}), "two"));
    assert_non_null(strstr(FAULT({"Host", "a"}, {"HOST", "a"}), "one Host"));
    assert_non_null(strstr(FAULT({"Origin", "a"}, {"Origin", "b"}), "two Origin"));
    assert_non_null(FAULT({"Authorization", "a"}, {"X", ""}, {"Authorization", "b"}));
    assert_non_null(FAULT({"Content-Type", "a"}, {"Content-Type", "b"}));
    assert_non_null(FAULT({"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}));
}

static void test_codings(void **state)
{
    static const char *const bad[] = {"", "xchunked", "gzip, chunked", "chunked, gzip", "identity"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(strstr(FAULT({"Transfer-Encoding", bad[i]}), "other than chunked"));
    assert_non_null(FAULT({"Transfer-Encoding", NULL}));
    assert_non_null(strstr(FAULT({"Content-Length", "2"}, {"Transfer-Encoding", "chunked"}),
                           "a Content-Length and is chunked"));
}

static void test_versions(void **state)
{
    struct head h = {.http_1_0 = true};

    (void)state;
    head_add(&h, "Content-Length", "2");
    assert_null(head_fault(&h));
    h = (struct head){.http_1_0 = true};
    head_add(&h, "Transfer-Encoding", "chunked");
    assert_non_null(strstr(head_fault(&h), "HTTP/1.0 does not know"));
}

static void test_values(void **state)
{
    (void)state;
    assert_non_null(strstr(FAULT({"Accept", "a\rHost: b"}), "a carriage return"));
    assert_null(FAULT({"Accept", "a\tb"}));
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", "A ", "A\t", " A", "A B", "A(", "\xc3\xa4", "A\r"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(strstr(FAULT({bad[i], "v"}), "no blank may stand before the colon"));
}

static void test_arguments(void **state)
{
    char target[1024] = "/p?a=1";

    (void)state;
    assert_false(head_many_arguments("/p&&&"));
    for (size_t i = 1; i < HEAD_ARGUMENTS_MAX; i++)
        strcat(target, "&a");
    assert_false(head_many_arguments(target));
    strcat(target, "&");
    assert_true(head_many_arguments(target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),      cmocka_unit_test(test_twice),
        cmocka_unit_test(test_codings),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_versions),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_arguments),
    };

    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
