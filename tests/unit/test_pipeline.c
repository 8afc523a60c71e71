/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "daemon/artifact/artifacts.h"
#include "tests/support/pipeline_fixture.h"
#include "tests/support/scratch.h"

#define LONG USEC_PER_HOUR
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

/* What an order's fn was told. */
struct told {
    unsigned times;
    enum outcome outcome;
    enum reason reason;
    char name[64], key[NAME_KEY_MAX];
    usec window;
};

static void on_told(void *userdata, const struct pipeline_end *end)
{
    struct told *t = userdata;

    t->times++;
    t->outcome = end->outcome;
    t->reason = end->reason;
    t->window = end->window;
    (void)snprintf(t->name, sizeof(t->name), "%s", end->name ? end->name : "");
    (void)snprintf(t->key, sizeof(t->key), "%s", end->key ? end->key : "");
}

static void order(struct world *w, enum reason reason, const char *name, usec window,
                  struct told *told, struct pipeline_waiter **ret)
{
    const struct pipeline_order o = {
        .reason = reason,
        .name = name,
        .window = window,
        .fn = told ? on_told : NULL,
        .userdata = told,
    };

    assert_int_equal(pipeline_capture(w->pipeline, w->target->lanes, &o, ret), 0);
}

static const char *capture_job_state(struct world *w)
{
    struct pipeline_capture_job j;

    return pipeline_capture_job(w->target->lanes, &j) ? j.state : "none";
}

/* A capture that is under way until the gate opens. */
static void begin(struct world *w, const struct loopback_step *steps, size_t n)
{
    loopback_play(w->server, steps, n);
    while (strcmp(capture_job_state(w), "capturing") != 0)
        pipeline_step(w);
}

/* What was asked for before it began is one capture: the longest, with the first one's name. */
static void test_join_what_waits(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told[3] = {0};
    char *record;

    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    order(w, REASON_ALERT, "alert:HighLatency", 0, &told[0], NULL);
    order(w, REASON_API, "api:look", 5 * USEC_PER_SEC, &told[1], NULL);
    order(w, REASON_SCHEDULE, NULL, 0, &told[2], NULL);
    assert_string_equal(capture_job_state(w), "waiting");
    pipeline_set_concurrency(w->pipeline, 1);
    loopback_play(w->server, steps, 2);
    pipeline_finish(w, 1);
    assert_non_null(strstr(loopback_join(w->server), "?seconds=5 "));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].outcome, OUTCOME_OK);
        assert_int_equal(told[i].reason, REASON_ALERT);
        assert_string_equal(told[i].name, "alert:HighLatency");
        assert_int_equal(told[i].window, 5 * USEC_PER_SEC);
    }
    assert_int_equal(told[2].times, 0); /* skipped */
    assert_int_equal(w->counters.captures[OUTCOME_SKIPPED], 1);
    assert_string_equal(told[0].key, told[1].key);
    record = pipeline_record_of(w, told[0].key);
    assert_non_null(strstr(record, "\"reason\": \"alert:HighLatency\""));
    assert_non_null(strstr(record, "\"seconds\": 5"));
    free(record);
}

/* At a start thousands are new, and each may hang until its timeout. */
static void test_by_hand_before_the_new(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
                                          {LOOPBACK_ACCEPT, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct target *scheduled = w->target;
    struct pipeline_capture_job capture_job;
    struct told told = {0};

    pipeline_set_concurrency(w->pipeline, 1);
    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    pipeline_make_target(w);
    order(w, REASON_API, NULL, 0, &told, NULL);
    loopback_play(w->server, steps, 5);
    while (strcmp(capture_job_state(w), "waiting") == 0) {
        assert_true(pipeline_capture_job(scheduled->lanes, &capture_job));
        assert_string_equal(capture_job.state, "waiting");
        pipeline_step(w);
    }
    while (w->ended < 1)
        pipeline_step(w);
    assert_int_equal(told.times, 1);
    target_unref(w->target);
    w->target = scheduled;
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
}

/* Whoever asks for less time does not shorten what the job's settings say for others. */
static void test_join_with_less(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told = {0};

    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    order(w, REASON_API, NULL, USEC_PER_MSEC, &told, NULL);
    loopback_play(w->server, steps, 2);
    pipeline_finish(w, 1);
    assert_non_null(strstr(loopback_join(w->server), "?seconds=2 "));
    assert_int_equal(told.window, 2 * USEC_PER_SEC);
}

/* What joins adds only the time by which it makes a capture longer. */
static void test_adds(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
                                          {LOOPBACK_ACCEPT, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct lane *mutex;

    /* Of whole seconds what is made counts, and not what was asked for. */
    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    assert_int_equal(pipeline_adds(mutex, USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(pipeline_adds(mutex, 2500 * USEC_PER_MSEC), 2 * USEC_PER_SEC);

    assert_int_equal(pipeline_adds(w->target->lanes, 0), 2 * USEC_PER_SEC);
    assert_int_equal(pipeline_adds(w->target->lanes, USEC_PER_MSEC), USEC_PER_MSEC);
    order(w, REASON_API, NULL, USEC_PER_MSEC, NULL, NULL);
    assert_int_equal(pipeline_adds(w->target->lanes, USEC_PER_MSEC), 0);
    assert_int_equal(pipeline_adds(w->target->lanes, USEC_PER_SEC), USEC_PER_SEC - USEC_PER_MSEC);
    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL); /* skipped */
    assert_int_equal(pipeline_adds(w->target->lanes, 0), 2 * USEC_PER_SEC - USEC_PER_MSEC);
    begin(w, steps, 6);
    assert_int_equal(pipeline_adds(w->target->lanes, 0), 2 * USEC_PER_SEC);
    order(w, REASON_ALERT, NULL, 0, NULL, NULL);
    assert_int_equal(pipeline_adds(w->target->lanes, 0), 0);
    assert_int_equal(pipeline_adds(w->target->lanes, 5 * USEC_PER_SEC), 3 * USEC_PER_SEC);
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
}

/* A profile is taken for whole seconds, whatever was asked for. */
static void test_adds_whole_seconds(void **state)
{
    struct world *w = *state;
    struct pipeline_order o = {.reason = REASON_API, .window = USEC_PER_MSEC};
    struct lane *mutex;

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    assert_int_equal(pipeline_adds(mutex, USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(pipeline_adds(mutex, 2900 * USEC_PER_MSEC), 2 * USEC_PER_SEC);
    assert_int_equal(pipeline_adds(mutex, 0), 2 * USEC_PER_SEC);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    assert_int_equal(pipeline_adds(mutex, 1900 * USEC_PER_MSEC), 0);
    assert_int_equal(pipeline_adds(mutex, 2 * USEC_PER_SEC), USEC_PER_SEC);
    pipeline_drain(w->pipeline);
}

/* A snapshot has no window, but is not for nothing. */
static void test_adds_snapshot(void **state)
{
    struct world *w = *state;
    struct pipeline_order o = {.reason = REASON_API, .window = 5 * USEC_PER_SEC};
    struct lane *heap;

    assert_int_equal(target_add_lane(w->target, artifacts_find("heap"), &heap), 0);
    assert_int_equal(pipeline_adds(heap, 0), 100 * USEC_PER_MSEC);
    assert_int_equal(pipeline_adds(heap, 5 * USEC_PER_SEC), 100 * USEC_PER_MSEC);
    assert_int_equal(pipeline_capture(w->pipeline, heap, &o, NULL), 0);
    assert_int_equal(pipeline_adds(heap, 0), 0);
    pipeline_drain(w->pipeline);
}

/* What is asked for during a capture gets one of its own after it, however often. */
static void test_follow_what_runs(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
                                          {LOOPBACK_ACCEPT, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told[3] = {0};

    order(w, REASON_API, NULL, 0, &told[0], NULL);
    begin(w, steps, 6);
    order(w, REASON_API, "api:again", 0, &told[1], NULL);
    order(w, REASON_SIGNAL, NULL, 0, &told[2], NULL);
    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].outcome, OUTCOME_OK);
    }
    assert_string_equal(told[1].name, "api:again");
    assert_string_equal(told[1].key, told[2].key);
    assert_string_not_equal(told[0].key, told[1].key);
    assert_int_equal(w->counters.captures[OUTCOME_OK], 2);
    assert_int_equal(w->counters.captures[OUTCOME_SKIPPED], 1);
    (void)loopback_join(w->server); /* done with the steps */
}

static void test_forgotten(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct pipeline_waiter *waiter;
    struct told told[2] = {0};

    order(w, REASON_API, NULL, 0, &told[0], &waiter);
    order(w, REASON_API, NULL, 0, &told[1], NULL);
    assert_non_null(waiter);
    begin(w, steps, 3);
    pipeline_forget(waiter);
    pipeline_forget(NULL);
    loopback_open_gate(w->server);
    pipeline_finish(w, 1);
    assert_int_equal(told[0].times, 0);
    assert_int_equal(told[1].times, 1);
    (void)loopback_join(w->server); /* done with the steps */
}

/* Whoever waits for what will not begin any more is told so. */
static void test_drained(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    const struct pipeline_order late = {.reason = REASON_API};
    struct told told[2] = {0};

    order(w, REASON_API, NULL, 0, &told[0], NULL);
    begin(w, steps, 3);
    order(w, REASON_API, NULL, 0, &told[1], NULL);
    pipeline_drain(w->pipeline);
    assert_int_equal(pipeline_capture(w->pipeline, w->target->lanes, &late, NULL), -ESHUTDOWN);
    loopback_open_gate(w->server);
    pipeline_finish(w, 1);
    assert_int_equal(told[0].outcome, OUTCOME_OK);
    assert_int_equal(told[1].times, 1);
    assert_int_equal(told[1].outcome, OUTCOME_CANCELLED);
    assert_string_equal(told[1].key, "");
    (void)loopback_join(w->server); /* done with the steps */
}

static void test_target_gone(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told[2] = {0};

    order(w, REASON_SCHEDULE, NULL, 0, &told[0], NULL);
    begin(w, steps, 3);
    order(w, REASON_API, NULL, 0, &told[1], NULL);
    w->target->gone = true;
    loopback_open_gate(w->server);
    pipeline_finish(w, 1);
    assert_int_equal(told[0].outcome, OUTCOME_OK);
    assert_int_equal(told[1].outcome, OUTCOME_CANCELLED);
    (void)loopback_join(w->server); /* done with the steps */
}

/* Nobody asks a target any more that was removed while its capture waited. */
static void test_target_gone_while_waiting(void **state)
{
    struct world *w = *state;
    struct told told = {0};

    order(w, REASON_API, NULL, 0, &told, NULL);
    w->target->gone = true;
    pipeline_finish(w, 1);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.outcome, OUTCOME_CANCELLED);
}

/* A reload may take away the path at which a waiting capture would ask for a profile. */
static void test_path_gone_while_waiting(void **state)
{
    struct world *w = *state;
    struct told told = {0};
    struct lane *mutex;
    struct pipeline_order o = {.reason = REASON_API, .fn = on_told, .userdata = &told};

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    pipeline_configure(w, "/trace-here");
    pipeline_finish(w, 1);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.outcome, OUTCOME_CANCELLED);
    assert_int_equal(mutex->last_start, 0);
}

#define BUSY                                                          \
    "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n" \
    "Could not enable tracing: tracing is already enabled\n"

static void capture_busy(struct world *w, unsigned n)
{
    const struct loopback_step steps[] = {{LOOPBACK_SEND, BUSY, 0, 0}};

    order(w, REASON_API, NULL, 0, NULL, NULL);
    loopback_play(w->server, steps, 1);
    pipeline_finish(w, n);
    (void)loopback_join(w->server); /* done with the steps */
}

/* Somebody else's trace is no failure, but somebody else's for a whole interval is. */
static void test_busy_for_an_interval(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct lane *l = w->target->lanes;

    pipeline_set_concurrency(w->pipeline, 1);
    capture_busy(w, 1);
    capture_busy(w, 2);
    assert_int_equal(l->state, OUTCOME_OK);
    assert_int_equal(l->failures, 0);
    l->target->job->intervals[KIND_TRACE] = 1;
    capture_busy(w, 3);
    assert_int_equal(l->state, OUTCOME_BUSY);
    assert_int_equal(l->failures, 3);
    capture_busy(w, 4);
    assert_int_equal(l->failures, 4);

    l->target->job->intervals[KIND_TRACE] = LONG;
    order(w, REASON_API, NULL, 0, NULL, NULL);
    loopback_play(w->server, steps, 2);
    pipeline_finish(w, 5);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(l->state, OUTCOME_OK);
    assert_int_equal(l->failures, 0);
    capture_busy(w, 6);
    assert_int_equal(l->state, OUTCOME_OK);
}

static const char *state_of(const struct lane *l)
{
    struct pipeline_capture_job j;

    return pipeline_capture_job(l, &j) ? j.state : "none";
}

/*
 * Of one target one artifact is taken at a time, whoever waits for the other. What the service does
 * not have is no failure, and takes nothing from the traces.
 */
static void test_another_artifact(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {
        {LOOPBACK_SEND, HEAD, 0, 0},
        {LOOPBACK_GATE, NULL, 0, 0},
        {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
        {LOOPBACK_ACCEPT, NULL, 0, 0},
        {LOOPBACK_SEND, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nno", 0, 0}};
    struct told told[2] = {0};
    struct lane *trace = w->target->lanes, *mutex;
    struct pipeline_order o = {
        .reason = REASON_API, .window = 2500 * USEC_PER_MSEC, .fn = on_told, .userdata = &told[1]};

    o.due = 1; /* long ago */
    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    trace->last_start = mutex->last_start = 1; /* both are known to be well */
    pipeline_set_concurrency(w->pipeline, 4);
    order(w, REASON_API, NULL, 0, &told[0], NULL);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    begin(w, steps, 5);
    for (int i = 0; i < 5; i++) {
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
        assert_string_equal(state_of(trace), "capturing");
        assert_string_equal(state_of(mutex), "waiting");
        assert_int_equal(pipeline_waiting(w->pipeline), 1);
        assert_int_equal(pipeline_in_flight(w->pipeline), 1);
    }
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    assert_non_null(strstr(loopback_join(w->server), "/debug/pprof/mutex?seconds=2 "));
    assert_int_equal(told[0].outcome, OUTCOME_OK);
    assert_int_equal(told[1].outcome, OUTCOME_MISSING);
    assert_int_equal(trace->state, OUTCOME_OK);
    assert_int_equal(mutex->state, OUTCOME_MISSING);
    assert_int_equal(mutex->failures, 0);
    assert_int_equal(w->meters->jobs[0]->kinds[KIND_MUTEX]->captures[OUTCOME_MISSING], 1);
    /* Its wait for the trace says nothing about load. */
    assert_true(w->meters->start_delay.sum * 2 < (double)clock_boot() / (double)USEC_PER_SEC);
}

/* What waits for another artifact ends with contraced. */
static void test_drained_while_another_is_taken(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told = {0};
    struct lane *mutex;
    struct pipeline_order o = {.reason = REASON_API, .fn = on_told, .userdata = &told};

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    pipeline_set_concurrency(w->pipeline, 4);
    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    begin(w, steps, 3);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
    pipeline_drain(w->pipeline);
    assert_int_equal(told.outcome, OUTCOME_CANCELLED);
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
}

#define LINE_SIZE 200

static void take_line(void *userdata, enum log_level level, const struct log_fields *fields,
                      const char *message)
{
    (void)level;
    (void)fields;
    (void)snprintf(userdata, LINE_SIZE, "%s", message);
}

/* What is due while its target is busy waits for no place, so more of them are no help. */
static void test_late_behind_another_artifact(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {
        {LOOPBACK_SEND, HEAD, 0, 0},
        {LOOPBACK_GATE, NULL, 0, 0},
        {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
        {LOOPBACK_ACCEPT, NULL, 0, 0},
        {LOOPBACK_SEND, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nno", 0, 0}};
    const struct pipeline_order o = {.reason = REASON_SCHEDULE};
    char line[LINE_SIZE] = "";
    struct lane *mutex;

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    pipeline_set_concurrency(w->pipeline, 4);
    order(w, REASON_API, NULL, 0, NULL, NULL);
    begin(w, steps, 5);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
    log_set_level(LOG_LEVEL_WARN);
    log_set_sink(take_line, line);
    w->target->job->intervals[KIND_MUTEX] = 1; /* has passed already */
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    log_set_sink(NULL, NULL);
    log_set_level(LOG_LEVEL_ERROR);
    w->target->job->intervals[KIND_MUTEX] = LONG;
    assert_non_null(strstr(line, "/trace has not ended when the next is due (it is capturing)"));
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
}

/* What is asked for again and again keeps no other artifact waiting. */
static void test_another_artifact_before_the_next(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {
        {LOOPBACK_SEND, HEAD, 0, 0},
        {LOOPBACK_GATE, NULL, 0, 0},
        {LOOPBACK_SEND, w->trace.data, w->trace.n, 0},
        {LOOPBACK_ACCEPT, NULL, 0, 0},
        {LOOPBACK_SEND, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nno", 0, 0},
        {LOOPBACK_ACCEPT, NULL, 0, 0},
        {LOOPBACK_SEND, HEAD, 0, 0},
        {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told[3] = {0};
    struct lane *mutex;
    struct pipeline_order o = {.reason = REASON_API, .fn = on_told, .userdata = &told[1]};

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    w->target->lanes->last_start = mutex->last_start = 1; /* both are known to be well */
    pipeline_set_concurrency(w->pipeline, 4);
    order(w, REASON_API, NULL, 0, &told[0], NULL);
    begin(w, steps, 8);
    assert_int_equal(pipeline_capture(w->pipeline, mutex, &o, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
    order(w, REASON_API, NULL, 0, &told[2], NULL);
    loopback_open_gate(w->server);
    pipeline_finish(w, 3);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(told[1].outcome, OUTCOME_MISSING);
    assert_int_equal(told[2].outcome, OUTCOME_OK);
}

/* Also if more than one waits for it: an end wakes the others, of which none may begin now. */
static void test_drained_while_several_wait(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{LOOPBACK_SEND, HEAD, 0, 0},
                                          {LOOPBACK_GATE, NULL, 0, 0},
                                          {LOOPBACK_SEND, w->trace.data, w->trace.n, 0}};
    struct told told[2] = {0};
    struct lane *mutex;

    assert_int_equal(target_add_lane(w->target, artifacts_find("mutex"), &mutex), 0);
    mutex->next = lane_new(w->target, mutex->artifact); /* as of one more artifact */
    assert_non_null(mutex->next);
    pipeline_set_concurrency(w->pipeline, 4);
    order(w, REASON_SCHEDULE, NULL, 0, NULL, NULL);
    begin(w, steps, 3);
    for (int i = 0; i < 2; i++) {
        struct pipeline_order o = {.reason = REASON_API, .fn = on_told, .userdata = &told[i]};

        assert_int_equal(pipeline_capture(w->pipeline, i == 0 ? mutex : mutex->next, &o, NULL), 0);
    }
    for (int i = 0; i < 5; i++)
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
    pipeline_drain(w->pipeline);
    assert_int_equal(told[0].outcome, OUTCOME_CANCELLED);
    assert_int_equal(told[1].outcome, OUTCOME_CANCELLED);
    loopback_open_gate(w->server);
    pipeline_finish(w, 3);
    (void)loopback_join(w->server); /* done with the steps */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pipeline_setup, pipeline_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_join_what_waits),
        TEST(test_by_hand_before_the_new),
        TEST(test_join_with_less),
        TEST(test_adds),
        TEST(test_adds_whole_seconds),
        TEST(test_adds_snapshot),
        TEST(test_follow_what_runs),
        TEST(test_forgotten),
        TEST(test_drained),
        TEST(test_target_gone),
        TEST(test_another_artifact),
        TEST(test_drained_while_another_is_taken),
        TEST(test_late_behind_another_artifact),
        TEST(test_another_artifact_before_the_next),
        TEST(test_drained_while_several_wait),
        TEST(test_target_gone_while_waiting),
        TEST(test_path_gone_while_waiting),
        TEST(test_busy_for_an_interval),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
