-- Which captures are cut, or have no label, and why?
SELECT service, not_inspected, truncated_by, count(*) AS traces, max(start) AS last_trace
FROM traces
WHERE not_inspected IS NOT NULL OR truncated_by IS NOT NULL
GROUP BY service, not_inspected, truncated_by
ORDER BY traces DESC, service, not_inspected, truncated_by
