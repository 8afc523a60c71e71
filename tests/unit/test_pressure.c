/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/trigger/pressure.h"
#include "daemon/trigger/psi.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        double share; /* negative: refused */
    } rows[] = {
        {"some avg10=23.45 avg60=11.82 avg300=11.50 total=7509273965\n"
         "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
         0.2345},
        {"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0},
        {"some avg10=100.00 avg60=0.00 avg300=0.00 total=0", 1},
        {"full avg10=9.00 avg60=0.00 avg300=0.00 total=0\n"
         "some avg10=50.00 avg60=1.00 avg300=0.00 total=0\n",
         0.5},
        {"", -1},
        {"some", -1},
        {"some \n", -1},
        {"some avg10=\n", -1},
        {"some avg60=1.00\nfull avg10=1.00\n", -1},
        {"awesome avg10=1.00\n", -1},
        {"some avg10=nan avg60=0.00\n", -1},
        {"some avg10=-1.00 avg60=0.00\n", -1},
        {"some avg10=100.01 avg60=0.00\n", -1},
        {"some avg10=1.0000000000000000001 avg60=0.00\n", -1},
        {"some avg10=1.00x avg60=0.00\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double share = -1;
        int r = pressure_parse(rows[i].text, &share);

        assert_int_equal(r, rows[i].share < 0 ? -EINVAL : 0);
        if (share - rows[i].share > 1e-9 || rows[i].share - share > 1e-9)
            fail_msg("%s: %g", rows[i].text, share);
    }
}

static void test_cgroup(void **state)
{
    size_t n = 0;
    const char *path;

    (void)state;
    path = psi_cgroup("0::/system.slice/contraced.service\n", &n);
    assert_non_null(path);
    assert_int_equal(n, strlen("/system.slice/contraced.service"));
    assert_memory_equal(path, "/system.slice/contraced.service", n);
    path = psi_cgroup("12:cpu:/a\n1:name=systemd:/b\n0::/\n", &n);
    assert_non_null(path);
    assert_int_equal(n, 1);
    assert_null(psi_cgroup("10::/a\n2:cpu:/0::/\n", &n));
    assert_null(psi_cgroup("", &n));
}

#define LIMIT 0.6

/* One letter a value, one each five seconds: '^' at the limit, '-' between, '_' just below three
 * quarters, '.' nothing. Returns whether it was high after each, as '1' and '0'. */
static const char *judged(const char *values)
{
    static char out[64];
    struct pressure p;
    size_t i;

    pressure_init(&p, LIMIT);
    for (i = 0; values[i]; i++) {
        double share = values[i] == '^' ? LIMIT
                     : values[i] == '-' ? 0.46
                     : values[i] == '_' ? 0.44
                                        : 0;

        out[i] = pressure_feed(&p, share, (usec)i * PRESSURE_INTERVAL) ? '1' : '0';
    }
    out[i] = '\0';
    return out;
}

static void test_hysteresis(void **state)
{
    (void)state;
    /* Twice in a row, and nothing less. */
    assert_string_equal(judged("^.^.^-^_^"), "000000000");
    assert_string_equal(judged(".^^"), "001");
    /* Over after thirty seconds, which are seven values. */
    assert_string_equal(judged("^^______."), "011111110");
    assert_string_equal(judged("^^......__"), "0111111100");
    /* What lies between keeps it as it is, and the thirty seconds begin again. */
    assert_string_equal(judged("--------"), "00000000");
    assert_string_equal(judged("^^----------"), "011111111111");
    assert_string_equal(judged("^^.....-......."), "011111111111110");
    assert_string_equal(judged("^^.....^......."), "011111111111110");
    /* And once more. */
    assert_string_equal(judged("^^.......^.^^"), "0111111100001");
}

/* Values that come late count by time, not by number. */
static void test_late_values(void **state)
{
    struct pressure p;

    (void)state;
    pressure_init(&p, LIMIT);
    assert_false(pressure_feed(&p, 1, 0));
    assert_true(pressure_feed(&p, 1, 5 * USEC_PER_SEC));
    assert_true(pressure_feed(&p, 0, 10 * USEC_PER_SEC));
    assert_true(pressure_feed(&p, 0, 40 * USEC_PER_SEC - 1));
    assert_false(pressure_feed(&p, 0, 40 * USEC_PER_SEC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_cgroup),
        cmocka_unit_test(test_hysteresis),
        cmocka_unit_test(test_late_values),
    };

    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
