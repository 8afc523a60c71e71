/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lines of a log that comes in pieces. A line is as long as it likes; of one that is longer than
 * LOGLINES_MAX the beginning is kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Go's longest line is one of schedtrace: some 16 bytes for each P, of which there are hundreds at
 * most. */
#define LOGLINES_MAX 65536

struct logline {
    const char *text; /* without its end; a zero byte follows, others may be within */
    size_t n;
    uint64_t number; /* from 1 */
};

/* A negative result ends the reading. */
typedef int (*loglines_fn)(void *userdata, const struct logline *line);

struct loglines {
    struct buf kept; /* of a line whose end has not come */
    uint64_t number; /* lines that began */
    uint64_t cut;    /* of them, longer than LOGLINES_MAX */
    bool open;       /* the last has no end yet */
    bool overlong;   /* and was cut */
};

void loglines_init(struct loglines *l);
void loglines_done(struct loglines *l);

/* 0, -ENOMEM, or what `on_line` returned. */
int loglines_feed(struct loglines *l, const char *data, size_t n, loglines_fn on_line,
                  void *userdata);

/* The input is at its end: a last line without one counts. */
int loglines_finish(struct loglines *l, loglines_fn on_line, void *userdata);
