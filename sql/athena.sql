-- SPDX-License-Identifier: Apache-2.0
-- Rows as Athena (Trino) reads them where they lie; run each statement by itself. Replace BUCKET and PREFIX.
-- Days are found by themselves; services by the first statement again, or MSCK REPAIR TABLE contrace_rows.
-- A row may be there twice, under one id: the one that was written last counts.
CREATE EXTERNAL TABLE contrace_rows (
    `schema` bigint, `row_kind` string, `id` string, `written` string, `key` string, `artifact` string,
    `host` string, `start` string, `job` string, `pid` bigint, `go_version` string, `incident` string,
    `label` string, `labels` map<string,string>, `reason` string, `rule` string, `rule_value` double,
    `rule_threshold` double, `seconds` double, `bytes` bigint, `complete` boolean, `truncated_by` string,
    `not_inspected` string, `covered` double, `sha256` string, `contraced_version` string,
    `window_ns` bigint, `events` bigint, `gomaxprocs` bigint, `available_ns` bigint, `executing_ns` bigint,
    `executing_share` double, `idle_share` double, `gc_share` double, `goroutines_start` bigint,
    `goroutines_end` bigint, `goroutines_max` bigint, `goroutines_created` bigint, `goroutines_ended` bigint,
    `running_ns` bigint, `runnable_ns` bigint, `waiting_ns` bigint, `growing_func` string,
    `growing_file` string, `growing_line` bigint, `growing_created` bigint, `growing_ended` bigint,
    `sched_count` bigint, `sched_p50_ns` bigint, `sched_p99_ns` bigint, `sched_max_ns` bigint,
    `sched_share_over_1ms` double, `sched_share_over_10ms` double, `runnable_mean` double,
    `runnable_max` bigint, `syscalls` bigint, `syscall_p99_ns` bigint, `syscall_max_ns` bigint,
    `gc_cycles` bigint, `gc_mark_ns` bigint, `gc_worker_ns` bigint, `gc_idle_worker_ns` bigint,
    `gc_assist_ns` bigint, `gc_stw_ns` bigint, `gc_stw_p99_ns` bigint, `gc_stw_max_ns` bigint,
    `heap_max_bytes` bigint, `heap_goal_max_bytes` bigint, `threads_seen` bigint, `context_window_ns` bigint,
    `cpu_usage_ns` bigint, `cpu_quota_ns` bigint, `cpu_period_ns` bigint, `periods` bigint,
    `throttled_periods` bigint, `throttled_ns` bigint, `cpu_pressure_some_ns` bigint,
    `memory_current_bytes` bigint, `memory_max_bytes` bigint, `process_threads` bigint,
    `process_rss_bytes` bigint, `process_open_fds` bigint, `process_cpu_ns` bigint,
    `process_run_wait_ns` bigint, `host_cpus` bigint, `host_load1` double, `host_busy_ns` bigint,
    `host_steal_ns` bigint, `host_cpu_pressure_some_ns` bigint, `findings` bigint, `score` double,
    `rank` bigint, `code` string, `subject` string, `func` string, `file` string, `line` bigint,
    `remark` string, `because` string, `lost_ns` bigint, `lost_share` double, `goroutines_first` bigint,
    `goroutines_last` bigint, `samples` bigint, `samples_over_s` bigint, `evidence` string, `kind` string,
    `at_ns` bigint, `duration_ns` bigint, `g` bigint, `type` string, `wait_reason` string, `task` bigint,
    `parent` bigint, `open` boolean, `at_start` boolean, `trace_id` string, `span_id` string,
    `traceparent` string, `syscall_ns` bigint, `assist_ns` bigint, `standing_ns` bigint, `waited_for` string
)
PARTITIONED BY (`dt` string, `service` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://BUCKET/PREFIX/.contrace/rows/';

MSCK REPAIR TABLE contrace_rows;

CREATE OR REPLACE VIEW traces AS
SELECT
    schema, row_kind, id, key, artifact, service, host, job, pid, go_version, incident, label, labels,
    reason, rule, rule_value, rule_threshold, seconds, bytes, complete, truncated_by, not_inspected, covered,
    sha256, contraced_version, window_ns, events, gomaxprocs, available_ns, executing_ns, executing_share,
    idle_share, gc_share, goroutines_start, goroutines_end, goroutines_max, goroutines_created,
    goroutines_ended, running_ns, runnable_ns, waiting_ns, growing_func, growing_file, growing_line,
    growing_created, growing_ended, sched_count, sched_p50_ns, sched_p99_ns, sched_max_ns,
    sched_share_over_1ms, sched_share_over_10ms, runnable_mean, runnable_max, syscalls, syscall_p99_ns,
    syscall_max_ns, gc_cycles, gc_mark_ns, gc_worker_ns, gc_idle_worker_ns, gc_assist_ns, gc_stw_ns,
    gc_stw_p99_ns, gc_stw_max_ns, heap_max_bytes, heap_goal_max_bytes, threads_seen, context_window_ns,
    cpu_usage_ns, cpu_quota_ns, cpu_period_ns, periods, throttled_periods, throttled_ns,
    cpu_pressure_some_ns, memory_current_bytes, memory_max_bytes, process_threads, process_rss_bytes,
    process_open_fds, process_cpu_ns, process_run_wait_ns, host_cpus, host_load1, host_busy_ns,
    host_steal_ns, host_cpu_pressure_some_ns, findings, score, rank, code, subject, func, file, line, remark,
    because, lost_ns, lost_share, goroutines_first, goroutines_last, samples, samples_over_s, evidence, kind,
    at_ns, duration_ns, g, type, wait_reason, task, parent, open, at_start, trace_id, span_id, traceparent,
    syscall_ns, assist_ns, standing_ns, waited_for,
    CAST(from_iso8601_timestamp(start) AT TIME ZONE 'UTC' AS timestamp) AS start,
    CAST(from_iso8601_timestamp(written) AT TIME ZONE 'UTC' AS timestamp) AS written,
    CAST(dt AS date) AS day, dt,
    coalesce(element_at(labels, 'release'), element_at(labels, 'version'),
        element_at(labels, 'app.kubernetes.io/version'), element_at(labels, 'app_kubernetes_io_version')) AS release
FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY written DESC) AS copy
    FROM contrace_rows WHERE row_kind = 'trace'
) WHERE copy = 1;

CREATE OR REPLACE VIEW profiles AS
SELECT
    schema, row_kind, id, key, artifact, service, host, job, pid, go_version, incident, label, labels,
    reason, rule, rule_value, rule_threshold, seconds, bytes, complete, truncated_by, not_inspected, covered,
    sha256, contraced_version, window_ns, events, gomaxprocs, available_ns, executing_ns, executing_share,
    idle_share, gc_share, goroutines_start, goroutines_end, goroutines_max, goroutines_created,
    goroutines_ended, running_ns, runnable_ns, waiting_ns, growing_func, growing_file, growing_line,
    growing_created, growing_ended, sched_count, sched_p50_ns, sched_p99_ns, sched_max_ns,
    sched_share_over_1ms, sched_share_over_10ms, runnable_mean, runnable_max, syscalls, syscall_p99_ns,
    syscall_max_ns, gc_cycles, gc_mark_ns, gc_worker_ns, gc_idle_worker_ns, gc_assist_ns, gc_stw_ns,
    gc_stw_p99_ns, gc_stw_max_ns, heap_max_bytes, heap_goal_max_bytes, threads_seen, context_window_ns,
    cpu_usage_ns, cpu_quota_ns, cpu_period_ns, periods, throttled_periods, throttled_ns,
    cpu_pressure_some_ns, memory_current_bytes, memory_max_bytes, process_threads, process_rss_bytes,
    process_open_fds, process_cpu_ns, process_run_wait_ns, host_cpus, host_load1, host_busy_ns,
    host_steal_ns, host_cpu_pressure_some_ns, findings, score, rank, code, subject, func, file, line, remark,
    because, lost_ns, lost_share, goroutines_first, goroutines_last, samples, samples_over_s, evidence, kind,
    at_ns, duration_ns, g, type, wait_reason, task, parent, open, at_start, trace_id, span_id, traceparent,
    syscall_ns, assist_ns, standing_ns, waited_for,
    CAST(from_iso8601_timestamp(start) AT TIME ZONE 'UTC' AS timestamp) AS start,
    CAST(from_iso8601_timestamp(written) AT TIME ZONE 'UTC' AS timestamp) AS written,
    CAST(dt AS date) AS day, dt,
    coalesce(element_at(labels, 'release'), element_at(labels, 'version'),
        element_at(labels, 'app.kubernetes.io/version'), element_at(labels, 'app_kubernetes_io_version')) AS release
FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY written DESC) AS copy
    FROM contrace_rows WHERE row_kind = 'profile'
) WHERE copy = 1;

CREATE OR REPLACE VIEW findings AS
SELECT
    schema, row_kind, id, key, artifact, service, host, job, pid, go_version, incident, label, labels,
    reason, rule, rule_value, rule_threshold, seconds, bytes, complete, truncated_by, not_inspected, covered,
    sha256, contraced_version, window_ns, events, gomaxprocs, available_ns, executing_ns, executing_share,
    idle_share, gc_share, goroutines_start, goroutines_end, goroutines_max, goroutines_created,
    goroutines_ended, running_ns, runnable_ns, waiting_ns, growing_func, growing_file, growing_line,
    growing_created, growing_ended, sched_count, sched_p50_ns, sched_p99_ns, sched_max_ns,
    sched_share_over_1ms, sched_share_over_10ms, runnable_mean, runnable_max, syscalls, syscall_p99_ns,
    syscall_max_ns, gc_cycles, gc_mark_ns, gc_worker_ns, gc_idle_worker_ns, gc_assist_ns, gc_stw_ns,
    gc_stw_p99_ns, gc_stw_max_ns, heap_max_bytes, heap_goal_max_bytes, threads_seen, context_window_ns,
    cpu_usage_ns, cpu_quota_ns, cpu_period_ns, periods, throttled_periods, throttled_ns,
    cpu_pressure_some_ns, memory_current_bytes, memory_max_bytes, process_threads, process_rss_bytes,
    process_open_fds, process_cpu_ns, process_run_wait_ns, host_cpus, host_load1, host_busy_ns,
    host_steal_ns, host_cpu_pressure_some_ns, findings, score, rank, code, subject, func, file, line, remark,
    because, lost_ns, lost_share, goroutines_first, goroutines_last, samples, samples_over_s, evidence, kind,
    at_ns, duration_ns, g, type, wait_reason, task, parent, open, at_start, trace_id, span_id, traceparent,
    syscall_ns, assist_ns, standing_ns, waited_for,
    CAST(from_iso8601_timestamp(start) AT TIME ZONE 'UTC' AS timestamp) AS start,
    CAST(from_iso8601_timestamp(written) AT TIME ZONE 'UTC' AS timestamp) AS written,
    CAST(dt AS date) AS day, dt,
    coalesce(element_at(labels, 'release'), element_at(labels, 'version'),
        element_at(labels, 'app.kubernetes.io/version'), element_at(labels, 'app_kubernetes_io_version')) AS release
FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY written DESC) AS copy
    FROM contrace_rows WHERE row_kind = 'finding'
) WHERE copy = 1;

CREATE OR REPLACE VIEW outliers AS
SELECT
    schema, row_kind, id, key, artifact, service, host, job, pid, go_version, incident, label, labels,
    reason, rule, rule_value, rule_threshold, seconds, bytes, complete, truncated_by, not_inspected, covered,
    sha256, contraced_version, window_ns, events, gomaxprocs, available_ns, executing_ns, executing_share,
    idle_share, gc_share, goroutines_start, goroutines_end, goroutines_max, goroutines_created,
    goroutines_ended, running_ns, runnable_ns, waiting_ns, growing_func, growing_file, growing_line,
    growing_created, growing_ended, sched_count, sched_p50_ns, sched_p99_ns, sched_max_ns,
    sched_share_over_1ms, sched_share_over_10ms, runnable_mean, runnable_max, syscalls, syscall_p99_ns,
    syscall_max_ns, gc_cycles, gc_mark_ns, gc_worker_ns, gc_idle_worker_ns, gc_assist_ns, gc_stw_ns,
    gc_stw_p99_ns, gc_stw_max_ns, heap_max_bytes, heap_goal_max_bytes, threads_seen, context_window_ns,
    cpu_usage_ns, cpu_quota_ns, cpu_period_ns, periods, throttled_periods, throttled_ns,
    cpu_pressure_some_ns, memory_current_bytes, memory_max_bytes, process_threads, process_rss_bytes,
    process_open_fds, process_cpu_ns, process_run_wait_ns, host_cpus, host_load1, host_busy_ns,
    host_steal_ns, host_cpu_pressure_some_ns, findings, score, rank, code, subject, func, file, line, remark,
    because, lost_ns, lost_share, goroutines_first, goroutines_last, samples, samples_over_s, evidence, kind,
    at_ns, duration_ns, g, type, wait_reason, task, parent, open, at_start, trace_id, span_id, traceparent,
    syscall_ns, assist_ns, standing_ns, waited_for,
    CAST(from_iso8601_timestamp(start) AT TIME ZONE 'UTC' AS timestamp) AS start,
    CAST(from_iso8601_timestamp(written) AT TIME ZONE 'UTC' AS timestamp) AS written,
    CAST(dt AS date) AS day, dt,
    coalesce(element_at(labels, 'release'), element_at(labels, 'version'),
        element_at(labels, 'app.kubernetes.io/version'), element_at(labels, 'app_kubernetes_io_version')) AS release
FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY written DESC) AS copy
    FROM contrace_rows WHERE row_kind = 'outlier'
) WHERE copy = 1;
