# SPDX-License-Identifier: Apache-2.0
"""libgotrace hands out what Go's own reader hands out, event by event, and refuses what it refuses.

Both print one line an event (tests/support/gotrace_events.c, tests/support/traceevents), with the
time, goroutine, proc, thread, change of state, reason, stacks and texts; the lines must be equal.
"""

import os
import pathlib
import random
import subprocess

import pytest
from gotools import TOOLCHAINS, goroot
from programs import go_program
from support import BUILD

pytestmark = pytest.mark.reading

EVENTS = BUILD / "tests/support/gotrace_events"

# Programs of Go's own trace tests; each writes a trace to standard output.
PROGRAMS = [
    "annotations", "annotations-stress", "cgo-callback", "cpu-profile", "futile-wakeup",
    "gc-stress", "gomaxprocs", "iter-pull", "many-start-stop", "stacks", "stress",
    "stress-start-stop", "wait-on-pipe",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("gotrace")


def ours(path, out):
    with open(out, "wb") as file:
        run = subprocess.run([EVENTS, path], stdout=file, timeout=120)
    assert run.returncode in (0, 1)
    return run.returncode == 0


def theirs(traceevents, path, out):
    with open(out, "wb") as file:
        subprocess.run([traceevents, "events", path], stdout=file, check=True, timeout=300)


def first_difference(a, b):
    with open(a, "rb") as left, open(b, "rb") as right:
        for n, (x, y) in enumerate(zip(left, right), 1):
            if x != y and not (x.startswith(b"error") and y.startswith(b"error")):
                return f"line {n}:\n  Go: {x}\n  us: {y}"
        rest = (left.readline(), right.readline())
    return None if rest == (b"", b"") else f"one goes on: {rest}"


def compare(traceevents, path):
    """Returns whether the trace was read to its end."""
    a, b = path.with_suffix(".go"), path.with_suffix(".ours")
    theirs(traceevents, path, a)
    whole = ours(path, b)
    difference = first_difference(a, b)
    assert difference is None, f"{path.name}: {difference}"
    a.unlink()
    b.unlink()
    return whole


def test_corpus(traceevents, textual):
    assert "FAILURE" in textual.values()
    for path, verdict in textual.items():
        assert compare(traceevents, path) == (verdict == "SUCCESS"), path.name


def test_fuzz_seeds(traceevents, work):
    out = work / "seeds"
    out.mkdir()
    seeds = goroot() / "src/internal/trace/testdata/fuzz/FuzzReader"
    subprocess.run([traceevents, "seeds", seeds, out], check=True, timeout=60)
    paths = sorted(out.glob("*.trace"))
    assert paths
    for path in paths:
        if path.read_bytes()[:7] in (b"go 1.11", b"go 1.19", b"go 1.21"):
            assert not ours(path, work / "old")
            assert (work / "old").read_text().startswith("error -93 ")
        else:
            check_altered(traceevents, path)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(traceevents, mix, toolchain):
    """A bit of everything, with a CPU profile, in several generations."""
    assert compare(traceevents, mix(toolchain))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(traceevents, traced, name):
    assert compare(traceevents, traced(go_program(name)))


@pytest.mark.parametrize("toolchain", TOOLCHAINS[:-1])
@pytest.mark.parametrize("name", ["cgo-callback", "stress", "gc-stress"])
def test_programs_of_older_toolchains(traceevents, traced, name, toolchain):
    assert compare(traceevents, traced(go_program(name), toolchain))


def number(v):
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    return bytes(out) + bytes([v])


def event(kind, *numbers):
    return bytes([kind]) + b"".join(map(number, numbers))


def batch(thread, time, data, generation=1):
    head = b"\x01" + number(generation) + number(thread) + number(time)
    return head + number(len(data)) + data


def threads_at_once(n, seed):
    """A trace of n threads whose times are few: goroutines that others make must wait for them."""
    proc_status, go_create, go_start, go_stop, go_status, heap = 13, 14, 16, 19, 25, 37
    none, rng = (1 << 64) - 1, random.Random(seed)
    sync = event(50) + event(8, 10**9) + event(51, 0, 7, 1700000000, 5)
    strings = event(4) + event(5, 1, 4) + b"wait"
    starts = rng.sample(range(n), n)
    batches = []
    for i in range(n):
        data = event(proc_status, 0, i, 1) + event(go_status, 0, 1000 + i, 100 + i, 2)
        for _ in range(rng.randrange(3)):
            data += event(heap, rng.randrange(2), rng.randrange(1000))
        data += event(go_create, rng.randrange(3), 5000 + i, 0, 0)
        data += event(go_stop, rng.randrange(2), 1, 0)
        data += event(go_start, rng.randrange(2), 5000 + starts[i], 1)
        for _ in range(rng.randrange(4)):
            data += event(heap, rng.randrange(2), rng.randrange(1000))
        batches.append(batch(100 + i, 1000 + rng.randrange(4), data))
        if rng.randrange(8) == 0:
            batches.append(batch(9000 + i, 1000, b""))
    rng.shuffle(batches)
    head = b"go 1.26 trace\0\0\0" + batch(none, 1, sync) + batch(none, 1, strings)
    return head + b"".join(batches) + b"\x34"


def test_equal_times(traceevents, work):
    """Where threads have events of one time, Go's reader's sorting decides."""
    whole = 0
    for seed in range(60):
        path = work / "at-once.trace"
        path.write_bytes(threads_at_once(2 + seed * 5, seed))
        whole += compare(traceevents, path)
    assert whole > 50


def test_altered(traceevents, textual, work):
    """Bytes changed, left out, or cut off: the same events and then an error, or none, as in Go.

    Where Go's reader takes a table that breaks off, or a generation of Go 1.26 without its end and
    without events, for the end of the trace, this one says that it is broken.
    """
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    rand = random.Random(seed)
    sources = [p for p in textual if p.stat().st_size < 20000]
    path = work / "altered.trace"
    for _ in range(int(os.environ.get("GOTRACE_ALTERED", "150"))):
        data = bytearray(rand.choice(sources).read_bytes())
        for _ in range(rand.choice([1, 1, 2, 5])):
            at = rand.randrange(16, len(data))
            what = rand.choice(["set", "set", "delete", "cut", "insert"])
            if what == "set":
                data[at] = rand.choice([rand.randrange(256), rand.randrange(64)])
            elif what == "delete":
                del data[at]
            elif what == "insert":
                data.insert(at, rand.randrange(64))
            else:
                del data[at + 1 :]
            if len(data) <= 17:
                break
        path.write_bytes(data)
        check_altered(traceevents, path)


def same(go, us):
    """Whether two lines are the same, as far as Go's reader could tell what the event is."""
    if go.startswith(b"error"):
        return us.startswith(b"error")
    if go.endswith(b" PANIC"):
        return go.split()[:5] == us.split()[:5]
    return go == us


def check_altered(traceevents, path):
    a, b = path.with_suffix(".go"), path.with_suffix(".ours")
    theirs(traceevents, path, a)
    ours(path, b)
    left, right = a.read_bytes().splitlines(), b.read_bytes().splitlines()
    if left[-1] == b"end" and right[-1].startswith(b"error"):
        left[-1] = b"error"
    for n, (x, y) in enumerate(zip(left, right), 1):
        assert same(x, y), f"{path}: line {n}:\n  Go: {x}\n  us: {y}"
    assert len(left) == len(right), f"{path}: {left[-1]} {right[-1]}"


def test_refused(tmp_path):
    """Each with its code: negative errno of ENOMSG, EPROTONOSUPPORT, ENOTSUP, ENODATA."""
    for data, code in [
        (b"", -42), (b"<html>", -42), (b"go 1.22 tracf\0\0\0", -42), (b"go 1.2x trace\0\0\0", -42),
        (b"go 1.5 trace\0\0\0\0", -93), (b"go 1.11 trace\0\0\0", -93),
        (b"go 1.21 trace\0\0\0", -93),
        (b"go 1.24 trace\0\0\0", -95), (b"go 1.29 trace\0\0\0", -95),
        (b"go 1.26 trace\0\0\0\x01\x01", -61), (b"go 1.26 trace\0\0\0\x63", -74),
    ]:  # fmt: skip
        path = tmp_path / "t"
        path.write_bytes(data)
        out = subprocess.run([EVENTS, path], stdout=subprocess.PIPE, text=True, timeout=10)
        assert out.returncode == 1
        last = out.stdout.splitlines()[-1].split()
        assert last[:2] == ["error", str(code)], (data, out.stdout)


def test_pipe(traceevents, textual, tmp_path):
    """From a pipe that gives little at a time the result is the same."""
    path = max(textual, key=lambda p: p.stat().st_size)
    ours(path, tmp_path / "file")
    slow = subprocess.Popen([EVENTS], stdin=subprocess.PIPE, stdout=open(tmp_path / "pipe", "wb"))
    data = pathlib.Path(path).read_bytes()
    for at in range(0, len(data), 777):
        slow.stdin.write(data[at : at + 777])
        slow.stdin.flush()
    slow.stdin.close()
    assert slow.wait(timeout=60) == 0
    assert (tmp_path / "file").read_bytes() == (tmp_path / "pipe").read_bytes()
