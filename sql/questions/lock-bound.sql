-- Which services are lock-bound, and since when?
SELECT service, count(*) AS findings, count(DISTINCT host) AS hosts,
    round(max(score), 3) AS worst_score, round(sum(lost_ns) / 1e9, 3) AS lost_s,
    min(start) AS first_seen, max(start) AS last_seen
FROM findings
WHERE code = 'lock-contention' AND score > 0
GROUP BY service
ORDER BY lost_s DESC, service
