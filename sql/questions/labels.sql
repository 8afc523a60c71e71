-- What is wrong with which service? Traces by label, and their share of the service's traces.
SELECT t.service, t.label, count(*) AS traces, round(count(*) * 1.0 / max(s.traces), 4) AS share
FROM traces t
JOIN (SELECT service, count(*) AS traces FROM traces WHERE label IS NOT NULL GROUP BY service) s
    ON s.service = t.service
WHERE t.label IS NOT NULL
GROUP BY t.service, t.label
ORDER BY t.service, traces DESC, t.label
