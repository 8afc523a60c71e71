/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * `contrace goroutines --at`: prints what trace/goroutines/alive.h found, as text for people and as
 * JSON for programs (docs/alive.schema.json).
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/read/failure.h"
#include "trace/goroutines/alive.h"

#define ALIVE_SCHEMA 1
#define ALIVE_JSON_MAX (64u << 20)

struct alive_view {
    const char *file; /* "-" for standard input */
    const char *name; /* only groups whose start function contains this; NULL: all */
    int64_t at;       /* what was asked for, as of alive_new */
    unsigned top;     /* rows; 0: all */
    bool json;
    unsigned version;              /* 26 for `go 1.26 trace` */
    const struct failure *failure; /* where and why the trace breaks off; NULL: it does not */
    bool utf8;
};

/* The whole of the command, for one file. 0; 1 after a message if the trace breaks off; a negative
 * errno after a message. */
int alive_show(struct alive_view *view);

/* Whether the view has this group. */
bool alive_is_shown(const struct whereabouts_group *g, const struct alive_view *view);

/* "running", "waiting", … */
const char *alive_state(enum gotrace_go_state state);

/* Appends one object. 0, -ENOMEM, or -E2BIG when that is more than the buffer may hold. */
int alive_json(const struct alive_result *a, const struct alive_view *view, struct buf *out);

/* The caller checks the stream for errors. */
void alive_text(FILE *out, const struct alive_result *a, const struct alive_view *view);
