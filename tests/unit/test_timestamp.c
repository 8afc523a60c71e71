/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "lib/net/timestamp.h"

#define NOW (1773480413 * USEC_PER_SEC) /* March 2026 */
#define MARK 99

static void check(const char *text, int64_t seconds)
{
    usec http = MARK;
    int r = timestamp_parse_http(text, NOW, &http);

    if (seconds < 0 ? r != -EINVAL || http != MARK : r != 0 || http != (usec)seconds * USEC_PER_SEC)
        fail_msg("\"%s\": %d, %llu", text, r, (unsigned long long)http);
}

static void test_http(void **state)
{
    (void)state;
    check("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
    check("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
    check("Sun Nov  6 08:49:37 1994", 784111777);
    check("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    check("Saturday, 14-Mar-76 09:26:53 GMT", 3351403613); /* 2076: not more than 50 years ahead */
    check("Monday, 14-Mar-77 09:26:53 GMT", 227179613);    /* 1977 */
    check("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800);
    check("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
    check("", -1);
    check("Sun, 06 Nov 1994 08:49:37 GMT ", -1);
    check("Sun, 06 Nov 1994 08:49:37 UTC", -1);
    check("Sun, 06 Nov 1994 24:00:00 GMT", -1);
    check("Wed, 29 Feb 2023 00:00:00 GMT", -1);
    check("Sun, 00 Nov 1994 08:49:37 GMT", -1);
    check("Sun, 06 Now 1994 08:49:37 GMT", -1);
    check("Wed, 31 Dec 1969 23:59:59 GMT", -1);
    check("Sun, 06 Nov", -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_http)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
