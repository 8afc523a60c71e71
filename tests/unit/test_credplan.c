/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/store/identity/credplan.h"

#define MIN USEC_PER_MIN

static void test_container_url(void **state)
{
    static const struct {
        const char *url;
        int expected;
    } rows[] = {
        {"https://any.example/x?y=z", 0},
        {"https://any.example:8443", 0},
        {"HTTP://LOCALHOST/x", 0},
        {"http://127.0.0.1:51679/v1", 0},
        {"http://127.9.9.9/", 0},
        {"http://169.254.170.2/v2/x", 0},
        {"http://169.254.170.23/v1/credentials", 0},
        {"http://[fd00:ec2::23]/v1/credentials", 0},
        {"http://[FD00:EC2:0::23]:80/", 0},
        {"http://[::1]:8080/", 0},
        {"http://169.254.169.254/latest", -EPERM},
        {"http://169.254.170.22/", -EPERM},
        {"http://169.254.170.2.evil.example/", -EPERM},
        {"http://127.0.0.1.evil.example/", -EPERM},
        {"http://localhost.evil.example/", -EPERM},
        {"http://127.1/", -EPERM},
        {"http://2130706433/", -EPERM},
        {"http://0x7f.0.0.1/", -EPERM},
        {"http://[fd00:ec2::24]/", -EPERM},
        {"http://[::ffff:127.0.0.1]/", -EPERM},
        {"http://[::1%25eth0]/", -EPERM},
        {"http://10.0.0.1/", -EPERM},
        {"http://evil.example?@127.0.0.1/", -EPERM},
        {"http://127.0.0.1@evil.example/", -EINVAL},
        {"https://user:pw@any.example/", -EINVAL},
        {"http://127.0.0.1\\@evil.example/", -EINVAL},
        {"http://127.0.0.1#evil.example/", -EINVAL},
        {"http://127.0.0.1:80x/", -EINVAL},
        {"http://127.0.0.1:/", -EINVAL},
        {"http://[::1/", -EINVAL},
        {"http://[::1]x/", -EINVAL},
        {"http:///x", -EINVAL},
        {"http://:80/", -EINVAL},
        {"http:/127.0.0.1/", -EINVAL},
        {"ftp://127.0.0.1/", -EINVAL},
        {"file:///etc/passwd", -EINVAL},
        {"http://127.0.0.1/a b", -EINVAL},
        {"http://127.0.0.1/a\r\nX: y", -EINVAL},
        {"", -EINVAL},
    };
    char url[CREDPLAN_URL_SIZE], why[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        why[0] = '\0';
        if (credplan_container_url(NULL, rows[i].url, url, why, sizeof(why)) != rows[i].expected)
            fail_msg("%s", rows[i].url);
        assert_true((rows[i].expected < 0) == (why[0] != '\0'));
        if (rows[i].expected == 0)
            assert_string_equal(url, rows[i].url);
    }
    assert_int_equal(credplan_container_url("/v2/x?a=b", "http://evil/", url, why, sizeof(why)), 0);
    assert_string_equal(url, "http://169.254.170.2/v2/x?a=b");
    assert_int_equal(credplan_container_url("@evil/", NULL, url, why, sizeof(why)), -EINVAL);
    assert_int_equal(credplan_container_url(".evil/", NULL, url, why, sizeof(why)), -EINVAL);
    assert_int_equal(credplan_container_url("/a b", NULL, url, why, sizeof(why)), -EINVAL);
}

static void test_global(void **state)
{
    (void)state;
    assert_true(credplan_sts_is_global("us-west-2"));
    assert_false(credplan_sts_is_global("cn-north-1"));
    assert_false(credplan_sts_is_global("eu-south-1"));
}

static void test_secret_url(void **state)
{
    static const struct {
        const char *url;
        bool near;
        int expected;
    } rows[] = {
        {"https://oauth2.googleapis.com/token", false, 0},
        {"http://127.0.0.1:8080/token", false, 0},
        {"http://169.254.169.254/metadata", false, -EPERM},
        {"http://169.254.169.254/metadata", true, 0},
        {"http://169.254.131.5:8081/msi/token", true, 0},
        {"http://169.253.1.1/", true, -EPERM},
        {"http://evil.example/", true, -EPERM},
        {"http://169.254.169.254.evil.example/", true, -EPERM},
        {"https://user:pw@any.example/", false, -EINVAL},
        {"file:///etc/passwd", false, -EINVAL},
        {"", false, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[160] = "";

        assert_int_equal(
            credplan_secret_url(rows[i].url, rows[i].near, "`token_uri`", why, sizeof(why)),
            rows[i].expected);
        assert_true((rows[i].expected < 0) == (why[0] != '\0'));
        assert_null(strstr(why, "evil"));
    }
}

/* As shlex.split reads it. */
static void test_split(void **state)
{
    static const struct {
        const char *line, *words; /* joined by '|'; NULL: refused */
    } rows[] = {
        {"a", "a"},
        {"  a  b\tc ", "a|b|c"},
        {"a 'b c' \"d e\"f", "a|b c|d ef"},
        {"a\\ b c", "a b|c"},
        {"a \"b\\\"c\\d\"", "a|b\"c\\d"},
        {"a 'b\\c'", "a|b\\c"},
        {"a '' b", "a||b"},
        {"a $(b) `c` ; d > e", "a|$(b)|`c`|;|d|>|e"},
        {"", NULL},
        {"   ", NULL},
        {"a 'b", NULL},
        {"a \"b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[128], joined[128] = "", *words[CREDPLAN_WORDS_MAX + 1];
        int n;

        (void)snprintf(line, sizeof(line), "%s", rows[i].line);
        n = credplan_split(line, words);
        assert_int_equal(n < 0, rows[i].words == NULL);
        for (int w = 0; w < n; w++)
            (void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s",
                           w > 0 ? "|" : "", words[w]);
        if (n > 0) {
            assert_string_equal(joined, rows[i].words);
            assert_null(words[n]);
        }
    }
}

static void test_split_many(void **state)
{
    char line[2 * CREDPLAN_WORDS_MAX + 3], *words[CREDPLAN_WORDS_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(line); i++)
        line[i] = i % 2 ? ' ' : 'x';
    line[sizeof(line) - 1] = '\0';
    assert_int_equal(credplan_split(line, words), -EINVAL);
}

static void test_form(void **state)
{
    static const char role[] = "arn:aws:iam::123456789012:role/traces+x";
    struct buf form;

    (void)state;
    credplan_form_init(&form);
    assert_int_equal(credplan_form(role, "a@b", "eyJ.a_-=&\n", 10, &form), 0);
    assert_string_equal(buf_str(&form),
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
                        "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftraces%2Bx"
                        "&RoleSessionName=a%40b&WebIdentityToken=eyJ.a_-%3D%26");
    buf_clear(&form);
    assert_int_equal(credplan_form(role, NULL, "token", 5, &form), 0);
    assert_non_null(strstr(buf_str(&form), "&RoleSessionName=contraced&"));
    buf_clear(&form);
    assert_int_equal(credplan_form("short", NULL, "token", 5, &form), -EINVAL);
    assert_int_equal(credplan_form(role, "a b", "token", 5, &form), -EINVAL);
    assert_int_equal(credplan_form(role, "a", "token", 5, &form), -EINVAL);
    assert_int_equal(credplan_form(role, "a~b", "token", 5, &form), -EINVAL);
    assert_int_equal(credplan_form(role, NULL, "\n\n\n\n\n", 5, &form), -EINVAL);
    assert_int_equal(credplan_form(role, NULL, "to\0en", 5, &form), -EINVAL);
    assert_int_equal(form.len, 0);
    buf_wipe(&form);
}

static void test_age(void **state)
{
    const usec since = 1000 * MIN, expiry = since + 60 * MIN;

    (void)state;
    assert_int_equal(credplan_age(since, USEC_NEVER, expiry), CREDPLAN_FRESH);
    assert_int_equal(credplan_age(since, expiry, expiry - 15 * MIN - 1), CREDPLAN_FRESH);
    assert_int_equal(credplan_age(since, expiry, expiry - 15 * MIN), CREDPLAN_DUE);
    assert_int_equal(credplan_age(since, expiry, expiry - 10 * MIN), CREDPLAN_URGENT);
    assert_int_equal(credplan_age(since, expiry, expiry), CREDPLAN_EXPIRED);
    /* Of 12 minutes the last 6 and 4: not at once, and not in a storm. */
    assert_int_equal(credplan_age(since, since + 12 * MIN, since + 6 * MIN - 1), CREDPLAN_FRESH);
    assert_int_equal(credplan_age(since, since + 12 * MIN, since + 6 * MIN), CREDPLAN_DUE);
    assert_int_equal(credplan_age(since, since + 12 * MIN, since + 8 * MIN), CREDPLAN_URGENT);
    assert_int_equal(credplan_age(since, since - 1, since), CREDPLAN_EXPIRED);
}

static void test_refresh(void **state)
{
    const usec since = 1000 * MIN, expiry = since + 60 * MIN;

    (void)state;
    assert_true(credplan_refresh_at(since, USEC_NEVER, 0.5) == USEC_NEVER);
    assert_true(credplan_refresh_at(since, expiry, 0) == expiry - 15 * MIN);
    assert_true(credplan_refresh_at(since, expiry, 0.5) == expiry - 12 * MIN - MIN / 2);
    assert_true(credplan_refresh_at(since, expiry, 0.999) < expiry - 10 * MIN);
    assert_true(credplan_refresh_at(since, since + 12 * MIN, 0) == since + 6 * MIN);
    assert_true(credplan_refresh_at(since, since - MIN, 0.9) == since - MIN);
}

static void test_retry(void **state)
{
    (void)state;
    assert_true(credplan_retry_after(1, CREDPLAN_DUE, 0) == USEC_PER_SEC);
    assert_true(credplan_retry_after(1, CREDPLAN_DUE, 0.8) == 4 * USEC_PER_SEC);
    assert_true(credplan_retry_after(2, CREDPLAN_DUE, 0.8) == 8 * USEC_PER_SEC);
    assert_true(credplan_retry_after(20, CREDPLAN_DUE, 0.5) == 150 * USEC_PER_SEC);
    assert_true(credplan_retry_after(20, CREDPLAN_EXPIRED, 0.5) == 30 * USEC_PER_SEC);
    assert_true(credplan_retry_after(4000000000U, CREDPLAN_URGENT, 0.999) < MIN);
    assert_true(credplan_retry_after(0, CREDPLAN_DUE, 0.8) == 4 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_global),        cmocka_unit_test(test_secret_url),
        cmocka_unit_test(test_container_url), cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_many),    cmocka_unit_test(test_form),
        cmocka_unit_test(test_age),           cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
