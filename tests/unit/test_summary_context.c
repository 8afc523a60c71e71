/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/summary.h"
#include "tests/support/scratch.h"
#include "trace/findings/findings.h"

static const struct context *seen; /* what the rules were given */

void __wrap_findings_find(const struct summary *s, const struct context *context,
                          struct findings *ret);
void __wrap_findings_find(const struct summary *s, const struct context *context,
                          struct findings *ret)
{
    (void)s;
    seen = context;
    *ret = (struct findings){.label = "healthy"};
}

static struct context sample(void)
{
    struct context c;

    context_init(&c);
    c.window = 2000000000;
    c.quota = 50000000;
    c.period = 100000000;
    c.periods = 20;
    c.throttled_periods = 18;
    c.throttled = 1800000000;
    c.usage = 1000000000;
    c.levels_up = 1;
    c.cpus = 2;
    c.load = 3.14;
    c.busy = 3000000000;
    c.steal = 0;
    c.host_cpu.some = 240000000;
    return c;
}

static char *text_of(const struct context *c)
{
    const struct summary_view view = {.name = "t.trace", .top = 5, .context = c};
    struct summary s = {.complete = true};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(summary_text(out, &s, &view), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Whoever shows a summary gives the rules what is known. */
static void test_reaches_the_rules(void **state)
{
    const struct context c = sample();
    const struct summary_view view = {.name = "t.trace", .context = &c};
    struct summary s = {.complete = true};
    struct buf json;

    (void)state;
    free(text_of(&c));
    assert_ptr_equal(seen, &c);
    free(text_of(NULL));
    assert_null(seen);
    buf_init(&json, SUMMARY_JSON_MAX);
    assert_int_equal(summary_json(&view, &s, SUMMARY_ALL, &json), 0);
    assert_ptr_equal(seen, &c);
    assert_non_null(strstr(buf_str(&json), "\"context\":{\"window_ns\":2000000000,"));
    assert_non_null(strstr(buf_str(&json), "\"nr_throttled\":18"));
    buf_clear(&json);
    assert_int_equal(summary_json(&(struct summary_view){.name = "t"}, &s, SUMMARY_ALL, &json), 0);
    assert_null(seen);
    assert_null(strstr(buf_str(&json), "context"));
    buf_done(&json);
}

static void test_text(void **state)
{
    struct context c = sample();
    char *text = text_of(&c);

    (void)state;
    assert_non_null(strstr(text, "\nMachine: 2 CPUs, load 3.1, busy 75.0%, CPU pressure 12.0%\n"));
    assert_non_null(strstr(text, "\nCgroup: 18 of 20 periods throttled (1.80 s), quota 0.5 CPU"
                                 " (1 level above), used 0.5 CPU\n"));
    assert_null(strstr(text, "Process"));
    free(text);
    context_init(&c);
    c.threads = 18;
    c.cpus_allowed = 1;
    c.cpus = 1;
    c.rss = 39000000;
    c.window = 2000000000;
    c.cpu = 400000000;
    c.run_wait = 5020000000;
    c.open_fds = 13;
    text = text_of(&c);
    assert_non_null(strstr(text, "\nMachine: 1 CPU\n"));
    assert_non_null(strstr(text, "\nProcess: 18 threads, 39.0 MB, 13 descriptors, used 0.2 CPU,"
                                 " waited 5.02 s for a CPU\n"));
    assert_null(strstr(text, "Cgroup"));
    free(text);
    c.cpus = 64;
    c.memory_current = 400000000;
    c.memory_max = 512000000;
    c.cgroup_memory.some = 200000000;
    c.quota = CONTEXT_ABSENT;
    text = text_of(&c);
    assert_non_null(strstr(text, "on 1 of the CPUs"));
    assert_non_null(strstr(text, "\nCgroup: memory 400 MB of 512 MB, memory pressure 10.0%\n"));
    free(text);
    text = text_of(NULL);
    assert_null(strstr(text, "Machine"));
    free(text);
}

/* The root's numbers are the machine's, which are told already. That of a container may be limited. */
static void test_root(void **state)
{
    struct context c = sample();
    char *text;

    (void)state;
    (void)strcpy(c.level, "/");
    text = text_of(&c);
    assert_non_null(strstr(text, "\nCgroup: 18 of 20 periods throttled"));
    free(text);
    c.quota = c.periods = c.throttled_periods = CONTEXT_ABSENT;
    text = text_of(&c);
    assert_non_null(strstr(text, "\nMachine: "));
    assert_null(strstr(text, "Cgroup"));
    free(text);
    (void)strcpy(c.level, "/user.slice");
    text = text_of(&c);
    assert_non_null(strstr(text, "\nCgroup: used 0.5 CPU\n"));
    free(text);
}

#define RECORD "{\"artifact\": \"trace\", \"bytes\": %d, \"context\": {\"host\": {\"cpus\": 3}}}"

static bool beside(const char *trace, struct context *ret)
{
    return summary_context_beside(scratch_path(scratch_dir, trace), ret);
}

static void put_record(const char *name, int bytes)
{
    char text[256];

    (void)snprintf(text, sizeof(text), RECORD, bytes);
    (void)scratch_text(scratch_dir, name, text);
}

static void test_beside(void **state)
{
    struct context c;
    char name[300];

    (void)state;
    (void)scratch_text(scratch_dir, "x.trace", "12345");
    assert_false(beside("x.trace", &c));
    put_record("x.json", 5);
    assert_true(beside("x.trace", &c));
    assert_int_equal(c.cpus, 3);
    put_record("x.json", 6);
    assert_false(beside("x.trace", &c));
    (void)scratch_text(
        scratch_dir, "x.json",
        "{\"artifact\": \"mutex\", \"bytes\": 5, \"context\": {\"host\": {\"cpus\": 3}}}");
    assert_false(beside("x.trace", &c));
    (void)scratch_text(scratch_dir, "x.json", "{\"bytes\": 5}"); /* of an earlier version */
    assert_false(beside("x.trace", &c));
    (void)scratch_text(scratch_dir, "x.json", "{\"bytes\": ");
    assert_false(beside("x.trace", &c));
    put_record("x.json", 5);
    (void)scratch_text(scratch_dir, "x", "12345");
    assert_false(beside("x", &c));
    assert_false(beside(".trace", &c));
    assert_false(beside("none.trace", &c));
    assert_false(summary_context_beside("-", &c));
    memset(name, 'y', sizeof(name));
    (void)strcpy(name + sizeof(name) - 7, ".trace");
    assert_false(beside(name, &c));
}

static void test_given(void **state)
{
    struct summary_given g;
    const char *file;

    (void)state;
    assert_int_equal(summary_context_given("{\"host\": {\"cpus\": 4}}", true, &g), 0);
    assert_int_equal(g.context.cpus, 4);
    assert_true(g.bytes < 0);
    assert_int_equal(g.start, 0);
    file = scratch_text(scratch_dir, "given.json", "{\"context\": {\"host\": {\"cpus\": 5}}}");
    assert_int_equal(summary_context_given(file, false, &g), 0);
    assert_int_equal(g.context.cpus, 5);
    assert_int_equal(summary_context_given(file, true, &g), -EACCES);
    assert_int_equal(summary_context_given("{", false, &g), -EINVAL);
    assert_int_equal(summary_context_given("{}", false, &g), -ENODATA);
    file = scratch_text(scratch_dir, "given.json", "[]");
    assert_int_equal(summary_context_given(file, false, &g), -EINVAL);
    file = scratch_text(scratch_dir, "given.json", "{}");
    assert_int_equal(summary_context_given(file, false, &g), -ENODATA);
    file = scratch_path(scratch_dir, "none.json");
    assert_int_equal(summary_context_given(file, false, &g), -ENOENT);
    assert_int_equal(summary_context_given(scratch_path(scratch_dir, "."), false, &g), -EISDIR);
    assert_int_equal(summary_context_given("/dev/zero", false, &g), -E2BIG);
}

/* The record of a mutex profile, or of another trace, is refused. */
static void test_of_another(void **state)
{
    struct summary s = {.complete = true, .bytes = 5, .spans = 2000000000};
    struct summary_given g;

    (void)state;
    assert_int_equal(
        summary_context_given("{\"artifact\": \"mutex\", \"context\": {\"host\": {\"cpus\": 3}}}",
                              true, &g),
        -ESTALE);
    assert_int_equal(
        summary_context_given("{\"artifact\": \"trace\", \"bytes\": 5, \"start\":"
                              " \"2026-11-29T22:11:06.005Z\", \"context\": {\"window_ns\": 5,"
                              " \"host\": {\"cpus\": 3}}}",
                              true, &g),
        0);
    assert_int_equal(g.bytes, 5);
    assert_int_equal(g.start, 1795990266005000000);
    assert_int_equal(summary_context_check(&g, "t.trace", &s), 0);
    s.bytes = 6;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    s.bytes = 4;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    s.complete = false; /* the rest could not be read */
    assert_int_equal(summary_context_check(&g, "t.trace", &s), 0);
    s.wall_start = g.start + 59 * 1000000000LL;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), 0);
    s.wall_start = g.start + 61 * 1000000000LL;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    s.wall_start = g.start - 61 * 1000000000LL;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    g = (struct summary_given){.bytes = -1, .context = sample()};
    s = (struct summary){.complete = true, .bytes = 5, .spans = 2000000000};
    assert_int_equal(summary_context_check(&g, "t.trace", &s), 0);
    g.context.window = 900000000;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    g.context.window = 15000000000;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), -ESTALE);
    g.context.window = CONTEXT_ABSENT;
    assert_int_equal(summary_context_check(&g, "t.trace", &s), 0);
}

/* What cannot be is not said. */
static void test_impossible(void **state)
{
    struct context c = sample();
    char *text;

    (void)state;
    c.throttled_periods = 21; /* of 20 */
    c.usage = INT64_MAX;
    c.busy = 9 * c.window;
    c.host_cpu.some = 2 * c.window;
    text = text_of(&c);
    assert_non_null(strstr(text, "\nMachine: 2 CPUs, load 3.1\n"));
    assert_non_null(strstr(text, "\nCgroup: quota 0.5 CPU (1 level above)\n"));
    free(text);
    c = sample();
    c.window = 1;
    text = text_of(&c);
    assert_non_null(strstr(text, "\nMachine: 2 CPUs, load 3.1\n"));
    assert_null(strstr(text, "throttled"));
    free(text);
    c = sample();
    c.busy = c.window * 2 + 1000000; /* a step of the kernel's clock too much */
    text = text_of(&c);
    assert_non_null(strstr(text, "busy 100%"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reaches_the_rules),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_of_another),
        cmocka_unit_test(test_impossible),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
