-- When did a collection stop a service longest?
SELECT service, host, start, key, round(gc_stw_max_ns / 1e6, 3) AS stopped_ms, gc_cycles
FROM traces
WHERE gc_stw_max_ns > 0
ORDER BY gc_stw_max_ns DESC, key
LIMIT 20
