/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/artifact/artifacts.h"
#include "daemon/capture/timetable.h"
#include "tests/support/text.h"

#define INTERVAL (300 * USEC_PER_SEC)

struct world {
    sd_event *event;
    struct timetable *timetable;
    struct target_job job;
    struct target target;
    struct lane lane;
    unsigned due;       /* how often somebody may be due */
    enum reason reason; /* of the last time */
};

static void on_due(void *userdata, struct lane *l, enum reason reason, const char *name, usec due)
{
    struct world *w = userdata;

    (void)l;
    (void)name;
    (void)due;
    w->reason = reason;
    assert_true(w->due-- > 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct lane *added = &w->lane;
    const struct targets_change change = {.added = &added, .n_added = 1, .n_first = 1};

    assert_non_null(w);
    assert_true(sd_event_new(&w->event) >= 0);
    w->job = (struct target_job){.refs = 1, .name = TEXT("shop"), .window = 2 * USEC_PER_SEC};
    for (size_t i = 0; i < KINDS; i++)
        w->job.intervals[i] = INTERVAL;
    /* Captured just now, so that the next due time is most of an interval away. */
    w->target = (struct target){.refs = 1, .job = &w->job, .lanes = &w->lane};
    w->lane = (struct lane){
        .target = &w->target,
        .artifact = artifacts_of_kind(KIND_TRACE),
        .wanted = true,
        .scheduled = true,
        .due = USEC_NEVER,
        .last_start = clock_boot(),
        .schedule = {.hash = 1, .interval = INTERVAL, .origin = clock_boot()},
    };
    assert_int_equal(timetable_new(w->event, false, 1, on_due, w, &w->timetable), 0);
    assert_int_equal(timetable_reserve(w->timetable, 1), 0);
    timetable_update(w->timetable, &change);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    timetable_free(w->timetable);
    sd_event_unref(w->event);
    free(w->lane.due_name);
    free(w);
    return 0;
}

/* Whose capture was refused because somebody else traces is tried again in his name. */
static void test_retry_keeps_the_reason(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;

    assert_true(timetable_finished(w->timetable, l, REASON_ALERT, "alert:Slow", OUTCOME_BUSY));
    assert_true(l->retrying);
    assert_int_equal(l->due_reason, REASON_ALERT);
    assert_string_equal(l->due_name, "alert:Slow");
}

/* Who asked over HTTP was told: what is tried again is the schedule's, and suspended with it. */
static void test_retry_of_what_was_told(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;

    assert_true(timetable_finished(w->timetable, l, REASON_API, "api:look", OUTCOME_CONNECT));
    assert_true(l->retrying);
    assert_int_equal(l->due_reason, REASON_SCHEDULE);
    assert_null(l->due_name);
}

/* A trace that somebody asked for meanwhile makes the retry needless. */
static void test_retry_dropped(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;
    usec retry;

    assert_true(timetable_finished(w->timetable, l, REASON_SIGNAL, "x", OUTCOME_BUSY));
    retry = l->due;
    assert_false(timetable_finished(w->timetable, l, REASON_API, NULL, OUTCOME_OK));
    assert_false(l->retrying);
    assert_int_equal(l->due_reason, REASON_SCHEDULE);
    assert_null(l->due_name);
    assert_true(l->due > retry);
}

/* Without one nothing moves: the schedule goes on as it was. */
static void test_due_stays(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;
    usec due = l->due;

    assert_false(timetable_finished(w->timetable, l, REASON_API, NULL, OUTCOME_OK));
    assert_true(l->due == due);
}

/* A cycle that would come in the midst of the first capture is left out. */
static void test_cycle_soon_after_the_first(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;
    const struct targets_change change = {.added = &l, .n_added = 1, .n_first = 1};
    usec now = clock_boot(), jitter = schedule_due(&l->schedule, 0) - l->schedule.origin;

    l->last_start = 0;
    l->schedule.origin = now + USEC_PER_SEC - jitter;
    assert_true(schedule_due(&l->schedule, 0) == now + USEC_PER_SEC);
    w->due = 1;
    timetable_update(w->timetable, &change);
    while (w->due > 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    assert_true(l->due >= now + INTERVAL / 2);
}

/* A target that hangs holds a place all the while: it is tried less often, up to a bound. */
static void test_back_off(void **state)
{
    static const struct {
        unsigned failures;
        usec took, least, most; /* intervals from the last start */
    } rows[] = {
        {1, 10 * USEC_PER_SEC, 0, 1}, {2, 10 * USEC_PER_SEC, 0, 1},   {3, 10 * USEC_PER_SEC, 1, 3},
        {5, 10 * USEC_PER_SEC, 1, 3}, {100, 10 * USEC_PER_SEC, 2, 4}, {100, USEC_PER_MSEC, 0, 1},
    };
    struct world *w = *state;
    struct lane *l = &w->lane;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        usec past;

        l->failures = rows[i].failures;
        l->last_took = rows[i].took;
        assert_false(timetable_finished(w->timetable, l, REASON_SCHEDULE, NULL, OUTCOME_TIMEOUT));
        past = l->due - l->last_start;
        assert_true(past >= rows[i].least * INTERVAL && past < (rows[i].most + 1) * INTERVAL);
        assert_int_equal(l->backing_off, rows[i].least > 0);
        /* A trace ends that at once. */
        l->failures = 0;
        assert_false(timetable_finished(w->timetable, l, REASON_API, NULL, OUTCOME_OK));
        assert_true(l->due - l->last_start < 2 * INTERVAL);
        assert_false(l->backing_off);
    }
}

/* The other artifacts of a target are first captured behind its traces, and then at their own time. */
static void test_first_of_others(void **state)
{
    struct world *w = *state;
    struct lane other = {
        .target = &w->target, .artifact = artifacts_of_kind(KIND_MUTEX), .due = USEC_NEVER};
    struct lane *l = &w->lane;
    struct lane *added[] = {l, &other};
    const struct targets_change change = {.added = added, .n_added = 2, .n_first = 1};
    usec wait = w->job.window + USEC_PER_SEC;

    l->next = &other;
    l->last_start = 0;
    assert_int_equal(timetable_reserve(w->timetable, 2), 0);
    timetable_update(w->timetable, &change);
    assert_true(other.due == l->due + wait);
    l->last_start = clock_boot(); /* it came to a target that is there already */
    timetable_update(w->timetable, &(struct targets_change){.added = added + 1, .n_added = 1});
    assert_true(other.due <= clock_boot());
    timetable_update(w->timetable, &(struct targets_change){.removed = added, .n_removed = 2});
    assert_true(other.due == USEC_NEVER);
}

/* A retry ends with its lane: when that comes back, nobody's name is on its captures. */
static void test_removed_while_retrying(void **state)
{
    struct world *w = *state;
    struct lane *l = &w->lane;
    const struct targets_change gone = {.removed = &l, .n_removed = 1};
    const struct targets_change back = {.added = &l, .n_added = 1, .n_first = 1};

    assert_true(timetable_finished(w->timetable, l, REASON_ALERT, "alert:Slow", OUTCOME_BUSY));
    timetable_update(w->timetable, &gone);
    assert_false(l->retrying);
    assert_null(l->due_name);
    w->due = 1;
    timetable_update(w->timetable, &back);
    while (w->due > 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    assert_int_equal(w->reason, REASON_SCHEDULE);
}

/* An artifact that a reload adds to all targets is not taken of all at once. */
static void test_others_are_spread(void **state)
{
    enum { N = 4 };
    struct world *w = *state;
    struct lane first[N], other[N], *added[N];
    struct target target[N];
    usec now = clock_boot();

    for (size_t i = 0; i < N; i++) {
        target[i] = (struct target){.refs = 1, .job = &w->job, .lanes = &first[i]};
        first[i] = (struct lane){.target = &target[i],
                                 .artifact = artifacts_of_kind(KIND_TRACE),
                                 .next = &other[i],
                                 .due = now + INTERVAL,
                                 .last_start = now};
        other[i] = (struct lane){
            .target = &target[i], .artifact = artifacts_of_kind(KIND_MUTEX), .due = USEC_NEVER};
        added[i] = &other[i];
    }
    assert_int_equal(timetable_reserve(w->timetable, N + 1), 0);
    timetable_update(w->timetable, &(struct targets_change){.added = added, .n_added = N});
    for (size_t i = 1; i < N; i++)
        assert_true(other[i].due == other[i - 1].due + SCHEDULE_FIRST_SPACING);
    /* Over the interval of the artifact, if that is too short for as many. */
    w->job.intervals[KIND_MUTEX] = SCHEDULE_FIRST_SPACING;
    timetable_update(w->timetable, &(struct targets_change){.added = added, .n_added = N});
    for (size_t i = 1; i < N; i++)
        assert_true(other[i].due == other[i - 1].due + SCHEDULE_FIRST_SPACING / N);
    timetable_update(w->timetable, &(struct targets_change){.removed = added, .n_removed = N});
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_retry_keeps_the_reason),
        TEST(test_retry_of_what_was_told),
        TEST(test_retry_dropped),
        TEST(test_due_stays),
        TEST(test_cycle_soon_after_the_first),
        TEST(test_back_off),
        TEST(test_first_of_others),
        TEST(test_removed_while_retrying),
        TEST(test_others_are_spread),
    };

    return cmocka_run_group_tests_name("timetable", tests, NULL, NULL);
}
