/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "lib/record/name.h"
#include "lib/rows/columns.h"
#include "lib/rows/rows.h"

#define KEY "checkout/web-3/20261121/150405-1234.trace"
#define WRITTEN (1796120452 * USEC_PER_SEC)

static const char record[] =
    "{\"artifact\": \"trace\", \"service\": \"another\", \"start\": \"2026-11-21T15:04:05.678Z\","
    " \"job\": \"shop\", \"pid\": 1234, \"labels\": {\"version\": \"v7\", \"n\": 7},"
    " \"label\": \"lock-contention\", \"complete\": true, \"bytes\": -1,"
    " \"trigger\": {\"rule\": \"slow\", \"value\": null, \"threshold\": 0.5},"
    " \"context\": {\"cgroup\": {\"cpu\": {\"throttled_ns\": 42}}},"
    " \"summary\": {\"scheduler\": {\"latency\": {\"p99_ns\": 1000}, \"share_over_10ms\": 0.25},"
    "  \"gc\": {\"cycles\": \"many\"},"
    "  \"findings\": [{\"code\": \"lock-contention\", \"score\": 0.75, \"lost_ns\": 5,"
    "    \"site\": {\"func\": \"main.lock\", \"line\": 12},"
    "    \"evidence\": {\"waits\": 3, \"share\": 0.5, \"list\": []}}, 7,"
    "   {\"code\": \"goroutine-leak\", \"score\": 0, \"evidence\": {\"goroutines_last\": 9}}],"
    "  \"outliers\": {\"tasks\": [{\"duration_ns\": 100, \"type\": \"pay\", \"open\": true,"
    "    \"ids\": {\"trace_id\": \"t1\"}, \"work\": {\"running_ns\": 10, \"other_waits_ns\": 1,"
    "     \"waits_ns\": {\"sync\": 20, \"select\": 30}}}],"
    "   \"waits\": {\"lock\": [{\"duration_ns\": 7, \"reason\": \"sync\", \"func\": \"main.f\"}]}}}}";

static struct buf out;

static int make(const char *key, const char *text)
{
    return rows_of_record(key, text, strlen(text), WRITTEN, &out);
}

static int setup(void **state)
{
    (void)state;
    buf_init(&out, ROWS_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&out);
    return 0;
}

/* The nth row, to be released. */
static json_t *row(size_t nth)
{
    const char *line = buf_str(&out), *end = strchr(line, '\n');
    json_t *json = NULL;

    for (; end && nth > 0; nth--) {
        line = end + 1;
        end = strchr(line, '\n');
    }
    assert_non_null(end);
    assert_int_equal(jsontext_parse(line, (size_t)(end - line), 0, NULL, &json), 0);
    return json;
}

static const char *text(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));

    return value ? value : "-";
}

static size_t lines(void)
{
    size_t n = 0;

    for (const char *p = buf_str(&out); *p; p++)
        n += *p == '\n';
    return n;
}

static void test_capture(void **state)
{
    _cleanup_json_ json_t *o = NULL;

    (void)state;
    assert_int_equal(make(KEY, record), 0);
    assert_int_equal(lines(), 5);
    o = row(0);
    assert_string_equal(text(o, "row_kind"), "trace");
    assert_string_equal(text(o, "id"), KEY);
    assert_string_equal(text(o, "service"), "checkout"); /* the key's */
    assert_string_equal(text(o, "host"), "web-3");
    assert_string_equal(text(o, "start"), "2026-11-21T15:04:05.678Z");
    assert_string_equal(text(o, "written"), "2026-12-01T10:20:52.000Z");
    assert_string_equal(text(o, "rule"), "slow");
    assert_string_equal(text(json_object_get(o, "labels"), "version"), "v7");
    assert_int_equal(json_object_size(json_object_get(o, "labels")), 1);
    assert_int_equal(json_integer_value(json_object_get(o, "sched_p99_ns")), 1000);
    assert_int_equal(json_integer_value(json_object_get(o, "throttled_ns")), 42);
    assert_int_equal(json_integer_value(json_object_get(o, "findings")), 3);
    assert_true(json_real_value(json_object_get(o, "score")) == 0.75);
    /* What is absent, null, or of another type. */
    assert_null(json_object_get(o, "host_cpus"));
    assert_null(json_object_get(o, "rule_value"));
    assert_null(json_object_get(o, "gc_cycles"));
    assert_null(json_object_get(o, "bytes"));
}

static void test_findings(void **state)
{
    _cleanup_json_ json_t *lock = NULL, *leak = NULL;

    (void)state;
    assert_int_equal(make(KEY, record), 0);
    lock = row(1);
    leak = row(2);
    assert_string_equal(text(lock, "id"), KEY "#finding-1");
    assert_string_equal(text(lock, "code"), "lock-contention");
    assert_string_equal(text(lock, "evidence"), "{\"waits\":3,\"share\":0.5}");
    assert_string_equal(text(lock, "label"), "lock-contention");
    assert_string_equal(text(lock, "func"), "main.lock");
    assert_int_equal(json_integer_value(json_object_get(lock, "line")), 12);
    assert_string_equal(text(leak, "id"), KEY "#finding-3");
    assert_int_equal(json_integer_value(json_object_get(leak, "goroutines_last")), 9);
}

static void test_outliers(void **state)
{
    _cleanup_json_ json_t *task = NULL, *wait = NULL;

    (void)state;
    assert_int_equal(make(KEY, record), 0);
    task = row(3);
    wait = row(4);
    assert_string_equal(text(task, "id"), KEY "#task-1");
    assert_string_equal(text(task, "type"), "pay");
    assert_string_equal(text(task, "trace_id"), "t1");
    assert_true(json_is_true(json_object_get(task, "open")));
    assert_int_equal(json_integer_value(json_object_get(task, "waiting_ns")), 51);
    assert_string_equal(text(task, "waited_for"), "select");
    assert_string_equal(text(wait, "kind"), "wait-lock");
    assert_string_equal(text(wait, "func"), "main.f");
    assert_string_equal(text(wait, "wait_reason"), "sync");
    assert_null(json_object_get(wait, "waiting_ns"));
}

static void test_profile(void **state)
{
    _cleanup_json_ json_t *o = NULL;

    (void)state;
    assert_int_equal(make("checkout/web-3/20261121/150405-1234.mutex.pb.gz", "{}"), 0);
    assert_int_equal(lines(), 1);
    o = row(0);
    assert_string_equal(text(o, "row_kind"), "profile");
    assert_string_equal(text(o, "artifact"), "mutex");
    assert_string_equal(text(o, "start"), "2026-11-21T15:04:05.000Z"); /* the key's */
}

static void test_what_is_no_record(void **state)
{
    static const char *const bad[] = {"", "{", "[1]x", "{\"a\": 1} {"};

    (void)state;
    assert_int_equal(make(KEY, record), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(make(KEY, bad[i]), -EINVAL);
    assert_int_equal(make("no/key", record), -EINVAL);
    assert_int_equal(make(".contrace/rows/dt=2026-11-21/service=s/x.jsonl.gz", "{}"), -EINVAL);
    assert_int_equal(lines(), 5);
    /* JSON of any other shape has what is known from the key. */
    assert_int_equal(make(KEY, "{\"summary\": {\"findings\": 7, \"outliers\": []}}"), 0);
    assert_int_equal(lines(), 6);
}

static void test_no_room(void **state)
{
    (void)state;
    buf_init(&out, 1500);
    assert_int_equal(make(KEY, "{}"), 0);
    assert_int_equal(make(KEY, record), -E2BIG);
    assert_int_equal(lines(), 1);
    assert_int_equal(buf_error(&out), 0);
    assert_int_equal(make(KEY, "{}"), 0);
    assert_int_equal(lines(), 2);
}

/* A column is named once in a row, and none is one that every row has. */
static void test_columns(void **state)
{
    const struct column *const tables[] = {columns_record, columns_trace, columns_finding,
                                           columns_outlier};

    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct column *a = tables[i]; a->name; a++) {
            for (const struct column *b = a + 1; b->name; b++)
                assert_string_not_equal(a->name, b->name);
            for (const struct column *b = columns_record; i > 0 && b->name; b++)
                assert_string_not_equal(a->name, b->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_capture, setup, teardown),
        cmocka_unit_test_setup_teardown(test_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outliers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_profile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
        cmocka_unit_test(test_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
