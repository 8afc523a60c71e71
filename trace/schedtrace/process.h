/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What one process printed, as plain data: snapshots of its scheduler in the order of their time,
 * each with the cycles of the collector since the one before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/schedtrace/envelope.h"
#include "trace/schedtrace/schedline.h"

/* Of a line as it was printed, so much is kept as a proof. */
#define PROCESS_TEXT_MAX 240

struct process_p {
    uint32_t queue, tick;
    uint32_t syscalltick; /* with details */
    uint32_t status;      /* with details */
    int64_t g; /* with details: the goroutine that its thread runs; -1: none, or not known */
};

/* Goroutines of a snapshot with details. */
struct process_gs {
    uint32_t n, runnable, running, syscall, waiting;
    uint32_t runnable_io; /* of the runnable: woken by the network */
    uint32_t waiting_io;  /* of the waiting: for the network */
    uint32_t assisting;   /* that mark for the collector, or wait for leave to allocate */
};

/* Cycles of the collector. */
struct process_gcs {
    uint64_t cycles, forced;
    double pause_max, pause_total; /* milliseconds; a cycle's pause is both of its stops together */
    double mark_total, assist_total;
    uint64_t before, peak, live; /* MB: of the first, of all, of the last */
    unsigned percent;            /* of the last */
    /* The one with the longest pause, and the one with most assists. */
    struct process_worst {
        uint64_t line;
        char text[PROCESS_TEXT_MAX];
    } longest, assisted;
    double assist_max;
};

struct snapshot {
    uint64_t line; /* of the log */
    uint64_t ms;
    struct schedline_head head;
    struct process_gcs *gcs; /* since the snapshot before; NULL: none */
    struct process_gs gs;
    bool has_gs;
    size_t bytes; /* of memory */
    char text[PROCESS_TEXT_MAX];
    struct process_p ps[]; /* head.n of them */
};

struct process {
    unsigned number; /* from 1, in the order in which they were met */
    char source[ENVELOPE_SOURCE_MAX];
    uint64_t first_line, last_line;
    uint64_t forgotten; /* snapshots that gave way to later ones */
    struct snapshot **list;
    size_t n, cap;
    struct process_gcs pending;           /* cycles behind the last snapshot */
    uint64_t last_cycle;                  /* 0: none was seen */
    double first_cycle_at, last_cycle_at; /* seconds */
    bool any_gc;
    bool needspinning, ticks; /* forms that tell of which Go it is */
};

/* How long is seen of it, in milliseconds. */
uint64_t process_window(const struct process *p);

/* What is between most of its snapshots, in milliseconds: the median; 0 of less than two. */
uint64_t process_interval(const struct process *p);

/* Whether its snapshots have details. When it panics the runtime prints some in any case. */
bool process_detailed(const struct process *p);

/* All cycles of the snapshots that are kept, and those behind them. */
void process_gcs(const struct process *p, struct process_gcs *ret);

/* Adds cycles to others that came before them. */
void process_gcs_add(struct process_gcs *to, const struct process_gcs *more);

/* The sum of all queues of a snapshot, with the global one. */
uint64_t snapshot_queued(const struct snapshot *s);

/* Threads that have no P and are not parked, as far as that can be told: in system calls or in C. */
uint32_t snapshot_in_calls(const struct snapshot *s);
