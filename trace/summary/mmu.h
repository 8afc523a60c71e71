/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The minimum mutator utilisation for windows of several lengths: of all windows of a length within
 * the trace, the one in which the program itself got the smallest share of its Ps. The result is
 * the same as that of MMUCurve in Go's internal/trace/gc.go, but is computed in one pass. The mean
 * over a window is a piecewise linear function of the window's position. So its minimum is at a
 * position where one edge of the window meets a change, and to look at each such position once only
 * the changes within the last window need to be kept.
 *
 * Until mmu_release all changes are held back, so that they can still be corrected if the first
 * generation tells late how things were at its beginning.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/memory.h"

#define MMU_WINDOWS 3

/* Bounds on memory. Beyond them the result is no longer exact. Powers of two. */
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

    struct mmu_point *ring; /* points, by their number modulo ring_size, a power of two */
    size_t ring_size;
    uint64_t n;    /* points so far; the last is n - 1 */
    uint64_t tail; /* the oldest point that is still kept */
    int64_t start;
    int64_t windows[MMU_WINDOWS]; /* ascending */
    uint64_t next[MMU_WINDOWS];   /* the first point whose window is not over yet */
    double least[MMU_WINDOWS];    /* utilised nanoseconds in the worst window */
};

void mmu_init(struct mmu *m, struct memory *mem, const int64_t windows[MMU_WINDOWS]);
void mmu_done(struct mmu *m);

/* GOMAXPROCS from this time on. */
int mmu_set_procs(struct mmu *m, int64_t time, int64_t n);

/* The utilisation from this time on. Times must not decrease. Errors of memory.h. */
int mmu_add(struct mmu *m, int64_t time, double util);

/* Only before mmu_release: corrects the changes so far, because it turned out that one more P had
 * worked for the GC since the trace began. */
void mmu_deduct(struct mmu *m);

int mmu_release(struct mmu *m);

/*
 * The trace ends. Writes the minimum for each window and the mean over the trace; -1 where nothing
 * is known. For a window longer than the trace the minimum is the mean. as_go: if the utilisation
 * fell to 0 and did not rise again, the trace ends where it fell, as in Go's computation.
 */
int mmu_finish(struct mmu *m, int64_t time, bool as_go, double ret[MMU_WINDOWS], double *ret_mean);
