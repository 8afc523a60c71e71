/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes libraries allocate at the start what they would otherwise allocate later, so that captures
 * under way can end when memory is short.
 */

#include <systemd/sd-event.h>

/* 0 or a negative errno. */
int reserve_take(sd_event *event);
