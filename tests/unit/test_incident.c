/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/order/allowance.h"
#include "daemon/order/incident.h"
#include "daemon/order/incident_state.h"
#include "tests/support/order_fixture.h"

#define USUAL (1u << KIND_TRACE | 1u << KIND_GOROUTINE | 1u << KIND_MUTEX | 1u << KIND_BLOCK)

struct world {
    struct targets *targets;
    struct desk *desk;
    struct incidents *incidents;
    double pressure;
    struct counters counters;
    unsigned ended;
    size_t kept;
    char line[512];
};

static double pressure_of(void *userdata)
{
    return ((struct world *)userdata)->pressure;
}

static void on_line(void *userdata, enum log_level level, const struct log_fields *fields,
                    const char *message)
{
    struct world *w = userdata;

    (void)level;
    (void)fields;
    (void)snprintf(w->line, sizeof(w->line), "%s", message);
}

static int setup(void **state)
{
    const struct incidents_config limits = {6, 2, 0.02, 0.9, 0};
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    fake_pipeline_reset();
    w->targets = order_targets();
    w->pressure = -1;
    assert_int_equal(desk_new(NULL, NULL, &w->desk), 0);
    assert_int_equal(incidents_new(NULL, w->desk, &w->counters, pressure_of, w, &w->incidents), 0);
    incidents_set(w->incidents, &limits);
    log_set_sink(on_line, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    log_set_sink(NULL, NULL);
    incidents_free(w->incidents);
    desk_free(w->desk);
    targets_free(w->targets);
    free(w);
    return 0;
}

static void on_ended(void *userdata, const struct incident_report *report)
{
    struct world *w = userdata;

    w->ended++;
    w->kept = report->kept;
}

static struct incident_reply order(struct world *w, size_t target, enum reason reason)
{
    return incidents_order(w->incidents,
                           &(struct incident_order){.target = targets_at(w->targets, target),
                                                    .reason = reason,
                                                    .fn = on_ended,
                                                    .userdata = w});
}

/* Ends the order with that number as the pipeline does, with a key if something was kept. */
static void end(size_t i, enum outcome outcome)
{
    const struct pipeline_waiter *waiter = &fake_pipeline.waiters[i];
    const struct pipeline_end e = {
        .outcome = outcome,
        .text = "",
        .key = outcome_published(outcome) ? "s/h/20260101/000000.trace" : NULL,
    };

    waiter->fn(waiter->userdata, &e);
}

/* Orders the incident and ends all that it takes. */
static void run(struct world *w, size_t target, enum reason reason)
{
    size_t i = fake_pipeline.orders = 0;

    assert_int_equal(order(w, target, reason).answer, INCIDENT_TAKEN);
    for (; i < fake_pipeline.orders; i++)
        end(i, OUTCOME_OK);
    assert_true(incidents_idle(w->incidents));
}

static void test_plan(void **state)
{
    struct world *w = *state;
    struct target_job *job = targets_at(w->targets, 0)->job;
    struct incident_plan plan;

    incident_plan(job, 0, 0, false, &plan);
    assert_int_equal(plan.n, 4); /* nobody said where flight recordings are */
    assert_int_equal(plan.artifacts[0]->kind, KIND_TRACE);
    assert_int_equal(plan.artifacts[1]->kind, KIND_GOROUTINE);
    assert_int_equal(plan.artifacts[2]->kind, KIND_MUTEX);
    assert_int_equal(plan.artifacts[3]->kind, KIND_BLOCK);
    assert_int_equal(plan.traced, 2 * USEC_PER_SEC);
    assert_int_equal(plan.cost, 2 * USEC_PER_SEC + 3 * PIPELINE_SNAPSHOT_COST);
    /* With a flight recording it fits into the allowance, too. */
    assert_true(plan.cost + PIPELINE_SNAPSHOT_COST <= ALLOWANCE_BURST);

    incident_plan(job, ~0u, 5 * USEC_PER_SEC, false, &plan);
    assert_int_equal(plan.n, KINDS - 1);
    assert_int_equal(plan.artifacts[0]->kind, KIND_TRACE);
    assert_int_equal(plan.artifacts[1]->kind, KIND_CPU);
    assert_int_equal(plan.artifacts[2]->kind, KIND_GOROUTINE);
    assert_int_equal(plan.artifacts[KINDS - 2]->kind, KIND_GOROUTINELEAK);
    assert_int_equal(plan.traced, 10 * USEC_PER_SEC);

    incident_plan(job, 1u << KIND_FLIGHT, 0, false, &plan);
    assert_int_equal(plan.n, 0);
}

/* CPU samples cost a second more than the trace lasts, and the profile comes with it. */
static void test_plan_samples(void **state)
{
    struct world *w = *state;
    struct target_job *job = targets_at(w->targets, 0)->job;
    struct incident_plan plan;

    incident_plan(job, 0, 0, true, &plan);
    assert_int_equal(plan.n, 5);
    assert_int_equal(plan.artifacts[0]->kind, KIND_TRACE);
    assert_int_equal(plan.artifacts[1]->kind, KIND_CPU);
    assert_ptr_equal(plan.sampler, plan.artifacts[1]);
    assert_true(plan.beside);
    assert_int_equal(plan.traced, 5 * USEC_PER_SEC);
    /* With a flight recording it fits into the allowance, too. */
    assert_true(plan.cost + PIPELINE_SNAPSHOT_COST <= ALLOWANCE_BURST);

    incident_plan(job, 1u << KIND_TRACE | 1u << KIND_CPU, 0, true, &plan);
    assert_int_equal(plan.n, 2);
    assert_non_null(plan.sampler);
    assert_false(plan.beside);

    incident_plan(job, 1u << KIND_HEAP, 0, true, &plan);
    assert_int_equal(plan.n, 1);
    assert_null(plan.sampler);
}

/* Orders an incident of a trace and these, with CPU samples. */
static void order_sampled(struct world *w, unsigned more)
{
    const struct incident_order o = {
        .target = targets_at(w->targets, 0),
        .reason = REASON_SIGNAL,
        .artifacts = 1u << KIND_TRACE | more,
        .samples = true,
        .fn = on_ended,
        .userdata = w,
    };

    assert_int_equal(incidents_order(w->incidents, &o).answer, INCIDENT_TAKEN);
    assert_true(fake_pipeline.order[0].samples);
}

/* Ends the trace, with what came of the profile beside it. */
static void end_sampled(enum outcome trace, enum outcome profile)
{
    const struct pipeline_samples samples = {
        .outcome = profile,
        .text = "because",
        .key = outcome_published(profile) ? "s/h/20260101/000000.cpu.pb.gz" : NULL,
    };
    const struct pipeline_end e = {
        .outcome = trace,
        .text = "",
        .key = outcome_published(trace) ? "s/h/20260101/000000.trace" : NULL,
        .samples = &samples,
    };

    fake_pipeline.waiters[0].fn(fake_pipeline.waiters[0].userdata, &e);
}

/* The profile is taken with the trace, by one order. */
static void test_samples(void **state)
{
    struct world *w = *state;

    order_sampled(w, 1u << KIND_HEAP);
    assert_int_equal(fake_pipeline.orders, 1);
    end_sampled(OUTCOME_OK, OUTCOME_OK);
    assert_int_equal(fake_pipeline.orders, 2);
    assert_false(fake_pipeline.order[1].samples);
    end(1, OUTCOME_OK);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->kept, 3);
    assert_int_equal(w->counters.incidents[INCIDENT_COMPLETE], 1);
    assert_non_null(strstr(w->line, ": trace, cpu, heap"));
}

/* Without the profile that was for the samples only, nothing is missing. */
static void test_without_samples(void **state)
{
    struct world *w = *state;

    order_sampled(w, 0);
    end_sampled(OUTCOME_OK, OUTCOME_IN_USE);
    assert_int_equal(fake_pipeline.orders, 1);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->counters.incidents[INCIDENT_COMPLETE], 1);
    assert_non_null(strstr(w->line, ": trace; without cpu (in_use)"));
}

/* One that the job wants for itself is missing. */
static void test_profile_is_missing(void **state)
{
    struct world *w = *state;

    order_sampled(w, 1u << KIND_CPU);
    end_sampled(OUTCOME_OK, OUTCOME_MISSING);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->counters.incidents[INCIDENT_PARTIAL], 1);
}

/* The trace was not even begun: the profile is taken alone if it is wanted for itself. */
static void test_no_trace_to_sample(void **state)
{
    struct world *w = *state;

    order_sampled(w, 1u << KIND_CPU);
    end(0, OUTCOME_NO_SPACE);
    assert_int_equal(fake_pipeline.orders, 2);
    assert_false(fake_pipeline.order[1].samples);
    end(1, OUTCOME_OK);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->kept, 1);
    assert_non_null(strstr(w->line, ": cpu; without trace (no_space)"));

    fake_pipeline.orders = 0;
    order_sampled(w, 0);
    end(0, OUTCOME_NO_SPACE);
    assert_int_equal(fake_pipeline.orders, 1);
    assert_int_equal(w->ended, 2);
    assert_non_null(strstr(w->line, "nothing was had: trace (no_space), cpu (cancelled)"));
}

/* The job says so for all incidents of its targets. */
static void test_job_wants_samples(void **state)
{
    struct world *w = *state;

    targets_at(w->targets, 0)->job->cpu_samples = true;
    assert_int_equal(order(w, 0, REASON_TRIGGER).answer, INCIDENT_TAKEN);
    assert_true(fake_pipeline.order[0].samples);
    end_sampled(OUTCOME_OK, OUTCOME_OK);
    for (size_t i = 1; i < 4; i++)
        end(i, OUTCOME_OK);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->kept, 5);
}

static void test_in_sequence(void **state)
{
    static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_MISSING, OUTCOME_TIMEOUT,
                                            OUTCOME_EMPTY};
    struct world *w = *state;

    assert_int_equal(order(w, 1, REASON_API).answer, INCIDENT_TAKEN);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fake_pipeline.orders, i + 1); /* never two at once */
        assert_int_equal(w->ended, 0);
        assert_ptr_equal(fake_pipeline.targets[i], targets_at(w->targets, 1));
        assert_non_null(fake_pipeline.order[i].incident);
        end(i, outcomes[i]);
    }
    assert_int_equal(fake_pipeline.orders, 4);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->kept, 2);
    assert_non_null(strstr(w->line,
                           "(api): trace, block (empty); without goroutine (not served), mutex "
                           "(timeout)"));
}

static struct incident_reply order_with_evidence(struct world *w)
{
    return incidents_order(w->incidents,
                           &(struct incident_order){.target = targets_at(w->targets, 0),
                                                    .reason = REASON_API,
                                                    .name = "push:slow",
                                                    .evidence = true,
                                                    .fn = on_ended,
                                                    .userdata = w});
}

/* What the caller has comes first: nothing is asked of the target before that is kept, or is not. */
static void test_evidence(void **state)
{
    struct world *w = *state;

    for (unsigned lost = 0; lost < 2; lost++) {
        struct incident_reply reply = order_with_evidence(w);
        struct incident_report report;
        struct name name;

        assert_int_equal(reply.answer, INCIDENT_TAKEN);
        assert_non_null(reply.begun);
        assert_int_equal(fake_pipeline.orders, 0);
        assert_int_equal(order(w, 0, REASON_API).answer, INCIDENT_JOINED);
        name_init(&name, "s", "h", 1773480413 * USEC_PER_SEC, 7);
        name.kind = KIND_FLIGHT;
        (void)incident_tag_propose(incident_evidence_tag(reply.begun), &name);
        incident_evidence_ended(reply.begun, lost ? OUTCOME_RESOURCES : OUTCOME_OK, "",
                                lost ? NULL : "s/h/20260314/092653-7.flight.trace");
        assert_int_equal(fake_pipeline.orders, 1);
        assert_string_equal(fake_pipeline.order[0].name, "push:slow");
        assert_true(incident_of(targets_at(w->targets, 0), &report));
        assert_int_equal(report.n_pieces, 5);
        assert_int_equal(report.pieces[0].kind, KIND_FLIGHT);
        if (lost)
            assert_null(report.id);
        else
            assert_string_equal(report.id, "s/h/20260314/092653-7");
        for (size_t i = 0; i < 4; i++)
            end(i, OUTCOME_OK);
        assert_int_equal(w->ended, 2 * (lost + 1));
        assert_int_equal(w->kept, lost ? 4 : 5);
        assert_non_null(strstr(w->line, lost ? "; without flight (" : "flight, trace, goroutine"));
        fake_pipeline.orders = 0;
    }
    assert_int_equal(order_with_evidence(w).limit, INCIDENT_LIMIT_TARGET);
}

/* contraced stops meanwhile: the evidence is all that is had. */
static void test_evidence_at_the_end(void **state)
{
    struct world *w = *state;
    struct incident_reply reply = order_with_evidence(w);

    incidents_drain(w->incidents);
    assert_false(incidents_idle(w->incidents));
    incident_evidence_ended(reply.begun, OUTCOME_OK, "", "s/h/20260314/092653-7.flight.trace");
    assert_true(incidents_idle(w->incidents));
    assert_int_equal(fake_pipeline.orders, 0);
    assert_int_equal(w->kept, 1);
}

/* A job whose incidents are nothing but a flight recording. */
static void test_evidence_alone(void **state)
{
    struct world *w = *state;
    struct incident_reply reply;

    targets_at(w->targets, 0)->job->incident_artifacts = 1u << KIND_FLIGHT;
    assert_int_equal(order(w, 0, REASON_API).answer, INCIDENT_PLACELESS);
    reply = order_with_evidence(w);
    assert_int_equal(reply.answer, INCIDENT_TAKEN);
    incident_evidence_ended(reply.begun, OUTCOME_OK, "", "s/h/20260314/092653-7.flight.trace");
    assert_int_equal(w->counters.incidents[INCIDENT_COMPLETE], 1);
}

/* Without a timer, what somebody else prevents is given up: the incident ends all the same. */
static void test_prevented(void **state)
{
    struct world *w = *state;

    (void)order(w, 0, REASON_SIGNAL);
    end(0, OUTCOME_BUSY);
    for (size_t i = 1; i < 4; i++)
        end(i, OUTCOME_OK);
    assert_int_equal(fake_pipeline.orders, 4);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->kept, 3);
    assert_int_equal(w->counters.incidents[INCIDENT_PARTIAL], 1);
}

static void test_joins(void **state)
{
    struct world *w = *state;
    struct incident_reply reply;

    (void)order(w, 0, REASON_API);
    reply = order(w, 0, REASON_ALERT);
    assert_int_equal(reply.answer, INCIDENT_JOINED);
    assert_null(reply.id);
    assert_int_equal(w->counters.incidents_under_way, 1);
    assert_int_equal(order(w, 1, REASON_ALERT).answer, INCIDENT_TAKEN);
    assert_int_equal(w->counters.incidents_under_way, 2);
    reply = order(w, 0, REASON_ALERT);
    incidents_forget(reply.waiter);
    for (size_t i = 0; i < 5; i++) {
        if (i != 1) /* that of the other target */
            end(i, OUTCOME_OK);
    }
    assert_int_equal(w->ended, 2);
    assert_int_equal(w->counters.incidents_under_way, 1); /* that one */
}

static struct incident_reply order_kinds(struct world *w, unsigned kinds)
{
    return incidents_order(w->incidents,
                           &(struct incident_order){.target = targets_at(w->targets, 0),
                                                    .reason = REASON_TRIGGER,
                                                    .artifacts = kinds,
                                                    .fn = on_ended,
                                                    .userdata = w});
}

/* Who joins has what he wants beyond the incident, in its turn; it is one all the same. */
static void test_joins_for_more(void **state)
{
    struct world *w = *state;
    struct incident_reply reply;
    struct incident_report report;

    assert_int_equal(order_kinds(w, 1u << KIND_GOROUTINE | 1u << KIND_MUTEX).answer,
                     INCIDENT_TAKEN);
    reply = order_kinds(w, 1u << KIND_HEAP | 1u << KIND_GOROUTINE | 1u << KIND_TRACE);
    assert_int_equal(reply.answer, INCIDENT_JOINED);
    assert_int_equal(reply.added, 1u << KIND_HEAP | 1u << KIND_TRACE);
    assert_int_equal(reply.lacks, 0);
    assert_int_equal(reply.retry_after, 0);
    reply = order_kinds(w, 1u << KIND_HEAP);
    assert_int_equal(reply.added, 0); /* it is under way by now */
    assert_int_equal(reply.lacks, 0);
    assert_true(incident_of(targets_at(w->targets, 0), &report));
    assert_int_equal(report.n_pieces, 4);
    for (size_t i = 0; i < 4; i++)
        end(i, OUTCOME_OK);
    assert_int_equal(w->ended, 3);
    assert_int_equal(w->kept, 4);
    assert_int_equal(fake_pipeline.orders, 4);
    assert_non_null(strstr(w->line, ": goroutine, mutex, trace, heap"));
    /* The trace counts, the incident does not. */
    assert_int_equal(w->incidents->budget.n, 1);
    assert_int_equal(w->incidents->budget.entries[0].traced, 2 * USEC_PER_SEC);
}

/* What failed already, or what a bound forbids, is named; what nobody knows a path of is not. */
static void test_joins_and_lacks(void **state)
{
    struct world *w = *state;
    struct incidents_config limits = w->incidents->limits;
    struct incident_reply reply;

    (void)order_kinds(w, 1u << KIND_GOROUTINE | 1u << KIND_MUTEX);
    end(0, OUTCOME_TIMEOUT);
    limits.max_traced = 0;
    incidents_set(w->incidents, &limits);
    budget_lengthen(
        &w->incidents->budget,
        allowance_id(targets_at(w->targets, 0)->job->name, targets_at(w->targets, 0)->address),
        USEC_PER_SEC);
    reply = order_kinds(w, 1u << KIND_GOROUTINE | 1u << KIND_TRACE | 1u << KIND_HEAP |
                               1u << KIND_FLIGHT);
    assert_int_equal(reply.answer, INCIDENT_JOINED);
    assert_int_equal(reply.added, 1u << KIND_HEAP);
    assert_int_equal(reply.lacks, 1u << KIND_GOROUTINE | 1u << KIND_TRACE);
    assert_int_equal(reply.limit, INCIDENT_LIMIT_TRACED);
    assert_int_equal(reply.retry_after, USEC_PER_HOUR);
    end(1, OUTCOME_OK);
    end(2, OUTCOME_OK);
    assert_non_null(strstr(w->line, ": mutex, heap; without goroutine (timeout)"));
}

/* The trace that is added has the samples that the job wants, and its profile is a part, too. */
static void test_joins_for_samples(void **state)
{
    struct world *w = *state;

    targets_at(w->targets, 0)->job->cpu_samples = true;
    (void)order_kinds(w, 1u << KIND_HEAP);
    assert_int_equal(order_kinds(w, 1u << KIND_TRACE).added, 1u << KIND_TRACE);
    end(0, OUTCOME_OK);
    assert_true(fake_pipeline.order[1].samples);
    fake_pipeline.orders = 2;
    {
        const struct pipeline_samples samples = {.outcome = OUTCOME_OK, .key = "s/h/1.cpu.pb.gz"};
        const struct pipeline_end e = {
            .outcome = OUTCOME_OK, .text = "", .key = "s/h/1.trace", .samples = &samples};

        fake_pipeline.waiters[1].fn(fake_pipeline.waiters[1].userdata, &e);
    }
    assert_int_equal(w->kept, 3);
    assert_non_null(strstr(w->line, ": heap, trace, cpu"));
}

static void test_limits(void **state)
{
    struct world *w = *state;
    struct incident_reply reply;

    run(w, 0, REASON_TRIGGER);
    run(w, 0, REASON_TRIGGER);
    reply = order(w, 0, REASON_TRIGGER);
    assert_int_equal(reply.answer, INCIDENT_LIMITED);
    assert_int_equal(reply.limit, INCIDENT_LIMIT_TARGET);
    assert_int_equal(w->counters.incidents[INCIDENT_REFUSED], 1);
    assert_int_equal(w->counters.incidents_refused[INCIDENT_LIMIT_TARGET], 1);
    assert_int_equal(w->counters.incidents[INCIDENT_COMPLETE], 2);
    assert_int_equal(reply.retry_after, USEC_PER_HOUR);
    run(w, 0, REASON_SIGNAL); /* the operator's */
    w->pressure = 0.9;
    reply = order(w, 1, REASON_API);
    assert_int_equal(reply.limit, INCIDENT_LIMIT_PRESSURE);
    assert_int_equal(w->counters.incidents_refused[INCIDENT_LIMIT_PRESSURE], 1);
    assert_true(reply.retry_after > 0);
    w->pressure = 0.89;
    run(w, 1, REASON_API);
    run(w, 1, REASON_API);
    run(w, 2, REASON_API);
    run(w, 2, REASON_API);
    assert_int_equal(order(w, 3, REASON_ALERT).limit, INCIDENT_LIMIT_ALL);
    fake_pipeline.now += USEC_PER_HOUR;
    run(w, 3, REASON_ALERT);
}

/* Single captures on demand and incidents have one allowance. */
static void test_allowance(void **state)
{
    struct world *w = *state;
    const struct pipeline_order one = {.reason = REASON_API};
    struct incident_reply reply;

    for (int i = 0; i < 2; i++)
        assert_int_equal(
            desk_order(w->desk, target_primary(targets_at(w->targets, 0)), &one).answer,
            DESK_TAKEN);
    reply = order(w, 0, REASON_API);
    assert_int_equal(reply.answer, INCIDENT_LIMITED);
    assert_int_equal(reply.limit, INCIDENT_LIMIT_ALLOWANCE);
    assert_true(reply.retry_after > 0);
}

static void test_stopping(void **state)
{
    struct world *w = *state;

    (void)order(w, 0, REASON_API);
    incidents_drain(w->incidents);
    assert_false(incidents_idle(w->incidents));
    assert_int_equal(order(w, 1, REASON_API).answer, INCIDENT_STOPPING);
    end(0, OUTCOME_OK);
    assert_int_equal(fake_pipeline.orders, 1);
    assert_int_equal(w->ended, 1);
    assert_true(incidents_idle(w->incidents));
}

/* A refused order is charged to nobody. */
static void test_no_memory(void **state)
{
    struct world *w = *state;

    fake_pipeline.result = -ESHUTDOWN;
    assert_int_equal(order(w, 0, REASON_API).answer, INCIDENT_STOPPING);
    fake_pipeline.orders = 0;

    fake_pipeline.result = -ENOMEM;
    for (int i = 0; i < 3; i++) {
        fake_pipeline.orders = 0;
        assert_int_equal(order(w, 0, REASON_API).answer, INCIDENT_NO_MEMORY);
    }
    fake_pipeline.result = 0;
    run(w, 0, REASON_API);
    assert_int_equal(w->ended, 1);
}

static void count_reports(void *userdata, const struct incident_report *report)
{
    assert_true(report->ended > 0);
    (*(size_t *)userdata)++;
}

static void test_remembers_the_last(void **state)
{
    struct world *w = *state;
    size_t n = 0;

    for (int i = 0; i < INCIDENTS_RECENT + 3; i++)
        run(w, 0, REASON_SIGNAL);
    incidents_list(w->incidents, count_reports, &n);
    assert_int_equal(n, INCIDENTS_RECENT);
}

/* All records have the id of the first that was kept, and what was not kept gives none. */
static void test_tag(void **state)
{
    const struct record_trigger trigger = {"slow", 0.2, 0.1, "share", "20 %"};
    struct incident_tag *tag = incident_tag_new(&trigger);
    struct name first, second;

    (void)state;
    assert_non_null(tag);
    name_init(&first, "s", "h", 1773480413 * USEC_PER_SEC, 7);
    first.kind = KIND_FLIGHT;
    name_init(&second, "s", "h", 1773480414 * USEC_PER_SEC, 7);
    second.sequence = 1;
    assert_string_equal(incident_tag_propose(tag, &first), "s/h/20260314/092653-7");
    assert_string_equal(incident_tag_propose(tag, &second), "s/h/20260314/092654-7-1");
    incident_tag_keep(tag);
    assert_string_equal(incident_tag_propose(tag, &first), "s/h/20260314/092654-7-1");
    assert_true(name_is_stem(tag->id));
    assert_false(name_is_stem("s/h/20260314/092654-7-1.trace"));
    assert_false(name_is_stem(""));
    assert_string_equal(incident_tag_trigger(tag)->rule, "slow");
    assert_string_equal(incident_tag_trigger(tag)->text, "20 %");
    for (unsigned i = 0; i < 2 * RECORD_JOINED_MAX; i++) {
        char reason[] = {(char)('a' + i), '\0'};

        incident_tag_joins(tag, "a");
        incident_tag_joins(tag, reason);
    }
    assert_string_equal(incident_tag_progress(tag)->joined[RECORD_JOINED_MAX - 1], "h");
    incident_tag_unref(incident_tag_ref(tag));
    incident_tag_unref(tag);
    incident_tag_unref(NULL);
    assert_null(incident_tag_trigger(NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plan),
        TEST(test_in_sequence),
        TEST(test_prevented),
        TEST(test_evidence),
        TEST(test_evidence_at_the_end),
        TEST(test_evidence_alone),
        TEST(test_joins),
        TEST(test_joins_for_more),
        TEST(test_joins_and_lacks),
        TEST(test_joins_for_samples),
        TEST(test_limits),
        TEST(test_allowance),
        TEST(test_stopping),
        TEST(test_no_memory),
        TEST(test_remembers_the_last),
        TEST(test_tag),
        TEST(test_plan_samples),
        TEST(test_samples),
        TEST(test_without_samples),
        TEST(test_profile_is_missing),
        TEST(test_no_trace_to_sample),
        TEST(test_job_wants_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
