# SPDX-License-Identifier: Apache-2.0
"""CPU of a captured MiB beside that of `curl -o`, and memory beside the body's size.

Both fetch the same bodies from the same server in turns, so that what else the machine does hits
both. Counted is everything the process spends in user and system mode, contraced's disk threads
with fsync and deletion included. curl is counted twice: one process a body, as one would use it,
and one process for all bodies of a round, so that its start is out of the comparison.
"""

import hashlib
import os
import signal
import subprocess
import time

from lab import GIB, KIB, MIB, Daemon, Row, median

RATIO_MAX = 1.3
MEMORY_SLACK = 512 * KIB  # what two runs of the same may differ by


def curl_cpu(arguments):
    """Seconds of CPU of one curl process."""
    process = subprocess.Popen(["curl", "-sf", *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status != 0:
        raise SystemExit(f"curl failed: {status}")
    return usage.ru_utime + usage.ru_stime


def fetch(lab, size, count, one_process):
    """Seconds of CPU that curl needs for `count` bodies."""
    files = [str(lab.dir / f"curl-{i}") for i in range(count)]
    jobs = [["-o", f, lab.url(size)] for f in files]
    if one_process:
        jobs = [sum(jobs, [])]
    total = 0
    for job in jobs:
        total += curl_cpu(job)
        if not one_process or job is jobs[-1]:
            for name in job[1::3]:
                os.unlink(name)
    return total


def capture(daemon, count):
    """Seconds of CPU for `count` captures, one after the other: in all, and of the loop."""
    before, threads = daemon.cpu(), daemon.cpu_by_thread()
    for _ in range(count):
        daemon.signal(signal.SIGUSR1)
        daemon.wait()
    time.sleep(0.05)  # the deletion of an old trace is reported to nobody
    after = daemon.cpu_by_thread()
    return daemon.cpu() - before, after[0] - threads[0]


def spread(values):
    return f"{median(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def name_of(size):
    return f"{size // GIB} GiB" if size >= GIB else f"{size // MIB} MiB"


def compare(lab, size, count, rounds):
    """Rows for one size, and contraced's peak RSS."""
    seen = {"contraced": [], "loop": [], "curl": [], "one curl": []}
    per = count * size / MIB / 1e3  # to ms a MiB
    with Daemon(lab, size=size, max_bytes="3GiB", max_files=50) as d:
        d.wait()
        for _ in range(rounds):
            total, loop = capture(d, count)
            seen["contraced"].append(total / per)
            seen["loop"].append(loop / per)
            seen["curl"].append(fetch(lab, size, count, False) / per)
            seen["one curl"].append(fetch(lab, size, count, True) / per)
        peak = d.memory("VmHWM")
    ratio = median(seen["contraced"]) / median(seen["curl"])
    bare = median(seen["contraced"]) / median(seen["one curl"])
    name = name_of(size)
    return [
        Row(f"{name} bodies: contraced, CPU a MiB", "", f"{spread(seen['contraced'])} ms"),
        Row("… of it the event loop's thread", "", f"{spread(seen['loop'])} ms"),
        Row("… `curl -o`", "", f"{spread(seen['curl'])} ms"),
        Row("… `curl -o`, one process for all", "", f"{spread(seen['one curl'])} ms"),
        Row("… **contraced : `curl -o`**", f"≤ {RATIO_MAX}", f"{ratio:.2f}", ratio <= RATIO_MAX),
        Row("… contraced : `curl -o` without its start", "", f"{bare:.2f}"),
    ], peak


def hash_row():
    """SHA-256 is what contraced does and curl does not."""
    data = bytes(64 * KIB)
    started, rounds = time.process_time(), 2000
    digest = hashlib.sha256()
    for _ in range(rounds):
        digest.update(data)
    each = (time.process_time() - started) * 1e3 * MIB / (rounds * len(data))
    return Row("SHA-256 alone (OpenSSL), CPU a MiB", "", f"{each:.3f} ms")


def measure(lab, options):
    rows, peaks = [hash_row()], {}
    for size, count in (
        (MIB, options.cpu_small),
        (16 * MIB, options.cpu_medium),
        (GIB, options.cpu_large),
    ):
        more, peaks[size] = compare(lab, size, count, options.cpu_rounds)
        rows += more
    lab.arrivals()
    rows.append(
        Row(
            "peak RSS with 1 MiB bodies → 1 GiB",
            "the same",
            f"{peaks[MIB] / MIB:.2f} → {peaks[GIB] / MIB:.2f} MiB",
            peaks[GIB] <= peaks[MIB] + MEMORY_SLACK,
        )
    )
    return rows
