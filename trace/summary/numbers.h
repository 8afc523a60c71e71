/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All numbers of a trace, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/gotrace.h"
#include "trace/stack/stackclass.h"

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

/* The program's own code in a stack: its innermost frame, and the function behind it that leads to
 * the call site, or that it called there itself. Texts "" if there is none. */
struct summary_own {
    struct summary_frame at;
    const char *call;
};

struct summary_tally {
    uint64_t count;
    int64_t total;
    int64_t max;
};

/*
 * Where goroutines waited: the innermost frame outside of the runtime and of the packages that only
 * pass the wait on (sync, internal/…, syscall, and os, net, io for the network and syscalls).
 */
struct summary_site {
    struct summary_frame at;
    struct summary_own own; /* of all its stacks; with another, or another class, it is another */
    enum stack_class class; /* site */
    uint64_t count;         /* that ended, as Go's tools count them */
    int64_t total;
    int64_t max;
    struct summary_tally open;       /* had not ended when the trace did */
    struct summary_tally older;      /* ended; for an unknown reason, as they began before it */
    uint32_t n_stacks;               /* different stacks that lead here */
    const struct summary_frame *top; /* the stack with the largest total, innermost frame first */
    size_t n_top;
    int64_t top_total;
};

struct summary_sites {
    /* The largest total of all that a site has first, at most SUMMARY_SITES. Of waits and syscalls,
     * those that are meant to wait stand behind the others, at most SUMMARY_STANDING: those of
     * STACK_STANDING and STACK_RUNTIME. */
    struct summary_site *list;
    size_t n;
    uint64_t count; /* of all sites, in the list or not */
    int64_t total;
    struct summary_tally open; /* likewise */
    struct summary_tally older;
    struct summary_tally standing; /* of all these: what is meant to wait, and its count */
    uint64_t standing_open;        /* of which so many had not ended */
    uint64_t standing_left_out;    /* of left_out */
    uint64_t left_out; /* sites not in the list; the sums below include what has no site */
    uint64_t left_out_count;
    int64_t left_out_total;
};

#define SUMMARY_SITES 20
#define SUMMARY_STANDING 5

/* All of a site's waits, whether they ended or not. */
static inline struct summary_tally summary_site_all(const struct summary_site *s)
{
    return (struct summary_tally){s->count + s->open.count + s->older.count,
                                  s->total + s->open.total + s->older.total, 0};
}

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
    struct summary_class sleep[STACK_N_CLASSES];
};

/* From this length on, nanoseconds, a syscall is slow. */
#define SUMMARY_SLOW 50000000

/* What a goroutine did before it woke another one, if it was that which took the time. */
enum summary_before {
    SUMMARY_RAN,
    SUMMARY_IN_SYSCALL,
    SUMMARY_IN_NETWORK, /* waited for the network, */
    SUMMARY_ASLEEP,     /* slept, */
    SUMMARY_WAITED,     /* or waited for something else: `reason` */
    SUMMARY_N_BEFORE,
};

/* Who woke goroutines that waited, for a mutex or inside of the process in the service of a
 * request: for waits of at least a millisecond that another goroutine ended. Of waits for a mutex
 * for the whole trace, who seems to have it: then `at` is empty. */
struct summary_waker {
    struct summary_frame waiter; /* the call site that waited */
    enum stack_class class;      /* of the wait */
    struct summary_frame at;     /* where the other one woke it: where it unlocked, say */
    enum summary_before before;
    const char *reason;             /* the runtime's word for that wait; "" if it was none */
    struct summary_frame before_at; /* the call site of that; texts "" if it ran */
    const char *call; /* the function in which it was: syscall.Fdatasync, os.(*File).Read */
    uint64_t count;
    int64_t total; /* of the waits */
};

struct summary_wakers {
    struct summary_waker *list; /* the largest total first, at most SUMMARY_SITES */
    size_t n;
    int64_t lock[SUMMARY_N_BEFORE]; /* waits for mutexes by what holders did meanwhile */
};

/*
 * Waits inside of the process in the service of requests, and what else tells whether they are one.
 * Where it says `all`, waits that had not ended and those that began before the trace are in it.
 */
struct summary_inside {
    struct summary_class pool;  /* for a connection of a pool, also of who serves no request; all */
    struct summary_class limit; /* for a limiter or a semaphore; all */
    struct summary_class
        turn; /* in a region, for what one that does the same work gives back; whole */
    struct summary_class conn; /* for a connection of the HTTP client, of everyone; all */
    int64_t dials;             /* in which such connections were opened; all */
    struct summary_class send; /* sends to a channel; all */
    struct summary_class join; /* WaitGroup, Cond, errgroup; only whole waits, below alike */
    struct summary_class conditions_before; /* Cond: waits from before the trace that ended, */
    struct summary_class conditions_open;   /* those that did not end, */
    uint64_t conditions;                    /* all that ended, */
    uint64_t condition_bursts; /* and right after another one, in the same stack of one waker */
    struct summary_class receive;
    struct summary_class select;
    uint64_t select_bursts;  /* of select: that ended so */
    uint64_t receive_bursts; /* likewise */
    int64_t select_open;     /* time of those that are not whole */
    /* Waits for a channel in functions in which most waits ended as the one that was asked had worked
     * for it, as a worker or a batcher does; they are in none of the classes above. All. */
    struct summary_class answers;
    uint64_t flushes;  /* of answers that go on */
    uint64_t requests; /* waits for the next one, on connections that bring one after the other */
    struct summary_class asked; /* waits in requests for answers from the network */
    uint64_t accepts;           /* goroutines that accept connections for an unknown protocol */
    struct summary_sites sites; /* of all of these; whole waits */
};

/* Waits for the whole trace that nobody will end: for a mutex, or of a sender or a WaitGroup. */
struct summary_still {
    uint64_t locks;
    uint64_t sends;               /* of who serves no request */
    uint64_t sends_serving;       /* of who does */
    uint64_t sends_to_each_other; /* of sends: goroutines that one function began */
    uint64_t joins;               /* of who waits for such senders: WaitGroup, Cond, errgroup */
    uint64_t joins_serving;
    uint64_t doubtful; /* of all of these: somebody ran who may have what they wait for */
    struct summary_sites sites;
};

/* The longest syscall, or the longest time on a P without a pause. */
struct summary_longest {
    int64_t duration;
    int64_t g;
    int64_t p;               /* GOTRACE_NONE: of none */
    bool open;               /* the trace ended first */
    bool older;              /* it began before the trace */
    struct summary_frame at; /* texts "" if nothing is known of it */
    struct summary_own own;
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
    double over_1ms, over_10ms, over_100ms; /* shares of these waits */
    double runnable_mean;                   /* runnable goroutines, mean over the window */
    uint64_t runnable_max;
    int64_t overdue;           /* time: a goroutine had been runnable for SUMMARY_OVERDUE */
    int64_t overdue_with_idle; /* of that: a P was idle, without a thread */
    int64_t overdue_with_free; /* of that: a P had no goroutine, and perhaps no thread */
    int64_t overdue_lost;      /* P time: of free Ps, at most as many as overdue goroutines */
    int64_t overdue_idle_lost; /* likewise, but of idle Ps only */
    uint64_t overdue_count;    /* waits that lasted SUMMARY_OVERDUE or longer */
    uint64_t yields;           /* calls of runtime.Gosched, but for those of the runtime itself */
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

/* Times of over SUMMARY_HOLE in which no thread wrote an event, and nobody had anything to run. */
struct summary_holes {
    uint64_t count;
    int64_t total;
    int64_t longest;
};

struct summary_silences {
    /* Holes in which what comes regularly, such as a tick, did not come; and others after which many
     * goroutines were woken at once that mostly wait for a far shorter time. */
    struct summary_holes missed;
    struct summary_holes caught_up;
    uint64_t count;
    int64_t total;
    int64_t longest;
    struct summary_kept kept;
    int64_t goroutines;    /* time of goroutines that ran or were runnable meanwhile */
    uint64_t in_step;      /* that ended at the same point of a period of SUMMARY_PERIOD, */
    int64_t in_step_total; /* at which most of their time ended */
};

#define SUMMARY_SILENCE 40000000
#define SUMMARY_HOLE 100000000
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
    uint64_t files;      /* calls of package os, such as on files, whose purpose is not to wait: */
    int64_t files_total; /* from begin to end */
    int64_t sockets_total; /* likewise of calls on sockets, which never block: they use a CPU */
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

/*
 * The slowest of each kind. What was there when the trace began, and what was not over when it
 * ended, counts for the time within the trace. Waits whose purpose it is to wait (STACK_STANDING),
 * and those of the runtime's own goroutines, are left out, as such syscalls are.
 */
enum summary_slow {
    SUMMARY_SLOW_TASKS,
    SUMMARY_SLOW_REGIONS,
    SUMMARY_SLOW_LOCK,    /* waits for a mutex */
    SUMMARY_SLOW_CALL,    /* waits for the answer to a request of its own */
    SUMMARY_SLOW_REQUEST, /* any other wait in the service of a request */
    SUMMARY_SLOW_CHANNEL, /* waits for a channel, select, WaitGroup or Cond */
    SUMMARY_SLOW_NETWORK, /* other waits for the network */
    SUMMARY_SLOW_UNKNOWN, /* waits that began before the trace and whose stack tells nothing */
    SUMMARY_SLOW_SYSCALLS,
    SUMMARY_SLOW_RUNS,      /* of a goroutine on a P, without a pause; no mark worker */
    SUMMARY_SLOW_LATENCIES, /* from runnable to running */
    SUMMARY_SLOW_PAUSES,    /* of the world */
    SUMMARY_N_SLOW,
};

#define SUMMARY_SLOWEST 10

/* The ids of a distributed trace that a program logged to a task. */
enum summary_id { SUMMARY_TRACE_ID, SUMMARY_SPAN_ID, SUMMARY_TRACEPARENT, SUMMARY_N_IDS };

#define SUMMARY_ID_SIZE 65 /* 64 printable characters and a zero */

/*
 * What the time of a task was made of, summed over all goroutines that worked for it, so that it
 * may be more than the task lasted. See trace/summary/tasks.h for who works for a task.
 */
struct summary_work {
    int64_t running;
    int64_t runnable;
    int64_t syscall;
    int64_t standing;                 /* in waits and syscalls whose purpose it is to wait */
    int64_t assist;                   /* in mark assist, which is also in one of the others */
    int64_t other;                    /* waits for reasons that are not in the list */
    const struct summary_wait *waits; /* the largest total first; `count` and `max` are 0 */
    size_t n_waits;
    const char *ids[SUMMARY_N_IDS]; /* NULL: none was logged */
};

struct summary_outlier {
    int64_t at; /* since the trace's start */
    int64_t duration;
    int64_t g;                 /* GOTRACE_NONE: of none */
    const char *name;          /* the type, or the runtime's reason; may be "" */
    struct summary_frame site; /* texts "" if nothing is known of it */
    struct summary_own own;
    bool open;                       /* not over when the trace ended */
    bool at_start;                   /* there before the trace */
    uint64_t task;                   /* of tasks: the number, */
    uint64_t parent;                 /* the parent's, GOTRACE_NONE if there is none, */
    const struct summary_work *work; /* and what was done; NULL: it was not followed */
};

struct summary_slowest {
    struct summary_outlier *list; /* the longest first */
    size_t n;
    /* Waits that lasted for the whole window, and are in no list: their stacks do not tell whether
     * anybody waits for them to be over. */
    uint64_t standing;
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
    /* With what had not ended, and what was for an unknown reason where the stack tells it. */
    struct summary_sites sites[SUMMARY_N_PROFILES];
    struct summary_sites samples; /* CPU samples by lines of the program's own code, if any */
    /* As `sites`, but of SYNC only STACK_LOCK and STACK_CALL, of NET and SYSCALL all classes outside
     * of STACK_STANDING. */
    struct summary_sites delays[SUMMARY_N_PROFILES];
    struct summary_sites open[SUMMARY_N_OPEN]; /* alone, as if it were a profile */
    struct summary_sites slow;  /* syscalls of SUMMARY_SLOW and longer that are not meant to wait */
    struct summary_sites syncs; /* syscalls that make files last: fsync and its like */
    int64_t syncs_slow;         /* of their time: is in `slow`, too */
    struct summary_sites
        forced; /* collections at the program's wish: who called for them; a count */
    struct summary_wakers wakers;
    struct summary_inside inside;
    struct summary_still still;
    struct summary_sites sleeps; /* time.Sleep */
    struct summary_sites
        timer_funcs;             /* functions that got a goroutine from time.AfterFunc: count */
    struct summary_sites yields; /* runtime.Gosched; the time is that until the next run */
    struct summary_sites woken_together; /* by sync.Cond.Broadcast; likewise */
    /* By whatever, many together, of whom most waited again at the same place, with nothing done that
     * shows; likewise. */
    struct summary_sites woken_for_nothing;
    /* Turns of goroutines that wait for short times, again and again at the same place, and that
     * another goroutine did not wake, with nothing done that shows: by where they wait. */
    struct summary_sites vain;
    /* Turns, up to where the runtime interrupted them, of functions that do little but ask: for a
     * channel, an atomic variable, a mutex that may be taken. */
    struct summary_sites asking;
    struct summary_sites dials;        /* new TCP connections to others, in setNoDelay: a count */
    struct summary_sites failed_dials; /* new connections that failed, in close */
    /* Ends of regions that are not the goroutine's innermost one, or not its own: count only. */
    struct summary_sites misnested;
    struct summary_slowest slowest[SUMMARY_N_SLOW];
    uint64_t lost_tasks;      /* of which no work is known, as too many were open at once */
    uint64_t lost_workers;    /* times a goroutine's work for a task was not summed up, likewise */
    uint64_t lost_goroutines; /* not followed, as there were too many at once */
    uint64_t lost_stacks;     /* of which only the site was kept, as there were too many */
    struct summary_arena *arena; /* holds all lists and texts above */
};
