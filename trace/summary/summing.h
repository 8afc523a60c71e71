/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known while a summary is made: the state of each goroutine and proc, and all that has
 * been summed up. Private to summary*.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/summary/handles.h"
#include "trace/summary/histogram.h"
#include "trace/summary/mmu.h"
#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"
#include "trace/summary/texts.h"
#include "trace/summary/types.h"

/* Bounds, beside those of the tables. What passes them is counted, or left out and said so. */
#define SUMMING_MAX_MEMORY (56U << 20)
#define SUMMING_MAX_GOROUTINES (1U << 18)
#define SUMMING_MAX_PROCS 4096   /* that are followed */
#define SUMMING_MOST_PROCS 65536 /* that GOMAXPROCS may say */
#define SUMMING_MAX_REASONS 256
#define SUMMING_MAX_OPEN 65536 /* regions */
#define SUMMING_MAX_THREADS (1U << 17)

#define SUMMING_CELLS 64 /* busy Ps whose times need no second look each time */

#define SUMMING_MAX_SPAN (INT64_C(1) << 44)
#define SUMMING_MAX_TIME (INT64_C(1) << 61)

#define SUMMING_KEPT_LATENCIES (1U << 20)
#define SUMMING_KEPT_SYSCALLS (1U << 18)
#define SUMMING_KEPT_PAUSES 4096

/* What is to be remembered of a goroutine beside its state. */
enum {
    SUMMING_UNKNOWN_START = 1, /* the state was there when the trace began */
    SUMMING_OVERDUE = 2,       /* runnable for long */
    SUMMING_ASSIST = 4,        /* in mark assist */
    SUMMING_WORKER = 8,        /* runs as mark worker, */
    SUMMING_IDLE_WORKER = 16,  /* or as one that only takes what nobody else wants */
    SUMMING_OF_GC = 32,        /* counted among those that work for the GC now */
    SUMMING_GO_ASSIST = 64,    /* what Go's MutatorUtilizationV2 keeps of it */
    SUMMING_GO_WORKER = 128,
};

/* One cache line. */
struct summing_go {
    int64_t id;
    int64_t since; /* in this state */
    union {
        struct { /* runnable: the list of those that are, the longest first */
            struct summing_go *next;
            struct summing_go *prev;
        };
        int64_t blocked_since; /* in a syscall: without a P */
        uint32_t changes;      /* running: n_changes when it began */
    };
    int64_t assist_since;
    uint32_t assist_stack;
    uint32_t stack;   /* where the state began */
    uint32_t regions; /* the innermost open one, plus 1 */
    int32_t p;        /* held, or GOTRACE_NONE */
    uint16_t reason;  /* of waiting */
    uint8_t state;    /* enum gotrace_go_state */
    uint8_t flags;
    uint8_t go_state; /* as MutatorUtilizationV2 knows it */
    bool created;     /* within the trace */
};

/* What is so for all Ps together, and not for one of them. */
enum {
    SUMMING_ALL_BUSY = 1,   /* no P without a goroutine */
    SUMMING_QUEUED = 2,     /* and goroutines that are runnable, outside of pauses */
    SUMMING_LATE = 4,       /* one of them for SUMMARY_OVERDUE */
    SUMMING_WITH_IDLE = 8,  /* and a P does not run */
    SUMMING_WITH_FREE = 16, /* and a P could run one that is late */
    SUMMING_N_SO = 32,
};

struct summing_proc {
    int64_t since;         /* running */
    struct summing_go *go; /* runs on it, or holds it in a syscall */
    struct summary_proc sums;
    int32_t gc; /* as in MutatorUtilizationV2 */
    uint8_t state;
    bool known;
};

/* Why goroutines wait. */
struct summing_reason {
    uint32_t text;
    uint8_t column; /* of sites: enum summary_profile, SITES_UNKNOWN or SITES_NOTHING */
    bool forever;   /* as good as dead, and so Go counts it */
    struct summary_class *classes; /* the summary's, or NULL */
    uint64_t count;
    int64_t total;
    int64_t max;
};

/* A region that has not ended. */
struct summing_open {
    int64_t since;
    uint32_t type; /* a row of region_types, held */
    uint32_t next; /* of the goroutine: the next outer one, plus 1; or the next free one */
};

struct summing_pool {
    struct summing_open *list;
    size_t cap;
    uint32_t n;
    uint32_t free; /* plus 1 */
};

/* Goroutines that were asked for lately, by the last bits of their number. */
#define SUMMING_RECENT 1024
struct summing_recent {
    int64_t id;
    struct summing_go *go; /* NULL: none */
};

struct summing {
    struct memory mem;
    struct gotrace *trace;
    struct summary *out;
    struct texts texts;
    struct sites sites;
    uint64_t seed;

    /* Where the pass is. */
    int64_t first;
    int64_t last;
    int64_t sync; /* the present generation's beginning */
    uint64_t n_sync;
    bool begun;

    /* Goroutines: chunks that stay where they are. */
    struct idmap go_ids; /* to the place in chunks */
    struct summing_go **chunks;
    size_t chunks_cap;
    uint32_t n_places;
    uint32_t *free; /* places */
    size_t free_cap;
    uint32_t n_free;
    struct summing_recent recent[SUMMING_RECENT];
    int64_t alive; /* of those created in the trace, less those ended */
    int64_t alive_max;

    struct summing_reason *reasons;
    size_t reasons_cap;
    uint32_t n_reasons;
    struct handles reason_of;

    /* The same for summary_turn.c by the ids in the trace, where those are dense. */
    uint32_t *stack_of_id; /* stack, plus 1 */
    size_t stack_of_id_cap;
    size_t n_stack_ids;
    uint16_t *reason_of_id; /* of the first HANDLES_MAX */
    size_t reason_of_id_cap;
    size_t n_reason_ids;

    struct histogram latency;
    struct histogram syscalls;
    uint32_t n_changes; /* of goroutines' states, told as such; may begin anew at 0 */
    uint64_t n_runnable;
    uint64_t n_syscall;
    uint64_t n_blocked;
    uint32_t longest_syscall_stack;
    uint32_t longest_active_stack;
    uint32_t longest_run_stack;
    uint32_t longest_hold_stack;

    /* What the times that are shares of the window depend on, and since when it is so. */
    int64_t at;
    int64_t procs; /* GOMAXPROCS; 0: unknown yet */
    int64_t procs_since;
    int64_t procs_running;
    int64_t procs_busy;   /* with a goroutine, running or in a syscall */
    int64_t idle_workers; /* of those: with a mark worker that is only there because it was idle */
    uint64_t n_overdue;
    int64_t all_procs;   /* that can be busy: no number is so high while procs is unknown */
    int64_t queues_from; /* busy Ps: who is runnable waits for one; INT64_MAX: for other things */
    int64_t room;        /* for goroutines that may run; 0 in a pause */
    unsigned with_idle;  /* SUMMING_WITH_IDLE or 0 */
    int64_t cells[SUMMING_CELLS][2]; /* nanoseconds not yet in time_so, by busy Ps and runnable */
    uint64_t cells_used;             /* bits, by busy Ps */
    int64_t time_so[SUMMING_N_SO];   /* nanoseconds, by what was so */
    int64_t lost;                    /* nanoseconds of Ps that could have run who was late */
    struct summing_go runnable;      /* the end of the list of those that are, both ways */
    struct summing_go *due;          /* in it: the next that will be overdue, or its end */

    struct summing_proc *ps;
    size_t ps_cap;
    uint32_t n_ps;

    /* The GC. */
    bool in_mark;
    int64_t mark_since;
    bool in_stw;
    int64_t stw_since;
    uint32_t stw_type;
    struct histogram stw;
    struct types stw_types;
    int64_t gc_procs; /* goroutines that work for the GC, each on its P */
    int64_t go_procs; /* Ps, GC Ps and pauses as MutatorUtilizationV2 counts them */
    int64_t go_gc_procs;
    int64_t go_stw;
    int64_t n_stw;
    struct mmu mmu;    /* as it is */
    struct mmu go_mmu; /* as Go computes it */

    /* Tasks and regions. */
    struct summing_pool regions;
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
int summing_event(struct summing *s, const struct gotrace_event *e);

/* summary_turn.c: what can be summed up before gotrace_next_batch is needed */
int summing_turns(struct summing *s);
void summing_turns_generation(struct summing *s);
void summing_turns_done(struct summing *s);

/* summary_known.c: which goroutines there are; summary_go.c: what they come to */
#define SUMMING_CHUNK 1024 /* goroutines that get memory together */

static inline struct summing_go *summing_place(const struct summing *s, uint32_t n)
{
    return &s->chunks[n / SUMMING_CHUNK][n % SUMMING_CHUNK];
}

struct summing_go *summing_go_find_slow(struct summing *s, int64_t id);
/* One that is created now; NULL: no place. */
int summing_go_create(struct summing *s, int64_t id, struct summing_go **ret);
/* One that was not known before, by being created or as one that was there; NULL: no place. */
int summing_go_meet(struct summing *s, const struct gotrace_event *e, struct summing_go **ret);
void summing_go_forget(struct summing *s, struct summing_go *g);
int summing_reason_of(struct summing *s, uint32_t handle, uint16_t *ret);
/* The trace ends: what has not ended counts until now. */
int summing_go_finish(struct summing *s);
void summing_go_done(struct summing *s);

/* summary_state.c: from one state to the next */
int summing_go_event(struct summing *s, const struct gotrace_event *e);
/* What the state comes to that it was in; e is NULL at the trace's end. */
int summing_go_leave(struct summing *s, struct summing_go *g, const struct gotrace_event *e);
/* Its P was taken away while it is in a syscall. */
void summing_go_lose_proc(struct summing *s, struct summing_go *g, int64_t time);

/* summary_busy.c, summary_proc.c: procs, and the times in which something was so for all of them */
int summing_proc_event(struct summing *s, const struct gotrace_event *e);
int summing_procs_change(struct summing *s, const struct gotrace_event *e);
struct summing_proc *summing_proc_find(struct summing *s, int32_t p);
void summing_advance_slow(struct summing *s, int64_t time);
void summing_pass_wide(struct summing *s, int64_t time);
void summing_fold(struct summing *s);
/* procs, procs_running or idle_workers is another, or a pause begins or ends. */
void summing_set_procs(struct summing *s);
int summing_proc_finish(struct summing *s);

/* summary_gc.c */
int summing_gc_range(struct summing *s, const struct gotrace_event *e);
int summing_gc_procs(struct summing *s, const struct gotrace_event *e);
int summing_gc_label(struct summing *s, const struct gotrace_event *e);
void summing_gc_metric(struct summing *s, uint8_t type, uint64_t value);
void summing_gc_swept(struct summing *s, uint64_t swept, uint64_t reclaimed);
/* A goroutine that has to do with the GC changed its state. */
int summing_gc_state(struct summing *s, struct summing_go *g, const struct gotrace_event *e);
void summing_gc_end_assist(struct summing *s, struct summing_go *g, int64_t time);
int summing_gc_sync(struct summing *s);
int summing_gc_finish(struct summing *s);

/* summary_user.c: tasks and regions */
int summing_user_event(struct summing *s, const struct gotrace_event *e);
/* The goroutine ends, and so do its regions. */
int summing_regions_end(struct summing *s, struct summing_go *g, int64_t time);
int summing_user_finish(struct summing *s);
void summing_user_done(struct summing *s);
void summing_times(struct histogram *h, struct summary_times *ret);

/* Whether the thread is among those that were counted; if so, nothing needs to be noted. */
static inline bool summing_knows_thread(const struct summing *s, int64_t m)
{
    return s->thread_cache[(uint64_t)m % 64] == (int64_t)((uint64_t)m + 1);
}

static inline struct summing_go *summing_go_find(struct summing *s, int64_t id)
{
    const struct summing_recent *recent = &s->recent[(uint64_t)id % SUMMING_RECENT];

    if (__builtin_expect(recent->id == id && recent->go, 1))
        return recent->go;
    return summing_go_find_slow(s, id);
}

/*
 * Nothing of what these times depend on changed between s->at and time. How many Ps are busy, and
 * whether anybody is runnable, changes all the time; the rest does not, and so times are first
 * summed up by these two, and the rest is looked at when it changes.
 */
static inline void summing_pass(struct summing *s, int64_t time)
{
    if (__builtin_expect((uint64_t)s->procs_busy >= SUMMING_CELLS, 0)) {
        summing_pass_wide(s, time);
        return;
    }
    s->cells[s->procs_busy][s->n_runnable != 0] += time - s->at;
    s->cells_used |= UINT64_C(1) << s->procs_busy;
    s->at = time;
}

/* Time passes; to be called before anything changes that summing_pass looks at. */
static inline void summing_advance(struct summing *s, int64_t time)
{
    if (s->due->since <= time - SUMMARY_OVERDUE)
        summing_advance_slow(s, time);
    summing_pass(s, time);
}

/* Where more are overdue than could run, as many Ps as are free could run one of them. */
static inline void summing_set_overdue(struct summing *s, uint64_t n)
{
    uint64_t least = n < s->n_overdue ? n : s->n_overdue;

    if (least == 0 || (int64_t)least < s->room)
        summing_fold(s);
    s->n_overdue = n;
}

/* It is runnable from now on, later than all that are. */
static inline void summing_queue(struct summing *s, struct summing_go *g)
{
    struct summing_go *end = &s->runnable;

    g->next = end;
    g->prev = end->prev;
    end->prev->next = g;
    end->prev = g;
    s->due = s->due == end ? g : s->due;
}

static inline void summing_unqueue(struct summing *s, struct summing_go *g)
{
    s->due = s->due == g ? g->next : s->due;
    g->prev->next = g->next;
    g->next->prev = g->prev;
}

/*
 * Sums over all goroutines must not overflow: a trace is refused from where its times span more
 * than 4.8 hours, or lie where no clock that counts from a machine's start will ever come.
 */
static inline bool summing_in_span(int64_t first, int64_t time)
{
    return first > -SUMMING_MAX_TIME && first < SUMMING_MAX_TIME && time >= first &&
           time - first < SUMMING_MAX_SPAN;
}
