/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The event types and their encoding: the table of internal/trace/tracev2/events.go. */

#include <stdint.h>

/* The types that frame a trace and never reach the user of a reader. */
enum {
    EV_EVENT_BATCH = 1,
    EV_STACKS = 2,
    EV_STACK = 3,
    EV_STRINGS = 4,
    EV_STRING = 5,
    EV_CPU_SAMPLES = 6,
    EV_CPU_SAMPLE = 7,
    EV_FREQUENCY = 8,
    EV_EXPERIMENTAL_BATCH = 49,
    EV_SYNC = 50,
    EV_CLOCK_SNAPSHOT = 51,
    EV_END_OF_GENERATION = 52,
};

#define SPECS_MAX_ARGS 4

struct spec {
    const char *name;
    uint8_t head[4]; /* type, kind, from and to, in the layout of struct gotrace_event */
    uint8_t n_args;  /* beside the time */
    /* Number of arguments, including the time; 0: not allowed in a thread's batch. */
    uint8_t numbers;
};

extern const struct spec specs[256];
