/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judges whether CPU pressure is too high, from the kernel's files
 * (Documentation/accounting/psi.rst), with hysteresis so that the result does not flutter. Pure:
 * text and times are passed in; psi.h reads the files.
 */

#include <stdbool.h>

#include "base/clock.h"

#define PRESSURE_INTERVAL (5 * USEC_PER_SEC) /* between two values; avg10 changes no faster */
/* How long values must stay low until the pressure is no longer high. */
#define PRESSURE_CALM (30 * USEC_PER_SEC)

/* Parses the text of a cpu.pressure file: avg10 in its line `some`, which is the share, in [0, 1],
 * of the last ten seconds in which some task waited for a CPU. 0, or -EINVAL for any other text. */
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
 * Adds a value that was read at boot time `now`. The pressure becomes high after two values in a
 * row at or above the limit. It is no longer high when all values were below three quarters of the
 * limit for PRESSURE_CALM. Returns whether it is high.
 */
bool pressure_feed(struct pressure *p, double share, usec now);
