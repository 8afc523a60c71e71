/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The state while a summary is made: of each goroutine and proc, and all sums so far. Private to
 * summary*.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/common/handles.h"
#include "trace/summary/histogram.h"
#include "trace/summary/mmu.h"
#include "trace/summary/numbers.h"
#include "trace/summary/outliers.h"
#include "trace/summary/silence.h"
#include "trace/summary/sites.h"
#include "trace/summary/tasks.h"
#include "trace/common/texts.h"
#include "trace/summary/types.h"
#include "trace/summary/wakers.h"

/* Bounds, beside those of the tables. What exceeds them is only counted, or is left out and
 * reported so. */
#define ACCUMULATOR_MAX_MEMORY (70U << 20)
#define ACCUMULATOR_MAX_GOROUTINES (1U << 18)
#define ACCUMULATOR_MAX_PROCS 4096   /* that are followed */
#define ACCUMULATOR_MOST_PROCS 65536 /* that GOMAXPROCS may say */
#define ACCUMULATOR_MAX_REASONS 256
#define ACCUMULATOR_MAX_OPEN 65536 /* regions */
#define ACCUMULATOR_MAX_THREADS (1U << 17)

#define ACCUMULATOR_CELLS 64 /* with fewer busy Ps, times are added to cells first */

#define ACCUMULATOR_MAX_SPAN (INT64_C(1) << 44)
#define ACCUMULATOR_MAX_TIME (INT64_C(1) << 61)

#define ACCUMULATOR_KEPT_LATENCIES (1U << 20)
#define ACCUMULATOR_KEPT_SYSCALLS (1U << 18)
#define ACCUMULATOR_KEPT_PAUSES 4096

/* Flags of a goroutine beside its state. */
enum {
    ACCUMULATOR_UNKNOWN_START = 1, /* the state was there when the trace began */
    ACCUMULATOR_OVERDUE = 2,       /* runnable for long */
    ACCUMULATOR_ASSIST = 4,        /* in mark assist */
    ACCUMULATOR_WORKER = 8,        /* runs as mark worker, */
    ACCUMULATOR_IDLE_WORKER = 16,  /* or as an idle one, which takes only what nobody else wants */
    ACCUMULATOR_OF_GC = 32,        /* is counted in gc_procs now */
    ACCUMULATOR_GO_ASSIST = 64,    /* what Go's MutatorUtilizationV2 knows of it */
    ACCUMULATOR_GO_WORKER = 128,
};

/* What decides whether a goroutine's next change is a common case, to be compared at once. */
union accumulator_condition {
    struct {
        uint8_t state; /* enum gotrace_go_state */
        uint8_t flags;
        uint16_t worker; /* of tasks.h: it works for a task; 0: for none */
    };
    uint32_t all;
};

/* One cache line. */
struct accumulator_go {
    int64_t id;
    int64_t since; /* in this state */
    union {
        struct { /* runnable: the list of runnable goroutines, the longest waiting first */
            struct accumulator_go *next;
            struct accumulator_go *prev;
        };
        int64_t blocked_since; /* in a syscall: without a P */
        uint32_t changes;      /* running: n_changes when it began */
    };
    int64_t assist_since;
    union {
        uint32_t assist_stack; /* in mark assist */
        uint32_t again; /* else: where it waited last, as long as it did nothing that shows since */
    };
    uint32_t stack;   /* where the state began */
    uint32_t regions; /* the innermost open region, plus 1 */
    int16_t p;        /* held, or GOTRACE_NONE */
    uint16_t reason;  /* of waiting */
    uint16_t creator; /* the stack of the `go` statement */
    uint8_t go_state; /* as MutatorUtilizationV2 knows it */
    uint8_t created;  /* within the trace: when, in ACCUMULATOR_SLOT, plus 1; 0: before */
    union {
        struct { /* as in union accumulator_condition */
            uint8_t state;
            uint8_t flags;
            uint16_t worker;
        };
        union accumulator_condition is;
    };
};

/* In `again`: it made one syscall since. */
#define ACCUMULATOR_CALLED (1U << 31)

/* From this length on, nanoseconds, a wait or a syscall is kept as a goroutine's past. */
#define ACCUMULATOR_LONG 1000000
/* A syscall for which a mutex may be held again and again. */
#define ACCUMULATOR_CALL 100000

#define ACCUMULATOR_WOKE 2 /* places where it wakes others */

/* What a goroutine did last that took long. */
struct accumulator_past {
    int64_t id; /* of the goroutine; of another one: nothing is known */
    int64_t since;
    int64_t end;
    /* The last times that it woke one of those that are followed, at two places; 0: none. */
    int64_t woke[ACCUMULATOR_WOKE];
    uint32_t woke_at[ACCUMULATOR_WOKE]; /* stacks */
    int64_t asked; /* whom it woke last, in a request, for the sake of it; 0: nobody */
    uint32_t stack;
    uint32_t before; /* enum summary_before */
    uint32_t reason; /* text */
    /* Syscalls of ACCUMULATOR_CALL since then: all of them, and the longest. */
    int64_t calls;
    int64_t longest_call;
    uint32_t call_stack;
};

/* 67 ms; the last slot stands for all that follow. */
#define ACCUMULATOR_SLOT 26 /* bits */
#define ACCUMULATOR_LAST_SLOT 254

/* Conditions on all Ps together; time is summed up by each combination. */
enum {
    ACCUMULATOR_ALL_BUSY = 1, /* no P without a goroutine */
    ACCUMULATOR_QUEUED = 2, /* all Ps are busy, not with idle workers; goroutines queue; no pause */
    ACCUMULATOR_LATE = 4,   /* a goroutine has been runnable for SUMMARY_OVERDUE */
    ACCUMULATOR_WITH_IDLE = 8,  /* ACCUMULATOR_LATE, and a P has no thread */
    ACCUMULATOR_WITH_FREE = 16, /* ACCUMULATOR_LATE, and a P could run that goroutine */
    ACCUMULATOR_N_SO = 32,
};

struct accumulator_proc {
    int64_t since;             /* running */
    struct accumulator_go *go; /* the goroutine that runs on it, or holds it in a syscall */
    struct summary_proc sums;
    int32_t gc; /* as MutatorUtilizationV2 counts */
    uint8_t state;
    bool known;
};

/* Why goroutines wait. */
struct accumulator_reason {
    uint32_t text;
    uint8_t column; /* of sites_add: enum summary_profile, SITES_UNKNOWN or SITES_NOTHING */
    bool forever;   /* such a goroutine counts as ended, as in Go's tools */
    uint8_t sort;   /* enum outliers_reason */
    bool placed;    /* the goroutine's stack is kept */
    bool yields;    /* of a stop: runtime.Gosched */
    struct summary_class *classes; /* the summary's, or NULL */
    uint64_t count;
    int64_t total;
    int64_t max;
};

/* A region that has not ended. */
struct accumulator_open {
    int64_t since;
    uint32_t type; /* a row of region_types, held */
    uint32_t next; /* the goroutine's next outer region, plus 1; or the next free place */
    uint32_t task; /* the goroutine began to work for it here, a reference of tasks.h; 0: it did not
                    */
    uint32_t before; /* what it worked for before */
};

struct accumulator_pool {
    struct accumulator_open *list;
    size_t cap;
    uint32_t n;
    uint32_t free; /* plus 1 */
};

/* A cache of goroutines that were looked up lately, by the last bits of their number. */
#define ACCUMULATOR_RECENT 1024
struct accumulator_recent {
    int64_t id;
    struct accumulator_go *go; /* NULL: none */
};

struct accumulator {
    struct memory mem;
    struct gotrace *trace;
    struct summary *out;
    const struct watcher *watcher; /* or NULL */
    struct texts texts;
    struct sites sites;
    uint64_t seed;

    /* Where the pass is. */
    int64_t first;
    int64_t last;
    int64_t sync; /* the present generation's beginning */
    uint64_t n_sync;
    bool begun;
    struct silences silences;
    struct {
        struct silences silences;
        struct summary_silences sums;
    } before_silence; /* the last one */

    /* Goroutines, in chunks that never move. */
    struct idmap go_ids; /* to the place in chunks */
    struct accumulator_go **chunks;
    size_t chunks_cap;
    uint32_t n_places;
    uint32_t *free; /* places */
    size_t free_cap;
    uint32_t n_free;
    struct accumulator_recent recent[ACCUMULATOR_RECENT];
    int64_t alive; /* goroutines created in the trace, less those that ended */
    int64_t alive_max;

    struct accumulator_past *pasts; /* by place */
    size_t pasts_cap;
    uint32_t n_pasts;
    struct wakers wakers;
    int64_t lock_waited;                 /* for mutexes, by all that waited long, and */
    int64_t lock_held[SUMMARY_N_BEFORE]; /* by those who ended these waits, by what they did */

    struct accumulator_reason *reasons;
    size_t reasons_cap;
    uint32_t n_reasons;
    struct handles reason_of;

    /* Stacks and reasons by their ids in the trace, where the ids are dense. For summary_turn.c. */
    uint32_t *stack_of_id; /* stack, plus 1 */
    size_t stack_of_id_cap;
    size_t n_stack_ids;
    uint16_t *reason_of_id; /* of the first HANDLES_MAX */
    size_t reason_of_id_cap;
    size_t n_reason_ids;

    struct histogram latency;
    struct histogram syscalls;
    uint32_t n_changes; /* changes of goroutines' states within the trace; may wrap */
    uint64_t n_runnable;
    uint64_t n_syscall;
    uint64_t n_blocked;
    uint32_t longest_syscall_stack;
    uint32_t longest_active_stack;
    uint32_t longest_run_stack;
    uint32_t longest_hold_stack;
    int64_t common_run; /* a run that is not longer needs no closer look */

    struct outliers slow;
    struct tasks_kept { /* of the slowest tasks, by their place in the list */
        bool known;
        struct tasks_work work;
        struct tasks_ids ids;
    } slow_tasks[SUMMARY_SLOWEST];
    struct tasks tasks;
    struct handles id_kinds; /* of categories of logs: an enum summary_id, SUMMARY_N_IDS for none */

    /* What the sums by conditions (time_so) depend on, and the time up to which they are known. */
    int64_t at;
    int64_t procs; /* GOMAXPROCS; 0: unknown yet */
    int64_t procs_since;
    int64_t procs_running;
    int64_t procs_busy;   /* with a goroutine, running or in a syscall */
    int64_t idle_workers; /* of those: with an idle mark worker */
    uint64_t n_overdue;
    int64_t all_procs;   /* as procs, but INT64_MAX while that is unknown */
    int64_t queues_from; /* with so many busy Ps, who is runnable waits for a P */
    int64_t room;        /* Ps that could run goroutines, busy or not; 0 in a pause */
    int64_t idle;        /* of these: Ps without a thread */
    unsigned with_idle;  /* ACCUMULATOR_WITH_IDLE or 0 */
    int64_t cells[ACCUMULATOR_CELLS][2]; /* ns not yet in time_so, by busy Ps and any runnable */
    uint64_t cells_used;                 /* bits, by busy Ps */
    int64_t time_so[ACCUMULATOR_N_SO];   /* ns, by the conditions above: ACCUMULATOR_ALL_BUSY… */
    int64_t lost;                        /* ns of Ps that could have run an overdue goroutine */
    int64_t idle_lost;                   /* of these: ns of Ps that had no thread */
    struct accumulator_go runnable;      /* both ends of the list of runnable goroutines */
    struct accumulator_go *due;          /* in it: the next to be overdue, or &runnable */

    struct accumulator_proc *ps;
    size_t ps_cap;
    uint32_t n_ps;

    /* The GC. */
    bool in_mark;
    int64_t mark_since;
    bool in_stw;
    int64_t stw_since;
    uint32_t stw_type;
    uint32_t stw_stack;
    int64_t stw_g;
    struct histogram stw;
    struct types stw_types;
    int64_t gc_procs; /* Ps with a goroutine that works for the GC */
    int64_t go_procs; /* Ps, GC Ps and pauses as MutatorUtilizationV2 counts them */
    int64_t go_gc_procs;
    int64_t go_stw;
    int64_t n_stw;
    struct mmu mmu;    /* as it is */
    struct mmu go_mmu; /* as Go computes it */

    /* Tasks and regions. */
    struct accumulator_pool regions;
    bool regions_full; /* some had no place */
    struct types task_types;
    struct types region_types;

    /* Threads. */
    struct idmap threads;
    int64_t thread; /* of the last event */
    int64_t thread_cache[64];
    uint64_t threads_in_first;
};

/* All below: 0, or an error of memory.h. */

/* summary.c: any event */
int accumulator_event(struct accumulator *s, const struct gotrace_event *e);

/* summary_turn.c: sums up all events that can be read before gotrace_next_batch is needed */
int accumulator_turns(struct accumulator *s);
void accumulator_turns_generation(struct accumulator *s);
void accumulator_turns_done(struct accumulator *s);

/* summary_known.c: which goroutines there are; summary_go.c: the results about them */
#define ACCUMULATOR_CHUNK 1024 /* goroutines in a chunk of memory */

static inline struct accumulator_go *accumulator_place(const struct accumulator *s, uint32_t n)
{
    return &s->chunks[n / ACCUMULATOR_CHUNK][n % ACCUMULATOR_CHUNK];
}

struct accumulator_go *accumulator_go_find_slow(struct accumulator *s, int64_t id);
/* Adds a goroutine that is created now; *ret is NULL if there is no place. */
int accumulator_go_create(struct accumulator *s, int64_t id, struct accumulator_go **ret);
/* Adds a goroutine that was not known: it is created now or was there before the trace. *ret is
 * NULL if there is no place. */
int accumulator_go_meet(struct accumulator *s, const struct gotrace_event *e,
                        struct accumulator_go **ret);
void accumulator_go_forget(struct accumulator *s, struct accumulator_go *g);
int accumulator_reason_of(struct accumulator *s, uint32_t handle, uint16_t *ret);
/* The trace ends: states that have not ended count until now. */
int accumulator_go_finish(struct accumulator *s);
void accumulator_go_done(struct accumulator *s);

/* summary_growth.c: where goroutines were created, and what they wait for at the trace's end */
int accumulator_growth_finish(struct accumulator *s);

/* summary_named.c: what the functions in stacks tell by their names */
int accumulator_named_finish(struct accumulator *s);

/* summary_state.c: from one state to the next */
int accumulator_go_event(struct accumulator *s, const struct gotrace_event *e);
/* Adds the time in the state that the goroutine leaves to the sums; e is NULL at the trace's
 * end. */
int accumulator_go_leave(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e);
/* The goroutine is in a syscall and its P was taken away. */
void accumulator_go_lose_proc(struct accumulator *s, struct accumulator_go *g, int64_t time);

/* summary_waits.c: long waits and syscalls, and who ends them. A wait ended, by the goroutine
 * `waker` (GOTRACE_NONE: by none) in the stack `at`. Or a syscall ended. To be called while the
 * goroutine still has its old state: for waits of ACCUMULATOR_LONG or longer, and for syscalls of
 * ACCUMULATOR_CALL. */
void accumulator_waited(struct accumulator *s, const struct accumulator_go *g, int64_t waker,
                        uint32_t at, int64_t time);
void accumulator_called(struct accumulator *s, const struct accumulator_go *g, int64_t time);
/* Adds a stack's sums to those of a class; whole: they are of what began and ended in the trace. */
void accumulator_add_tally(struct summary_class *to, const struct tally *tally, bool whole);
int accumulator_waits_finish(struct accumulator *s);
void accumulator_waits_done(struct accumulator *s);

/* summary_again.c: who was woken for nothing, and who asks again and again */
int accumulator_again_finish(struct accumulator *s);

/* summary_still.c: what never moved; at the trace's end */
int accumulator_still_finish(struct accumulator *s);

/* summary_busy.c, summary_proc.c: procs, and the times by conditions on all of them */
int accumulator_proc_event(struct accumulator *s, const struct gotrace_event *e);
int accumulator_procs_change(struct accumulator *s, const struct gotrace_event *e);
struct accumulator_proc *accumulator_proc_find(struct accumulator *s, int32_t p);
void accumulator_advance_slow(struct accumulator *s, int64_t time);
void accumulator_pass_wide(struct accumulator *s, int64_t time);
void accumulator_fold(struct accumulator *s);
/* The next event is one of that time, and more than SUMMARY_SILENCE after the last one. */
void accumulator_silence(struct accumulator *s, int64_t time);
/* That event did not come, as it must wait for others or is broken: the silence may last longer, or
 * the trace ends there. */
__attribute__((cold)) void accumulator_no_silence(struct accumulator *s);
/* To be called after procs, procs_running or idle_workers changed, or a pause began or ended. */
void accumulator_set_procs(struct accumulator *s);
int accumulator_proc_finish(struct accumulator *s);

/* summary_gc.c */
int accumulator_gc_range(struct accumulator *s, const struct gotrace_event *e);
int accumulator_gc_procs(struct accumulator *s, const struct gotrace_event *e);
int accumulator_gc_label(struct accumulator *s, const struct gotrace_event *e);
/* A goroutine that has flags of the GC changed its state. */
int accumulator_gc_state(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e);
void accumulator_gc_end_assist(struct accumulator *s, struct accumulator_go *g, int64_t time);
int accumulator_gc_sync(struct accumulator *s);
int accumulator_gc_finish(struct accumulator *s);

/* summary_user.c: tasks and regions */
int accumulator_user_event(struct accumulator *s, const struct gotrace_event *e);
/* The goroutine ends, or waits forever: this ends its regions, too. */
int accumulator_regions_end(struct accumulator *s, struct accumulator_go *g, int64_t time);
int accumulator_user_finish(struct accumulator *s);
void accumulator_user_done(struct accumulator *s);

/* summary_outliers.c: the slowest of each kind. `time` is when it was over; `open`: the trace was
 * over first. What is not long enough is ignored. */
void accumulator_slow_wait(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                           bool open);
void accumulator_slow_latency(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                              bool open);
void accumulator_slow_syscall(struct accumulator *s, const struct accumulator_go *g, int64_t time,
                              bool open);
void accumulator_slow_run(struct accumulator *s, const struct accumulator_go *g, uint32_t stack,
                          int64_t time, bool open);
/* Of a frequent case: sites_count says that it passes the limit of its stack. */
__attribute__((cold)) void accumulator_long_wait(struct accumulator *s,
                                                 const struct accumulator_go *g, int64_t time);
__attribute__((cold)) void accumulator_long_latency(struct accumulator *s,
                                                    const struct accumulator_go *g, int64_t time);
int accumulator_slow_pause(struct accumulator *s, uint32_t reason, int64_t time, bool open);
/* A region of this event ended, which lasted so long. */
int accumulator_slow_region(struct accumulator *s, const struct gotrace_event *e);
/* It ended with its goroutine, or is open at the trace's end. */
int accumulator_slow_region_of(struct accumulator *s, const struct accumulator_go *g,
                               const struct accumulator_open *region, int64_t time, bool open);
int accumulator_slow_finish(struct accumulator *s);
/* The largest total first. */
void accumulator_sort_waits(struct summary_wait *list, size_t n);

/* summary_task.c: who works for which task */
int accumulator_task_begin(struct accumulator *s, const struct gotrace_event *e, uint32_t type);
int accumulator_task_end(struct accumulator *s, const struct gotrace_event *e);
int accumulator_task_log(struct accumulator *s, const struct gotrace_event *e);
/* A goroutine was created. It works for the same task as its creator. */
int accumulator_task_inherit(struct accumulator *s, const struct gotrace_event *e,
                             struct accumulator_go *g);
/* The goroutine begins a region of this task, and ends one. */
int accumulator_task_enter(struct accumulator *s, struct accumulator_go *g, uint64_t task,
                           int64_t time, struct accumulator_open *region);
void accumulator_task_leave(struct accumulator *s, struct accumulator_go *g,
                            const struct accumulator_open *region, int64_t time);
/* The goroutine works for nobody any more. */
void accumulator_task_quit(struct accumulator *s, struct accumulator_go *g);
/* Adds the time up to now, in which it was in one state, to the tasks that it works for. This may
 * be more than once until the state changes, and earlier again, as the sums are of differences. */
__attribute__((cold)) void accumulator_task_worked(struct accumulator *s, struct accumulator_go *g,
                                                   int64_t time);
/* The part of accumulator_is for who works for a task: whether it is in this state without a flag. */
bool accumulator_is_at_work(struct accumulator *s, struct accumulator_go *g, uint8_t flags,
                            uint8_t state, int64_t time);
int accumulator_task_finish(struct accumulator *s);

/* Whether the thread is known to be counted. false: look it up. */
static inline bool accumulator_knows_thread(const struct accumulator *s, int64_t m)
{
    return s->thread_cache[(uint64_t)m % 64] == (int64_t)((uint64_t)m + 1);
}

static inline struct accumulator_go *accumulator_go_find(struct accumulator *s, int64_t id)
{
    const struct accumulator_recent *recent = &s->recent[(uint64_t)id % ACCUMULATOR_RECENT];

    if (__builtin_expect(recent->id == id && recent->go, 1))
        return recent->go;
    return accumulator_go_find_slow(s, id);
}

/*
 * Adds the time from s->at to `time`, in which nothing changed that the sums by conditions depend
 * on. Two of these things change all the time: the number of busy Ps, and whether any goroutine is
 * runnable. So times are first added to a cell for these two; accumulator_fold evaluates all
 * conditions when something else is about to change.
 */
static inline void accumulator_pass(struct accumulator *s, int64_t time)
{
    if (__builtin_expect((uint64_t)s->procs_busy >= ACCUMULATOR_CELLS, 0)) {
        accumulator_pass_wide(s, time);
        return;
    }
    s->cells[s->procs_busy][s->n_runnable != 0] += time - s->at;
    s->cells_used |= UINT64_C(1) << s->procs_busy;
    s->at = time;
}

/* Time passes. To be called before anything changes that accumulator_pass looks at. */
static inline void accumulator_advance(struct accumulator *s, int64_t time)
{
    if (s->due->since <= time - SUMMARY_OVERDUE)
        accumulator_advance_slow(s, time);
    accumulator_pass(s, time);
}

/* From now on n goroutines are overdue. Ps that could have run one are counted only up to that
 * number. So no folding is needed if there were, and are, overdue goroutines for all Ps: then the
 * exact number has no influence. */
static inline void accumulator_set_overdue(struct accumulator *s, uint64_t n)
{
    uint64_t least = n < s->n_overdue ? n : s->n_overdue;

    if (least == 0 || (int64_t)least < s->room)
        accumulator_fold(s);
    s->n_overdue = n;
}

/* The size of the heap or its goal changed. */
static inline void accumulator_gc_metric(struct accumulator *s, uint8_t type, uint64_t value)
{
    struct summary_gc *out = &s->out->gc;
    uint64_t *max = type == GOTRACE_EV_HEAP_ALLOC ? &out->heap_max : &out->heap_goal_max;

    if (value > *max)
        *max = value;
}

/* A sweep ended. */
static inline void accumulator_gc_swept(struct accumulator *s, uint64_t swept, uint64_t reclaimed)
{
    s->out->gc.sweeps++;
    s->out->gc.swept_bytes += swept;
    s->out->gc.reclaimed_bytes += reclaimed;
}

/* Adds a goroutine that becomes runnable now to the end of the list. */
static inline void accumulator_queue(struct accumulator *s, struct accumulator_go *g)
{
    struct accumulator_go *end = &s->runnable;

    g->next = end;
    g->prev = end->prev;
    end->prev->next = g;
    end->prev = g;
    s->due = s->due == end ? g : s->due;
}

static inline void accumulator_unqueue(struct accumulator *s, struct accumulator_go *g)
{
    s->due = s->due == g ? g->next : s->due;
    g->prev->next = g->next;
    g->next->prev = g->prev;
}

/* The goroutine is created by a `go` statement with this stack. */
static inline void accumulator_note_creation(struct accumulator *s, struct accumulator_go *g,
                                             uint32_t stack, int64_t time)
{
    int64_t slot = (time - s->first) >> ACCUMULATOR_SLOT;

    g->created = (uint8_t)((slot < ACCUMULATOR_LAST_SLOT ? slot : ACCUMULATOR_LAST_SLOT) + 1);
    g->creator = (uint16_t)stack;
    s->sites.stacks[stack].created++;
}

/*
 * Sums over all goroutines must not overflow. So a trace is refused from the event on whose time is
 * more than 4.8 hours after the first, or whose time is larger than a clock that counts from a
 * machine's start can ever be.
 */
static inline bool accumulator_in_span(int64_t first, int64_t time)
{
    return first > -ACCUMULATOR_MAX_TIME && first < ACCUMULATOR_MAX_TIME && time >= first &&
           time - first < ACCUMULATOR_MAX_SPAN;
}
