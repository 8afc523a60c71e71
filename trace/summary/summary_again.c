/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who does the same thing again and again, for nothing. Three kinds: who asks whether anything has
 * come, by a sleep, a ticker or a deadline, and waits again; who is woken together with others, finds
 * nothing and waits again; and who never waits, but asks in a loop. Of the last, the stacks say so in
 * which it was when the runtime interrupted it, every 10 ms.
 */

#include <string.h>

#include "trace/summary/accumulator_hot.h"
#include "trace/summary/ranking.h"

/* Who has work to do takes longer than this, nanoseconds. */
#define AGAIN_TURN_MAX 20000
/* Who is woken together with so many, on average, at least, is one of a herd, if of the turns this
 * share is for nothing, and they are no longer than this. */
#define HERD_AT_ONCE 20
#define HERD_SHARE 0.8
#define HERD_TURN_MAX 3000
/* Who asks waits for no longer than this, on average; and of the waits there this share is so. */
#define VAIN_WAIT_MAX 5000000
#define VAIN_SHARE 0.8
/* Of the times at which a function was interrupted, it asked or counted in this share, asked in this
 * one at least, and there are so many. */
#define ASKING_SHARE 0.6
#define ASKING_LEAST_SHARE 0.05
#define ASKING_LEAST 10
#define ASKING_FUNCTIONS 32

int accumulator_turn_ends(struct accumulator *s, struct accumulator_go *g,
                          const struct gotrace_event *e)
{
    uint16_t reason;
    uint32_t stack;
    int r;

    if (e->g != g->id || (e->to != GOTRACE_GO_WAITING && e->type != GOTRACE_EV_GO_STOP))
        return 0;
    r = sites_of(&s->sites, s->trace, e->stack, &stack);
    if (r == 0)
        r = accumulator_reason_of(s, e->string, &reason);
    if (r < 0)
        return r;
    if (e->to == GOTRACE_GO_WAITING) {
        if (!s->reasons[reason].placed)
            stack = SITES_NO_STACK;
        accumulator_will_wait(s, g, s->reasons[reason].column, stack, e->time);
    } else {
        sites_add(&s->sites, stack, SITES_STOPPED, e->time - g->since);
        accumulator_did(g);
    }
    return 0;
}

void accumulator_waits_again(struct accumulator *s, const struct accumulator_go *g, uint32_t last,
                             uint8_t column, uint32_t stack, int64_t time)
{
    bool called = last & ACCUMULATOR_CALLED;

    /* A read that brings nothing is one call; if it brings something, there is one more. */
    if (time - g->since > AGAIN_TURN_MAX || (called && column != SUMMARY_NET))
        return;
    if (called || g->stack == SITES_NO_STACK)
        sites_add(&s->sites, stack, SITES_VAIN, time - g->since);
    else if (column == SUMMARY_SYNC)
        sites_add(&s->sites, g->stack, SITES_WOKEN, time - g->since);
}

/* Whether goroutines that wait in this stack mostly ask for nothing, often. */
static bool asks_in_vain(const struct sites_stack *k)
{
    static const unsigned columns[] = {SUMMARY_SYNC, SUMMARY_NET, SITES_SLEEP};
    uint64_t count = 0;
    int64_t total = 0;

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        count += k->tallies[columns[i]].count;
        total += k->tallies[columns[i]].total;
    }
    return k->tallies[SITES_VAIN].count > 0 && (STACK_STANDING & STACK_SET(k->class)) == 0 &&
           (double)k->tallies[SITES_VAIN].count >= (double)count * VAIN_SHARE &&
           total <= (int64_t)count * VAIN_WAIT_MAX;
}

/* Whether who is woken here is one of a herd. */
static bool wakes_a_herd(const struct sites_stack *k)
{
    const struct tally *woken = &k->tallies[SITES_WOKEN];
    uint64_t all = k->tallies[SUMMARY_SCHED].count;

    return k->turns > 0 && all >= HERD_AT_ONCE * k->turns &&
           (double)woken->count >= (double)all * HERD_SHARE &&
           woken->total <= (int64_t)woken->count * HERD_TURN_MAX;
}

/* What a function does when it is interrupted there. A select asks if it has a default, which its stack
 * does not tell: so it is taken for one where its caller never waits in a select. */
enum { ASKS = 1, COUNTS = 2, SELECTS = 4 };

static const struct {
    const char *begin;
    const char *end;
    uint8_t does;
} functions[] = {
    {"runtime.selectnbrecv", "", ASKS},   {"runtime.selectnbsend", "", ASKS},
    {"runtime.chanlen", "", ASKS},        {"context.(*cancelCtx).Err", "", ASKS},
    {"sync.(*Mutex).TryLock", "", ASKS},  {"sync.(*Mutex).Lock", "", ASKS},
    {"sync.(*Mutex).Unlock", "", COUNTS}, {"sync.(*RWMutex).Try", "", ASKS},
    {"sync/atomic.", ".Load", ASKS},      {"sync/atomic.", ".CompareAndSwap", ASKS},
    {"sync/atomic.", "", COUNTS},         {"runtime.selectgo", "", SELECTS},
};

static bool is_so(const char *func, const char *begin, const char *end)
{
    size_t n = strlen(func), n_end = strlen(end);

    return strncmp(func, begin, strlen(begin)) == 0 && n >= n_end &&
           strcmp(func + n - n_end, end) == 0;
}

static uint8_t does(const char *func)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        bool whole = functions[i].end[0] != '\0';

        if (whole ? is_so(func, functions[i].begin, functions[i].end)
                  : strncmp(func, functions[i].begin, strlen(functions[i].begin)) == 0)
            return functions[i].does;
    }
    return 0;
}

static uint8_t stack_does(const struct sites *s, uint32_t n)
{
    const struct sites_stack *k = &s->stacks[n];
    uint8_t ret = 0;

    for (uint32_t i = 0; i < k->n; i++)
        ret |= does(sites_frame_text(s, s->rows[k->row + i]).func);
    return ret;
}

/* A function of the program, by the times at which it was interrupted. */
struct asking {
    uint32_t func; /* text */
    uint64_t count;
    uint64_t asks;
    uint64_t both; /* asked, or counted */
    uint64_t selects;
    bool waits; /* there, for channels */
};

static uint32_t function_at(const struct sites *s, uint32_t n, unsigned column)
{
    uint32_t at = sites_at(s, n, column);

    return at == IDMAP_NONE ? TEXTS_EMPTY : s->frames[at].func;
}

/* The function in which goroutines stopped in that stack; TEXTS_EMPTY: none. */
static uint32_t function_of(const struct sites *s, uint32_t n)
{
    return s->stacks[n].tallies[SITES_STOPPED].count > 0 ? function_at(s, n, SUMMARY_SCHED)
                                                         : TEXTS_EMPTY;
}

static struct asking *find(struct asking *list, size_t n, uint32_t func)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].func == func)
            return &list[i];
    }
    return NULL;
}

/* Lists the functions that ask anywhere. */
static size_t list_functions(const struct sites *s, struct asking *list)
{
    size_t n = 0;

    for (uint32_t i = SITES_FIRST; i < s->n_stacks && n < ASKING_FUNCTIONS; i++) {
        uint32_t func = function_of(s, i);

        if (func != TEXTS_EMPTY && !find(list, n, func) && (stack_does(s, i) & (ASKS | SELECTS)))
            list[n++] = (struct asking){.func = func};
    }
    return n;
}

static void count(const struct sites *s, struct asking *list, size_t n)
{
    for (uint32_t i = SITES_FIRST; n > 0 && i < s->n_stacks; i++) {
        struct asking *one = find(list, n, function_of(s, i));
        uint64_t times = s->stacks[i].tallies[SITES_STOPPED].count;
        uint8_t done = one ? stack_does(s, i) : 0;

        if (one) {
            one->count += times;
            one->asks += done & ASKS ? times : 0;
            one->selects += (done & (ASKS | SELECTS)) == SELECTS ? times : 0;
            one->both += done & (ASKS | COUNTS) ? times : 0;
        }
        if (s->stacks[i].tallies[SUMMARY_SYNC].count == 0)
            continue;
        one = find(list, n, function_at(s, i, SUMMARY_SYNC));
        if (one)
            one->waits = true;
    }
}

static bool does_little_else(const struct asking *one)
{
    double all = (double)one->count, selects = one->waits ? 0 : (double)one->selects;

    return one->count >= ASKING_LEAST && (double)one->asks + selects >= all * ASKING_LEAST_SHARE &&
           (double)one->both + selects >= all * ASKING_SHARE;
}

static int list_asking(struct sites *s, bool *picked, struct summary_sites *ret)
{
    struct asking list[ASKING_FUNCTIONS];
    size_t n = list_functions(s, list);

    count(s, list, n);
    for (uint32_t i = 0; i < s->n_stacks; i++) {
        const struct asking *one = i < SITES_FIRST ? NULL : find(list, n, function_of(s, i));

        picked[i] = one && does_little_else(one);
    }
    return ranking_of_picked(s, SITES_STOPPED, picked, ret);
}

int accumulator_again_finish(struct accumulator *s)
{
    uint32_t n = s->sites.n_stacks;
    bool *picked = NULL;
    int r = memory_new(&s->mem, n * sizeof(*picked), &picked);

    for (uint32_t i = 0; r == 0 && i < n; i++)
        picked[i] = asks_in_vain(&s->sites.stacks[i]);
    if (r == 0)
        r = ranking_of_picked(&s->sites, SITES_VAIN, picked, &s->out->vain);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        picked[i] = wakes_a_herd(&s->sites.stacks[i]);
    if (r == 0)
        r = ranking_of_picked(&s->sites, SUMMARY_SCHED, picked, &s->out->woken_for_nothing);
    if (r == 0)
        r = list_asking(&s->sites, picked, &s->out->asking);
    memory_free(&s->mem, picked, n * sizeof(*picked));
    return r;
}
