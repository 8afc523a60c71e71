/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/summarizer.h"

/* A range of a P counts for the goroutine that it begins and ends on, if that is one. */
static int sweeper(struct summarizer *s, const struct gotrace_event *e, struct life **ret)
{
    int32_t number = e->kind == GOTRACE_RANGE_ACTIVE ? (int32_t)e->args[0] : e->p;
    struct life *life = lives_find(&s->lives, e->g);
    struct on_p *p;
    int r = ps_get(&s->ps, number, &p);

    if (r < 0)
        return r;
    if (e->kind != GOTRACE_RANGE_END) {
        if (life)
            p->sweeps = e->g;
        *ret = life;
        return 0;
    }
    *ret = p->sweeps == e->g ? life : NULL;
    p->sweeps = GOTRACE_NONE;
    return 0;
}

/* Whose the range is, and its column. *ret is NULL if nobody's. */
static int owner(struct summarizer *s, const struct gotrace_event *e, struct life **ret,
                 uint16_t *ret_column)
{
    switch (e->type) {
    case GOTRACE_EV_GC_MARK_ASSIST_BEGIN:
    case GOTRACE_EV_GC_MARK_ASSIST_ACTIVE:
    case GOTRACE_EV_GC_MARK_ASSIST_END:
        *ret = lives_find(&s->lives, e->kind == GOTRACE_RANGE_ACTIVE ? (int64_t)e->args[0] : e->g);
        *ret_column = COLUMNS_ASSIST;
        return 0;
    case GOTRACE_EV_GC_SWEEP_BEGIN:
    case GOTRACE_EV_GC_SWEEP_ACTIVE:
    case GOTRACE_EV_GC_SWEEP_END: *ret_column = COLUMNS_SWEEP; return sweeper(s, e, ret);
    case GOTRACE_EV_STW_BEGIN:
    case GOTRACE_EV_STW_END:
        *ret = lives_find(&s->lives, e->g);
        return columns_of(&s->columns, s->trace, COLUMN_STW, e->string, ret_column);
    default: return 0; /* the GC's own, of no goroutine */
    }
}

int summarizer_range(struct summarizer *s, const struct gotrace_event *e)
{
    int64_t now = e->kind == GOTRACE_RANGE_ACTIVE ? s->sync : e->time;
    struct life *life = NULL;
    struct share *share;
    uint16_t column = 0;
    int r = owner(s, e, &life, &column);

    if (r < 0 || !life)
        return r;
    if (e->kind == GOTRACE_RANGE_END) {
        share = times_share(&life->times, &s->shares, column);
        if (!share || !share->open)
            return 0;
        share->open = false;
        return times_add(&life->times, &s->shares, column, times_between(share->since, now));
    }
    r = times_need(&life->times, &s->shares, column, &share);
    if (r < 0 || !share)
        return r;
    if (share->open && e->kind == GOTRACE_RANGE_ACTIVE)
        r = times_add(&life->times, &s->shares, column, times_between(share->since, now));
    share->since = now;
    share->open = true;
    return r;
}
