-- SPDX-License-Identifier: Apache-2.0
-- Rows as DuckDB reads them where they lie. First say where that is:
--   SET VARIABLE contrace_rows = 's3://BUCKET/PREFIX/.contrace/rows/*/*/*.jsonl.gz';
-- Likewise contrace_since and contrace_until ('2026-11-21T00:00:00Z') and contrace_service ('check*'), if wanted.
-- A row may be there twice, under one id: the one that was written last counts.
CREATE OR REPLACE TEMP VIEW contrace_rows AS
SELECT * REPLACE (CAST(start AS TIMESTAMP) AS start, CAST(written AS TIMESTAMP) AS written),
    CAST(CAST(start AS TIMESTAMP) AS DATE) AS day,
    coalesce(map_extract(labels, 'release')[1], map_extract(labels, 'version')[1],
        map_extract(labels, 'app.kubernetes.io/version')[1], map_extract(labels, 'app_kubernetes_io_version')[1]) AS release
FROM read_json(getvariable('contrace_rows'), format = 'newline_delimited', compression = 'gzip',
    hive_partitioning = false, columns = {
        schema: 'BIGINT', row_kind: 'VARCHAR', id: 'VARCHAR', written: 'VARCHAR', key: 'VARCHAR',
        artifact: 'VARCHAR', service: 'VARCHAR', host: 'VARCHAR', start: 'VARCHAR', job: 'VARCHAR',
        pid: 'BIGINT', go_version: 'VARCHAR', incident: 'VARCHAR', label: 'VARCHAR',
        labels: 'MAP(VARCHAR, VARCHAR)', reason: 'VARCHAR', rule: 'VARCHAR', rule_value: 'DOUBLE',
        rule_threshold: 'DOUBLE', seconds: 'DOUBLE', bytes: 'BIGINT', complete: 'BOOLEAN',
        truncated_by: 'VARCHAR', not_inspected: 'VARCHAR', covered: 'DOUBLE', sha256: 'VARCHAR',
        contraced_version: 'VARCHAR', window_ns: 'BIGINT', events: 'BIGINT', gomaxprocs: 'BIGINT',
        available_ns: 'BIGINT', executing_ns: 'BIGINT', executing_share: 'DOUBLE', idle_share: 'DOUBLE',
        gc_share: 'DOUBLE', goroutines_start: 'BIGINT', goroutines_end: 'BIGINT', goroutines_max: 'BIGINT',
        goroutines_created: 'BIGINT', goroutines_ended: 'BIGINT', running_ns: 'BIGINT',
        runnable_ns: 'BIGINT', waiting_ns: 'BIGINT', growing_func: 'VARCHAR', growing_file: 'VARCHAR',
        growing_line: 'BIGINT', growing_created: 'BIGINT', growing_ended: 'BIGINT', sched_count: 'BIGINT',
        sched_p50_ns: 'BIGINT', sched_p99_ns: 'BIGINT', sched_max_ns: 'BIGINT',
        sched_share_over_1ms: 'DOUBLE', sched_share_over_10ms: 'DOUBLE', runnable_mean: 'DOUBLE',
        runnable_max: 'BIGINT', syscalls: 'BIGINT', syscall_p99_ns: 'BIGINT', syscall_max_ns: 'BIGINT',
        gc_cycles: 'BIGINT', gc_mark_ns: 'BIGINT', gc_worker_ns: 'BIGINT', gc_idle_worker_ns: 'BIGINT',
        gc_assist_ns: 'BIGINT', gc_stw_ns: 'BIGINT', gc_stw_p99_ns: 'BIGINT', gc_stw_max_ns: 'BIGINT',
        heap_max_bytes: 'BIGINT', heap_goal_max_bytes: 'BIGINT', threads_seen: 'BIGINT',
        context_window_ns: 'BIGINT', cpu_usage_ns: 'BIGINT', cpu_quota_ns: 'BIGINT', cpu_period_ns: 'BIGINT',
        periods: 'BIGINT', throttled_periods: 'BIGINT', throttled_ns: 'BIGINT',
        cpu_pressure_some_ns: 'BIGINT', memory_current_bytes: 'BIGINT', memory_max_bytes: 'BIGINT',
        process_threads: 'BIGINT', process_rss_bytes: 'BIGINT', process_open_fds: 'BIGINT',
        process_cpu_ns: 'BIGINT', process_run_wait_ns: 'BIGINT', host_cpus: 'BIGINT', host_load1: 'DOUBLE',
        host_busy_ns: 'BIGINT', host_steal_ns: 'BIGINT', host_cpu_pressure_some_ns: 'BIGINT',
        findings: 'BIGINT', score: 'DOUBLE', rank: 'BIGINT', code: 'VARCHAR', subject: 'VARCHAR',
        func: 'VARCHAR', file: 'VARCHAR', line: 'BIGINT', remark: 'VARCHAR', because: 'VARCHAR',
        lost_ns: 'BIGINT', lost_share: 'DOUBLE', goroutines_first: 'BIGINT', goroutines_last: 'BIGINT',
        samples: 'BIGINT', samples_over_s: 'BIGINT', evidence: 'VARCHAR', kind: 'VARCHAR', at_ns: 'BIGINT',
        duration_ns: 'BIGINT', g: 'BIGINT', type: 'VARCHAR', wait_reason: 'VARCHAR', task: 'BIGINT',
        parent: 'BIGINT', open: 'BOOLEAN', at_start: 'BOOLEAN', trace_id: 'VARCHAR', span_id: 'VARCHAR',
        traceparent: 'VARCHAR', syscall_ns: 'BIGINT', assist_ns: 'BIGINT', standing_ns: 'BIGINT',
        waited_for: 'VARCHAR'
    })
WHERE coalesce(start >= getvariable('contrace_since'), true)
    AND coalesce(start < getvariable('contrace_until'), true)
    AND coalesce(service GLOB getvariable('contrace_service'), true);

CREATE OR REPLACE TEMP VIEW traces AS
SELECT * FROM contrace_rows WHERE row_kind = 'trace'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY written DESC) = 1;

CREATE OR REPLACE TEMP VIEW profiles AS
SELECT * FROM contrace_rows WHERE row_kind = 'profile'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY written DESC) = 1;

CREATE OR REPLACE TEMP VIEW findings AS
SELECT * FROM contrace_rows WHERE row_kind = 'finding'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY written DESC) = 1;

CREATE OR REPLACE TEMP VIEW outliers AS
SELECT * FROM contrace_rows WHERE row_kind = 'outlier'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY written DESC) = 1;
