-- What do slow waits wait for? The longest waits of each trace, by call site.
SELECT service, kind, func, file, line, count(*) AS waits, count(DISTINCT host) AS hosts,
    round(max(duration_ns) / 1e6, 3) AS longest_ms
FROM outliers
WHERE kind IN ('wait-lock', 'wait-call', 'wait-request', 'wait-channel') AND func IS NOT NULL
GROUP BY service, kind, func, file, line
ORDER BY longest_ms DESC, service, kind, func, line
LIMIT 50
