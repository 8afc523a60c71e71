/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/tasks.h"

#include <errno.h>
#include <string.h>

_Static_assert(TASKS_MAX == 1u << TASKS_PLACE_BITS, "a reference holds any place");
_Static_assert(TASKS_WORKERS <= UINT16_MAX, "a goroutine's number of its worker");

void tasks_init(struct tasks *t, struct memory *mem, uint64_t seed)
{
    memset(t, 0, sizeof(*t));
    t->mem = mem;
    t->first = UINT64_MAX;
    idmap_init(&t->places, mem, seed);
}

void tasks_done(struct tasks *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        memory_free(t->mem, t->list[i].ids, sizeof(*t->list[i].ids));
    memory_free(t->mem, t->list, t->cap * sizeof(*t->list));
    memory_free(t->mem, t->free, t->free_cap * sizeof(*t->free));
    memory_free(t->mem, t->workers, t->workers_cap * sizeof(*t->workers));
    idmap_done(&t->places);
}

static int new_place(struct tasks *t, uint32_t *ret)
{
    int r;

    if (t->n_free > 0) {
        *ret = t->free[--t->n_free];
        return 0;
    }
    if (t->n == TASKS_MAX)
        return -E2BIG;
    r = memory_grow(t->mem, &t->list, &t->cap, t->n + 1, sizeof(*t->list));
    if (r == 0)
        r = memory_grow(t->mem, &t->free, &t->free_cap, t->n + 1, sizeof(*t->free));
    if (r < 0)
        return r;
    t->list[t->n] = (struct tasks_entry){.ref = TASKS_MAX | t->n};
    *ret = t->n++;
    return 0;
}

int tasks_add(struct tasks *t, uint64_t id, struct tasks_entry **ret)
{
    uint32_t place, ref;
    int r = new_place(t, &place);

    *ret = NULL;
    if (r == 0) {
        r = idmap_add(&t->places, id, place);
        if (r < 0)
            t->free[t->n_free++] = place;
    }
    if (r == -E2BIG || r == -EEXIST) {
        t->lost++;
        return 0;
    }
    if (r < 0)
        return r;
    ref = t->list[place].ref;
    t->list[place] = (struct tasks_entry){.id = id, .ref = ref, .owner = GOTRACE_NONE};
    t->list[place].taken = true;
    *ret = &t->list[place];
    return 0;
}

struct tasks_entry *tasks_find(struct tasks *t, uint64_t id)
{
    uint32_t place = idmap_find(&t->places, id);

    return place == IDMAP_NONE ? NULL : &t->list[place];
}

void tasks_close(struct tasks_entry *entry)
{
    entry->ref += TASKS_MAX;
    /* After 2^18 tasks in this place the serial begins again; 0 would be no reference. */
    if (entry->ref >> TASKS_PLACE_BITS == 0)
        entry->ref += TASKS_MAX;
    entry->over = true;
}

void tasks_remove(struct tasks *t, struct tasks_entry *entry)
{
    uint32_t place = entry->ref & (TASKS_MAX - 1);
    struct tasks_entry *above = tasks_get(t, entry->above);

    if (above)
        above->n_below--;
    tasks_close(entry);
    (void)idmap_remove(&t->places, entry->id);
    memory_free(t->mem, entry->ids, sizeof(*entry->ids));
    *entry = (struct tasks_entry){.ref = entry->ref};
    t->free[t->n_free++] = place;
}

bool tasks_is_below(const struct tasks *t, const struct tasks_entry *entry, uint32_t ref)
{
    for (unsigned depth = 0; entry && depth <= TASKS_DEPTH; depth++) {
        if (entry->ref == ref)
            return true;
        entry = tasks_get(t, entry->above);
    }
    return false;
}

int tasks_hire(struct tasks *t, struct accumulator_go *g, int64_t time, uint16_t *ret)
{
    uint32_t place = t->n_workers;
    int r = 0;

    *ret = 0;
    if (t->free_worker != 0) {
        place = t->free_worker - 1;
        t->free_worker = t->workers[place].task;
    } else if (t->n_workers == TASKS_WORKERS) {
        r = -E2BIG;
    } else {
        r = memory_grow(t->mem, &t->workers, &t->workers_cap, t->n_workers + 1,
                        sizeof(*t->workers));
        t->n_workers += r == 0;
    }
    if (r == -E2BIG) {
        t->lost_workers++;
        return 0;
    }
    if (r < 0)
        return r;
    t->workers[place] = (struct tasks_worker){.g = g, .settled = time};
    *ret = (uint16_t)(place + 1);
    return 0;
}

void tasks_work_for(struct tasks *t, uint16_t worker, struct tasks_entry *entry)
{
    struct tasks_worker *w = tasks_worker(t, worker);
    struct tasks_entry *before = tasks_get(t, w->task);

    if (before)
        before->n_workers--;
    if (entry)
        entry->n_workers++;
    w->task = entry ? entry->ref : 0;
    w->id = entry ? entry->id : 0;
}

void tasks_dismiss(struct tasks *t, uint16_t worker)
{
    tasks_work_for(t, worker, NULL);
    *tasks_worker(t, worker) = (struct tasks_worker){.task = t->free_worker};
    t->free_worker = worker;
}

void tasks_add_wait(struct tasks_work *work, uint16_t reason, int64_t time)
{
    uint32_t i = 0;

    while (i < work->n_waits && work->reasons[i] != reason)
        i++;
    if (i == TASKS_REASONS) {
        work->other += time;
        return;
    }
    work->reasons[i] = reason;
    work->waits[i] = i < work->n_waits ? work->waits[i] + time : time;
    work->n_waits = i < work->n_waits ? work->n_waits : i + 1;
}

bool tasks_may_look(struct tasks *t, uint64_t n)
{
    if (n > TASKS_LOOKS - t->looks)
        return false;
    t->looks += n;
    return true;
}
