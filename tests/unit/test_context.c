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

#include "base/jsontext.h"
#include "lib/record/context.h"

/* Each number another one, so that none can be taken for another. */
static const struct context all = {
    .window = 2000000000,
    .quota = 1,
    .period = 2,
    .periods = 3,
    .throttled_periods = 4,
    .throttled = 5,
    .usage = 6,
    .cgroup_version = 7,
    .level = "/pod/c1",
    .levels_up = 8,
    .cgroup_cpu = {9, 10},
    .memory_level = "/pod",
    .memory_levels_up = 11,
    .memory_current = 12,
    .memory_max = 13,
    .cgroup_memory = {14, 15},
    .cgroup_io = {16, 17},
    .threads = 18,
    .rss = 19,
    .open_fds = 20,
    .cpus_allowed = 21,
    .cpu = 22,
    .run_wait = 23,
    .voluntary_switches = 24,
    .involuntary_switches = 25,
    .major_faults = 26,
    .cpus = 27,
    .load = 2.5,
    .busy = 28,
    .steal = 29,
    .host_cpu = {30, 31},
    .host_memory = {32, 33},
    .host_io = {34, 35},
};

static const char text_of_all[] =
    "{\"window_ns\":2000000000,\"cgroup\":{\"version\":7,"
    "\"cpu\":{\"level\":\"/pod/c1\",\"levels_up\":8,\"usage_ns\":6,\"quota_ns\":1,\"period_ns\":2,"
    "\"nr_periods\":3,\"nr_throttled\":4,\"throttled_ns\":5,\"pressure_some_ns\":9,"
    "\"pressure_full_ns\":10},"
    "\"memory\":{\"level\":\"/pod\",\"levels_up\":11,\"current_bytes\":12,\"max_bytes\":13,"
    "\"pressure_some_ns\":14,\"pressure_full_ns\":15},"
    "\"io\":{\"pressure_some_ns\":16,\"pressure_full_ns\":17}},"
    "\"process\":{\"threads\":18,\"rss_bytes\":19,\"open_fds\":20,\"cpus_allowed\":21,"
    "\"cpu_ns\":22,\"run_wait_ns\":23,\"voluntary_switches\":24,\"involuntary_switches\":25,"
    "\"major_faults\":26},"
    "\"host\":{\"cpus\":27,\"load1\":2.5,\"busy_ns\":28,\"steal_ns\":29,"
    "\"cpu\":{\"pressure_some_ns\":30,\"pressure_full_ns\":31},"
    "\"memory\":{\"pressure_some_ns\":32,\"pressure_full_ns\":33},"
    "\"io\":{\"pressure_some_ns\":34,\"pressure_full_ns\":35}}}";

static char text[CONTEXT_JSON_MAX + 1];

static const char *write_it(const struct context *c)
{
    struct jsonwriter w;
    struct buf out;

    buf_over(&out, text, sizeof(text));
    jsonwriter_init(&w, &out, (struct jsonwriter_style){.digits = 15});
    context_write(&w, NULL, c);
    assert_int_equal(jsonwriter_finish(&w), 0);
    return text;
}

static int parse(const char *json, struct context *ret)
{
    return context_parse(json, strlen(json), ret);
}

static void test_all(void **state)
{
    struct context back;

    (void)state;
    assert_string_equal(write_it(&all), text_of_all);
    assert_int_equal(parse(text_of_all, &back), 0);
    assert_string_equal(write_it(&back), text_of_all);
    assert_true(context_tells(&back));
}

/* What is absent stays so, on the way there and back; what is 0 stays 0. */
static void test_absent(void **state)
{
    struct context c, back;

    (void)state;
    context_init(&c);
    assert_false(context_tells(&c));
    assert_string_equal(write_it(&c), "{}");
    c.throttled_periods = 0;
    c.host_io.full = 0;
    assert_true(context_tells(&c));
    assert_string_equal(write_it(&c), "{\"cgroup\":{\"cpu\":{\"nr_throttled\":0}},"
                                      "\"host\":{\"io\":{\"pressure_full_ns\":0}}}");
    assert_int_equal(parse(text, &back), 0);
    assert_int_equal(back.throttled_periods, 0);
    assert_int_equal(back.host_io.full, 0);
    assert_int_equal(back.periods, CONTEXT_ABSENT);
    assert_int_equal(back.window, CONTEXT_ABSENT);
    assert_int_equal(back.threads, CONTEXT_ABSENT);
    assert_true(back.load < 0);
    assert_string_equal(back.level, "");
}

/* A path may be as long as it fits, and is the longest that there is. */
static void test_longest(void **state)
{
    struct context c = all, back;

    (void)state;
    memset(c.level, 'x', sizeof(c.level) - 1);
    memset(c.memory_level, '\n', sizeof(c.memory_level) - 1);
    c.usage = c.quota = c.period = c.periods = c.throttled_periods = c.throttled = INT64_MAX;
    c.rss = c.run_wait = c.busy = c.steal = c.memory_max = c.memory_current = INT64_MAX;
    assert_int_equal(parse(write_it(&c), &back), 0);
    assert_string_equal(back.level, c.level);
    assert_string_equal(back.memory_level, c.memory_level);
    assert_int_equal(back.steal, INT64_MAX);
}

/* Names of any bytes: a path that would be too long is null, and the numbers are there. */
static void test_any_bytes(void **state)
{
    static const char bytes[] = "x\001\xff\"";
    struct context c, back;

    (void)state;
    for (size_t i = 0; bytes[i]; i++) {
        memset(&c, 0x7f, sizeof(c)); /* the longest numbers */
        memset(c.level, bytes[i], sizeof(c.level) - 1);
        c.level[sizeof(c.level) - 1] = '\0';
        (void)strcpy(c.memory_level, c.level);
        assert_int_equal(parse(write_it(&c), &back), 0);
        assert_int_equal(back.usage, c.usage);
        assert_int_equal(back.host_io.full, c.host_io.full);
        assert_string_equal(back.level, bytes[i] == 'x' || bytes[i] == '"' ? c.level : "");
        assert_int_equal(!strstr(text, "\"level\":null"), bytes[i] == 'x' || bytes[i] == '"');
    }
}

/* Of a record or a summary it is a member. */
static void test_member(void **state)
{
    struct context c;

    (void)state;
    assert_int_equal(parse("{\"host\": \"web-1\", \"bytes\": 1, \"context\":"
                           " {\"host\": {\"cpus\": 2}}}",
                           &c),
                     0);
    assert_int_equal(c.cpus, 2);
    /* Those of earlier versions, and a summary whose window has the same name, have none. */
    assert_int_equal(parse("{\"host\": \"web-1\", \"bytes\": 1}", &c), -ENOENT);
    assert_int_equal(parse("{\"schema\": 1, \"window_ns\": 5}", &c), -ENOENT);
    assert_int_equal(parse("{}", &c), -ENOENT);
    assert_int_equal(parse("{\"context\": {}}", &c), -ENOENT);
}

/* What no 64 bits hold makes the text no JSON; what is no integer, or no load, is absent. */
static void test_beyond(void **state)
{
    struct context c;

    (void)state;
    assert_int_equal(parse("{\"host\": {\"cpus\": 9223372036854775807, \"load1\": 1e300,"
                           " \"busy_ns\": 1e300, \"steal_ns\": -9223372036854775808}}",
                           &c),
                     0);
    assert_int_equal(c.cpus, INT64_MAX);
    assert_true(c.load < 0);
    assert_int_equal(c.busy, CONTEXT_ABSENT);
    assert_int_equal(c.steal, CONTEXT_ABSENT);
    assert_int_equal(parse("{\"host\": {\"cpus\": 9223372036854775808}}", &c), -EINVAL);
    assert_int_equal(parse("{\"host\": {\"cpus\": 18446744073709551616}}", &c), -EINVAL);
    assert_int_equal(parse("{\"host\": {\"load1\": 1e999}}", &c), -EINVAL);
}

static void test_not_as_expected(void **state)
{
    static const char *const nothing[] = {
        "{\"context\": 5}",
        "{\"context\": []}",
        "{\"context\": {\"host\": 5, \"process\": [], \"cgroup\": {\"cpu\": 1, \"memory\": null}}}",
        "{\"host\": {\"cpus\": -1, \"load1\": -0.5, \"busy_ns\": \"9\", \"steal_ns\": 1.5}}",
        "{\"host\": {\"cpus\": true, \"load1\": \"2\", \"cpu\": {\"pressure_some_ns\": null}}}",
        "{\"process\": {\"threads\": 1e3, \"rss_bytes\": -0, \"other\": 7, \"run_wait_ns\": {}}}",
        "{\"cgroup\": {\"cpu\": {\"level\": 5}, \"memory\": {\"level\": \"\"}}}",
    };
    struct context c;
    char *long_one = malloc(CONTEXT_LEVEL_SIZE + 100);

    (void)state;
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        int r = parse(nothing[i], &c);

        if (i == 5) /* -0 is a 0 */
            assert_int_equal(c.rss, 0);
        else
            assert_int_equal(r, -ENOENT);
        assert_int_equal(c.threads, CONTEXT_ABSENT);
        assert_int_equal(c.cpus, CONTEXT_ABSENT);
    }
    (void)snprintf(long_one, CONTEXT_LEVEL_SIZE + 100,
                   "{\"cgroup\": {\"cpu\": {\"level\": \"%0*d\"}}}", CONTEXT_LEVEL_SIZE, 0);
    assert_int_equal(parse(long_one, &c), -ENOENT);
    free(long_one);
    assert_int_equal(parse("", &c), -EINVAL);
    assert_int_equal(parse("[]", &c), -EINVAL);
    assert_int_equal(parse("{\"host\": {\"cpus\": 2}", &c), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_beyond),
        cmocka_unit_test(test_not_as_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
