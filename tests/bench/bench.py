#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what contraced costs, side by side with curl, and prints a table.

    bench.py                        everything, in about ten minutes
    bench.py --full                 everything in full length, for docs/PERFORMANCE.md
    bench.py cpu signals            these only: idle, soak, cpu, targets, signals, scrape, upload,
                                    pprof, summary, goroutines, tracing, flight, polls
    bench.py --markdown             the table as docs/PERFORMANCE.md has it

It needs curl and a C compiler, and reads CONTRACE_SRC_DIR and CONTRACE_BUILD_DIR.
"""

import argparse
import concurrent.futures
import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import cpu
import flight
import goroutines
import idle
import lab
import polls
import pprof
import scrape
import signals
import soak
import summary
import targets
import tracing
import upload

MEASUREMENTS = {
    "idle": idle,
    "soak": soak,
    "cpu": cpu,
    "targets": targets,
    "signals": signals,
    "scrape": scrape,
    "upload": upload,
    "pprof": pprof,
    "summary": summary,
    "goroutines": goroutines,
    "tracing": tracing,
    "flight": flight,
    "polls": polls,
}


def parse():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("measurements", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    p.add_argument("--full", action="store_true", help="more of everything; half an hour")
    p.add_argument("--markdown", action="store_true")
    p.add_argument("--dir", help="for traces (default: the system's temporary directory)")
    p.add_argument("--idle-seconds", type=int)
    p.add_argument("--soak-captures", type=int)
    p.add_argument(
        "--targets",
        type=lambda text: [int(n) for n in text.split(",")],
        default=[10, 100, 1000, 10000],
    )
    p.add_argument("--target-seconds", type=int)
    p.add_argument("--signals", type=int)
    for size in ("small", "medium", "large"):
        p.add_argument(f"--cpu-{size}", type=int, help=f"{size} bodies a round")
    p.add_argument("--cpu-rounds", type=int)
    p.add_argument("--upload-rounds", type=int)
    p.add_argument("--pprof-rounds", type=int)
    p.add_argument("--tracing-pairs", type=int)
    p.add_argument("--flight-pairs", type=int)
    p.add_argument("--tracing-minutes", type=int, help="pairs of minutes with contraced")
    quick = {
        "idle_seconds": 180,
        "soak_captures": 20000,
        "target_seconds": 30,
        "signals": 200,
        "cpu_small": 50,
        "cpu_medium": 8,
        "cpu_large": 1,
        "cpu_rounds": 5,
        "upload_rounds": 1,
        "pprof_rounds": 3,
        "tracing_pairs": 5,
        "flight_pairs": 5,
        "tracing_minutes": 0,
    }
    full = {
        "idle_seconds": 600,
        "soak_captures": 100000,
        "target_seconds": 120,
        "signals": 1000,
        "cpu_small": 100,
        "cpu_medium": 16,
        "cpu_large": 2,
        "cpu_rounds": 7,
        "upload_rounds": 3,
        "pprof_rounds": 5,
        "tracing_pairs": 40,
        "flight_pairs": 20,
        "tracing_minutes": 10,
    }
    o = p.parse_args()
    if not shutil.which("curl"):
        p.error("curl is needed for comparison (Debian: curl)")
    unknown = set(o.measurements) - set(MEASUREMENTS)
    if unknown:
        p.error(f"no such measurement: {', '.join(unknown)}")
    for name, value in (full if o.full else quick).items():
        if getattr(o, name) is None:
            setattr(o, name, value)
    return o


def first_line(*command):
    return (
        subprocess.run(command, capture_output=True, text=True, check=False)
        .stdout.splitlines()[0]
        .strip()
    )


def machine(directory):
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.M)
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]
    with open("/etc/os-release") as f:
        system = re.search(r'^PRETTY_NAME="?(.*?)"?$', f.read(), re.M)[1]
    kind = first_line("stat", "-f", "-c", "%T", str(directory))
    return [
        f"{datetime.date.today()}, {os.cpu_count()} × {model[1] if model else platform.machine()}, "
        f"{int(memory) / (1 << 20):.0f} GiB, {system}, Linux {platform.release()}, "
        f"traces on {kind}",
        f"{first_line(lab.BUILD / 'contraced', '--version')}, "
        + " ".join(first_line("curl", "--version").split()[:4]),
    ]


def run(chosen, bench, options):
    """The rows, in the order of the measurements. Idling goes on beside the others."""
    rows = {}
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(idle.measure, bench, options) if "idle" in chosen else None
        for name in chosen:
            if name != "idle":
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                rows[name] = MEASUREMENTS[name].measure(bench, options)
        if waiting:
            print("waiting for idle …", file=sys.stderr, flush=True)
            rows["idle"] = waiting.result()
    return [row for name in chosen for row in rows[name]]


def show(rows, notes, markdown):
    verdict = {None: "", True: "yes", False: "**no**" if markdown else "NO"}
    cells = [("what", "demanded", "seen", "met")]
    cells += [(r.what, r.demanded, r.seen, verdict[r.ok]) for r in rows]
    if markdown:
        cells.insert(1, ("---",) * 4)
        lines = ["| " + " | ".join(row) + " |" for row in cells]
    else:
        widths = [max(len(row[i]) for row in cells) for i in range(3)]
        lines = [
            "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]).rstrip()
            for row in cells
        ]
    print("\n".join([*(n + ("  " if markdown else "") for n in notes), "", *lines]))


def main():
    options = parse()
    chosen = [
        name for name in MEASUREMENTS if not options.measurements or name in options.measurements
    ]
    with lab.Lab(options.dir) as bench:
        rows = run(chosen, bench, options)
        show(rows, machine(bench.dir), options.markdown)
    return 1 if any(row.ok is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
