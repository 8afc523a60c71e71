# SPDX-License-Identifier: Apache-2.0
"""`contrace summary --json` beside a Go program that does the same sums with Go's own reader.

The traces are live ones of tests/support/tracemix, of 10 MiB and, with --full, of 30, 100 and 300;
the Go program is tests/support/gosum. The two take turns, and what they found is compared. On a
machine that does other things, too, their CPU says more than the clock.
"""

import json
import os
import shutil
import subprocess
import sys

import pprof
from lab import BUILD, MIB, SRC, Row, median

sys.path.insert(0, str(SRC / "tests/e2e"))
from gotools import build_gosum  # noqa: E402

RATIO_MIN = 20
MEMORY_MAX = 64 * MIB
SIZES = [10]
SIZES_FULL = [10, 30, 100, 300]


def live_trace(lab, size):
    """A trace of at least so many MiB; how much a second writes depends on the machine."""
    program, trace, seconds = lab.dir / "tracemix", lab.dir / "summary.trace", max(2, size // 5)
    subprocess.run(["go", "build", "-o", program, "."], cwd=SRC / "tests/support/tracemix",
                   env=pprof.ENVIRONMENT, check=True)  # fmt: skip
    while True:
        with open(trace, "wb") as out:
            subprocess.run([program, "-w", "40", "-s", str(seconds)], stdout=out, check=True)
        if trace.stat().st_size >= size * MIB:
            return trace
        seconds *= 2


def check(us, go):
    """The same sums."""
    s, g = json.loads(us.read_text()), json.loads(go.read_text())
    states = s["goroutines"]["states"]
    for key in ("running_ns", "runnable_ns", "in_syscall_ns"):
        assert states[key] == g[key], key
    assert {k: n for k, n in s["events"]["by_kind"].items() if n} == g["kinds"]
    latency = s["scheduler"]["latency"]
    for key in ("count", "total_ns", "max_ns"):
        assert latency[key] == g["latency"][key], key
    for key in ("p50_ns", "p99_ns"):
        assert abs(latency[key] - g["latency"][key]) * 250 <= g["latency"][key], key


def compare(lab, gosum, size, rounds):
    trace, us, go = live_trace(lab, size), lab.dir / "ours.json", lab.dir / "go.json"
    ours, theirs = [], []
    for _ in range(rounds):
        for _ in range(3):
            ours.append(pprof.Run([BUILD / "contrace", "summary", "--json", trace], us))
        theirs.append(pprof.Run([gosum, "sums", trace], go))
    check(us, go)
    size = trace.stat().st_size / MIB
    os.unlink(trace)
    cpu = median([run.cpu for run in ours])
    ratio = median([run.cpu for run in theirs]) / cpu
    memory, much = (max(run.memory for run in runs) for runs in (ours, theirs))
    return [
        Row(f"contrace summary --json, {size:.0f} MiB", "", pprof.spread(ours)),
        Row("… in a second of CPU", "", f"{size / cpu:.0f} MiB"),
        Row("… Go's reader, the same sums", "", pprof.spread(theirs)),
        Row("… **Go : contrace, CPU**", f"≥ {RATIO_MIN}", f"{ratio:.1f}", ratio >= RATIO_MIN),
        Row("… memory: contrace, Go", "≤ 64 MiB", f"{memory / MIB:.0f} MiB, {much / MIB:.0f} MiB",
            memory <= MEMORY_MAX),
    ]  # fmt: skip


def measure(lab, options):
    if not shutil.which("go"):
        return [Row("contrace summary beside Go's reader", "", "no Go toolchain on the PATH")]
    gosum = build_gosum(lab.dir)
    sizes = SIZES_FULL if options.full else SIZES
    rounds = getattr(options, "summary_rounds", 3)
    return [row for size in sizes for row in compare(lab, gosum, size, rounds)]
