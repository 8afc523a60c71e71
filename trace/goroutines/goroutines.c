/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/goroutines.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "trace/goroutines/summarizer.h"

struct goroutines {
    struct memory mem, names_mem;
    struct summarizer s;
    bool begun, complete;
    int64_t first, last;
};

static int prepare(struct goroutines *g, const struct goroutines_options *o)
{
    struct summarizer *s = &g->s;
    uint64_t seed;
    int r;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15U;
    s->name = o->name;
    r = texts_init(&s->texts, &g->names_mem, seed | 1);
    if (r < 0) {
        texts_done(&s->texts);
        arena_free(s->texts.arena);
        return r;
    }
    columns_init(&s->columns, &s->texts, &g->names_mem);
    shares_init(&s->shares, &s->columns, &g->mem);
    lives_init(&s->lives, &s->shares, &g->mem, seed);
    groups_init(&s->groups, &s->shares, &g->names_mem);
    worst_init(&s->worst, &o->order, o->keep, &s->shares, &g->names_mem);
    ps_init(&s->ps, &g->names_mem, seed);
    return 0;
}

int goroutines_new(const struct goroutines_options *options, struct goroutines **ret)
{
    struct goroutines *g = calloc(1, sizeof(*g));
    int r;

    if (!g)
        return -ENOMEM;
    g->mem.max = options->max_memory ? options->max_memory : GOROUTINES_MAX_MEMORY;
    g->names_mem.max = GOROUTINES_MAX_NAMES;
    r = prepare(g, options);
    if (r == 0)
        *ret = g;
    else
        free(g);
    return r;
}

void goroutines_free(struct goroutines *g)
{
    if (!g)
        return;
    columns_done(&g->s.columns);
    texts_done(&g->s.texts);
    arena_free(g->s.texts.arena);
    shares_done(&g->s.shares);
    lives_done(&g->s.lives);
    groups_done(&g->s.groups);
    worst_done(&g->s.worst);
    ps_done(&g->s.ps);
    free(g);
}

static int batch(struct goroutines *g, const struct gotrace_event *e, size_t n)
{
    int r = 0;

    if (!g->begun && n > 0)
        g->first = e->time;
    g->begun = true;
    for (size_t i = 0; i < n && r == 0; i++)
        r = summarizer_event(&g->s, &e[i]);
    if (n > 0)
        g->last = e[n - 1].time;
    return r;
}

int goroutines_run(struct goroutines *g, struct gotrace *trace)
{
    const struct gotrace_event *e;
    int code, r = 0;
    size_t n;

    g->s.trace = trace;
    while (r == 0 && (code = gotrace_next_batch(trace, &e, &n)) > 0)
        r = batch(g, e, n);
    if (r == 0)
        r = summarizer_finish(&g->s, g->last);
    if (r < 0)
        return r;
    g->complete = code == 0;
    return code;
}

struct goroutines_result goroutines_result(const struct goroutines *g)
{
    const struct summarizer *s = &g->s;

    return (struct goroutines_result){
        .complete = g->complete,
        .generations = s->generations,
        .window = times_between(g->first, g->last),
        .start = g->first,
        .count = s->count,
        .matches = s->matches,
        .exec = s->exec,
        .left_out = s->left_out,
        .left_out_ns = s->shares.left_out,
        .texts = &s->texts,
        .columns = &s->columns,
        .shares = &s->shares,
        .groups = &s->groups,
        .worst = &s->worst,
    };
}
