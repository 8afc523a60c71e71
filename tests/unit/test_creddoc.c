/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/creddoc.h"
#include "tests/support/allocations.h"

#define CANARY "wJalrXUtnFEMIcAnArYbPxRfiCYEXAMPLEKEY0001"
#define JSON                                                                     \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"" CANARY \
    "\",\"Token\":\"" CANARY "\",\"Expiration\":\"2026-03-14T09:26:53Z\"}"
#define STS(inner)                                                                            \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
    "<AssumeRoleWithWebIdentityResult><Credentials>" inner                                    \
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
#define XML                                                                   \
    STS("<SessionToken>\n " CANARY " </SessionToken><SecretAccessKey>" CANARY \
        "</SecretAccessKey><Expiration>2026-03-14T09:26:53Z</Expiration>"     \
        "<AccessKeyId>AK</AccessKeyId>")
#define EXPIRY (1773480413 * USEC_PER_SEC)

typedef int parse_fn(const char *, size_t, struct secret_set *, char *, size_t);

static void assert_set(parse_fn *parse, const char *text, const char *token, usec expiry)
{
    struct secret_set s;
    char why[512] = "";

    secret_init(&s);
    assert_int_equal(parse(text, strlen(text), &s, why, sizeof(why)), 0);
    assert_string_equal(why, "");
    assert_string_equal(s.access_key, "AK");
    assert_string_equal(s.secret_key, CANARY);
    assert_string_equal(s.session_token ? s.session_token : "", token);
    assert_true(s.expiry == expiry);
    secret_done(&s);
}

static void assert_refused(parse_fn *parse, const char *text, const char *expected)
{
    struct secret_set s;
    char why[512] = "";

    secret_init(&s);
    assert_int_equal(parse(text, strlen(text), &s, why, sizeof(why)), -EINVAL);
    assert_string_equal(why, expected);
    assert_null(s.access_key);
}

static void test_json(void **state)
{
    (void)state;
    assert_set(creddoc_parse_json, JSON, CANARY, EXPIRY);
    assert_set(creddoc_parse_json,
               "{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"" CANARY
               "\",\"Token\":null,\"x\":[1]}",
               "", USEC_NEVER);
}

static void test_json_errors(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "the reply is not JSON: line 1"},
        {"[]", "the reply is not a JSON object"},
        {"{\"a\":" CANARY "}", "the reply is not JSON: line 1"},
        {"{}", "the reply has no AccessKeyId"},
        {"{\"AccessKeyId\":\"AK\"}", "the reply has no SecretAccessKey"},
        {"{\"AccessKeyId\":7}", "the reply's AccessKeyId is not a string"},
        {"{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"" CANARY "\",\"Expiration\":\"" CANARY
         "\"}",
         "the reply's Expiration is not a time"},
        {"{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"" CANARY "\\n\"}",
         "a key or the token in the reply is empty or has strange characters"},
        {"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role r\"}",
         "the service refused: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role r"},
        {"{\"code\":\"NoIdInRequest\",\"message\":\"see " CANARY "!\\n\"}",
         "the service refused: NoIdInRequest: see [...]!\\n"},
        {"{\"message\":\"gone\"}", "the service refused: gone"},
        {"{\"Code\":\"Failed\"}", "the service refused: Failed"},
        {"{\"Code\":\"\"}", "the service refused: it does not say why"},
        {"{\"Code\":\"X\",\"Token\":\"short\",\"Message\":\"a short one\"}",
         "the service refused: X"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(creddoc_parse_json, rows[i].text, rows[i].why);
}

static void test_xml(void **state)
{
    (void)state;
    assert_set(creddoc_parse_xml, XML, CANARY, EXPIRY);
    assert_set(creddoc_parse_xml, "<?xml version=\"1.0\"?>\n" XML "\n", CANARY, EXPIRY);
}

static void test_xml_errors(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "the reply is not XML: no element found"},
        {"<a>\n" CANARY "</b>", "the reply is not XML: mismatched tag"},
        {"<a/>", "the reply has no AccessKeyId"},
        {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "the reply has a document type"},
        {STS("<AccessKeyId>AK</AccessKeyId>"), "the reply has no SecretAccessKey"},
        {STS("<AccessKeyId>A</AccessKeyId><AccessKeyId>B</AccessKeyId>"),
         "the reply has an element twice"},
        {STS("<AccessKeyId>A</AccessKeyId><SecretAccessKey>" CANARY "</SecretAccessKey>"),
         "the reply has no Expiration"},
        {"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code>"
         "<Message>Token expired: 1 &gt; 0, " CANARY "</Message></Error></ErrorResponse>",
         "the service refused: ExpiredTokenException: Token expired: 1 > 0, [...]"},
        {"<ErrorResponse><Error/></ErrorResponse>", "the reply has no AccessKeyId"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(creddoc_parse_xml, rows[i].text, rows[i].why);
}

static void test_bounds(void **state)
{
    size_t n = CREDDOC_MAX + 1;
    char *big = malloc(n + 1);

    (void)state;
    assert_non_null(big);
    memset(big, ' ', n);
    big[n] = '\0';
    assert_refused(creddoc_parse_json, big, "the reply is longer than 64 KiB");
    assert_refused(creddoc_parse_xml, big, "the reply is longer than 64 KiB");
    /* As deep as there is room for. */
    for (size_t i = 0; i + 3 <= CREDDOC_MAX; i += 3)
        memcpy(big + i, "<a>", 3);
    big[CREDDOC_MAX] = '\0';
    {
        struct secret_set s;
        char why[512];

        secret_init(&s);
        assert_int_equal(creddoc_parse_xml(big, CREDDOC_MAX, &s, why, sizeof(why)), -EINVAL);
        memset(big, '[', CREDDOC_MAX);
        assert_int_equal(creddoc_parse_json(big, CREDDOC_MAX, &s, why, sizeof(why)), -EINVAL);
    }
    free(big);
}

/* Cut and damaged at every byte: a set or a text, and no text with the canary in it. */
static void hunt(parse_fn *parse, const char *good)
{
    static const char damage[] = {'\0', '\n', '<', '>', '"', '&', '}', '\\', ' ', '\x80', 'C'};
    size_t n = strlen(good);
    char *text = malloc(n + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d <= sizeof(damage); d++) {
            struct secret_set s;
            char why[512] = "";
            int r;

            secret_init(&s);
            memcpy(text, good, n + 1);
            if (d < sizeof(damage))
                text[i] = damage[d];
            r = parse(text, d < sizeof(damage) ? n : i, &s, why, sizeof(why));
            assert_true((r < 0) == (why[0] != '\0'));
            assert_null(strstr(why, "cAnArY"));
            assert_null(strstr(why, "wJalr"));
            assert_null(strstr(why, "KEY0001"));
            secret_done(&s);
        }
    }
    free(text);
}

static void test_canary(void **state)
{
    (void)state;
    hunt(creddoc_parse_json, JSON);
    hunt(creddoc_parse_json,
         "{\"Code\":\"X\",\"Token\":\"" CANARY "\",\"Message\":\"a " CANARY "\"}");
    hunt(creddoc_parse_xml, XML);
}

/* What is right is never called wrong for want of memory: it would not be asked for again. */
static void check_no_memory(parse_fn *parse, const char *text)
{
    int r = -ENOMEM;

    for (allocations_fail_at = 0; r < 0; allocations_fail_at++) {
        struct secret_set s;
        char why[512] = "";

        secret_init(&s);
        allocations_made = 0;
        allocations_failing = true;
        r = parse(text, strlen(text), &s, why, sizeof(why));
        allocations_failing = false;
        if (r < 0)
            assert_string_equal(why, strerror(ENOMEM));
        assert_true(r == 0 || r == -ENOMEM);
        secret_done(&s);
    }
    assert_true(allocations_fail_at > 10);
}

static void test_no_memory(void **state)
{
    (void)state;
    allocations_fail_once = true;
    check_no_memory(creddoc_parse_json, JSON);
    check_no_memory(creddoc_parse_xml, XML);
}

static int setup(void **state)
{
    (void)state;
    creddoc_setup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),      cmocka_unit_test(test_json_errors),
        cmocka_unit_test(test_xml),       cmocka_unit_test(test_xml_errors),
        cmocka_unit_test(test_bounds),    cmocka_unit_test(test_canary),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
