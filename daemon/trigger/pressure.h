/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When CPU pressure is too high: what the kernel's files say (Documentation/accounting/psi.rst),
 * and a judgement that does not flutter. Pure: text and times are passed in, psi.h reads the files.
 */

#include <stdbool.h>

#include "base/clock.h"

#define PRESSURE_INTERVAL (5 * USEC_PER_SEC) /* between two values; avg10 moves no faster */
#define PRESSURE_CALM (30 * USEC_PER_SEC)    /* how long it must stay low to be over */

/* The share of the last ten seconds in which some task waited for a CPU, in [0, 1], out of
 * cpu.pressure: its line `some`, avg10. 0, or -EINVAL for text that is no such file's. */
int pressure_parse(const char *text, double *ret_share);

struct pressure {
    double limit;  /* in ]0, 1] */
    unsigned over; /* values in a row at or above the limit */
    bool high;
    bool calm;       /* the last value was low */
    usec calm_since; /* boot time */
};

void pressure_init(struct pressure *p, double limit);

/*
 * One more value, at boot time `now`. High after two in a row at or above the limit; over when all
 * were below three quarters of it for PRESSURE_CALM. Returns whether it is high.
 */
bool pressure_feed(struct pressure *p, double share, usec now);
