/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/summary.h"

#include <errno.h>

#include "lib/record/context.h"
#include "lib/value/path.h"

static void put_times(struct jsonwriter *w, const struct summary_times *t)
{
    jsonwriter_count(w, "count", t->count);
    jsonwriter_integer(w, "total_ns", t->total);
    jsonwriter_integer(w, "p50_ns", t->p50);
    jsonwriter_integer(w, "p90_ns", t->p90);
    jsonwriter_integer(w, "p99_ns", t->p99);
    jsonwriter_integer(w, "p999_ns", t->p999);
    jsonwriter_integer(w, "max_ns", t->max);
    jsonwriter_bool(w, "exact", t->exact);
}

static void times(struct jsonwriter *w, const char *key, const struct summary_times *t)
{
    jsonwriter_object(w, key);
    put_times(w, t);
    jsonwriter_end(w);
}

static void rows(struct jsonwriter *w, const char *key, const struct summary_rows *rows,
                 const char *name)
{
    jsonwriter_array(w, key);
    for (size_t i = 0; i < rows->n; i++) {
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, name, rows->list[i].name);
        put_times(w, &rows->list[i].times);
        jsonwriter_count(w, "open", rows->list[i].open);
        if (rows->list[i].grouped)
            jsonwriter_bool(w, "grouped", true);
        if (rows->list[i].misnested > 0)
            jsonwriter_count(w, "misnested", rows->list[i].misnested);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

static void left_out(struct jsonwriter *w, const char *key, const struct summary_left_out *l)
{
    jsonwriter_object(w, key);
    jsonwriter_count(w, "names", l->names);
    jsonwriter_count(w, "count", l->count);
    jsonwriter_integer(w, "total_ns", l->total);
    jsonwriter_integer(w, "max_ns", l->max);
    jsonwriter_count(w, "open", l->open);
    jsonwriter_end(w);
}

static void put_frame(struct jsonwriter *w, const struct summary_frame *f)
{
    jsonwriter_text(w, "func", f->func);
    jsonwriter_text(w, "file", f->file);
    jsonwriter_count(w, "line", f->line);
}

static void tally(struct jsonwriter *w, const char *key, const struct summary_tally *t)
{
    jsonwriter_object(w, key);
    jsonwriter_count(w, "count", t->count);
    jsonwriter_integer(w, "total_ns", t->total);
    jsonwriter_integer(w, "max_ns", t->max);
    jsonwriter_end(w);
}

static void site(struct jsonwriter *w, const struct summary_site *s)
{
    jsonwriter_object(w, NULL);
    put_frame(w, &s->at);
    place_own_json(w, &s->own);
    jsonwriter_text(w, "class", stack_class_name(s->class));
    jsonwriter_count(w, "count", s->count);
    jsonwriter_integer(w, "total_ns", s->total);
    jsonwriter_integer(w, "max_ns", s->max);
    tally(w, "open", &s->open);
    tally(w, "older", &s->older);
    jsonwriter_count(w, "stacks", s->n_stacks);
    jsonwriter_integer(w, "stack_total_ns", s->top_total);
    jsonwriter_array(w, "stack");
    for (size_t i = 0; i < s->n_top; i++) {
        jsonwriter_object(w, NULL);
        put_frame(w, &s->top[i]);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static void sites(struct jsonwriter *w, const char *key, const struct summary_sites *sites)
{
    jsonwriter_object(w, key);
    jsonwriter_count(w, "count", sites->count);
    jsonwriter_integer(w, "total_ns", sites->total);
    tally(w, "open", &sites->open);
    tally(w, "older", &sites->older);
    jsonwriter_object(w, "standing");
    jsonwriter_count(w, "count", sites->standing.count);
    jsonwriter_integer(w, "total_ns", sites->standing.total);
    jsonwriter_count(w, "open", sites->standing_open);
    jsonwriter_end(w);
    jsonwriter_object(w, "left_out");
    jsonwriter_count(w, "sites", sites->left_out);
    jsonwriter_count(w, "count", sites->left_out_count);
    jsonwriter_integer(w, "total_ns", sites->left_out_total);
    jsonwriter_end(w);
    jsonwriter_array(w, "top");
    for (size_t i = 0; i < sites->n; i++)
        site(w, &sites->list[i]);
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static void all_sites(struct jsonwriter *w, const struct summary *s)
{
    jsonwriter_object(w, "sites");
    sites(w, "sched", &s->sites[SUMMARY_SCHED]);
    sites(w, "sync", &s->sites[SUMMARY_SYNC]);
    sites(w, "net", &s->sites[SUMMARY_NET]);
    sites(w, "syscall", &s->sites[SUMMARY_SYSCALL]);
    sites(w, "cpu", &s->sites[SUMMARY_CPU]);
    sites(w, "cpu_own", &s->samples);
    sites(w, "misnested", &s->misnested);
    sites(w, "sleep", &s->sleeps);
    sites(w, "after_func", &s->timer_funcs);
    sites(w, "yield", &s->yields);
    sites(w, "broadcast", &s->woken_together);
    sites(w, "dial", &s->dials);
    sites(w, "dial_failed", &s->failed_dials);
    jsonwriter_end(w);
}

static void events(struct jsonwriter *w, const struct summary *s)
{
    static const struct {
        const char *name;
        unsigned kinds[2];
    } kinds[] = {{"Sync", {GOTRACE_SYNC}},
                 {"Metric", {GOTRACE_METRIC}},
                 {"Label", {GOTRACE_LABEL}},
                 {"StackSample", {GOTRACE_STACK_SAMPLE}},
                 {"RangeBegin", {GOTRACE_RANGE_BEGIN}},
                 {"RangeActive", {GOTRACE_RANGE_ACTIVE}},
                 {"RangeEnd", {GOTRACE_RANGE_END}},
                 {"TaskBegin", {GOTRACE_TASK_BEGIN}},
                 {"TaskEnd", {GOTRACE_TASK_END}},
                 {"RegionBegin", {GOTRACE_REGION_BEGIN}},
                 {"RegionEnd", {GOTRACE_REGION_END}},
                 {"Log", {GOTRACE_LOG}},
                 {"StateTransition", {GOTRACE_GO_STATE, GOTRACE_PROC_STATE}},
                 {"Experimental", {GOTRACE_EXPERIMENTAL}}};

    jsonwriter_object(w, "events");
    jsonwriter_count(w, "total", s->events.total);
    jsonwriter_object(w, "by_kind");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        jsonwriter_count(w, kinds[i].name,
                         s->events.by_kind[kinds[i].kinds[0]] +
                             (kinds[i].kinds[1] ? s->events.by_kind[kinds[i].kinds[1]] : 0));
    jsonwriter_end(w);
    jsonwriter_object(w, "by_type");
    for (unsigned i = 0; i < 256; i++) {
        if (s->events.by_type[i] > 0)
            jsonwriter_count(w, gotrace_type_name(i), s->events.by_type[i]);
    }
    jsonwriter_end(w);
    jsonwriter_end(w);
}

static void proc_list(struct jsonwriter *w, const struct summary_procs *p)
{
    jsonwriter_array(w, "list");
    for (size_t i = 0; i < p->n; i++) {
        const struct summary_proc *proc = &p->list[i];

        jsonwriter_object(w, NULL);
        jsonwriter_integer(w, "p", proc->p);
        jsonwriter_integer(w, "running_ns", proc->running);
        jsonwriter_integer(w, "executing_ns", proc->executing);
        jsonwriter_integer(w, "in_syscall_ns", proc->in_syscall);
        jsonwriter_integer(w, "longest_run_ns", proc->longest_run);
        jsonwriter_integer(w, "longest_syscall_ns", proc->longest_syscall);
        jsonwriter_count(w, "steals", proc->steals);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

static void procs(struct jsonwriter *w, const struct summary_procs *p)
{
    jsonwriter_object(w, "procs");
    jsonwriter_object(w, "gomaxprocs");
    jsonwriter_integer(w, "min", p->min);
    jsonwriter_integer(w, "max", p->max);
    jsonwriter_integer(w, "last", p->last);
    jsonwriter_real(w, "mean", p->mean);
    jsonwriter_count(w, "changes", p->changes);
    jsonwriter_end(w);
    jsonwriter_integer(w, "available_ns", p->available);
    jsonwriter_integer(w, "running_ns", p->running);
    jsonwriter_integer(w, "executing_ns", p->executing);
    jsonwriter_integer(w, "in_syscall_ns", p->in_syscall);
    jsonwriter_real(w, "running_share", p->running_share);
    jsonwriter_real(w, "executing_share", p->executing_share);
    jsonwriter_real(w, "idle_share", p->idle_share);
    jsonwriter_real(w, "gc_share", p->gc_share);
    jsonwriter_integer(w, "all_busy_ns", p->all_busy);
    jsonwriter_integer(w, "queued_ns", p->queued);
    jsonwriter_count(w, "steals", p->steals);
    proc_list(w, p);
    jsonwriter_count(w, "other", p->other);
    jsonwriter_end(w);
}

static void waits(struct jsonwriter *w, const struct summary_goroutines *g)
{
    jsonwriter_array(w, "waits");
    for (size_t i = 0; i < g->n_waits; i++) {
        jsonwriter_object(w, NULL);
        jsonwriter_text(w, "reason", g->waits[i].reason);
        jsonwriter_count(w, "count", g->waits[i].count);
        jsonwriter_integer(w, "total_ns", g->waits[i].total);
        jsonwriter_integer(w, "max_ns", g->waits[i].max);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
}

/* An object and not an element, so that it is in the record, too. */
static void put_growing(struct jsonwriter *w, const struct summary_growth *g)
{
    jsonwriter_object(w, "growing");
    put_frame(w, &g->list[0].at);
    jsonwriter_count(w, "created", g->list[0].created);
    jsonwriter_count(w, "ended", g->list[0].ended);
    jsonwriter_text(w, "reason", g->reason);
    jsonwriter_count(w, "waiting", g->waiting);
    jsonwriter_integer(w, "waited_ns", g->waited);
    jsonwriter_object(w, "waits_at");
    put_frame(w, &g->waits_at);
    jsonwriter_end(w);
    jsonwriter_count(w, "waits_over", g->waits_over);
    jsonwriter_count(w, "older_waiting", g->older_waiting);
    jsonwriter_end(w);
}

/* Where those were created that are left, and what the most of them wait for. */
static void growth(struct jsonwriter *w, const struct summary_growth *g)
{
    jsonwriter_count(w, "older_ended", g->older_ended);
    jsonwriter_count(w, "older_untold", g->older_untold);
    jsonwriter_count(w, "created_in_network", g->in_network);
    jsonwriter_array(w, "origins");
    for (size_t i = 0; i < g->n; i++) {
        jsonwriter_object(w, NULL);
        put_frame(w, &g->list[i].at);
        jsonwriter_count(w, "created", g->list[i].created);
        jsonwriter_count(w, "ended", g->list[i].ended);
        jsonwriter_end(w);
    }
    jsonwriter_end(w);
    if (g->n > 0)
        put_growing(w, g);
    else
        jsonwriter_null(w, "growing");
}

/* All waits for the network, also those that lasted when the trace began or ended. */
static int64_t in_network(const struct summary *s)
{
    const struct summary_sites *net = &s->sites[SUMMARY_NET];

    return net->total + net->open.total + net->older.total;
}

static void goroutines(struct jsonwriter *w, const struct summary *s)
{
    const struct summary_goroutines *g = &s->goroutines;

    jsonwriter_object(w, "goroutines");
    jsonwriter_count(w, "at_start", g->at_start);
    jsonwriter_count(w, "created", g->created);
    jsonwriter_count(w, "ended", g->ended);
    jsonwriter_count(w, "at_end", g->at_end);
    jsonwriter_count(w, "max_alive", g->max_alive);
    jsonwriter_object(w, "states");
    jsonwriter_integer(w, "running_ns", g->running);
    jsonwriter_integer(w, "runnable_ns", g->runnable);
    jsonwriter_integer(w, "in_syscall_ns", g->in_syscall);
    jsonwriter_integer(w, "syscall_blocked_ns", g->syscall_blocked);
    jsonwriter_integer(w, "waiting_ns", g->waiting);
    jsonwriter_end(w);
    jsonwriter_integer(w, "network_ns", in_network(s));
    waits(w, g);
    growth(w, &s->growth);
    jsonwriter_end(w);
}

static void scheduler(struct jsonwriter *w, const struct summary_scheduler *sched)
{
    jsonwriter_object(w, "scheduler");
    times(w, "latency", &sched->latency);
    jsonwriter_real(w, "share_over_1ms", sched->over_1ms);
    jsonwriter_real(w, "share_over_10ms", sched->over_10ms);
    jsonwriter_real(w, "share_over_100ms", sched->over_100ms);
    jsonwriter_real(w, "runnable_mean", sched->runnable_mean);
    jsonwriter_count(w, "runnable_max", sched->runnable_max);
    jsonwriter_count(w, "overdue_count", sched->overdue_count);
    jsonwriter_integer(w, "overdue_ns", sched->overdue);
    jsonwriter_integer(w, "overdue_with_idle_ns", sched->overdue_with_idle);
    jsonwriter_integer(w, "overdue_with_free_ns", sched->overdue_with_free);
    jsonwriter_integer(w, "overdue_lost_ns", sched->overdue_lost);
    jsonwriter_integer(w, "overdue_idle_lost_ns", sched->overdue_idle_lost);
    jsonwriter_count(w, "yields", sched->yields);
    jsonwriter_count(w, "by_runtime", sched->by_runtime);
    jsonwriter_end(w);
}

/* null when there is none. */
static void longest(struct jsonwriter *w, const char *key, const struct summary_longest *l)
{
    if (l->duration <= 0) {
        jsonwriter_null(w, key);
        return;
    }
    jsonwriter_object(w, key);
    put_frame(w, &l->at);
    jsonwriter_integer(w, "duration_ns", l->duration);
    jsonwriter_integer(w, "g", l->g);
    if (l->p == GOTRACE_NONE)
        jsonwriter_null(w, "p");
    else
        jsonwriter_integer(w, "p", l->p);
    jsonwriter_bool(w, "open", l->open);
    jsonwriter_bool(w, "older", l->older);
    place_own_json(w, &l->own);
    jsonwriter_end(w);
}

static void silences(struct jsonwriter *w, const struct summary_silences *s)
{
    jsonwriter_object(w, "silences");
    jsonwriter_count(w, "count", s->count);
    jsonwriter_integer(w, "total_ns", s->total);
    jsonwriter_integer(w, "max_ns", s->longest);
    jsonwriter_count(w, "kept", s->kept.count);
    jsonwriter_integer(w, "kept_ns", s->kept.total);
    jsonwriter_integer(w, "kept_max_ns", s->kept.longest);
    jsonwriter_integer(w, "goroutines_ns", s->goroutines);
    jsonwriter_count(w, "in_step", s->in_step);
    jsonwriter_integer(w, "in_step_ns", s->in_step_total);
    jsonwriter_end(w);
}

static void long_runs(struct jsonwriter *w, const struct summary_long_runs *l)
{
    jsonwriter_object(w, "long_runs");
    jsonwriter_count(w, "count", l->count);
    jsonwriter_integer(w, "total_ns", l->total);
    jsonwriter_end(w);
}

static void syscalls(struct jsonwriter *w, const struct summary_syscalls *c)
{
    jsonwriter_object(w, "syscalls");
    jsonwriter_count(w, "count", c->count);
    jsonwriter_count(w, "blocked", c->blocked);
    times(w, "times", &c->times);
    jsonwriter_count(w, "max_at_once", c->max_at_once);
    jsonwriter_count(w, "max_blocked_at_once", c->max_blocked_at_once);
    longest(w, "longest_active", &c->longest_active);
    longest(w, "longest", &c->longest);
    jsonwriter_end(w);
}

/* Negative: the trace is too short for this number. */
static void put_share(struct jsonwriter *w, const char *key, double share)
{
    if (share < 0)
        jsonwriter_null(w, key);
    else
        jsonwriter_real(w, key, share);
}

static void put_utilisation(struct jsonwriter *w, const struct summary_mmu mmu[3], double mean)
{
    static const char *const names[] = {"mmu_1ms", "mmu_10ms", "mmu_100ms"};

    for (size_t i = 0; i < 3; i++)
        put_share(w, names[i], mmu[i].utilisation);
    put_share(w, "mean", mean);
}

static void gc_work(struct jsonwriter *w, const struct summary_gc *gc)
{
    jsonwriter_object(w, "mark");
    jsonwriter_integer(w, "total_ns", gc->mark);
    jsonwriter_integer(w, "max_ns", gc->mark_max);
    jsonwriter_integer(w, "worker_ns", gc->worker);
    jsonwriter_integer(w, "idle_worker_ns", gc->idle_worker);
    jsonwriter_end(w);
    times(w, "stw", &gc->stw);
    rows(w, "stw_by_reason", &gc->stw_by_reason, "reason");
    jsonwriter_object(w, "assist");
    jsonwriter_count(w, "count", gc->assists);
    jsonwriter_integer(w, "total_ns", gc->assist);
    jsonwriter_integer(w, "executing_ns", gc->assist_executing);
    jsonwriter_real(w, "share", gc->assist_share);
    jsonwriter_integer(w, "max_ns", gc->assist_max);
    jsonwriter_end(w);
    jsonwriter_object(w, "sweep");
    jsonwriter_count(w, "count", gc->sweeps);
    jsonwriter_count(w, "swept_bytes", gc->swept_bytes);
    jsonwriter_count(w, "reclaimed_bytes", gc->reclaimed_bytes);
    jsonwriter_end(w);
}

static void gc(struct jsonwriter *w, const struct summary_gc *gc)
{
    jsonwriter_object(w, "gc");
    jsonwriter_count(w, "cycles", gc->cycles);
    gc_work(w, gc);
    jsonwriter_object(w, "mutator");
    put_utilisation(w, gc->mmu, gc->mean_utilisation);
    jsonwriter_bool(w, "exact", gc->mmu_exact);
    jsonwriter_end(w);
    jsonwriter_object(w, "mutator_as_go");
    put_utilisation(w, gc->go_mmu, gc->go_mean_utilisation);
    jsonwriter_end(w);
    jsonwriter_count(w, "heap_max_bytes", gc->heap_max);
    jsonwriter_count(w, "heap_goal_max_bytes", gc->heap_goal_max);
    jsonwriter_end(w);
}

struct failure summary_failure(const struct summary *s)
{
    struct failure f = {.code = s->code, .placed = true, .offset = s->offset};

    (void)snprintf(f.text, sizeof(f.text), "%s", s->why);
    return f;
}

static void put_head(struct jsonwriter *w, const char *name, const struct summary *s)
{
    struct failure failure = summary_failure(s);
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", s->version);
    jsonwriter_integer(w, "schema", SUMMARY_SCHEMA);
    jsonwriter_text(w, "file", name);
    jsonwriter_text(w, "format", format);
    if (s->version > GOTRACE_NEWEST)
        jsonwriter_bool(w, "format_newer", true);
    jsonwriter_bool(w, "complete", s->complete);
    failure_write(w, s->complete ? NULL : &failure);
    jsonwriter_count(w, "bytes", s->bytes);
    jsonwriter_count(w, "generations", s->generations);
    if (s->wall_start)
        jsonwriter_integer(w, "wall_start_ns", s->wall_start);
    else
        jsonwriter_null(w, "wall_start_ns");
    jsonwriter_integer(w, "window_ns", s->window);
    jsonwriter_integer(w, "spans_ns", s->spans);
    jsonwriter_real(w, "covered", s->covered);
}

/* Of each name, and of those that the table has no room for. */
static void names(struct jsonwriter *w, const struct summary *s)
{
    rows(w, "tasks", &s->tasks, "type");
    jsonwriter_count(w, "tasks_other", s->tasks.left_out.count);
    left_out(w, "tasks_left_out", &s->tasks.left_out);
    rows(w, "regions", &s->regions, "type");
    jsonwriter_count(w, "regions_other", s->regions.left_out.count);
    left_out(w, "regions_left_out", &s->regions.left_out);
}

int summary_json(const struct summary_view *view, const struct summary *s,
                 enum summary_extent extent, struct buf *out)
{
    struct jsonwriter w;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 15, .ascii = true});
    jsonwriter_object(&w, NULL);
    put_head(&w, view->name, s);
    events(&w, s);
    procs(&w, &s->procs);
    goroutines(&w, s);
    scheduler(&w, &s->scheduler);
    syscalls(&w, &s->syscalls);
    longest(&w, "longest_run", &s->longest_run);
    longest(&w, "longest_hold", &s->longest_hold);
    long_runs(&w, &s->long_runs);
    silences(&w, &s->silences);
    gc(&w, &s->gc);
    jsonwriter_object(&w, "threads");
    jsonwriter_count(&w, "seen", s->threads.seen);
    jsonwriter_count(&w, "in_first", s->threads.in_first);
    jsonwriter_end(&w);
    if (extent < SUMMARY_NO_NAMES)
        names(&w, s);
    jsonwriter_count(&w, "misnested_regions", s->misnested.count);
    if (extent < SUMMARY_NO_OUTLIERS)
        summary_outliers_json(&w, s);
    if (extent < SUMMARY_NO_SITES)
        all_sites(&w, s);
    jsonwriter_count(&w, "cpu_samples", s->sites[SUMMARY_CPU].count);
    jsonwriter_count(&w, "lost_goroutines", s->lost_goroutines);
    jsonwriter_count(&w, "lost_stacks", s->lost_stacks);
    if (view->context)
        context_write(&w, "context", view->context);
    summary_findings_json(&w, s, view->context);
    jsonwriter_end(&w);
    return jsonwriter_finish(&w);
}

int summary_number(const json_t *json, const char *path, double *ret)
{
    struct path parsed;

    return path_parse(path, &parsed) == 0 && path_number(&parsed, json, ret) ? 0 : -ENOENT;
}
