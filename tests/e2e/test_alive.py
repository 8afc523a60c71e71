# SPDX-License-Identifier: Apache-2.0
"""`contrace goroutines --at` has the goroutines that Go's own reader has at that moment."""

import collections
import json
import subprocess

import jsonschema
import pytest
from gotools import TOOLCHAINS
from programs import MIX, go_program
from support import BUILD, SRC

CONTRACE = BUILD / "contrace"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("alive")


@pytest.fixture(scope="module")
def holders(traced):
    return traced(SRC / "tests/support/holders")


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/alive.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0, **more):
    done = subprocess.run(
        [CONTRACE, "goroutines", *argv], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def ours(*argv, status=0):
    return json.loads(contrace("--json", *argv, status=status).stdout)


def theirs(gosum, path, at):
    argv = [gosum, "alive", path, at]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)


def by_function(rows):
    """Sums by state and start function: a wait from before the trace has no reason in Go's."""
    found = collections.defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        sums = found[row["state"], row["name"]]
        for i, key in enumerate(("count", "at_start", "older")):
            sums[i] += row[key]
        sums[3] = max(sums[3], row["longest_ns"])
    return {key: sums for key, sums in found.items() if any(sums)}


def compare(gosum, path, at):
    given = "end" if at == "end" else f"{at // 1_000_000}ms"
    s, go = ours(f"--at={given}", path), theirs(gosum, path, str(at))
    for key, ours_is in (
        ("at_start",) * 2,
        ("count", "goroutines"),
        ("created",) * 2,
        ("ended",) * 2,
    ):
        assert go[key] == s[ours_is], key
    assert s["at_start"] + s["created"] - s["ended"] == s["goroutines"]
    assert by_function(s["groups"]) == by_function(go["places"])
    assert sum(row["count"] for row in s["groups"]) == s["goroutines"]
    assert sum(row["at_start"] for row in s["groups"]) == s["at_start"]
    assert s["left_out"] == {"goroutines": 0, "ungrouped": 0}
    oldest = max((place["oldest_ns"] for place in go["places"]), default=0)
    creators = [c for row in s["groups"] for c in row["creators"]]
    assert oldest == max((c["oldest_ns"] for c in creators), default=0)
    for row in s["groups"]:
        assert row["older"] + sum(c["count"] for c in row["creators"]) == row["count"]
    return s


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, traced, schema, toolchain):
    path = traced(MIX, toolchain, "-s", "1")
    schema.validate(compare(gosum, path, "end"))
    for ms in (0, 1, 300, 700):
        compare(gosum, path, ms * 1_000_000)


@pytest.mark.parametrize("name", ["cgo-callback", "gc-stress", "many-start-stop", "stress"])
def test_programs(gosum, traced, name):
    compare(gosum, traced(go_program(name)), "end")


def test_leak(gosum, holders):
    """Where they grow: by place, with those that were there before."""
    s = compare(gosum, holders, "end")
    row = s["groups"][0]
    assert row["own"]["func"] == row["name"] == "main.forgotten"
    assert row["state"] == "waiting" and row["reason"] == "chan receive"
    assert row["at_start"] == row["older"] == 20
    (creator,) = row["creators"]
    assert creator["own"]["func"] == "main.leak"
    assert row["count"] == 20 + creator["count"] and creator["count"] > 100
    assert 0 < creator["newest_ns"] < creator["oldest_ns"] < s["window_ns"]
    half = ours("--at=400ms", holders)["groups"][0]
    assert half["own"] == row["own"] and 20 < half["count"] < row["count"]
    assert half["at_start"] == 20


def test_text(holders):
    plain = contrace("--at=end", "--top=2", holders, env={"LC_ALL": "C"}).stdout
    s = ours("--at=end", holders)
    assert plain.isascii()
    assert f"{s['at_start']} -> {s['goroutines']:,} goroutines at the end" in plain
    for word in ("created at  main.leak", "20 older than the trace", "started as  main.forgotten",
                 "chan receive", "rows more; --top="):  # fmt: skip
        assert word in plain
    assert " → " in contrace("--at=1ms", holders, env={"LC_ALL": "C.UTF-8"}).stdout


def test_name_and_top(holders):
    whole = ours("--at=end", holders)
    s = ours("--at=end", "--name=main.", "--top=1", holders)
    fit = [row for row in whole["groups"] if "main." in row["name"]]
    assert s["groups"] == fit[:1]
    rest = {"groups": len(fit) - 1, "count": sum(row["count"] for row in fit[1:])}
    assert s["groups_left_out"] == rest
    none = contrace("--at=end", "--name=no such function", holders).stdout
    assert "no goroutine there has such a start function" in none


def test_too_late(holders, schema):
    done = contrace("--at=1h", holders, status=1)
    assert done.stdout == "" and "the trace lasts no longer than" in done.stderr
    schema.validate(ours("--at=1h", holders, status=1))


def test_broken_off(holders, work):
    data, path = holders.read_bytes(), work / "cut.trace"
    path.write_bytes(data[: len(data) * 3 // 4])
    s = ours("--at=end", path, status=1)
    assert not s["complete"] and s["goroutines"] > 0
    assert "what came before counts" in contrace("--at=end", path, status=1).stderr


def test_standard_input(holders):
    with subprocess.Popen(["cat", holders], stdout=subprocess.PIPE) as cat:
        piped = json.loads(contrace("--json", "--at=end", "-", stdin=cat.stdout).stdout)
    assert piped | {"file": 0} == ours("--at=end", holders) | {"file": 0}


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--at=noon", "a"], "'end', or a duration"),
        (["--at=end", "--each", "a"], "does not go with"),
        (["--at=end", "--sort=exec", "a"], "does not go with"),
    ],
)
def test_usage(argv, word):
    assert word in contrace(*argv, status=2).stderr
