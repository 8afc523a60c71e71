/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/control/exposition.h"

struct written {
    struct buf out;
    struct exposition e;
};

static void begin(struct written *w)
{
    buf_init(&w->out, 65536);
    exposition_init(&w->e, &w->out);
}

static void assert_written(struct written *w, const char *expected)
{
    assert_int_equal(exposition_end(&w->e), 0);
    assert_string_equal(buf_str(&w->out), expected);
    buf_done(&w->out);
}

static void test_families_and_samples(void **state)
{
    const struct exposition_label labels[] = {{"scrape_job", "checkout"}, {"result", "ok"}};
    struct written w;

    (void)state;
    begin(&w);
    exposition_family(&w.e, "a_total", EXPOSITION_COUNTER, "What was counted.");
    exposition_count(&w.e, labels, 2, 7);
    exposition_count(&w.e, labels, 1, UINT64_MAX);
    exposition_family(&w.e, "b", EXPOSITION_GAUGE, "A \"gauge\" with a \\ and\ntwo lines.");
    exposition_sample(&w.e, NULL, 0, -0.5);
    assert_written(&w, "# HELP a_total What was counted.\n"
                       "# TYPE a_total counter\n"
                       "a_total{scrape_job=\"checkout\",result=\"ok\"} 7\n"
                       "a_total{scrape_job=\"checkout\"} 18446744073709551615\n"
                       "# HELP b A \"gauge\" with a \\\\ and\\ntwo lines.\n"
                       "# TYPE b gauge\n"
                       "b -0.5\n");
}

static void assert_label(const char *value, const char *expected)
{
    const struct exposition_label label = {"l", value};
    char line[256];
    struct written w;

    begin(&w);
    exposition_family(&w.e, "x", EXPOSITION_GAUGE, "");
    exposition_sample(&w.e, &label, 1, 1);
    (void)snprintf(line, sizeof(line), "# HELP x \n# TYPE x gauge\nx{l=\"%s\"} 1\n", expected);
    assert_written(&w, line);
}

static void test_labels_are_escaped(void **state)
{
    (void)state;
    assert_label("", "");
    assert_label("a \"b\" \\ c\nd", "a \\\"b\\\" \\\\ c\\nd");
    assert_label("\n", "\\n");
    assert_label("unix:/run/\xc3\xa9t\xc3\xa9.sock", "unix:/run/\xc3\xa9t\xc3\xa9.sock");
    assert_label("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
    assert_label("\t\r{},", "\t\r{},");
}

static void test_labels_are_utf8(void **state)
{
#define R "\xef\xbf\xbd"
    (void)state;
    assert_label("a\xff"
                 "b",
                 "a" R "b");
    assert_label("\xc3", R);          /* cut short */
    assert_label("\xc3\"", R "\\\""); /* what follows is not swallowed */
    assert_label("\xe2\x82", R R);
    assert_label("\xc0\x80", R R); /* overlong */
    assert_label("\xe0\x80\x80", R R R);
    assert_label("\xed\xa0\x80", R R R);       /* a surrogate */
    assert_label("\xf4\x90\x80\x80", R R R R); /* above U+10FFFF */
    assert_label("\xf0\x80\x80\x80", R R R R);
    assert_label("\xee\x80\x80\xf4\x8f\xbf\xbf", "\xee\x80\x80\xf4\x8f\xbf\xbf");
#undef R
}

static void assert_number(double value, const char *expected)
{
    struct written w;
    char text[128];

    begin(&w);
    exposition_family(&w.e, "x", EXPOSITION_GAUGE, "h");
    exposition_sample(&w.e, NULL, 0, value);
    (void)snprintf(text, sizeof(text), "# HELP x h\n# TYPE x gauge\nx %s\n", expected);
    assert_written(&w, text);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_number(0, "0");
    assert_number(1, "1");
    assert_number(0.1, "0.1");
    assert_number(1.0 / 3, "0.3333333333333333");
    assert_number(1795286789.123456, "1795286789.123456");
    assert_number(1e300, "1e+300");
    assert_number(INFINITY, "+Inf");
    assert_number(-INFINITY, "-Inf");
    assert_number(NAN, "NaN");
}

static void test_numbers_read_back(void **state)
{
    uint64_t seed, x;

    (void)state;
    assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
    print_message("seed %" PRIu64 "\n", seed);
    x = seed | 1;
    for (int i = 0; i < 20000; i++) {
        struct written w;
        double value, back;
        const char *text;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(&value, &x, sizeof(value));
        if (isnan(value) || isinf(value))
            continue;
        begin(&w);
        exposition_family(&w.e, "x", EXPOSITION_GAUGE, "h");
        exposition_sample(&w.e, NULL, 0, value);
        text = strrchr(buf_str(&w.out), ' ');
        assert_non_null(text);
        back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof(value));
        buf_done(&w.out);
    }
}

static void test_histograms(void **state)
{
    static const double bounds[] = {0.25, 1, 2.5};
    static const uint64_t counts[] = {1, 0, 2, 4};
    const struct exposition_label label = {"job", "a"};
    const struct exposition_histogram h = {bounds, 3, counts, 31.5};
    struct written w;

    (void)state;
    begin(&w);
    exposition_family(&w.e, "h_seconds", EXPOSITION_HISTOGRAM, "How long.");
    exposition_histogram(&w.e, &label, 1, &h);
    exposition_histogram(&w.e, NULL, 0, &h);
    assert_written(&w, "# HELP h_seconds How long.\n"
                       "# TYPE h_seconds histogram\n"
                       "h_seconds_bucket{job=\"a\",le=\"0.25\"} 1\n"
                       "h_seconds_bucket{job=\"a\",le=\"1\"} 1\n"
                       "h_seconds_bucket{job=\"a\",le=\"2.5\"} 3\n"
                       "h_seconds_bucket{job=\"a\",le=\"+Inf\"} 7\n"
                       "h_seconds_sum{job=\"a\"} 31.5\n"
                       "h_seconds_count{job=\"a\"} 7\n"
                       "h_seconds_bucket{le=\"0.25\"} 1\n"
                       "h_seconds_bucket{le=\"1\"} 1\n"
                       "h_seconds_bucket{le=\"2.5\"} 3\n"
                       "h_seconds_bucket{le=\"+Inf\"} 7\n"
                       "h_seconds_sum 31.5\n"
                       "h_seconds_count 7\n");
}

static void test_the_first_error_sticks(void **state)
{
    struct exposition e;
    struct buf out;

    (void)state;
    buf_init(&out, 40);
    exposition_init(&e, &out);
    exposition_family(&e, "x", EXPOSITION_GAUGE, "more than forty bytes of help, which do not fit");
    assert_int_equal(exposition_end(&e), -E2BIG);
    exposition_sample(&e, NULL, 0, 1); /* which would fit */
    assert_int_equal(exposition_end(&e), -E2BIG);
    assert_string_equal(buf_str(&out), "# HELP x ");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_and_samples),   cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_labels_are_utf8),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_read_back),      cmocka_unit_test(test_histograms),
        cmocka_unit_test(test_the_first_error_sticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
