/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the desk (the code that takes orders for captures) needs below it: some targets, a fake
 * pipeline that accepts or refuses orders as the test says, and a clock that the test moves. Link
 * with wrap_orders.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"

#define FAKE_MAX 32

struct pipeline_waiter {
    pipeline_ended_fn fn;
    void *userdata;
    bool forgotten;
};

struct fake_pipeline {
    usec now;      /* boot time */
    int result;    /* of pipeline_capture */
    usec anyway;   /* time for which the target would be traced without an order */
    size_t orders; /* all orders that came, accepted or refused */
    const struct target *targets[FAKE_MAX];
    struct pipeline_order order[FAKE_MAX];
    struct pipeline_waiter waiters[FAKE_MAX];
};

extern struct fake_pipeline fake_pipeline;

/* Forgets all. */
void fake_pipeline_reset(void);

/* Ends the i-th order and tells its owner the outcome. */
void fake_pipeline_end(size_t i, enum outcome outcome);

/*
 * 0: checkout at 10.0.0.1:80, 1: checkout at 10.0.0.2:80, 2: job basket of the service cart at
 * 10.0.0.1:90, 3: job local at 127.0.0.1:70.
 */
struct targets *order_targets(void);
