/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A process, and what is needed to know its lines again. */
struct seat {
    struct process p;
    size_t bytes;
    bool open;       /* details of its last snapshot may follow */
    uint32_t next_p; /* the P whose line is to come */
};

struct processes {
    struct seat *seats[PROCESSES_MAX]; /* in the order in which they were met */
    size_t n;
    unsigned met;
    size_t bytes;
    uint64_t forgotten, stray;
    processes_fn on_snapshot;
    void *userdata;
};

int processes_new(processes_fn on_snapshot, void *userdata, struct processes **ret)
{
    struct processes *ps = calloc(1, sizeof(*ps));

    if (!ps)
        return -ENOMEM;
    ps->on_snapshot = on_snapshot;
    ps->userdata = userdata;
    *ret = ps;
    return 0;
}

static void snapshot_free(struct snapshot *s)
{
    free(s->gcs);
    free(s);
}

static void seat_free(struct processes *ps, struct seat *seat)
{
    ps->bytes -= seat->bytes;
    for (size_t i = 0; i < seat->p.n; i++)
        snapshot_free(seat->p.list[i]);
    free(seat->p.list);
    free(seat);
}

void processes_free(struct processes *ps)
{
    if (!ps)
        return;
    for (size_t i = 0; i < ps->n; i++)
        seat_free(ps, ps->seats[i]);
    free(ps);
}

static void settle(struct processes *ps, struct seat *seat)
{
    if (!seat->open)
        return;
    seat->open = false;
    if (ps->on_snapshot)
        ps->on_snapshot(ps->userdata, &seat->p, seat->p.list[seat->p.n - 1]);
}

void processes_settle(struct processes *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        settle(ps, ps->seats[i]);
}

/* Makes room in the table: whoever has been silent for longest leaves. */
static void forget(struct processes *ps)
{
    size_t oldest = 0;

    for (size_t i = 1; i < ps->n; i++)
        if (ps->seats[i]->p.last_line < ps->seats[oldest]->p.last_line)
            oldest = i;
    settle(ps, ps->seats[oldest]);
    seat_free(ps, ps->seats[oldest]);
    ps->forgotten++;
    ps->n--;
    (void)memmove(&ps->seats[oldest], &ps->seats[oldest + 1],
                  (ps->n - oldest) * sizeof(struct seat *));
}

static struct seat *meet(struct processes *ps, const char *source, uint64_t number)
{
    struct seat *seat = calloc(1, sizeof(*seat));

    if (!seat)
        return NULL;
    if (ps->n == PROCESSES_MAX)
        forget(ps);
    seat->p.number = ++ps->met;
    seat->p.first_line = number;
    (void)strncpy(seat->p.source, source, sizeof(seat->p.source) - 1);
    ps->seats[ps->n++] = seat;
    return seat;
}

/* The seat's oldest snapshots give way: a tenth at a time, as the others move up. */
static void shed(struct processes *ps, struct seat *seat)
{
    size_t n = seat->p.n / 10 + 1;

    if (n >= seat->p.n)
        return;
    for (size_t i = 0; i < n; i++) {
        seat->bytes -= seat->p.list[i]->bytes;
        ps->bytes -= seat->p.list[i]->bytes;
        snapshot_free(seat->p.list[i]);
    }
    seat->p.n -= n;
    seat->p.forgotten += n;
    (void)memmove(seat->p.list, seat->p.list + n, seat->p.n * sizeof(struct snapshot *));
}

static void make_room(struct processes *ps)
{
    struct seat *largest = ps->seats[0];

    if (ps->bytes <= PROCESSES_MEMORY_MAX)
        return;
    for (size_t i = 1; i < ps->n; i++)
        if (ps->seats[i]->bytes > largest->bytes)
            largest = ps->seats[i];
    shed(ps, largest);
}

static bool same_source(const struct seat *seat, const char *source)
{
    return strncmp(seat->p.source, source, sizeof(seat->p.source) - 1) == 0;
}

static const struct snapshot *last_of(const struct seat *seat)
{
    return seat->p.n > 0 ? seat->p.list[seat->p.n - 1] : NULL;
}

/* No P has more ticks in a millisecond. */
#define TICKS_MOST 10000

/* Ticks never fall, but for those that pass 2^32, and rise only so fast. */
static bool ticks_fit(const struct snapshot *last, const struct schedline *line)
{
    uint64_t most = (line->head.ms - last->ms + 1) * TICKS_MOST;

    if (!last->head.ticks || !line->head.ticks || last->head.n != line->head.n)
        return true;
    for (uint32_t i = 0; i < line->head.n; i++)
        if (line->tick[i] - last->ps[i].tick > most)
            return false;
    return true;
}

/* A process whose number of Ps, or form of lines, is another one is one of the last choice. */
#define UNLIKE 1e9

/* The number of threads changes slowly: one more or less weighs as much as so many milliseconds. */
#define THREAD_WEIGHS 20.0

/* Whether one Go prints both. Details may come without being asked for, when a process panics. */
static bool same_form(const struct schedline_head *a, const struct schedline_head *b)
{
    bool alike = a->detailed || b->detailed || a->ticks == b->ticks;

    return alike && a->needspinning == b->needspinning;
}

/* How far a snapshot is from what is expected of this process; negative: it is none of it. */
static double distance(const struct seat *seat, const struct schedline *line)
{
    const struct snapshot *last = last_of(seat);
    double off, threads;

    if (!last)
        return 0; /* only cycles of the collector so far */
    if (line->head.ms == 0 || line->head.ms < last->ms || !ticks_fit(last, line))
        return -1;
    if (!same_form(&line->head, &last->head))
        return -1;
    off = (double)(line->head.ms - last->ms) - (double)process_interval(&seat->p);
    threads = (double)line->head.threads - (double)last->head.threads;
    off = (off < 0 ? -off : off) + THREAD_WEIGHS * (threads < 0 ? -threads : threads);
    return off + (line->head.procs == last->head.procs ? 0 : UNLIKE);
}

static struct seat *seat_of_head(struct processes *ps, const struct schedline *line,
                                 const char *source)
{
    struct seat *best = NULL;
    double least = 0;

    for (size_t i = 0; i < ps->n; i++) {
        double d = same_source(ps->seats[i], source) ? distance(ps->seats[i], line) : -1;

        if (d < 0 || (best && d >= least))
            continue;
        best = ps->seats[i];
        least = d;
    }
    return best;
}

/* How well a cycle follows what is known of a process: its number, and its time. */
static double distance_gc(const struct seat *seat, const struct gcline *gc)
{
    const struct snapshot *last = last_of(seat);
    double ms = gc->at * 1e3, off;

    if (seat->p.any_gc && gc->cycle <= seat->p.last_cycle)
        return -1;
    if (seat->p.any_gc && gc->at < seat->p.last_cycle_at)
        return -1;
    off = last ? ms - (double)last->ms : (gc->at - seat->p.last_cycle_at) * 1e3;
    off = off < 0 ? -off : off;
    off += gc->cycle != seat->p.last_cycle + 1 ? UNLIKE : 0; /* 0 + 1 of one that had none */
    return off + (last && last->head.procs != gc->procs ? UNLIKE : 0);
}

static struct seat *seat_of_gc(struct processes *ps, const struct gcline *gc, const char *source)
{
    struct seat *best = NULL;
    double least = 0;

    for (size_t i = 0; i < ps->n; i++) {
        double d = same_source(ps->seats[i], source) ? distance_gc(ps->seats[i], gc) : -1;

        if (d < 0 || (best && d >= least))
            continue;
        best = ps->seats[i];
        least = d;
    }
    return best;
}

/* The one of this source whose details are under way. */
static struct seat *seat_of_detail(struct processes *ps, const char *source)
{
    struct seat *found = NULL;

    for (size_t i = 0; i < ps->n; i++) {
        struct seat *seat = ps->seats[i];

        if (seat->open && same_source(seat, source) &&
            (!found || seat->p.last_line > found->p.last_line))
            found = seat;
    }
    return found;
}

static struct snapshot *snapshot_new(const struct schedline *line, const char *text,
                                     uint64_t number)
{
    uint32_t n = line->head.n;
    size_t bytes, length = line->n < PROCESS_TEXT_MAX ? line->n : PROCESS_TEXT_MAX - 1;
    struct snapshot *s;

    if (line->head.detailed)
        n = line->head.procs < SCHEDLINE_PS_MAX ? line->head.procs : SCHEDLINE_PS_MAX;
    bytes = sizeof(*s) + n * sizeof(s->ps[0]);
    s = calloc(1, bytes);
    if (!s)
        return NULL;
    s->line = number;
    s->ms = line->head.ms;
    s->head = line->head;
    s->bytes = bytes;
    (void)memcpy(s->text, text + line->at, length);
    for (uint32_t i = 0; i < n; i++) {
        s->ps[i].g = -1;
        if (line->head.detailed)
            continue;
        s->ps[i].queue = line->queue[i];
        s->ps[i].tick = line->head.ticks ? line->tick[i] : 0;
    }
    return s;
}

/* The cycles since the snapshot before go with this one. */
static int take_gcs(struct seat *seat, struct snapshot *s)
{
    if (seat->p.pending.cycles == 0)
        return 0;
    s->gcs = malloc(sizeof(*s->gcs));
    if (!s->gcs)
        return -ENOMEM;
    *s->gcs = seat->p.pending;
    s->bytes += sizeof(*s->gcs);
    seat->p.pending = (struct process_gcs){0};
    return 0;
}

static int append(struct process *p, struct snapshot *s)
{
    if (p->n == p->cap) {
        size_t cap = p->cap > 0 ? 2 * p->cap : 64;
        struct snapshot **list = reallocarray(p->list, cap, sizeof(struct snapshot *));

        if (!list)
            return -ENOMEM;
        p->list = list;
        p->cap = cap;
    }
    p->list[p->n++] = s;
    return 0;
}

static int add_head(struct processes *ps, struct seat *seat, const struct schedline *line,
                    const char *text, uint64_t number)
{
    struct snapshot *s = snapshot_new(line, text, number);
    int r = s ? take_gcs(seat, s) : -ENOMEM;

    if (r == 0)
        r = append(&seat->p, s);
    if (r < 0) {
        if (s)
            snapshot_free(s);
        return r;
    }
    seat->p.needspinning |= line->head.needspinning;
    seat->p.ticks |= line->head.ticks;
    seat->bytes += s->bytes;
    ps->bytes += s->bytes;
    make_room(ps);
    seat->open = true;
    seat->next_p = 0;
    if (!line->head.detailed)
        settle(ps, seat);
    return 0;
}

static void quote(struct process_worst *worst, const struct schedline *line, const char *text,
                  uint64_t number)
{
    size_t n = line->n < sizeof(worst->text) ? line->n : sizeof(worst->text) - 1;

    worst->line = number;
    (void)memcpy(worst->text, text + line->at, n);
    worst->text[n] = '\0';
}

static void add_gc(struct seat *seat, const struct schedline *line, const char *text,
                   uint64_t number)
{
    const struct gcline *gc = &line->gc;
    struct process_gcs one = {
        .cycles = 1,
        .forced = gc->forced,
        .pause_max = gc->pause[0] + gc->pause[1],
        .pause_total = gc->pause[0] + gc->pause[1],
        .mark_total = gc->mark,
        .assist_total = gc->assist,
        .assist_max = gc->assist,
        .before = gc->before,
        .peak = gc->after > gc->before ? gc->after : gc->before,
        .live = gc->live,
        .percent = gc->percent,
    };

    quote(&one.longest, line, text, number);
    one.assisted = one.longest;
    process_gcs_add(&seat->p.pending, &one);
    if (!seat->p.any_gc)
        seat->p.first_cycle_at = gc->at;
    seat->p.any_gc = true;
    seat->p.last_cycle = gc->cycle;
    seat->p.last_cycle_at = gc->at;
}

static bool add_p(struct seat *seat, const struct schedline_p *p)
{
    struct snapshot *s = seat->p.list[seat->p.n - 1];

    if (p->id != seat->next_p)
        return false; /* of another process, or behind a line that was torn */
    seat->next_p++;
    if (p->id >= SCHEDLINE_PS_MAX || p->id >= s->head.procs)
        return true;
    s->head.n = p->id + 1;
    s->ps[p->id].queue = p->queue;
    s->ps[p->id].tick = p->tick;
    s->ps[p->id].syscalltick = p->syscalltick;
    s->ps[p->id].status = p->status;
    return true;
}

static bool add_m(struct seat *seat, const struct schedline_m *m)
{
    struct snapshot *s = seat->p.list[seat->p.n - 1];

    if (m->p >= 0 && m->p < (int64_t)s->head.n)
        s->ps[m->p].g = m->g;
    return true;
}

static bool add_g(struct seat *seat, const struct schedline_g *g)
{
    struct snapshot *s = seat->p.list[seat->p.n - 1];
    struct process_gs *gs = &s->gs;

    s->has_gs = true;
    gs->n++;
    gs->assisting += g->assist && g->status != SCHEDLINE_G_RUNNING;
    switch (g->status) {
    case SCHEDLINE_G_RUNNABLE:
        gs->runnable++;
        gs->runnable_io += g->io;
        break;
    case SCHEDLINE_G_RUNNING: gs->running++; break;
    case SCHEDLINE_G_SYSCALL: gs->syscall++; break;
    case SCHEDLINE_G_WAITING:
        gs->waiting++;
        gs->waiting_io += g->io;
        break;
    default: break;
    }
    return true;
}

static void add_detail(struct processes *ps, const struct schedline *line, const char *source,
                       uint64_t number)
{
    struct seat *seat = seat_of_detail(ps, source);
    bool taken = false;

    if (seat && line->kind == SCHEDLINE_P)
        taken = add_p(seat, &line->p);
    else if (seat && line->kind == SCHEDLINE_M)
        taken = add_m(seat, &line->m);
    else if (seat)
        taken = add_g(seat, &line->g);
    if (taken)
        seat->p.last_line = number;
    ps->stray += !taken;
}

int processes_add(struct processes *ps, const struct schedline *line, const char *text,
                  const char *source, uint64_t number)
{
    struct seat *seat;
    int r = 0;

    if (line->kind != SCHEDLINE_SCHED && line->kind != SCHEDLINE_GC) {
        add_detail(ps, line, source, number);
        return 0;
    }
    seat = line->kind == SCHEDLINE_SCHED ? seat_of_head(ps, line, source)
                                         : seat_of_gc(ps, &line->gc, source);
    if (!seat)
        seat = meet(ps, source, number);
    if (!seat)
        return -ENOMEM;
    settle(ps, seat);
    seat->p.last_line = number;
    if (line->kind == SCHEDLINE_GC)
        add_gc(seat, line, text, number);
    else
        r = add_head(ps, seat, line, text, number);
    return r;
}

size_t processes_count(const struct processes *ps)
{
    return ps->n;
}

const struct process *processes_get(const struct processes *ps, size_t i)
{
    return i < ps->n ? &ps->seats[i]->p : NULL;
}

uint64_t processes_forgotten(const struct processes *ps)
{
    return ps->forgotten;
}

uint64_t processes_stray(const struct processes *ps)
{
    return ps->stray;
}
