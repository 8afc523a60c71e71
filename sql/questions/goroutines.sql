-- Which services have ever more goroutines? Each host's first and last trace.
WITH placed AS (
    SELECT service, host, pid, start, goroutines_end,
        row_number() OVER (PARTITION BY service, host, pid ORDER BY start, key) AS from_first,
        row_number() OVER (PARTITION BY service, host, pid ORDER BY start DESC, key DESC) AS from_last
    FROM traces
    WHERE goroutines_end IS NOT NULL AND pid IS NOT NULL
)
SELECT service, host, pid,
    max(CASE WHEN from_first = 1 THEN goroutines_end END) AS at_first,
    max(CASE WHEN from_last = 1 THEN goroutines_end END) AS at_last,
    max(CASE WHEN from_last = 1 THEN goroutines_end END)
        - max(CASE WHEN from_first = 1 THEN goroutines_end END) AS growth
FROM placed
GROUP BY service, host, pid
HAVING max(CASE WHEN from_last = 1 THEN goroutines_end END)
    > max(CASE WHEN from_first = 1 THEN goroutines_end END)
ORDER BY growth DESC, service, host, pid
LIMIT 50
