/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/ask/rows.h"
#include "cli/ask/status.h"

static const char answer[] =
    "{\"version\": \"1.2\", \"start\": \"2026-03-14T09:00:00Z\", \"host\": \"web-1\", \"pid\": 42,"
    " \"now\": \"2026-03-14T11:00:00Z\","
    " \"config\": {\"file\": \"/etc/c.yaml\", \"last_reload\": \"2026-03-14T10:00:00Z\","
    "              \"last_reload_ok\": true},"
    " \"suspended\": {\"causes\": []},"
    " \"targets\": {\"total\": 2, \"failing\": 1},"
    " \"captures\": {\"in_flight\": 1, \"by_result\": {\"ok\": 12345, \"busy\": 0, \"timeout\": 2},"
    "                \"bytes\": 1, \"last_success\": \"2026-03-14T10:59:15Z\"},"
    " \"spool\": {\"path\": \"/var/lib/contrace\","
    "  \"archive\": {\"files\": 1200, \"bytes\": 1048576},"
    "  \"pending\": {\"files\": 3, \"bytes\": 524288, \"oldest\": \"2026-03-14T10:50:00Z\"},"
    "  \"aside_files\": 1, \"max_bytes\": 536870912, \"free_bytes\": 1073741824,"
    "  \"total_bytes\": 4294967296, \"oldest\": \"2026-03-12T11:00:00Z\", \"refusing\": false},"
    " \"upload\": {\"to\": \"s3://traces/prod\", \"breaker\": \"open\", \"failing\": true,"
    "              \"by_result\": {\"ok\": 5}, \"last_success\": \"2026-03-14T10:30:00Z\"},"
    " \"inspections\": {\"by_result\": {\"ok\": 5}}}";

static const char targets[] =
    "[{\"service\": \"checkout\", \"host\": \"web-1\", \"address\": \"10.0.0.1:6060\","
    "  \"state\": \"ok\", \"failures\": 0, \"next\": \"2026-03-14T11:02:30Z\","
    "  \"in_flight\": {\"state\": \"capturing\"},"
    "  \"last\": {\"start\": \"2026-03-14T10:57:00Z\", \"label\": \"lock-contention\","
    "             \"bytes\": 3145728, \"scheduler_latency_p99_seconds\": 0.0125}},"
    " {\"service\": \"search\", \"host\": \"web-1\", \"address\": \"10.0.0.1:6061\","
    "  \"state\": \"timeout\", \"failures\": 3, \"next\": null, \"in_flight\": null,"
    "  \"last\": {\"start\": \"2026-03-14T10:57:00Z\", \"captured\": null,"
    "             \"text\": \"nothing came\"}}]";

static json_t *parsed(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);

    assert_non_null(o);
    return o;
}

static char *printed_with(const struct status *s, const struct status_options *o)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    assert_non_null(f);
    assert_int_equal(status_print(f, s, o), 0);
    assert_int_equal(fclose(f), 0);
    return text;
}

static char *printed(const struct status *s, unsigned width, bool colour)
{
    const struct status_options o = {.width = width, .colour = colour, .now = USEC_PER_SEC};

    return printed_with(s, &o);
}

static void check(const struct status *s, unsigned width, const char *expected)
{
    char *text = printed(s, width, false);

    assert_string_equal(text, expected);
    free(text);
}

static void test_ready(void **state)
{
    struct status s = {
        .status = parsed(answer), .targets = parsed(targets), .total = 2, .ready = true};

    (void)state;
    check(
        &s, 0,
        "contraced  1.2 on web-1, pid 42, up 2h00m, ready\n"
        "config     /etc/c.yaml, loaded 1h00m ago\n"
        "targets    2, 1 failing\n"
        "captures   1 in flight, 12,345 ok, 2 timeout, last 45s ago\n"
        "spool      /var/lib/contrace, 1,203 traces, 1.5MiB of 512MiB, oldest 2d00h, disk 1.0GiB "
        "free of 4.0GiB\n"
        "upload     s3://traces/prod, failing (breaker open), 3 waiting: 512KiB, oldest 10m, 1 "
        "set aside, 5 ok, last 30m ago\n"
        "inspected  5 ok\n"
        "\n"
        "STATE      SERVICE   HOST   LAST  NEXT  LABEL                P99    SIZE  TARGET\n"
        "capturing  checkout  web-1    3m    2m  lock-contention  12.5 ms  3.0MiB  "
        "10.0.0.1:6060\n"
        "timeout    search    web-1     -     -  -                      -       -  10.0.0.1:6061\n"
        "    timeout: nothing came, 3 in a row\n");
    json_decref(s.status);
    json_decref(s.targets);
}

/* Each other artifact that fails has a line; the one that the row is about has none of its own. */
static void test_artifacts(void **state)
{
    static const char two[] =
        "[{\"service\": \"a\", \"address\": \"h:1\", \"artifact\": \"trace\", \"state\": \"ok\","
        "  \"failures\": 0, \"artifacts\": ["
        "   {\"artifact\": \"trace\", \"state\": \"ok\", \"failures\": 0},"
        "   {\"artifact\": \"mutex\", \"state\": \"not_a_profile\", \"failures\": 2,"
        "    \"last\": {\"text\": \"the answer is HTML\"}}]},"
        " {\"service\": \"b\", \"address\": \"h:2\", \"artifact\": \"trace\","
        "  \"state\": \"timeout\", \"failures\": 1, \"artifacts\": ["
        "   {\"artifact\": \"trace\", \"state\": \"timeout\", \"failures\": 1},"
        "   {\"artifact\": \"mutex\", \"state\": \"timeout\", \"failures\": 4, \"last\": null}]},"
        " {\"service\": \"c\", \"address\": \"h:3\", \"artifact\": \"trace\", \"state\": \"ok\","
        "  \"failures\": 0, \"artifacts\": ["
        "   7, {\"artifact\": \"mutex\", \"state\": \"missing\", \"failures\": 0},"
        "   {\"artifact\": \"heap\", \"state\": \"timeout\", \"failures\": 1, \"scheduled\": false}]}]";
    struct status s = {.status = parsed("{}"), .targets = parsed(two), .total = 3, .ready = true};
    char *text = printed(&s, 0, false);

    (void)state;
    assert_non_null(strstr(text, "  h:1\n"
                                 "    mutex: not_a_profile: the answer is HTML, 2 in a row\n"
                                 "timeout  b"));
    assert_non_null(strstr(text, "  h:2\n"
                                 "    timeout\n"
                                 "    mutex: timeout, 4 in a row\n"
                                 "ok       c"));
    assert_string_equal(strstr(text, "  h:3\n"), "  h:3\n");
    free(text);
    json_decref(s.status);
    json_decref(s.targets);
}

/* A letter of two bytes is one column. */
static void test_utf8(void **state)
{
    static const char two[] =
        "[{\"service\": \"a\", \"address\": \"h:1\", \"state\": \"ok\","
        "  \"last\": {\"bytes\": 1024, \"scheduler_latency_p99_seconds\": 0.0000362}},"
        " {\"service\": \"b\", \"address\": \"h:2\", \"state\": \"ok\","
        "  \"last\": {\"bytes\": 1024, \"scheduler_latency_p99_seconds\": 0.0362}}]";
    struct status s = {.status = parsed("{}"), .targets = parsed(two), .total = 2, .ready = true};
    char *plain = printed(&s, 0, false), *text;

    (void)state;
    text = printed_with(&s, &(struct status_options){.utf8 = true, .now = USEC_PER_SEC});
    assert_non_null(strstr(plain, "  36.2 us  1.0KiB  h:1\n"));
    assert_non_null(strstr(text, "  36.2 µs  1.0KiB  h:1\n"));
    assert_non_null(strstr(text, "  36.2 ms  1.0KiB  h:2\n"));
    free(plain);
    free(text);
    json_decref(s.status);
    json_decref(s.targets);
}

/* Why a capture fails is told whole, in as many lines as that takes. */
static void test_long_note(void **state)
{
    static const char one[] =
        "[{\"service\": \"a\", \"address\": \"h:1\", \"artifact\": \"trace\", \"state\": \"ok\","
        "  \"failures\": 0, \"artifacts\": [{\"artifact\": \"mutex\", \"state\": \"not_a_profile\","
        "  \"failures\": 1, \"last\": {\"text\": \"the answer is not a mutex profile but HTML\"}}]}]";
    struct status s = {.status = parsed("{}"), .targets = parsed(one), .total = 1, .ready = true};
    char *text = printed(&s, 40, false);

    (void)state;
    assert_non_null(strstr(text, "\n    mutex: not_a_profile: the answer is\n"
                                 "    not a mutex profile but HTML\n"));
    free(text);
    json_decref(s.status);
    json_decref(s.targets);
}

/* Nothing is wider than the terminal. */
static void test_narrow(void **state)
{
    struct status s = {
        .status = parsed(answer), .targets = parsed(targets), .total = 9, .ready = true};

    (void)state;
    for (unsigned width = 60; width <= 200; width++) {
        char *text = printed(&s, width, false);

        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
            if (strcspn(line, "\n") > width)
                fail_msg("%u: %s", width, line);
        }
        assert_non_null(strstr(text, "and 7 more"));
        free(text);
    }
    check(&s, 60,
          "contraced  1.2 on web-1, pid 42, up 2h00m, ready\n"
          "config     /etc/c.yaml, loaded 1h00m ago\n"
          "targets    2, 1 failing\n"
          "captures   1 in flight, 12,345 ok, 2 timeout, last 45s ago\n"
          "spool      /var/lib/contrace, 1,203 traces,\n"
          "           1.5MiB of 512MiB, oldest 2d00h,\n"
          "           disk 1.0GiB free of 4.0GiB\n"
          "upload     s3://traces/prod, failing (breaker open),\n"
          "           3 waiting: 512KiB, oldest 10m, 1 set aside, 5 ok,\n"
          "           last 30m ago\n"
          "inspected  5 ok\n"
          "\n"
          "STATE      SERVICE   LAST  LABEL            TARGET\n"
          "capturing  checkout    3m  lock-contention  10.0.0.1:6060\n"
          "timeout    search       -  -                10.0.0.1:6061\n"
          "    timeout: nothing came, 3 in a row\n"
          "and 7 more: --service, --job, --state or --limit show them\n");
    json_decref(s.status);
    json_decref(s.targets);
}

static void test_trouble(void **state)
{
    struct status s = {
        .status = parsed("{\"version\": \"1\", \"host\": \"h\", \"now\": \"2026-03-14T11:00:00Z\","
                         " \"config\": {\"file\": null, \"last_reload_ok\": false,"
                         "              \"last_reload\": \"2026-03-14T10:59:00Z\"},"
                         " \"suspended\": {\"causes\": [{\"cause\": \"signal\", \"text\": \"\","
                         "   \"since\": \"2026-03-14T10:00:00Z\"},"
                         "   {\"cause\": \"flag_file\", \"text\": \"/run/x\\u001b\","
                         "    \"since\": null}]},"
                         " \"spool\": {\"refusing\": true}, \"upload\": null}"),
        .targets = json_array(),
        .reasons = "the disk fails\nstopping\x1b\n",
    };
    char *text;

    (void)state;
    check(&s, 0,
          "contraced  1 on h, pid 0, not ready\n"
          "           the disk fails\n"
          "           stopping?\n"
          "config     the command line, the reload 1m ago failed: the one before is in use\n"
          "suspended  by signal for 1h00m\n"
          "           by flag_file: /run/x?\n"
          "targets    0, 0 failing\n"
          "captures   0 in flight\n"
          "spool      0 traces, 0B of 0B, no room: captures are refused\n"
          "upload     off\n");
    text = printed(&s, 0, true);
    assert_non_null(strstr(text, "\033[31mnot ready\033[0m"));
    assert_non_null(strstr(text, "\033[33mby signal for 1h00m\033[0m"));
    free(text);
    json_decref(s.status);
    json_decref(s.targets);
}

/* What is no status is an empty one. */
static void test_nothing(void **state)
{
    struct status s = {.status = json_null(), .targets = parsed("[7, null, [], {}]"), .total = 4};
    char *text = printed(&s, 80, true);

    (void)state;
    assert_non_null(strstr(text, "targets"));
    free(text);
    json_decref(s.targets);
}

static void test_rows(void **state)
{
    static const struct rows_column columns[] = {
        {"A", 2, false}, {"NUMBER", 1, true}, {"C", 0, false}};
    struct rows rows;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    assert_non_null(f);
    rows_init(&rows, columns, 3);
    assert_int_equal(
        rows_add(&rows, &(struct rows_cells){.text = {"aaa", "1", "c"}, .colour = {"\033[31m"}}),
        0);
    assert_int_equal(rows_add(&rows, &(struct rows_cells){.text = {NULL, "", "cccc"},
                                                          .note = "a note that is long\nb"}),
                     0);
    rows_print(f, &rows, 0, false);
    rows_print(f, &rows, 17, true);
    rows_print(f, &rows, 10, false);
    rows_print(f, &rows, 1, false);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, "A    NUMBER  C\n"
                              "aaa       1  c\n"
                              "-         -  cccc\n"
                              "    a note that is long\n"
                              "    b\n"
                              "\033[1mA\033[0m    \033[1mNUMBER\033[0m  \033[1mC\033[0m\n"
                              "\033[31maaa\033[0m       1  c\n"
                              "-         -  cccc\n"
                              "    a note that\n"
                              "    is long\n"
                              "    b\n"
                              "A    C\n"
                              "aaa  c\n"
                              "-    cccc\n"
                              "    a note\n"
                              "    that\n"
                              "    is\n"
                              "    long\n"
                              "    b\n"
                              "C\n"
                              "c\n"
                              "cccc\n"
                              "    a note that is long\n"
                              "    b\n");
    free(text);
    rows_done(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready),     cmocka_unit_test(test_artifacts),
        cmocka_unit_test(test_utf8),      cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_long_note), cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_nothing),   cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("status_text", tests, NULL, NULL);
}
