# SPDX-License-Identifier: Apache-2.0
"""Each program of examples/ills gets the label that it says is its own.

FINDINGS_RUNS, how often each runs; FINDINGS_TOOLCHAINS, `all` for every toolchain of tests/toolchains.
Every second run has a noisy neighbour: processes that compute on every processor. Programs
run one at a time: side by side they would make each other ill.
"""

import contextlib
import json
import os
import subprocess
import sys

import pytest
from gotools import REFERENCE, TOOLCHAINS, build
from support import BUILD, SRC

CONTRACE = BUILD / "contrace"
ILLS = SRC / "examples/ills"

RUNS = int(os.environ.get("FINDINGS_RUNS", "2"))
CHOSEN = TOOLCHAINS if os.environ.get("FINDINGS_TOOLCHAINS") == "all" else [REFERENCE]
SECONDS = 1

# What is ill, and a call site that must be among those that the finding names.
PROGRAMS = {
    "lock-convoy": ("lock-contention", "main.(*ledger).post"),
    "gc-churn": ("gc-pressure", "main.tree"),
    "cpu-starved": ("cpu-saturated", None),
    "imbalance": ("scheduler-imbalance", "main.imbalance.func1"),
    "syscalls": ("syscall-storm", "main.lockFile"),
    "stuck": ("stuck-proc", "main.lockFile"),
    "stuck-cgo": ("stuck-proc", "main._Cfunc_pause_ms"),
    "stuck-run": ("stuck-proc", None),
    "slow-peer": ("network-bound", "main.query"),
    "slow-http": ("network-bound", "net/http.(*persistConn).roundTrip"),
    "slow-disk": ("slow-syscalls", "main.save"),
    "lock-over-write": ("slow-syscalls", "main.save"),
    "cgo-workers": ("slow-syscalls", "main._Cfunc_pause_ms"),
    "pool-exhausted": ("blocked-in-request", "database/sql.(*DB).conn"),
    "rate-limited": ("blocked-in-request", "main.limiter.wait"),
    "straggler": ("blocked-in-request", "main.straggler.func1"),
    "mutex-deadlock": ("deadlock", "main.(*account).read"),
    "channel-deadlock": ("deadlock", "main.collect.func1"),
    "long-poll": ("idle", None),
    "message-readers": ("idle", None),
    "idle": ("idle", None),
    "timers": ("idle", None),
    "healthy": ("healthy", None),
    "busy": ("healthy", None),
    "ping-pong": ("healthy", None),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The program as built by each toolchain."""
    work = tmp_path_factory.mktemp("ills")
    built = set()

    def get(toolchain):
        path = work / f"ills-{toolchain}"
        if toolchain not in built:
            build(ILLS, path, toolchain)
            built.add(toolchain)
        return path

    return get


@contextlib.contextmanager
def neighbour(noisy):
    """A process that computes, for each processor."""
    burn = [sys.executable, "-c", "while True: pass"]
    crowd = [subprocess.Popen(burn) for _ in range(os.cpu_count() if noisy else 0)]
    try:
        yield
    finally:
        for one in crowd:
            one.kill()
            one.wait()


def judge(program, name, path, noisy=False):
    with neighbour(noisy):
        done = subprocess.run(
            [program, "-ill", name, "-trace", path, "-seconds", str(SECONDS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
    if "built without cgo" in done.stdout:
        pytest.skip("no C compiler for Go")
    assert done.returncode == 0, done.stdout
    out = subprocess.run(
        [CONTRACE, "summary", "--json", path], stdout=subprocess.PIPE, check=True, timeout=60
    )
    return json.loads(out.stdout)


def wrong(summary, label, site, remark=None):
    """What is not as it should be, or None."""
    findings = summary["findings"]
    if summary["label"] != label or (label in ("idle", "healthy") and findings):
        return f"{summary['label']}: {json.dumps(findings, indent=1)}"
    if label in ("idle", "healthy"):
        return None
    first = findings[0]
    if first["code"] != label or not 0.5 <= first["score"] <= 1:
        return f"{first['code']}, {first['score']}"
    if not first["evidence"] or len(first["next"]) < 20:
        return f"says too little: {first}"
    if remark and first.get("remark") != remark:
        return f"{first.get('remark')}, not {remark}"
    # Go 1.22 does not tell the stack of what was in a syscall when the trace began.
    if site and not (label == "stuck-proc" and not first["sites"]):
        if site not in [s["func"] for s in first["sites"]]:
            return f"{site} is not among {first['sites']}"
    return None


# What a finding's remark says.
REMARKS = {
    "lock-over-write": "held over write (main.save)",
    "pool-exhausted": "waits for a connection of the pool database/sql",
    "straggler": "woken by one that had been asleep (main.straggler.func1.1)",
}
# What waited before the trace began has a stack since Go 1.23.
NEED_STACKS = ("mutex-deadlock", "channel-deadlock", "message-readers")


@pytest.mark.parametrize("toolchain", CHOSEN)
@pytest.mark.parametrize("name", PROGRAMS)
def test_label(programs, tmp_path, name, toolchain):
    if name in NEED_STACKS and toolchain.startswith(("go1.22", "1.22")):
        pytest.skip("Go 1.22 does not tell")
    label, site = PROGRAMS[name]
    program = programs(toolchain)
    faults = []
    for turn in range(RUNS):
        noisy = turn % 2 == 1
        path = tmp_path / f"{name}-{turn}.trace"
        fault = wrong(judge(program, name, path, noisy), label, site, REMARKS.get(name))
        if fault:
            faults.append(f"{path}{', noisy' if noisy else ''}: {fault}")
        else:
            path.unlink()
    assert not faults, f"{len(faults)} of {RUNS}\n" + "\n".join(faults)


def test_programs_know_their_labels(programs):
    """The program's own list is the one above."""
    done = subprocess.run([programs(REFERENCE)], capture_output=True, text=True, timeout=60)
    listed = dict(
        line.split()[:2]
        for line in done.stderr.splitlines()
        if line.startswith("  ") and not line.startswith(("  -", "   "))
    )
    assert listed == {name: label for name, (label, _) in PROGRAMS.items()}
