/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/quantity.h"
#include "cli/find/columns.h"
#include "cli/find/progress.h"

#define NOW ((usec)1795275600 * USEC_PER_SEC) /* 2026-11-21T15:40:00Z */

static struct catalog catalog;

static int setup(void **state)
{
    static const char record[] =
        "{\"reason\": \"sig\\u0001nal\\u00e9\", \"seconds\": 1.9, \"complete\": false,"
        " \"truncated\": {\"by\": \"reset\"}, \"go_version\": \"1.26\","
        " \"label\": \"idle\", \"samples\": 7, \"sha256\": \"AB\"}";
    struct facts *facts = calloc(1, sizeof(*facts));

    (void)state;
    assert_int_equal(facts_parse(record, strlen(record), false, facts), 0);
    assert_int_equal(catalog_add(&catalog, "a/web-12/20261121/153930-4711.trace", 3 << 20,
                                 WHERE_ARCHIVE | WHERE_REMOTE),
                     0);
    assert_int_equal(catalog_add(&catalog, "checkout/b/20261120/130000.trace", 17, WHERE_REMOTE),
                     0);
    catalog.items[0].facts = facts;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    catalog_done(&catalog);
    return 0;
}

static char *printed(const struct columns_options *o)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    assert_non_null(f);
    columns_print(f, &catalog, o);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void check(const struct columns_options *o, const char *expected)
{
    char *text = printed(o);

    assert_string_equal(text, expected);
    free(text);
}

static void test_all_columns(void **state)
{
    (void)state;
    check(&(struct columns_options){.now = NOW},
          "  AGE  SERVICE   HOST     PID  REASON       SIZE  WHERE           STATE      "
          "LABEL  KEY\n"
          "  30s  a         web-12  4711  sig?nal??  3.0MiB  archive,remote  truncated  "
          "idle   a/web-12/20261121/153930-4711.trace\n"
          "1d02h  checkout  b          -  -             17B  remote          -          "
          "-      checkout/b/20261120/130000.trace\n");
}

/* A reason may have blanks: somebody typed it. */
static void test_blanks(void **state)
{
    char blanks[] = "api:before the deploy", *text;
    struct facts *facts = catalog.items[0].facts;
    char *reason = facts->reason;

    (void)state;
    facts->reason = blanks;
    text = printed(&(struct columns_options){.now = NOW});
    facts->reason = reason;
    assert_non_null(strstr(text, "  api:before_the_deploy  "));
    free(text);
}

static void test_narrow(void **state)
{
    (void)state;
    for (unsigned width = 50; width < 140; width++) {
        char *text = printed(&(struct columns_options){.now = NOW, .width = width, .full = true});

        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            assert_true(strlen(line) <= width);
            assert_true(strstr(line, ".trace") || strstr(line, "KEY"));
        }
        free(text);
    }
    /* The key stays whole even where it does not fit. */
    check(&(struct columns_options){.now = NOW, .width = 20},
          "  AGE  KEY\n  30s  a/web-12/20261121/153930-4711.trace\n"
          "1d02h  checkout/b/20261120/130000.trace\n");
}

static void test_colour(void **state)
{
    char *text = printed(&(struct columns_options){.now = NOW, .width = 200, .colour = true});

    (void)state;
    assert_non_null(strstr(text, "\033[1mSERVICE\033[0m"));
    assert_non_null(strstr(text, "\033[33mtruncated\033[0m"));
    free(text);
}

/* Where there is something else than traces, it is told which is which. */
static void test_artifacts(void **state)
{
    struct entry *e = &catalog.items[1];

    (void)state;
    e->name.kind = KIND_MUTEX;
    check(&(struct columns_options){.now = NOW},
          "  AGE  SERVICE   HOST     PID  ARTIFACT  REASON       SIZE  WHERE           STATE      "
          "LABEL  KEY\n"
          "  30s  a         web-12  4711  trace     sig?nal??  3.0MiB  archive,remote  truncated  "
          "idle   a/web-12/20261121/153930-4711.trace\n"
          "1d02h  checkout  b          -  mutex     -             17B  remote          -          "
          "-      checkout/b/20261120/130000.trace\n");
    e->name.kind = KIND_TRACE;
}

/* What belongs to an incident tells when that began; also where little else fits. */
static void test_incidents(void **state)
{
    char of[] = "checkout/b/20261120/125958-3", hostile[] = "\033[31m", *text;
    struct facts facts = {.incident = of};
    const struct columns_options narrow = {.now = NOW, .width = 55};

    (void)state;
    catalog.items[1].facts = &facts;
    check(&narrow, "  AGE  INC     KEY\n"
                   "  30s  -       a/web-12/20261121/153930-4711.trace\n"
                   "1d02h  125958  checkout/b/20261120/130000.trace\n");
    text = printed(&(struct columns_options){.now = NOW});
    assert_non_null(strstr(text, "  LABEL  INC     KEY\n"));
    free(text);
    text = printed(&(struct columns_options){.now = NOW, .full = true});
    assert_non_null(strstr(text, "  checkout/b/20261120/125958-3  checkout/b/20261120/130000"));
    assert_null(strstr(text, "  INC "));
    free(text);
    assert_true(order_find("incident")(&catalog.items[0], &catalog.items[1]) > 0);
    assert_true(order_find("incident")(&catalog.items[1], &catalog.items[0]) < 0);
    facts.incident = hostile; /* what is no id is none */
    text = printed(&(struct columns_options){.now = NOW});
    assert_null(strstr(text, "INC"));
    free(text);
    catalog.items[1].facts = NULL;
}

static void test_json(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    assert_int_equal(columns_print_json(f, &catalog), 0);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(
        text,
        "{\"key\":\"a/web-12/20261121/153930-4711.trace\",\"service\":\"a\",\"host\":\"web-12\","
        "\"pid\":4711,\"artifact\":\"trace\",\"time\":\"2026-11-21T15:39:30.000Z\",\"size\":3145728,"
        "\"where\":[\"archive\",\"remote\"],\"reason\":\"sig\\u0001nal\\u00E9\",\"seconds\":1.9,"
        "\"complete\":false,\"truncated_by\":\"reset\",\"label\":\"idle\",\"samples\":7,\"go_version\":\"1.26\"}\n"
        "{\"key\":\"checkout/b/20261120/130000.trace\",\"service\":\"checkout\",\"host\":\"b\","
        "\"artifact\":\"trace\",\"time\":\"2026-11-20T13:00:00.000Z\",\"size\":17,\"where\":[\"remote\"]}\n");
    free(text);
}

static void test_age(void **state)
{
    char out[QUANTITY_AGE_SIZE];

    (void)state;
    assert_string_equal(quantity_age(0, out), "0s");
    assert_string_equal(quantity_age(59 * USEC_PER_SEC, out), "59s");
    assert_string_equal(quantity_age(60 * USEC_PER_SEC, out), "1m");
    assert_string_equal(quantity_age(185 * USEC_PER_MIN, out), "3h05m");
    assert_string_equal(quantity_age(50 * USEC_PER_HOUR, out), "2d02h");
    assert_true(strlen(quantity_age(USEC_NEVER, out)) < QUANTITY_AGE_SIZE);
}

static void test_progress(void **state)
{
    struct progress p = {.width = 80,
                         .files = 4,
                         .files_done = 1,
                         .bytes = 4 << 20,
                         .bytes_done = 1 << 20,
                         .start = USEC_PER_SEC};
    char out[PROGRESS_TEXT_SIZE];

    (void)state;
    assert_string_equal(progress_text(&p, 2 * USEC_PER_SEC, out),
                        "[##########------------------------------] "
                        "1/4  1.0MiB of 4.0MiB  1.0MiB/s");
    for (p.width = 1; p.width < 200; p.width++)
        assert_true(strlen(progress_text(&p, 2 * USEC_PER_SEC, out)) < p.width);
    p.bytes = 0; /* not known beforehand */
    p.width = 80;
    assert_non_null(strstr(progress_text(&p, USEC_PER_SEC, out), "1.0MiB of 1.0MiB  0B/s"));
}

static void test_facts(void **state)
{
    struct facts f = {.bytes = 77};
    char good[] = "{\"sha256\": "
                  "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\", "
                  "\"bytes\": 12, \"samples\": 0, \"complete\": true, \"reason\": 7, "
                  "\"truncated\": []}";

    (void)state;
    assert_true(facts_parse("[1]", 3, false, &f) < 0);
    assert_true(facts_parse("{\"a\"", 4, false, &f) < 0);
    assert_int_equal(f.bytes, 77);
    assert_int_equal(facts_parse(good, strlen(good), false, &f), 0);
    assert_int_equal(strlen(f.sha256), 64);
    assert_true(f.has_bytes && f.bytes == 12 && f.has_complete && f.complete);
    assert_true(f.has_samples && f.samples == 0);
    assert_null(f.reason);
    assert_null(f.truncated_by);
    facts_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blanks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_narrow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_colour, setup, teardown),
        cmocka_unit_test_setup_teardown(test_artifacts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incidents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
