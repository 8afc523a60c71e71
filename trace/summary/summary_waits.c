/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Long waits: who ended them, what that one had done before, and whether they were inside of the
 * process in the service of a request. Of each goroutine the last thing is kept that took it
 * ACCUMULATOR_LONG, a wait or a syscall. If it then wakes another one that had waited meanwhile,
 * such as for a mutex, that was what the other one waited for.
 */

#include <string.h>

#include "trace/stack/kin.h"
#include "trace/summary/accumulator.h"

/* What is woken within this time of another wake by the same goroutine, at the same place, belongs to
 * one burst. */
#define BURST 1000000

/* What comes regularly is late if it takes so many times as long as on average, of so many; and if in
 * this share of the cases it took about as long as the time before. */
#define LATE_TIMES 8
#define LATE_LEAST 20
#define LATE_REGULAR 0.8

/* The past of a goroutine; NULL: there is no place. Of another goroutine's it is emptied. */
static struct accumulator_past *past_of(struct accumulator *s, int64_t id, bool make)
{
    uint32_t n = idmap_find(&s->go_ids, (uint64_t)id);

    if (n == IDMAP_NONE || (n >= s->n_pasts && !make))
        return NULL;
    if (n >= s->n_pasts) {
        size_t old = s->n_pasts;

        if (memory_grow(&s->mem, &s->pasts, &s->pasts_cap, (size_t)n + 1, sizeof(*s->pasts)) < 0)
            return NULL;
        memset(s->pasts + old, 0, (s->pasts_cap - old) * sizeof(*s->pasts));
        s->n_pasts = (uint32_t)s->pasts_cap;
    }
    if (s->pasts[n].id != id)
        s->pasts[n] = (struct accumulator_past){.id = id};
    return &s->pasts[n];
}

static void note_past(struct accumulator *s, const struct accumulator_go *g,
                      enum summary_before before, uint32_t reason, int64_t time)
{
    struct accumulator_past *past = past_of(s, g->id, true);

    if (!past)
        return;
    past->since = g->since;
    past->end = time;
    past->stack = g->stack;
    past->before = before;
    past->reason = reason;
    past->calls = past->longest_call = 0;
}

static void note_call(struct accumulator *s, const struct accumulator_go *g, int64_t time)
{
    struct accumulator_past *past = past_of(s, g->id, false);
    int64_t duration = time - g->since;

    if (!past)
        return;
    past->calls += duration;
    if (duration < past->longest_call)
        return;
    past->longest_call = duration;
    past->call_stack = g->stack;
}

/* Whether the goroutine waits in a region for its turn: one that does the same work gives it. */
static bool is_turn(const struct accumulator *s, const struct accumulator_go *g, uint32_t at)
{
    return g->regions != 0 && s->sites.stacks[g->stack].class == STACK_OTHER &&
           sites_alike(&s->sites, g->stack, at);
}

/* Whether the wait is for something inside of the process and is in the service of a request, or
 * for a pool, which is there for requests. */
static bool is_inside(const struct accumulator *s, const struct accumulator_go *g, int64_t waker,
                      uint32_t at)
{
    const struct sites_stack *stack = &s->sites.stacks[g->stack];
    bool serves = stack->traits & STACK_SERVES;

    switch (stack->class) {
    case STACK_POOL: return true;
    case STACK_LIMIT: return serves || g->regions != 0;
    case STACK_JOIN: return serves;
    case STACK_OTHER:
    case STACK_HANDLER:
        /* What no goroutine ended was ended by time. */
        return waker != GOTRACE_NONE && (serves || is_turn(s, g, at));
    default: return false;
    }
}

static uint64_t *bursts_of(struct accumulator *s, uint32_t traits)
{
    if (traits & STACK_CONDITION)
        return &s->out->inside.condition_bursts;
    if (traits & STACK_SELECTS)
        return &s->out->inside.select_bursts;
    return &s->out->inside.receive_bursts;
}

/* What the waker did for the largest part of the time in which the other one waited; 0: it ran. */
static int64_t held(const struct accumulator_past *past, const struct sites *sites, int64_t since,
                    int64_t time)
{
    int64_t from = past->since > since ? past->since : since;
    int64_t overlap = past->end - from;

    /* One that waited for a mutex did so for the same one: it was the next. */
    if (past->end == 0 || sites->stacks[past->stack].class == STACK_LOCK)
        return 0;
    return overlap > 0 && time - past->end <= overlap ? overlap : 0;
}

/* Whether it held the mutex, which it got as its own wait for that ended, over syscalls too short to
 * be remembered one by one. */
static bool held_over_calls(const struct accumulator_past *past, const struct sites *sites,
                            int64_t time)
{
    return past->calls > 0 && past->end > 0 && sites->stacks[past->stack].class == STACK_LOCK &&
           past->calls >= (time - past->end) / 2;
}

/* Since when the waker had the mutex for which the other one has waited since `since`, as far as that
 * is known: since its own wait for it ended, or the thing began that took it so long. */
static int64_t held_since(const struct accumulator_past *past, const struct sites *sites,
                          int64_t since, int64_t overlap)
{
    bool waited = past && sites->stacks[past->stack].class == STACK_LOCK;
    int64_t from = !past ? since : overlap > 0 && !waited ? past->since : past->end;

    return from > since ? from : since;
}

/*
 * The goroutine wakes another one in the stack `at`. Whether that is right after it woke one there:
 * then it has one message for all of them. A receiver that wakes the one that it answers, and one
 * whose message has room now, wakes both for one after the other.
 */
static bool wakes_again(struct accumulator_past *past, uint32_t at, int64_t time)
{
    unsigned place = past->woke[1] < past->woke[0];
    bool again;

    for (unsigned i = 0; i < ACCUMULATOR_WOKE; i++)
        place = past->woke[i] != 0 && past->woke_at[i] == at ? i : place;
    again =
        past->woke[place] != 0 && past->woke_at[place] == at && time - past->woke[place] < BURST;
    past->woke[place] = time;
    past->woke_at[place] = at;
    return again;
}

/* Whether what the waker did last was work for others: a call, or an answer that it waited for. */
static bool worked(const struct accumulator *s, const struct accumulator_past *past)
{
    unsigned classes = STACK_SET(STACK_CALL) | STACK_SET(STACK_CONN) | STACK_SET(STACK_POOL);
    unsigned class = s->sites.stacks[past->stack].class;

    if ((STACK_SET(class) & (STACK_STANDING | STACK_SET(STACK_RUNTIME))) != 0)
        return false;
    return past->before == SUMMARY_IN_SYSCALL || past->before == SUMMARY_IN_NETWORK ||
           (STACK_SET(class) & classes) != 0;
}

/* Whether the goroutine had woken its waker right before. That is told once. */
static bool had_asked(struct accumulator *s, int64_t id, int64_t waker)
{
    struct accumulator_past *past = past_of(s, id, false);
    bool ret = past && past->asked == waker;

    if (past)
        past->asked = 0;
    return ret;
}

/* A request wakes a goroutine that has waited, perhaps for something to do. */
static void note_asked(struct accumulator *s, int64_t id, int64_t waker, uint32_t at)
{
    struct accumulator_past *past =
        s->sites.stacks[at].traits & STACK_SERVES ? past_of(s, waker, true) : NULL;

    if (past)
        past->asked = id;
}

/* Adds a wait to the sums by who ended it. */
static void add_waker(struct accumulator *s, const struct accumulator_go *g, int64_t waker,
                      uint32_t at, int64_t time)
{
    struct accumulator_past *past = past_of(s, waker, true);
    struct wakers_pair pair = {g->stack, at, SUMMARY_RAN, TEXTS_EMPTY, SITES_NO_STACK};
    const struct sites_stack *stack = &s->sites.stacks[g->stack];
    int64_t overlap = past ? held(past, &s->sites, g->since, time) : 0;
    bool burst = past && wakes_again(past, at, time);
    bool answered = overlap > 0 && worked(s, past) && had_asked(s, g->id, waker);

    if (overlap > 0) {
        pair.before = past->before;
        pair.reason = past->reason;
        pair.stack = past->stack;
    } else if (past && stack->class == STACK_LOCK && held_over_calls(past, &s->sites, time)) {
        pair.before = SUMMARY_IN_SYSCALL;
        pair.stack = past->call_stack;
    }
    if (stack->class == STACK_LOCK) {
        s->lock_waited += time - g->since;
        s->lock_held[pair.before] += time - held_since(past, &s->sites, g->since, overlap);
    } else if (answered) {
        sites_add(&s->sites, g->stack, SITES_ANSWERED, time - g->since);
    } else if (burst) {
        ++*bursts_of(s, stack->traits);
    }
    wakers_add(&s->wakers, &pair, time - g->since);
}

static enum summary_before before_of(uint8_t column)
{
    switch (column) {
    case SUMMARY_NET: return SUMMARY_IN_NETWORK;
    case SITES_SLEEP: return SUMMARY_ASLEEP;
    default: return SUMMARY_WAITED;
    }
}

/*
 * Nobody ended the wait, but a timer or the network. If that is right after a hole, which the wait
 * spans and which is far longer than such waits are: what comes regularly here should have come
 * within it.
 */
static void note_late(struct accumulator *s, const struct accumulator_go *g, uint8_t column,
                      int64_t time)
{
    struct sites_stack *k = &s->sites.stacks[g->stack];
    const struct tally *usual = sites_tally(k, column);
    int64_t duration = time - g->since;
    bool timed = column == SUMMARY_SYNC || column == SITES_SLEEP;

    if (g->flags & ACCUMULATOR_UNKNOWN_START)
        return;
    if (g->since < s->silences.hole.from && usual->count >= LATE_LEAST &&
        duration / LATE_TIMES >= usual->total / (int64_t)usual->count)
        silences_late(&s->silences, timed && k->regular >= k->timed * LATE_REGULAR, time,
                      &s->out->silences);
    if (!timed)
        return;
    k->timed++;
    k->regular += duration > k->last / 2 && duration / 3 < k->last / 2;
    k->last = duration;
}

void accumulator_waited(struct accumulator *s, const struct accumulator_go *g, int64_t waker,
                        uint32_t at, int64_t time)
{
    const struct accumulator_reason *reason = &s->reasons[g->reason];
    bool inside = false;

    if (waker == GOTRACE_NONE)
        note_late(s, g, reason->column, time);
    if (waker == g->id)
        waker = GOTRACE_NONE;
    if (reason->column == SUMMARY_SYNC || reason->column == SITES_SLEEP)
        inside = is_inside(s, g, waker, at);
    if (inside && !(g->flags & ACCUMULATOR_UNKNOWN_START))
        sites_add(&s->sites, g->stack, SITES_INSIDE, time - g->since);
    if (waker != GOTRACE_NONE && (inside || s->sites.stacks[g->stack].class == STACK_LOCK))
        add_waker(s, g, waker, at, time);
    if (waker != GOTRACE_NONE)
        note_asked(s, g->id, waker, at);
    note_past(s, g, before_of(reason->column), reason->text, time);
}

void accumulator_called(struct accumulator *s, const struct accumulator_go *g, int64_t time)
{
    if (time - g->since >= ACCUMULATOR_LONG)
        note_past(s, g, SUMMARY_IN_SYSCALL, TEXTS_EMPTY, time);
    else
        note_call(s, g, time);
}

void accumulator_add_tally(struct summary_class *to, const struct tally *tally, bool whole)
{
    to->count += tally->count;
    to->total += tally->total;
    if (whole) {
        to->whole += tally->count;
        to->whole_total += tally->total;
    }
    if (tally->max > to->max)
        to->max = tally->max;
}

/* Adds all waits of a stack, those that are not whole, too. */
static void add_all(struct summary_class *to, const struct sites_stack *stack)
{
    accumulator_add_tally(to, sites_tally(stack, SUMMARY_SYNC), true);
    accumulator_add_tally(to, sites_tally(stack, SITES_SLEEP), true);
    accumulator_add_tally(to, sites_tally(stack, SITES_UNKNOWN), false);
    accumulator_add_tally(to, sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_SYNC), false);
    accumulator_add_tally(to, sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN), false);
}

static int64_t all_time(const struct sites_stack *stack)
{
    static const unsigned columns[] = {SUMMARY_SYNC,
                                       SUMMARY_NET,
                                       SUMMARY_SYSCALL,
                                       SITES_OPEN + SUMMARY_OPEN_SYNC,
                                       SITES_OPEN + SUMMARY_OPEN_NET,
                                       SITES_OPEN + SUMMARY_OPEN_SYSCALL,
                                       SITES_OPEN + SUMMARY_OPEN_UNKNOWN};
    int64_t ret = 0;

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        ret += sites_tally(stack, columns[i])->total;
    return ret;
}

/* Adds waits for others to finish, and for a condition. */
static void add_join(struct summary_inside *in, const struct sites_stack *stack)
{
    accumulator_add_tally(&in->join, sites_tally(stack, SITES_INSIDE), true);
    if (!(stack->traits & STACK_CONDITION))
        return;
    accumulator_add_tally(&in->conditions_before, sites_tally(stack, SITES_UNKNOWN), false);
    accumulator_add_tally(&in->conditions_open, sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_SYNC),
                          false);
    accumulator_add_tally(&in->conditions_open,
                          sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN), false);
    in->conditions +=
        sites_tally(stack, SITES_INSIDE)->count + sites_tally(stack, SITES_UNKNOWN)->count;
}

/* So many answers tell what a function's waits are for. */
#define ANSWERS 5

/* The text of the function in which the stack waits; IDMAP_NONE: it has none. */
static uint32_t function_of(const struct accumulator *s, uint32_t n)
{
    uint32_t at = sites_at(&s->sites, n, SUMMARY_SYNC);

    return at == IDMAP_NONE ? IDMAP_NONE : s->sites.frames[at].func;
}

/* Collects the functions in which most waits of requests were for an answer. */
static int collect_answers(struct accumulator *s, struct idmap *answers)
{
    int r = 0;

    for (uint32_t i = SITES_FIRST; r == 0 && i < s->sites.n_stacks; i++) {
        const struct sites_stack *stack = &s->sites.stacks[i];
        uint64_t n = sites_tally(stack, SITES_ANSWERED)->count;
        uint32_t function = n >= ANSWERS ? function_of(s, i) : IDMAP_NONE;

        if (function != IDMAP_NONE && n * 2 >= sites_tally(stack, SITES_INSIDE)->count &&
            idmap_find(answers, function) == IDMAP_NONE)
            r = idmap_add(answers, function, 0);
    }
    return r;
}

/* Adds the waits of a stack that serves a request and says nothing of a pool. */
static void add_channel(struct summary_inside *in, const struct sites_stack *stack, bool answered)
{
    const struct tally *whole = sites_tally(stack, SITES_INSIDE);

    if (stack->class == STACK_JOIN) {
        add_join(in, stack);
    } else if (stack->traits & STACK_SENDS) {
        add_all(&in->send, stack);
    } else if (answered) {
        add_all(&in->answers, stack);
    } else if (stack->traits & STACK_SELECTS) {
        accumulator_add_tally(&in->select, whole, true);
        in->select_open += sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_SYNC)->total +
                           sites_tally(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN)->total +
                           sites_tally(stack, SITES_UNKNOWN)->total;
    } else {
        accumulator_add_tally(&in->receive, whole, true);
    }
}

/* Collects the functions in which requests wait for goroutines to finish. */
static int collect_joins(struct accumulator *s, struct kin *joins)
{
    int r = 0;

    for (uint32_t i = SITES_FIRST; r == 0 && i < s->sites.n_stacks; i++) {
        const struct sites_stack *stack = &s->sites.stacks[i];
        uint32_t names[2];

        if (stack->class == STACK_JOIN && (stack->traits & STACK_SERVES) && all_time(stack) > 0)
            r = kin_add(joins, sites_frame(&s->sites, i, SUMMARY_SYNC).func, names);
    }
    return r;
}

/* Whether a request waits for the goroutine with this stack to finish, as far as stacks tell. */
static bool is_joined(const struct accumulator *s, uint32_t n, const struct kin *joins)
{
    const struct sites_stack *stack = &s->sites.stacks[n];

    for (uint32_t i = 0; i < stack->n; i++) {
        struct summary_frame at = sites_frame_text(&s->sites, s->sites.rows[stack->row + i]);
        struct kin_walk walk = kin_walk(joins, at.func);

        if (kin_next(joins, &walk) != IDMAP_NONE)
            return true;
    }
    return false;
}

static void add_limit(struct accumulator *s, uint32_t n, const struct kin *joins)
{
    const struct sites_stack *stack = &s->sites.stacks[n];

    if ((stack->traits & STACK_SERVES) || is_joined(s, n, joins))
        add_all(&s->out->inside.limit, stack);
    else
        accumulator_add_tally(&s->out->inside.limit, sites_tally(stack, SITES_INSIDE), true);
}

/* Adds what requests ask of others, and how many requests there are. */
static void add_asked(struct summary_inside *in, const struct sites_stack *stack)
{
    if (!(stack->traits & STACK_SERVES)) {
        if ((stack->traits & STACK_NEXT) && stack->class == STACK_LISTENER)
            in->requests += sites_tally(stack, SUMMARY_NET)->count;
        return;
    }
    if (stack->class != STACK_LISTENER && stack->class != STACK_CLIENT)
        accumulator_add_tally(&in->asked, sites_tally(stack, SUMMARY_NET), true);
    if (stack->class == STACK_CALL || stack->class == STACK_CONN)
        accumulator_add_tally(&in->asked, sites_tally(stack, SUMMARY_SYNC), true);
}

/* Whether the stack waits in one of these functions. */
static bool waits_in(const struct accumulator *s, uint32_t n, const struct idmap *functions)
{
    uint32_t function = function_of(s, n);

    return function != IDMAP_NONE && idmap_find(functions, function) != IDMAP_NONE;
}

static void add_stack(struct accumulator *s, uint32_t n, const struct kin *joins,
                      const struct idmap *answers)
{
    struct summary_inside *in = &s->out->inside;
    const struct sites_stack *stack = &s->sites.stacks[n];
    uint32_t traits = stack->traits;

    if (stack->class == STACK_POOL)
        add_all(&in->pool, stack);
    else if (stack->class == STACK_CONN)
        add_all(&in->conn, stack);
    else if (stack->class == STACK_LIMIT)
        add_limit(s, n, joins);
    else if ((traits & STACK_SERVES) &&
             (stack->class == STACK_JOIN || stack->class == STACK_OTHER ||
              stack->class == STACK_HANDLER))
        add_channel(in, stack, waits_in(s, n, answers));
    else if (stack->class == STACK_OTHER)
        accumulator_add_tally(&in->turn, sites_tally(stack, SITES_INSIDE), true);
    add_asked(in, stack);
    if (traits & STACK_DIALS)
        in->dials += all_time(stack);
    if (traits & STACK_FLUSHES)
        in->flushes +=
            sites_tally(stack, SUMMARY_SYSCALL)->count + sites_tally(stack, SUMMARY_SYNC)->count;
    if ((traits & STACK_OS) && (STACK_STANDING & STACK_SET(stack->class)) == 0) {
        s->out->syscalls.files += sites_tally(stack, SUMMARY_SYSCALL)->count;
        s->out->syscalls.files_total += sites_tally(stack, SUMMARY_SYSCALL)->total;
    }
    if (traits & STACK_SOCKET)
        s->out->syscalls.sockets_total += sites_tally(stack, SUMMARY_SYSCALL)->total;
    if ((traits & (STACK_ACCEPTS | STACK_KNOWN_SERVER)) == STACK_ACCEPTS && all_time(stack) > 0)
        in->accepts++;
}

/* In a queue for a mutex, one waits while all before it hold the mutex, and the last of them wakes it.
 * So the waits are shared out by how long the holders did what. */
static void share_out_locks(struct accumulator *s)
{
    double held = 0;

    for (unsigned i = 0; i < SUMMARY_N_BEFORE; i++)
        held += (double)s->lock_held[i];
    for (unsigned i = 0; i < SUMMARY_N_BEFORE && held > 0; i++)
        s->out->wakers.lock[i] +=
            (int64_t)((double)s->lock_waited * ((double)s->lock_held[i] / held));
}

int accumulator_waits_finish(struct accumulator *s)
{
    struct kin joins;
    struct idmap answers;
    int r;

    share_out_locks(s);

    kin_init(&joins, &s->mem, s->seed);
    idmap_init(&answers, &s->mem, s->seed);
    r = collect_joins(s, &joins);
    if (r == 0)
        r = collect_answers(s, &answers);
    for (uint32_t i = 0; r == 0 && i < s->sites.n_stacks; i++)
        add_stack(s, i, &joins, &answers);
    idmap_done(&answers);
    kin_done(&joins);
    return r < 0 ? r : wakers_top(&s->wakers, &s->sites, &s->out->wakers);
}

void accumulator_waits_done(struct accumulator *s)
{
    wakers_done(&s->wakers);
    memory_free(&s->mem, s->pasts, s->pasts_cap * sizeof(*s->pasts));
}
