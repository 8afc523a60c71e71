/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/store/credential/jwt.h"
#include "tests/support/rfc7515.h"

#define HEADER "{\"alg\":\"RS256\"}"
#define CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"

/* RFC 7515, appendix A.2. */
static void test_vector(void **state)
{
    static const char expected[] =
        "eyJhbGciOiJSUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ."
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q"
        "c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTy"
        "WzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwu"
        "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5A"
        "XLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    struct buf jwt;

    (void)state;
    buf_init(&jwt, 4096);
    assert_int_equal(jwt_rs256(HEADER, CLAIMS, RFC7515_KEY, &jwt), 0);
    assert_string_equal(buf_str(&jwt), expected);
    buf_done(&jwt);
}

/* RFC 4648, section 10, in the alphabet for URLs, at the ends that padding is left out of. */
static void test_lengths(void **state)
{
    static const struct {
        const char *text, *encoded;
    } rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff\xfe", "-__-"}};
    char expected[64];
    struct buf jwt;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buf_init(&jwt, 4096);
        assert_int_equal(jwt_rs256("{}", rows[i].text, RFC7515_KEY, &jwt), 0);
        (void)snprintf(expected, sizeof(expected), "e30.%s.", rows[i].encoded);
        assert_memory_equal(buf_str(&jwt), expected, strlen(expected));
        buf_done(&jwt);
    }
}

static void test_refusals(void **state)
{
    static const char *const bad[] = {
        "",
        "no key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        /* Of an elliptic curve. */
        "-----BEGIN PRIVATE KEY-----\n"
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
        "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
        "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
        "-----END PRIVATE KEY-----\n",
    };
    struct buf jwt;

    (void)state;
    buf_init(&jwt, 4096);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(jwt_rs256(HEADER, CLAIMS, bad[i], &jwt), -EINVAL);
        assert_int_equal(jwt.len, 0);
    }
    buf_done(&jwt);
    buf_init(&jwt, 100);
    assert_int_equal(jwt_rs256(HEADER, CLAIMS, RFC7515_KEY, &jwt), -E2BIG);
    buf_done(&jwt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
