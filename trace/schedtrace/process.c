/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/process.h"

#include <stdlib.h>
#include <string.h>

/* Threads of the runtime that have neither a P nor anything to do with calls: sysmon, and mostly one
 * that waits for the network or for signals. */
#define THREADS_OF_RUNTIME 2

uint64_t process_window(const struct process *p)
{
    return p->n > 0 ? p->list[p->n - 1]->ms - p->list[0]->ms : 0;
}

/* Of more, the last ones are looked at. */
#define INTERVALS_MAX 256

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

uint64_t process_interval(const struct process *p)
{
    uint64_t gaps[INTERVALS_MAX];
    size_t n = 0;

    for (size_t i = p->n; i > 1 && n < INTERVALS_MAX; i--)
        gaps[n++] = p->list[i - 1]->ms - p->list[i - 2]->ms;
    if (n == 0)
        return 0;
    qsort(gaps, n, sizeof(gaps[0]), compare);
    return gaps[n / 2];
}

bool process_detailed(const struct process *p)
{
    size_t detailed = 0;

    for (size_t i = 0; i < p->n; i++)
        detailed += p->list[i]->head.detailed;
    return 2 * detailed > p->n;
}

void process_gcs_add(struct process_gcs *to, const struct process_gcs *more)
{
    if (more->cycles == 0)
        return;
    if (to->cycles == 0)
        to->before = more->before;
    to->cycles += more->cycles;
    to->forced += more->forced;
    to->pause_total += more->pause_total;
    to->mark_total += more->mark_total;
    to->assist_total += more->assist_total;
    to->live = more->live;
    to->percent = more->percent;
    if (more->peak > to->peak)
        to->peak = more->peak;
    if (more->pause_max > to->pause_max || to->longest.line == 0) {
        to->pause_max = more->pause_max;
        to->longest = more->longest;
    }
    if (more->assist_max > to->assist_max || to->assisted.line == 0) {
        to->assist_max = more->assist_max;
        to->assisted = more->assisted;
    }
}

void process_gcs(const struct process *p, struct process_gcs *ret)
{
    *ret = (struct process_gcs){0};
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i]->gcs)
            process_gcs_add(ret, p->list[i]->gcs);
    process_gcs_add(ret, &p->pending);
}

uint64_t snapshot_queued(const struct snapshot *s)
{
    uint64_t sum = s->head.runqueue;

    for (uint32_t i = 0; i < s->head.n; i++)
        sum += s->ps[i].queue;
    return sum;
}

uint32_t snapshot_in_calls(const struct snapshot *s)
{
    const struct schedline_head *h = &s->head;
    uint32_t elsewhere = h->idle_threads + (h->procs - h->idle) + h->idle_locked;

    if (s->has_gs)
        return s->gs.syscall;
    elsewhere += THREADS_OF_RUNTIME;
    return h->threads > elsewhere ? h->threads - elsewhere : 0;
}
