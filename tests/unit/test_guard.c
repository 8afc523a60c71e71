/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/control/guard.h"

#define TOKEN "s3cret"

/* A plain GET on the loopback listener, without a token. */
static struct guard_request plain(void)
{
    return (struct guard_request){
        .method = "GET", .host = "localhost:7465", .http_1_1 = true, .loopback = true};
}

static struct guard_request post(void)
{
    struct guard_request r = plain();

    r.method = "POST";
    r.has_body = true;
    r.content_type = "application/json";
    return r;
}

/* On an address that other machines reach, with a token configured. */
static struct guard_request exposed(const char *authorization)
{
    struct guard_request r = plain();

    r.loopback = false;
    r.host = "pod-7.example:7465";
    r.token_wanted = true;
    r.token = TOKEN;
    r.token_len = strlen(TOKEN);
    r.authorization = authorization;
    return r;
}

static unsigned verdict(struct guard_request r)
{
    struct guard_verdict v = guard_check(&r);

    assert_true(v.status == 0 || v.text[0] != '\0');
    return v.status;
}

static void test_hosts(void **state)
{
    static const char *const good[] = {
        "localhost",    "LocalHost:7465", "localhost.", "a.localhost:1", "127.0.0.1",
        "127.1.2.3:99", "[::1]:7465",     "[::1]",      "10.1.2.3:80",   "[2001:db8::1]:1",
    };
    static const char *const bad[] = {
        "",
        ":",
        ":7465",
        "evil.example",
        "evil.example:7465",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "127.0.0.1:7465x",
        "127.0.0.1:",
        "[::1",
        "[::1]x",
        "[evil]:1",
        "[]",
        ".localhost",
        "127.1",
        "0x7f000001",
        "localhost ",
        " localhost",
        "[127.0.0.1]:1",
        "localhost/evil",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!guard_host_is_plain(good[i]))
            fail_msg("%s is refused", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (guard_host_is_plain(bad[i]))
            fail_msg("%s is taken", bad[i]);
    }
}

static void test_rebinding(void **state)
{
    struct guard_request r = plain();

    (void)state;
    assert_int_equal(verdict(r), 0);
    r.host = "evil.example:7465";
    assert_int_equal(verdict(r), 403);
    r.open = true;
    assert_int_equal(verdict(r), 403);
    r = plain();
    r.host = NULL;
    assert_int_equal(verdict(r), 400);
    r.http_1_1 = false; /* no browser */
    assert_int_equal(verdict(r), 0);
    r = plain();
    r.fault = "the request needs one Host header";
    assert_int_equal(verdict(r), 400);
}

/* A page knows no token, so whoever has it may call this machine as it likes. */
static void test_token_outweighs_names(void **state)
{
    struct guard_request r = exposed("Bearer " TOKEN);

    (void)state;
    r.loopback = true;
    assert_int_equal(verdict(r), 0);
    r.origin = "http://evil.example";
    r.method = "POST";
    assert_int_equal(verdict(r), 0);
    r.authorization = "Bearer wrong";
    assert_int_equal(verdict(r), 403);
}

static void test_token(void **state)
{
    static const char *const wrong[] = {
        "Bearer", "Bearer ", "Bearer s3cre",   "Bearer s3cret ",  "Bearer s3cretX", "Basic s3cret",
        "s3cret", "",        "BearerX s3cret", "Bearer\n s3cret",
    };
    struct guard_request r;

    (void)state;
    assert_int_equal(verdict(exposed("Bearer " TOKEN)), 0);
    assert_int_equal(verdict(exposed("bearer  " TOKEN)), 0);
    assert_int_equal(verdict(exposed(NULL)), 401);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (verdict(exposed(wrong[i])) != 401)
            fail_msg("'%s' is taken", wrong[i]);
    }
    r = exposed(NULL);
    r.open = true;
    assert_int_equal(verdict(r), 0);
    r = exposed("Bearer " TOKEN);
    r.token = NULL; /* its file cannot be read */
    assert_int_equal(verdict(r), 503);
    r.authorization = "Bearer ";
    assert_int_equal(verdict(r), 503);
}

static void test_unix_socket(void **state)
{
    struct guard_request r = post();

    (void)state;
    r.unix_socket = true;
    r.host = "whatever";
    assert_int_equal(verdict(r), 0);
    r.host = NULL;
    assert_int_equal(verdict(r), 400);
}

static void test_other_sites(void **state)
{
    struct guard_request r = plain();

    (void)state;
    r.origin = "http://localhost:7465";
    assert_int_equal(verdict(r), 0);
    r.origin = "https://LOCALHOST:7465"; /* behind a proxy that speaks TLS */
    assert_int_equal(verdict(r), 0);
    r.origin = "http://localhost:3000";
    assert_int_equal(verdict(r), 403);
    r.origin = "null";
    assert_int_equal(verdict(r), 403);
    r.origin = "http://localhost:7465.evil.example";
    assert_int_equal(verdict(r), 403);
    r.origin = NULL;
    r.fetch_site = "cross-site"; /* a link to the page */
    assert_int_equal(verdict(r), 0);
    r.method = "HEAD";
    assert_int_equal(verdict(r), 0);
    r.method = "POST"; /* a form */
    assert_int_equal(verdict(r), 403);
    r.fetch_site = "same-site";
    assert_int_equal(verdict(r), 403);
    r.fetch_site = "same-origin";
    assert_int_equal(verdict(r), 0);
    r.fetch_site = "none";
    assert_int_equal(verdict(r), 0);
}

static void test_types(void **state)
{
    struct guard_request r = post();

    (void)state;
    assert_int_equal(verdict(r), 0);
    r.content_type = "Application/JSON; charset=utf-8";
    assert_int_equal(verdict(r), 0);
    r.content_type = "application/jsonp";
    assert_int_equal(verdict(r), 415);
    r.content_type = "text/plain";
    assert_int_equal(verdict(r), 415);
    r.content_type = NULL;
    assert_int_equal(verdict(r), 415);
    r.has_body = false;
    assert_int_equal(verdict(r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_rebinding),
        cmocka_unit_test(test_token_outweighs_names),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_other_sites),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
