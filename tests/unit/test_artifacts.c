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
        assert_ptr_equal(artifacts_of_kind(a->kind), a); /* so no kind is there twice */
        assert_ptr_equal(artifacts_find(kind_name(a->kind)), a);
        assert_int_equal(a->sibling == NULL, a->kind == KIND_TRACE);
    }
    assert_null(artifacts_of_kind(KIND_FLIGHT));
    assert_null(artifacts_find("flight"));
    assert_null(artifacts_find("no such"));
    assert_true(artifacts_find("trace")->inspected);
    assert_false(artifacts_find("trace")->optional);
    assert_true(artifacts_find("mutex")->optional);
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
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_path),
    };

    return cmocka_run_group_tests_name("artifacts", tests, NULL, NULL);
}
