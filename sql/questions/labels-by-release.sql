-- Did a release change what is wrong? Traces by release and label.
SELECT service, release, label, count(*) AS traces, min(start) AS first_seen
FROM traces
WHERE label IS NOT NULL AND release IS NOT NULL
GROUP BY service, release, label
ORDER BY service, release, traces DESC, label
