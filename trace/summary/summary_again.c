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
        count += sites_tally(k, columns[i])->count;
        total += sites_tally(k, columns[i])->total;
    }
    return (STACK_STANDING & STACK_SET(k->class)) == 0 &&
           (double)sites_tally(k, SITES_VAIN)->count >= (double)count * VAIN_SHARE &&
           total <= (int64_t)count * VAIN_WAIT_MAX;
}

/* Whether who is woken here is one of a herd. */
static bool wakes_a_herd(const struct sites_stack *k)
{
    const struct tally *woken = sites_tally(k, SITES_WOKEN);
    uint64_t all = sites_tally(k, SUMMARY_SCHED)->count;

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

/* What functions do, by the number of their text: read from its name once. */
enum { NOT_READ = 0x80 };

static uint8_t stack_does(const struct sites *s, uint8_t *known, uint32_t n)
{
    const struct sites_stack *k = &s->stacks[n];
    uint8_t ret = 0;

    for (uint32_t i = 0; i < k->n; i++) {
        uint8_t *one = &known[s->frames[s->rows[k->row + i]].func];

        if (*one == NOT_READ)
            *one = does(texts_get(s->texts, s->frames[s->rows[k->row + i]].func));
        ret |= *one;
    }
    return ret;
}

/* A stack in which goroutines stopped, the function in which they did, and what that stack does. */
struct stop {
    uint32_t stack;
    uint32_t func; /* text */
    uint8_t does;
};

/* A function of the program, by the times at which it was interrupted. */
struct asking {
    uint32_t func; /* text */
    uint64_t count;
    uint64_t asks;
    uint64_t both; /* asked, or counted */
    uint64_t selects;
    bool waits; /* there, for channels */
};

static struct asking *find(struct asking *list, size_t n, uint32_t func)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].func == func)
            return &list[i];
    }
    return NULL;
}

static uint32_t count_stops(const struct sites *s)
{
    uint32_t n = 0;

    for (uint32_t i = SITES_FIRST; i < s->n_stacks; i++)
        n += sites_filled(s, i, UINT32_C(1) << SITES_STOPPED);
    return n;
}

/* Lists them; `known` has a place for each text. Returns how many. */
static uint32_t list_stops(const struct sites *s, uint8_t *known, struct stop *list)
{
    uint32_t n = 0;

    memset(known, NOT_READ, s->texts->n);
    for (uint32_t i = SITES_FIRST; i < s->n_stacks; i++) {
        uint32_t at;

        if (!sites_filled(s, i, UINT32_C(1) << SITES_STOPPED))
            continue;
        at = sites_at(s, i, SUMMARY_SCHED);
        if (at != IDMAP_NONE && s->frames[at].func != TEXTS_EMPTY)
            list[n++] = (struct stop){i, s->frames[at].func, stack_does(s, known, i)};
    }
    return n;
}

/* Lists the functions that ask anywhere, and sums up what they do. */
static size_t list_functions(const struct sites *s, const struct stop *stops, uint32_t n_stops,
                             struct asking *list)
{
    size_t n = 0;

    for (uint32_t i = 0; i < n_stops && n < ASKING_FUNCTIONS; i++) {
        if ((stops[i].does & (ASKS | SELECTS)) && !find(list, n, stops[i].func))
            list[n++] = (struct asking){.func = stops[i].func};
    }
    for (uint32_t i = 0; n > 0 && i < n_stops; i++) {
        struct asking *one = find(list, n, stops[i].func);
        uint64_t times = sites_tally(&s->stacks[stops[i].stack], SITES_STOPPED)->count;

        if (!one)
            continue;
        one->count += times;
        one->asks += stops[i].does & ASKS ? times : 0;
        one->selects += (stops[i].does & (ASKS | SELECTS)) == SELECTS ? times : 0;
        one->both += stops[i].does & (ASKS | COUNTS) ? times : 0;
    }
    return n;
}

/* Notes which of these functions wait for channels. */
static void find_waits(const struct sites *s, struct asking *list, size_t n)
{
    for (uint32_t i = SITES_FIRST; n > 0 && i < s->n_stacks; i++) {
        uint32_t at;
        struct asking *one;

        if (!sites_filled(s, i, UINT32_C(1) << SUMMARY_SYNC))
            continue;
        at = sites_at(s, i, SUMMARY_SYNC);
        one = at == IDMAP_NONE ? NULL : find(list, n, s->frames[at].func);
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

/* Picks the stacks of functions that do little but ask. */
static void pick_asking(const struct sites *s, uint8_t *known, struct stop *stops, bool *picked)
{
    struct asking list[ASKING_FUNCTIONS];
    uint32_t n_stops = list_stops(s, known, stops);
    size_t n = list_functions(s, stops, n_stops, list);

    find_waits(s, list, n);
    for (uint32_t i = 0; n > 0 && i < n_stops; i++) {
        const struct asking *one = find(list, n, stops[i].func);

        picked[stops[i].stack] = one && does_little_else(one);
    }
}

static int list_asking(struct sites *s, bool *picked, struct summary_sites *ret)
{
    uint32_t n = count_stops(s) + 1; /* not 0 */
    uint8_t *known = NULL;
    struct stop *stops = NULL;
    int r = memory_new(s->mem, s->texts->n, &known);

    if (r == 0)
        r = memory_new(s->mem, n * sizeof(*stops), &stops);
    memset(picked, 0, s->n_stacks * sizeof(*picked));
    if (r == 0) {
        pick_asking(s, known, stops, picked);
        r = ranking_of_picked(s, SITES_STOPPED, picked, ret);
    }
    memory_free(s->mem, stops, n * sizeof(*stops));
    memory_free(s->mem, known, s->texts->n);
    return r;
}

int accumulator_again_finish(struct accumulator *s)
{
    uint32_t n = s->sites.n_stacks;
    bool *picked = NULL;
    int r = memory_new(&s->mem, n * sizeof(*picked), &picked);

    for (uint32_t i = 0; r == 0 && i < n; i++)
        picked[i] = sites_filled(&s->sites, i, UINT32_C(1) << SITES_VAIN) &&
                    asks_in_vain(&s->sites.stacks[i]);
    if (r == 0)
        r = ranking_of_picked(&s->sites, SITES_VAIN, picked, &s->out->vain);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        picked[i] = sites_filled(&s->sites, i, UINT32_C(1) << SITES_WOKEN) &&
                    wakes_a_herd(&s->sites.stacks[i]);
    if (r == 0)
        r = ranking_of_picked(&s->sites, SUMMARY_SCHED, picked, &s->out->woken_for_nothing);
    if (r == 0)
        r = list_asking(&s->sites, picked, &s->out->asking);
    memory_free(&s->mem, picked, n * sizeof(*picked));
    return r;
}
