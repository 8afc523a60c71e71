-- Which task types are slowest? The slowest tasks of each trace, by type.
SELECT service, type, count(*) AS tasks, round(max(duration_ns) / 1e6, 3) AS longest_ms,
    round(avg(duration_ns) / 1e6, 3) AS mean_ms
FROM outliers
WHERE kind = 'task'
GROUP BY service, type
ORDER BY longest_ms DESC, service, type
LIMIT 50
