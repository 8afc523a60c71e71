/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/upload/credplan.h"

#define MIN USEC_PER_MIN

static void test_order(void **state)
{
    struct credplan_facts f = {
        .config_access_key = true,
        .config_secret_key = true,
        .env_access_key = true,
        .env_secret_key = true,
        .env_token_file = true,
        .env_role_arn = true,
        .shared_keys = true,
        .relative_uri = true,
        .full_uri = true,
    };
    enum credplan_source s;
    char why[256] = "";

    (void)state;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_CONFIG);
    f.config_access_key = f.config_secret_key = false;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_ENVIRONMENT);
    f.env_access_key = f.env_secret_key = false;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_WEB_IDENTITY);
    f.env_token_file = false; /* a role alone is for someone else */
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_SHARED);
    f.shared_keys = false;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_CONTAINER);
    f.relative_uri = false;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_CONTAINER);
    f.full_uri = false;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), 0);
    assert_int_equal(s, CREDPLAN_IMDS);
    assert_string_equal(why, "");
    f.imds_disabled = true;
    assert_int_equal(credplan_choose(&f, &s, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "AWS_EC2_METADATA_DISABLED"));
    for (int i = CREDPLAN_CONFIG; i <= CREDPLAN_IMDS; i++)
        assert_non_null(credplan_source_name((enum credplan_source)i));
}

static void test_halves(void **state)
{
    static const struct {
        struct credplan_facts facts;
        const char *why;
    } rows[] = {
        {{.config_access_key = true}, "only one of the two key files"},
        {{.config_secret_key = true, .env_access_key = true}, "only one of the two key files"},
        {{.env_access_key = true}, "only one of AWS_ACCESS_KEY_ID"},
        {{.env_secret_key = true, .shared_keys = true}, "only one of AWS_ACCESS_KEY_ID"},
        {{.env_token_file = true, .shared_keys = true}, "without AWS_ROLE_ARN"},
        {{.env_profile = true, .relative_uri = true}, "AWS_PROFILE names a profile"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum credplan_source s;
        char why[256] = "";

        assert_int_equal(credplan_choose(&rows[i].facts, &s, why, sizeof(why)), -EINVAL);
        assert_non_null(strstr(why, rows[i].why));
    }
}

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

static void test_sts_url(void **state)
{
    char url[CREDPLAN_URL_SIZE];

    (void)state;
    assert_int_equal(credplan_sts_url("eu-west-1", 0, url), 0);
    assert_string_equal(url, "https://sts.eu-west-1.amazonaws.com/");
    assert_int_equal(credplan_sts_url("cn-north-1", 0, url), 0);
    assert_string_equal(url, "https://sts.cn-north-1.amazonaws.com.cn/");
    assert_int_equal(credplan_sts_url("", 0, url), -EINVAL);
    assert_int_equal(credplan_sts_url("a.evil", 0, url), -EINVAL);
    assert_int_equal(credplan_sts_url("a/x", 0, url), -EINVAL);
    assert_int_equal(credplan_sts_url("-a", 0, url), -EINVAL);
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
        cmocka_unit_test(test_order),         cmocka_unit_test(test_halves),
        cmocka_unit_test(test_container_url), cmocka_unit_test(test_sts_url),
        cmocka_unit_test(test_form),          cmocka_unit_test(test_age),
        cmocka_unit_test(test_refresh),       cmocka_unit_test(test_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
