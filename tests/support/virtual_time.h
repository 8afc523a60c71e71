/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Days in a moment: the timers of the event loop follow the moved clock of spool_fixture.h. A
 * program that uses it is linked with --wrap for sd_event_source_set_time and
 * sd_event_source_disable_unref. Timers go off in their order, each at its time.
 */

#include <stdint.h>

#include "base/clock.h"

/* Boot time as the event loop says. */
usec virtual_now(void);

/* Lets `time` go by. `run` dispatches until nothing moves but by time. */
void virtual_pass(usec time, void (*run)(void));

/* The boot time at which the next timer goes off; USEC_NEVER: none. */
usec virtual_next(void);

/* How many timers went off since the last call. */
unsigned virtual_wakes(void);
