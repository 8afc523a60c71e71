/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/mmu.h"

#include <errno.h>
#include <string.h>

#define FIRST_RING 256

void mmu_init(struct mmu *m, struct memory *mem, const int64_t windows[MMU_WINDOWS])
{
    memset(m, 0, sizeof(*m));
    m->mem = mem;
    for (size_t i = 0; i < MMU_WINDOWS; i++) {
        m->windows[i] = windows[i];
        m->least[i] = (double)windows[i];
    }
}

static void forget_held(struct mmu *m)
{
    memory_free(m->mem, m->held, m->held_cap * sizeof(*m->held));
    memory_free(m->mem, m->procs, m->procs_cap * sizeof(*m->procs));
    m->held = NULL;
    m->procs = NULL;
    m->held_cap = m->n_held = m->procs_cap = m->n_procs = 0;
}

void mmu_done(struct mmu *m)
{
    forget_held(m);
    memory_free(m->mem, m->ring, m->ring_size * sizeof(*m->ring));
    m->ring = NULL;
}

static struct mmu_point *at(const struct mmu *m, uint64_t i)
{
    return &m->ring[i & (m->ring_size - 1)];
}

/* Utilised nanoseconds until a time between point i and the next point. */
static double sum_until(const struct mmu *m, uint64_t i, int64_t time)
{
    const struct mmu_point *p = at(m, i);

    return p->sum + p->util * (double)(time - p->time);
}

static void consider(struct mmu *m, size_t w, double utilised)
{
    if (utilised < m->least[w])
        m->least[w] = utilised;
}

/* Considers the windows that begin at a point and end between the last two points, and the window
 * that ends at the last point. */
static void slide(struct mmu *m, size_t w)
{
    uint64_t last = m->n - 1;
    const struct mmu_point *end = at(m, last);

    while (m->next[w] <= last) {
        const struct mmu_point *p = at(m, m->next[w]);

        if (end->time - p->time < m->windows[w])
            break;
        consider(m, w, sum_until(m, last - 1, p->time + m->windows[w]) - p->sum);
        m->next[w]++;
    }
    if (m->next[w] > m->tail)
        consider(m, w, end->sum - sum_until(m, m->next[w] - 1, end->time - m->windows[w]));
}

static int enlarge(struct mmu *m)
{
    size_t size = m->ring_size ? m->ring_size * 2 : FIRST_RING;
    struct mmu_point *ring, *old = m->ring;
    int r = memory_new(m->mem, size * sizeof(*ring), &ring);

    if (r < 0)
        return r;
    for (uint64_t i = m->tail; i < m->n; i++)
        ring[i & (size - 1)] = *at(m, i);
    m->ring = ring;
    memory_free(m->mem, old, m->ring_size * sizeof(*old));
    m->ring_size = size;
    return 0;
}

/* Drops the oldest point, although a window that began there is not over. */
static void drop_oldest(struct mmu *m)
{
    m->inexact = true;
    m->tail++;
    for (size_t w = 0; w < MMU_WINDOWS; w++)
        if (m->next[w] < m->tail)
            m->next[w] = m->tail;
}

static int append(struct mmu *m, int64_t time, double util)
{
    struct mmu_point p = {.time = time, .util = util};
    uint64_t needed;

    if (m->n == 0)
        m->start = time;
    else
        p.sum = sum_until(m, m->n - 1, time);
    if (m->n - m->tail == m->ring_size) {
        int r = m->ring_size < MMU_MAX_RECENT ? enlarge(m) : 0;

        if (r < 0 && (r != -E2BIG || m->ring_size == 0))
            return r;
        if (m->n - m->tail == m->ring_size)
            drop_oldest(m);
    }
    m->n++;
    *at(m, m->n - 1) = p;
    for (size_t w = 0; m->n > 1 && w < MMU_WINDOWS; w++)
        slide(m, w);
    needed = m->next[MMU_WINDOWS - 1];
    if (needed > 0 && needed - 1 > m->tail)
        m->tail = needed - 1;
    return 0;
}

int mmu_release(struct mmu *m)
{
    int r = 0;

    m->released = true;
    for (size_t i = 0; r == 0 && i < m->n_held; i++)
        r = append(m, m->held[i].time, m->held[i].util);
    forget_held(m);
    return r;
}

int mmu_set_procs(struct mmu *m, int64_t time, int64_t n)
{
    int r;

    if (m->released || (m->n_procs > 0 && m->procs[m->n_procs - 1].n == n))
        return 0;
    if (m->n_procs == MMU_MAX_PROCS_CHANGES) {
        m->inexact = true;
        return 0;
    }
    r = memory_grow(m->mem, &m->procs, &m->procs_cap, m->n_procs + 1, sizeof(*m->procs));
    if (r == 0)
        m->procs[m->n_procs++] = (struct mmu_procs){time, n};
    m->inexact = m->inexact || r == -E2BIG;
    return r == -E2BIG ? 0 : r;
}

int mmu_add(struct mmu *m, int64_t time, double util)
{
    int r;

    if (!m->released && m->n_held == MMU_MAX_HELD) {
        m->inexact = true;
        r = mmu_release(m);
        if (r < 0)
            return r;
    }
    if (m->released)
        return m->n > 0 && at(m, m->n - 1)->util == util ? 0 : append(m, time, util);
    if (m->n_held > 0 && m->held[m->n_held - 1].util == util)
        return 0;
    r = memory_grow(m->mem, &m->held, &m->held_cap, m->n_held + 1, sizeof(*m->held));
    if (r < 0)
        return r;
    m->held[m->n_held++] = (struct mmu_point){.time = time, .util = util};
    return 0;
}

void mmu_deduct(struct mmu *m)
{
    size_t p = 0;

    for (size_t i = 0; i < m->n_held && m->n_procs > 0; i++) {
        struct mmu_point *point = &m->held[i];

        while (p + 1 < m->n_procs && m->procs[p + 1].time < point->time)
            p++;
        point->util -= 1.0 / (double)m->procs[p].n;
        if (point->util < 0)
            point->util = 0;
    }
}

int mmu_finish(struct mmu *m, int64_t time, bool as_go, double ret[MMU_WINDOWS], double *ret_mean)
{
    const struct mmu_point *end;
    int64_t length;
    int r = m->released ? 0 : mmu_release(m);

    if (r == 0 && m->n > 0 && (!as_go || at(m, m->n - 1)->util != 0))
        r = append(m, time, 0);
    if (r < 0)
        return r;
    end = m->n > 0 ? at(m, m->n - 1) : NULL;
    length = end ? end->time - m->start : 0;
    *ret_mean = length > 0 ? end->sum / (double)length : -1;
    for (size_t w = 0; w < MMU_WINDOWS; w++) {
        if (length <= 0)
            ret[w] = -1;
        else if (length < m->windows[w])
            ret[w] = *ret_mean;
        else
            ret[w] = m->least[w] / (double)m->windows[w];
    }
    return 0;
}
