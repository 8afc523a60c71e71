/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the inspection of a trace ended. */

enum inspection_end {
    INSPECTION_OK,
    INSPECTION_TIMEOUT,
    INSPECTION_CRASHED,     /* a signal killed the child, but not for its limits */
    INSPECTION_MEMORY,      /* the child needed too much memory, or the OOM killer chose it */
    INSPECTION_FORMAT,      /* the trace's format cannot be analysed */
    INSPECTION_UNREADABLE,  /* the child refused the trace */
    INSPECTION_OUTPUT,      /* the child printed no valid summary */
    INSPECTION_QUEUE,       /* too many traces waited */
    INSPECTION_PARTIAL,     /* too little of the trace is readable for a label */
    INSPECTION_TOO_SHORT,   /* the trace is too short for one, or has too few events */
    INSPECTION_UNAVAILABLE, /* the child could not be started or confined */
    INSPECTION_GONE,        /* the trace could not be opened any more */
    INSPECTION_CUT,         /* contraced is stopping */
    INSPECTION_END_COUNT,
};

/* One word for counters and the log: "timeout". */
const char *inspection_end_name(enum inspection_end end);
