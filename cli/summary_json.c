/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX 2048

/* Names in a trace may be any bytes; what is not UTF-8 is written as \xNN. */
json_t *summary_json_text(const char *s)
{
    json_t *json = json_string(s);
    struct buf escaped;

    if (json)
        return json;
    buf_init(&escaped, 4 * TEXT_MAX);
    buf_add_escaped(&escaped, s, strnlen(s, TEXT_MAX));
    json = json_string(buf_str(&escaped));
    buf_done(&escaped);
    return json;
}

static void put(json_t *o, const char *key, json_t *value)
{
    /* Without memory the key is missing, which the schema does not allow: whoever reads it sees. */
    (void)json_object_set_new(o, key, value);
}

static void put_int(json_t *o, const char *key, int64_t value)
{
    put(o, key, json_integer(value));
}

static void put_count(json_t *o, const char *key, uint64_t value)
{
    put_int(o, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_times(json_t *o, const struct summary_times *t)
{
    put_count(o, "count", t->count);
    put_int(o, "total_ns", t->total);
    put_int(o, "p50_ns", t->p50);
    put_int(o, "p90_ns", t->p90);
    put_int(o, "p99_ns", t->p99);
    put_int(o, "p999_ns", t->p999);
    put_int(o, "max_ns", t->max);
    put(o, "exact", json_boolean(t->exact));
}

static json_t *times(const struct summary_times *t)
{
    json_t *o = json_object();

    put_times(o, t);
    return o;
}

static json_t *rows(const struct summary_rows *rows, const char *key)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rows->n; i++) {
        json_t *o = json_object();

        put(o, key, summary_json_text(rows->list[i].name));
        put_times(o, &rows->list[i].times);
        put_count(o, "open", rows->list[i].open);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *frame(const struct summary_frame *f)
{
    json_t *o = json_object();

    put(o, "func", summary_json_text(f->func));
    put(o, "file", summary_json_text(f->file));
    put_count(o, "line", f->line);
    return o;
}

static json_t *site(const struct summary_site *s)
{
    json_t *o = frame(&s->at), *stack = json_array();

    put_count(o, "count", s->count);
    put_int(o, "total_ns", s->total);
    put_int(o, "max_ns", s->max);
    put_count(o, "stacks", s->n_stacks);
    for (size_t i = 0; i < s->n_top; i++)
        (void)json_array_append_new(stack, frame(&s->top[i]));
    put_int(o, "stack_total_ns", s->top_total);
    put(o, "stack", stack);
    return o;
}

static json_t *sites(const struct summary_sites *sites)
{
    json_t *o = json_object(), *list = json_array();

    put_count(o, "count", sites->count);
    put_int(o, "total_ns", sites->total);
    for (size_t i = 0; i < sites->n; i++)
        (void)json_array_append_new(list, site(&sites->list[i]));
    put(o, "top", list);
    return o;
}

static json_t *all_sites(const struct summary *s)
{
    json_t *o = json_object();

    put(o, "sched", sites(&s->sites[SUMMARY_SCHED]));
    put(o, "sync", sites(&s->sites[SUMMARY_SYNC]));
    put(o, "net", sites(&s->sites[SUMMARY_NET]));
    put(o, "syscall", sites(&s->sites[SUMMARY_SYSCALL]));
    put(o, "cpu", sites(&s->sites[SUMMARY_CPU]));
    return o;
}

static json_t *events(const struct summary *s)
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
    json_t *o = json_object(), *by_kind = json_object(), *by_type = json_object();

    put_count(o, "total", s->events.total);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        put_count(by_kind, kinds[i].name,
                  s->events.by_kind[kinds[i].kinds[0]] +
                      (kinds[i].kinds[1] ? s->events.by_kind[kinds[i].kinds[1]] : 0));
    for (unsigned i = 0; i < 256; i++) {
        if (s->events.by_type[i] > 0)
            put_count(by_type, gotrace_type_name(i), s->events.by_type[i]);
    }
    put(o, "by_kind", by_kind);
    put(o, "by_type", by_type);
    return o;
}

static json_t *proc_list(const struct summary_procs *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++) {
        const struct summary_proc *proc = &p->list[i];
        json_t *o = json_object();

        put_int(o, "p", proc->p);
        put_int(o, "running_ns", proc->running);
        put_int(o, "executing_ns", proc->executing);
        put_int(o, "in_syscall_ns", proc->in_syscall);
        put_int(o, "longest_run_ns", proc->longest_run);
        put_int(o, "longest_syscall_ns", proc->longest_syscall);
        put_count(o, "steals", proc->steals);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *procs(const struct summary *s)
{
    const struct summary_procs *p = &s->procs;
    json_t *o = json_object(), *gomaxprocs = json_object();

    put_int(gomaxprocs, "min", p->min);
    put_int(gomaxprocs, "max", p->max);
    put_int(gomaxprocs, "last", p->last);
    put(gomaxprocs, "mean", json_real(p->mean));
    put_count(gomaxprocs, "changes", p->changes);
    put(o, "gomaxprocs", gomaxprocs);
    put_int(o, "available_ns", p->available);
    put_int(o, "running_ns", p->running);
    put_int(o, "executing_ns", p->executing);
    put_int(o, "in_syscall_ns", p->in_syscall);
    put(o, "running_share", json_real(p->running_share));
    put(o, "executing_share", json_real(p->executing_share));
    put(o, "idle_share", json_real(p->idle_share));
    put(o, "gc_share", json_real(p->gc_share));
    put_int(o, "all_busy_ns", p->all_busy);
    put_int(o, "queued_ns", p->queued);
    put_count(o, "steals", p->steals);
    put(o, "list", proc_list(p));
    put_count(o, "other", p->other);
    return o;
}

static json_t *goroutines(const struct summary_goroutines *g)
{
    json_t *o = json_object(), *states = json_object(), *waits = json_array();

    put_count(o, "at_start", g->at_start);
    put_count(o, "created", g->created);
    put_count(o, "ended", g->ended);
    put_count(o, "at_end", g->at_end);
    put_count(o, "max_alive", g->max_alive);
    put_int(states, "running_ns", g->running);
    put_int(states, "runnable_ns", g->runnable);
    put_int(states, "in_syscall_ns", g->in_syscall);
    put_int(states, "syscall_blocked_ns", g->syscall_blocked);
    put_int(states, "waiting_ns", g->waiting);
    put(o, "states", states);
    for (size_t i = 0; i < g->n_waits; i++) {
        json_t *wait = json_object();

        put(wait, "reason", summary_json_text(g->waits[i].reason));
        put_count(wait, "count", g->waits[i].count);
        put_int(wait, "total_ns", g->waits[i].total);
        put_int(wait, "max_ns", g->waits[i].max);
        (void)json_array_append_new(waits, wait);
    }
    put(o, "waits", waits);
    return o;
}

static json_t *scheduler(const struct summary_scheduler *sched)
{
    json_t *o = json_object();

    put(o, "latency", times(&sched->latency));
    put(o, "runnable_mean", json_real(sched->runnable_mean));
    put_count(o, "runnable_max", sched->runnable_max);
    put_count(o, "overdue_count", sched->overdue_count);
    put_int(o, "overdue_ns", sched->overdue);
    put_int(o, "overdue_with_idle_ns", sched->overdue_with_idle);
    put_int(o, "overdue_with_free_ns", sched->overdue_with_free);
    put_int(o, "overdue_lost_ns", sched->overdue_lost);
    return o;
}

static json_t *longest(const struct summary_longest *l)
{
    json_t *o = frame(&l->at);

    put_int(o, "duration_ns", l->duration);
    put_int(o, "g", l->g);
    put(o, "p", l->p == GOTRACE_NONE ? json_null() : json_integer(l->p));
    put(o, "open", json_boolean(l->open));
    return o;
}

static json_t *syscalls(const struct summary_syscalls *c)
{
    json_t *o = json_object();

    put_count(o, "count", c->count);
    put_count(o, "blocked", c->blocked);
    put(o, "times", times(&c->times));
    put_count(o, "max_at_once", c->max_at_once);
    put_count(o, "max_blocked_at_once", c->max_blocked_at_once);
    put(o, "longest_active",
        c->longest_active.duration > 0 ? longest(&c->longest_active) : json_null());
    put(o, "longest", c->longest.duration > 0 ? longest(&c->longest) : json_null());
    return o;
}

static json_t *utilisation(const struct summary_mmu mmu[3], double mean)
{
    static const char *const names[] = {"mmu_1ms", "mmu_10ms", "mmu_100ms"};
    json_t *o = json_object();

    for (size_t i = 0; i < 3; i++)
        put(o, names[i], mmu[i].utilisation < 0 ? json_null() : json_real(mmu[i].utilisation));
    put(o, "mean", mean < 0 ? json_null() : json_real(mean));
    return o;
}

static json_t *gc(const struct summary_gc *gc)
{
    json_t *o = json_object(), *mark = json_object(), *assist = json_object();
    json_t *sweep = json_object(), *mutator;

    put_count(o, "cycles", gc->cycles);
    put_int(mark, "total_ns", gc->mark);
    put_int(mark, "max_ns", gc->mark_max);
    put_int(mark, "worker_ns", gc->worker);
    put_int(mark, "idle_worker_ns", gc->idle_worker);
    put(o, "mark", mark);
    put(o, "stw", times(&gc->stw));
    put(o, "stw_by_reason", rows(&gc->stw_by_reason, "reason"));
    put_count(assist, "count", gc->assists);
    put_int(assist, "total_ns", gc->assist);
    put_int(assist, "executing_ns", gc->assist_executing);
    put(assist, "share", json_real(gc->assist_share));
    put_int(assist, "max_ns", gc->assist_max);
    put(o, "assist", assist);
    put_count(sweep, "count", gc->sweeps);
    put_count(sweep, "swept_bytes", gc->swept_bytes);
    put_count(sweep, "reclaimed_bytes", gc->reclaimed_bytes);
    put(o, "sweep", sweep);
    mutator = utilisation(gc->mmu, gc->mean_utilisation);
    put(mutator, "exact", json_boolean(gc->mmu_exact));
    put(o, "mutator", mutator);
    put(o, "mutator_as_go", utilisation(gc->go_mmu, gc->go_mean_utilisation));
    put_count(o, "heap_max_bytes", gc->heap_max);
    put_count(o, "heap_goal_max_bytes", gc->heap_goal_max);
    return o;
}

static json_t *error(const struct summary *s)
{
    json_t *o;

    if (s->complete)
        return json_null();
    o = json_object();
    put_int(o, "errno", -s->code);
    put_count(o, "offset", s->offset);
    put(o, "text", summary_json_text(s->why));
    return o;
}

json_t *summary_json(const char *name, const struct summary *s)
{
    json_t *o = json_object();
    char format[16];

    (void)snprintf(format, sizeof(format), "go 1.%u", s->version);
    put_int(o, "schema", SUMMARY_SCHEMA);
    put(o, "file", summary_json_text(name));
    put(o, "format", json_string(format));
    put(o, "complete", json_boolean(s->complete));
    put(o, "error", error(s));
    put_count(o, "bytes", s->bytes);
    put_count(o, "generations", s->generations);
    put(o, "wall_start_ns", s->wall_start ? json_integer(s->wall_start) : json_null());
    put_int(o, "window_ns", s->window);
    put(o, "events", events(s));
    put(o, "procs", procs(s));
    put(o, "goroutines", goroutines(&s->goroutines));
    put(o, "scheduler", scheduler(&s->scheduler));
    put(o, "syscalls", syscalls(&s->syscalls));
    put(o, "longest_run", s->longest_run.duration > 0 ? longest(&s->longest_run) : json_null());
    put(o, "longest_hold", s->longest_hold.duration > 0 ? longest(&s->longest_hold) : json_null());
    put(o, "gc", gc(&s->gc));
    put(o, "threads",
        json_pack("{s:I,s:I}", "seen", (json_int_t)s->threads.seen, "in_first",
                  (json_int_t)s->threads.in_first));
    put(o, "tasks", rows(&s->tasks, "type"));
    put_count(o, "tasks_other", s->tasks.other);
    put(o, "regions", rows(&s->regions, "type"));
    put_count(o, "regions_other", s->regions.other);
    put(o, "sites", all_sites(s));
    put_count(o, "lost_goroutines", s->lost_goroutines);
    put_count(o, "lost_stacks", s->lost_stacks);
    summary_findings_json(o, s);
    return o;
}

int summary_number(const json_t *json, const char *path, double *ret)
{
    char key[64];

    while (json && *path) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(key))
            return -ENOENT;
        memcpy(key, path, n);
        key[n] = '\0';
        json = json_object_get(json, key);
        path += n + (path[n] == '.');
    }
    if (!json_is_number(json) && !json_is_boolean(json))
        return -ENOENT;
    *ret = json_is_boolean(json) ? json_is_true(json) : json_number_value(json);
    return 0;
}
