-- Where do goroutines leak? Findings of leaks by how much they grew.
SELECT service, host, count(*) AS traces, min(goroutines_first) AS from_goroutines,
    max(goroutines_last) AS to_goroutines,
    max(goroutines_last - goroutines_first) AS growth, min(start) AS first_seen, max(start) AS last_seen
FROM findings
WHERE code = 'goroutine-leak'
GROUP BY service, host
ORDER BY coalesce(max(goroutines_last - goroutines_first), 0) DESC, service, host
LIMIT 50
