/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A profile that was made of a trace, or why there is none.
 */

#include <stdbool.h>
#include <stddef.h>

/* What a profile shows, as `contrace pprof` calls it. */
enum extraction_view {
    EXTRACTION_SCHED,
    EXTRACTION_SYNC,
    EXTRACTION_NET,
    EXTRACTION_SYSCALL,
    EXTRACTION_VIEWS,
};

/* "sched", …; and the reverse: false if there is no such. */
const char *extraction_view_name(enum extraction_view view);
bool extraction_view_find(const char *name, enum extraction_view *ret);

enum extraction_end {
    EXTRACTION_OK,
    EXTRACTION_GONE,        /* the trace is no longer kept */
    EXTRACTION_FORMAT,      /* of a format that is not analysed */
    EXTRACTION_UNREADABLE,  /* the child refused the trace, or a signal killed it */
    EXTRACTION_TIMEOUT,     /* inspect.timeout was over */
    EXTRACTION_MEMORY,      /* the child needed more than inspect.max_memory */
    EXTRACTION_LONG,        /* the profile is longer than its bound */
    EXTRACTION_UNAVAILABLE, /* the child could not be started or confined */
    EXTRACTION_CUT,         /* contraced is stopping, or has no memory */
    EXTRACTION_ENDS,
};

struct extraction {
    enum extraction_end end;
    const void *data; /* pprof's format, in gzip */
    size_t n;
    const char *text; /* details, arbitrary bytes; may be "" */
};
