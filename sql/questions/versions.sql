-- Which Go versions and releases run where?
SELECT service, go_version, release, count(DISTINCT host) AS hosts, count(*) AS traces,
    max(start) AS last_trace
FROM traces
GROUP BY service, go_version, release
ORDER BY service, last_trace DESC, go_version
