/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/control/page.h"

/* printf alert(1) | openssl sha256 -binary | base64, and that of nothing at all */
#define ALERT "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
#define NOTHING "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
#define REST                                                                            \
    "; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'"

static void assert_policy(const char *html, const char *expected)
{
    struct buf policy;

    buf_init(&policy, PAGE_POLICY_MAX);
    assert_int_equal(page_policy(html, strlen(html), &policy), 0);
    assert_string_equal(buf_str(&policy), expected);
    buf_done(&policy);
}

static void test_hashes(void **state)
{
    (void)state;
    assert_policy("", "default-src 'none'; script-src; style-src" REST);
    assert_policy("<script>alert(1)</script>",
                  "default-src 'none'; script-src " ALERT "; style-src" REST);
    assert_policy("<style></style><script>alert(1)</script> <script></script>",
                  "default-src 'none'; script-src " ALERT " " NOTHING "; style-src " NOTHING REST);
    assert_policy("<script>alert(1)", "default-src 'none'; script-src; style-src" REST);
}

static void test_bounds(void **state)
{
    struct buf policy;

    (void)state;
    buf_init(&policy, 100);
    assert_int_equal(page_policy("<style></style>", 15, &policy), -E2BIG);
    buf_done(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
