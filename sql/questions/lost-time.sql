-- What costs goroutines most time? Findings by the time lost to them.
SELECT service, code, count(*) AS findings, round(sum(lost_ns) / 1e9, 3) AS lost_s,
    round(max(score), 3) AS worst_score
FROM findings
WHERE lost_ns > 0
GROUP BY service, code
ORDER BY lost_s DESC, service, code
LIMIT 50
