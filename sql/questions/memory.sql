-- Which pods are near their memory limit?
SELECT service, host, count(*) AS traces,
    round(max(memory_current_bytes * 1.0 / memory_max_bytes), 4) AS most_of_limit,
    max(memory_max_bytes) AS limit_bytes, max(heap_goal_max_bytes) AS heap_goal_bytes
FROM traces
WHERE memory_max_bytes > 0
GROUP BY service, host
ORDER BY most_of_limit DESC, service, host
LIMIT 50
