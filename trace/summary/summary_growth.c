/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which `go` statements made the goroutines that are left at the trace's end, and what they wait
 * for then. All is computed at the end, from counts by stack and from the goroutines that are still
 * known.
 */

#include <stdlib.h>
#include <string.h>

#include "trace/summary/accumulator.h"

/* A stack of a `go` statement; after merge, all stacks of one statement. */
struct origin {
    struct summary_frame at;
    uint32_t stack;
    uint64_t created;
    uint64_t ended;
};

/* What is computed about the first origin. All lists are by stack. */
struct survey {
    struct accumulator *s;
    struct summary_growth *out;
    bool *first;     /* stacks of its `go` statement */
    bool *same;      /* stacks that wait at the site where most of its goroutines do */
    uint64_t *here;  /* its goroutines that wait with this stack */
    uint32_t most;   /* the stack with most of them, */
    uint16_t reason; /* and the reason of one of them */
};

/* Names and files of equal text are the same pointer, since texts.h keeps each once. */
static bool same_place(const struct summary_frame *a, const struct summary_frame *b)
{
    return a->func == b->func && a->file == b->file && a->line == b->line;
}

static int by_place(const void *a, const void *b)
{
    const struct origin *x = a, *y = b;
    int r = strcmp(x->at.func, y->at.func);

    if (r == 0)
        r = strcmp(x->at.file, y->at.file);
    if (r != 0)
        return r;
    return x->at.line < y->at.line ? -1 : x->at.line > y->at.line;
}

static int by_left(const void *a, const void *b)
{
    const struct origin *x = a, *y = b;
    uint64_t left = x->created - x->ended, other = y->created - y->ended;

    if (left != other)
        return left > other ? -1 : 1;
    return by_place(a, b);
}

/* Collects the `go` statements, sorted by how many goroutines are left of each. */
static size_t collect(const struct accumulator *s, struct origin *list)
{
    size_t n = 0, kept = 0;

    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks; i++) {
        const struct sites_stack *stack = &s->sites.stacks[i];

        if (stack->created > 0)
            list[n++] = (struct origin){sites_frame(&s->sites, i, SUMMARY_SCHED), i, stack->created,
                                        stack->ended};
    }
    if (n > 1)
        qsort(list, n, sizeof(*list), by_place);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && same_place(&list[kept - 1].at, &list[i].at)) {
            list[kept - 1].created += list[i].created;
            list[kept - 1].ended += list[i].ended;
        } else {
            list[kept++] = list[i];
        }
    }
    if (kept > 1)
        qsort(list, kept, sizeof(*list), by_left);
    return kept;
}

/* Calls fn for each goroutine that waits at the trace's end. */
static void each_waiting(struct survey *v,
                         void (*fn)(struct survey *, const struct accumulator_go *))
{
    const struct accumulator *s = v->s;

    for (size_t i = 0; i < s->go_ids.n_slots; i++) {
        const struct idmap_slot *slot = &s->go_ids.slots[i];
        const struct accumulator_go *g;

        if (slot->value == 0)
            continue;
        g = accumulator_place(s, slot->value - 1);
        if (g->state == GOTRACE_GO_WAITING)
            fn(v, g);
    }
}

static void count_wait(struct survey *v, const struct accumulator_go *g)
{
    const struct accumulator_reason *reason = &v->s->reasons[g->reason];

    v->out->in_network += g->created && reason->column == SUMMARY_NET;
    if (!v->first[g->creator])
        return;
    if (++v->here[g->stack] > v->here[v->most]) {
        v->most = g->stack;
        v->reason = g->reason;
    }
}

/* When the goroutine was created, from the trace's beginning. */
static int64_t created_at(const struct accumulator *s, const struct accumulator_go *g)
{
    int64_t slot = g->created - 1;

    return slot < ACCUMULATOR_LAST_SLOT ? slot << ACCUMULATOR_SLOT : g->since - s->first;
}

static void count_same(struct survey *v, const struct accumulator_go *g)
{
    const struct accumulator *s = v->s;
    struct summary_growth *out = v->out;
    int64_t quarter = (s->last - s->first) / SUMMARY_QUARTERS + 1;

    if (!g->created) {
        out->older_waiting += v->same[g->stack];
        out->older_untold += g->stack == SITES_NO_STACK;
        return;
    }
    if (!v->first[g->creator] || !v->same[g->stack] || v->here[g->stack] == 0)
        return;
    out->waiting++;
    out->waited += s->last - g->since;
    out->quarters[created_at(s, g) / quarter]++;
}

/* Finds what the goroutines of the first origin wait for. */
static void survey(struct survey *v)
{
    const struct sites *sites = &v->s->sites;
    struct summary_growth *out = v->out;
    const struct accumulator_reason *reason;
    enum summary_profile column;

    for (uint32_t i = SITES_FIRST; i < sites->n_stacks; i++) {
        struct summary_frame at = sites_frame(sites, i, SUMMARY_SCHED);

        v->first[i] = sites->stacks[i].created > 0 && same_place(&at, &out->list[0].at);
    }
    each_waiting(v, count_wait);
    if (v->here[v->most] == 0)
        return;
    reason = &v->s->reasons[v->reason];
    column = reason->column == SUMMARY_NET ? SUMMARY_NET : SUMMARY_SYNC;
    out->reason = texts_get(&v->s->texts, reason->text);
    out->blocked = reason->column == SUMMARY_SYNC || reason->forever;
    out->waits_at = sites_frame(sites, v->most, column);
    out->class = sites->stacks[v->most].class;
    for (uint32_t i = 0; i < sites->n_stacks; i++) {
        struct summary_frame at = sites_frame(sites, i, column);

        v->same[i] = i == v->most || (i >= SITES_FIRST && same_place(&at, &out->waits_at));
        if (v->same[i])
            out->waits_over += sites_tally(&sites->stacks[i], column)->count +
                               sites_tally(&sites->stacks[i], SITES_UNKNOWN)->count;
    }
    each_waiting(v, count_same);
}

static int run_survey(struct accumulator *s)
{
    struct survey v = {.s = s, .out = &s->out->growth};
    uint32_t n = s->sites.n_stacks;
    int r = memory_new(&s->mem, n * sizeof(*v.first), &v.first);

    if (r == 0)
        r = memory_new(&s->mem, n * sizeof(*v.same), &v.same);
    if (r == 0)
        r = memory_new(&s->mem, n * sizeof(*v.here), &v.here);
    if (r == 0)
        survey(&v);
    memory_free(&s->mem, v.first, n * sizeof(*v.first));
    memory_free(&s->mem, v.same, n * sizeof(*v.same));
    memory_free(&s->mem, v.here, n * sizeof(*v.here));
    return r;
}

int accumulator_growth_finish(struct accumulator *s)
{
    struct summary_growth *out = &s->out->growth;
    struct origin *list;
    size_t n;
    int r = memory_new(&s->mem, s->sites.n_stacks * sizeof(*list), &list);

    if (r < 0)
        return r;
    out->reason = out->waits_at.func = out->waits_at.file = "";
    out->older_ended = s->sites.stacks[SITES_OLDER].ended;
    n = collect(s, list);
    for (size_t i = 0; i < n && i < SUMMARY_ORIGINS; i++)
        out->list[out->n++] = (struct summary_origin){list[i].at, list[i].created, list[i].ended};
    memory_free(&s->mem, list, s->sites.n_stacks * sizeof(*list));
    return out->n > 0 ? run_survey(s) : 0;
}
