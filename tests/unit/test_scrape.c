/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/trigger/rule/scrape.h"

/* What was handed over, as text. */
static struct buf seen;
static struct scrape_verdict verdict;

static void on_sample(void *userdata, const struct scrape_sample *s)
{
    (void)userdata;
    assert_int_equal(buf_addf(&seen, "%d:%g", s->name, s->value), 0);
    for (size_t i = 0; i < s->n_labels; i++)
        assert_int_equal(buf_addf(&seen, ",%s=%s", s->labels[i].name, s->labels[i].value), 0);
    assert_int_equal(buf_adds(&seen, " "), 0);
}

/* Reads the page in pieces of this size. */
static int read_page(const char *page, size_t piece, bool openmetrics)
{
    static const char *const wanted[] = {"a", "b_bucket", "memstats.Mallocs"};
    size_t n = strlen(page);
    struct names *names;
    struct scrape *s;
    int r = 0;

    buf_clear(&seen);
    assert_int_equal(names_new(wanted, 3, &names), 0);
    assert_int_equal(scrape_new(names, on_sample, NULL, &s), 0);
    if (openmetrics)
        scrape_expect_eof(s);
    for (size_t at = 0; r == 0 && at < n; at += piece)
        r = scrape_feed(s, page + at, piece < n - at ? piece : n - at);
    r = scrape_finish(s, &verdict);
    scrape_free(s);
    names_free(names);
    return r;
}

static void assert_read(const char *page, const char *expected)
{
    for (size_t piece = 1; piece < 80; piece += 3) {
        assert_int_equal(read_page(page, piece, false), 0);
        assert_string_equal(buf_str(&seen), expected);
    }
}

static int setup(void **state)
{
    (void)state;
    buf_init(&seen, 1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&seen);
    return 0;
}

static void test_text(void **state)
{
    (void)state;
    assert_read(
        "# HELP a x\n# TYPE a gauge\na 1.5\nab 7\nb_bucket{le=\"1\",h=\"x\"} 2 1700000000\n",
        "0:1.5 1:2,le=1,h=x ");
    assert_read("a{x=\"q\\\"}\\\\ \\n,\"} 3e2\n", "0:300,x=q\"}\\ \n, ");
    assert_read("a NaN\na{x=\"1\"} +Inf\na{x=\"2\"} -1\n", "0:nan 0:inf,x=1 0:-1,x=2 ");
    assert_read("b_bucket{vmrange=\"1.000e-03...1.136e-03\"} 4\n",
                "1:4,vmrange=1.000e-03...1.136e-03 ");
}

/* Of a series that comes twice the first counts. */
static void test_duplicates(void **state)
{
    (void)state;
    assert_read("a{x=\"1\"} 1\na{x=\"2\"} 2\na{x=\"1\"} 9\n", "0:1,x=1 0:2,x=2 ");
    assert_int_equal(verdict.duplicates, 1);
}

static void test_expvar(void **state)
{
    (void)state;
    assert_read("{\"cmdline\":[\"x\"],\"memstats\":{\"Mallocs\":12}}", "2:12 ");
    assert_true(verdict.expvar);
}

static void test_no_metrics(void **state)
{
    static const char *const pages[] = {"<html>", "", "hello world, this is no page\n",
                                        "{\"a\":", "a{x=\"1\" 3\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        assert_int_equal(read_page(pages[i], 7, false), -EBADMSG);
        assert_true(verdict.error[0] != '\0');
    }
}

static void test_openmetrics_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(read_page("a 1\n", 5, true), -EBADMSG);
    assert_int_equal(read_page("a 1\n# EOF\n", 5, true), 0);
}

/* Five megabytes, of which one series is wanted. */
static void test_a_long_page(void **state)
{
    static char line[200];
    static const char *const wanted[] = {"a"};
    struct names *names;
    struct scrape *s;

    (void)state;
    buf_clear(&seen);
    assert_int_equal(names_new(wanted, 1, &names), 0);
    assert_int_equal(scrape_new(names, on_sample, NULL, &s), 0);
    for (int i = 0; i < 50000; i++) {
        int n = snprintf(line, sizeof(line),
                         "some_metric_of_a_user{user=\"%d\",more=\"%080d\"} 1\n", i, i);

        assert_int_equal(scrape_feed(s, line, (size_t)n), 0);
    }
    assert_int_equal(scrape_feed(s, "a 4\n", 4), 0);
    assert_int_equal(scrape_finish(s, &verdict), 0);
    assert_string_equal(buf_str(&seen), "0:4 ");
    assert_int_equal(verdict.samples, 50001);
    assert_int_equal(verdict.wanted, 1);
    scrape_free(s);
    names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_expvar),
        cmocka_unit_test(test_no_metrics),
        cmocka_unit_test(test_openmetrics_has_an_end),
        cmocka_unit_test(test_a_long_page),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
