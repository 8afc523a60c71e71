# SPDX-License-Identifier: Apache-2.0
"""`contrace tasks` shows each task with the times that Go's own reader gives, as trees."""

import collections
import json
import subprocess

import jsonschema
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
    old_trace,
)
from programs import MIX, go_program
from support import BUILD, SRC

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("tasks")


@pytest.fixture(scope="module")
def spans(traced):
    return traced(SRC / "tests/support/spans")


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/tasks.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0, **more):
    done = subprocess.run(
        [CONTRACE, "tasks", *argv], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def ours(*argv, status=0):
    return json.loads(contrace("--json", *argv, status=status).stdout)


def theirs(gosum, table, path):
    argv = [gosum, "all-outliers", path, table]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)


def parts(work):
    """What Go's side calls the parts of a task's time."""
    assert work["other_waits_ns"] == 0
    skip = ("waits_ns", "other_waits_ns", "sites")
    got = {k[:-3]: v for k, v in work.items() if k not in skip}
    got |= {f"wait {reason}": time for reason, time in work["waits_ns"].items()}
    return {k: v for k, v in got.items() if v}


def added(works):
    total = collections.Counter()
    for work in works:
        total.update(parts(work))
    return dict(total)


def check_sites(work):
    """The sites of waits and syscalls add up to the times of their kinds."""
    sums = collections.Counter()
    for site in work["sites"]:
        sums[site["kind"]] += site["total_ns"]
    assert sums["wait"] == sum(work["waits_ns"].values())
    assert sums["syscall"] == work["syscall_ns"] and sums["standing"] == work["standing_ns"]


def key(region):
    return region["at_ns"], region["duration_ns"], region["g"], region["open"]


def compare(gosum, table, path):
    """Every task has the times, the begin, the length and the parent that Go's reader tells."""
    s, go = ours("--limit=1000", path), theirs(gosum, table, path)
    # Go's side leaves out what takes no time.
    expected = {task["task"]: task for task in go["lists"].get("tasks") or []}
    nodes = [node for tree in s["trees"] for node in tree]
    assert len({node["task"] for node in nodes}) == len(nodes)
    roots = [tree[0]["duration_ns"] for tree in s["trees"]]
    assert roots == sorted(roots, reverse=True)
    assert all(n == 0 for n in s["left_out"].values())
    for node in nodes:
        task = expected.get(node["task"])
        if task is None:
            assert node["duration_ns"] == 0
            continue
        for ours_is, theirs_is in (("at_ns", "at_ns"), ("duration_ns", "duration_ns"),
                                   ("open", "open"), ("at_start", "at_start"), ("type", "name")):  # fmt: skip
            assert node[ours_is] == task[theirs_is], node
        assert node["parent"] == task.get("parent")
        assert parts(node["work"]) == {k: v for k, v in task.get("work", {}).items() if v}, node
        check_sites(node["work"])
    if len(s["trees"]) < 1000:
        found = {node["task"] for node in nodes if node["duration_ns"] > 0}
        assert found == set(expected) and s["tasks"] == len(nodes)
    regions = {key(region) for region in go["lists"].get("regions") or []}
    for node in nodes:
        for region in node["regions"]:
            # One that ends with its goroutine has an end for Go's side alone.
            assert region["duration_ns"] == 0 or region["open"] or key(region) in regions, region
    return s


@pytest.mark.parametrize("toolchain", [TOOLCHAINS[0], REFERENCE])
def test_spans(gosum, table, traced, schema, toolchain):
    s = compare(gosum, table, traced(SRC / "tests/support/spans", toolchain))
    schema.validate(s)
    assert any(node["depth"] > 0 for tree in s["trees"] for node in tree)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, table, traced, toolchain):
    compare(gosum, table, traced(MIX, toolchain, "-s", "1"))


@pytest.mark.parametrize("name", ["annotations", "annotations-stress", "gc-stress"])
def test_programs(gosum, table, traced, name):
    compare(gosum, table, traced(go_program(name)))


def test_trees(spans):
    """The parts of a request: its children behind it, its goroutines, its regions, its logs."""
    s = ours("--type=POST /pay", "--limit=3", spans)
    assert len(s["trees"]) == 3 and s["matches"] > 3
    for tree in s["trees"]:
        root = tree[0]
        assert [node["type"] for node in tree] == ["POST /pay", "SELECT", "post", "fan out"]
        assert [node["depth"] for node in tree] == [0, 1, 1, 1]
        assert {node["parent"] for node in tree[1:]} == {root["task"]}
        assert root["own"]["func"] == "main.span" and "main.go" in root["own"]["file"]
        # What is done for a child is done for it, too.
        everybody = [g["work"] for node in tree for g in node["goroutines"]]
        assert added(everybody) == parts(root["work"])
        fan_out = tree[3]
        names = [g["name"] for g in fan_out["goroutines"]]
        assert sorted(set(names)) == sorted({"main.fanOut.func1", names[0]}) and len(names) == 4
        sleeps = [s for s in fan_out["work"]["sites"] if s["reason"] == "sleep"]
        assert [s["own"]["func"] for s in sleeps] == ["main.fanOut.func1"]
        assert [r["type"] for r in tree[2]["regions"]] == ["encode"]
        logs = [log["category"] for log in root["logs"]]
        assert "traceparent" in logs and "step" in logs


def test_open_and_older(spans):
    trees = {tree[0]["task"]: tree[0] for tree in ours("--limit=1000", spans)["trees"]}
    (hangs,) = [task for task in trees.values() if task["type"] == "hangs"]
    assert hangs["open"] and not hangs["at_start"]
    assert [task["open"] for task in trees.values() if task["at_start"]] == [True, False]
    text = contrace(spans).stdout
    assert ", not over, at " in text and ", all the time, at 0" in text and ", from before" in text


def test_type(spans):
    """Also of tasks below others."""
    s = ours("--type=ELEC", "--limit=4", spans)
    assert [tree[0]["type"] for tree in s["trees"]] == ["SELECT"] * 4
    assert all(tree[0]["parent"] for tree in s["trees"])
    none = contrace("--type=no such type", spans).stdout
    assert "no task is like that" in none


def test_id(spans):
    (tree,) = ours("--limit=1", "--type=POST /pay", spans)["trees"]
    (again,) = ours(f"--id={tree[0]['task']}", spans)["trees"]
    assert again == tree
    assert ours("--id=999999999", spans)["trees"] == []


def test_span(spans, work, traced):
    """By text, by a traceparent header, as Datadog's bytes, in decimal or hexadecimal digits."""
    whole = ours("--limit=1000", "--type=post", spans)
    logs = {}
    for tree in whole["trees"]:
        for log in tree[0]["logs"]:
            logs.setdefault(log["category"], (log["message"], tree[0]["task"]))
    span, task = logs["otel.span_id"]
    for given in (span, span.upper(), f"00-{'0' * 31}1-{span}-01"):
        (tree,) = ours("--span", given, spans)["trees"]
        assert tree[0]["task"] == task
    number, task = logs["datadog.uint64_span_id"]
    for given in (number, f"{int(number):016x}"):
        found = {tree[0]["task"] for tree in ours("--span", given, spans)["trees"]}
        assert task in found
    mix = traced(MIX, REFERENCE, "-s", "1")
    done = contrace("--json", "--span", span, mix, spans, mix)
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["file"] == str(spans)
    done = contrace("--span", "feedfacefeedface", spans, mix, status=1)
    assert done.stdout == ""
    assert "no task here has 'feedfacefeedface' in a log or in its type" in done.stderr
    done = contrace("--span", span, work / "none", spans, status=1)
    assert f"task {task}" not in done.stderr and "No such file" in done.stderr and done.stdout


def test_no_tasks(traced):
    """Says what a program has to do for it."""
    path = traced(go_program("wait-on-pipe"))
    text = contrace(path).stdout
    for word in ("No tasks.", "trace.NewTask", "OpenTelemetry", "go/flight"):
        assert word in text
    s = ours(path)
    assert s["trees"] == [] and s["tasks"] == 0


def test_many_tasks(traced):
    """Those that there is no room for are counted."""
    path = traced(SRC / "tests/support/annotator", REFERENCE, "open")
    s = ours("--limit=1000", path)
    assert s["tasks"] > 70_000 and len(s["trees"]) == 1000
    assert s["left_out"]["tasks_without_work"] > 0
    assert "were open beside too many others" in contrace(path).stdout


def test_broken_off(spans, work):
    data, path = spans.read_bytes(), work / "cut.trace"
    path.write_bytes(data[: len(data) * 3 // 4])
    s = ours(path, status=1)
    assert not s["complete"] and s["error"]["offset"] <= path.stat().st_size and s["trees"]
    done = contrace(path, status=1)
    assert "CUT" in done.stdout and "what came before is shown" in done.stderr


def test_unreadable(tmp_path, work, schema):
    (tmp_path / "page").write_bytes(b"<html>")
    (tmp_path / "old").write_bytes(old_trace(work))
    for name, error in (("none", 2), (".", 21), ("page", 42), ("old", 93)):
        s = json.loads(contrace("--json", tmp_path / name, status=1).stdout)
        schema.validate(s)
        assert s["error"]["errno"] == error
        done = contrace(tmp_path / name, status=1)
        assert done.stdout == "" and done.stderr.startswith(f"contrace: {tmp_path / name}: ")


def test_standard_input(spans):
    with subprocess.Popen(["cat", spans], stdout=subprocess.PIPE) as cat:
        piped = json.loads(contrace("--json", "-", stdin=cat.stdout).stdout)
    assert piped | {"file": 0} == ours(spans) | {"file": 0}


def test_text_fits(spans):
    plain = contrace("-n20", spans, env={"LC_ALL": "C"}).stdout
    assert plain.isascii()
    assert "made of running" in plain and "goroutine" in plain and "more; --json has all" in plain
    for line in plain.splitlines():
        assert len(line) <= 100 or "  " in line.strip(), line
    assert len(contrace("--help").stdout.splitlines()) <= 24


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        ([], "which file?"),
        (["a", "b"], "several files only with --span"),
        (["--id=0", "a"], "a task's number"),
        (["--limit=1001", "a"], "from 1 to 1000"),
        (["--id=1", "--type=a", "a"], "one of --type, --id and --span"),
        (["--span=a b", "a"], "is no id"),
    ],
)
def test_usage(argv, word):
    assert word in contrace(*argv, status=2).stderr
