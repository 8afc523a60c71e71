/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All numbers of a trace, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/summary/stackclass.h"

/*
 * Percentiles are nearest-rank: the smallest value that at least p of all values do not exceed.
 * `exact` until there are too many values to be kept; then they are within 0.4 %, and the largest,
 * the count and the total are still exact.
 */
struct summary_times {
    uint64_t count;
    int64_t total;
    int64_t p50;
    int64_t p90;
    int64_t p99;
    int64_t p999;
    int64_t max;
    bool exact;
};

/* One line of a table, for a reason or a type. */
struct summary_row {
    const char *name;
    struct summary_times times;
    uint64_t open;      /* not ended at the trace's end (tasks, regions), or of unknown beginning */
    uint64_t misnested; /* regions that were not the innermost one when they ended */
    bool grouped;       /* stands for many names that differ only in numbers, shown as N */
};

/* The sum of the names that have no row because there are too many. */
struct summary_left_out {
    uint64_t names;
    uint64_t count;
    int64_t total;
    int64_t max;
    uint64_t open;
};

struct summary_rows {
    struct summary_row *list; /* the largest total first */
    size_t n;
    struct summary_left_out left_out;
};

struct summary_frame {
    const char *func;
    const char *file;
    uint64_t line;
};

/*
 * Where goroutines waited: the innermost frame outside of the runtime and of the packages that only
 * pass the wait on (sync, internal/…, syscall, and os, net, io for the network and syscalls).
 */
struct summary_site {
    struct summary_frame at;
    enum stack_class class; /* of all its stacks; with another class it is another site */
    uint64_t count;
    int64_t total;
    int64_t max;
    uint32_t n_stacks;               /* different stacks that lead here */
    const struct summary_frame *top; /* the stack with the largest total, innermost frame first */
    size_t n_top;
    int64_t top_total;
};

struct summary_sites {
    struct summary_site *list; /* the largest total first, at most SUMMARY_SITES */
    size_t n;
    uint64_t count; /* of all sites, in the list or not */
    int64_t total;
    uint64_t left_out; /* sites not in the list; the sums below include what has no site */
    uint64_t left_out_count;
    int64_t left_out_total;
};

#define SUMMARY_SITES 20

/* The profiles of `go tool trace -pprof=`, CPU samples (count only), and mark assist. */
enum summary_profile {
    SUMMARY_SCHED,   /* runnable; the site is where the goroutine was made runnable */
    SUMMARY_SYNC,    /* waiting for a channel, select, or a primitive of sync */
    SUMMARY_NET,     /* waiting for the network */
    SUMMARY_SYSCALL, /* in a syscall */
    SUMMARY_CPU,     /* CPU samples; the site is the innermost frame itself */
    SUMMARY_ASSIST,  /* in mark assist; the site is where it allocates. Go has no such profile */
    SUMMARY_N_PROFILES,
};

/* Waits and syscalls that had not ended when the trace did. Those that were there when it began
 * count from its beginning. */
enum summary_open {
    SUMMARY_OPEN_SYNC,    /* as SUMMARY_SYNC, */
    SUMMARY_OPEN_NET,     /* SUMMARY_NET */
    SUMMARY_OPEN_SYSCALL, /* and SUMMARY_SYSCALL */
    SUMMARY_OPEN_UNKNOWN, /* for the whole trace: their reason is not told, only their stack */
    SUMMARY_N_OPEN,
};

/* The waits for one reason, summed over all goroutines. */
struct summary_wait {
    const char *reason; /* the runtime's word; "" if it began before the trace */
    uint64_t count;     /* that began within the trace */
    int64_t total;
    int64_t max;
};

/* Waits or syscalls of one class of stacks. `whole`: of those that began and ended within the
 * trace. */
struct summary_class {
    uint64_t count;
    int64_t total;
    uint64_t whole;
    int64_t whole_total;
    int64_t max;
};

struct summary_classes {
    struct summary_class sync[STACK_N_CLASSES]; /* includes channels and select, as SUMMARY_SYNC */
    struct summary_class network[STACK_N_CLASSES];
    struct summary_class syscall[STACK_N_CLASSES];
    struct summary_class unknown[STACK_N_CLASSES]; /* waits that began before the trace */
};

/* The longest syscall, or the longest time on a P without a pause. */
struct summary_longest {
    int64_t duration;
    int64_t g;
    int64_t p;               /* GOTRACE_NONE: of none */
    bool open;               /* the trace ended first */
    struct summary_frame at; /* texts "" if nothing is known of it */
};

struct summary_proc {
    int32_t p;
    int64_t running;         /* it had a thread */
    int64_t executing;       /* a goroutine ran on it */
    int64_t in_syscall;      /* its goroutine was in a syscall and still held the P */
    int64_t longest_run;     /* of one goroutine, without a pause */
    int64_t longest_syscall; /* that held it */
    uint64_t steals;         /* out of syscalls */
};

struct summary_events {
    uint64_t total;
    uint64_t by_type[256]; /* enum gotrace_type */
    uint64_t by_kind[16];  /* enum gotrace_kind; GOTRACE_GO_STATE counts both kinds of states */
};

/* Goroutines. */
struct summary_goroutines {
    uint64_t at_start; /* older than the trace */
    uint64_t created;
    uint64_t ended;
    uint64_t at_end;
    uint64_t max_alive;

    /* Times in states, summed over goroutines. */
    int64_t running;
    int64_t runnable;
    int64_t in_syscall;         /* with and without a P */
    int64_t syscall_blocked;    /* of that: without a P, as it was taken away or there was none */
    int64_t waiting;            /* all reasons */
    struct summary_wait *waits; /* the largest total first */
    size_t n_waits;
};

/* Times from runnable to running. Goroutines that were runnable before the trace began are not
 * counted. */
struct summary_scheduler {
    struct summary_times latency;
    double runnable_mean; /* runnable goroutines, mean over the window */
    uint64_t runnable_max;
    int64_t overdue;           /* time: a goroutine had been runnable for SUMMARY_OVERDUE */
    int64_t overdue_with_idle; /* of that: a P was idle, without a thread */
    int64_t overdue_with_free; /* of that: a P had no goroutine, and perhaps no thread */
    int64_t overdue_lost;      /* P time: of free Ps, at most as many as overdue goroutines */
    int64_t overdue_idle_lost; /* likewise, but of idle Ps only */
    uint64_t overdue_count;    /* waits that lasted SUMMARY_OVERDUE or longer */
    uint64_t yields;           /* calls of runtime.Gosched */
    uint64_t by_runtime; /* waits of those that the runtime made runnable: by a timer or for I/O */
};

#define SUMMARY_OVERDUE 10000
#define SUMMARY_ALIVE 50000000

struct summary_procs {
    int64_t min; /* GOMAXPROCS */
    int64_t max;
    int64_t last;
    double mean;
    uint64_t changes;
    int64_t available;  /* GOMAXPROCS × time: what the shares below are of */
    int64_t running;    /* P time with a thread */
    int64_t executing;  /* P time with a goroutine that runs */
    int64_t in_syscall; /* P time held by a goroutine in a syscall */
    double running_share;
    double executing_share;
    double idle_share; /* without a thread */
    double gc_share;   /* taken from the mutator by the GC: 1 − mean utilisation */
    int64_t all_busy;  /* time in which every P had a goroutine, running or in a syscall */
    int64_t queued;    /* of that: goroutines were runnable, and no P merely ran a GC idle worker */
    uint64_t steals;   /* Ps taken out of syscalls */
    struct summary_proc *list; /* by number */
    size_t n;
    uint64_t other; /* events of Ps that have no place in the list */
};

/*
 * Times of over SUMMARY_SILENCE in which no thread wrote an event although a goroutine ran or was
 * runnable. `kept`: of those, such that the host must have kept the process from running; one that
 * is not may be a computation that cannot be interrupted.
 */
struct summary_kept {
    uint64_t count;
    int64_t total;
    int64_t longest;
    int64_t queued;   /* of the total: every P was busy, and goroutines were runnable */
    int64_t runnable; /* time of goroutines that were runnable */
};

struct summary_silences {
    uint64_t count;
    int64_t total;
    int64_t longest;
    struct summary_kept kept;
    int64_t goroutines;    /* time of goroutines that ran or were runnable meanwhile */
    uint64_t in_step;      /* that ended at the same point of a period of SUMMARY_PERIOD, */
    int64_t in_step_total; /* at which most of their time ended */
};

#define SUMMARY_SILENCE 40000000
#define SUMMARY_PERIOD 100000000 /* of CPU quotas, unless somebody chose another */

/* Runs on a P without a pause of over SUMMARY_LONG_RUN; no mark workers, and without the silences
 * in which the host kept the process from running. */
struct summary_long_runs {
    uint64_t count;
    int64_t total;
};

#define SUMMARY_LONG_RUN 100000000

struct summary_syscalls {
    uint64_t count;               /* that began within the trace */
    uint64_t blocked;             /* whose goroutine lost its P */
    struct summary_times times;   /* from begin to end, both within the trace */
    uint64_t max_at_once;         /* goroutines in syscalls */
    uint64_t max_blocked_at_once; /* of those, without a P: each needs its own thread */
    struct summary_longest longest;
    struct summary_longest longest_active; /* the longest of those whose purpose is not to wait */
};

/* Goroutines that were created by one `go` statement within the trace. */
struct summary_origin {
    struct summary_frame at;
    uint64_t created;
    uint64_t ended; /* of these */
};

#define SUMMARY_ORIGINS 5
#define SUMMARY_QUARTERS 4

/*
 * Where goroutines came from that were there when the trace ended, and what those of the first
 * origin waited for then: at the site where most of them did.
 */
struct summary_growth {
    struct summary_origin list[SUMMARY_ORIGINS]; /* the one that most are left of first */
    size_t n;
    const char *reason; /* the runtime's word for that wait */
    bool blocked;       /* by a channel, a select or a primitive of sync: neither I/O nor a sleep */
    struct summary_frame waits_at;
    enum stack_class class;
    uint64_t waiting;                    /* so many of the first origin wait there */
    int64_t waited;                      /* and for so long, all together */
    uint64_t quarters[SUMMARY_QUARTERS]; /* of these: created in each quarter of the window */
    uint64_t waits_over; /* waits there that ended within the trace, whoever waited */
    /* Goroutines that are older than the trace: so many wait there, too; so many wait, but the trace
     * does not say where; and so many ended. */
    uint64_t older_waiting;
    uint64_t older_untold;
    uint64_t older_ended;
    uint64_t in_network; /* goroutines of any origin that waited for the network at the end */
};

struct summary_mmu {
    int64_t window;
    double utilisation; /* 0 to 1, -1: the trace is too short, or says nothing of GOMAXPROCS */
};

struct summary_gc {
    uint64_t cycles; /* mark phases, including those that the trace's ends cut off */
    int64_t mark;    /* time in them */
    int64_t mark_max;
    struct summary_times stw; /* all pauses */
    struct summary_rows stw_by_reason;
    uint64_t assists;
    int64_t assist;           /* time in mark assist, running or not, as in Go's Summarizer */
    int64_t assist_executing; /* of that: running */
    double assist_share;      /* of all running time of goroutines */
    int64_t assist_max;
    int64_t worker; /* running time of background mark workers (not the idle ones) */
    int64_t idle_worker;
    uint64_t sweeps;
    uint64_t swept_bytes;
    uint64_t reclaimed_bytes;
    struct summary_mmu mmu[3]; /* 1, 10 and 100 ms */
    double mean_utilisation;   /* of the mutator; -1 if unknown */
    /* The same as Go's tools compute it: after a mark worker's second run on a P they go on
     * counting that P as the GC's, and their curve ends where they have no P left. */
    struct summary_mmu go_mmu[3];
    double go_mean_utilisation;
    bool mmu_exact;    /* memory sufficed for all changes within a window */
    uint64_t heap_max; /* bytes of live and unswept objects; 0: the trace does not say */
    uint64_t heap_goal_max;
};

struct summary_threads {
    uint64_t seen;     /* different Ms */
    uint64_t in_first; /* of those, in the first generation */
};

struct summary {
    unsigned version; /* 22 for `go 1.22 trace` */
    bool complete;    /* read to its end */
    int code;         /* otherwise: the reader's error, */
    uint64_t offset;  /* where, */
    char why[200];    /* and what */
    double covered;   /* the share of the trace's time that all numbers rest on: 1 if complete */
    int64_t spans;    /* the trace's time, as far as it is known; the window if complete */
    uint64_t bytes;   /* of the trace, as far as it could be read */
    uint64_t generations;
    int64_t start;      /* the first event's time */
    int64_t window;     /* from the first event to the last */
    int64_t wall_start; /* nanoseconds since 1970, 0 if the trace does not tell (Go 1.25 does) */
    struct summary_events events;
    struct summary_procs procs;
    struct summary_goroutines goroutines;
    struct summary_growth growth;
    struct summary_scheduler scheduler;
    struct summary_syscalls syscalls;
    struct summary_classes classes;
    struct summary_longest longest_run; /* one goroutine on a P without a pause; no mark worker */
    /* The longest run during which other goroutines kept changing their states, one every
     * SUMMARY_ALIVE on average. Without such changes the whole process may have been kept from
     * running; silences in which it was are no part of the duration. */
    struct summary_longest longest_hold;
    struct summary_long_runs long_runs;
    struct summary_silences silences;
    struct summary_gc gc;
    struct summary_threads threads;
    struct summary_rows tasks;   /* by type; times of those that began and ended in the trace */
    struct summary_rows regions; /* likewise */
    struct summary_sites sites[SUMMARY_N_PROFILES];
    /* Likewise, but of SYNC only STACK_LOCK and STACK_CALL, of NET and SYSCALL all classes outside
     * of STACK_STANDING. */
    struct summary_sites delays[SUMMARY_N_PROFILES];
    struct summary_sites open[SUMMARY_N_OPEN]; /* they are in no profile */
    struct summary_sites sleeps;               /* time.Sleep */
    struct summary_sites
        timer_funcs;             /* functions that got a goroutine from time.AfterFunc: count */
    struct summary_sites yields; /* runtime.Gosched; the time is that until the next run */
    struct summary_sites woken_together; /* by sync.Cond.Broadcast; likewise */
    struct summary_sites dials;          /* new TCP connections to others, in setNoDelay: a count */
    struct summary_sites failed_dials;   /* new connections that failed, in close */
    /* Ends of regions that are not the goroutine's innermost one, or not its own: count only. */
    struct summary_sites misnested;
    uint64_t lost_goroutines;    /* not followed, as there were too many at once */
    uint64_t lost_stacks;        /* of which only the site was kept, as there were too many */
    struct summary_arena *arena; /* holds all lists and texts above */
};
