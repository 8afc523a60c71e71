-- What were the slowest tasks doing? The shares of their time, by type.
SELECT service, type, count(*) AS tasks,
    round(sum(running_ns) * 1.0 / nullif(sum(duration_ns), 0), 4) AS running,
    round(sum(runnable_ns) * 1.0 / nullif(sum(duration_ns), 0), 4) AS runnable,
    round(sum(syscall_ns) * 1.0 / nullif(sum(duration_ns), 0), 4) AS in_syscalls,
    round(sum(waiting_ns) * 1.0 / nullif(sum(duration_ns), 0), 4) AS waiting
FROM outliers
WHERE kind = 'task' AND waiting_ns IS NOT NULL
GROUP BY service, type
ORDER BY tasks DESC, service, type
LIMIT 50
