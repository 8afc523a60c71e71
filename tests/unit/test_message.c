/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/dialect/message.h"

/* What is released must have been wiped: this free(3) looks. */
static const char *const secret = "the-secret-of-this-test";
static bool watching, leaked;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
    if (watching && p && strcmp(p, secret) == 0)
        leaked = true;
    __real_free(p);
}

static void test_headers_are_copies(void **state)
{
    char name[] = "X-A", value[] = "1";
    struct message m;

    (void)state;
    message_init(&m, "PUT");
    assert_string_equal(m.method, "PUT");
    assert_int_equal(message_add(&m, name, value), 0);
    name[0] = value[0] = '!';
    assert_int_equal(message_add(&m, "X-B", ""), 0);
    assert_int_equal(m.n_headers, 2);
    assert_string_equal(m.headers[0].name, "X-A");
    assert_string_equal(m.headers[0].value, "1");
    assert_string_equal(m.headers[1].value, "");
    message_done(&m);
    assert_int_equal(m.n_headers, 0);
}

static void test_too_many(void **state)
{
    struct message m;

    (void)state;
    message_init(&m, "PUT");
    for (unsigned i = 0; i < MESSAGE_HEADERS_MAX; i++)
        assert_int_equal(message_add(&m, "X", "y"), 0);
    assert_int_equal(message_add(&m, "X", "y"), -E2BIG);
    assert_int_equal(message_add_meta(&m, "x-amz-meta-", "a", "y"), -E2BIG);
    assert_int_equal(m.n_headers, MESSAGE_HEADERS_MAX);
    message_done(&m);
}

static void test_meta(void **state)
{
    static const struct {
        const char *value, *sent;
    } rows[] = {
        {"checkout", "checkout"},
        {"", ""},
        {"trigger:p99>5ms;~!\"", "trigger:p99>5ms;~!\""},
        {"a b", "a%20b"},
        {"50%", "50%25"},
        {"\r\nX-Evil: 1\t\x7f", "%0D%0AX-Evil:%201%09%7F"},
        {"\xc3\xa4", "%C3%A4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message m;

        message_init(&m, "PUT");
        assert_int_equal(message_add_meta(&m, "x-ms-meta-", "reason", rows[i].value), 0);
        assert_string_equal(m.headers[0].name, "x-ms-meta-reason");
        assert_string_equal(m.headers[0].value, rows[i].sent);
        message_done(&m);
    }
}

static void test_long_meta_is_cut(void **state)
{
    char value[3000];
    struct message m;

    (void)state;
    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    message_init(&m, "PUT");
    assert_int_equal(message_add_meta(&m, "p-", "a", value), 0);
    assert_int_equal(strlen(m.headers[0].value), 1024);
    memset(value, ' ', sizeof(value) - 1);
    assert_int_equal(message_add_meta(&m, "p-", "b", value), 0);
    assert_int_equal(strlen(m.headers[1].value), 1023); /* no half of a %20 */
    assert_string_equal(m.headers[1].value + 1020, "%20");
    memset(value, 'n', sizeof(value) - 1);
    assert_int_equal(message_add_meta(&m, "p-", value, "v"), -E2BIG);
    message_done(&m);
}

static void test_wiped(void **state)
{
    struct message m;

    (void)state;
    message_init(&m, "PUT");
    assert_int_equal(message_add(&m, "Authorization", secret), 0);
    assert_int_equal(buf_adds(&m.url, secret), 0);
    leaked = false;
    watching = true;
    message_done(&m);
    watching = false;
    assert_false(leaked);
    assert_string_equal(buf_str(&m.url), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_copies),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_long_meta_is_cut),
        cmocka_unit_test(test_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
