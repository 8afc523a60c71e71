/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The event loop's time. It is read once in each turn; all handlers of that turn see the same
 * time. */

#include <systemd/sd-event.h>

#include "base/clock.h"

/* 0 for a clock that the loop does not know, and before its first turn where that fails. */
static inline usec loop_now(sd_event *event, clockid_t clock)
{
    usec now = 0;

    (void)sd_event_now(event, clock, &now);
    return now;
}
