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

#include "base/buf.h"
#include "base/log.h"
#include "daemon/artifact/artifacts.h"
#include "tests/support/pipeline_fixture.h"
#include "tests/support/scratch.h"

#define LONG USEC_PER_HOUR
#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define REFUSED "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
#define IN_USE REFUSED "Could not enable CPU profiling: cpu profiling already in use\n"
#define BUSY REFUSED "Could not enable tracing: tracing is already enabled\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n404 page not found\n"

/* What an order's fn was told. */
struct told {
    unsigned times;
    enum outcome outcome;
    char key[NAME_KEY_MAX];
    bool wanted; /* there are `samples`; their texts are not kept */
    struct pipeline_samples samples;
    char why[PIPELINE_WHY_SIZE];
};

static struct told told;
static char line[1024];

static void on_told(void *userdata, const struct pipeline_end *end)
{
    struct told *t = userdata;

    t->times++;
    t->outcome = end->outcome;
    (void)snprintf(t->key, sizeof(t->key), "%s", end->key ? end->key : "");
    t->wanted = end->samples != NULL;
    if (t->wanted) {
        t->samples = *end->samples;
        (void)pipeline_why_unsampled(end->samples, t->why);
    }
}

static void on_line(void *userdata, enum log_level level, const struct log_fields *fields,
                    const char *message)
{
    (void)userdata;
    (void)level;
    (void)fields;
    if (strstr(message, "captured "))
        (void)snprintf(line, sizeof(line), "%s", message);
}

static int setup(void **state)
{
    told = (struct told){0};
    line[0] = '\0';
    log_set_sink(on_line, NULL);
    (void)pipeline_setup(state);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static int teardown(void **state)
{
    log_set_sink(NULL, NULL);
    return pipeline_teardown(state);
}

static void order(struct world *w)
{
    const struct pipeline_order o = {
        .reason = REASON_API, .samples = true, .fn = on_told, .userdata = &told};

    assert_int_equal(pipeline_capture(w->pipeline, w->target->lanes, &o, NULL), 0);
}

static void run_until(struct world *w, const char *wanted)
{
    struct pipeline_capture_job j;

    do {
        pipeline_step(w);
        assert_true(pipeline_capture_job(w->target->lanes, &j));
    } while (strcmp(j.state, wanted) != 0);
}

static struct lane *profiles(struct world *w)
{
    struct lane *l;

    assert_int_equal(target_add_lane(w->target, artifacts_sampler(), &l), 0);
    return l;
}

static void assert_record(struct world *w, const char *words)
{
    char *record = pipeline_record_of(w, told.key);

    assert_non_null(strstr(record, words));
    free(record);
}

/* The profile is asked for first, and refused; the trace is taken all the same. */
static void refuse(struct world *w, const char *answer, enum outcome outcome)
{
    const struct loopback_step steps[] = {SEND(answer), ACCEPT, SEND(OK),
                                          BYTES(w->trace.data, w->trace.n)};

    order(w);
    loopback_play(w->server, steps, 4);
    pipeline_finish(w, 2);
    assert_non_null(strstr(loopback_join(w->server), "/debug/pprof/trace?seconds=2 "));
    assert_int_equal(told.times, 1);
    assert_int_equal(told.outcome, OUTCOME_OK);
    assert_true(told.wanted);
    assert_int_equal(told.samples.outcome, outcome);
    assert_null(told.samples.key);
    assert_record(w, "\"no_cpu_profile\": \"");
}

static void test_in_use(void **state)
{
    struct world *w = *state;

    refuse(w, IN_USE, OUTCOME_IN_USE);
    assert_int_equal(told.samples.sampled, PIPELINE_UNSAMPLED);
    assert_record(w, "\"cpu_samples\": false,\n");
    assert_record(w, "\"in_use: HTTP status 500");
    assert_non_null(strstr(told.why, "in_use: HTTP status 500: \"Could not enable CPU"));
    assert_non_null(strstr(line, ".trace; no CPU samples: in_use: HTTP status 500"));
}

static void test_not_served(void **state)
{
    struct world *w = *state;

    refuse(w, NOT_FOUND, OUTCOME_MISSING);
    assert_int_equal(told.samples.sampled, PIPELINE_UNSAMPLED);
    assert_false(target_lane_fails(profiles(w)));
    assert_false(target_lane_fails(w->target->lanes));
}

/* Whether it was refused or broke off is a matter of when. */
static void test_closed(void **state)
{
    refuse(*state, "", OUTCOME_CLOSED);
}

/* There is no request for a profile of which nobody knows the place. */
static void test_no_place(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {SEND(OK), BYTES(w->trace.data, w->trace.n)};

    pipeline_configure(w, "/trace-here");
    assert_int_equal(pipeline_adds_samples(w->target->lanes, 0), 0);
    order(w);
    loopback_play(w->server, steps, 2);
    pipeline_finish(w, 1);
    assert_non_null(strstr(loopback_join(w->server), "/trace-here?seconds=2 "));
    assert_int_equal(told.outcome, OUTCOME_OK);
    assert_int_equal(told.samples.outcome, OUTCOME_MISSING);
    assert_record(w, "\"no_cpu_profile\": \"missing: it is not known where");
}

/* Nobody wants samples: nothing is said of them. */
static void test_unwanted(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {SEND(OK), BYTES(w->trace.data, w->trace.n)};
    const struct pipeline_order o = {.fn = on_told, .userdata = &told};

    assert_int_equal(pipeline_capture(w->pipeline, w->target->lanes, &o, NULL), 0);
    loopback_play(w->server, steps, 2);
    pipeline_finish(w, 1);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(told.outcome, OUTCOME_OK);
    assert_false(told.wanted);
    assert_null(strstr(line, "CPU samples"));
}

/* A profile that waits already becomes the one beside the trace: never two of one target. */
static void test_takes_what_waits(void **state)
{
    struct world *w = *state;
    struct told scheduled = {0};
    const struct pipeline_order o = {.fn = on_told, .userdata = &scheduled};
    const struct loopback_step steps[] = {SEND(IN_USE), ACCEPT, SEND(BUSY)};

    pipeline_set_concurrency(w->pipeline, 1);
    order(w);
    assert_int_equal(pipeline_capture(w->pipeline, profiles(w), &o, NULL), 0);
    loopback_play(w->server, steps, 3);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(scheduled.times, 1);
    assert_int_equal(scheduled.outcome, OUTCOME_IN_USE);
    assert_int_equal(told.outcome, OUTCOME_BUSY);
    assert_int_equal(w->counters.captures[OUTCOME_SKIPPED], 0);
}

/* While the profile has its lead, the end of contraced ends both, and nothing is asked for any more. */
static void test_cut_in_the_lead(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{.what = LOOPBACK_WAIT}};

    order(w);
    loopback_play(w->server, steps, 1);
    run_until(w, "lead");
    pipeline_cut(w->pipeline);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(told.times, 1);
    assert_int_equal(told.outcome, OUTCOME_CANCELLED);
    assert_int_equal(w->target->lanes->last_start, 0);
}

/* Of a profile that never answered nobody knows whether it ran. */
static void test_cut_beside(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {{.what = LOOPBACK_WAIT}};

    order(w);
    loopback_play(w->server, steps, 1);
    run_until(w, "capturing"); /* the lead is over, though the service has not answered */
    assert_true(w->target->lanes->last_start >= profiles(w)->last_start + ARTIFACT_LEAD);
    assert_int_equal(pipeline_in_flight(w->pipeline), 2);
    pipeline_cut(w->pipeline);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(told.times, 1);
    assert_int_equal(told.outcome, OUTCOME_CANCELLED);
    assert_int_equal(told.samples.sampled, PIPELINE_SAMPLED_MAYBE);
    assert_int_equal(told.samples.outcome, OUTCOME_CANCELLED);
}

/* Draining lets both go on; nothing else of the target follows. */
static void test_drained_in_the_lead(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {GATE, SEND(IN_USE), ACCEPT, SEND(OK),
                                          BYTES(w->trace.data, w->trace.n)};

    order(w);
    loopback_play(w->server, steps, 5);
    run_until(w, "lead");
    pipeline_drain(w->pipeline);
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    (void)loopback_join(w->server); /* done with the steps */
    assert_int_equal(told.outcome, OUTCOME_OK);
}

/* A reload takes the target away, or its path: the first ends as it began. */
static void test_reload_in_the_lead(void **state)
{
    struct world *w = *state;
    const struct loopback_step steps[] = {GATE, SEND(IN_USE), ACCEPT, SEND(OK),
                                          BYTES(w->trace.data, w->trace.n)};

    order(w);
    loopback_play(w->server, steps, 5);
    run_until(w, "lead");
    w->target->gone = true;
    pipeline_configure(w, "/trace-here");
    loopback_open_gate(w->server);
    pipeline_finish(w, 2);
    assert_non_null(strstr(loopback_join(w->server), "/trace-here?seconds=2 "));
    assert_int_equal(told.outcome, OUTCOME_OK);
    assert_string_not_equal(told.key, "");
}

static void test_adds(void **state)
{
    struct world *w = *state;
    struct lane *l = w->target->lanes;
    struct pipeline_order o = {.reason = REASON_API, .window = USEC_PER_SEC};

    assert_int_equal(pipeline_adds_samples(profiles(w), 0), 0); /* it has none itself */
    assert_int_equal(pipeline_adds_samples(l, 0), 3 * USEC_PER_SEC);
    assert_int_equal(pipeline_adds_samples(l, 500 * USEC_PER_MSEC), USEC_PER_SEC);
    assert_int_equal(pipeline_capture(w->pipeline, l, &o, NULL), 0);
    assert_int_equal(pipeline_adds_samples(l, USEC_PER_MSEC), 2 * USEC_PER_SEC);
    o.samples = true;
    assert_int_equal(pipeline_capture(w->pipeline, l, &o, NULL), 0);
    assert_int_equal(pipeline_adds_samples(l, USEC_PER_SEC), 0);
    assert_int_equal(pipeline_adds_samples(l, 2 * USEC_PER_SEC), USEC_PER_SEC);
    pipeline_drain(w->pipeline);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_in_use),
        TEST(test_not_served),
        TEST(test_closed),
        TEST(test_no_place),
        TEST(test_unwanted),
        TEST(test_takes_what_waits),
        TEST(test_cut_in_the_lead),
        TEST(test_cut_beside),
        TEST(test_drained_in_the_lead),
        TEST(test_reload_in_the_lead),
        TEST(test_adds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
