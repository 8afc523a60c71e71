/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which goroutines work for which tasks, and what the tasks' time is made of.
 *
 * A goroutine works for one task at a time: that of the region or task which it began last and
 * which is not over. One that is created works for its creator's task from the start, if it is no
 * goroutine of the runtime. A task's time includes that of its children, and theirs, up to
 * TASKS_DEPTH levels. Nobody works for a task that is over.
 *
 * So a task that is begun and ended by the goroutine that does the work, as OpenTelemetry's and
 * Datadog's libraries do it, needs no region. Go's Summarizer counts that goroutine as one of the
 * task's, too, but adds up times of regions only. A goroutine that begins one task after the other
 * and leaves them to others works for the last one only.
 *
 * The numbers of tasks and of goroutines that work for any are bounded: what is beyond is counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/summary/numbers.h"
#include "trace/summary/sites.h"

#define TASKS_MAX 16384u     /* followed at once */
#define TASKS_WORKERS 65535u /* goroutines that work for any */
#define TASKS_DEPTH 16       /* levels of parents */
#define TASKS_REASONS 12     /* of waits that are told apart */
/* In a whole trace, when a task ends: looks at goroutines that may have worked for it. */
#define TASKS_LOOKS (UINT64_C(1) << 24)

/* A reference to a task, valid until the task ends: its place, and a number that is another for
 * each task there. 0: none. */
#define TASKS_PLACE_BITS 14

struct tasks_work {
    int64_t running;
    int64_t runnable;
    int64_t syscall;
    int64_t standing;
    int64_t assist;
    int64_t other;
    int64_t waits[TASKS_REASONS];
    uint16_t reasons[TASKS_REASONS];
    uint32_t n_waits;
};

struct tasks_ids {
    char text[SUMMARY_N_IDS][SUMMARY_ID_SIZE]; /* "": none */
};

struct tasks_entry {
    uint64_t id;
    uint64_t parent;
    int64_t since;
    int64_t owner;         /* the goroutine that began it, or GOTRACE_NONE */
    uint32_t ref;          /* as of now; an ended one's serial goes on */
    uint32_t above;        /* the parent */
    uint32_t outer;        /* what the owner worked for before */
    uint32_t type;         /* a row of task_types, held */
    uint32_t stack;        /* where it began */
    uint32_t n_workers;    /* whose innermost task it is */
    uint32_t n_below;      /* open tasks of which it is the parent */
    bool taken;            /* the place is not free */
    bool older;            /* than the trace */
    bool over;             /* of an older one: it ended and is kept, to be known again */
    struct tasks_ids *ids; /* or NULL */
    struct tasks_work work;
};

/* A time in which a goroutine was in one state and worked for a task . Numbers of stacks and
 * texts are those of the sites that a watcher is given. */
struct watcher_stretch {
    int64_t g;
    uint64_t task; /* the innermost */
    int64_t from, to;
    int64_t assist; /* of it: in mark assist */
    uint8_t state;  /* enum gotrace_go_state */
    bool standing;  /* a wait or syscall that is meant to wait */
    uint32_t reason;
    uint32_t stack; /* where the state began */
};

/*
 * Who is told of tasks, one by one, while a trace is summed up. `marked` is called for each task,
 * region and log, before it counts if something begins, after that if it ends; and when a goroutine
 * is created that works for a task that `wants` names. What is done for such a task is told up to
 * the nanosecond of its end. Errors of these functions end the pass. For a watcher each event is
 * made whole, which takes longer.
 */
struct watcher {
    void *userdata;
    bool (*wants)(void *userdata, uint64_t task);
    int (*marked)(void *userdata, struct sites *sites, const struct gotrace *trace,
                  const struct gotrace_event *e);
    void (*worked)(void *userdata, const struct watcher_stretch *stretch);
    /* The trace ended at this time. Texts live as long as the summary, all else until this returns. */
    int (*finish)(void *userdata, const struct sites *sites, int64_t first, int64_t last);
};

struct accumulator_go;

struct tasks_worker {
    struct accumulator_go *g; /* NULL: a free place */
    int64_t settled;          /* up to then its time is summed up */
    uint64_t id;              /* of the task below */
    uint32_t task;            /* a reference, 0: none now; or the next free place, plus 1 */
};

struct tasks {
    struct memory *mem;
    struct idmap places;
    struct tasks_entry *list;
    size_t cap;
    uint32_t n;
    uint32_t *free;
    size_t free_cap;
    uint32_t n_free;
    struct tasks_worker *workers;
    size_t workers_cap;
    uint32_t n_workers;   /* places */
    uint32_t free_worker; /* plus 1 */
    uint64_t first;       /* the least number begun within the trace */
    uint64_t looks;       /* that were taken */
    uint64_t lost;
    uint64_t lost_workers;
};

void tasks_init(struct tasks *t, struct memory *mem, uint64_t seed);
void tasks_done(struct tasks *t);

/*
 * Adds a task. *ret is NULL if there is no place. Errors of memory.h, but not -E2BIG. It stays
 * valid until the next one is added.
 */
int tasks_add(struct tasks *t, uint64_t id, struct tasks_entry **ret);

/* The task with this number, or NULL. */
struct tasks_entry *tasks_find(struct tasks *t, uint64_t id);

/* References to it become invalid. It can still be found. */
void tasks_close(struct tasks_entry *entry);

/* The same, and frees the place. */
void tasks_remove(struct tasks *t, struct tasks_entry *entry);

/* The task of a reference, or NULL if it is over. */
static inline struct tasks_entry *tasks_get(const struct tasks *t, uint32_t ref)
{
    struct tasks_entry *entry;

    if (ref == 0)
        return NULL;
    entry = &t->list[ref & (TASKS_MAX - 1)];
    return entry->ref == ref ? entry : NULL;
}

/* Whether one is the other or comes below it. */
bool tasks_is_below(const struct tasks *t, const struct tasks_entry *entry, uint32_t ref);

/* Adds a worker. *ret is its place plus 1, or 0 if there is none. Errors as tasks_add. */
int tasks_hire(struct tasks *t, struct accumulator_go *g, int64_t time, uint16_t *ret);
void tasks_dismiss(struct tasks *t, uint16_t worker);

static inline struct tasks_worker *tasks_worker(const struct tasks *t, uint16_t worker)
{
    return &t->workers[worker - 1];
}

/* Lets a worker work for another task from now on, or for none (NULL). */
void tasks_work_for(struct tasks *t, uint16_t worker, struct tasks_entry *entry);

/* Adds a time of waiting. */
void tasks_add_wait(struct tasks_work *work, uint16_t reason, int64_t time);

/* Whether so many more looks may be taken; takes them. */
bool tasks_may_look(struct tasks *t, uint64_t n);
