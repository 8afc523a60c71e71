/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Whole or byte by byte, what real services serve is read; those that go wrong say where. */
static void test_real_pages(void **state)
{
    static const struct {
        const char *name;
        unsigned samples;
        bool openmetrics;
    } pages[] = {
        {"caddy", 51, false},      {"client-golang", 125, false}, {"expvar", 27, false},
        {"openmetrics", 89, true}, {"prometheus", 231, false},    {"victoriametrics", 158, false},
    };
    const char *dir = getenv("CONTRACE_SRC_DIR");

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        char path[PATH_MAX];
        struct buf page;

        buf_init(&page, 1 << 20);
        (void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/scrape/%s", dir ? dir : ".",
                       pages[i].name);
        assert_int_equal(buf_read_file(&page, path), 0);
        for (size_t piece = 1; piece < 100000; piece *= 40) {
            if (read_page(buf_str(&page), piece, pages[i].openmetrics) < 0)
                fail_msg("%s: line %d: %s", pages[i].name, (int)verdict.bad_line, verdict.error);
            assert_int_equal(verdict.samples, pages[i].samples);
            assert_int_equal(verdict.overlong + verdict.duplicates, 0);
        }
        buf_done(&page);
    }
}

static void test_odd_lines(void **state)
{
    (void)state;
    assert_read("\xef\xbb\xbf\r\n a 1\r\n\ta{x=\"1\",} 2 \r\n", "0:1 0:2,x=1 ");
    assert_read("a 5 # {trace_id=\"abc\"} 0.67 1.5\na{x=\"\"} 1 1.5e9 # {} 1\n", "0:5 0:1,x= ");
    assert_read("{\"a\", \"x.y\"=\"1\"} 3\n{\"a\"} 4", "0:3,x.y=1 0:4 ");
    /* A native histogram as text is told, and has no number. */
    assert_read("# TYPE a histogram\na {count:3,sum:1.5,schema:0}\n", "0:nan ");
    assert_int_equal(verdict.native, 1);
}

/* An error says the line, and ends the page. */
static void test_errors(void **state)
{
    static const struct {
        const char *page, *error;
        int line;
    } rows[] = {
        {"b 1\na 1x\n", "expected a number as the value: a 1x", 2},
        {"a 1\n\na{x=\"1\n", "a label's value does not end: a{x=\"1", 3},
        {"a{x} 1\n", "expected a label's name and =: a{x} 1", 1},
        {"a{x=1} 1\n", "expected a label's value in quotes: a{x=1} 1", 1},
        {"a 1 2 3\n", "something follows the value: a 1 2 3", 1},
        {"a\n", "expected { or a blank after the metric's name: a", 1},
        {"<!DOCTYPE html>\n", "a web page or XML, not metrics", 1},
        {"a 1\n# EOF\na 2\n", "something follows # EOF: a 2", 3},
        {"# HELP a x\n", "no metrics", 0},
        {"", "nothing", 0},
        {"[1]", "expected a metric's name: [1]", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(read_page(rows[i].page, 3, false), -EBADMSG);
        assert_string_equal(verdict.error, rows[i].error);
        assert_int_equal(verdict.bad_line, rows[i].line);
    }
}

/* A line and a sample that are too long are left out, whether the line comes whole or in pieces. */
static void test_too_long(void **state)
{
    char *page = malloc(2 * SCRAPE_LINE_MAX + 4096);
    size_t n = 0;

    (void)state;
    assert_non_null(page);
    n += (size_t)sprintf(page, "a 1\na{x=\"");
    memset(page + n, 'y', 2 * SCRAPE_LINE_MAX);
    n += 2 * SCRAPE_LINE_MAX;
    n += (size_t)sprintf(page + n, "\"} 2\na{");
    for (int i = 0; i <= SCRAPE_LABELS_MAX; i++)
        n += (size_t)sprintf(page + n, "l%d=\"\",", i);
    (void)sprintf(page + n, "} 3\na{x=\"z\"} 4");
    for (size_t piece = 1; piece < 4 * SCRAPE_LINE_MAX; piece *= 7) {
        assert_int_equal(read_page(page, piece, false), 0);
        assert_string_equal(buf_str(&seen), "0:1 0:4,x=z ");
        assert_int_equal(verdict.overlong, 2);
        assert_int_equal(verdict.lines, 4);
    }
    /* Nothing but a line that may be anything is no metrics. */
    memset(page, 'x', 2 * SCRAPE_LINE_MAX);
    page[2 * SCRAPE_LINE_MAX] = '\0';
    for (size_t piece = 1; piece < 4 * SCRAPE_LINE_MAX; piece *= 7) {
        assert_int_equal(read_page(page, piece, false), -EBADMSG);
        assert_string_equal(verdict.error, "no metrics, but a line that is too long for one");
    }
    free(page);
}

static void test_much_json(void **state)
{
    char *page = malloc(SCRAPE_EXPVAR_MAX + 16);

    (void)state;
    assert_non_null(page);
    memset(page, ' ', SCRAPE_EXPVAR_MAX + 15);
    (void)memcpy(page, "{\"x\":", 5);
    page[SCRAPE_EXPVAR_MAX + 15] = '\0';
    assert_int_equal(read_page(page, 4096, false), -EFBIG);
    assert_string_equal(verdict.error, "expvar's JSON is longer than 512 KiB");
    free(page);
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
        cmocka_unit_test(test_real_pages),
        cmocka_unit_test(test_odd_lines),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_much_json),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
