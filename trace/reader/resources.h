/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the trace has told so far about goroutines, procs, threads and tasks: the state that is
 * carried from event to event and from generation to generation. It is only kept here; order.h
 * knows what may follow what.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/reader/strings.h"

/* As the trace writes them: tracev2.GoStatus and ProcStatus. */
enum go_status { GO_BAD, GO_RUNNABLE, GO_RUNNING, GO_SYSCALL, GO_WAITING, N_GO_STATUS };
enum proc_status {
    PROC_BAD,
    PROC_RUNNING,
    PROC_IDLE,
    PROC_SYSCALL,
    PROC_SYSCALL_ABANDONED, /* in a syscall, and nobody knows on which thread */
    N_PROC_STATUS
};

/* A place in the row of a goroutine's or proc's events of one generation. */
struct sequence {
    uint64_t generation;
    uint64_t n;
};

/* What a goroutine or proc is in the middle of: a stop of the world, mark assist, a sweep. */
struct range {
    uint64_t string; /* id, of a stop of the world */
    uint8_t type;    /* of the event that begins it */
};

/* One goroutine has one or two at most; a trace that says otherwise is refused. */
#define RANGES_MAX 16

struct ranges {
    struct range list[RANGES_MAX];
    unsigned n;
};

struct region {
    uint64_t task;
    struct name *type; /* held */
    int64_t since;
};

/* A region's end is looked for among so many of a goroutine's: what is farther out is not found. */
#define REGIONS_SEARCHED 4096

/* What few goroutines have. */
struct goroutine_more {
    struct ranges ranges;
    struct region *regions;
    size_t regions_cap;
    size_t n_regions;
};

/* Two in a cache line. */
struct goroutine {
    int64_t id; /* GOTRACE_NONE: nobody */
    uint64_t seq;
    void *user;     /* of whoever takes events from the inside; NULL at first */
    uint32_t epoch; /* of seq: resources.epoch when it began */
    uint8_t status; /* enum go_status */
};

struct thread;

struct proc {
    int32_t id;
    uint8_t status; /* enum proc_status */
    struct sequence seq;
    struct thread *threads; /* that have it; more than one only where the trace is wrong */
    struct ranges ranges;
};

struct thread {
    int64_t id;
    int64_t g;            /* GOTRACE_NONE: none */
    struct goroutine *gp; /* where g may be found: see resources_current */
    struct proc *p;       /* NULL: none */
    int32_t pid;          /* p's number, or GOTRACE_NONE */
    struct thread *next;  /* of p's */
    struct thread *prev;
};

struct task {
    uint64_t id;
    uint64_t parent;
    struct name *type; /* held */
    int64_t since;
};

struct resources {
    struct memory *mem;
    struct strings *strings;
    struct goroutine *gs;         /* a hash table with open addressing, as idmap's */
    struct goroutine_more **more; /* of the goroutine in the same place, or NULL; behind gs */
    size_t gs_cap; /* a power of two; 0: gs are two free places that are not its own */
    size_t n_gs;
    unsigned gs_shift;
    uint64_t factor; /* as idmap's: the golden ratio, or the secret */
    uint64_t secret;
    uint32_t epoch; /* counts generations */
    struct idmap p_ids;
    struct proc **procs;
    size_t procs_cap;
    uint32_t n_procs;
    struct idmap m_ids;
    struct thread **threads;
    size_t threads_cap;
    uint32_t n_threads;
    struct idmap task_ids;
    struct task *tasks;
    size_t tasks_cap;
    uint32_t n_tasks;
};

void resources_init(struct resources *res, struct memory *mem, struct strings *strings,
                    uint64_t seed);
void resources_done(struct resources *res);

/* All forget their users. */
void resources_leave_users(struct resources *res);

/*
 * A new one with this id, not negative, which no proc or thread may have; a goroutine that has it
 * is -EEXIST. Errors of memory.h. Procs and threads stay where they are; goroutines move whenever
 * one comes or goes.
 */
int resources_new_goroutine(struct resources *res, int64_t id, struct goroutine **ret);
int resources_new_proc(struct resources *res, int32_t id, struct proc **ret);
int resources_new_thread(struct resources *res, int64_t id, struct thread **ret);

void resources_end_goroutine(struct resources *res, struct goroutine *g);

/* 0, -EEXIST, or an error of memory.h. The type is borrowed and held. */
int resources_begin_task(struct resources *res, const struct task *task);

/* Whether there was such a task; if so, type is the caller's to release. */
bool resources_end_task(struct resources *res, uint64_t id, struct task *ret);

/* Makes room for what few have. Errors of memory.h. */
int resources_more(struct resources *res, const struct goroutine *g, struct goroutine_more **ret);
int resources_push_region(struct resources *res, const struct goroutine *g,
                          const struct region *region);

/*
 * Takes out the innermost region that is of this task and type. How many began after it and last,
 * or -ENOENT if there is none; the type stays the caller's to release.
 */
int resources_pull_region(struct goroutine_more *more, uint64_t task, const struct name *type,
                          struct region *ret);

/* The thread gets the proc (NULL: none) instead of the one that it has. */
void thread_bind(struct thread *m, struct proc *p);

/* Where it is, or a free place, whose status is GO_BAD. */
static inline struct goroutine *resources_place(const struct resources *res, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * res->factor >> res->gs_shift);

    while (__builtin_expect(res->gs[i].id != id && res->gs[i].id >= 0, 0))
        i = (i + 1) & (res->gs_cap - 1);
    return &res->gs[i];
}

static inline struct goroutine *resources_goroutine(const struct resources *res, int64_t id)
{
    struct goroutine *g = resources_place(res, id);

    return g->id >= 0 ? g : NULL;
}

/* What few have, or NULL. */
static inline struct goroutine_more *resources_has_more(const struct resources *res,
                                                        const struct goroutine *g)
{
    return res->more[g - res->gs];
}

static inline struct proc *resources_proc(const struct resources *res, uint64_t id)
{
    uint32_t i = idmap_find_slot(&res->p_ids, id);

    return i == IDMAP_NONE ? NULL : res->procs[i];
}

static inline struct thread *resources_thread(const struct resources *res, int64_t id)
{
    uint32_t i = idmap_find_slot(&res->m_ids, (uint64_t)id);

    return i == IDMAP_NONE ? NULL : res->threads[i];
}

/*
 * The goroutine on this thread, or NULL: it may have ended elsewhere, if the trace is wrong. It may
 * also have moved, and another one, or nobody, stand in its place.
 */
static inline struct goroutine *resources_current(const struct resources *res, struct thread *m)
{
    if (__builtin_expect(!m->gp || m->gp->id != m->g, 0))
        m->gp = m->g < 0 ? NULL : resources_goroutine(res, m->g);
    return m->gp;
}
