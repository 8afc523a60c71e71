/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/resources.h"

#include <errno.h>
#include <string.h>

#include "trace/gotrace.h"

#define FIRST_GOROUTINES 256
#define PLACE_SIZE (sizeof(struct goroutine) + sizeof(struct goroutine_more *))

_Static_assert(2 * sizeof(struct goroutine) == MEMORY_LINE, "two in a cache line");

/* The empty table, for look-ups before there are goroutines. Nothing is ever stored in it. */
static struct goroutine nobody[2] = {{.id = GOTRACE_NONE}, {.id = GOTRACE_NONE}};

void resources_init(struct resources *res, struct memory *mem, struct strings *strings,
                    uint64_t seed)
{
    memset(res, 0, sizeof(*res));
    res->mem = mem;
    res->strings = strings;
    res->gs = nobody;
    res->gs_shift = 63;
    res->factor = IDMAP_GOLDEN;
    res->secret = seed | 1;
    idmap_init(&res->p_ids, mem, seed);
    idmap_init(&res->m_ids, mem, seed);
    idmap_init(&res->task_ids, mem, seed);
}

static __attribute__((noinline)) void free_more_slow(struct resources *res, size_t place)
{
    struct goroutine_more *more = res->more[place];

    for (size_t i = 0; i < more->n_regions; i++)
        name_release(res->strings, more->regions[i].type);
    memory_free(res->mem, more->regions, more->regions_cap * sizeof(*more->regions));
    memory_free(res->mem, more, sizeof(*more));
    res->more[place] = NULL;
}

static inline void free_more(struct resources *res, size_t place)
{
    if (__builtin_expect(res->more[place] != NULL, 0))
        free_more_slow(res, place);
}

void resources_done(struct resources *res)
{
    for (size_t i = 0; i < res->gs_cap; i++)
        free_more(res, i);
    for (uint32_t i = 0; i < res->n_procs; i++)
        memory_free(res->mem, res->procs[i], sizeof(struct proc));
    for (uint32_t i = 0; i < res->n_threads; i++)
        memory_free(res->mem, res->threads[i], sizeof(struct thread));
    for (uint32_t i = 0; i < res->n_tasks; i++)
        name_release(res->strings, res->tasks[i].type);
    if (res->gs_cap > 0)
        memory_free(res->mem, res->gs, res->gs_cap * PLACE_SIZE);
    memory_free(res->mem, res->procs, res->procs_cap * sizeof(struct proc *));
    memory_free(res->mem, res->threads, res->threads_cap * sizeof(struct thread *));
    memory_free(res->mem, res->tasks, res->tasks_cap * sizeof(*res->tasks));
    idmap_done(&res->p_ids);
    idmap_done(&res->m_ids);
    idmap_done(&res->task_ids);
}

void resources_leave_users(struct resources *res)
{
    for (size_t i = 0; i < res->gs_cap; i++)
        res->gs[i].user = NULL;
}

static size_t home(const struct resources *res, int64_t id)
{
    return (size_t)((uint64_t)id * res->factor >> res->gs_shift);
}

static struct goroutine *free_place(struct resources *res, int64_t id, size_t *ret_steps)
{
    size_t mask = res->gs_cap - 1, i = home(res, id), steps = 0;

    for (; res->gs[i].id >= 0; steps++)
        i = (i + 1) & mask;
    *ret_steps = steps;
    return &res->gs[i];
}

static int new_table(struct resources *res, size_t cap)
{
    struct goroutine *gs;
    int r = memory_new_aligned(res->mem, MEMORY_LINE, cap * PLACE_SIZE, &gs);

    if (r < 0)
        return r;
    memset(gs, 0, cap * PLACE_SIZE);
    for (size_t i = 0; i < cap; i++)
        gs[i].id = GOTRACE_NONE;
    res->gs = gs;
    res->more = (struct goroutine_more **)(gs + cap);
    res->gs_cap = cap;
    res->gs_shift = 64U - (unsigned)__builtin_ctzll(cap);
    return 0;
}

/* Moves all into a new table. */
static int rebuild(struct resources *res, size_t cap)
{
    struct goroutine *old = res->gs;
    struct goroutine_more **old_more = res->more;
    size_t old_cap = res->gs_cap, steps;
    int r = new_table(res, cap);

    if (r < 0)
        return r;
    for (size_t i = 0; i < old_cap; i++) {
        struct goroutine *g = old[i].id >= 0 ? free_place(res, old[i].id, &steps) : NULL;

        if (!g)
            continue;
        *g = old[i];
        res->more[g - res->gs] = old_more[i];
    }
    for (uint32_t i = 0; i < res->n_threads; i++)
        res->threads[i]->gp = NULL;
    if (old_cap > 0)
        memory_free(res->mem, old, old_cap * PLACE_SIZE);
    return 0;
}

int resources_new_goroutine(struct resources *res, int64_t id, struct goroutine **ret)
{
    struct goroutine *g = resources_place(res, id);
    size_t steps = ((size_t)(g - res->gs) - home(res, id)) & (res->gs_cap - 1);
    int r = 0;

    if (g->id >= 0)
        return -EEXIST;
    if (res->n_gs + res->n_gs / 2 >= res->gs_cap) {
        r = rebuild(res, res->gs_cap ? 2 * res->gs_cap : FIRST_GOROUTINES);
        if (r < 0)
            return r;
        g = free_place(res, id, &steps);
    }
    if (steps > IDMAP_CROWDED && res->factor != res->secret) {
        res->factor = res->secret;
        r = rebuild(res, res->gs_cap);
        if (r < 0) {
            res->factor = IDMAP_GOLDEN; /* the old table is unchanged */
            return r;
        }
        g = free_place(res, id, &steps);
    }
    *g = (struct goroutine){.id = id, .epoch = res->epoch};
    res->n_gs++;
    *ret = g;
    return 0;
}

/* Deletion without tombstones: entries behind the gap that may fill it move up. */
void resources_end_goroutine(struct resources *res, struct goroutine *g)
{
    struct goroutine *gs = res->gs;
    struct goroutine_more **more = res->more;
    size_t mask = res->gs_cap - 1, gap = (size_t)(g - gs);

    free_more(res, gap);
    for (size_t i = (gap + 1) & mask; gs[i].id >= 0; i = (i + 1) & mask) {
        if (((i - home(res, gs[i].id)) & mask) < ((i - gap) & mask))
            continue;
        gs[gap] = gs[i];
        more[gap] = more[i];
        gap = i;
    }
    gs[gap] = (struct goroutine){.id = GOTRACE_NONE};
    more[gap] = NULL;
    res->n_gs--;
}

int resources_new_proc(struct resources *res, int32_t id, struct proc **ret)
{
    struct proc *p;
    int r = memory_grow(res->mem, &res->procs, &res->procs_cap, (size_t)res->n_procs + 1,
                        sizeof(struct proc *));

    if (r == 0)
        r = memory_new(res->mem, sizeof(*p), &p);
    if (r < 0)
        return r;
    r = idmap_add(&res->p_ids, (uint64_t)id, res->n_procs);
    if (r < 0) {
        memory_free(res->mem, p, sizeof(*p));
        return r;
    }
    res->procs[res->n_procs++] = p;
    p->id = id;
    *ret = p;
    return 0;
}

int resources_new_thread(struct resources *res, int64_t id, struct thread **ret)
{
    struct thread *m;
    int r = memory_grow(res->mem, &res->threads, &res->threads_cap, (size_t)res->n_threads + 1,
                        sizeof(struct thread *));

    if (r == 0)
        r = memory_new(res->mem, sizeof(*m), &m);
    if (r < 0)
        return r;
    r = idmap_add(&res->m_ids, (uint64_t)id, res->n_threads);
    if (r < 0) {
        memory_free(res->mem, m, sizeof(*m));
        return r;
    }
    res->threads[res->n_threads++] = m;
    m->id = id;
    m->g = GOTRACE_NONE;
    m->pid = GOTRACE_NONE;
    *ret = m;
    return 0;
}

int resources_begin_task(struct resources *res, const struct task *task)
{
    int r = memory_grow(res->mem, &res->tasks, &res->tasks_cap, (size_t)res->n_tasks + 1,
                        sizeof(*res->tasks));

    if (r == 0)
        r = idmap_add(&res->task_ids, task->id, res->n_tasks);
    if (r < 0)
        return r;
    res->tasks[res->n_tasks++] = *task;
    if (task->type)
        name_hold(task->type);
    return 0;
}

bool resources_end_task(struct resources *res, uint64_t id, struct task *ret)
{
    uint32_t i = idmap_remove(&res->task_ids, id);

    if (i == IDMAP_NONE)
        return false;
    *ret = res->tasks[i];
    if (i != --res->n_tasks) {
        res->tasks[i] = res->tasks[res->n_tasks];
        idmap_set(&res->task_ids, res->tasks[i].id, i);
    }
    return true;
}

int resources_more(struct resources *res, const struct goroutine *g, struct goroutine_more **ret)
{
    struct goroutine_more **more = &res->more[g - res->gs];
    int r = *more ? 0 : memory_new(res->mem, sizeof(**more), more);

    if (r == 0)
        *ret = *more;
    return r;
}

int resources_push_region(struct resources *res, const struct goroutine *g,
                          const struct region *region)
{
    struct goroutine_more *more = NULL;
    int r = resources_more(res, g, &more);

    if (r < 0)
        return r;
    r = memory_grow(res->mem, &more->regions, &more->regions_cap, more->n_regions + 1,
                    sizeof(*more->regions));
    if (r < 0)
        return r;
    more->regions[more->n_regions++] = *region;
    if (region->type)
        name_hold(region->type);
    return 0;
}

int resources_pull_region(struct goroutine_more *more, uint64_t task, const struct name *type,
                          struct region *ret)
{
    size_t inner = 0;

    while (inner < more->n_regions && inner < REGIONS_SEARCHED) {
        struct region *found = &more->regions[more->n_regions - 1 - inner];

        if (found->task == task && found->type == type) {
            *ret = *found;
            memmove(found, found + 1, inner * sizeof(*found));
            more->n_regions--;
            return (int)inner;
        }
        inner++;
    }
    return -ENOENT;
}

void thread_bind(struct thread *m, struct proc *p)
{
    if (m->p == p)
        return;
    if (m->p) {
        if (m->prev)
            m->prev->next = m->next;
        else
            m->p->threads = m->next;
        if (m->next)
            m->next->prev = m->prev;
    }
    m->p = p;
    m->pid = p ? p->id : GOTRACE_NONE;
    m->prev = NULL;
    m->next = NULL;
    if (p) {
        m->next = p->threads;
        if (m->next)
            m->next->prev = m;
        p->threads = m;
    }
}
