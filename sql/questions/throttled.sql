-- Which pods does their CPU limit stop? The share of their time, and of periods of the quota.
SELECT service, host, count(*) AS traces,
    round(sum(throttled_ns) * 1.0 / nullif(sum(context_window_ns), 0), 4) AS throttled_share,
    round(sum(throttled_periods) * 1.0 / nullif(sum(periods), 0), 4) AS periods_share,
    round(max(cpu_quota_ns * 1.0 / nullif(cpu_period_ns, 0)), 2) AS cpus
FROM traces
WHERE throttled_ns > 0
GROUP BY service, host
ORDER BY throttled_share DESC, service, host
LIMIT 50
