/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lets days pass in a moment: the event loop's timers follow the moved clock of spool_fixture.h.
 * Timers go off in their order, each at its time. Link with --wrap for sd_event_source_set_time and
 * sd_event_source_disable_unref.
 */

#include <stdint.h>

#include "base/clock.h"

/* The boot time by the event loop's moved clock. */
usec virtual_now(void);

/* Lets `time` go by. `run` must dispatch events until nothing is left to do but wait for time. */
void virtual_pass(usec time, void (*run)(void));

/* The boot time at which the next timer goes off; USEC_NEVER if there is none. */
usec virtual_next(void);

/* How many timers went off since the last call. */
unsigned virtual_wakes(void);
