/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/compare/difference.h"

#define TRACES 3

/* What a trace of one second shows, as far as it is compared here. */
struct sketch {
    const char *label, *finding, *task, *site;
    double latency; /* the 99th percentile, nanoseconds */
    unsigned created;
    double site_ns, task_ns;
};

static json_t *summary_of(const struct sketch *s, double spread)
{
    json_t *json = json_pack(
        "{s:s, s:i, s:{s:{s:f}}, s:{s:i}, s:[], s:[], s:{s:{s:f, s:[{s:s, s:f}]}}}", "label",
        s->label, "window_ns", 1000000000, "scheduler", "latency", "p99_ns", s->latency * spread,
        "goroutines", "created", (int)s->created, "findings", "tasks", "sites", "sync", "total_ns",
        s->site_ns, "top", "func", s->site, "total_ns", s->site_ns);

    assert_non_null(json);
    if (s->finding)
        (void)json_array_append_new(json_object_get(json, "findings"),
                                    json_pack("{s:s, s:f}", "code", s->finding, "score", 0.9));
    if (s->task)
        (void)json_array_append_new(json_object_get(json, "tasks"),
                                    json_pack("{s:s, s:f, s:f, s:i}", "type", s->task, "p50_ns",
                                              s->task_ns, "p99_ns", s->task_ns, "count", 100));
    return json;
}

struct sides {
    json_t *json[2][TRACES];
    struct difference_side sides[2];
    const json_t *lists[2][TRACES];
    struct difference d;
};

static void compare(struct sides *s, const struct sketch *before, const struct sketch *after,
                    size_t n)
{
    static const double spreads[TRACES] = {1, 1.05, 0.95};
    const struct sketch *sketches[2] = {before, after};

    for (unsigned side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++)
            s->lists[side][i] = s->json[side][i] = summary_of(sketches[side], spreads[i]);
        s->sides[side] = (struct difference_side){s->lists[side], n};
    }
    assert_int_equal(difference_find(s->sides, &s->d), 0);
}

static void done(struct sides *s)
{
    difference_done(&s->d);
    for (unsigned side = 0; side < 2; side++) {
        for (size_t i = 0; i < s->sides[side].n; i++)
            json_decref(s->json[side][i]);
    }
}

static const struct sketch well = {"healthy", NULL, "pay", "main.serve", 3e5, 500, 1e8, 2e6};
static const struct sketch ill = {
    "lock-contention", "lock-contention", "pay", "main.post", 41e6, 1500, 9e8, 90e6};

static const struct difference_row *row_of(const struct difference *d, const char *path)
{
    for (size_t i = 0; i < d->n_rows; i++) {
        if (strcmp(d->rows[i].path, path) == 0)
            return &d->rows[i];
    }
    fail_msg("no row %s", path);
    return NULL;
}

static int moved(const struct difference *d, enum presence_kind kind, const char *name)
{
    for (size_t i = 0; i < d->presences.n; i++) {
        if (d->presences.list[i].kind == kind && strcmp(d->presences.list[i].name, name) == 0)
            return presence_moved(&d->presences.list[i], d->traces);
    }
    fail_msg("no %s", name);
    return 0;
}

static void test_worse(void **state)
{
    struct sides s;
    const struct difference_row *row;

    (void)state;
    compare(&s, &well, &ill, TRACES);
    assert_int_equal(s.d.verdict, VERDICT_WORSE);
    row = row_of(&s.d, "scheduler.latency.p99_ns");
    assert_int_equal(row->change, DIFFERENCE_WORSE);
    assert_true(fabs(row->spread.ratio - 41 / 0.3) < 0.01);
    assert_ptr_equal(row, &s.d.rows[0]); /* it differs most */
    assert_int_equal(row_of(&s.d, "tasks[\"pay\"].p99_ns")->change, DIFFERENCE_WORSE);
    assert_int_equal(row_of(&s.d, "goroutines.created")->change, DIFFERENCE_OTHER);
    assert_true(fabs(row_of(&s.d, "goroutines.created")->spread.after.median - 1500) < 1e-6);
    assert_int_equal(moved(&s.d, PRESENCE_FINDING, "lock-contention"), 1);
    assert_int_equal(moved(&s.d, PRESENCE_LABEL, "healthy"), -1);
    assert_int_equal(moved(&s.d, PRESENCE_SITE_SYNC, "main.post"), 1);
    assert_int_equal(moved(&s.d, PRESENCE_TASK, "pay"), 0);
    done(&s);
}

static void test_better(void **state)
{
    struct sides s;

    (void)state;
    compare(&s, &ill, &well, TRACES);
    assert_int_equal(s.d.verdict, VERDICT_BETTER);
    done(&s);
}

static void test_same(void **state)
{
    struct sides s;

    (void)state;
    compare(&s, &well, &well, TRACES);
    assert_int_equal(s.d.verdict, VERDICT_SAME);
    assert_true(difference_known(&s.d));
    done(&s);
    compare(&s, &well, &well, 1);
    assert_int_equal(s.d.verdict, VERDICT_SAME);
    assert_false(difference_known(&s.d));
    done(&s);
}

/* Names that are hostile, and no site of next to no time. */
static void test_names(void **state)
{
    struct sketch other = well;
    struct sides s;

    (void)state;
    other.task = "a\"b\\c]";
    other.site = "main.rare";
    other.site_ns = 1e6;
    compare(&s, &other, &other, 1);
    assert_int_equal(row_of(&s.d, "tasks[\"a\\\"b\\\\c]\"].p99_ns")->change, DIFFERENCE_NONE);
    done(&s);
    compare(&s, &well, &other, 1);
    assert_int_equal(moved(&s.d, PRESENCE_SITE_SYNC, "main.rare"), 0);
    assert_int_equal(moved(&s.d, PRESENCE_TASK, "a\"b\\c]"), 1);
    assert_int_equal(moved(&s.d, PRESENCE_TASK, "pay"), -1);
    assert_int_equal(s.d.verdict, VERDICT_OTHER);
    done(&s);
}

static char *text_of(const struct difference *d, bool all)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    difference_text(out, d, all, true);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void test_text(void **state)
{
    struct sides s;
    char *text;

    (void)state;
    compare(&s, &well, &ill, TRACES);
    text = text_of(&s.d, true);
    assert_int_equal(strncmp(text,
                             "worse: new finding lock-contention; runnable to running p99 "
                             "300 us → 41.0 ms;",
                             77),
                     0);
    assert_non_null(strstr(text, "3 traces → 3; labels: healthy 3 → lock-contention 3\n"));
    assert_non_null(strstr(text, "300 us (285 us..315 us)"));
    for (char *line = strstr(text, "NUMBER"); line && *line;) { /* the first line is a sentence */
        size_t n = strcspn(line, "\n");

        assert_true(print_width(line, n) <= 100);
        line += n + (line[n] == '\n');
    }
    free(text);
    done(&s);
    compare(&s, &well, &ill, 1);
    text = text_of(&s.d, false);
    assert_non_null(strstr(text, "one sample each: no spread is known"));
    free(text);
    done(&s);
}

static void test_json(void **state)
{
    struct sides s;
    json_t *json, *row;

    (void)state;
    compare(&s, &well, &ill, TRACES);
    json = difference_json(&s.d);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "verdict")), "worse");
    assert_int_equal(json_integer_value(json_object_get(json, "new_findings")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "gone_findings")), 0);
    row = json_object_get(json_object_get(json, "diff"), "scheduler.latency.p99_ns");
    assert_string_equal(json_string_value(json_object_get(row, "change")), "worse");
    assert_true(json_is_true(json_object_get(row, "moved")));
    /* No side has it: it is named all the same. */
    assert_true(json_is_null(json_object_get(json_object_get(json, "diff"), "gc.cycles")));
    json_decref(json);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worse), cmocka_unit_test(test_better), cmocka_unit_test(test_same),
        cmocka_unit_test(test_names), cmocka_unit_test(test_text),   cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
