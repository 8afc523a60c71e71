# SPDX-License-Identifier: Apache-2.0
"""Each program of examples/ills gets the label that it says is its own.

FINDINGS_RUNS, how often each runs; FINDINGS_TOOLCHAINS, `all` for every toolchain of tests/toolchains.
Every second run has a noisy neighbour: processes that compute on every processor. Programs
run one at a time: side by side they would make each other ill.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from gotools import REFERENCE, TOOLCHAINS, build
from support import BUILD, SRC, wait_until

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
ILLS = SRC / "examples/ills"

RUNS = int(os.environ.get("FINDINGS_RUNS", "2"))
CHOSEN = TOOLCHAINS if os.environ.get("FINDINGS_TOOLCHAINS") == "all" else [REFERENCE]
SECONDS = 1

# What is ill, and a call site that must be among those that the finding names.
PROGRAMS = {
    "throttled": ("cpu-throttled", None),
    "stalled": ("host-stalled", None),
    "oversubscribed": ("cpu-saturated", None),
    "pinned": ("cpu-saturated", None),
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
    "mailbox": ("blocked-in-request", "main.(*actor).call"),
    "straggler": ("blocked-in-request", "main.straggler.func1"),
    "mutex-deadlock": ("deadlock", "main.(*account).read"),
    "channel-deadlock": ("deadlock", "main.collect.func1"),
    "file-calls": ("syscall-storm", "main.askForFile"),
    "first-of-all": ("lock-contention", "main.firstOfAll.func1"),
    "child-processes": ("slow-syscalls", "os/exec.(*Cmd).Wait"),
    "long-poll": ("idle", None),
    "message-readers": ("idle", None),
    "leak": ("goroutine-leak", "main.forsake"),
    "timer-storm": ("timer-load", "main.timerStorm.func1"),
    "busy-poll": ("busy-polling", "main.busyPoll.func1"),
    "poll-select": ("busy-polling", "main.pollSelect.func1"),
    "poll-sleep": ("busy-polling", "main.pollSleep.func1"),
    "close-herd": ("thundering-herd", "main.closeHerd.func2"),
    "forced-gc": ("gc-pressure", "main.forcedGC.func1"),
    "retry-storm": ("retry-storm", "main.retryStorm.func1"),
    "thundering-herd": ("thundering-herd", "main.thunderingHerd.func2"),
    "idle": ("idle", None),
    "timers": ("idle", None),
    "healthy": ("healthy", None),
    "busy": ("healthy", None),
    "ping-pong": ("healthy", None),
    "burst": ("healthy", None),
}
# What is told behind the findings of these, though it is no label.
NOTES = {"burst": "new-connections"}


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


def set_quota(group, cpus):
    """In a hierarchy of version 1 or 2, whichever has the controller. Why not, or None.

    Much weight, so that it is the quota that the program runs into, and not its neighbours.
    """
    period = 100_000
    old, new = group / "cpu.cfs_quota_us", group / "cpu.max"
    try:
        if old.exists():
            old.write_text(f"{int(cpus * period)}")
            (group / "cpu.shares").write_text("20480")
        else:
            new.write_text(f"{int(cpus * period)} {period}")
            (group / "cpu.weight").write_text("2000")
    except OSError as e:
        return e
    return None


@contextlib.contextmanager
def quota(cpus):
    """What to put before a command so that it runs in a cgroup with a CPU quota of its own."""
    top = pathlib.Path("/sys/fs/cgroup")
    v1 = [d for d in (top / "cpu", top / "cpu,cpuacct") if (d / "cpu.cfs_quota_us").exists()]
    group = (v1 or [top])[0] / f"contrace-findings-{os.getpid()}"
    try:
        if not v1:
            (top / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir()
    except OSError as e:
        pytest.skip(f"no cgroup can be made here: {e}")
    try:
        fault = set_quota(group, cpus)
        if fault:
            pytest.skip(f"no CPU quota can be set here: {fault}")
        yield ["sh", "-c", 'echo $$ >"$0" && exec "$@"', group / "cgroup.procs"]
    finally:
        group.rmdir()


# What a program needs around it to be ill.
AROUND = {"throttled": lambda: quota(0.2)}


def judge(program, name, path, noisy=False):
    with neighbour(noisy), AROUND.get(name, contextlib.nullcontext)() as before:
        done = subprocess.run(
            [*(before or []), program, "-ill", name, "-trace", path, "-seconds", str(SECONDS)],
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


def wrong(summary, name):
    """What is not as it should be, or None."""
    label, site = PROGRAMS[name]
    findings = summary["findings"]
    expected = [NOTES[name]] if name in NOTES else []
    quiet = label in ("idle", "healthy")
    if summary["label"] != label or (quiet and [f["code"] for f in findings] != expected):
        return f"{summary['label']}: {json.dumps(findings, indent=1)}"
    if quiet:
        return None
    first = findings[0]
    if first["code"] != label or not 0.5 <= first["score"] <= 1:
        return f"{first['code']}, {first['score']}"
    if not first["evidence"] or len(first["next"]) < 20:
        return f"says too little: {first}"
    if name in REMARKS and first.get("remark") != REMARKS[name]:
        return f"{first.get('remark')}, not {REMARKS[name]}"
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
NEED_STACKS = ("mutex-deadlock", "channel-deadlock", "first-of-all", "message-readers")
# Before Go 1.25 a goroutine is seldom or never interrupted within the runtime.
NEED_INTERRUPTS = ("poll-select",)


@pytest.mark.parametrize("toolchain", CHOSEN)
@pytest.mark.parametrize("name", PROGRAMS)
def test_label(programs, tmp_path, name, toolchain):
    if name in NEED_STACKS and toolchain.startswith(("go1.22", "1.22")):
        pytest.skip("Go 1.22 does not tell")
    if name in NEED_INTERRUPTS and toolchain.startswith(("go1.22", "go1.23", "go1.24")):
        pytest.skip("Go before 1.25 does not tell, or not always")
    program = programs(toolchain)
    faults = []
    for turn in range(RUNS):
        noisy = turn % 2 == 1
        path = tmp_path / f"{name}-{turn}.trace"
        fault = wrong(judge(program, name, path, noisy), name)
        if fault:
            faults.append(f"{path}{', noisy' if noisy else ''}: {fault}")
        else:
            path.unlink()
    assert not faults, f"{len(faults)} of {RUNS}\n" + "\n".join(faults)


def other_process(pid):
    """The process that this one started as its clients, or to be stopped by; None: not yet."""
    for tasks in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in tasks.read_text().split():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")
                if words[1:2] in (["-ask"], ["-stop"]):
                    return int(child)
    return None


def stopped_at_start(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def judge_with(program, name, path, *options, meanwhile=lambda pid: None, **more):
    ill = subprocess.Popen([program, "-ill", name, "-trace", path, *options], **more)
    meanwhile(ill.pid)
    assert ill.wait(timeout=60) == 0
    done = subprocess.run([CONTRACE, "summary", "--json", path], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["stuck", "stuck-cgo"])
def test_stuck_whenever_the_trace_begins(programs, tmp_path, name):
    """A call of 900 ms is not cut in two halves."""
    path = tmp_path / "late.trace"
    assert wrong(judge_with(programs(REFERENCE), name, path, "-warm-up", "800ms"), name) is None


@pytest.mark.parametrize("name", ["pool-exhausted", "rate-limited", "stalled"])
def test_another_process_starts_late(programs, tmp_path, name):
    """Clients, or whoever stops the program, are there before the trace begins."""

    def stop(pid):
        other = wait_until("it started another", lambda: other_process(pid), interval=0.001)
        stopped_at_start(other, 1)

    path = tmp_path / "late.trace"
    assert wrong(judge_with(programs(REFERENCE), name, path, meanwhile=stop), name) is None


def test_stopped_at_its_start(programs, tmp_path):
    """The time before the trace is the program's own."""
    path = tmp_path / "late.trace"
    for after in (0.01, 0.02, 0.03):

        def stop(pid, after=after):
            time.sleep(after)
            stopped_at_start(pid, 0.6)

        summary = judge_with(programs(REFERENCE), "mutex-deadlock", path, meanwhile=stop)
        assert wrong(summary, "mutex-deadlock") is None


def test_idle_connections_stay(programs, tmp_path):
    """The collector closes what nobody has any more."""
    env = {**os.environ, "GOGC": "1"}
    summary = judge_with(programs(REFERENCE), "idle", tmp_path / "idle.trace", env=env)
    assert summary["goroutines"]["at_end"] >= 700


def test_programs_know_their_labels(programs):
    """The program's own list is the one above."""
    done = subprocess.run([programs(REFERENCE)], capture_output=True, text=True, timeout=60)
    listed = dict(
        line.split()[:2]
        for line in done.stderr.splitlines()
        if line.startswith("  ") and not line.startswith(("  -", "   "))
    )
    assert listed == {name: label for name, (label, _) in PROGRAMS.items()}
