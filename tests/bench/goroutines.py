# SPDX-License-Identifier: Apache-2.0
"""`contrace goroutines --json` beside Go's Summarizer on the same trace.

The traces are some of those of summary.py; the Go program is tests/support/gosum, which feeds each event
of Go's reader to the Summarizer and groups what it says. The two take turns, and their groups are
compared, time by time.
"""

import json
import shutil
import subprocess
import sys

import pprof
import serving
import summary
from gotools import build_gosum
from lab import BUILD, MIB, Row, median

RATIO_MIN = 12
MEMORY_MAX = 64 * MIB
SET = [("caddy", 10), ("spawn", 12), ("mix", 10)]
SET_FULL = [*SET, ("nats-server", 10), ("handoffs", 30), ("mix", 100)]
TIMES = ["count", "total_ns", "exec_ns", "sched_wait_ns", "syscall_ns", "syscall_block_ns",
         "unknown_ns"]  # fmt: skip


def peak(argv):
    """Bytes of memory at most; by way of a small process, as a child is counted with what it was forked
    from."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL, check=True);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", script, *argv]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) * 1024


def check(us, go):
    ours, theirs = json.loads(us.read_text())["groups"], json.loads(go.read_text())["groups"]
    assert len(ours) == len(theirs)
    for group in ours:
        other = theirs[group["name"]]
        assert {key: group[key] for key in TIMES} == {key: other[key] for key in TIMES}
        assert {row["reason"]: row["total_ns"] for row in group["blocks"]} == other["blocks"]
        assert {row["name"]: row["total_ns"] for row in group["ranges"]} == other["ranges"]


def compare(lab, gosum, name, size, rounds):
    trace = summary.mix(lab, size) if name == "mix" else serving.trace(lab, name, size)
    us, go = lab.dir / "ours.json", lab.dir / "go.json"
    command = [BUILD / "contrace", "goroutines", "--json", trace]
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        runs = [pprof.Run(command, us) for _ in range(5)]
        theirs.append(pprof.Run([gosum, "groups", trace], go))
        ratios.append(theirs[-1].cpu / median([run.cpu for run in runs]))
        ours += runs
    check(us, go)
    size, ratio = trace.stat().st_size, median(ratios)
    memory, much = peak(command), peak([gosum, "groups", trace])
    cpu, go_cpu = (median([run.cpu for run in runs]) for runs in (ours, theirs))
    row = Row(
        f"contrace goroutines --json, {name}, {size / 1e6:.0f} MB : Go's Summarizer",
        f"≥ {RATIO_MIN}",
        f"{ratio:.1f} ({min(ratios):.1f}–{max(ratios):.1f}; {cpu:.3f} s, {size / 1e6 / cpu:.0f} "
        f"MB/s, {memory / MIB:.0f} MiB; {go_cpu:.2f} s, {much / MIB:.0f} MiB)",
        ratio >= RATIO_MIN,
    )
    return row, memory / MIB


def measure(lab, options):
    if not shutil.which("go"):
        return [
            Row("contrace goroutines beside Go's Summarizer", "", "no Go toolchain on the PATH")
        ]
    gosum = build_gosum(lab.dir)
    rounds = getattr(options, "summary_rounds", 3)
    seen = [
        compare(lab, gosum, name, size, rounds)
        for name, size in (SET_FULL if options.full else SET)
    ]
    return [
        *(row for row, _ in seen),
        Row.at_most("… memory", MEMORY_MAX / MIB, max(memory for _, memory in seen), "MiB", 0),
    ]
