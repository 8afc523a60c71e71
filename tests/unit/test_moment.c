/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "cli/find/moment.h"

#define MARK 0xdeadbeefcafeULL
#define NOW ((usec)1795275600 * USEC_PER_SEC) /* 2026-11-21T15:40:00Z */
#define DAY ((usec)1795219200 * USEC_PER_SEC) /* its beginning */

struct row {
    const char *text;
    usec first, end; /* 0, 0: refused */
};

static void test_moments(void **state)
{
    static const struct row rows[] = {
        {"2h", NOW - 2 * USEC_PER_HOUR, NOW - 2 * USEC_PER_HOUR + 1},
        {"1d12h", NOW - 36 * USEC_PER_HOUR, NOW - 36 * USEC_PER_HOUR + 1},
        {"0", NOW, NOW + 1},
        {"100y", 0, 1},
        {"2026-11-21", DAY, DAY + USEC_PER_DAY},
        {"2026-11-20", DAY - USEC_PER_DAY, DAY},
        {"2026-11-21T15:04", DAY + 904 * USEC_PER_MIN, DAY + 905 * USEC_PER_MIN},
        {"2026-11-21 15:04", DAY + 904 * USEC_PER_MIN, DAY + 905 * USEC_PER_MIN},
        {"2026-11-21 15:04:05", DAY + 54245 * USEC_PER_SEC, DAY + 54246 * USEC_PER_SEC},
        {"2026-11-21T15:04:05", DAY + 54245 * USEC_PER_SEC, DAY + 54246 * USEC_PER_SEC},
        {"2026-11-21T15:04:05Z", DAY + 54245 * USEC_PER_SEC, DAY + 54246 * USEC_PER_SEC},
        {"2026-11-21T17:04:05+02:00", DAY + 54245 * USEC_PER_SEC, DAY + 54246 * USEC_PER_SEC},
        {"15:04", DAY + 904 * USEC_PER_MIN, DAY + 905 * USEC_PER_MIN},
        {"15:04:05", DAY + 54245 * USEC_PER_SEC, DAY + 54246 * USEC_PER_SEC},
        {"15:40", NOW, NOW + USEC_PER_MIN},
        /* It is not yet 15:41: yesterday's. */
        {"15:41", NOW + USEC_PER_MIN - USEC_PER_DAY, NOW + 2 * USEC_PER_MIN - USEC_PER_DAY},
        {"", 0, 0},
        {"soon", 0, 0},
        {"5", 0, 0},
        {"-2h", 0, 0},
        {"24:00", 0, 0},
        {"15:60", 0, 0},
        {"1:04", 0, 0},
        {"2026-02-30", 0, 0},
        {"2026-13-01", 0, 0},
        {"2026-11", 0, 0},
        {"2026-11-21x", 0, 0},
        {"2026-11-21T15:04 ", 0, 0},
        {"1969-12-31", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        usec first = MARK, end = MARK;
        int r = moment_parse(rows[i].text, NOW, &first, &end);
        int good = rows[i].end != 0;

        if (r != (good ? 0 : -EINVAL) || first != (good ? rows[i].first : MARK) ||
            end != (good ? rows[i].end : MARK))
            fail_msg("\"%s\": %d, %llu, %llu", rows[i].text, r, (unsigned long long)first,
                     (unsigned long long)end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
