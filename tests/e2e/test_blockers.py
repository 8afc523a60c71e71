# SPDX-License-Identifier: Apache-2.0
"""`contrace blockers` has the waits of `go tool trace -pprof=sync`, by those who ended them."""

import collections
import gzip
import json
import subprocess

import jsonschema
import pprofs
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
    old_trace,
    spoil_second_generation,
)
from programs import MIX, go_program
from support import BUILD, SRC

CONTRACE = BUILD / "contrace"
PROGRAMS = ["annotations-stress", "futile-wakeup", "gc-stress", "stress", "wait-on-pipe"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("blockers")


@pytest.fixture(scope="module")
def holders(traced):
    return traced(SRC / "tests/support/holders")


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/blockers.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0, command="blockers", **more):
    done = subprocess.run(
        [CONTRACE, command, *argv], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def ours(*argv, status=0):
    return json.loads(contrace("--json", *argv, status=status).stdout)


def profile(path, status=0):
    """Count and delay of `contrace pprof --sync`, which test_pprof.py holds against Go's."""
    argv = [CONTRACE, "pprof", "--sync", "-o", "-", path]
    done = subprocess.run(argv, capture_output=True, timeout=120)
    assert done.returncode == status
    totals = [0, 0]
    for sample in pprofs.message(gzip.decompress(done.stdout))[2]:
        values = pprofs.numbers(pprofs.message(sample)[2])
        totals = [a + b for a, b in zip(totals, values, strict=True)]
    return {"count": totals[0], "total_ns": totals[1]}


def summed(*sums):
    return {key: sum(s[key] for s in sums) for key in ("count", "total_ns")}


def check(path, status=0):
    """The totals are the profile's, and each row adds up."""
    s = ours(path, status=status)
    assert s["waits"] == profile(path, status)
    assert summed(*s["blockers"], s["by_nobody"], s["untold"]) == s["waits"]
    for row in s["blockers"]:
        assert sum(did["total_ns"] for did in row["meanwhile"]) == row["held_ns"], row
        assert 1 <= row["holds"] <= row["count"] and row["max_ns"] <= row["total_ns"]
        assert row["longest_hold_ns"] <= row["max_ns"] and row["held_ns"] <= row["total_ns"]
    return s


def wakes(gosum, path):
    argv = [gosum, "wakes", path]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)


def compare(gosum, path):
    """By the waker's start function and the reason they are those that Go's reader tells."""
    s = check(path)
    found = collections.defaultdict(lambda: [0, 0, 0])
    for row in s["blockers"]:
        sums = found[row["waker"]["name"], row["reason"]]
        sums[0] += row["count"]
        sums[1] += row["total_ns"]
        sums[2] = max(sums[2], row["max_ns"])
    expected = wakes(gosum, path)
    if s["untold"]["count"] == 0:
        by_goroutines = {(w["name"], w["reason"]): w for w in expected if w["by"]}
        assert {
            key: [w["count"], w["total_ns"], w["max_ns"]] for key, w in by_goroutines.items()
        } == dict(found)
        assert s["by_nobody"] == summed(*[w for w in expected if not w["by"]])
    return s


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, traced, schema, toolchain):
    s = compare(gosum, traced(MIX, toolchain, "-s", "1"))
    schema.validate(s)
    assert s["untold"]["count"] == 0 and len(s["blockers"]) > 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(gosum, traced, name):
    compare(gosum, traced(go_program(name)))


def test_callbacks(traced):
    """Threads of C have one number for many goroutines: the trace is read three times."""
    check(traced(go_program("cgo-callback")))


def did(row):
    return {(d["kind"], d["call"] or d["reason"]): d for d in row["meanwhile"]}


def find(s, waiter, waker):
    (row,) = [
        b
        for b in s["blockers"]
        if b["waiter"].get("own", {}).get("func") == waiter and b["waker"]["name"] == waker
    ]
    return row


def test_lock(gosum, holders):
    """Who has the mutex sleeps, writes to the disk and computes, one after the other."""
    s = compare(gosum, holders)
    row = find(s, "main.post", "main.worker")
    assert row["class"] == "lock" and row["reason"] == "sync"
    assert row["waker"]["own"]["func"] == "main.post"
    # Eight wait for one: it holds for much less than they wait, and not longer than the trace.
    assert row["held_ns"] < row["total_ns"] / 3 and row["held_ns"] <= s["window_ns"]
    meanwhile = did(row)
    slept, wrote = meanwhile["slept", "sleep"], meanwhile["syscall", "syscall.Fsync"]
    assert slept["own"]["func"] == wrote["own"]["func"] == "main.commit"
    assert slept["total_ns"] > row["holds"] * 1_500_000 and wrote["total_ns"] > 0
    assert meanwhile["ran", ""]["total_ns"] > row["holds"] * 100_000
    assert not any(kind in ("network", "waited") for kind, _ in meanwhile)


def test_all_at_once(holders):
    """Those whom one call wakes were kept waiting by one hold."""
    s = ours(holders)
    row = find(s, "main.listen", "main.tell")
    assert row["count"] > 3 * row["holds"]
    assert row["held_ns"] <= s["window_ns"] < row["total_ns"]
    assert did(row)["slept", "sleep"]["total_ns"] > row["held_ns"] * 0.8


def test_network(holders):
    """The waker of a channel's receiver waited for a peer."""
    row = find(ours(holders), "main.consume", "main.ask")
    assert did(row)["network", "network"]["total_ns"] > row["held_ns"] * 0.8
    assert did(row)["network", "network"]["own"]["func"] == "main.ask"


def test_text(holders):
    text = contrace(holders, env={"LC_ALL": "C.UTF-8"}).stdout
    for word in ("main.post", "← sync.(*Mutex).Lock", "woken by  main.worker", "meanwhile",
                 "syscall.Fsync", "slept  main.commit", "ended by no goroutine"):  # fmt: skip
        assert word in text
    plain = contrace("--top=1", holders, env={"LC_ALL": "C"}).stdout
    assert plain.isascii() and "more; --top=" in plain and plain.count("woken by") == 1
    assert len(contrace("--help").stdout.splitlines()) <= 24


def test_top(holders):
    whole, s = ours(holders), ours("--top=2", holders)
    assert s["blockers"] == whole["blockers"][:2]
    assert s["blockers_left_out"] == len(whole["blockers"]) - 2
    assert s["waits_left_out"] == summed(*whole["blockers"][2:])


def test_standing_comes_last(traced):
    s = ours(traced(SRC / "tests/support/spans"))
    standing = [row["class"] in ("listener", "parked", "tracer") for row in s["blockers"]]
    assert standing == sorted(standing)


def test_broken_off(traced, work):
    """As Go's profile: of the whole generations before it."""
    data, path = (
        traced(MIX, REFERENCE, "-s", "1").read_bytes(),
        work / "t",
    )
    path.write_bytes(data[: len(data) * 3 // 4])
    s = check(path, status=1)
    assert not s["complete"] and s["waits"]["count"] > 0
    done = contrace(path, status=1)
    assert "CUT" in done.stdout and "the sums are of the generations before that" in done.stderr
    spoilt = bytearray(data)
    spoil_second_generation(spoilt)
    path.write_bytes(spoilt)
    check(path, status=1)


def test_standard_input(holders):
    with subprocess.Popen(["cat", holders], stdout=subprocess.PIPE) as cat:
        piped = json.loads(contrace("--json", "-", stdin=cat.stdout).stdout)
    assert piped | {"file": 0} == ours(holders) | {"file": 0}


def test_unreadable(tmp_path, work, schema):
    (tmp_path / "page").write_bytes(b"<html>")
    (tmp_path / "old").write_bytes(old_trace(work))
    (tmp_path / "header").write_bytes(b"go 1.26 trace\0\0\0")
    for name in ("none", ".", "page", "old"):
        s = json.loads(contrace("--json", tmp_path / name, status=1).stdout)
        schema.validate(s)
        done = contrace(tmp_path / name, status=1)
        assert done.stdout == "" and done.stderr.startswith(f"contrace: {tmp_path / name}: ")


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["--top=0", "a"], ["--what", "a"]])
def test_usage(argv):
    assert contrace(*argv, status=2).stderr
