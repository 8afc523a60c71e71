# SPDX-License-Identifier: Apache-2.0
"""`contrace summary --json` beside a Go program that does the same sums with Go's own reader.

The traces are those of serving.py, three servers and four kinds of work, and live ones of
tests/support/tracemix; the Go program is tests/support/gosum. The two take turns, and what they
found is compared. On a machine that does other things, too, their CPU says more than the clock: the
ratio is the median of those of each turn, which other work slows down alike.
"""

import json
import math
import shutil
import subprocess
import sys

import pprof
import serving
from lab import BUILD, MIB, SRC, Row, median

sys.path.insert(0, str(SRC / "tests/e2e"))
from gotools import build_gosum  # noqa: E402

RATIO_MIN = 14
RATIO_MEAN = 18
MEMORY_MAX = 64 * MIB
SET = [("caddy", 10), ("nats-server", 10), ("prometheus", 14), ("syscalls", 12),
       ("annotations", 12), ("spawn", 12), ("handoffs", 30), ("mix", 10)]  # fmt: skip
SET_FULL = [*SET, ("caddy", 40), ("mix", 100), ("handoffs", 500)]


def mix(lab, size):
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
    for kind in ("tasks", "regions"):
        for key in ("count", "total_ns"):
            assert sum(row[key] for row in s[kind]) == sum(row[key] for row in g[kind].values()), (
                kind
            )


def compare(lab, gosum, name, size, rounds):
    trace = mix(lab, size) if name == "mix" else serving.trace(lab, name, size)
    us, go = lab.dir / "ours.json", lab.dir / "go.json"
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        runs = [pprof.Run([BUILD / "contrace", "summary", "--json", trace], us) for _ in range(5)]
        theirs.append(pprof.Run([gosum, "sums", trace], go))
        ratios.append(theirs[-1].cpu / median([run.cpu for run in runs]))
        ours += runs
    check(us, go)
    size, ratio = trace.stat().st_size, median(ratios)
    memory, much = (max(run.memory for run in runs) / MIB for runs in (ours, theirs))
    cpu, go_cpu = (median([run.cpu for run in runs]) for runs in (ours, theirs))
    row = Row(
        f"contrace summary --json, {name}, {size / 1e6:.0f} MB : Go",
        f"≥ {RATIO_MIN}",
        f"{ratio:.1f} ({min(ratios):.1f}–{max(ratios):.1f}; {cpu:.3f} s, {size / 1e6 / cpu:.0f} "
        f"MB/s, {memory:.0f} MiB; {go_cpu:.2f} s, {much:.0f} MiB)",
        ratio >= RATIO_MIN,
    )
    return row, ratio, memory


def measure(lab, options):
    if not shutil.which("go"):
        return [Row("contrace summary beside Go's reader", "", "no Go toolchain on the PATH")]
    gosum = build_gosum(lab.dir)
    rounds = getattr(options, "summary_rounds", 3)
    seen = [
        compare(lab, gosum, name, size, rounds)
        for name, size in (SET_FULL if options.full else SET)
    ]
    mean = math.exp(sum(math.log(ratio) for _, ratio, _ in seen) / len(seen))
    return [
        *(row for row, _, _ in seen),
        Row("… the geometric mean", f"≥ {RATIO_MEAN}", f"{mean:.1f}", mean >= RATIO_MEAN),
        Row.at_most("… memory", MEMORY_MAX / MIB, max(memory for _, _, memory in seen), "MiB", 0),
    ]
