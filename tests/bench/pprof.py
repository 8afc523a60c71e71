# SPDX-License-Identifier: Apache-2.0
"""`contrace pprof --sched` beside `go tool trace -pprof=sched` on the same trace.

The trace is a live one of tests/support/tracemix, at least 30 MiB long. The two take turns, and what
they found is compared, sample by sample. On a machine that does other things, too, their CPU says more
than the clock.
"""

import os
import shutil
import subprocess
import sys
import time

from lab import BUILD, MIB, SRC, Row, median

sys.path.insert(0, str(SRC / "tests/e2e"))
from pprofs import Profile, assert_equal  # noqa: E402
from support import REFERENCE  # noqa: E402

SIZE_MIN = 30 * MIB
RATIO_MIN = 100
ENVIRONMENT = dict(os.environ, GOTOOLCHAIN=REFERENCE, GOFLAGS="-buildvcs=false")


def live_trace(lab):
    """A trace that is long enough; how much a second writes depends on the machine."""
    program, trace, seconds = lab.dir / "tracemix", lab.dir / "pprof.trace", 8
    subprocess.run(["go", "build", "-o", program, "."], cwd=SRC / "tests/support/tracemix",
                   env=ENVIRONMENT, check=True)  # fmt: skip
    while True:
        with open(trace, "wb") as out:
            subprocess.run([program, "-w", "40", "-s", str(seconds)], stdout=out, check=True)
        if trace.stat().st_size >= SIZE_MIN:
            return trace
        seconds *= 2


class Run:
    """One command to its end: seconds of wall clock and of CPU, and bytes of memory at most."""

    def __init__(self, argv, out):
        started = time.monotonic()
        with open(out, "wb") as file:
            process = subprocess.Popen(argv, stdout=file, env=ENVIRONMENT)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if status != 0:
            raise SystemExit(f"{argv[0]} failed: {status}")
        self.wall = time.monotonic() - started
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss * 1024


def spread(runs):
    walls = [run.wall for run in runs]
    cpu = median([run.cpu for run in runs])
    return f"{median(walls):.3f} s ({min(walls):.3f}–{max(walls):.3f}), CPU {cpu:.3f} s"


def go_trace():
    """The program behind `go tool trace`, which the go command builds and keeps."""
    found = subprocess.run(["go", "tool", "-n", "trace"], stdout=subprocess.PIPE, text=True,
                           env=ENVIRONMENT, check=True)  # fmt: skip
    return found.stdout.strip()


def measure(lab, options):
    if not shutil.which("go"):
        return [Row("contrace pprof beside go tool trace", "", "no Go toolchain on the PATH")]
    trace, us, go = live_trace(lab), lab.dir / "ours.pb.gz", lab.dir / "go.pb.gz"
    tool, seen = go_trace(), {"contrace": [], "go": []}
    for _ in range(getattr(options, "pprof_rounds", 3)):
        for _ in range(5):
            seen["contrace"].append(Run([BUILD / "contrace", "pprof", "--sched", trace], us))
        seen["go"].append(Run([tool, "-pprof=sched", trace], go))
    assert_equal(Profile(us), Profile(go))
    size = trace.stat().st_size / MIB
    ours, theirs = (median([run.wall for run in seen[name]]) for name in ("contrace", "go"))
    cpus = [median([run.cpu for run in seen[name]]) for name in ("go", "contrace")]
    memory, much = (max(run.memory for run in seen[name]) / MIB for name in ("contrace", "go"))
    return [
        Row(f"contrace pprof --sched, {size:.0f} MiB", "", spread(seen["contrace"])),
        Row("… in a second", "", f"{size / ours:.0f} MiB"),
        Row("… go tool trace -pprof=sched", "", spread(seen["go"])),
        Row("… **go : contrace, wall clock**", f"≥ {RATIO_MIN}", f"{theirs / ours:.0f}",
            theirs / ours >= RATIO_MIN),
        Row("… go : contrace, CPU", "", f"{cpus[0] / cpus[1]:.0f}"),
        Row("… memory: contrace, go", "", f"{memory:.0f} MiB, {much:.0f} MiB"),
    ]  # fmt: skip
