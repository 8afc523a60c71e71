/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A cycle of the collector, as GODEBUG=gctrace=1 prints it. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gcline {
    uint64_t cycle;
    double at;       /* seconds since the program began */
    double pause[2]; /* milliseconds in which the world was stopped: at the begin, at the end */
    double mark;     /* milliseconds of concurrent work between them */
    double assist, background;    /* CPU milliseconds: of goroutines that assist, of the workers */
    uint64_t before, after, live; /* MB of heap: at its begin, at its end, what survived */
    uint64_t goal;                /* MB */
    uint32_t procs;
    unsigned percent; /* of CPU since the program began */
    bool forced;
};

/* Reads it from `text`, which begins with "gc ". The number of bytes read; 0: something else is
 * printed into it, or it is cut. A zero byte must end the text. */
size_t gcline_read(const char *text, struct gcline *ret);
