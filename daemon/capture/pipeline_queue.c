/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/pipeline_state.h"

static void list_add(struct flight_list *l, struct flight *f)
{
    f->prev = l->last;
    f->next = NULL;
    if (l->last)
        l->last->next = f;
    else
        l->first = f;
    l->last = f;
    l->n++;
}

static void list_push(struct flight_list *l, struct flight *f)
{
    f->prev = NULL;
    f->next = l->first;
    if (l->first)
        l->first->prev = f;
    else
        l->last = f;
    l->first = f;
    l->n++;
}

static void list_remove(struct flight_list *l, struct flight *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        l->first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    else
        l->last = f->prev;
    l->n--;
}

static bool somebody_waits(const struct flight *f)
{
    return f->purpose.reason != REASON_SCHEDULE && f->purpose.reason != REASON_SIGNAL;
}

void queue_add(struct flight *f)
{
    struct pipeline *p = f->pipeline;
    const struct target *t = f->target;

    f->turn = t->last_start == 0 ? TURN_NEW : t->failures > 0 ? TURN_ILL : TURN_WELL;
    p->turns.waiting[f->turn]++;
    /* Of those that fail, or are new, there may be thousands before it. */
    if (f->turn != TURN_WELL && somebody_waits(f))
        list_push(&p->waiting[f->turn], f);
    else
        list_add(&p->waiting[f->turn], f);
}

void queue_raise(struct flight *f)
{
    struct flight_list *l = &f->pipeline->waiting[f->turn];

    if (f->turn == TURN_WELL || !somebody_waits(f))
        return;
    list_remove(l, f);
    list_push(l, f);
}

struct flight *queue_next(struct pipeline *p)
{
    enum turn turn;

    return turns_next(&p->turns, p->max, &turn) ? p->waiting[turn].first : NULL;
}

void queue_take(struct flight *f)
{
    struct pipeline *p = f->pipeline;

    list_remove(&p->waiting[f->turn], f);
    turns_take(&p->turns, f->turn);
    list_add(&p->flying, f);
}

void queue_leave(struct flight *f)
{
    struct pipeline *p = f->pipeline;

    if (f->state == FLIGHT_WAITING) {
        list_remove(&p->waiting[f->turn], f);
        p->turns.waiting[f->turn]--;
    } else {
        list_remove(&p->flying, f);
        p->turns.flying[f->turn]--;
    }
}

unsigned pipeline_waiting(const struct pipeline *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TURNS; i++)
        n += p->turns.waiting[i];
    return n;
}
