/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/timeline/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "trace/timeline/gos.h"
#include "trace/timeline/waits.h"

#define STEP 1000000 /* at first */
#define NSEC_PER_SEC 1000000000

struct timeline {
    struct memory mem;
    struct timeline_options options;
    struct gotrace *trace;
    struct gos gos;
    struct bins bins;
    bool begun, complete;
    int64_t first, last;
    int64_t until; /* the trace's time; INT64_MAX: its end */
    int64_t running, runnable;
    int64_t marks;   /* since when the collector does; INT64_MIN: it does not */
    int64_t stopped; /* likewise: the world is, as often as stops_open says */
    uint32_t stops_open;
    uint64_t generations, left_out, freezes;
    int64_t wall_start;
};

int timeline_new(const struct timeline_options *options, struct timeline **ret)
{
    struct timeline *t = calloc(1, sizeof(*t));
    uint64_t seed;

    if (!t)
        return -ENOMEM;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = (uintptr_t)t * IDMAP_GOLDEN;
    t->options = *options;
    t->mem.max = options->max_memory ? options->max_memory : TIMELINE_MAX_MEMORY;
    t->marks = t->stopped = INT64_MIN;
    gos_init(&t->gos, &t->mem, seed);
    bins_init(&t->bins, &t->mem, 0, 0, STEP, true);
    *ret = t;
    return 0;
}

void timeline_free(struct timeline *t)
{
    if (!t)
        return;
    gos_done(&t->gos);
    bins_done(&t->bins);
    free(t);
}

/* The share that a goroutine's time counts for; BINS_N_SHARES: none. */
static enum bins_share share_of(const struct go *go)
{
    switch (go->state) {
    case GOTRACE_GO_RUNNING: return BINS_RUNNING;
    case GOTRACE_GO_RUNNABLE: return BINS_RUNNABLE;
    case GOTRACE_GO_SYSCALL: return BINS_SYSCALL;
    case GOTRACE_GO_WAITING:
        return go->wait < WAITS_N ? (enum bins_share)(BINS_CHANNEL + go->wait) : BINS_N_SHARES;
    default: return BINS_N_SHARES;
    }
}

static int leave(struct timeline *t, const struct go *go, int64_t now)
{
    enum bins_share share = share_of(go);

    t->running -= go->state == GOTRACE_GO_RUNNING;
    t->runnable -= go->state == GOTRACE_GO_RUNNABLE;
    return share == BINS_N_SHARES ? 0 : bins_add(&t->bins, share, go->since, now, 1);
}

static void enter(struct timeline *t, struct go *go, const struct gotrace_event *e)
{
    go->state = e->to;
    if (e->to == GOTRACE_GO_WAITING)
        go->wait = (uint8_t)waits_of(t->trace, e);
    t->running += e->to == GOTRACE_GO_RUNNING;
    t->runnable += e->to == GOTRACE_GO_RUNNABLE;
}

/* A goroutine is met for the first time. NULL if there is no room. 0 or -ENOMEM. */
static int meet(struct timeline *t, const struct gotrace_event *e, struct go **ret)
{
    struct go *known = gos_find(&t->gos, (int64_t)e->args[0]);
    int r = known ? leave(t, known, e->time) : 0;

    *ret = NULL;
    if (r == 0)
        r = gos_add(&t->gos, (int64_t)e->args[0], ret);
    if (r == -E2BIG) {
        t->left_out++;
        return 0;
    }
    return r;
}

static int go_state(struct timeline *t, const struct gotrace_event *e)
{
    bool old = e->from == GOTRACE_GO_UNDETERMINED;
    int64_t runnable = t->runnable;
    struct go *go = NULL;
    int r = 0;

    if (e->from == e->to)
        return 0;
    if (old || e->from == GOTRACE_GO_NOT_EXIST)
        r = meet(t, e, &go);
    else
        go = gos_find(&t->gos, (int64_t)e->args[0]);
    if (r < 0 || !go)
        return r;
    r = leave(t, go, e->time);
    go->since = old ? t->first : e->time;
    if (e->to == GOTRACE_GO_NOT_EXIST)
        gos_remove(&t->gos, go);
    else
        enter(t, go, e);
    if (r == 0 && t->runnable != runnable)
        r = bins_set(&t->bins, BINS_WAITING_TO_RUN, e->time, t->runnable);
    return r;
}

/* Something that the program as a whole is in begins or ends. */
static int phase(struct timeline *t, int64_t *since, bool begins, enum bins_share share,
                 const struct gotrace_event *e)
{
    int64_t from = *since;

    if (begins) {
        if (from == INT64_MIN)
            *since = e->kind == GOTRACE_RANGE_ACTIVE ? t->first : e->time;
        return 0;
    }
    *since = INT64_MIN;
    return from == INT64_MIN ? 0 : bins_add(&t->bins, share, from, e->time, 1);
}

static int range(struct timeline *t, const struct gotrace_event *e)
{
    bool begins = e->kind != GOTRACE_RANGE_END;

    switch (e->type) {
    case GOTRACE_EV_GC_ACTIVE:
    case GOTRACE_EV_GC_BEGIN:
    case GOTRACE_EV_GC_END: return phase(t, &t->marks, begins, BINS_MARK, e);
    case GOTRACE_EV_STW_BEGIN:
        return t->stops_open++ > 0 ? 0 : phase(t, &t->stopped, true, BINS_STOPPED, e);
    case GOTRACE_EV_STW_END:
        if (t->stops_open == 0 || --t->stops_open > 0)
            return 0;
        return phase(t, &t->stopped, false, BINS_STOPPED, e);
    default: return 0;
    }
}

static int metric(struct timeline *t, const struct gotrace_event *e)
{
    enum bins_level level = e->type == GOTRACE_EV_HEAP_ALLOC ? BINS_HEAP
                          : e->type == GOTRACE_EV_HEAP_GOAL  ? BINS_GOAL
                                                             : BINS_PROCS;

    return bins_set(&t->bins, level, e->time,
                    e->args[0] > INT64_MAX ? INT64_MAX : (int64_t)e->args[0]);
}

static void new_generation(struct timeline *t)
{
    struct gotrace_generation g;

    if (gotrace_generation(t->trace, &g) < 0)
        return;
    t->generations++;
    if (g.has_clock && t->wall_start == 0 && g.clock_sec > 0 &&
        g.clock_sec < INT64_MAX / NSEC_PER_SEC - 1)
        t->wall_start = g.clock_sec * NSEC_PER_SEC + g.clock_nsec - (g.clock_trace - t->first);
}

/* Nothing was written for long. Nobody ran meanwhile, although the trace has them running. */
static int freeze(struct timeline *t, int64_t from, int64_t to)
{
    int32_t n = t->running > INT32_MAX ? INT32_MAX : (int32_t)t->running;
    int r;

    if (t->running + t->runnable == 0)
        return 0;
    if (to > t->bins.start && from < t->until)
        t->freezes++;
    r = bins_add(&t->bins, BINS_FROZEN, from, to, 1);
    return r < 0 ? r : bins_add(&t->bins, BINS_RUNNING, from, to, -n);
}

static int event(struct timeline *t, const struct gotrace_event *e)
{
    int r = 0;

    if (e->time - t->last > TIMELINE_SILENCE)
        r = freeze(t, t->last, e->time);
    t->last = e->time;
    if (r < 0)
        return r;
    switch (e->kind) {
    case GOTRACE_GO_STATE: return go_state(t, e);
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: return range(t, e);
    case GOTRACE_METRIC: return metric(t, e);
    case GOTRACE_SYNC: new_generation(t); return 0;
    default: return 0;
    }
}

static void begin(struct timeline *t, int64_t first)
{
    const struct timeline_options *o = &t->options;
    int64_t start = first + (o->since < TIMELINE_SPAN_MAX ? o->since : TIMELINE_SPAN_MAX);

    t->begun = true;
    t->first = t->last = first;
    t->until = o->until > 0 && o->until < TIMELINE_SPAN_MAX ? first + o->until : INT64_MAX;
    bins_init(&t->bins, &t->mem, start, t->until, o->step > 0 ? o->step : STEP, o->step == 0);
}

static bool sound(int64_t first, int64_t last)
{
    int64_t span;

    return first < INT64_MAX - TIMELINE_SPAN_MAX && !__builtin_sub_overflow(last, first, &span) &&
           span < TIMELINE_SPAN_MAX;
}

/* 1: all that counts was read. */
static int batch(struct timeline *t, const struct gotrace_event *e, size_t n)
{
    int r = 0;

    if (n == 0)
        return 0;
    if (!sound(t->begun ? t->first : e->time, e[n - 1].time))
        return -EOVERFLOW;
    if (!t->begun)
        begin(t, e->time);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = event(t, &e[i]);
        if (r == 0 && e[i].time >= t->until)
            return 1;
    }
    return r;
}

/* What goes on when all ends counts up to there. */
static int finish(struct timeline *t)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < t->gos.n; i++)
        if (t->gos.list[i].used)
            r = leave(t, &t->gos.list[i], t->last);
    if (r == 0 && t->marks != INT64_MIN)
        r = bins_add(&t->bins, BINS_MARK, t->marks, t->last, 1);
    if (r == 0 && t->stopped != INT64_MIN)
        r = bins_add(&t->bins, BINS_STOPPED, t->stopped, t->last, 1);
    return r < 0 ? r : bins_finish(&t->bins, t->last);
}

int timeline_run(struct timeline *t, struct gotrace *trace)
{
    const struct gotrace_event *e;
    int code = 0, r = 0;
    size_t n;

    t->trace = trace;
    while (r == 0 && (code = gotrace_next_batch(trace, &e, &n)) > 0)
        r = batch(t, e, n);
    if (r < 0)
        return r;
    t->complete = r > 0 || code == 0;
    r = finish(t);
    return r < 0 ? r : code < 0 ? code : 0;
}

struct timeline_result timeline_result(const struct timeline *t)
{
    int64_t end = t->last < t->until ? t->last : t->until;

    return (struct timeline_result){
        .complete = t->complete,
        .generations = t->generations,
        .first = t->first,
        .start = t->bins.start,
        .end = end < t->bins.start ? t->bins.start : end,
        .left_out = t->left_out,
        .freezes = t->freezes,
        .wall_start = t->wall_start,
        .bins = &t->bins,
    };
}
