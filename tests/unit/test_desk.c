/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "daemon/order/allowance.h"
#include "daemon/order/desk.h"
#include "tests/support/order_fixture.h"

#define SECOND USEC_PER_SEC
#define REFILL (ALLOWANCE_SHARE * 2 * SECOND) /* of a capture of two seconds */

struct world {
    struct targets *targets;
    struct desk *desk;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    fake_pipeline_reset();
    w->targets = order_targets();
    assert_int_equal(desk_new(NULL, NULL, &w->desk), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    desk_free(w->desk);
    targets_free(w->targets);
    free(w);
    return 0;
}

static struct desk_reply order(struct world *w, size_t target, enum reason reason)
{
    const struct pipeline_order o = {.reason = reason};

    return desk_order(w->desk, target_primary(targets_at(w->targets, target)), &o);
}

static void expect(struct world *w, size_t target, enum reason reason, enum desk_answer answer)
{
    assert_int_equal(order(w, target, reason).answer, answer);
}

/* What is ordered arrives as it is. */
static void test_passes_on(void **state)
{
    struct world *w = *state;
    const struct pipeline_order o = {
        .reason = REASON_ALERT, .name = "alert:Slow", .window = SECOND, .due = 7};
    struct desk_reply reply = desk_order(w->desk, target_primary(targets_at(w->targets, 1)), &o);

    assert_int_equal(reply.answer, DESK_TAKEN);
    assert_null(reply.waiter);
    assert_int_equal(fake_pipeline.orders, 1);
    assert_ptr_equal(fake_pipeline.targets[0], targets_at(w->targets, 1));
    assert_int_equal(fake_pipeline.order[0].reason, REASON_ALERT);
    assert_string_equal(fake_pipeline.order[0].name, "alert:Slow");
    assert_int_equal(fake_pipeline.order[0].window, SECOND);
    assert_int_equal(fake_pipeline.order[0].due, 7);
}

/* Whoever is charged shares one allowance a target: the API, alerts, rules. */
static void test_allowance_is_kept(void **state)
{
    struct world *w = *state;
    struct desk_reply reply;

    expect(w, 0, REASON_API, DESK_TAKEN);
    expect(w, 0, REASON_ALERT, DESK_TAKEN);
    expect(w, 0, REASON_TRIGGER, DESK_TAKEN);
    reply = order(w, 0, REASON_API);
    assert_int_equal(reply.answer, DESK_LIMITED);
    assert_int_equal(reply.retry_after, REFILL);
    assert_int_equal(fake_pipeline.orders, 3);
    expect(w, 1, REASON_API, DESK_TAKEN); /* another target has its own */

    fake_pipeline.now += REFILL - 1;
    assert_int_equal(order(w, 0, REASON_ALERT).retry_after, 1);
    fake_pipeline.now += 1;
    expect(w, 0, REASON_ALERT, DESK_TAKEN);
    expect(w, 0, REASON_ALERT, DESK_LIMITED);
}

/* CPU samples cost what their profile costs, beside the trace. */
static void test_samples_are_charged(void **state)
{
    struct world *w = *state;
    struct lane *l = target_primary(targets_at(w->targets, 0));
    const struct pipeline_order o = {.reason = REASON_API, .samples = true};
    const struct pipeline_order plain = {.reason = REASON_API, .window = SECOND};

    assert_int_equal(desk_order(w->desk, l, &o).answer, DESK_TAKEN);
    assert_int_equal(desk_order(w->desk, l, &o).answer, DESK_LIMITED);
    assert_int_equal(desk_order(w->desk, l, &plain).answer, DESK_TAKEN); /* 2 + 3 + 1 */
    assert_int_equal(desk_order(w->desk, l, &plain).answer, DESK_LIMITED);
}

/* What contraced planned itself and its operator signals is neither charged nor refused. */
static void test_schedule_and_signal_pass(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 4; i++) {
        expect(w, 0, REASON_SCHEDULE, DESK_TAKEN);
        expect(w, 0, REASON_SIGNAL, DESK_TAKEN);
    }
    for (int i = 0; i < 3; i++)
        expect(w, 0, REASON_API, DESK_TAKEN);
    expect(w, 0, REASON_API, DESK_LIMITED);
    expect(w, 0, REASON_SCHEDULE, DESK_TAKEN);
    expect(w, 0, REASON_SIGNAL, DESK_TAKEN);
}

/* An alert's capture that failed is tried again without another charge. */
static void test_retry_is_not_charged(void **state)
{
    struct world *w = *state;
    const struct pipeline_order again = {.reason = REASON_ALERT, .name = "alert:Slow"};

    for (int i = 0; i < 3; i++)
        expect(w, 0, REASON_ALERT, DESK_TAKEN);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            desk_due(w->desk, target_primary(targets_at(w->targets, 0)), &again).answer,
            DESK_TAKEN);
    assert_int_equal(order(w, 0, REASON_ALERT).retry_after, REFILL);
}

/* One that joins a waiting capture is charged for the seconds that it adds. */
static void test_joining(void **state)
{
    struct world *w = *state;

    fake_pipeline.anyway = 2 * SECOND;
    for (int i = 0; i < 10; i++)
        expect(w, 0, REASON_API, DESK_TAKEN);
    fake_pipeline.anyway = SECOND;
    for (int i = 0; i < 6; i++)
        expect(w, 0, REASON_API, DESK_TAKEN);
    expect(w, 0, REASON_API, DESK_LIMITED);
}

/* A refused order costs nothing. */
static void test_refusals(void **state)
{
    struct world *w = *state;

    fake_pipeline.result = -ESHUTDOWN;
    for (int i = 0; i < 5; i++)
        expect(w, 0, REASON_API, DESK_STOPPING);
    fake_pipeline.result = -ENOMEM;
    for (int i = 0; i < 5; i++)
        expect(w, 0, REASON_API, DESK_NO_MEMORY);
    fake_pipeline.result = 0;
    for (int i = 0; i < 3; i++)
        expect(w, 0, REASON_API, DESK_TAKEN);
    for (int i = 0; i < 5; i++)
        assert_int_equal(order(w, 0, REASON_API).retry_after, REFILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_passes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_allowance_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_samples_are_charged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schedule_and_signal_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retry_is_not_charged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_joining, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
