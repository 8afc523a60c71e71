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

#include "daemon/order/allowance.h"
#include "daemon/order/batch.h"
#include "tests/support/order_fixture.h"

struct world {
    struct targets *targets;
    struct desk *desk;
    struct batch batch;
    char ends[128]; /* what was told: the place and what was left, in order */
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

    batch_done(&w->batch);
    desk_free(w->desk);
    targets_free(w->targets);
    free(w);
    return 0;
}

static void on_ended(void *userdata, size_t i, const struct pipeline_end *end)
{
    struct world *w = userdata;
    size_t n = strlen(w->ends);

    (void)end;
    (void)snprintf(w->ends + n, sizeof(w->ends) - n, "%zu:%zu ", i, w->batch.left);
}

static void begin(struct world *w, size_t max, bool wait)
{
    batch_done(&w->batch);
    assert_int_equal(batch_init(&w->batch, w->desk, w->targets, max, wait ? on_ended : NULL, w), 0);
}

static struct desk_reply order(struct world *w, size_t target, usec window)
{
    const struct pipeline_order o = {.reason = REASON_ALERT, .window = window};

    return batch_order(&w->batch, target, &o);
}

/* Two alerts of one notification that mean the same target. */
static void test_each_target_once(void **state)
{
    struct world *w = *state;

    begin(w, 4, false);
    assert_int_equal(order(w, 2, 0).answer, DESK_TAKEN);
    assert_int_equal(order(w, 2, 0).answer, DESK_REPEATED);
    assert_int_equal(order(w, 0, 0).answer, DESK_TAKEN);
    assert_int_equal(fake_pipeline.orders, 2);
    assert_int_equal(w->batch.taken, 2);
    assert_int_equal(w->batch.left, 0); /* nobody waits */
    assert_null(fake_pipeline.order[0].fn);

    begin(w, 4, false); /* the next notification */
    assert_int_equal(order(w, 2, 0).answer, DESK_TAKEN);
}

static void test_limited(void **state)
{
    struct world *w = *state;
    const usec all = ALLOWANCE_BURST;

    begin(w, 4, false);
    (void)order(w, 0, all);
    (void)order(w, 1, all);
    assert_int_equal(w->batch.retry_after, USEC_NEVER);
    begin(w, 4, false);
    assert_int_equal(order(w, 0, 2 * USEC_PER_SEC).answer, DESK_LIMITED);
    assert_int_equal(order(w, 0, 0).answer, DESK_REPEATED); /* it is not asked for again */
    assert_int_equal(order(w, 1, USEC_PER_SEC).answer, DESK_LIMITED);
    assert_int_equal(order(w, 2, USEC_PER_SEC).answer, DESK_TAKEN);
    assert_int_equal(w->batch.limited, 2);
    assert_int_equal(w->batch.retry_after, ALLOWANCE_SHARE * USEC_PER_SEC); /* the shortest */
}

static void test_refused(void **state)
{
    struct world *w = *state;

    begin(w, 4, true);
    fake_pipeline.result = -ESHUTDOWN;
    assert_int_equal(order(w, 0, 0).answer, DESK_STOPPING);
    assert_true(w->batch.stopping && !w->batch.no_memory);
    fake_pipeline.result = -ENOMEM;
    assert_int_equal(order(w, 1, 0).answer, DESK_NO_MEMORY);
    assert_true(w->batch.no_memory);
    assert_int_equal(w->batch.taken, 0);
    assert_int_equal(w->batch.left, 0);
}

/* The places are those of what was taken. */
static void test_ends(void **state)
{
    struct world *w = *state;

    begin(w, 3, true);
    (void)order(w, 3, 0);
    (void)order(w, 1, 0);
    (void)order(w, 0, 0);
    assert_int_equal(w->batch.left, 3);
    fake_pipeline_end(1, OUTCOME_CONNECT);
    fake_pipeline_end(0, OUTCOME_OK);
    assert_int_equal(w->batch.published, 1);
    fake_pipeline_end(2, OUTCOME_OK);
    assert_int_equal(w->batch.published, 2);
    assert_string_equal(w->ends, "1:2 0:1 2:0 ");
}

/* Whoever waits goes: the captures go on, and stay charged. */
static void test_cancelled(void **state)
{
    struct world *w = *state;

    begin(w, 2, true);
    (void)order(w, 0, ALLOWANCE_BURST);
    (void)order(w, 1, ALLOWANCE_BURST);
    fake_pipeline_end(0, OUTCOME_OK);
    batch_done(&w->batch);
    assert_false(fake_pipeline.waiters[0].forgotten); /* it is not there any more */
    assert_true(fake_pipeline.waiters[1].forgotten);
    fake_pipeline_end(1, OUTCOME_OK);
    assert_string_equal(w->ends, "0:1 ");
    begin(w, 1, true);
    assert_int_equal(order(w, 1, 0).answer, DESK_LIMITED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_target_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
