# SPDX-License-Identifier: Apache-2.0
"""Many targets on one daemon: are captures on time, and what does one more target cost?

Due times are not asked of the daemon but computed by its own schedule.c (due.c); the server notes
when each request arrived. Each target has a loopback address, hence a look-up of the process behind
the port, and a service of its own. A target's first capture is not counted: it is spread, not
scheduled. Nothing gets deleted, so that short and long runs compare; soak and cpu have that.
"""

import bisect
import collections
import subprocess
import time

from lab import KIB, Daemon, Row, boot_us, median, quantile

DELAY_MAX = 100  # ms
MEMORY_MAX = 12  # KiB a target
LINEAR_MAX = 1.5  # CPU a capture against that with 100 targets
EARLY = 1500  # µs by which the clocks' readings may differ
JOB, HOST = "bench", "bench"  # as in lab.CONFIG


def now():
    return [time.time_ns() // 1000, boot_us()]


def due_times(lab, addresses, interval, before, after):
    program = lab.build("due", "due.c", "daemon/capture/schedule.c")
    text = subprocess.run(
        [program, JOB, HOST, *map(str, [interval * 1000000, *before, *after, boot_us()])],
        input="\n".join(addresses),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {a: list(map(int, dues)) for a, *dues in map(str.split, text.splitlines())}


def match(arrivals, dues):
    """(delays in ms, due times without a request) of all scheduled captures."""
    by_address, delays, missed = collections.defaultdict(list), [], 0
    for address, at in arrivals:
        by_address[address].append(at)
    for address, due in dues.items():
        scheduled = sorted(by_address[address.split(":")[0]])[1:]
        for at in scheduled:
            delays.append((at - due[bisect.bisect(due, at + EARLY) - 1]) / 1e3)
        if scheduled:
            first = bisect.bisect(due, scheduled[0] + EARLY) - 1
            missed += len([t for t in due[first:] if t < boot_us() - 2000000]) - len(scheduled)
    return delays, max(0, missed)


def run(lab, n, interval, seconds):
    addresses = [f"127.1.{i // 200}.{i % 200 + 1}:{lab.port}" for i in range(n)]
    lab.arrivals()
    before = now()
    with Daemon(lab, addresses, interval=f"{interval}s", concurrent=256, max_files=50000) as d:
        d.wait()
        after = now()
        time.sleep(min(interval, n * 0.1) + 2)  # the first captures
        arrived, cpu, threads = lab.arrivals(), d.cpu(), d.cpu_by_thread()
        time.sleep(seconds)
        cpu, loop = d.cpu() - cpu, d.cpu_by_thread()[0] - threads[0]
        counted = lab.arrivals()
        rss = d.memory()
        problems = [line for line in d.log if "cannot" in line or "dropped" in line]
        delays, missed = match(
            arrived + counted, due_times(lab, addresses, interval, before, after)
        )
    return {
        "n": n,
        "delays": delays,
        "missed": missed,
        "rss": rss,
        "captures": len(counted),
        "problems": problems,
        "cpu": cpu / max(1, len(counted)) * 1e3,
        "loop": loop / max(1, len(counted)) * 1e3,
        "load": cpu / seconds,
        "rate": len(counted) / seconds,
    }


def rows_of(run_, base, reference):
    n, delays = run_["n"], run_["delays"]
    rows = [
        Row.at_most(
            f"{n:,} targets, {run_['rate']:.1f} captures/s: p99 of start − due",
            DELAY_MAX,
            quantile(delays, 0.99),
            "ms",
            1,
            f" (median {median(delays):.1f}, max {max(delays):.1f}, {len(delays)} captures, "
            f"{run_['missed']} missed)",
        ),
        Row(
            "… CPU a capture",
            "linear" if reference else "",
            f"{run_['cpu']:.2f} ms (loop {run_['loop']:.2f}; {run_['load'] * 100:.1f}% of a core)",
            run_["cpu"] <= reference["cpu"] * LINEAR_MAX if reference else None,
        ),
    ]
    if base and n >= 1000:
        rows.append(
            Row.at_most(
                "… RSS a target more",
                MEMORY_MAX,
                (run_["rss"] - base["rss"]) / (n - base["n"]) / KIB,
                "KiB",
                2,
                f" ({run_['rss'] // KIB} KiB in all)",
            )
        )
    for line in run_["problems"][:3]:
        rows.append(Row("… a problem", "none", line, False))
    return rows


def measure(lab, options):
    rows, base, reference = [], None, None
    for n in options.targets:
        interval = 60 if n > 1000 else 10
        result = run(lab, n, interval, max(options.target_seconds, interval))
        rows += rows_of(result, base, reference)
        base = base or result
        if n >= 100:
            reference = reference or result
    return rows
