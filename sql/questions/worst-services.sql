-- Which services wait longest for a CPU? The worst and the mean p99 of scheduler latency, by day.
SELECT day, service, count(*) AS traces,
    round(max(sched_p99_ns) / 1e6, 3) AS worst_p99_ms,
    round(avg(sched_p99_ns) / 1e6, 3) AS mean_p99_ms
FROM traces
WHERE sched_p99_ns IS NOT NULL
GROUP BY day, service
ORDER BY worst_p99_ms DESC, day, service
LIMIT 50
