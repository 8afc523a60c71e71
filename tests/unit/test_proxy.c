/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/proxy.h"
#include "tests/support/text.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

static const char *const variables[] = {"HTTP_PROXY",  "http_proxy",    "HTTPS_PROXY",
                                        "https_proxy", "NO_PROXY",      "no_proxy",
                                        "ALL_PROXY",   "REQUEST_METHOD"};

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    return 0;
}

/* Those of golang.org/x/net/http/httpproxy, and what stands in its documentation. */
static void test_exceptions(void **state)
{
    static const struct {
        const char *no_proxy, *host;
        uint16_t port;
        bool excepted;
    } cases[] = {
        {"", "example.com", 80, false},
        {"*", "example.com", 80, true},
        {"a, *", "example.com", 80, true},
        {"example.com", "example.com", 80, true},
        {"example.com", "www.example.com", 80, true},
        {"example.com", "badexample.com", 80, false},
        {"example.com", "EXAMPLE.com", 80, true},
        {"Example.COM", "example.com", 80, true},
        {".example.com", "example.com", 80, false},
        {".example.com", "www.example.com", 80, true},
        {"*.example.com", "www.example.com", 80, true},
        {"*.example.com", "example.com", 80, false},
        {"example.com:80", "example.com", 80, true},
        {"example.com:80", "example.com", 443, false},
        {"com", "example.com", 80, true},
        {"e.com,example.com", "example.com", 80, true},
        {" a b\texample.com ", "example.com", 80, true},
        {",,,", "example.com", 80, false},
        {".", "example.com", 80, false},
        {"*.", "example.com", 80, false},
        {":80", "example.com", 80, false},
        {"10.0.0.1", "10.0.0.1", 80, true},
        {"10.0.0.1", "10.0.0.2", 80, false},
        {"0.0.0.1", "10.0.0.1", 80, false},
        {"10.0.0.1:80", "10.0.0.1", 80, true},
        {"10.0.0.1:80", "10.0.0.1", 81, false},
        {"10.0.0.0/8", "10.255.0.1", 80, true},
        {"10.0.0.0/8", "11.0.0.1", 80, false},
        {"10.64.0.0/10", "10.127.255.255", 80, true},
        {"10.64.0.0/10", "10.128.0.0", 80, false},
        {"10.0.0.1/32", "10.0.0.1", 80, true},
        {"0.0.0.0/0", "8.8.8.8", 80, true},
        {"10.0.0.0/8", "a10.example", 80, false},
        {"10.0.0.0/33", "10.0.0.0", 80, false},
        {"10.0.0.0/", "10.0.0.0", 80, false},
        {"0.0.0.0/0", "[::1]", 80, false},
        {"fd00::/8", "[fd12::1]", 80, true},
        {"fd00::/8", "[fe80::1]", 80, false},
        {"::/0", "[2001:db8::1]", 80, true},
        {"2001:db8::1", "[2001:db8:0::1]", 80, true},
        {"[2001:db8::1]", "[2001:db8::1]", 80, true},
        {"[2001:db8::1]:80", "[2001:db8::1]", 80, true},
        {"[2001:db8::1]:80", "[2001:db8::1]", 81, false},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        if (proxy_excepts(cases[i].no_proxy, cases[i].host, cases[i].port) != cases[i].excepted)
            fail_msg("`%s` and %s", cases[i].no_proxy, cases[i].host);
    }
}

static void test_long_exceptions(void **state)
{
    char list[1000];

    (void)state;
    memset(list, 'a', sizeof(list));
    (void)strcpy(list + 900, ",example.com");
    assert_true(proxy_excepts(list, "example.com", 80));
    assert_false(proxy_excepts(list, "aaa.com", 80));
}

/* NULL: straight. The name of the setting is returned. */
static const char *expect(const struct proxy *p, const char *url, const char *proxy)
{
    const char *setting = "none";
    char why[PROXY_WHY_MAX], *found;
    struct origin to;

    assert_true(origin_parse(url, &to) > 0);
    assert_int_equal(proxy_find(p, &to, &found, &setting, why), 0);
    if (proxy && found)
        assert_string_equal(found, proxy);
    else
        assert_true(!proxy == !found);
    proxy_free(found);
    return setting;
}

static void test_environment(void **state)
{
    const struct proxy p = {.from_environment = true}, none = {0};

    (void)state;
    assert_string_equal(expect(&p, "http://a.example/", NULL), "none");
    assert_int_equal(setenv("HTTP_PROXY", "http://upper:1", 1), 0);
    assert_int_equal(setenv("http_proxy", "http://lower:2", 1), 0);
    assert_int_equal(setenv("https_proxy", "http://secure:3", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://all:4", 1), 0);
    assert_string_equal(expect(&p, "http://a.example/", "http://upper:1"), "HTTP_PROXY");
    assert_string_equal(expect(&p, "https://a.example/", "http://secure:3"), "https_proxy");
    (void)expect(&none, "https://a.example/", NULL);
    assert_int_equal(setenv("HTTPS_PROXY", "", 1), 0);
    (void)expect(&p, "https://a.example/", "http://secure:3");

    assert_int_equal(setenv("REQUEST_METHOD", "GET", 1), 0);
    (void)expect(&p, "http://a.example/", "http://lower:2");
    assert_int_equal(unsetenv("REQUEST_METHOD"), 0);

    assert_int_equal(setenv("NO_PROXY", ".example,10.0.0.0/8", 1), 0);
    (void)expect(&p, "http://a.example/", NULL);
    (void)expect(&p, "http://10.1.2.3/", NULL);
    (void)expect(&p, "http://other/", "http://upper:1");
}

/* As Go: what the environment names is for the world, not for this machine. */
static void test_loopback(void **state)
{
    const struct proxy environment = {.from_environment = true}, own = {.url = TEXT("http://p:1")};
    static const char *const urls[] = {"http://localhost/", "http://127.0.0.1:6060/",
                                       "http://127.9.9.9/", "http://[::1]:6060/"};

    (void)state;
    assert_int_equal(setenv("HTTP_PROXY", "p:1", 1), 0);
    for (size_t i = 0; i < N(urls); i++) {
        (void)expect(&environment, urls[i], NULL);
        (void)expect(&own, urls[i], "http://p:1");
    }
    (void)expect(&environment, "http://128.0.0.1/", "http://p:1");
}

static void test_own(void **state)
{
    const struct proxy p = {
        .url = TEXT("http://p"), .no_proxy = TEXT("inner.example"), .from_environment = true};

    (void)state;
    assert_int_equal(setenv("HTTP_PROXY", "http://env:1", 1), 0);
    assert_int_equal(setenv("NO_PROXY", "*", 1), 0);
    (void)expect(&p, "http://outer.example/", "http://p:80");
    (void)expect(&p, "http://a.inner.example/", NULL);
}

/* libcurl takes a port that is left out for 1080, and looks names up by itself for socks5. */
static void test_forms(void **state)
{
    static const struct {
        const char *url, *curl, *name;
    } cases[] = {
        {"proxy", "http://proxy:80", "http://proxy:80"},
        {"proxy:3128", "http://proxy:3128", "http://proxy:3128"},
        {"http://proxy:3128/", "http://proxy:3128", "http://proxy:3128"},
        {"https://proxy", "https://proxy:443", "https://proxy:443"},
        {"HTTPS://proxy:8443", "https://proxy:8443", "https://proxy:8443"},
        {"socks5://proxy", "socks5h://proxy:1080", "socks5://proxy:1080"},
        {"socks5h://[::1]:1", "socks5h://[::1]:1", "socks5h://[::1]:1"},
        {"http://u:pa@ss@proxy:3128", "http://u:pa@ss@proxy:3128", "http://proxy:3128"},
        {"u:p@proxy", "http://u:p@proxy:80", "http://proxy:80"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        const struct proxy p = {.url = TEXT(cases[i].url)};
        char name[PROXY_NAME_SIZE];

        (void)expect(&p, "http://a/", cases[i].curl);
        proxy_name(cases[i].url, name);
        assert_string_equal(name, cases[i].name);
        assert_int_equal(proxy_has_secret(cases[i].url), strchr(cases[i].url, '@') != NULL);
    }
}

static void test_refused(void **state)
{
    static const char *const urls[] = {"ftp://p:1",        "http://",      "http://p:x",
                                       "http://p:70000",   "http://p?q",   "http://a b",
                                       "http://u:p/w@p:1", "socks4://p:1", "://p"};
    const struct proxy p = {.from_environment = true};
    char why[PROXY_WHY_MAX], name[PROXY_NAME_SIZE], *found;
    const char *setting;
    struct origin to;

    (void)state;
    assert_true(origin_parse("https://a/", &to) > 0);
    for (size_t i = 0; i < N(urls); i++) {
        assert_non_null(proxy_check(urls[i]));
        assert_int_equal(setenv("HTTPS_PROXY", urls[i], 1), 0);
        assert_int_equal(proxy_find(&p, &to, &found, &setting, why), -EINVAL);
        assert_int_equal(strncmp(why, "HTTPS_PROXY ", 12), 0);
        assert_null(strstr(why, urls[i]));
        proxy_name(urls[i], name);
        assert_null(strstr(name, "u:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_long_exceptions),
        cmocka_unit_test_setup(test_environment, setup),
        cmocka_unit_test_setup(test_loopback, setup),
        cmocka_unit_test_setup(test_own, setup),
        cmocka_unit_test_setup(test_forms, setup),
        cmocka_unit_test_setup(test_refused, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
