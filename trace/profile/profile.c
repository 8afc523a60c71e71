/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trace/profile/marks.h"
#include "trace/profile/timing.h"

#define DEFAULT_MEMORY ((size_t)256 << 20)
#define NONE SUMS_NONE
#define MAX_FRAMES 128 /* tracev2.MaxFramesPerStack */

/* The state of a goroutine. */
struct watched {
    int64_t since;        /* when it entered the state */
    int64_t before;       /* counts if it never runs: at most one, as without running a */
    uint32_t before_site; /* goroutine enters no state twice; NONE: none */
    uint32_t site;        /* the stack where it entered the state; NONE: it is not in it */
    uint32_t next_free;
    uint32_t reason;      /* of its present or last wait, a string; NONE: not known */
    uint64_t before_sync; /* SYNC events when that was */
    bool used, ran;
    bool dead; /* it ended, but its number may be used again */
};

struct profile {
    struct profile_options options;
    struct timing_filter filter;
    uint64_t seed;
    struct memory mem;
    struct sums sums;
    struct spans spans;
    struct marks marks; /* for labels */
    bool scanned;

    struct gotrace *trace;
    int64_t first, last; /* only time between these counts */
    bool begun;
    uint64_t syncs;      /* SYNC events so far */
    uint64_t most_syncs; /* the pass ends with this one; 0: with the trace */
    struct idmap numbers;
    struct watched *list;
    size_t n, cap;
    uint32_t free;

    /* by this generation's handle of a stack or number of a frame: ours plus 1, or 0 */
    uint32_t *sites, *frames;
    size_t sites_cap, frames_cap;
    uint8_t *reasons; /* 0, or 1 plus whether it counts */
    size_t reasons_cap, n_reasons;
};

int profile_new(const struct profile_options *options, struct profile **ret)
{
    struct profile *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->options = *options;
    p->filter = (struct timing_filter){options->task, options->region};
    if (getrandom(&p->seed, sizeof(p->seed), GRND_NONBLOCK) != sizeof(p->seed))
        p->seed = 0x9e3779b97f4a7c15U;
    p->mem.max = options->max_memory ? options->max_memory : DEFAULT_MEMORY;
    sums_init(&p->sums, &p->mem, p->seed);
    spans_init(&p->spans, &p->mem, p->seed);
    marks_init(&p->marks, &p->mem, &p->sums, p->seed);
    idmap_init(&p->numbers, &p->mem, p->seed | 1);
    p->free = NONE;
    *ret = p;
    return 0;
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    marks_done(&p->marks);
    sums_done(&p->sums);
    spans_done(&p->spans);
    idmap_done(&p->numbers);
    memory_free(&p->mem, p->list, p->cap * sizeof(*p->list));
    memory_free(&p->mem, p->sites, p->sites_cap * sizeof(*p->sites));
    memory_free(&p->mem, p->frames, p->frames_cap * sizeof(*p->frames));
    memory_free(&p->mem, p->reasons, p->reasons_cap);
    free(p);
}

bool profile_needs_scan(const struct profile *p)
{
    return !p->scanned && (p->options.task || p->options.region);
}

bool profile_cut(struct profile *p)
{
    p->most_syncs = p->syncs;
    return p->syncs > 1;
}

const struct sums *profile_sums(const struct profile *p)
{
    return &p->sums;
}

int profile_scan(struct profile *p, struct gotrace *trace)
{
    p->scanned = true;
    return timing_run(trace, &p->filter, p->seed, &p->spans);
}

static int new_generation(struct profile *p)
{
    struct gotrace_generation g;
    int r;

    if (gotrace_generation(p->trace, &g) < 0)
        return 0;
    r = memory_grow(&p->mem, &p->sites, &p->sites_cap, g.n_stacks + 1U, sizeof(*p->sites));
    if (r == 0)
        r = memory_grow(&p->mem, &p->frames, &p->frames_cap, g.n_frames + 1U, sizeof(*p->frames));
    if (r == 0)
        r = memory_grow(&p->mem, &p->reasons, &p->reasons_cap, g.n_strings + 1U, 1);
    if (r < 0)
        return r;
    memset(p->sites, 0, (g.n_stacks + 1U) * sizeof(*p->sites));
    memset(p->frames, 0, (g.n_frames + 1U) * sizeof(*p->frames));
    memset(p->reasons, 0, g.n_strings + 1U);
    p->n_reasons = g.n_strings + 1U;
    return 0;
}

static int intern_string(struct profile *p, uint64_t handle, uint32_t *ret)
{
    size_t len;
    const char *text = gotrace_string(p->trace, handle, &len);

    return sums_string(&p->sums, text, len, ret);
}

static int intern_frame(struct profile *p, uint32_t number, uint32_t *ret)
{
    const struct gotrace_frame *f = gotrace_frame(p->trace, number);
    uint32_t name, file;
    int r;

    if (p->frames[number] > 0) {
        *ret = p->frames[number] - 1;
        return 0;
    }
    r = intern_string(p, f->func, &name);
    if (r == 0)
        r = intern_string(p, f->file, &file);
    if (r == 0)
        r = sums_frame(&p->sums, f->pc, name, file, f->line, ret);
    if (r == 0)
        p->frames[number] = *ret + 1;
    return r;
}

/* Separate from intern_stack, which is called often and should not clear so much memory. */
static __attribute__((noinline)) int intern_new_stack(struct profile *p, uint32_t handle,
                                                      uint32_t *ret)
{
    uint32_t frames[MAX_FRAMES];
    const uint32_t *row;
    size_t n;
    int r = 0;

    row = gotrace_stack(p->trace, handle, &n);
    /* cmd/trace compares stacks by program counters, and ignores zeros at the outer end. */
    while (n > 0 && gotrace_frame(p->trace, row[n - 1])->pc == 0)
        n--;
    for (size_t i = 0; i < n && i < MAX_FRAMES && r == 0; i++)
        r = intern_frame(p, row[i], &frames[i]);
    if (r == 0)
        r = sums_stack(&p->sums, frames, n < MAX_FRAMES ? n : MAX_FRAMES, ret);
    if (r == 0)
        p->sites[handle] = *ret + 1;
    return r;
}

static inline int intern_stack(struct profile *p, uint32_t handle, uint32_t *ret)
{
    uint32_t site = p->sites[handle];

    if (__builtin_expect(site == 0, 0))
        return intern_new_stack(p, handle, ret);
    *ret = site - 1;
    return 0;
}

static bool reason_matches(const struct profile *p, uint32_t handle)
{
    static const char *const parts[] = {"chan", "sync", "select"};
    size_t len;
    const char *text = gotrace_string(p->trace, handle, &len);

    if (p->options.kind == PROFILE_NET)
        return len == 7 && memcmp(text, "network", 7) == 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (memmem(text, len, parts[i], strlen(parts[i])))
            return true;
    return false;
}

static bool reason_counts(struct profile *p, uint32_t handle)
{
    if (p->options.kind == PROFILE_SCHED || p->options.kind == PROFILE_SYSCALL)
        return true;
    if (handle >= p->n_reasons)
        return reason_matches(p, handle);
    if (p->reasons[handle] == 0)
        p->reasons[handle] = (uint8_t)(1 + reason_matches(p, handle));
    return p->reasons[handle] > 1;
}

static int add_watched(struct profile *p, uint64_t g, uint32_t *ret)
{
    uint32_t i = p->free;
    int r;

    if (i == NONE) {
        if (p->n >= NONE)
            return -E2BIG;
        r = memory_grow(&p->mem, &p->list, &p->cap, p->n + 1, sizeof(*p->list));
        if (r < 0)
            return r;
        i = (uint32_t)p->n;
    }
    r = idmap_add(&p->numbers, g, i);
    if (r < 0)
        return r;
    if (i == p->n)
        p->n++;
    else
        p->free = p->list[i].next_free;
    p->list[i] = (struct watched){.site = NONE, .before_site = NONE, .reason = NONE, .used = true};
    *ret = i;
    return 0;
}

static void add(struct profile *p, uint32_t site, const struct gotrace_event *e, int64_t since,
                int64_t ns)
{
    const struct profile_observer *o = p->options.observer;

    sums_add(&p->sums, site, ns);
    if (o)
        o->counted(o->userdata, e, since, ns);
}

/* The goroutine will not run any more: if it never did, counts what was kept back for that case. */
static void settle(struct profile *p, struct watched *w)
{
    if (!w->ran && w->before_site != NONE)
        add(p, w->before_site, NULL, w->since, w->before);
    w->before_site = NONE;
}

/* It leaves the state that it entered at w->since. */
static void leave(struct profile *p, struct watched *w, const struct gotrace_event *e)
{
    int64_t start = w->since > p->first ? w->since : p->first;
    int64_t end = e->time < p->last ? e->time : p->last, ns;
    uint32_t site = w->site;

    w->site = NONE;
    if (start >= end)
        return;
    if (p->scanned && spans_cover(&p->spans, (int64_t)e->args[0], start, end, &ns)) {
        if (ns > 0)
            add(p, site, e, start, ns);
    } else if (p->options.task || p->options.region) {
        return;
    } else if (w->ran) {
        add(p, site, e, start, spans_length(start, end));
    } else {
        w->before = spans_length(start, end);
        w->before_site = site;
        w->before_sync = p->syncs;
    }
}

static void end_goroutine(struct profile *p, uint32_t i, const struct gotrace_event *e)
{
    struct watched *w = &p->list[i];

    settle(p, w);
    if (e->type != GOTRACE_EV_GO_DESTROY && !p->scanned) {
        w->dead = true;
        return;
    }
    idmap_remove(&p->numbers, e->args[0]);
    w->used = false;
    w->next_free = p->free;
    p->free = i;
}

static const uint8_t states[] = {
    [PROFILE_SCHED] = GOTRACE_GO_RUNNABLE,
    [PROFILE_SYNC] = GOTRACE_GO_WAITING,
    [PROFILE_NET] = GOTRACE_GO_WAITING,
    [PROFILE_SYSCALL] = GOTRACE_GO_SYSCALL,
};

/* Remembers why it waits, for when it is runnable again. */
static int note_reason(struct profile *p, struct watched *w, const struct gotrace_event *e)
{
    w->reason = NONE;
    return e->string > 0 ? intern_string(p, e->string, &w->reason) : 0;
}

/* The site of the state that begins with `e`. */
static int begin_site(struct profile *p, struct watched *w, const struct gotrace_event *e)
{
    struct sums_label label = {.reason = NONE};
    uint32_t site;
    int r = intern_stack(p, e->stack, &site);

    if (r == 0 && p->options.labels) {
        marks_of(&p->marks, e->args[0], &label.task, &label.region);
        if (e->string > 0)
            r = intern_string(p, e->string, &label.reason);
        else if (e->from == GOTRACE_GO_WAITING && e->to == GOTRACE_GO_RUNNABLE)
            label.reason = w->reason;
        if (r == 0)
            r = sums_labelled(&p->sums, site, &label, &site);
    }
    if (r < 0)
        return r;
    w->site = site;
    w->since = e->time;
    return 0;
}

static int go_state(struct profile *p, const struct gotrace_event *e)
{
    uint32_t i = idmap_find(&p->numbers, e->args[0]);
    uint8_t state = states[p->options.kind];
    struct watched *w;
    int r;

    if (i == IDMAP_NONE) {
        r = add_watched(p, e->args[0], &i);
        if (r < 0)
            return r;
    } else if (p->list[i].dead) {
        return 1;
    }
    w = &p->list[i];
    if (w->site != NONE && e->to != state)
        leave(p, w, e);
    else if (w->site == NONE && e->to == state && reason_counts(p, e->string)) {
        r = begin_site(p, w, e);
        if (r < 0)
            return r;
    }
    if (p->options.labels && e->to == GOTRACE_GO_WAITING && e->from != e->to) {
        r = note_reason(p, w, e);
        if (r < 0)
            return r;
    }
    if (e->to == GOTRACE_GO_RUNNING && !w->ran) {
        w->ran = true;
        w->before_site = NONE;
    }
    if (e->to == GOTRACE_GO_NOT_EXIST)
        end_goroutine(p, i, e);
    return 0;
}

/* The window of the options. Open ends stay at the extreme values. */
static void begin(struct profile *p, int64_t time)
{
    const struct profile_options *o = &p->options;

    p->begun = true;
    p->first = INT64_MIN;
    p->last = INT64_MAX;
    if (o->since > 0 &&
        (o->since > INT64_MAX || __builtin_add_overflow(time, (int64_t)o->since, &p->first)))
        p->first = INT64_MAX;
    if (o->until > 0 &&
        (o->until > INT64_MAX || __builtin_add_overflow(time, (int64_t)o->until, &p->last)))
        p->last = INT64_MAX;
}

static int take(struct profile *p, const struct gotrace_event *e)
{
    int r = p->options.labels ? marks_take(&p->marks, p->trace, e) : 0;

    if (r < 0)
        return r;
    if (e->kind == GOTRACE_GO_STATE)
        return go_state(p, e);
    if (e->kind != GOTRACE_SYNC)
        return 0;
    if (!p->begun)
        begin(p, e->time);
    p->syncs++;
    sums_commit(&p->sums);
    return new_generation(p);
}

static void start_anew(struct profile *p, struct gotrace *trace)
{
    sums_reset(&p->sums);
    idmap_clear(&p->numbers);
    marks_clear(&p->marks);
    p->trace = trace;
    p->begun = false;
    p->syncs = 0;
    p->n = 0;
    p->free = NONE;
    if (p->options.observer)
        p->options.observer->begin(p->options.observer->userdata);
}

/* An event, and whoever sees it. */
static int take_shown(struct profile *p, const struct gotrace_event *e)
{
    const struct profile_observer *o = p->options.observer;
    int r = take(p, e);

    return r == 0 && o ? o->event(o->userdata, p->trace, e) : r;
}

static bool is_enough(const struct profile *p)
{
    return p->most_syncs > 0 && p->syncs >= p->most_syncs;
}

int profile_count(struct profile *p, struct gotrace *trace)
{
    const struct gotrace_event *e;
    int code = 0, r = 0;
    size_t n;

    start_anew(p, trace);
    while (r == 0 && !is_enough(p) && (code = gotrace_next_batch(trace, &e, &n)) > 0)
        for (size_t i = 0; i < n && r == 0 && !is_enough(p); i++)
            r = take_shown(p, &e[i]);
    if (r != 0)
        return r;
    if (is_enough(p))
        code = 0;
    /* As in cmd/trace, a generation that breaks off is left out. */
    sums_drop(&p->sums);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].used && p->list[i].before_sync < p->syncs)
            settle(p, &p->list[i]);
    sums_commit(&p->sums);
    return code;
}
