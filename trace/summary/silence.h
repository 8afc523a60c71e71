/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Silences: times of over SUMMARY_SILENCE in which no thread writes an event although the program
 * has something to run. sysmon, the runtime's monitoring thread, has a goroutine interrupted that
 * runs for 10 ms, and that is an event: so either the host keeps the process from running, or a
 * computation cannot be interrupted. A CPU quota ends them on a grid: at the next period's begin.
 * The memory is fixed, however many there are.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/summary/numbers.h"

/* The latest silences are remembered one by one, to be taken off the runs that they interrupt. */
#define SILENCE_RECENT 64
#define SILENCE_RING (SILENCE_RECENT + 1) /* so that the last one can be taken back */

/* A period is cut into so many parts, by which the ends of silences are counted; as many
 * neighbouring parts are one point in it. A thread that may run again needs a little time until it
 * writes an event. */
#define SILENCE_PARTS 20
#define SILENCE_POINT 3

/* A quota stops a process that has run. So of those that may be one computation after the other,
 * none is counted by its end that begins less than this after the end of the one before. */
#define SILENCE_APART 8000000

/*
 * Where there are many more threads than CPUs, each waits for the others, and so does sysmon: in that
 * time it notes a run, interrupts it one turn later, and the goroutine must have a turn, too. So
 * nothing is the host's doing that is not longer than this for each goroutine.
 */
#define SILENCE_TURN 20000000

/* Threads that compute on a busy host have their turns of some 3 ms, but sysmon may find none in which
 * it sees them. With 40 threads for each CPU a turn comes within this time; so a silence in which
 * goroutines only ran is the host's doing from here on. */
#define SILENCE_SHARED 125000000

/* Beside a free P, so long a silence is no part of the run of a goroutine that runs alone. */
#define SILENCE_ALONE 100000000

/* The tracer and the collector begin new phases so shortly after all goroutines stopped for it. */
#define SILENCE_DOUBT 20000000

/* What should have come within a hole comes within this time after it; so many at once catch up. */
#define SILENCE_LATE 2000000
#define SILENCE_CAUGHT_UP 4

/* A time in which nobody had anything to run. */
struct silence_hole {
    int64_t from;
    int64_t to;
    uint32_t late; /* what came right after it and should have come within it */
    bool missed;   /* and of that: comes regularly */
};

struct silence {
    int64_t from;
    int64_t to;
    int64_t running;  /* goroutines, without the collector's workers */
    int64_t runnable; /* goroutines */
    int64_t free;     /* Ps on which nobody runs */
    bool stopped;     /* the world is */
    bool queued;      /* goroutines are runnable, and no P is without one, as for procs.queued */
};

struct silences {
    /* A ring of those that are no part of the runs they interrupt. */
    struct {
        int64_t from;
        int64_t to;
    } recent[SILENCE_RING];
    struct silence_hole hole; /* the last one */
    int64_t last_to;          /* the end of the last one */
    bool doubtful;            /* it may have to be taken back */
    struct summary_kept without;
    uint64_t n_recent; /* since the begin */
    struct {
        uint64_t count;
        int64_t total;
    } parts[SILENCE_PARTS]; /* silences by the part of the period that they end in, as above */
};

/* Adds a silence. Their times ascend. */
void silences_add(struct silences *s, const struct silence *one, struct summary_silences *sums);

/* Right after a hole, something comes that should have come within it; regular: as it comes at regular
 * times. What comes later than that is left out. */
void silences_late(struct silences *s, bool regular, int64_t time, struct summary_silences *sums);

/*
 * A generation or a pause of the world begins, or the trace ends. If a silence in which no more than
 * two goroutines ran has only just ended, one of them may have waited, within the runtime, for the
 * other to stop; such a wait cannot be told from running. So it may have been a computation that
 * cannot be interrupted after all.
 */
void silences_phase(struct silences *s, int64_t time, struct summary_silences *sums);

/* How much of the time up to now was in silences that are no part of a run, as far as they are
 * remembered. */
int64_t silences_since(const struct silences *s, int64_t from);

/* How many ended at the point of the period at which most of their time ended. */
void silences_finish(const struct silences *s, struct summary_silences *sums);
