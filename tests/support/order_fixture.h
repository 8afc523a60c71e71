/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands below the desk: some targets, a pipeline that takes or refuses what it is told to,
 * and a clock that the test moves. A program that uses it is linked with wrap_orders.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"

#define FAKE_MAX 16

struct pipeline_waiter {
    pipeline_ended_fn fn;
    void *userdata;
    bool forgotten;
};

struct fake_pipeline {
    usec now;      /* boot time */
    int result;    /* of pipeline_capture */
    usec anyway;   /* the target would be traced for so long without an order */
    size_t orders; /* that came, whatever became of them */
    const struct target *targets[FAKE_MAX];
    struct pipeline_order order[FAKE_MAX];
    struct pipeline_waiter waiters[FAKE_MAX];
};

extern struct fake_pipeline fake_pipeline;

/* Forgets all. */
void fake_pipeline_reset(void);

/* Tells the end of the i-th order to whoever waits for it. */
void fake_pipeline_end(size_t i, enum outcome outcome);

/*
 * 0: checkout at 10.0.0.1:80, 1: checkout at 10.0.0.2:80, 2: job basket of the service cart at
 * 10.0.0.1:90, 3: job local at 127.0.0.1:70.
 */
struct targets *order_targets(void);
