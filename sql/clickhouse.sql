-- SPDX-License-Identifier: Apache-2.0
-- Rows as ClickHouse reads them where they lie. Replace the URL; keys, a role or NOSIGN as for s3().
-- A row may be there twice, under one id: the one that was written last counts.
CREATE TABLE contrace_rows (
    schema Int64, row_kind String, id String, written String, key String, artifact String, service String,
    host String, start String, job Nullable(String), pid Nullable(Int64), go_version Nullable(String),
    incident Nullable(String), label Nullable(String), labels Map(String, String), reason Nullable(String),
    rule Nullable(String), rule_value Nullable(Float64), rule_threshold Nullable(Float64),
    seconds Nullable(Float64), bytes Nullable(Int64), complete Nullable(Bool), truncated_by Nullable(String),
    not_inspected Nullable(String), covered Nullable(Float64), sha256 Nullable(String),
    contraced_version Nullable(String), window_ns Nullable(Int64), events Nullable(Int64),
    gomaxprocs Nullable(Int64), available_ns Nullable(Int64), executing_ns Nullable(Int64),
    executing_share Nullable(Float64), idle_share Nullable(Float64), gc_share Nullable(Float64),
    goroutines_start Nullable(Int64), goroutines_end Nullable(Int64), goroutines_max Nullable(Int64),
    goroutines_created Nullable(Int64), goroutines_ended Nullable(Int64), running_ns Nullable(Int64),
    runnable_ns Nullable(Int64), waiting_ns Nullable(Int64), growing_func Nullable(String),
    growing_file Nullable(String), growing_line Nullable(Int64), growing_created Nullable(Int64),
    growing_ended Nullable(Int64), sched_count Nullable(Int64), sched_p50_ns Nullable(Int64),
    sched_p99_ns Nullable(Int64), sched_max_ns Nullable(Int64), sched_share_over_1ms Nullable(Float64),
    sched_share_over_10ms Nullable(Float64), runnable_mean Nullable(Float64), runnable_max Nullable(Int64),
    syscalls Nullable(Int64), syscall_p99_ns Nullable(Int64), syscall_max_ns Nullable(Int64),
    gc_cycles Nullable(Int64), gc_mark_ns Nullable(Int64), gc_worker_ns Nullable(Int64),
    gc_idle_worker_ns Nullable(Int64), gc_assist_ns Nullable(Int64), gc_stw_ns Nullable(Int64),
    gc_stw_p99_ns Nullable(Int64), gc_stw_max_ns Nullable(Int64), heap_max_bytes Nullable(Int64),
    heap_goal_max_bytes Nullable(Int64), threads_seen Nullable(Int64), context_window_ns Nullable(Int64),
    cpu_usage_ns Nullable(Int64), cpu_quota_ns Nullable(Int64), cpu_period_ns Nullable(Int64),
    periods Nullable(Int64), throttled_periods Nullable(Int64), throttled_ns Nullable(Int64),
    cpu_pressure_some_ns Nullable(Int64), memory_current_bytes Nullable(Int64),
    memory_max_bytes Nullable(Int64), process_threads Nullable(Int64), process_rss_bytes Nullable(Int64),
    process_open_fds Nullable(Int64), process_cpu_ns Nullable(Int64), process_run_wait_ns Nullable(Int64),
    host_cpus Nullable(Int64), host_load1 Nullable(Float64), host_busy_ns Nullable(Int64),
    host_steal_ns Nullable(Int64), host_cpu_pressure_some_ns Nullable(Int64), findings Nullable(Int64),
    score Nullable(Float64), rank Nullable(Int64), code Nullable(String), subject Nullable(String),
    func Nullable(String), file Nullable(String), line Nullable(Int64), remark Nullable(String),
    because Nullable(String), lost_ns Nullable(Int64), lost_share Nullable(Float64),
    goroutines_first Nullable(Int64), goroutines_last Nullable(Int64), samples Nullable(Int64),
    samples_over_s Nullable(Int64), evidence Nullable(String), kind Nullable(String), at_ns Nullable(Int64),
    duration_ns Nullable(Int64), g Nullable(Int64), type Nullable(String), wait_reason Nullable(String),
    task Nullable(Int64), parent Nullable(Int64), open Nullable(Bool), at_start Nullable(Bool),
    trace_id Nullable(String), span_id Nullable(String), traceparent Nullable(String),
    syscall_ns Nullable(Int64), assist_ns Nullable(Int64), standing_ns Nullable(Int64),
    waited_for Nullable(String)
) ENGINE = S3('https://BUCKET.s3.REGION.amazonaws.com/PREFIX/.contrace/rows/*/*/*.jsonl.gz', 'JSONEachRow', 'gzip');

CREATE OR REPLACE VIEW traces AS
SELECT * REPLACE (parseDateTime64BestEffort(start, 3, 'UTC') AS start, parseDateTime64BestEffort(written, 3, 'UTC') AS written),
    toDate(start) AS day,
    coalesce(nullIf(labels['release'], ''), nullIf(labels['version'], ''),
        nullIf(labels['app.kubernetes.io/version'], ''), nullIf(labels['app_kubernetes_io_version'], '')) AS release
FROM (SELECT * FROM contrace_rows WHERE row_kind = 'trace' ORDER BY written DESC LIMIT 1 BY id);

CREATE OR REPLACE VIEW profiles AS
SELECT * REPLACE (parseDateTime64BestEffort(start, 3, 'UTC') AS start, parseDateTime64BestEffort(written, 3, 'UTC') AS written),
    toDate(start) AS day,
    coalesce(nullIf(labels['release'], ''), nullIf(labels['version'], ''),
        nullIf(labels['app.kubernetes.io/version'], ''), nullIf(labels['app_kubernetes_io_version'], '')) AS release
FROM (SELECT * FROM contrace_rows WHERE row_kind = 'profile' ORDER BY written DESC LIMIT 1 BY id);

CREATE OR REPLACE VIEW findings AS
SELECT * REPLACE (parseDateTime64BestEffort(start, 3, 'UTC') AS start, parseDateTime64BestEffort(written, 3, 'UTC') AS written),
    toDate(start) AS day,
    coalesce(nullIf(labels['release'], ''), nullIf(labels['version'], ''),
        nullIf(labels['app.kubernetes.io/version'], ''), nullIf(labels['app_kubernetes_io_version'], '')) AS release
FROM (SELECT * FROM contrace_rows WHERE row_kind = 'finding' ORDER BY written DESC LIMIT 1 BY id);

CREATE OR REPLACE VIEW outliers AS
SELECT * REPLACE (parseDateTime64BestEffort(start, 3, 'UTC') AS start, parseDateTime64BestEffort(written, 3, 'UTC') AS written),
    toDate(start) AS day,
    coalesce(nullIf(labels['release'], ''), nullIf(labels['version'], ''),
        nullIf(labels['app.kubernetes.io/version'], ''), nullIf(labels['app_kubernetes_io_version'], '')) AS release
FROM (SELECT * FROM contrace_rows WHERE row_kind = 'outlier' ORDER BY written DESC LIMIT 1 BY id);
