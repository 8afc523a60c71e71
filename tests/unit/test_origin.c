/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/net/origin.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

/* What libcurl, Go and Python send for these URLs. */
static void test_names(void **state)
{
    static const struct {
        const char *url, *name;
        uint16_t port;
        const char *rest;
    } cases[] = {
        {"https://store.internal", "store.internal", 443, ""},
        {"https://store.internal:443/b/k", "store.internal", 443, "/b/k"},
        {"https://store.internal:0443/", "store.internal", 443, "/"},
        {"https://store.internal:/", "store.internal", 443, "/"},
        {"https://store.internal:80", "store.internal:80", 80, ""},
        {"https://store.internal:9443?x", "store.internal:9443", 9443, "?x"},
        {"http://store.internal:80/", "store.internal", 80, "/"},
        {"http://store.internal:443/", "store.internal:443", 443, "/"},
        {"HTTP://Store/", "Store", 80, "/"},
        {"http://10.0.0.1:9000/s3", "10.0.0.1:9000", 9000, "/s3"},
        {"http://[::1]/", "[::1]", 80, "/"},
        {"https://[fd00::1]:443/", "[fd00::1]", 443, "/"},
        {"https://[fd00::1]:444/", "[fd00::1]:444", 444, "/"},
        {"http://[fe80::1%25eth0]:8080/", "[fe80::1]:8080", 8080, "/"},
        {"http://store:65535#f", "store:65535", 65535, "#f"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        char name[ORIGIN_NAME_SIZE];
        struct origin o;
        int n = origin_parse(cases[i].url, &o);

        assert_true(n > 0);
        origin_name(&o, name);
        assert_string_equal(name, cases[i].name);
        assert_int_equal(o.port, cases[i].port);
        assert_string_equal(cases[i].url + n, cases[i].rest);
    }
}

static void test_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "ftp://a/",
        "//a/",
        "http://",
        "http:///x",
        "http://:1",
        "http://a:0/",
        "http://a:65536",
        "http://a:-1/",
        "http://a:1x/",
        "http://[a",
        "http://u@a/",
        "http://u:p@a/",
        "http://[::1]x",
        "http://a:b:c/",
        "https:/a",
        "http://a b/",
        "http://\xc3\xa4/",
        "http://a:99999999999999999999/",
    };
    struct origin o;

    (void)state;
    for (size_t i = 0; i < N(urls); i++)
        assert_int_equal(origin_parse(urls[i], &o), -EINVAL);
}

static void test_long(void **state)
{
    char url[ORIGIN_HOST_SIZE + 16] = "http://";
    char name[ORIGIN_NAME_SIZE];
    struct origin o;

    (void)state;
    memset(url + 7, 'a', ORIGIN_HOST_SIZE - 1);
    (void)strcpy(url + 7 + ORIGIN_HOST_SIZE - 1, ":65535");
    assert_true(origin_parse(url, &o) > 0);
    origin_name(&o, name);
    assert_string_equal(name, url + 7);
    memset(url + 7, 'a', ORIGIN_HOST_SIZE);
    assert_int_equal(origin_parse(url, &o), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
