/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trace/export/exporter.h"
#include "trace/timeline/timeline.h"

#define NSEC_PER_SEC 1000000000
#define NAME_SIZE 512

/* Something that the program as a whole is in begins or ends. */
static int phase(struct exporter *x, uint32_t *lane, const char *word, uint32_t name,
                 const struct gotrace_event *e)
{
    struct packets_slice slice = {.name = name};
    uint32_t label;
    int r = 0;

    if (e->kind == GOTRACE_RANGE_END) {
        lanes_pop(&x->lanes, *lane, e->time);
        return 0;
    }
    if (*lane == LANES_NONE) {
        r = exporter_word(x, word, &label);
        if (r == 0)
            r = exporter_lane(x, LANES_COLLECTOR, label, lane == &x->mark ? 1 : 2, lane);
    }
    if (r < 0 || *lane == LANES_NONE)
        return r;
    /* Each generation tells again that it is active. */
    if (e->kind == GOTRACE_RANGE_ACTIVE && x->lanes.list[*lane].depth > 0)
        return 0;
    lanes_push(&x->lanes, *lane, e->kind == GOTRACE_RANGE_ACTIVE ? x->first : e->time, &slice);
    return 0;
}

static int range(struct exporter *x, const struct gotrace_event *e)
{
    uint32_t name;
    int r;

    switch (e->type) {
    case GOTRACE_EV_GC_ACTIVE:
    case GOTRACE_EV_GC_BEGIN:
    case GOTRACE_EV_GC_END:
        r = exporter_word(x, "concurrent mark", &name);
        return r < 0 ? r : phase(x, &x->mark, "mark phase", name, e);
    case GOTRACE_EV_STW_BEGIN:
    case GOTRACE_EV_STW_END:
        r = exporter_text(x, e->string, &name);
        return r < 0 ? r : phase(x, &x->stopped, "stop the world", name, e);
    case GOTRACE_EV_GC_MARK_ASSIST_ACTIVE:
    case GOTRACE_EV_GC_MARK_ASSIST_BEGIN:
    case GOTRACE_EV_GC_MARK_ASSIST_END: return exporter_chosen_assist(x, e);
    default: return 0;
    }
}

static void metric(struct exporter *x, const struct gotrace_event *e)
{
    int64_t value = e->args[0] > INT64_MAX ? INT64_MAX : (int64_t)e->args[0];

    exporter_count(x,
                   e->type == GOTRACE_EV_HEAP_ALLOC  ? EXPORTER_HEAP
                   : e->type == GOTRACE_EV_HEAP_GOAL ? EXPORTER_GOAL
                                                     : EXPORTER_PROCS,
                   e->time, value);
}

static int sample(struct exporter *x, const struct gotrace_event *e)
{
    const struct go *go = e->g > 0 ? gos_find(&x->gos, e->g) : NULL;
    char name[NAME_SIZE];
    bool told = true;
    int r;

    if (!x->lanes.writing)
        return 0;
    if (e->g > 0) {
        r = idmap_add(&x->sampled, (uint64_t)e->g, 0);
        if (r == -ENOMEM)
            return r;
        told = r == -EEXIST;
        (void)snprintf(name, sizeof(name), "G %" PRId64 " %s", e->g,
                       go ? texts_get(&x->texts, go->name) : "");
    }
    packets_sample(&x->packets, x->trace, e, told ? NULL : name);
    return 0;
}

static void new_generation(struct exporter *x)
{
    struct gotrace_generation g;

    if (gotrace_generation(x->trace, &g) < 0)
        return;
    x->generations++;
    texts_generation(&x->texts, g.n_strings);
}

static int event(struct exporter *x, const struct gotrace_event *e)
{
    x->last = e->time;
    switch (e->kind) {
    case GOTRACE_GO_STATE: return exporter_go(x, e);
    case GOTRACE_PROC_STATE: return exporter_proc(x, e);
    case GOTRACE_RANGE_BEGIN:
    case GOTRACE_RANGE_ACTIVE:
    case GOTRACE_RANGE_END: return range(x, e);
    case GOTRACE_TASK_BEGIN:
    case GOTRACE_TASK_END: return exporter_task(x, e);
    case GOTRACE_REGION_BEGIN:
    case GOTRACE_REGION_END: return exporter_region(x, e);
    case GOTRACE_METRIC: metric(x, e); return 0;
    case GOTRACE_STACK_SAMPLE: return sample(x, e);
    case GOTRACE_SYNC: new_generation(x); return 0;
    default: return 0;
    }
}

/* The first generation tells of the clock, from Go 1.25 on. */
static struct packets_clock clock_of(const struct exporter *x)
{
    struct packets_clock clock = {.time = x->first, .mono = (uint64_t)x->first};
    struct gotrace_generation g;

    if (gotrace_generation(x->trace, &g) < 0 || !g.has_clock || g.clock_sec <= 0 ||
        g.clock_sec >= INT64_MAX / NSEC_PER_SEC - 1 || g.clock_mono > INT64_MAX)
        return clock;
    clock.mono = g.clock_mono + (uint64_t)(x->first - g.clock_trace);
    clock.real = g.clock_sec * NSEC_PER_SEC + g.clock_nsec + (x->first - g.clock_trace);
    return clock;
}

static int begin(struct exporter *x, int64_t first)
{
    bool whole = x->since == 0;
    struct packets_clock clock;

    x->begun = true;
    x->first = x->last = first;
    x->since = first + (x->since < TIMELINE_SPAN_MAX ? x->since : TIMELINE_SPAN_MAX);
    x->until = x->until > 0 && x->until < TIMELINE_SPAN_MAX ? first + x->until : INT64_MAX;
    clock = clock_of(x);
    packets_init(&x->packets, &x->texts, &clock, x->write, x->userdata);
    lanes_init(&x->lanes, &x->mem, &x->packets);
    x->lanes.writing = whole;
    return 0;
}

static bool sound(int64_t first, int64_t last)
{
    int64_t span;

    return first > 0 && first < INT64_MAX - TIMELINE_SPAN_MAX &&
           !__builtin_sub_overflow(last, first, &span) && span < TIMELINE_SPAN_MAX;
}

static int batch(struct exporter *x, const struct gotrace_event *e, size_t n)
{
    int r = 0;

    if (n == 0)
        return 0;
    if (!sound(x->begun ? x->first : e->time, e[n - 1].time))
        return -EOVERFLOW;
    if (!x->begun)
        r = begin(x, e->time);
    for (size_t i = 0; i < n && r == 0; i++) {
        if (!x->lanes.writing && e[i].time >= x->since)
            exporter_enter(x, x->since);
        if (e[i].time >= x->until) {
            exporter_leave(x, x->until);
            x->ended = true;
            return x->packets.error;
        }
        r = event(x, &e[i]);
    }
    return r < 0 ? r : x->packets.error;
}

static int prepare(struct exporter *x, const struct export_options *o)
{
    uint64_t seed;
    int r;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        seed = (uintptr_t)x * IDMAP_GOLDEN;
    seed |= 1;
    x->mem.max = EXPORT_MAX_MEMORY;
    x->names_mem.max = EXPORT_MAX_NAMES;
    x->mark = x->stopped = LANES_NONE;
    gos_init(&x->gos, &x->mem, seed);
    idmap_init(&x->by_g, &x->names_mem, seed);
    idmap_init(&x->by_p, &x->names_mem, seed);
    idmap_init(&x->by_m, &x->mem, seed);
    idmap_init(&x->by_task, &x->mem, seed);
    idmap_init(&x->sampled, &x->mem, seed);
    r = texts_init(&x->texts, &x->names_mem, seed);
    x->n_chosen = o->n_goroutines;
    x->chosen = calloc(o->n_goroutines + 1, sizeof(*x->chosen));
    if (!x->chosen)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < o->n_goroutines; i++) {
        x->chosen[i] = (struct chosen){o->goroutines[i], LANES_NONE, LANES_NONE, false};
        r = idmap_add(&x->by_g, (uint64_t)o->goroutines[i], (uint32_t)i);
        r = r == -EEXIST ? 0 : r;
    }
    return r;
}

static void release(struct exporter *x)
{
    if (x->begun) {
        lanes_done(&x->lanes);
        packets_done(&x->packets);
    }
    free(x->chosen);
    texts_done(&x->texts);
    arena_free(x->texts.arena);
    gos_done(&x->gos);
    idmap_done(&x->by_g);
    idmap_done(&x->by_p);
    idmap_done(&x->by_m);
    idmap_done(&x->by_task);
    idmap_done(&x->sampled);
    free(x);
}

static int run(struct exporter *x, struct export_result *ret)
{
    const struct gotrace_event *e;
    int code = 0, r = 0;
    size_t n;

    while (r == 0 && !x->ended && (code = gotrace_next_batch(x->trace, &e, &n)) > 0)
        r = batch(x, e, n);
    if (r == 0 && x->begun) {
        exporter_leave(x, x->last);
        r = exporter_chosen_end(x);
    }
    if (r == 0 && x->begun)
        r = packets_flush(&x->packets);
    if (r < 0)
        return r;
    *ret = (struct export_result){
        .complete = x->ended || code == 0,
        .generations = x->generations,
        .window = x->last - x->first,
        .packets = x->packets.count,
        .bytes = x->packets.bytes,
        .left_out = x->left_out,
    };
    return code < 0 ? code : 0;
}

int export_run(struct gotrace *trace, const struct export_options *options, packets_write_fn write,
               void *userdata, struct export_result *ret)
{
    struct exporter *x = calloc(1, sizeof(*x));
    int r;

    if (!x)
        return -ENOMEM;
    x->trace = trace;
    x->since = options->since;
    x->until = options->until;
    x->write = write;
    x->userdata = userdata;
    *ret = (struct export_result){0};
    r = prepare(x, options);
    if (r == 0)
        r = run(x, ret);
    release(x);
    return r;
}
