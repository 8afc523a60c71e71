/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/apirequest.h"

static char why[APIREQUEST_WHY_SIZE];

static int parse(const char *text, struct capture_request *r)
{
    memset(why, 0, sizeof(why));
    return capture_request_parse(text, strlen(text), r, why);
}

static void test_capture(void **state)
{
    struct capture_request r;

    (void)state;
    assert_int_equal(parse("{\"target\": \"http://127.0.0.1:6060/debug/pprof/trace\"}", &r), 0);
    assert_int_equal(r.scope, CAPTURE_TARGET);
    assert_string_equal(r.name, "http://127.0.0.1:6060/debug/pprof/trace");
    assert_int_equal(r.window, 0);
    assert_null(r.reason);
    assert_false(r.wait);
    capture_request_done(&r);

    assert_int_equal(parse("{\"service\": \"cart\", \"seconds\": 0.25, \"reason\": \"a b~\","
                           " \"wait\": true}",
                           &r),
                     0);
    assert_int_equal(r.scope, CAPTURE_SERVICE);
    assert_int_equal(r.window, 250000);
    assert_string_equal(r.reason, "a b~");
    assert_true(r.wait);
    capture_request_done(&r);

    assert_int_equal(parse("{\"job\":\"j\",\"seconds\":30,\"wait\":false}", &r), 0);
    assert_int_equal(r.scope, CAPTURE_JOB);
    assert_int_equal(r.window, 30 * USEC_PER_SEC);
    capture_request_done(&r);
    assert_int_equal(parse("{\"all\":true,\"seconds\":0.001}", &r), 0);
    assert_int_equal(r.scope, CAPTURE_ALL);
    assert_null(r.name);
    assert_int_equal(r.window, USEC_PER_MSEC);
    capture_request_done(&r);
}

static void test_refused(void **state)
{
    static const struct {
        const char *body, *why;
    } cases[] = {
        {"", "the body is no JSON: line 1, column 0: "},
        {"{\"all\": tru}", "the body is no JSON: line 1, column 11: "},
        {"{\"all\": true} x", "the body is no JSON: "},
        {"[]", "the body must be a JSON object"},
        {"{\"all\": true, \"all\": true}", "the body is no JSON: "},
        {"{}", "exactly one of"},
        {"{\"target\": \"a\", \"job\": \"b\"}", "exactly one of"},
        {"{\"target\": 7}", "\"target\" must be a text"},
        {"{\"service\": \"\"}", "\"service\" must be a text"},
        {"{\"job\": null}", "\"job\" must be a text"},
        {"{\"all\": false}", "\"all\" must be true"},
        {"{\"all\": 1}", "\"all\" must be true"},
        {"{\"all\": true, \"secconds\": 2}", "unknown key \"secconds\": there are target, "},
        {"{\"all\": true, \"url\": \"http://evil/\"}", "unknown key \"url\""},
        {"{\"all\": true, \"\\u001b[31m\\u00e4\": 2}", "unknown key \"?[31m?"},
        {"{\"\t\x7f\": tru}", "no JSON"},
        {"{\"all\": true, \"a\x7f\": 2}", "unknown key \"a?\""},
        {"{\"all\": true, \"seconds\": \"2\"}", "\"seconds\" must be a number from 0.001 to 30"},
        {"{\"all\": true, \"seconds\": 0}", "\"seconds\" must be"},
        {"{\"all\": true, \"seconds\": -1}", "\"seconds\" must be"},
        {"{\"all\": true, \"seconds\": 30.001}", "\"seconds\" must be"},
        {"{\"all\": true, \"seconds\": 0.0009}", "\"seconds\" must be"},
        {"{\"all\": true, \"seconds\": 1e300}", "\"seconds\" must be"},
        {"{\"all\": true, \"seconds\": null}", "\"seconds\" must be"},
        {"{\"all\": true, \"reason\": \"\"}", "\"reason\" must be a text of 1 to 100"},
        {"{\"all\": true, \"reason\": 7}", "\"reason\" must be"},
        {"{\"all\": true, \"reason\": \"a\\nb\"}", "\"reason\" must be"},
        {"{\"all\": true, \"reason\": \"\\u00e4\"}", "\"reason\" must be"},
        {"{\"all\": true, \"wait\": 1}", "\"wait\" must be true or false"},
        {"{\"all\": true, \"wait\": \"yes\"}", "\"wait\" must be"},
    };
    struct capture_request r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (parse(cases[i].body, &r) != -EINVAL || !strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].body, why);
        for (const char *p = why; *p; p++)
            assert_true(*p >= 0x20 && *p < 0x7f);
    }
}

static void test_reason_length(void **state)
{
    char text[200];
    struct capture_request r;

    (void)state;
    (void)snprintf(text, sizeof(text), "{\"all\": true, \"reason\": \"%0100d\"}", 1);
    assert_int_equal(parse(text, &r), 0);
    capture_request_done(&r);
    (void)snprintf(text, sizeof(text), "{\"all\": true, \"reason\": \"%0101d\"}", 1);
    assert_int_equal(parse(text, &r), -EINVAL);
}

static int suspend(const char *text, char **ret)
{
    return suspend_request_parse(text, strlen(text), ret, why);
}

static void test_suspend(void **state)
{
    char *reason = why;

    (void)state;
    assert_int_equal(suspend("", &reason), 0);
    assert_null(reason);
    assert_int_equal(suspend("{}", &reason), 0);
    assert_null(reason);
    assert_int_equal(suspend("{\"reason\": \"load test\"}", &reason), 0);
    assert_string_equal(reason, "load test");
    free(reason);
    assert_int_equal(suspend("{\"reason\": null}", &reason), -EINVAL);
    assert_int_equal(suspend("{\"why\": \"x\"}", &reason), -EINVAL);
    assert_non_null(strstr(why, "unknown key \"why\": there are reason"));
    assert_int_equal(suspend("nonsense", &reason), -EINVAL);
}

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(empty_request_parse("", 0, why), 0);
    assert_int_equal(empty_request_parse("{}", 2, why), 0);
    assert_int_equal(empty_request_parse("{\"a\":1}", 7, why), -EINVAL);
    assert_int_equal(empty_request_parse("[]", 2, why), -EINVAL);
    assert_int_equal(empty_request_parse("x", 1, why), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reason_length), cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
