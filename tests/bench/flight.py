# SPDX-License-Identifier: Apache-2.0
"""What package flight costs the service that has it: throughput, latency and CPU.

Three processes of the same service on net/http (`httpload`): one without the package, one that runs its
recorder, one whose requests go through its middleware, too. Windows of load come in pairs, on the first
and on one of the others, which of them first by turns; meanwhile the rest is idle. A row is the median
of the pairs' ratios, with the quartiles.
"""

import os
import resource
import shutil
import subprocess
import time
import urllib.request

import tracing
from lab import HERE, KIB, MIB, Row, median

KINDS = {"recorder": "the recorder", "middleware": "recorder and middleware"}


def start(load, kind):
    port = tracing.free_port()
    argv = [load, "-serve", f"127.0.0.1:{port}", *(["-flight", kind] if kind else [])]
    return tracing.Service(kind or "plain", argv, f"http://127.0.0.1:{port}/shop",
                           f"127.0.0.1:{port}")  # fmt: skip


def pairs_of(load, plain, other, rate, n):
    pairs = []
    for i in range(n):
        order = [other, plain] if i % 2 else [plain, other]
        seen = {service: tracing.window(load, service, rate) for service in order}
        pairs.append((seen[plain], seen[other]))
    return pairs


def rss(service):
    pages = int(open(f"/proc/{service.process.pid}/statm").read().split()[1])
    return pages * resource.getpagesize()


def recordings(load, service):
    """How long one takes, and how large it is, while the service is as busy as it can be."""
    busy = subprocess.Popen([load, "-url", service.url, "-seconds", "8"], stdout=subprocess.DEVNULL)
    took, sizes = [], []
    time.sleep(3)
    while busy.poll() is None:
        began = time.monotonic()
        with urllib.request.urlopen(f"http://{service.pprof}/debug/flightrecorder") as answer:
            sizes.append(len(answer.read()))
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.5)
    busy.wait()
    return Row(
        "a recording of the busy service",
        "",
        f"{median(took):.0f} ms ({min(took):.0f} to {max(took):.0f}), "
        f"{median(sizes) / MIB:.1f} MiB",
    )


def rows(load, plain, others, n):
    yield Row("load of the machine", "", f"{os.getloadavg()[0]:.1f} before the measurement")
    for other in others:
        what = KINDS[other.name]
        fast = pairs_of(load, plain, other, 0, n)
        yield from tracing.rows_of(f"{what}, busy ({n} pairs)", fast, tracing.MEASURES)
        rate = int(median([w["requests"] / w["seconds"] for w, _ in fast]) / 2)
        half = pairs_of(load, plain, other, rate, n)
        yield from tracing.rows_of(f"{what}, {rate:,} requests a second", half,
                                   ["p50", "p99", "CPU a request"])  # fmt: skip
        yield Row(f"{what}: RSS", "", f"{rss(plain) // KIB} → {rss(other) // KIB} KiB")
    yield recordings(load, others[0])


def measure(lab, options):
    if not shutil.which("go"):
        return [Row("what package flight costs the service", "", "no Go toolchain on the PATH")]
    load = lab.dir / "httpload"
    subprocess.run(
        ["go", "build", "-o", load, "."], cwd=HERE / "httpload", env=tracing.GO, check=True
    )
    services = []
    try:
        for kind in ("", *KINDS):
            services.append(start(load, kind))
            tracing.window(load, services[-1], 0)  # what is made once is there
        return list(rows(load, services[0], services[1:], options.flight_pairs))
    finally:
        for service in services:
            service.close()
