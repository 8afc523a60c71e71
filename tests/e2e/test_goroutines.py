# SPDX-License-Identifier: Apache-2.0
"""`contrace goroutines` gives the times that Go's Summarizer gives, to the nanosecond, for each
goroutine and for each group by start function.

tests/support/gosum runs the Summarizer of Go's internal/trace over the same trace.
"""

import json
import re
import subprocess

import jsonschema
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
    spoil_second_generation,
)
from programs import go_program
from support import BUILD, SRC

CONTRACE = BUILD / "contrace"
# Programs of Go's own trace tests. In cgo-callback a goroutine's number is used again and again.
PROGRAMS = [
    "annotations", "annotations-stress", "cgo-callback", "cpu-profile", "futile-wakeup",
    "gc-stress", "gomaxprocs", "iter-pull", "many-start-stop", "stacks", "stress",
    "stress-start-stop", "wait-on-pipe",
]  # fmt: skip
SUMS = ["total_ns", "exec_ns", "sched_wait_ns", "syscall_ns", "syscall_block_ns", "unknown_ns"]
INACTIVE = "(Inactive, no stack trace sampled)"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("goroutines")


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/goroutines.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0, **more):
    done = subprocess.run(
        [CONTRACE, "goroutines", *argv], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def ours(path, *options, status=0):
    return json.loads(contrace("--json", *options, path, status=status).stdout)


def theirs(gosum, path):
    argv = [gosum, "goroutines", path]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)


def simplified(row):
    """A row of ours in the form of gosum's."""
    blocks = {share["reason"]: share["total_ns"] for share in row["blocks"]}
    ranges = {share["name"]: share["total_ns"] for share in row["ranges"]}
    assert row["block_ns"] == sum(blocks.values())
    assert row["assist_ns"] == ranges.get("GC mark assist", 0)
    assert row["sweep_ns"] == ranges.get("GC incremental sweep", 0)
    stopped = [ns for name, ns in ranges.items() if name.startswith("stop-the-world (")]
    assert row["stw_ns"] == sum(stopped)
    same = ("count", "g", "name", "created_ns", "started_ns", "ended_ns")
    kept = {key: row[key] for key in (*SUMS, *same) if key in row}
    return kept | {"blocks": blocks, "ranges": ranges}


def compare(gosum, path, status=0):
    s = ours(path, "--each", status=status)
    go = theirs(gosum, path)
    go["list"] = go["list"] or []
    assert (s["error"] is None) == (go["error"] == "") == s["complete"] == (status == 0)
    assert s["window_ns"] == go["window_ns"]
    groups = {row["name"]: simplified(row) for row in s["groups"]}
    assert len(groups) == len(s["groups"])
    for name, group in groups.items():
        del group["name"]
        assert group == go["groups"][name], f"{path.name}: {name}"
    assert groups.keys() == go["groups"].keys()
    assert s["goroutines"] == sum(row["count"] for row in s["groups"]) == len(go["list"])
    assert s["exec_ns"] == sum(row["exec_ns"] for row in s["groups"])
    assert s["left_out"] == {"goroutines": 0, "undivided_ns": 0}
    one_by_one = {row["g"]: row for row in go["list"]}
    assert len(s["list"]) + s["list_left_out"] == len(go["list"])
    for row in s["list"]:
        assert simplified(row) == one_by_one[row["g"]], path.name
    totals = sorted((row["total_ns"] for row in go["list"]), reverse=True)
    assert [row["total_ns"] for row in s["list"]] == totals[: len(s["list"])]
    return s


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, mix, schema, toolchain):
    s = compare(gosum, mix(toolchain))
    assert s["generations"] >= 3 and len(s["groups"]) > 10
    ranges = {share["name"] for row in s["groups"] for share in row["ranges"]}
    assert {"GC mark assist", "GC incremental sweep"} <= ranges
    assert sum(row["syscall_block_ns"] for row in s["groups"]) > 0
    schema.validate(s)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(gosum, traced, name):
    compare(gosum, traced(go_program(name)))


@pytest.mark.parametrize("toolchain", TOOLCHAINS[:-1])
@pytest.mark.parametrize("name", ["cgo-callback", "gc-stress", "stress"])
def test_programs_of_other_toolchains(gosum, traced, name, toolchain):
    compare(gosum, traced(go_program(name), toolchain))


def test_corpus(gosum, textual, schema):
    """Go's textual test traces: states before the trace, threads that vanish, Ps that are stolen."""
    seen = 0
    for path, verdict in textual.items():
        if verdict == "SUCCESS":
            schema.validate(compare(gosum, path))
            seen += 1
        elif "format" in json.loads(contrace("--json", path, status=1).stdout):
            compare(gosum, path, status=1)
    assert seen >= 15


def test_broken_off(gosum, mix, work):
    """What came before counts, as in Go; the exit status and a message say that it is cut."""
    for toolchain in ["go1.22.12", REFERENCE]:
        data, path = mix(toolchain).read_bytes(), work / "cut.trace"
        path.write_bytes(data[: len(data) * 3 // 4])
        s = compare(gosum, path, status=1)
        assert s["error"]["offset"] <= path.stat().st_size
        done = contrace(path, status=1)
        assert "CUT" in done.stdout
        assert f"(offset {s['error']['offset']}); what came before is summed up" in done.stderr
    data = bytearray(mix(REFERENCE).read_bytes())
    spoil_second_generation(data)
    path.write_bytes(data)
    compare(gosum, path, status=1)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"go 1.21 trace\0\0\0abc", b"go 1.29 trace\0\0\0", b"go 1.26 trace\0\0\0"]
)  # fmt: skip
def test_no_trace(tmp_path, data):
    (tmp_path / "t").write_bytes(data)
    done = contrace(tmp_path / "t", status=1)
    assert done.stdout == ""
    assert done.stderr.startswith(f"contrace: {tmp_path}/t: ") and done.stderr.count("\n") == 1


def test_unreadable(tmp_path, schema):
    assert "No such file" in contrace(tmp_path / "none", status=1).stderr
    assert "Is a directory" in contrace(tmp_path, status=1).stderr
    (tmp_path / "page").write_bytes(b"<html>")
    for name, error in (("none", 2), (".", 21), ("page", 42)):
        done = contrace("--json", tmp_path / name, status=1)
        s = json.loads(done.stdout)
        schema.validate(s)
        assert s["error"]["errno"] == error and s["error"]["text"] in done.stderr


def test_standard_input(mix):
    path = mix(REFERENCE)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        piped = json.loads(contrace("--json", "-", stdin=cat.stdout).stdout)
    assert piped | {"file": 0} == ours(path) | {"file": 0}


def test_full_disk(mix):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [CONTRACE, "goroutines", mix(REFERENCE)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 1 and b"No space left" in done.stderr


SORTS = {
    "count": "count", "total": "total_ns", "exec": "exec_ns", "sched-wait": "sched_wait_ns",
    "block": "block_ns", "syscall": "syscall_ns", "syscall-block": "syscall_block_ns",
    "unknown": "unknown_ns", "assist": "assist_ns", "sweep": "sweep_ns", "stw": "stw_ns",
}  # fmt: skip


def blocked(row, reason):
    return sum(share["total_ns"] for share in row["blocks"] if share["reason"] == reason)


def check_order(s, key, reverse):
    for rows in (s["groups"], s["list"]):
        values = [key(row) for row in rows]
        assert values == sorted(values, reverse=not reverse)


def test_sort_by_what_is_printed(mix):
    path = mix(REFERENCE)
    heads = contrace(path).stdout.split("COUNT")[1].split("START")[0].replace("%", "").split()
    names = ["exec", "sched-wait", "block", "syscall", "syscall-block", "total"]
    for head, name in zip(heads, names, strict=True):
        assert ours(path, "--sort", head, "--each") == ours(path, "--sort", name, "--each")


@pytest.mark.parametrize("sort", SORTS)
def test_sort(mix, sort):
    field = SORTS[sort]
    path = mix(REFERENCE)
    assert ours(path, "--sort", sort.upper(), "--each") == ours(path, "--sort", sort, "--each")
    for reverse in ([], ["--reverse"]):
        s = ours(mix(REFERENCE), "--sort", sort, "--name=main.", *reverse)
        check_order(s, lambda row: row.get(field, row["total_ns"]), bool(reverse))


def test_sort_by_reason(mix):
    path = mix(REFERENCE)
    whole = ours(path, "--each")
    reasons = {share["reason"] for row in whole["groups"] for share in row["blocks"]}
    for reason in reasons - {""}:
        s = ours(path, "--sort", reason, "--each", "-n5")
        check_order(s, lambda row, reason=reason: blocked(row, reason), False)
        most = sorted((blocked(row, reason) for row in whole["list"]), reverse=True)
        assert [blocked(row, reason) for row in s["list"]] == most[:5]
        text = contrace("--sort", reason, "-n2", path).stdout
        assert text.count("SORTED BY") == 1
    assert "SORTED BY" not in contrace("--sort=syscall-block", path).stdout
    done = contrace("--sort=nonsense", path, status=2)
    assert "'nonsense' is no column, and no goroutine blocked for that reason" in done.stderr


def test_top(mix):
    """What is not shown is counted."""
    path = mix(REFERENCE)
    whole, s = ours(path, "--each"), ours(path, "--top=3", "--each")
    assert s["groups"] == whole["groups"][:3] and s["list"] == whole["list"][:3]
    assert s["list_left_out"] == whole["goroutines"] - 3
    rest = whole["groups"][3:]
    assert s["groups_left_out"] == {
        "groups": len(rest),
        "count": sum(row["count"] for row in rest),
        "exec_ns": sum(row["exec_ns"] for row in rest),
    }
    text = contrace("--top=3", path).stdout
    assert f"({len(rest)} groups more; --top={len(whole['groups'])} shows all)" in text
    text = contrace("--top=3", "--each", path).stdout
    count = whole["goroutines"]
    most = min(count, 10_000)
    shows = f"--top={most} shows {'all' if count == most else 'as many as may be'}"
    assert text.endswith(f"\n  ({count - 3:,} goroutines more; {shows})\n")
    text = contrace(f"--top={most}", "--each", path).stdout
    assert text.count(" more") == (count > most)


def test_name(mix):
    path = mix("go1.22.12")
    whole, s = ours(path, "--each"), ours(path, "--name", "main.(*mix)")
    assert "list" not in ours(path)
    assert s["groups"] == [row for row in whole["groups"] if "main.(*mix)" in row["name"]]
    assert s["list"] == [row for row in whole["list"] if "main.(*mix)" in row["name"]] != []
    inactive = ours(path, "--name", "Inactive")
    assert {row["name"] for row in inactive["groups"] + inactive["list"]} == {""}
    none = ours(path, "--name", "no such function")
    assert none["groups"] == none["list"] == [] and none["exec_ns"] == whole["exec_ns"]
    assert "no start function has that" in contrace("--name", "no such function", path).stdout
    assert INACTIVE in contrace("-n1000", path).stdout


def test_text(mix):
    path = mix(REFERENCE)
    plain = contrace("-n1000", path, env={"LC_ALL": "C"}).stdout
    assert "µs" in contrace(path, env={"LC_ALL": "C.UTF-8"}).stdout and plain.isascii()
    for line in plain.splitlines():
        assert len(line) <= 101 or re.search(rf"  ({re.escape(INACTIVE)}|[^ ]+)$", line), line
    for word in ("COUNT", "START FUNCTION", "main.(*mix)", "blocked  ", "ranges   ", "complete"):
        assert word in plain
    listed = contrace("--name=main.", "-n4", path).stdout
    rows = listed[listed.index("GOROUTINE") :].splitlines()
    assert len(rows) == 1 + 4 + 1 and " goroutines more; --top=" in rows[5]
    for row in rows[1:5]:
        assert re.search(r"^ +\d+ .*  main\.\S+$", row), row


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["--top=0", "a"], ["--what", "a"]])
def test_usage(argv):
    assert contrace(*argv, status=2).stderr
