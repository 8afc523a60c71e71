/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cli/ask/endpoint.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *base, *unix_path;
    } rows[] = {
        {"unix:/run/contrace/contraced.sock", "http://localhost", "/run/contrace/contraced.sock"},
        {"unix:@contraced", "http://localhost", "@contraced"},
        {"127.0.0.1:80", "http://127.0.0.1:80", NULL},
        {"web-1", "http://web-1:7465", NULL},
        {"[::1]", "http://[::1]:7465", NULL},
        {"[::1]:80", "http://[::1]:80", NULL},
        {"http://web-1", "http://web-1", NULL},
        {"http://web-1:7465/", "http://web-1:7465", NULL},
        {"https://contrace.example", "https://contrace.example", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct endpoint_address a = {0};
        const char *why = NULL;

        if (endpoint_parse(rows[i].text, &a, &why) < 0)
            fail_msg("%s: %s", rows[i].text, why);
        assert_string_equal(a.base, rows[i].base);
        if (rows[i].unix_path)
            assert_string_equal(a.unix_path, rows[i].unix_path);
        else
            assert_null(a.unix_path);
        endpoint_address_done(&a);
        assert_null(a.base);
    }
}

static void test_what_is_no_address(void **state)
{
    static const char *const texts[] = {
        "",        "unix:",         ":7465",        "a:b",        "a:99999", "a b",
        "http://", "http://a/path", "http://u:p@a", "http://a?q", "ftp://a", "/run/contraced.sock",
        "[::1",    "a\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct endpoint_address a = {0};
        const char *why = NULL;

        if (endpoint_parse(texts[i], &a, &why) != -EINVAL)
            fail_msg("'%s' is taken: %s", texts[i], a.base);
        assert_non_null(why);
        assert_null(a.base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_is_no_address),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
