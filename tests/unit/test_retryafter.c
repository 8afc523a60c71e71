/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "lib/net/retryafter.h"

static void check(const char *text, int r, usec seconds)
{
    usec wait = 99;

    assert_int_equal(retryafter_parse(text, 784111777 * USEC_PER_SEC, &wait), r);
    assert_true(wait == (r == 0 ? seconds * USEC_PER_SEC : 99));
}

static void test_retry_after(void **state)
{
    (void)state;
    check("0", 0, 0);
    check("120", 0, 120);
    check("3601", 0, 3600);
    check("99999999999999999999999999999999", 0, 3600);
    check("Sun, 06 Nov 1994 08:50:37 GMT", 0, 60);
    check("Sunday, 06-Nov-94 08:50:37 GMT", 0, 60);
    check("Sun Nov  6 08:50:37 1994", 0, 60);
    check("Sun, 06 Nov 1994 08:49:36 GMT", 0, 0);
    check("Sun, 06 Nov 2094 08:49:37 GMT", 0, 3600);
    check("", -EINVAL, 0);
    check("-1", -EINVAL, 0);
    check("1.5", -EINVAL, 0);
    check("soon", -EINVAL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
