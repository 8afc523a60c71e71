/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/summarizer.h"

#include <errno.h>
#include <string.h>

#include "trace/goroutines/start.h"

static void add(struct life *life, enum times_field field, int64_t ns)
{
    life->times.ns[field] = times_plus(life->times.ns[field], ns);
}

/* Adds the time since the goroutine entered its state, which does not end, as when the trace ends.
 */
static int add_pending(struct summarizer *s, struct life *life, int64_t now)
{
    int64_t ns = times_between(life->since, now);

    if (life->since == 0)
        return 0;
    switch (life->state) {
    case GOTRACE_GO_RUNNING: add(life, TIMES_EXEC, ns); break;
    case GOTRACE_GO_RUNNABLE: add(life, TIMES_SCHED_WAIT, ns); break;
    case GOTRACE_GO_WAITING: return times_add(&life->times, &s->shares, life->block, ns);
    case GOTRACE_GO_SYSCALL:
        add(life, TIMES_SYSCALL, ns);
        if (life->lost_p != 0)
            add(life, TIMES_SCHED_WAIT, times_between(life->lost_p, now));
        break;
    default: break;
    }
    return 0;
}

/* The goroutine ends, or the trace does: GoroutineSummary.finalize. */
static int finalize(struct summarizer *s, struct life *life, int64_t now)
{
    int r = add_pending(s, life, now);

    if (life->times.ns[TIMES_TOTAL] == 0)
        life->times.ns[TIMES_TOTAL] = times_between(life->created, now);
    for (uint32_t i = life->times.shares; r == 0 && i != SHARES_NONE; i = s->shares.list[i].next) {
        struct share *share = &s->shares.list[i];

        if (share->open)
            r = times_add(&life->times, &s->shares, share->column,
                          times_between(share->since, now));
        share->open = false;
    }
    life->since = life->lost_p = 0;
    life->state = GOTRACE_GO_UNDETERMINED;
    return r;
}

/* GoroutineExecStats.UnknownTime */
static int64_t unknown_time(const struct times *t)
{
    static const uint8_t known[] = {TIMES_EXEC, TIMES_SCHED_WAIT, TIMES_BLOCK, TIMES_SYSCALL,
                                    TIMES_SYSCALL_BLOCK};
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof(known); i++)
        sum = times_plus(sum, t->ns[known[i]]);
    return times_between(sum, t->ns[TIMES_TOTAL]);
}

static bool fits(const struct summarizer *s, uint32_t name)
{
    const char *text = groups_shown_name(texts_get(&s->texts, name));

    return !s->name || strstr(text, s->name);
}

/* Nothing more comes of the goroutine: it goes into its group. */
static int settle(struct summarizer *s, struct life *life)
{
    struct times *t = &life->times;
    int r;

    t->ns[TIMES_UNKNOWN] = unknown_time(t);
    r = groups_add(&s->groups, life->name, t);
    if (r < 0)
        return r;
    s->count++;
    s->exec = times_plus(s->exec, t->ns[TIMES_EXEC]);
    if (!fits(s, life->name))
        return 0;
    s->matches++;
    return worst_offer(&s->worst, life);
}

/* The goroutine is met for the first time. *ret is NULL if there is no room for it. */
static int begin(struct summarizer *s, const struct gotrace_event *e, struct life **ret)
{
    bool old = e->from == GOTRACE_GO_UNDETERMINED;
    struct life *life;
    int64_t ns = times_between(s->sync, e->time);
    int r = lives_new(&s->lives, (int64_t)e->args[0], &life);

    *ret = NULL;
    if (r == -E2BIG)
        s->left_out++;
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    *ret = life;
    life->created = old ? s->sync : e->time;
    if (!old)
        return 0;
    switch (e->to) {
    case GOTRACE_GO_RUNNING: add(life, TIMES_EXEC, ns); break;
    case GOTRACE_GO_RUNNABLE: add(life, TIMES_SCHED_WAIT, ns); break;
    case GOTRACE_GO_SYSCALL:
        add(life, e->p == GOTRACE_NONE ? TIMES_SYSCALL_BLOCK : TIMES_SYSCALL, ns);
        break;
    case GOTRACE_GO_WAITING:
        r = columns_of(&s->columns, s->trace, COLUMN_BLOCK, e->string, &life->block);
        return r < 0 ? r : times_add(&life->times, &s->shares, life->block, ns);
    default: break;
    }
    return 0;
}

static int leave_syscall(struct summarizer *s, struct life *life, int64_t now)
{
    struct on_p *p;
    int r = ps_get(&s->ps, life->p, &p);

    if (r < 0)
        return r;
    if (life->lost_p != 0) {
        add(life, TIMES_SYSCALL_BLOCK, times_between(life->lost_p, now));
        now = life->lost_p;
    }
    add(life, TIMES_SYSCALL, times_between(life->since, now));
    life->lost_p = 0;
    /* By now this may be another goroutine's, whose loss of the P then goes unnoticed, as in Go. */
    p->in_syscall = GOTRACE_NONE;
    return 0;
}

static int leave(struct summarizer *s, struct life *life, int64_t now)
{
    int r = 0;

    if (life->since == 0)
        return 0;
    if (life->state == GOTRACE_GO_SYSCALL)
        r = leave_syscall(s, life, now);
    else
        r = add_pending(s, life, now);
    life->since = 0;
    return r;
}

static int end(struct summarizer *s, struct life *life, const struct gotrace_event *e)
{
    int r;

    life->ended = e->time;
    r = finalize(s, life, e->time);
    /* A number of a thread of C may come again, and then this one does not count. */
    if (r < 0 || e->type != GOTRACE_EV_GO_DESTROY)
        return r;
    r = settle(s, life);
    lives_forget(&s->lives, life);
    return r;
}

static int block(struct summarizer *s, struct life *life, const struct gotrace_event *e)
{
    int r = columns_of(&s->columns, s->trace, COLUMN_BLOCK, e->string, &life->block);

    if (r == 0 && s->columns.list[life->block].forever)
        return end(s, life, e);
    return r;
}

static int enter_syscall(struct summarizer *s, struct life *life, const struct gotrace_event *e)
{
    struct on_p *p;
    int r = ps_get(&s->ps, e->p, &p);

    if (r < 0)
        return r;
    p->in_syscall = life->g;
    life->p = e->p;
    return 0;
}

static int enter(struct summarizer *s, struct life *life, const struct gotrace_event *e)
{
    life->since = e->time;
    life->state = e->to;
    switch (e->to) {
    case GOTRACE_GO_RUNNING:
        if (life->started == 0)
            life->started = e->time;
        return 0;
    case GOTRACE_GO_WAITING: return block(s, life, e);
    case GOTRACE_GO_SYSCALL: return enter_syscall(s, life, e);
    case GOTRACE_GO_NOT_EXIST: return end(s, life, e);
    default: return 0;
    }
}

static int go_state(struct summarizer *s, const struct gotrace_event *e)
{
    struct life *life = NULL;
    int r = 0;

    if (e->from == e->to)
        return 0;
    if (e->from == GOTRACE_GO_UNDETERMINED || e->from == GOTRACE_GO_NOT_EXIST)
        r = begin(s, e, &life);
    else
        life = lives_find(&s->lives, (int64_t)e->args[0]);
    if (r < 0 || !life)
        return r;
    r = leave(s, life, e->time);
    if (r == 0 && life->name == TEXTS_EMPTY)
        r = start_name(&s->texts, s->trace, e, &life->name);
    return r < 0 ? r : enter(s, life, e);
}

/* A P becomes idle: a goroutine in a syscall has lost it. */
static int proc_state(struct summarizer *s, const struct gotrace_event *e)
{
    struct life *life;
    struct on_p *p;
    int r;

    if (e->from == e->to || e->to != GOTRACE_PROC_IDLE)
        return 0;
    r = ps_get(&s->ps, (int32_t)e->args[0], &p);
    if (r < 0 || p->in_syscall == GOTRACE_NONE)
        return r;
    life = lives_find(&s->lives, p->in_syscall);
    if (life)
        life->lost_p = e->time;
    p->in_syscall = GOTRACE_NONE;
    return 0;
}

static void new_generation(struct summarizer *s, const struct gotrace_event *e)
{
    struct gotrace_generation generation;

    s->sync = e->time;
    if (gotrace_generation(s->trace, &generation) < 0)
        return;
    s->generations++;
    texts_generation(&s->texts, generation.n_strings);
    columns_generation(&s->columns, generation.n_strings);
}

int summarizer_event(struct summarizer *s, const struct gotrace_event *e)
{
    switch (e->kind) {
    case GOTRACE_GO_STATE: return go_state(s, e);
    case GOTRACE_PROC_STATE: return proc_state(s, e);
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: return summarizer_range(s, e);
    case GOTRACE_SYNC: new_generation(s, e); return 0;
    default: return 0;
    }
}

int summarizer_finish(struct summarizer *s, int64_t last)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->lives.n; i++) {
        struct life *life = &s->lives.list[i];

        if (!life->used)
            continue;
        r = finalize(s, life, last);
        if (r == 0)
            r = settle(s, life);
        times_done(&life->times, &s->shares);
    }
    worst_sort(&s->worst);
    return r;
}
