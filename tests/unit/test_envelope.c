/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trace/schedtrace/envelope.h"

static struct envelope envelope;
static uint64_t number;

static int open_line(const char *text, struct envelope_message *m)
{
    struct logline line = {text, strlen(text), ++number};

    return envelope_open(&envelope, &line, m);
}

static void assert_opened(const char *line, const char *message, const char *source)
{
    struct envelope_message m;

    assert_int_equal(open_line(line, &m), 1);
    assert_string_equal(m.text, message);
    assert_int_equal(m.n, strlen(message));
    assert_string_equal(m.source, source);
    assert_int_equal(m.number, number);
}

static void test_plain(void **state)
{
    (void)state;
    assert_opened("SCHED 0ms: gomaxprocs=2", "SCHED 0ms: gomaxprocs=2", "");
    assert_opened("", "", "");
    assert_opened("\033[36mweb-1  |\033[0m SCHED", "web-1  | SCHED", "");
    assert_opened("{ not JSON", "{ not JSON", "");
    assert_opened("{\"level\":\"info\"}", "{\"level\":\"info\"}", "");
}

static void test_cri(void **state)
{
    struct envelope_message m;

    (void)state;
    assert_opened("2026-11-29T22:11:06.005123456Z stderr F gc 1 @0.1s", "gc 1 @0.1s", "stderr");
    assert_opened("2026-11-29T22:11:06+02:00 stdout F ", "", "stdout");
    /* Parts of both streams, one among the other. */
    assert_int_equal(open_line("2026-11-29T22:11:06Z stderr P SCHED 1", &m), 0);
    assert_int_equal(open_line("2026-11-29T22:11:06Z stdout P hel", &m), 0);
    assert_int_equal(open_line("2026-11-29T22:11:06Z stderr P 00ms", &m), 0);
    assert_int_equal(open_line("2026-11-29T22:11:06Z stdout F lo", &m), 1);
    assert_string_equal(m.text, "hello");
    assert_int_equal(open_line("2026-11-29T22:11:06Z stderr F : x", &m), 1);
    assert_string_equal(m.text, "SCHED 100ms: x");
    assert_int_equal(m.number, number - 4); /* where it began */
    assert_opened("2026-11-29T22:11:06Z stderr F next", "next", "stderr");
    /* Nothing of CRI. */
    assert_opened("2026-11-29 22:11:06 stderr F x", "2026-11-29 22:11:06 stderr F x", "");
    assert_opened("2026-11-29T22:11:06Z stderr full", "2026-11-29T22:11:06Z stderr full", "");
}

static void test_docker(void **state)
{
    static char part[20000];
    struct envelope_message m;
    int n;

    (void)state;
    assert_opened("{\"log\":\"gc 1: 3-\\u003e4 MB\\n\",\"stream\":\"stderr\",\"time\":\"2026\"}",
                  "gc 1: 3->4 MB\n", "");
    n = snprintf(part, sizeof(part), "{\"log\":\"%016384d\",\"stream\":\"stderr\"}", 7);
    assert_true(n > 16384);
    assert_int_equal(open_line(part, &m), 0);
    assert_int_equal(open_line("{\"log\":\"end\\n\",\"stream\":\"stderr\"}", &m), 1);
    assert_int_equal(m.n, 16384 + 4);
    assert_string_equal(m.text + 16383, "7end\n");
}

static void test_journal(void **state)
{
    (void)state;
    assert_opened("{\"_PID\":\"41\",\"MESSAGE\":\"SCHED\",\"_HOSTNAME\":\"web-1\"}", "SCHED",
                  "web-1 41");
    assert_opened("{\"_HOSTNAME\":\"web-1\",\"MESSAGE\":\"SCHED\",\"_PID\":\"41\"}", "SCHED",
                  "web-1 41");
    assert_opened("{\"MESSAGE\":[83, 67,72],\"_PID\":\"41\"}", "SCH", "41");
    assert_opened(
        "{\"log\":\"a\\\"b\\\\\",\"kubernetes\":{\"pod_name\":\"p\",\"labels\":{\"log\":\"x\"}}}",
        "a\"b\\", "p");
    assert_opened("{\"a\":[{\"log\":\"in\"}],\"log\":\"out\",\"log\":\"twice\"}", "out", "");
    assert_opened("{\"msg\":\"deep\",\"pid\":12,\"host\":null}", "deep", "12");
    /* A message that is no text leaves the line as it is; one that is cut is used. */
    assert_opened("{\"MESSAGE\":null}", "{\"MESSAGE\":null}", "");
    assert_opened("{\"MESSAGE\":\"cu", "cu", "");
    assert_opened("{\"MESSAGE\":\"\\u00e9\\u0000\\t\"}", "??\t", "");
}

static void assert_prefix(const char *text, const char *expected)
{
    char source[ENVELOPE_SOURCE_MAX] = "";

    envelope_prefix(text, strlen(text), source);
    assert_string_equal(source, expected);
}

static void test_prefix(void **state)
{
    char source[ENVELOPE_SOURCE_MAX] = "stderr";
    char text[300];

    (void)state;
    assert_prefix("", "");
    assert_prefix("Nov 29 22:11:06 web-1 app[41]: ", "web-1 app[41]:");
    assert_prefix("2026-11-29T22:11:06.005Z ", "");
    assert_prefix("[pod/web-1/app] 2026/11/29 22:11:06 ", "[pod/web-1/app]");
    assert_prefix("[   12.345678] web: ", "web:");
    assert_prefix("web-1  | ", "web-1 |");
    assert_prefix("level=info ts=2026-11-29T22:11:06Z t=\"12:00\" seq=17 pid=41 msg=\"",
                  "level=info pid=41 msg=\"");
    assert_prefix("= a= ", "= a=");
    assert_prefix("a\tb\x01 ", "a b?");
    envelope_prefix("app ", 4, source);
    assert_string_equal(source, "stderr app");
    (void)memset(text, 'x', sizeof(text));
    envelope_prefix(text, sizeof(text), source);
    assert_int_equal(strlen(source), ENVELOPE_SOURCE_MAX - 1);
}

/* More sources with parts than are kept: the oldest is given up, and nothing else. */
static void test_many_parts(void **state)
{
    struct envelope_message m;
    char line[128];

    (void)state;
    for (int i = 0; i < 9; i++) {
        (void)snprintf(line, sizeof(line), "2026-11-29T22:11:0%dZ %s P %d", i,
                       i % 2 ? "stderr" : "stdout", i);
        assert_int_equal(open_line(line, &m), 0);
    }
    assert_int_equal(open_line("2026-11-29T22:11:06Z stderr F .", &m), 1);
    assert_string_equal(m.text, "1357.");
    assert_int_equal(open_line("2026-11-29T22:11:06Z stdout F .", &m), 1);
    assert_string_equal(m.text, "02468.");
}

/* Parts without an end take no more than a line. */
static void test_endless_part(void **state)
{
    static char line[LOGLINES_MAX];
    struct envelope_message m;

    (void)state;
    (void)snprintf(line, sizeof(line), "2026-11-29T22:11:06Z stderr P %060000d", 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(open_line(line, &m), 0);
    assert_int_equal(open_line("2026-11-29T22:11:06Z stderr F end", &m), 1);
    assert_int_equal(m.n, LOGLINES_MAX);
}

static int setup(void **state)
{
    (void)state;
    envelope_init(&envelope);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    envelope_done(&envelope);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_cri),
        cmocka_unit_test(test_docker),       cmocka_unit_test(test_journal),
        cmocka_unit_test(test_prefix),       cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_endless_part),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
