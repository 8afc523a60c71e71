/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tasks as trees: the tasks that wanted.h found and those below them, each with what its time was
 * made of, the goroutines that worked for it, its regions and its logs. Who works for a task is what
 * trace/summary/tasks.h says; all times are the summary's.
 *
 * What is done for a task is done for those above it, too, while they last. Memory is bounded by the
 * numbers below; of what is beyond them there are counts, and time without a place of its own is in
 * a part without a site.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/summary/summary.h"
#include "trace/trees/wanted.h"

#define TREES_NODES_MAX 8192
#define TREES_WORKERS_MAX 32768 /* pairs of a task and a goroutine */
#define TREES_PARTS_MAX (1U << 18)
#define TREES_PARTS_OF_ONE 64 /* that are told apart of one task, or of one goroutine for it */
#define TREES_MARKS_MAX 16384 /* regions and logs */
#define TREES_LOG_MAX 256     /* bytes of a log's message */

#define TREES_NONE UINT32_MAX

enum trees_kind {
    TREES_RUNNING,
    TREES_RUNNABLE,
    TREES_SYSCALL,
    TREES_WAIT,
    TREES_STANDING, /* a wait or syscall that is meant to wait */
    TREES_N_KINDS,
};

/* A part of a time. */
struct trees_part {
    enum trees_kind kind;
    uint32_t reason, stack, next; /* while the trace is read */
    const char *why;              /* the runtime's reason to wait; "" */
    struct summary_frame site;    /* texts "" if there is none */
    struct summary_own own;
    int64_t ns;
};

/* What a time is made of. */
struct trees_work {
    uint32_t parts; /* the first, or TREES_NONE */
    uint32_t n_parts;
    int64_t ns[TREES_N_KINDS];
    int64_t assist; /* of all these */
};

/* What a goroutine did for a task, that task alone. */
struct trees_worker {
    int64_t g;
    uint32_t next;
    uint32_t stack;   /* one of its own, or SITES_NO_STACK */
    const char *name; /* its start function, "" if the trace does not tell */
    struct trees_work work;
};

/* A region or a log. */
struct trees_mark {
    bool log;
    bool open, at_start; /* of a region: it had not ended; it began before the trace */
    int64_t g, since, duration;
    uint32_t type; /* texts, while the trace is read */
    uint32_t text;
    uint32_t next;
    const char *name;    /* a region's type, a log's category */
    const char *message; /* of a log; not terminated where it has zero bytes: as the trace has it */
    size_t n_message;
    uint32_t stack;
    struct summary_frame site;
    struct summary_own own;
};

struct trees_node {
    uint64_t id, parent;  /* parent: or GOTRACE_NONE */
    uint32_t above;       /* a node, or TREES_NONE: it is the root of a tree */
    uint32_t below, next; /* the first child, and its next one, in the order of their begin */
    uint32_t last_below;
    bool open, at_start, over;
    int64_t g; /* that began it, or GOTRACE_NONE */
    int64_t since, duration;
    uint32_t type, stack;
    const char *name;
    struct summary_frame site;
    struct summary_own own;
    struct trees_work work; /* with that of all below it */
    uint32_t workers, last_worker, n_workers;
    uint32_t marks, last_mark, n_marks;
};

struct trees {
    struct memory mem;
    struct summary summary;
    const struct wanted *wanted;
    struct idmap wanted_ids, nodes, pairs;
    struct trees_node *list;
    size_t cap;
    uint32_t n;
    struct trees_worker *workers;
    size_t workers_cap;
    uint32_t n_workers;
    struct trees_part *parts;
    size_t parts_cap;
    uint32_t n_parts;
    struct trees_mark *marks;
    size_t marks_cap;
    uint32_t n_marks;
    struct idmap names; /* of start functions, by goroutine: texts */
    int64_t first, last;
    uint64_t lost_nodes, lost_workers, lost_marks;
};

/* `wanted` is borrowed. 0 or -ENOMEM; trees_done is due in either case. */
int trees_init(struct trees *t, const struct wanted *wanted, uint64_t seed);
void trees_done(struct trees *t);

/* Reads the trace a second time, from its beginning. As summary_run. */
int trees_run(struct trees *t, struct gotrace *trace);

/* The node of a wanted task, or NULL: it has no place, or stands in another's tree. */
const struct trees_node *trees_root(const struct trees *t, const struct wanted_task *task);
