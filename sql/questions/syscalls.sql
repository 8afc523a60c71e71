-- Which system calls take longest, and where?
SELECT service, func, file, line, count(*) AS calls, round(max(duration_ns) / 1e6, 3) AS longest_ms
FROM outliers
WHERE kind = 'syscall' AND func IS NOT NULL AND at_start IS NULL AND open IS NULL
GROUP BY service, func, file, line
ORDER BY longest_ms DESC, service, func, line
LIMIT 50
