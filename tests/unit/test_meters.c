/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/outcome/meters.h"
#include "tests/support/allocations.h"
#include "trace/findings/code.h"

#define NOW (1795286789 * USEC_PER_SEC)
#define BOOT (7 * USEC_PER_DAY)

static struct counters totals;
static struct meters *m;

static int set_up(void **state)
{
    (void)state;
    totals = (struct counters){0};
    return meters_new(&totals, &m);
}

static int tear_down(void **state)
{
    (void)state;
    meters_free(m);
    return 0;
}

static const struct meters_job *job(const char *name)
{
    size_t i = meters_job_index(m, name);

    return i < m->n_jobs ? m->jobs[i] : m->other;
}

static uint64_t count(const struct meters_histogram *h)
{
    uint64_t n = 0;

    for (size_t i = 0; i <= h->n; i++)
        n += h->counts[i];
    return n;
}

static void test_captures_by_job_and_class(void **state)
{
    const struct meters_capture ok = {
        .outcome = OUTCOME_OK,
        .bytes = 1000,
        .start = NOW,
        .due = BOOT,
        .sent = BOOT + 30 * USEC_PER_MSEC,
        .ended = BOOT + 2080 * USEC_PER_MSEC,
    };
    const struct meters_capture busy = {
        .outcome = OUTCOME_BUSY, .due = BOOT, .sent = BOOT + 1, .ended = BOOT + USEC_PER_SEC};
    const struct meters_capture skipped = {.outcome = OUTCOME_SKIPPED};

    (void)state;
    meters_captured(m, "b", &ok);
    meters_captured(m, "a", &ok);
    meters_captured(m, "b", &ok);
    meters_captured(m, "b", &busy);
    meters_captured(m, "c", &skipped);
    assert_int_equal(m->n_jobs, 3);
    assert_string_equal(m->jobs[0]->name, "a");
    assert_string_equal(m->jobs[1]->name, "b");
    assert_string_equal(m->jobs[2]->name, "c");
    assert_int_equal(job("b")->kinds[KIND_TRACE]->captures[OUTCOME_OK], 2);
    assert_int_equal(job("b")->kinds[KIND_TRACE]->captures[OUTCOME_BUSY], 1);
    assert_int_equal(job("a")->kinds[KIND_TRACE]->captures[OUTCOME_OK], 1);
    assert_int_equal(job("c")->kinds[KIND_TRACE]->captures[OUTCOME_SKIPPED], 1);
    assert_int_equal(job("b")->kinds[KIND_TRACE]->bytes, 2000);
    assert_true(job("b")->last_success == NOW);
    assert_true(job("c")->last_success == 0);
    assert_int_equal(totals.captures[OUTCOME_OK], 3);
    assert_int_equal(totals.captures[OUTCOME_BUSY], 1);
    assert_int_equal(totals.captures[OUTCOME_SKIPPED], 1);
    assert_int_equal(totals.bytes, 3000);
    assert_true(totals.last_success == NOW);
    /* durations of what was kept, delays of what was sent */
    assert_int_equal(count(&job("b")->kinds[KIND_TRACE]->duration), 2);
    assert_true(job("b")->kinds[KIND_TRACE]->duration.sum > 4.09 &&
                job("b")->kinds[KIND_TRACE]->duration.sum < 4.11);
    assert_int_equal(count(&job("c")->kinds[KIND_TRACE]->duration), 0);
    assert_int_equal(count(&m->start_delay), 4);
    assert_true(m->start_delay.sum > 0.09 && m->start_delay.sum < 0.0901);
}

static void test_no_delay_without_a_due_time(void **state)
{
    struct meters_capture c = {
        .outcome = OUTCOME_OK, .start = NOW, .sent = BOOT, .ended = BOOT + 2 * USEC_PER_SEC};

    (void)state;
    meters_captured(m, "a", &c);
    assert_int_equal(count(&m->start_delay), 0);
    c.due = BOOT + 5; /* a timer may be early by its accuracy */
    meters_captured(m, "a", &c);
    assert_int_equal(count(&m->start_delay), 1);
    assert_int_equal(m->start_delay.counts[0], 1);
    assert_true(m->start_delay.sum == 0);
}

static void test_bounds_are_inclusive(void **state)
{
    (void)state;
    for (size_t i = 0; i < m->upload.n; i++)
        meters_uploaded(m, (usec)(m->upload.bounds[i] * 1e6));
    for (size_t i = 0; i < m->upload.n; i++)
        assert_int_equal(m->upload.counts[i], 1);
    assert_int_equal(m->upload.counts[m->upload.n], 0);
    meters_uploaded(m, (usec)(m->upload.bounds[m->upload.n - 1] * 1e6) + 1);
    assert_int_equal(m->upload.counts[m->upload.n], 1);
}

static void assert_ascending(const struct meters_histogram *h)
{
    assert_true(h->n > 0 && h->n <= METERS_BUCKETS_MAX);
    for (size_t i = 1; i < h->n; i++)
        assert_true(h->bounds[i] > h->bounds[i - 1]);
}

static void test_bounds_ascend(void **state)
{
    (void)state;
    meters_expect(m, "a", 0);
    assert_ascending(&m->start_delay);
    assert_ascending(&m->upload);
    assert_ascending(&m->inspection);
    assert_ascending(&job("a")->kinds[KIND_TRACE]->duration);
    assert_ascending(&m->other->kinds[KIND_TRACE]->duration);
}

static void test_jobs_are_bounded(void **state)
{
    const struct meters_capture ok = {.outcome = OUTCOME_OK, .start = NOW, .bytes = 1};
    char name[32];

    (void)state;
    for (int i = 0; i < METERS_JOBS_MAX + 500; i++) {
        (void)snprintf(name, sizeof(name), "job-%d", i);
        meters_captured(m, name, &ok);
    }
    assert_int_equal(m->n_jobs, METERS_JOBS_MAX);
    assert_int_equal(m->other->kinds[KIND_TRACE]->captures[OUTCOME_OK], 500);
    assert_int_equal(m->other->kinds[KIND_TRACE]->bytes, 500);
    assert_int_equal(totals.captures[OUTCOME_OK], METERS_JOBS_MAX + 500);
    for (size_t i = 1; i < m->n_jobs; i++)
        assert_true(strcmp(m->jobs[i - 1]->name, m->jobs[i]->name) < 0);
    /* those that are there go on */
    meters_captured(m, "job-7", &ok);
    assert_int_equal(job("job-7")->kinds[KIND_TRACE]->captures[OUTCOME_OK], 2);
    assert_int_equal(meters_job_index(m, "job-1400"), METERS_JOBS_MAX);
}

/* Its series would be there twice. */
static void test_a_job_of_the_others_name(void **state)
{
    (void)state;
    meters_expect(m, METERS_OTHER, 0);
    assert_int_equal(m->n_jobs, 0);
    assert_int_equal(meters_job_index(m, METERS_OTHER), 0);
}

static void test_what_is_expected_is_there(void **state)
{
    (void)state;
    meters_expect(m, "a", 0);
    meters_expect(m, "a", 0);
    assert_int_equal(m->n_jobs, 1);
    assert_int_equal(job("a")->kinds[KIND_TRACE]->captures[OUTCOME_OK], 0);
}

static void test_labels(void **state)
{
    (void)state;
    meters_labelled(m, "a", "lock-contention");
    meters_labelled(m, "a", "lock-contention");
    meters_labelled(m, "a", "healthy");
    meters_labelled(m, "a", "not-inspected");
    meters_labelled(m, "a", "of-a-newer-version");
    meters_labelled(m, "a", "");
    for (size_t i = 0; i < METERS_LABELS; i++) {
        uint64_t expected = strcmp(meters_label_name(i), "lock-contention") == 0 ? 2
                          : strcmp(meters_label_name(i), "healthy") == 0         ? 1
                          : strcmp(meters_label_name(i), "not-inspected") == 0   ? 1
                          : strcmp(meters_label_name(i), METERS_OTHER) == 0      ? 2
                                                                                 : 0;

        assert_int_equal(job("a")->labels[i], expected);
    }
    assert_string_equal(meters_label_name(METERS_LABELS - 1), METERS_OTHER);
}

static bool is_counted(const char *label)
{
    for (size_t i = 0; i < METERS_LABELS; i++) {
        if (strcmp(meters_label_name(i), label) == 0)
            return true;
    }
    return false;
}

/* Beside these there are only not-inspected and METERS_OTHER. */
static void test_all_labels_are_counted(void **state)
{
    size_t n = 0;

    (void)state;
    for (; code_label(n); n++)
        assert_true(is_counted(code_label(n)));
    assert_int_equal(n + 2, METERS_LABELS);
}

static void test_inspections(void **state)
{
    (void)state;
    meters_inspected(m, INSPECTION_OK, 40 * USEC_PER_MSEC);
    meters_inspected(m, INSPECTION_TIMEOUT, 30 * USEC_PER_SEC);
    assert_int_equal(totals.inspections[INSPECTION_OK], 1);
    assert_int_equal(totals.inspections[INSPECTION_TIMEOUT], 1);
    assert_int_equal(count(&m->inspection), 1);
    assert_true(m->inspection.sum == 0.04);
}

/* Nothing is lost then: it counts with the others. */
static void test_memory_is_short(void **state)
{
    const struct meters_capture ok = {.outcome = OUTCOME_OK, .start = NOW, .bytes = 1};
    uint64_t n = 0;

    (void)state;
    allocations_fail_once = true;
    for (allocations_fail_at = 0; m->n_jobs == 0; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        meters_captured(m, "a", &ok);
        allocations_failing = false;
        n++;
        assert_int_equal(totals.captures[OUTCOME_OK], n);
        assert_int_equal(m->other->kinds[KIND_TRACE]->captures[OUTCOME_OK],
                         m->n_jobs == 0 ? n : n - 1);
    }
    assert_true(n > 1);
    assert_int_equal(job("a")->kinds[KIND_TRACE]->captures[OUTCOME_OK], 1);
}

static void test_no_memory_at_the_start(void **state)
{
    struct meters *other = NULL;

    (void)state;
    allocations_fail_once = true;
    for (allocations_fail_at = 0; allocations_fail_at < 2; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        assert_int_equal(meters_new(&totals, &other), -ENOMEM);
        allocations_failing = false;
        assert_null(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_captures_by_job_and_class, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_delay_without_a_due_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds_are_inclusive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds_ascend, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jobs_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_job_of_the_others_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_expected_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_labels, set_up, tear_down),
        cmocka_unit_test(test_all_labels_are_counted),
        cmocka_unit_test_setup_teardown(test_inspections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_is_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_at_the_start, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
