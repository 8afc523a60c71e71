-- Which machines keep services waiting? Steal, pressure and load, by host.
SELECT host, count(*) AS traces, count(DISTINCT service) AS services,
    round(sum(host_steal_ns) * 1.0 / nullif(sum(context_window_ns * host_cpus), 0), 4) AS steal_share,
    round(sum(host_cpu_pressure_some_ns) * 1.0 / nullif(sum(context_window_ns), 0), 4) AS pressure_share,
    round(max(host_load1 / nullif(host_cpus, 0)), 2) AS worst_load_a_cpu
FROM traces
WHERE host_cpus > 0
GROUP BY host
ORDER BY pressure_share DESC, steal_share DESC, host
LIMIT 50
