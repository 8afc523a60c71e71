/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"
#include "daemon/capture/pipeline_state.h"

static void list_add(struct capture_job_list *l, struct capture_job *c)
{
    c->prev = l->last;
    c->next = NULL;
    if (l->last)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
    l->n++;
}

static void list_push(struct capture_job_list *l, struct capture_job *c)
{
    c->prev = NULL;
    c->next = l->first;
    if (l->first)
        l->first->prev = c;
    else
        l->last = c;
    l->first = c;
    l->n++;
}

static void list_remove(struct capture_job_list *l, struct capture_job *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        l->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        l->last = c->prev;
    l->n--;
}

void queue_wake(struct pipeline *p)
{
    (void)sd_event_source_set_enabled(p->wake, SD_EVENT_ONESHOT);
}

static bool somebody_waits(const struct capture_job *c)
{
    return c->purpose.reason != REASON_SCHEDULE && c->purpose.reason != REASON_SIGNAL;
}

void queue_add(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;
    const struct lane *l = c->lane;

    c->turn = l->last_start == 0 ? TURN_NEW : l->failures > 0 ? TURN_ILL : TURN_WELL;
    p->turns.waiting[c->turn]++;
    /* Among new or failing targets, thousands could be ahead of somebody who waits for an
     * answer. */
    if (c->turn != TURN_WELL && somebody_waits(c))
        list_push(&p->waiting[c->turn], c);
    else
        list_add(&p->waiting[c->turn], c);
}

void queue_raise(struct capture_job *c)
{
    struct capture_job_list *l = &c->pipeline->waiting[c->turn];

    if (c->parked || c->turn == TURN_WELL || !somebody_waits(c))
        return;
    list_remove(l, c);
    list_push(l, c);
}

struct capture_job *queue_next(struct pipeline *p)
{
    enum turn turn;

    return turns_next(&p->turns, p->max, &turn) ? p->waiting[turn].first : NULL;
}

void queue_take(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;

    list_remove(&p->waiting[c->turn], c);
    turns_take(&p->turns, c->turn);
    list_add(&p->flying, c);
}

void queue_pull(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;

    if (c->parked) {
        list_remove(&p->parked, c);
        c->parked = false;
        queue_add(c);
    }
    queue_take(c);
}

void queue_leave(struct capture_job *c)
{
    struct pipeline *p = c->pipeline;

    if (c->parked) {
        list_remove(&p->parked, c);
    } else if (c->state == CAPTURE_JOB_WAITING) {
        list_remove(&p->waiting[c->turn], c);
        p->turns.waiting[c->turn]--;
    } else {
        list_remove(&p->flying, c);
        p->turns.flying[c->turn]--;
    }
}

bool queue_must_park(const struct capture_job *c)
{
    for (const struct lane *l = c->target->lanes; l; l = l->next) {
        if (l != c->lane && l->capture_job && l->capture_job->state != CAPTURE_JOB_WAITING)
            return true;
    }
    return false;
}

void queue_park(struct capture_job *c)
{
    queue_leave(c);
    c->parked = true;
    list_add(&c->pipeline->parked, c);
}

void queue_unpark(struct pipeline *p, const struct target *t)
{
    for (const struct lane *l = t->lanes; l; l = l->next) {
        struct capture_job *c = l->capture_job;

        if (!c || !c->parked)
            continue;
        list_remove(&p->parked, c);
        c->parked = false;
        c->unparked = loop_now(p->event, CLOCK_BOOTTIME);
        queue_add(c);
    }
}

unsigned pipeline_waiting(const struct pipeline *p)
{
    unsigned n = p->parked.n;

    for (unsigned i = 0; i < TURNS; i++)
        n += p->turns.waiting[i];
    return n;
}
