-- What did the last deployment change? Each service's last release beside the one before.
WITH releases AS (
    SELECT service, release, min(start) AS began, count(*) AS traces,
        avg(sched_p99_ns) / 1e6 AS p99_ms, avg(gc_share) AS gc, avg(goroutines_end) AS goroutines
    FROM traces
    WHERE release IS NOT NULL
    GROUP BY service, release
), aged AS (
    SELECT service, release, began, traces, p99_ms, gc, goroutines,
        row_number() OVER (PARTITION BY service ORDER BY began DESC, release) AS age
    FROM releases
)
SELECT a.service AS service, b.release AS release_before, a.release AS release_after, a.began AS since,
    b.traces AS traces_before, a.traces AS traces_after,
    round(b.p99_ms, 3) AS p99_ms_before, round(a.p99_ms, 3) AS p99_ms_after,
    round(b.gc, 4) AS gc_before, round(a.gc, 4) AS gc_after,
    round(b.goroutines, 1) AS goroutines_before, round(a.goroutines, 1) AS goroutines_after
FROM aged a
JOIN aged b ON b.service = a.service
WHERE a.age = 1 AND b.age = 2
ORDER BY service
