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
    const struct lane *l = f->lane;

    f->turn = l->last_start == 0 ? TURN_NEW : l->failures > 0 ? TURN_ILL : TURN_WELL;
    p->turns.waiting[f->turn]++;
    /* Among new or failing targets, thousands could be ahead of somebody who waits for an
     * answer. */
    if (f->turn != TURN_WELL && somebody_waits(f))
        list_push(&p->waiting[f->turn], f);
    else
        list_add(&p->waiting[f->turn], f);
}

void queue_raise(struct flight *f)
{
    struct flight_list *l = &f->pipeline->waiting[f->turn];

    if (f->parked || f->turn == TURN_WELL || !somebody_waits(f))
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

    if (f->parked) {
        list_remove(&p->parked, f);
    } else if (f->state == FLIGHT_WAITING) {
        list_remove(&p->waiting[f->turn], f);
        p->turns.waiting[f->turn]--;
    } else {
        list_remove(&p->flying, f);
        p->turns.flying[f->turn]--;
    }
}

bool queue_must_park(const struct flight *f)
{
    for (const struct lane *l = f->target->lanes; l; l = l->next) {
        if (l != f->lane && l->flight && l->flight->state != FLIGHT_WAITING)
            return true;
    }
    return false;
}

void queue_park(struct flight *f)
{
    queue_leave(f);
    f->parked = true;
    list_add(&f->pipeline->parked, f);
}

void queue_unpark(struct pipeline *p, const struct target *t)
{
    for (const struct lane *l = t->lanes; l; l = l->next) {
        struct flight *f = l->flight;

        if (!f || !f->parked)
            continue;
        list_remove(&p->parked, f);
        f->parked = false;
        queue_add(f);
    }
}

unsigned pipeline_waiting(const struct pipeline *p)
{
    unsigned n = p->parked.n;

    for (unsigned i = 0; i < TURNS; i++)
        n += p->turns.waiting[i];
    return n;
}
