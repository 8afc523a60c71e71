/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One line that Go's runtime printed, by GODEBUG=schedtrace, scheddetail or gctrace: found in a line
 * of a log and read. All forms since Go 1.5 (src/runtime/proc.go, schedtrace; mgc.go,
 * gcMarkTermination). Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/schedtrace/gcline.h"

/* Of a process with more Ps the first are looked at. */
#define SCHEDLINE_PS_MAX 1024

enum schedline_kind {
    SCHEDLINE_NONE,  /* nothing of these */
    SCHEDLINE_SCHED, /* a snapshot of the scheduler */
    SCHEDLINE_P,     /* of scheddetail, which belong to the snapshot before */
    SCHEDLINE_M,
    SCHEDLINE_G,
    SCHEDLINE_GC,   /* a cycle of the collector */
    SCHEDLINE_TORN, /* began like one of these, but something else was printed into it */
};

/* "SCHED 100ms: gomaxprocs=2 idleprocs=0 …" */
struct schedline_head {
    uint64_t ms;
    uint32_t procs, idle;
    uint32_t threads, spinning, idle_threads;
    uint32_t runqueue; /* the global one */
    uint32_t n;        /* Ps with a queue, of those below */
    bool needspinning; /* printed since Go 1.20 */
    bool ticks;        /* printed since Go 1.25 */
    bool detailed;     /* lines of Ps, Ms and Gs follow; the queues are there */
    bool gcwaiting;
    uint32_t idle_locked; /* of a detailed one: threads that wait for their goroutine */
};

struct schedline_p {
    uint32_t id, status, tick, syscalltick, queue;
    int64_t m; /* -1: none */
};

struct schedline_m {
    uint32_t id;
    bool spinning, blocked;
    bool locked; /* to a goroutine */
    int64_t p, g;
};

struct schedline_g {
    uint64_t id;
    uint32_t status;
    bool io;     /* what it waits for, or waited for last, is the network: "IO wait" */
    bool assist; /* or it marks for the collector before it may allocate */
    int64_t m;
};

struct schedline {
    enum schedline_kind kind;
    size_t at, n; /* where in the text it is: from its first byte to the last one that was read */
    union {
        struct schedline_head head;
        struct schedline_p p;
        struct schedline_m m;
        struct schedline_g g;
        struct gcline gc;
    };
    uint32_t queue[SCHEDLINE_PS_MAX], tick[SCHEDLINE_PS_MAX]; /* of a SCHED */
};

/* What a P is at, as a line of it says. */
#define SCHEDLINE_P_IDLE 0
#define SCHEDLINE_P_RUNNING 1
#define SCHEDLINE_P_SYSCALL 2 /* until Go 1.25 */
#define SCHEDLINE_P_GCSTOP 3
/* What a goroutine is at. */
#define SCHEDLINE_G_RUNNABLE 1
#define SCHEDLINE_G_RUNNING 2
#define SCHEDLINE_G_SYSCALL 3
#define SCHEDLINE_G_WAITING 4

/* Finds and reads such a line in `text`, behind any prefix. A zero byte must follow its n bytes.
 * `ret` is written in any case. */
void schedline_read(const char *text, size_t n, struct schedline *ret);
