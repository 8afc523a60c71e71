-- Which lines of code cost goroutines most time? Findings by the call site that is worst.
SELECT service, code, func, file, line, count(*) AS findings, count(DISTINCT host) AS hosts,
    round(sum(lost_ns) / 1e9, 3) AS lost_s, min(start) AS first_seen, max(start) AS last_seen
FROM findings
WHERE func IS NOT NULL AND score > 0 AND lost_ns > 0
GROUP BY service, code, func, file, line
ORDER BY lost_s DESC, service, code, func, line
LIMIT 50
