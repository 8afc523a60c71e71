/* SPDX-License-Identifier: Apache-2.0 */

/* Goroutines and Ps: who runs where, and what chosen goroutines do. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "trace/export/exporter.h"

#define NAME_SIZE 512

struct chosen *exporter_chosen(const struct exporter *x, int64_t g)
{
    uint32_t i = idmap_find(&x->by_g, (uint64_t)g);

    return i == IDMAP_NONE ? NULL : &x->chosen[i];
}

/* The stack of the goroutine that changes its state, as far as Go gives one. */
static uint32_t own_stack(const struct gotrace_event *e)
{
    switch (e->type) {
    case GOTRACE_EV_GO_CREATE:
    case GOTRACE_EV_GO_CREATE_BLOCKED: return e->new_stack;
    case GOTRACE_EV_GO_STOP:
    case GOTRACE_EV_GO_BLOCK:
    case GOTRACE_EV_GO_SYSCALL_BEGIN:
    case GOTRACE_EV_GO_STATUS:
    case GOTRACE_EV_GO_STATUS_STACK: return e->stack;
    default: return 0;
    }
}

/* The goroutine's start function is the outermost frame of any stack of it. */
static int name(struct exporter *x, struct go *go, const struct gotrace_event *e)
{
    size_t n;
    const uint32_t *row = gotrace_stack(x->trace, own_stack(e), &n);
    const struct gotrace_frame *frame = n > 0 ? gotrace_frame(x->trace, row[n - 1]) : NULL;

    return frame ? exporter_text(x, (uint32_t)frame->func, &go->name) : 0;
}

static int lane_of_p(struct exporter *x, int32_t p, uint32_t *ret)
{
    char both[32];
    uint32_t text;
    int r;

    *ret = p < 0 ? LANES_NONE : idmap_find(&x->by_p, (uint64_t)p);
    if (p < 0 || *ret != IDMAP_NONE)
        return 0;
    (void)snprintf(both, sizeof(both), "P %d", p);
    r = exporter_word(x, both, &text);
    if (r == 0)
        r = exporter_lane(x, LANES_PS, text, p + 1, ret);
    if (r == 0 && *ret != LANES_NONE)
        r = idmap_add(&x->by_p, (uint64_t)p, *ret);
    return r == -E2BIG ? 0 : r;
}

/* Whether the lane of a P shows this goroutine: the P may have been taken away in a system call. */
static bool shows(const struct exporter *x, uint32_t lane, const struct go *go)
{
    const struct lane *l = lane == LANES_NONE ? NULL : &x->lanes.list[lane];

    return l && l->depth > 0 && l->open[0].values[0] == go->g;
}

/* What the goroutine did on its P is over. */
static int leave_p(struct exporter *x, struct go *go, int64_t time)
{
    uint32_t lane;
    int r = lane_of_p(x, go->p, &lane);

    if (r == 0 && shows(x, lane, go))
        lanes_pop_all(&x->lanes, lane, time);
    go->p = GOTRACE_NONE;
    return r;
}

static int run_on(struct exporter *x, struct go *go, int32_t p, const struct gotrace_event *e)
{
    struct packets_slice slice = {
        .name = go->name,
        .keys = {PACKETS_GOROUTINE},
        .values = {go->g},
    };
    int64_t time = e->time;
    uint32_t lane;
    int r = lane_of_p(x, p, &lane);

    if (r == 0 && go->name == TEXTS_EMPTY)
        r = exporter_word(x, "(start function not known)", &slice.name);
    if (r < 0)
        return r;
    go->p = p;
    if (e->from == GOTRACE_GO_UNDETERMINED && lane != LANES_NONE && !x->lanes.list[lane].used)
        time = x->first; /* it has run all the time */
    lanes_pop_all(&x->lanes, lane, time);
    lanes_push(&x->lanes, lane, time, &slice);
    return 0;
}

/* The P of a goroutine that ran when the trace began: its thread's. */
static int32_t found_on(const struct exporter *x, const struct gotrace_event *e)
{
    uint32_t p = idmap_find(&x->by_m, e->args[1]);

    return p == IDMAP_NONE ? GOTRACE_NONE : (int32_t)p;
}

/* Runs, perhaps after a system call in which it kept its P. */
static int on_running(struct exporter *x, struct go *go, const struct gotrace_event *e)
{
    int32_t p = e->from == GOTRACE_GO_UNDETERMINED ? found_on(x, e) : e->p;
    uint32_t lane;
    int r = lane_of_p(x, p, &lane);

    if (r < 0)
        return r;
    if (go->state != GOTRACE_GO_SYSCALL || go->p != p || !shows(x, lane, go))
        return run_on(x, go, p, e);
    lanes_pop(&x->lanes, lane, e->time);
    return 0;
}

/* What the lane of the P shows. */
static int on_p(struct exporter *x, struct go *go, const struct gotrace_event *e)
{
    uint32_t lane;
    int r;

    if (e->to == GOTRACE_GO_RUNNING)
        return on_running(x, go, e);
    if (e->to != GOTRACE_GO_SYSCALL || go->state != GOTRACE_GO_RUNNING)
        return leave_p(x, go, e->time);
    r = lane_of_p(x, go->p, &lane);
    return r < 0 ? r : exporter_begin(x, lane, e->time, "system call");
}

/* "G 42 main.worker", as soon as its start function is known. */
static int label(struct exporter *x, struct chosen *c, const char *function)
{
    char both[NAME_SIZE];
    uint32_t text;
    int r;

    (void)snprintf(both, sizeof(both), "G %" PRId64 "%s%s", c->g, *function ? " " : "", function);
    r = exporter_word(x, both, &text);
    if (r == 0)
        lanes_name(&x->lanes, c->states, text);
    c->named = r == 0;
    return r;
}

static int describe(struct exporter *x, struct chosen *c, const struct go *go)
{
    int r = 0;

    if (c->states == LANES_NONE)
        r = exporter_lane(x, LANES_GOROUTINES, TEXTS_EMPTY, 2 * (c - x->chosen) + 1, &c->states);
    if (r < 0 || c->states == LANES_NONE || c->named || go->name == TEXTS_EMPTY)
        return r;
    return label(x, c, texts_get(&x->texts, go->name));
}

int exporter_chosen_end(struct exporter *x)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < x->n_chosen; i++)
        if (x->chosen[i].states != LANES_NONE && !x->chosen[i].named)
            r = label(x, &x->chosen[i], "");
    return r;
}

/* "blocked: chan receive" */
static int blocked(struct exporter *x, const struct gotrace_event *e, uint32_t *ret)
{
    uint32_t reason;
    int r = exporter_text(x, e->string, &reason);

    if (r < 0)
        return r;
    return reason == TEXTS_EMPTY
             ? exporter_word(x, "blocked", ret)
             : exporter_words(x, "blocked: ", texts_get(&x->texts, reason), ret);
}

int exporter_chosen_state(struct exporter *x, const struct go *go, const struct gotrace_event *e,
                          int64_t time)
{
    static const char *const states[] = {
        [GOTRACE_GO_RUNNABLE] = "runnable",
        [GOTRACE_GO_RUNNING] = "running",
        [GOTRACE_GO_SYSCALL] = "system call",
    };
    struct packets_slice slice = {0};
    struct chosen *c = exporter_chosen(x, go->g);
    int r = c ? describe(x, c, go) : 0;

    if (r < 0 || !c)
        return r;
    lanes_pop_all(&x->lanes, c->states, time);
    switch (e->to) {
    case GOTRACE_GO_WAITING: r = blocked(x, e, &slice.name); break;
    case GOTRACE_GO_RUNNABLE:
    case GOTRACE_GO_RUNNING:
    case GOTRACE_GO_SYSCALL: r = exporter_word(x, states[e->to], &slice.name); break;
    default: return 0;
    }
    if (e->to == GOTRACE_GO_RUNNING && go->p >= 0) {
        slice.keys[0] = PACKETS_P;
        slice.values[0] = go->p;
    }
    if (r == 0)
        lanes_push(&x->lanes, c->states, time, &slice);
    return r;
}

int exporter_chosen_assist(struct exporter *x, const struct gotrace_event *e)
{
    bool active = e->type == GOTRACE_EV_GC_MARK_ASSIST_ACTIVE;
    int64_t g = active ? (int64_t)e->args[0] : e->g;
    struct chosen *c = exporter_chosen(x, g);
    uint32_t text;
    int r = 0;

    if (!c)
        return 0;
    if (e->kind == GOTRACE_RANGE_END) {
        lanes_pop(&x->lanes, c->assists, e->time);
        return 0;
    }
    if (c->assists == LANES_NONE) {
        char both[NAME_SIZE];

        (void)snprintf(both, sizeof(both), "G %" PRId64 " mark assist", g);
        r = exporter_word(x, both, &text);
        if (r == 0)
            r = exporter_lane(x, LANES_GOROUTINES, text, 2 * (c - x->chosen) + 2, &c->assists);
    }
    if (r < 0 || c->assists == LANES_NONE || (active && x->lanes.list[c->assists].depth > 0))
        return r;
    return exporter_begin(x, c->assists, active ? x->first : e->time, "mark assist");
}

static void count(struct exporter *x, uint8_t from, const struct gotrace_event *e)
{
    static const struct {
        uint8_t state, counter;
    } counted[] = {
        {GOTRACE_GO_RUNNABLE, EXPORTER_RUNNABLE},
        {GOTRACE_GO_SYSCALL, EXPORTER_SYSCALL},
    };

    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        int change = (e->to == counted[i].state) - (from == counted[i].state);

        if (change != 0)
            exporter_count(x, counted[i].counter, e->time,
                           x->counters[counted[i].counter].value + change);
    }
}

static int change(struct exporter *x, struct go *go, const struct gotrace_event *e)
{
    int64_t time = e->from == GOTRACE_GO_UNDETERMINED ? x->first : e->time;
    int r = go->name == TEXTS_EMPTY ? name(x, go, e) : 0;

    if (r == 0)
        r = on_p(x, go, e);
    if (r == 0)
        r = exporter_chosen_state(x, go, e, time);
    if (r < 0)
        return r;
    count(x, go->state, e);
    go->state = e->to;
    if (e->to != GOTRACE_GO_NOT_EXIST)
        return 0;
    exporter_regions_end(x, go, e->time);
    gos_remove(&x->gos, go);
    return 0;
}

int exporter_go(struct exporter *x, const struct gotrace_event *e)
{
    struct go *go = gos_find(&x->gos, (int64_t)e->args[0]);
    int r;

    if (e->from == e->to)
        return 0;
    if (e->from == GOTRACE_GO_UNDETERMINED || e->from == GOTRACE_GO_NOT_EXIST) {
        if (go)
            exporter_regions_end(x, go, e->time);
        r = gos_add(&x->gos, (int64_t)e->args[0], &go);
        x->left_out += r == -E2BIG;
        if (r < 0)
            return r == -E2BIG ? 0 : r;
        go->lane = LANES_NONE;
    }
    return go ? change(x, go, e) : 0;
}

int exporter_proc(struct exporter *x, const struct gotrace_event *e)
{
    uint32_t lane;
    int r;

    /* A thread may tell of another's P, too, and has one of its own then. */
    if (e->to == GOTRACE_PROC_RUNNING && (e->p == GOTRACE_NONE || e->p == (int64_t)e->args[0])) {
        r = idmap_add(&x->by_m, (uint64_t)e->m, (uint32_t)e->args[0]);
        if (r == -EEXIST)
            idmap_set(&x->by_m, (uint64_t)e->m, (uint32_t)e->args[0]);
        else if (r < 0)
            return r == -E2BIG ? 0 : r;
    }
    if (e->from == e->to || e->to == GOTRACE_PROC_RUNNING || e->args[0] > INT32_MAX)
        return 0;
    r = lane_of_p(x, (int32_t)e->args[0], &lane);
    if (r == 0)
        lanes_pop_all(&x->lanes, lane, e->time);
    return r;
}
