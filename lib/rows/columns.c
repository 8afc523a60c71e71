/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rows/columns.h"

#include <string.h>

#define TEXT_MAX 1000 /* bytes; a longer text is left out */
#define MEMBER_SIZE 64

const struct column columns_record[] = {
    {"job", "job", COLUMN_TEXT},
    {"pid", "pid", COLUMN_COUNT},
    {"go_version", "go_version", COLUMN_TEXT},
    {"incident", "incident", COLUMN_TEXT},
    {"label", "label", COLUMN_TEXT},
    {NULL, NULL, COLUMN_TEXT},
};

#define CPU "context.cgroup.cpu."
#define MEMORY "context.cgroup.memory."
#define PROCESS "context.process."
#define HOST "context.host."
#define SUMMARY "summary."

const struct column columns_trace[] = {
    {"reason", "reason", COLUMN_TEXT},
    {"rule", "trigger.rule", COLUMN_TEXT},
    {"rule_value", "trigger.value", COLUMN_REAL},
    {"rule_threshold", "trigger.threshold", COLUMN_REAL},
    {"seconds", "seconds", COLUMN_REAL},
    {"bytes", "bytes", COLUMN_COUNT},
    {"complete", "complete", COLUMN_FLAG},
    {"truncated_by", "truncated.by", COLUMN_TEXT},
    {"not_inspected", "not_inspected", COLUMN_TEXT},
    {"covered", "covered", COLUMN_REAL},
    {"sha256", "sha256", COLUMN_TEXT},
    {"contraced_version", "contraced_version", COLUMN_TEXT},
    {"window_ns", SUMMARY "window_ns", COLUMN_COUNT},
    {"events", SUMMARY "events.total", COLUMN_COUNT},
    {"gomaxprocs", SUMMARY "procs.gomaxprocs.last", COLUMN_COUNT},
    {"available_ns", SUMMARY "procs.available_ns", COLUMN_COUNT},
    {"executing_ns", SUMMARY "procs.executing_ns", COLUMN_COUNT},
    {"executing_share", SUMMARY "procs.executing_share", COLUMN_REAL},
    {"idle_share", SUMMARY "procs.idle_share", COLUMN_REAL},
    {"gc_share", SUMMARY "procs.gc_share", COLUMN_REAL},
    {"goroutines_start", SUMMARY "goroutines.at_start", COLUMN_COUNT},
    {"goroutines_end", SUMMARY "goroutines.at_end", COLUMN_COUNT},
    {"goroutines_max", SUMMARY "goroutines.max_alive", COLUMN_COUNT},
    {"goroutines_created", SUMMARY "goroutines.created", COLUMN_COUNT},
    {"goroutines_ended", SUMMARY "goroutines.ended", COLUMN_COUNT},
    {"running_ns", SUMMARY "goroutines.states.running_ns", COLUMN_COUNT},
    {"runnable_ns", SUMMARY "goroutines.states.runnable_ns", COLUMN_COUNT},
    {"waiting_ns", SUMMARY "goroutines.states.waiting_ns", COLUMN_COUNT},
    {"growing_func", SUMMARY "goroutines.growing.func", COLUMN_TEXT},
    {"growing_file", SUMMARY "goroutines.growing.file", COLUMN_TEXT},
    {"growing_line", SUMMARY "goroutines.growing.line", COLUMN_COUNT},
    {"growing_created", SUMMARY "goroutines.growing.created", COLUMN_COUNT},
    {"growing_ended", SUMMARY "goroutines.growing.ended", COLUMN_COUNT},
    {"sched_count", SUMMARY "scheduler.latency.count", COLUMN_COUNT},
    {"sched_p50_ns", SUMMARY "scheduler.latency.p50_ns", COLUMN_COUNT},
    {"sched_p99_ns", SUMMARY "scheduler.latency.p99_ns", COLUMN_COUNT},
    {"sched_max_ns", SUMMARY "scheduler.latency.max_ns", COLUMN_COUNT},
    {"sched_share_over_1ms", SUMMARY "scheduler.share_over_1ms", COLUMN_REAL},
    {"sched_share_over_10ms", SUMMARY "scheduler.share_over_10ms", COLUMN_REAL},
    {"runnable_mean", SUMMARY "scheduler.runnable_mean", COLUMN_REAL},
    {"runnable_max", SUMMARY "scheduler.runnable_max", COLUMN_COUNT},
    {"syscalls", SUMMARY "syscalls.count", COLUMN_COUNT},
    {"syscall_p99_ns", SUMMARY "syscalls.times.p99_ns", COLUMN_COUNT},
    {"syscall_max_ns", SUMMARY "syscalls.times.max_ns", COLUMN_COUNT},
    {"gc_cycles", SUMMARY "gc.cycles", COLUMN_COUNT},
    {"gc_mark_ns", SUMMARY "gc.mark.total_ns", COLUMN_COUNT},
    {"gc_worker_ns", SUMMARY "gc.mark.worker_ns", COLUMN_COUNT},
    {"gc_idle_worker_ns", SUMMARY "gc.mark.idle_worker_ns", COLUMN_COUNT},
    {"gc_assist_ns", SUMMARY "gc.assist.total_ns", COLUMN_COUNT},
    {"gc_stw_ns", SUMMARY "gc.stw.total_ns", COLUMN_COUNT},
    {"gc_stw_p99_ns", SUMMARY "gc.stw.p99_ns", COLUMN_COUNT},
    {"gc_stw_max_ns", SUMMARY "gc.stw.max_ns", COLUMN_COUNT},
    {"heap_max_bytes", SUMMARY "gc.heap_max_bytes", COLUMN_COUNT},
    {"heap_goal_max_bytes", SUMMARY "gc.heap_goal_max_bytes", COLUMN_COUNT},
    {"threads_seen", SUMMARY "threads.seen", COLUMN_COUNT},
    {"context_window_ns", "context.window_ns", COLUMN_COUNT},
    {"cpu_usage_ns", CPU "usage_ns", COLUMN_COUNT},
    {"cpu_quota_ns", CPU "quota_ns", COLUMN_COUNT},
    {"cpu_period_ns", CPU "period_ns", COLUMN_COUNT},
    {"periods", CPU "nr_periods", COLUMN_COUNT},
    {"throttled_periods", CPU "nr_throttled", COLUMN_COUNT},
    {"throttled_ns", CPU "throttled_ns", COLUMN_COUNT},
    {"cpu_pressure_some_ns", CPU "pressure_some_ns", COLUMN_COUNT},
    {"memory_current_bytes", MEMORY "current_bytes", COLUMN_COUNT},
    {"memory_max_bytes", MEMORY "max_bytes", COLUMN_COUNT},
    {"process_threads", PROCESS "threads", COLUMN_COUNT},
    {"process_rss_bytes", PROCESS "rss_bytes", COLUMN_COUNT},
    {"process_open_fds", PROCESS "open_fds", COLUMN_COUNT},
    {"process_cpu_ns", PROCESS "cpu_ns", COLUMN_COUNT},
    {"process_run_wait_ns", PROCESS "run_wait_ns", COLUMN_COUNT},
    {"host_cpus", HOST "cpus", COLUMN_COUNT},
    {"host_load1", HOST "load1", COLUMN_REAL},
    {"host_busy_ns", HOST "busy_ns", COLUMN_COUNT},
    {"host_steal_ns", HOST "steal_ns", COLUMN_COUNT},
    {"host_cpu_pressure_some_ns", HOST "cpu.pressure_some_ns", COLUMN_COUNT},
    {NULL, NULL, COLUMN_TEXT},
};

const struct column columns_finding[] = {
    {"code", "code", COLUMN_TEXT},
    {"score", "score", COLUMN_REAL},
    {"subject", "subject", COLUMN_TEXT},
    {"func", "site.func", COLUMN_TEXT},
    {"file", "site.file", COLUMN_TEXT},
    {"line", "site.line", COLUMN_COUNT},
    {"remark", "remark", COLUMN_TEXT},
    {"because", "because", COLUMN_TEXT},
    {"lost_ns", "lost_ns", COLUMN_COUNT},
    {"lost_share", "lost_share", COLUMN_REAL},
    {"goroutines_first", "evidence.goroutines_first", COLUMN_COUNT},
    {"goroutines_last", "evidence.goroutines_last", COLUMN_COUNT},
    {"samples", "evidence.samples", COLUMN_COUNT},
    {"samples_over_s", "evidence.samples_over_s", COLUMN_COUNT},
    {NULL, NULL, COLUMN_TEXT},
};

const struct column columns_outlier[] = {
    {"at_ns", "at_ns", COLUMN_COUNT},
    {"duration_ns", "duration_ns", COLUMN_COUNT},
    {"g", "g", COLUMN_COUNT},
    {"type", "type", COLUMN_TEXT},
    {"wait_reason", "reason", COLUMN_TEXT},
    {"func", "func", COLUMN_TEXT},
    {"file", "file", COLUMN_TEXT},
    {"line", "line", COLUMN_COUNT},
    {"task", "task", COLUMN_COUNT},
    {"parent", "parent", COLUMN_COUNT},
    {"open", "open", COLUMN_FLAG},
    {"at_start", "at_start", COLUMN_FLAG},
    {"trace_id", "ids.trace_id", COLUMN_TEXT},
    {"span_id", "ids.span_id", COLUMN_TEXT},
    {"traceparent", "ids.traceparent", COLUMN_TEXT},
    {"running_ns", "work.running_ns", COLUMN_COUNT},
    {"runnable_ns", "work.runnable_ns", COLUMN_COUNT},
    {"syscall_ns", "work.syscall_ns", COLUMN_COUNT},
    {"assist_ns", "work.assist_ns", COLUMN_COUNT},
    {"standing_ns", "work.standing_ns", COLUMN_COUNT},
    {NULL, NULL, COLUMN_TEXT},
};

const json_t *columns_at(const json_t *from, const char *path)
{
    char member[MEMBER_SIZE];

    while (from && *path) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(member))
            return NULL;
        memcpy(member, path, n);
        member[n] = '\0';
        from = json_object_get(from, member);
        path += n + (path[n] == '.');
    }
    return from;
}

static void write_one(struct jsonwriter *w, const struct column *c, const json_t *value)
{
    switch (c->type) {
    case COLUMN_TEXT:
        if (json_string_length(value) > 0 && json_string_length(value) <= TEXT_MAX)
            jsonwriter_text(w, c->name, json_string_value(value));
        break;
    case COLUMN_COUNT:
        if (json_is_integer(value) && json_integer_value(value) >= 0)
            jsonwriter_integer(w, c->name, json_integer_value(value));
        break;
    case COLUMN_REAL:
        if (json_is_number(value))
            jsonwriter_real(w, c->name, json_number_value(value));
        break;
    case COLUMN_FLAG:
        if (json_is_boolean(value))
            jsonwriter_bool(w, c->name, json_is_true(value));
        break;
    }
}

void columns_write(struct jsonwriter *w, const struct column *columns, const json_t *from)
{
    for (const struct column *c = columns; c->name; c++) {
        const json_t *value = columns_at(from, c->path);

        if (value)
            write_one(w, c, value);
    }
}
