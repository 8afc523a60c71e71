/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The state of goroutines, procs, threads and tasks, as the trace has told it so far. It is kept
 * across generations. order.h decides which event may follow.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/reader/strings.h"

/* The trace's numbers: tracev2.GoStatus and ProcStatus. */
enum go_status { GO_BAD, GO_RUNNABLE, GO_RUNNING, GO_SYSCALL, GO_WAITING, N_GO_STATUS };
enum proc_status {
    PROC_BAD,
    PROC_RUNNING,
    PROC_IDLE,
    PROC_SYSCALL,
    PROC_SYSCALL_ABANDONED, /* in a syscall on an unknown thread */
    N_PROC_STATUS
};

/* A position in the sequence of a goroutine's or proc's events of one generation. */
struct sequence {
    uint64_t generation;
    uint64_t n;
};

/* An open range of a goroutine or proc: a stop of the world, mark assist, a sweep. */
struct range {
    uint64_t string; /* id, of a stop of the world */
    uint8_t type;    /* type of the event that starts it */
};

/* A goroutine has at most one or two; a trace with more is refused. */
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

/* A region's end is searched among this many innermost regions of the goroutine. */
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
    void *user;     /* state of code that parses events by reader.h; NULL at first */
    uint32_t epoch; /* resources.epoch of `seq` */
    uint8_t status; /* enum go_status */
};

struct thread;

struct proc {
    int32_t id;
    uint8_t status; /* enum proc_status */
    struct sequence seq;
    struct thread *threads; /* threads that have it; more than one only in a wrong trace */
    struct ranges ranges;
};

struct thread {
    int64_t id;
    int64_t g;            /* GOTRACE_NONE: none */
    struct goroutine *gp; /* the place where g may be: see resources_current */
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
    struct goroutine *gs; /* a hash table with open addressing, as idmap's */
    /* Of the goroutine at the same index, or NULL; allocated behind gs. */
    struct goroutine_more **more;
    size_t gs_cap; /* a power of two; 0: gs is the shared empty table */
    size_t n_gs;
    unsigned gs_shift;
    uint64_t factor; /* as in idmap.h: the golden ratio, or the secret factor */
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

/* Removes the task. False: there was none. The caller releases the type. */
bool resources_end_task(struct resources *res, uint64_t id, struct task *ret);

/* Allocates the rarely used part. Errors of memory.h. */
int resources_more(struct resources *res, const struct goroutine *g, struct goroutine_more **ret);
int resources_push_region(struct resources *res, const struct goroutine *g,
                          const struct region *region);

/*
 * Removes the innermost region of this task and type. Returns how many regions inside it are still
 * open, or -ENOENT if there is no such region. The caller releases the type.
 */
int resources_pull_region(struct goroutine_more *more, uint64_t task, const struct name *type,
                          struct region *ret);

/* Gives the thread another proc (NULL: none). */
void thread_bind(struct thread *m, struct proc *p);

/* Its place, or a free place with status GO_BAD. */
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
 * The thread's goroutine, or NULL: in a wrong trace it may have ended elsewhere. Its table entry
 * may have moved since it was remembered, so this looks it up again if necessary.
 */
static inline struct goroutine *resources_current(const struct resources *res, struct thread *m)
{
    if (__builtin_expect(!m->gp || m->gp->id != m->g, 0))
        m->gp = m->g < 0 ? NULL : resources_goroutine(res, m->g);
    return m->gp;
}
