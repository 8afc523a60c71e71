-- What does garbage collection cost? The collector's share of all P time, and how long others stood.
SELECT service, count(*) AS traces, round(avg(gc_share), 4) AS gc_share,
    round(sum(gc_assist_ns) / 1e6, 3) AS assist_ms, round(sum(gc_stw_ns) / 1e6, 3) AS stopped_ms,
    round(sum(gc_cycles) * 1e9 / nullif(sum(window_ns), 0), 3) AS cycles_a_second,
    max(heap_max_bytes) AS heap_max_bytes
FROM traces
WHERE gc_cycles IS NOT NULL
GROUP BY service
ORDER BY gc_share DESC, service
LIMIT 50
