/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A log, read piece by piece: from its bytes to the processes that printed lines of the runtime. */

#include <stddef.h>
#include <stdint.h>

#include "trace/schedtrace/processes.h"

struct schedlog;

struct schedlog_counts {
    uint64_t lines;                  /* of the log */
    uint64_t cut;                    /* longer than LOGLINES_MAX */
    uint64_t binary;                 /* with a zero byte: no text */
    uint64_t heads, details, cycles; /* lines of the runtime, by kind */
    uint64_t torn;                   /* into which something else was printed */
};

/* 0 or -ENOMEM. on_snapshot as of processes_new. */
int schedlog_new(processes_fn on_snapshot, void *userdata, struct schedlog **ret);
void schedlog_free(struct schedlog *log);

/* 0 or -ENOMEM. */
int schedlog_feed(struct schedlog *log, const char *data, size_t n);

/* Nothing came for a while: what is whole is handed on. */
void schedlog_settle(struct schedlog *log);

/* The log is at its end. 0 or -ENOMEM. */
int schedlog_finish(struct schedlog *log);

const struct processes *schedlog_processes(const struct schedlog *log);
struct schedlog_counts schedlog_counts(const struct schedlog *log);
