-- Which services and hosts have sent nothing lately? By their last trace.
SELECT service, host, max(start) AS last_trace, count(*) AS traces
FROM traces
GROUP BY service, host
ORDER BY last_trace, service, host
LIMIT 50
