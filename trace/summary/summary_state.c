/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Goroutines: how long they were in each state, and where.
 * A goroutine that was there before the trace is told at some time in the first generation, with
 * the state that it has been in since the trace began. Its times in states count from the trace's
 * beginning, as in Go's Summarizer. In the profiles its wait counts from where it is told, as in
 * the profiles of `go tool trace`. The scheduler's latency leaves out waits whose beginning is
 * unknown.
 */

#include "trace/summary/accumulator_hot.h"

#define OF_GC_AT_ALL                                                                         \
    (ACCUMULATOR_ASSIST | ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER | ACCUMULATOR_OF_GC | \
     ACCUMULATOR_GO_ASSIST | ACCUMULATOR_GO_WORKER)

static void occupy(struct accumulator *s, struct accumulator_go *g, int32_t number)
{
    struct accumulator_proc *p = accumulator_proc_find(s, number);

    g->p = GOTRACE_NONE;
    if (!p)
        return;
    if (p->go)
        p->go->p = GOTRACE_NONE;
    else
        s->procs_busy++;
    p->known = true;
    p->go = g;
    g->p = (int16_t)number; /* less than ACCUMULATOR_MAX_PROCS */
}

static void vacate(struct accumulator *s, struct accumulator_go *g)
{
    if (g->p == GOTRACE_NONE)
        return;
    s->ps[g->p].go = NULL;
    s->procs_busy--;
    g->p = GOTRACE_NONE;
}

/* A wait or a syscall had not ended when the trace did. */
static void add_open(struct accumulator *s, const struct accumulator_go *g, enum summary_open kind)
{
    bool older = g->flags & ACCUMULATOR_UNKNOWN_START;

    sites_add(&s->sites, g->stack, SITES_OPEN + kind, s->last - (older ? s->first : g->since));
}

/* The kind of a wait whose durations belong into that column. */
static enum summary_open open_kind(uint8_t column)
{
    switch (column) {
    case SUMMARY_SYNC: return SUMMARY_OPEN_SYNC;
    case SUMMARY_NET: return SUMMARY_OPEN_NET;
    default: return SUMMARY_OPEN_UNKNOWN;
    }
}

/*
 * A wait or a syscall ends, or the trace does (e is NULL). If it began and ended within the trace,
 * nothing needs to be done here: the sums by stack, which are added in the end, have it. If it was
 * there before the trace, it counts from the trace's start. Then the sums by stack have only the
 * part since it was told, but as a whole wait: this adds the other part and corrects `whole`.
 */
static void add_to_class(struct accumulator *s, struct summary_class *classes,
                         const struct accumulator_go *g, const struct gotrace_event *e)
{
    struct summary_class *class = &classes[s->sites.stacks[g->stack].class];
    bool older = g->flags & ACCUMULATOR_UNKNOWN_START;
    int64_t part = (e ? e->time : s->last) - g->since;
    int64_t duration = older ? part + g->since - s->first : part;

    if (e && !older)
        return;
    if (duration > class->max)
        class->max = duration;
    class->count += !e;
    class->total += e ? duration - part : duration;
    class->whole -= e != NULL;
    class->whole_total -= e ? part : 0;
}

/* Records the duration if it is the longest so far. Returns whether it is. */
static bool note_longest(struct summary_longest *longest, const struct accumulator_go *g, int32_t p,
                         int64_t duration, bool open)
{
    if (duration <= longest->duration)
        return false;
    *longest = (struct summary_longest){.duration = duration,
                                        .g = g->id,
                                        .p = p,
                                        .open = open,
                                        .older = g->flags & ACCUMULATOR_UNKNOWN_START,
                                        .at = {"", "", 0}};
    return true;
}

/* Adds a time of running: up to its end, or from the trace's start to where the goroutine was first
 * told to run. */
static void add_running(struct accumulator *s, struct accumulator_go *g, int64_t from, int64_t time)
{
    int64_t duration = time - from;

    if (g->p == GOTRACE_NONE) {
        s->out->goroutines.running += duration;
    } else {
        struct summary_proc *sums = &s->ps[g->p].sums;

        sums->executing += duration;
        if (duration > sums->longest_run)
            sums->longest_run = duration;
    }
    if (!(g->flags & (ACCUMULATOR_ASSIST | ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER)))
        return;
    if (g->flags & ACCUMULATOR_ASSIST)
        s->out->gc.assist_executing += time - (g->assist_since > from ? g->assist_since : from);
    if (g->flags & ACCUMULATOR_WORKER)
        s->out->gc.worker += duration;
    if (g->flags & ACCUMULATOR_IDLE_WORKER)
        s->out->gc.idle_worker += duration;
}

/* The stack where a goroutine stopped, if the event is its own. */
static int stop_stack(struct accumulator *s, const struct accumulator_go *g,
                      const struct gotrace_event *e, uint32_t *ret)
{
    *ret = SITES_NO_STACK;
    return e && e->g == g->id ? sites_of(&s->sites, s->trace, e->stack, ret) : 0;
}

/* Records a run on a P without a pause if it is long, or one of the longest, and not the tracer's. */
static int note_run(struct accumulator *s, const struct accumulator_go *g,
                    const struct gotrace_event *e, int64_t duration)
{
    struct summary_longest *hold = &s->out->longest_hold;
    int64_t others = (int64_t)(s->n_changes - g->changes), time = e ? e->time : s->last;
    int64_t own;
    uint32_t stack;
    int r;

    if (duration <= s->common_run && !(g->flags & ACCUMULATOR_UNKNOWN_START))
        return 0;
    own = duration - silences_since(&s->silences, time - duration);
    r = stop_stack(s, g, e, &stack);
    if (r < 0 || s->sites.stacks[stack].class == STACK_TRACER)
        return r;
    if (own > SUMMARY_LONG_RUN) {
        s->out->long_runs.count++;
        s->out->long_runs.total += own;
    }
    if (others * SUMMARY_ALIVE >= own && note_longest(hold, g, g->p, own, !e))
        s->longest_hold_stack = stack;
    if (note_longest(&s->out->longest_run, g, g->p, duration, !e))
        s->longest_run_stack = stack;
    accumulator_slow_run(s, g, stack, time, !e);
    return 0;
}

static int leave_running(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    int64_t time = e ? e->time : s->last;
    bool worker = g->flags & (ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER);
    int r;

    add_running(s, g, g->since, time);
    if (g->flags & ACCUMULATOR_IDLE_WORKER) {
        s->idle_workers--;
        accumulator_set_procs(s);
    }
    g->flags &= (uint8_t)~(ACCUMULATOR_WORKER | ACCUMULATOR_IDLE_WORKER);
    if (worker)
        return 0;
    r = e ? accumulator_turn_ends(s, g, e) : 0;
    return r < 0 ? r : note_run(s, g, e, time - g->since);
}

static int leave_runnable(struct accumulator *s, struct accumulator_go *g,
                          const struct gotrace_event *e)
{
    int64_t duration = (e ? e->time : s->last) - g->since;

    if (!e || e->to == GOTRACE_GO_RUNNING)
        accumulator_slow_latency(s, g, e ? e->time : s->last, !e);
    if (!e) {
        s->out->goroutines.runnable += duration;
        return 0;
    }
    accumulator_unqueue(s, g);
    s->n_runnable--;
    if (g->flags & ACCUMULATOR_OVERDUE)
        accumulator_set_overdue(s, s->n_overdue - 1);
    sites_add(&s->sites, g->stack, SUMMARY_SCHED, duration);
    if (e->to != GOTRACE_GO_RUNNING || (g->flags & ACCUMULATOR_UNKNOWN_START))
        return 0;
    return histogram_add(&s->latency, duration);
}

/* Another goroutine may have woken this one: that which the event is from. */
static int note_wake(struct accumulator *s, const struct accumulator_go *g,
                     const struct gotrace_event *e)
{
    struct accumulator_go *waker = e->g == GOTRACE_NONE ? NULL : accumulator_go_find(s, e->g);
    uint32_t at;
    int r = sites_of(&s->sites, s->trace, e->stack, &at);

    if (r < 0)
        return r;
    if (waker && waker != g && waker->state == GOTRACE_GO_RUNNING)
        accumulator_wakes(s, waker, at);
    if (e->time - g->since >= ACCUMULATOR_LONG)
        accumulator_waited(s, g, e->g, at, e->time);
    return 0;
}

static int leave_waiting(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    struct accumulator_reason *reason = &s->reasons[g->reason];
    int64_t duration = (e ? e->time : s->last) - g->since;
    int r = 0;

    if (reason->forever)
        return 0;
    if (e)
        r = note_wake(s, g, e);
    reason->total += duration;
    if (duration > reason->max)
        reason->max = duration;
    accumulator_slow_wait(s, g, e ? e->time : s->last, !e);
    if (reason->classes)
        add_to_class(s, reason->classes, g, e);
    if (e)
        sites_add(&s->sites, g->stack, reason->column, duration);
    else if (reason->classes && reason->column != SITES_SLEEP)
        add_open(s, g, open_kind(reason->column));
    return r;
}

/* Adds a time in which the goroutine held its P in a syscall. */
static void add_held(struct accumulator *s, const struct accumulator_go *g, int64_t from,
                     int64_t time)
{
    struct summary_proc *sums = &s->ps[g->p].sums;

    sums->in_syscall += time - from;
    if (time - from > sums->longest_syscall)
        sums->longest_syscall = time - from;
}

void accumulator_go_lose_proc(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    add_held(s, g, g->since, time);
    vacate(s, g);
    g->blocked_since = time;
    s->out->syscalls.blocked++;
    if (++s->n_blocked > s->out->syscalls.max_blocked_at_once)
        s->out->syscalls.max_blocked_at_once = s->n_blocked;
}

/* Whether somebody waits for the syscall to be over, as far as its stack tells. One without a stack
 * counts only once it has ended. */
static bool is_active(const struct accumulator *s, const struct accumulator_go *g, bool ended)
{
    switch (s->sites.stacks[g->stack].class) {
    case STACK_LISTENER:
    case STACK_PARKED:
    case STACK_READ:
    case STACK_TRACER:
    case STACK_RUNTIME: return false;
    case STACK_CALL: return true;
    default: break;
    }
    /* A library's thread may sit in C for good. */
    if (!ended && (g->flags & ACCUMULATOR_UNKNOWN_START) &&
        (s->sites.stacks[g->stack].traits & (STACK_C | STACK_SERVES)) == STACK_C)
        return false;
    return ended || g->stack != SITES_NO_STACK;
}

/* A call on a socket never blocks: if it is long, its thread waits for a CPU. */
static void note_active(struct accumulator *s, const struct accumulator_go *g, int64_t duration,
                        bool open)
{
    if (s->sites.stacks[g->stack].traits & STACK_SOCKET)
        return;
    if (note_longest(&s->out->syscalls.longest_active, g, g->p, duration, open))
        s->longest_active_stack = g->stack;
    if (duration >= SUMMARY_SLOW && g->stack != SITES_NO_STACK)
        sites_add(&s->sites, g->stack, SITES_SLOW, duration);
}

static int leave_syscall(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    int64_t time = e ? e->time : s->last, duration = time - g->since;
    int64_t since_first = g->flags & ACCUMULATOR_UNKNOWN_START ? time - s->first : duration;

    s->out->goroutines.in_syscall += duration;
    if (g->p != GOTRACE_NONE)
        add_held(s, g, g->since, time);
    else
        s->out->goroutines.syscall_blocked += time - g->blocked_since;
    if (note_longest(&s->out->syscalls.longest, g, g->p, since_first, !e))
        s->longest_syscall_stack = g->stack;
    if (is_active(s, g, e != NULL)) {
        note_active(s, g, since_first, !e);
        accumulator_slow_syscall(s, g, time, !e);
    }
    if (e && duration >= ACCUMULATOR_CALL)
        accumulator_called(s, g, time);
    add_to_class(s, s->out->classes.syscall, g, e);
    if (!e) {
        add_open(s, g, SUMMARY_OPEN_SYSCALL);
        return 0;
    }
    s->n_syscall--;
    if (g->p == GOTRACE_NONE)
        s->n_blocked--;
    sites_add(&s->sites, g->stack, SUMMARY_SYSCALL, duration);
    return g->flags & ACCUMULATOR_UNKNOWN_START ? 0 : histogram_add(&s->syscalls, duration);
}

int accumulator_go_leave(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    switch (g->state) {
    case GOTRACE_GO_RUNNING: return leave_running(s, g, e);
    case GOTRACE_GO_RUNNABLE: return leave_runnable(s, g, e);
    case GOTRACE_GO_WAITING: return leave_waiting(s, g, e);
    case GOTRACE_GO_SYSCALL: return leave_syscall(s, g, e);
    default: return 0;
    }
}

static void enter_running(struct accumulator *s, struct accumulator_go *g,
                          const struct gotrace_event *e)
{
    if (g->p != e->p || e->p == GOTRACE_NONE) {
        vacate(s, g);
        occupy(s, g, e->p);
    }
    g->changes = s->n_changes;
    if (e->from == GOTRACE_GO_UNDETERMINED)
        add_running(s, g, s->sync, e->time);
}

static int note_stop(struct accumulator *s, const struct accumulator_go *g,
                     const struct gotrace_event *e)
{
    uint16_t reason;
    int r = accumulator_reason_of(s, e->string, &reason);

    if (r == 0)
        s->sites.stacks[g->stack].yields += s->reasons[reason].yields;
    return r;
}

static int enter_runnable(struct accumulator *s, struct accumulator_go *g,
                          const struct gotrace_event *e)
{
    int r;

    if (e->from == GOTRACE_GO_UNDETERMINED)
        s->out->goroutines.runnable += e->time - s->sync;
    if (++s->n_runnable > s->out->scheduler.runnable_max)
        s->out->scheduler.runnable_max = s->n_runnable;
    accumulator_queue(s, g);
    r = sites_of(&s->sites, s->trace, e->stack, &g->stack);
    return r == 0 && e->type == GOTRACE_EV_GO_STOP ? note_stop(s, g, e) : r;
}

static int enter_waiting(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    struct accumulator_reason *reason;
    int r = accumulator_reason_of(s, e->string, &g->reason);

    if (r < 0)
        return r;
    reason = &s->reasons[g->reason];
    if (e->from == GOTRACE_GO_UNDETERMINED) {
        reason->total += e->time - s->sync;
        if (e->time - s->sync > reason->max)
            reason->max = e->time - s->sync;
    } else {
        reason->count++;
    }
    if (reason->forever)
        r = accumulator_regions_end(s, g, e->time);
    g->stack = SITES_NO_STACK;
    if (r < 0 || !reason->placed)
        return r;
    return sites_of(&s->sites, s->trace, e->stack, &g->stack);
}

static int enter_syscall(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    bool unknown = e->from == GOTRACE_GO_UNDETERMINED;
    struct summary_syscalls *out = &s->out->syscalls;

    if (unknown) {
        struct accumulator_proc *p = accumulator_proc_find(s, e->p);

        /* The event is from its own thread, which holds the proc for it, or from a thread whose
         * proc runs another goroutine. */
        if (p && !p->go)
            occupy(s, g, e->p);
        s->out->goroutines.in_syscall += e->time - s->sync;
        if (g->p == GOTRACE_NONE)
            s->out->goroutines.syscall_blocked += e->time - s->sync;
        else
            add_held(s, g, s->sync, e->time);
    } else {
        out->count++;
        accumulator_did_call(g);
    }
    if (++s->n_syscall > out->max_at_once)
        out->max_at_once = s->n_syscall;
    if (g->p == GOTRACE_NONE) {
        g->blocked_since = e->time;
        if (++s->n_blocked > out->max_blocked_at_once)
            out->max_blocked_at_once = s->n_blocked;
    }
    return sites_of(&s->sites, s->trace, e->stack, &g->stack);
}

static int enter(struct accumulator *s, struct accumulator_go *g, const struct gotrace_event *e)
{
    switch (e->to) {
    case GOTRACE_GO_RUNNING: enter_running(s, g, e); return 0;
    case GOTRACE_GO_RUNNABLE: return enter_runnable(s, g, e);
    case GOTRACE_GO_WAITING: return enter_waiting(s, g, e);
    case GOTRACE_GO_SYSCALL: return enter_syscall(s, g, e);
    default: return 0;
    }
}

/* A goroutine that the runtime creates for a timer comes of no `go` statement: then its own function
 * stands for one. */
static int note_creation(struct accumulator *s, struct accumulator_go *g,
                         const struct gotrace_event *e)
{
    struct accumulator_go *by;
    uint32_t stack;
    int r = sites_of(&s->sites, s->trace, e->stack, &stack);

    if (r == 0 && stack == SITES_NO_STACK && e->type == GOTRACE_EV_GO_CREATE) {
        r = sites_of(&s->sites, s->trace, e->new_stack, &stack);
        if (r == 0)
            sites_add(&s->sites, stack, SITES_BY_TIMER, 0);
    }
    if (r == 0)
        accumulator_note_creation(s, g, stack, e->time);
    by = e->g == GOTRACE_NONE ? NULL : accumulator_go_find(s, e->g);
    if (by)
        accumulator_did(by);
    return r;
}

static int end(struct accumulator *s, struct accumulator_go *g, int64_t time)
{
    int r = accumulator_regions_end(s, g, time);

    s->sites.stacks[g->creator].ended++;
    accumulator_go_forget(s, g);
    return r;
}

int accumulator_go_event(struct accumulator *s, const struct gotrace_event *e)
{
    struct accumulator_go *g;
    int r = 0;

    if (e->from == e->to)
        return 0;
    /* A goroutine that is created cannot be known yet: the reader checks that. */
    g = e->from == GOTRACE_GO_NOT_EXIST ? NULL : accumulator_go_find(s, (int64_t)e->args[0]);
    if (!g)
        r = accumulator_go_meet(s, e, &g);
    if (e->to == GOTRACE_GO_NOT_EXIST) {
        s->out->goroutines.ended++;
        s->alive--;
    }
    if (r < 0 || !g)
        return r;
    if (e->from == GOTRACE_GO_NOT_EXIST)
        r = accumulator_task_inherit(s, e, g);
    else if (g->worker != 0)
        accumulator_task_worked(s, g, e->time);
    if (r < 0)
        return r;
    accumulator_advance(s, e->time);
    s->n_changes += e->from != GOTRACE_GO_UNDETERMINED;
    r = accumulator_go_leave(s, g, e);
    if (g->p != GOTRACE_NONE && e->to != GOTRACE_GO_SYSCALL && e->to != GOTRACE_GO_RUNNING)
        vacate(s, g);
    g->since = e->time;
    g->flags &= (uint8_t)~(ACCUMULATOR_UNKNOWN_START | ACCUMULATOR_OVERDUE);
    if (e->from == GOTRACE_GO_UNDETERMINED)
        g->flags |= ACCUMULATOR_UNKNOWN_START;
    if (r == 0 && e->from == GOTRACE_GO_NOT_EXIST)
        r = note_creation(s, g, e);
    if (r == 0)
        r = enter(s, g, e);
    g->state = e->to;
    if (r == 0 && (g->flags & OF_GC_AT_ALL))
        r = accumulator_gc_state(s, g, e);
    g->go_state = s->go_procs > 0 ? e->to : g->go_state;
    if (r == 0 && e->to == GOTRACE_GO_NOT_EXIST)
        r = end(s, g, e->time);
    return r;
}
