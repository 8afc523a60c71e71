/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the inspection of a trace ended. */

enum inspection_end {
    INSPECTION_OK,
    INSPECTION_TIMEOUT,
    INSPECTION_CRASHED,     /* a signal that nobody sent it */
    INSPECTION_MEMORY,      /* it needed more than it may have, or was chosen when there was none */
    INSPECTION_FORMAT,      /* a format that is not analysed */
    INSPECTION_UNREADABLE,  /* the child refused the trace */
    INSPECTION_OUTPUT,      /* what it printed is no summary */
    INSPECTION_QUEUE,       /* too many waited */
    INSPECTION_PARTIAL,     /* too little of the trace can be read for a label */
    INSPECTION_TOO_SHORT,   /* the trace is too short for one, or has too few events */
    INSPECTION_UNAVAILABLE, /* no child: it cannot be started, or not confined */
    INSPECTION_GONE,        /* the trace could not be opened any more */
    INSPECTION_CUT,         /* contraced stops */
    INSPECTION_END_COUNT,
};

/* One word, for counters and the log: "timeout". */
const char *inspection_end_name(enum inspection_end end);
