/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The minimum mutator utilisation of windows of several lengths: of all windows of that length
 * within the trace the one in which the program itself got the least of its Ps. The result is that
 * of MMUCurve in Go's internal/trace/gc.go, computed in passing: the mean over a window is piecewise
 * linear in where the window stands, so its minimum is where one of its edges meets a change, and
 * it takes no more than the changes of the last window to look at each such place once.
 *
 * Until mmu_release all changes are held back: what the first generation tells late about its
 * beginning can still be put right.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define MMU_WINDOWS 3

/* The bounds of memory; past them the result is no longer exact. Powers of two. */
#define MMU_MAX_HELD (1U << 17)
#define MMU_MAX_RECENT (1U << 17)
#define MMU_MAX_PROCS_CHANGES 4096

struct mmu_point {
    int64_t time;
    double util; /* from this time on */
    double sum;  /* utilised nanoseconds before it */
};

struct mmu_procs {
    int64_t time;
    int64_t n;
};

struct mmu {
    struct memory *mem;
    bool released;
    bool inexact;
    struct mmu_point *held;
    size_t held_cap;
    size_t n_held;
    struct mmu_procs *procs; /* GOMAXPROCS until mmu_release */
    size_t procs_cap;
    size_t n_procs;

    struct mmu_point *ring; /* a power of two, by number modulo that */
    size_t ring_size;
    uint64_t n;    /* points so far; the last is n - 1 */
    uint64_t tail; /* the oldest that is still there */
    int64_t start;
    int64_t windows[MMU_WINDOWS]; /* ascending */
    uint64_t next[MMU_WINDOWS];   /* the first whose window is not over yet */
    double least[MMU_WINDOWS];    /* utilised nanoseconds in the worst window */
    double whole;                 /* mean utilisation, after mmu_finish */
};

void mmu_init(struct mmu *m, struct memory *mem, const int64_t windows[MMU_WINDOWS]);
void mmu_done(struct mmu *m);

/* GOMAXPROCS from this time on. */
int mmu_set_procs(struct mmu *m, int64_t time, int64_t n);

/* The utilisation from this time on; times rise. Errors of memory.h. */
int mmu_add(struct mmu *m, int64_t time, double util);

/* Before mmu_release: one P was at work for the GC all the time until now, unknown to us. */
void mmu_deduct(struct mmu *m);

int mmu_release(struct mmu *m);

/*
 * The trace ends. Writes the minimum for each window, -1 where nothing is known, and the mean over
 * the trace. A window longer than the trace is as long as the trace. as_go: as in Go's, the trace
 * ends where the utilisation fell to 0, if it did not rise again.
 */
int mmu_finish(struct mmu *m, int64_t time, bool as_go, double ret[MMU_WINDOWS], double *ret_mean);
