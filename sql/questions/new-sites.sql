-- Where is something slow that was not before? Call sites of outliers, the newest first.
SELECT service, kind, func, file, line, min(start) AS first_seen, count(*) AS times,
    round(max(duration_ns) / 1e6, 3) AS longest_ms
FROM outliers
WHERE func IS NOT NULL
GROUP BY service, kind, func, file, line
ORDER BY first_seen DESC, service, kind, func, line
LIMIT 50
