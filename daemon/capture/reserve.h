/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What libraries would take memory for at the worst moment, taken at the start: what is under way
 * must come to its end when memory is short.
 */

#include <systemd/sd-event.h>

/* 0 or a negative errno. */
int reserve_take(sd_event *event);
