/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/address.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_text(const char *got, const char *expected)
{
    if (!expected)
        assert_null(got);
    else
        assert_string_equal(got, expected);
}

static void test_good(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        const char *path;
        bool local;
    } rows[] = {
        {"127.0.0.1:6060", "127.0.0.1", 6060, NULL, true},
        {"127.255.1.2", "127.255.1.2", 0, NULL, true},
        {"10.0.0.1:1", "10.0.0.1", 1, NULL, false},
        {"localhost:65535", "localhost", 65535, NULL, true},
        {"LocalHost", "LocalHost", 0, NULL, true},
        {"localhost.example", "localhost.example", 0, NULL, false},
        {"[::1]:6060", "::1", 6060, NULL, true},
        {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 0, NULL, true},
        {"[2001:db8::1]", "2001:db8::1", 0, NULL, false},
        {"[10.0.0.1]:6060", "10.0.0.1", 6060, NULL, false}, /* as from [${NODE_IP}] */
        {"my_shop-1.svc.cluster.local.:80", "my_shop-1.svc.cluster.local.", 80, NULL, false},
        {"unix:/run/shop/pprof.sock", NULL, 0, "/run/shop/pprof.sock", true},
        {"unix:///run/x", NULL, 0, "/run/x", true},
        {"unix:@pprof", NULL, 0, "@pprof", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a;
        const char *why = NULL;

        assert_int_equal(address_parse(rows[i].text, &a, &why), 0);
        assert_text(a.host, rows[i].host);
        assert_text(a.unix_path, rows[i].path);
        assert_int_equal(a.port, rows[i].port);
        assert_int_equal(address_is_local(&a), rows[i].local);
        address_done(&a);
        address_done(&a);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "empty"},
        {":80", "host is missing"},
        {"a:", "port is missing"},
        {"a:0", "1 to 65535"},
        {"a:65536", "1 to 65535"},
        {"a:-1", "1 to 65535"},
        {"a:http", "1 to 65535"},
        {"a:18446744073709551617", "1 to 65535"},
        {"http://a:1", "`scheme`"},
        {"a:1/debug", "`path`"},
        {"u@a:1", "`basic_auth`"},
        {"a b", "blanks"},
        {"a\n", "blanks"},
        {"caf\xc3\xa9", "blanks"},
        {"::1", "brackets"},
        {"2001:db8::1:80", "brackets"},
        {"[::1", "not closed"},
        {"[::1]80", "only :port"},
        {"[::1]:", "port is missing"},
        {"[localhost]:80", "not an IPv6"},
        {"[fe80::1%eth0]:80", "not an IPv6"},
        {"256.0.0.1", "not an IPv4"},
        {"1.2.3:80", "not an IPv4"},
        {"5", "not an IPv4"},
        {"a$b", "only letters"},
        {"-a", "begins with"},
        {"a..b", "empty parts"},
        {"unix:", "absolute"},
        {"unix:run/x", "absolute"},
        {"unix:/", "no name"},
        {"unix:@", "no name"},
        {"unix:/run/a b", "blanks"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a = {.port = 7};
        const char *why = NULL;

        assert_int_equal(address_parse(rows[i].text, &a, &why), -EINVAL);
        assert_non_null(why);
        assert_non_null(strstr(why, rows[i].why));
        assert_int_equal(a.port, 7);
        assert_null(a.host);
    }
}

static void test_lengths(void **state)
{
    char text[400];
    struct address a;
    const char *why;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[253] = '\0';
    assert_int_equal(address_parse(text, &a, &why), 0);
    address_done(&a);
    text[253] = 'a';
    text[254] = '\0';
    assert_int_equal(address_parse(text, &a, &why), -EINVAL);
    memcpy(text, "unix:/", 6);
    text[5 + 107] = '\0';
    assert_int_equal(address_parse(text, &a, &why), 0);
    assert_int_equal(strlen(a.unix_path), 107);
    address_done(&a);
    text[5 + 107] = 'a';
    text[5 + 108] = '\0';
    assert_int_equal(address_parse(text, &a, &why), -EINVAL);
}

static void test_urls(void **state)
{
    static const struct {
        const char *url, *scheme, *address, *path;
    } rows[] = {
        {"http://127.0.0.1:6060", "http", "127.0.0.1:6060", NULL},
        {"http://127.0.0.1:6060/", "http", "127.0.0.1:6060", NULL},
        {"HTTPS://shop/debug/pprof/trace", "https", "shop", "/debug/pprof/trace"},
        {"https://[::1]:6060/x", "https", "[::1]:6060", "/x"},
        {"unix:/run/x.sock", "http", "unix:/run/x.sock", NULL},
        {"unix:@x", "http", "unix:@x", NULL},
    };
    static const char *const bad[] = {
        "",           "127.0.0.1:6060",    "ftp://a",     "http:/a",        "http://",
        "http:///x",  "http://u:p@a/",     "http://a?b",  "http://a/x?y=z", "http://a/x#f",
        "http://a b", "http://a/\xc3\xa9", "http://a:b/", "unix:x",         "http://[::1/x",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *scheme, *address, *path;
        const char *why;

        assert_int_equal(address_split_url(rows[i].url, &scheme, &address, &path, &why), 0);
        assert_text(scheme, rows[i].scheme);
        assert_text(address, rows[i].address);
        assert_text(path, rows[i].path);
        free(scheme);
        free(address);
        free(path);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *scheme, *address, *path;
        const char *why = NULL;

        assert_int_equal(address_split_url(bad[i], &scheme, &address, &path, &why), -EINVAL);
        assert_non_null(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
