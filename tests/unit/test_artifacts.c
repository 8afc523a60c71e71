/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/artifact/profile_fields.h"

static void test_rows(void **state)
{
    (void)state;
    assert_ptr_equal(artifacts[0], artifacts_find("trace"));
    for (size_t i = 0; i < n_artifacts; i++) {
        const struct artifact *a = artifacts[i];

        assert_true(a->noun && a->what && a->content_type);
        assert_true(a->body && a->body->size > 0 && a->body->init && a->body->done);
        assert_true(a->body->feed && a->body->finish);
        assert_int_equal(a->part != NULL, a->parts != NULL);
        assert_true(outcome_failed(a->foreign));
        /* A process has one tracer and one CPU profiler. */
        assert_int_equal(a->taken != NULL, a->kind == KIND_TRACE || a->kind == KIND_CPU);
        assert_ptr_equal(artifacts_of_kind(a->kind), a); /* so no kind is there twice */
        assert_ptr_equal(artifacts_find(kind_name(a->kind)), a);
        assert_int_equal(a->sample_type != NULL, a->sibling != NULL);
        assert_int_equal(a->empty_hint != NULL, a->sibling != NULL);
        assert_true(a->sibling == NULL || !a->inspected);
        assert_true(a->sample_type == NULL || strlen(a->sample_type) < PROFILE_FIELDS_TEXT);
        /* It forces a garbage collection, which the others must not show. */
        assert_true(a->kind != KIND_GOROUTINELEAK || i == n_artifacts - 1);
    }
    assert_int_equal(n_artifacts, KINDS);
    assert_null(artifacts_find("no such"));
    assert_true(artifacts_find("trace")->inspected);
    assert_false(artifacts_find("trace")->optional);
    assert_true(artifacts_find("mutex")->optional);
}

/* It is a trace of what was before, and nothing but the job knows where it is. */
static void test_flight(void **state)
{
    const struct artifact *flight = artifacts_find("flight"), *trace = artifacts_find("trace");
    char *path = NULL;

    (void)state;
    assert_ptr_equal(flight->body, trace->body);
    assert_true(flight->snapshot && flight->optional && flight->inspected && flight->elsewhere);
    assert_string_equal(flight->part, trace->part);
    assert_int_equal(flight->foreign, trace->foreign);
    assert_int_equal(strncmp(flight->place_hint, "; `flight` ", 11), 0);
    assert_int_equal(artifact_path(flight, "/debug/pprof/trace", "/debug/pprof", &path), -EINVAL);
    assert_null(path);
}

/* The names in which Go has them, and how they are asked for. */
static void test_profiles(void **state)
{
    static const struct {
        const char *name, *sample_type, *path;
        bool snapshot;
        const char *hint;
    } rows[] = {
        {"cpu", "cpu", "/p/profile", false, "10 ms"},
        {"mutex", "delay", "/p/mutex", false, "runtime.SetMutexProfileFraction(100)"},
        {"block", "delay", "/p/block", false, "runtime.SetBlockProfileRate(int(time.Millisecond))"},
        {"goroutine", "goroutine", "/p/goroutine", true, "the same at both ends"},
        {"heap", "inuse_space", "/p/heap", true, "runtime.MemProfileRate"},
        {"allocs", "alloc_space", "/p/allocs", false, "runtime.MemProfileRate"},
        {"threadcreate", "threadcreate", "/p/threadcreate", true, "no thread was made"},
        {"goroutineleak", "goroutineleak", "/p/goroutineleak", true, "nobody can reach"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct artifact *a = artifacts_find(rows[i].name);
        char *path;

        assert_non_null(a);
        assert_string_equal(a->sample_type, rows[i].sample_type);
        assert_int_equal(a->snapshot, rows[i].snapshot);
        assert_true(a->whole_seconds && a->optional && !a->inspected && !a->part);
        assert_non_null(strstr(a->empty_hint, rows[i].hint));
        assert_int_equal(strncmp(a->empty_hint, "; ", 2), 0);
        assert_int_equal(artifact_path(a, "/p/trace", NULL, &path), 0);
        assert_string_equal(path, rows[i].path);
        free(path);
    }
}

static void test_names(void **state)
{
    char names[ARTIFACTS_NAMES_SIZE];

    (void)state;
    assert_string_equal(artifacts_names(names),
                        "trace, flight, cpu, mutex, block, goroutine, heap, allocs, "
                        "threadcreate, goroutineleak");
}

static void test_window(void **state)
{
    const struct artifact *trace = artifacts_find("trace"), *mutex = artifacts_find("mutex");

    (void)state;
    assert_int_equal(artifact_window(trace, 1900 * USEC_PER_MSEC), 1900 * USEC_PER_MSEC);
    assert_int_equal(artifact_window(mutex, 1), USEC_PER_SEC);
    assert_int_equal(artifact_window(mutex, 1900 * USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(artifact_window(mutex, 2 * USEC_PER_SEC), 2 * USEC_PER_SEC);
    assert_int_equal(artifact_window(mutex, 2999999), 2 * USEC_PER_SEC);
}

/* It covers the other with its lead before and its tail after, in whole seconds. */
static void test_window_beside(void **state)
{
    const struct artifact *cpu = artifacts_sampler();

    (void)state;
    assert_int_equal(cpu->kind, KIND_CPU);
    assert_int_equal(artifact_window_beside(cpu, USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(artifact_window_beside(cpu, 700 * USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(artifact_window_beside(cpu, 701 * USEC_PER_MSEC), 2 * USEC_PER_SEC);
    assert_int_equal(artifact_window_beside(cpu, 2 * USEC_PER_SEC), 3 * USEC_PER_SEC);
    assert_int_equal(artifact_window_beside(cpu, 2800 * USEC_PER_MSEC), 4 * USEC_PER_SEC);
}

static void test_path(void **state)
{
    static const struct {
        const char *artifact, *path, *profiles, *expected;
    } rows[] = {
        {"trace", "/debug/pprof/trace", NULL, "/debug/pprof/trace"},
        {"trace", "/snapshot", "/pprof", "/snapshot"},
        {"mutex", "/debug/pprof/trace", NULL, "/debug/pprof/mutex"},
        {"mutex", "/trace", NULL, "/mutex"},
        {"mutex", "/a/trace/trace", NULL, "/a/trace/mutex"},
        {"mutex", "/snapshot", "/pprof", "/pprof/mutex"},
        {"mutex", "/debug/pprof/trace", "/other//", "/other/mutex"},
        {"mutex", "/trace", "/", "/mutex"},
        {"mutex", "/snapshot", NULL, NULL},
        {"mutex", "/x/mytrace", NULL, NULL},
        {"mutex", "/trace/", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *path = NULL;
        int r =
            artifact_path(artifacts_find(rows[i].artifact), rows[i].path, rows[i].profiles, &path);

        assert_int_equal(r, rows[i].expected ? 0 : -EINVAL);
        if (rows[i].expected)
            assert_string_equal(path, rows[i].expected);
        else
            assert_null(path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_flight),
        cmocka_unit_test(test_profiles), cmocka_unit_test(test_names),
        cmocka_unit_test(test_window),   cmocka_unit_test(test_window_beside),
        cmocka_unit_test(test_path),
    };

    return cmocka_run_group_tests_name("artifacts", tests, NULL, NULL);
}
