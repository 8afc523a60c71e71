# SPDX-License-Identifier: Apache-2.0
"""The slowest of each kind are those that Go's own reader finds, and tasks are made of the same."""

import json
import re
import subprocess

import jsonschema
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
)
from programs import MIX, go_program
from support import BUILD, SRC

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
KINDS = ["tasks", "regions", "syscalls", "runs", "latencies", "pauses"]

# Programs of Go's own trace tests.
PROGRAMS = ["annotations", "annotations-stress", "gc-stress", "stress", "wait-on-pipe"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("outliers")


@pytest.fixture(scope="module")
def spans(traced):
    return traced(SRC / "tests/support/spans")


def summary(path):
    out = subprocess.run([CONTRACE, "summary", "--json", path], stdout=subprocess.PIPE, timeout=60,
                         check=True)  # fmt: skip
    return json.loads(out.stdout)


def key(outlier):
    g = outlier["g"] if outlier["g"] is not None else -1
    at = outlier["at_ns"], outlier["duration_ns"]
    return (*at, g, outlier["open"], outlier["at_start"])


def parts(work):
    """What Go's side calls the parts of a task's time."""
    assert work["other_waits_ns"] == 0
    got = {k[:-3]: v for k, v in work.items() if k not in ("waits_ns", "other_waits_ns")}
    got |= {f"wait {reason}": time for reason, time in work["waits_ns"].items()}
    return {k: v for k, v in got.items() if v}


def compare(gosum, table, path):
    ours = summary(path)["outliers"]
    out = subprocess.run([gosum, "outliers", path, table], stdout=subprocess.PIPE, timeout=300,
                         check=True)  # fmt: skip
    go = json.loads(out.stdout)
    lists = {kind: ours[kind] for kind in KINDS} | ours["waits"]
    for kind, got in lists.items():
        expected = go["lists"].get(kind, [])
        assert [o["duration_ns"] for o in got] == [o["duration_ns"] for o in expected], kind
        # Of equal ones the last place may have another one.
        least = min((o["duration_ns"] for o in got), default=0)
        assert {key(o) for o in got if o["duration_ns"] > least} == {
            key(o) for o in expected if o["duration_ns"] > least
        }, kind
    assert ours["standing"] == go["standing"]
    tasks = {task["task"]: task for task in go["lists"].get("tasks", [])}
    for task in ours["tasks"]:
        expected = tasks.get(task["task"])
        if expected is None or (task["at_start"] and "work" not in task):
            continue
        assert task.get("parent") == expected.get("parent")
        assert task["type"] == expected["name"] and len(lists["tasks"]) == len(tasks)
        assert parts(task["work"]) == {k: v for k, v in expected["work"].items() if v}, task
    return ours


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, table, traced, toolchain):
    ours = compare(gosum, table, traced(MIX, toolchain, "-s", "1"))
    assert all(ours[kind] for kind in KINDS)
    assert ours["waits"]["lock"] and ours["waits"]["channel"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(gosum, table, traced, name):
    compare(gosum, table, traced(go_program(name)))


@pytest.mark.parametrize("toolchain", [TOOLCHAINS[0], REFERENCE])
def test_spans(gosum, table, traced, toolchain):
    """Tasks without regions, as tracing libraries make them, with children and other goroutines."""
    ours = compare(gosum, table, traced(SRC / "tests/support/spans", toolchain))
    assert ours["lost_tasks"] == ours["lost_workers"] == 0


def test_what_tasks_say(spans):
    """A request's time is that of all who worked for it; what hangs is told as such."""
    tasks = summary(spans)["outliers"]["tasks"]
    (hangs,) = [task for task in tasks if task["type"] == "hangs"]
    assert hangs["open"] and not hangs["at_start"] and hangs["func"] == "main.span"
    assert hangs["work"]["waits_ns"]["sync"] == pytest.approx(hangs["duration_ns"], rel=0.1)
    (older,) = [task for task in tasks if task["at_start"] and not task["open"]]
    assert older["at_ns"] == 0 and older["type"] == ""
    (longer,) = [task for task in tasks if task["at_start"] and task["open"]]
    assert longer["work"]["running_ns"] > 500_000
    requests = [task for task in tasks if task["type"] == "POST /pay"]
    assert requests
    for request in requests:
        work = request["work"]
        assert work["waits_ns"]["select"] > 0 and work["waits_ns"]["sleep"] > 0
        assert request["ids"]["traceparent"].startswith("00-0af7651916cd43dd")
        assert "\n" not in request["ids"].get("trace_id", "")
    ids = [task["ids"] for task in tasks if "ids" in task]
    assert {"trace_id", "span_id"} <= set().union(*ids)


def test_text(spans):
    """A short table behind the others; --top says how many rows of each kind."""
    short = subprocess.run([CONTRACE, "summary", spans], stdout=subprocess.PIPE, check=True,
                           text=True, timeout=60).stdout  # fmt: skip
    table = short[short.index("\nThe slowest") :]
    assert "task hangs" in table and ", not over\n" in table
    assert re.search(r"task \d+, .*span_id \w+.*: running [^:]*,\s+sync ", table)
    assert table.count("  run without a pause ") <= 2
    long = subprocess.run([CONTRACE, "summary", "--top=7", spans], stdout=subprocess.PIPE,
                          check=True, text=True, timeout=60).stdout  # fmt: skip
    assert long.count("\n  task POST /pay") > 2
    assert long.count("\n  runnable to run ") == 7


def test_schema(spans):
    schema = json.loads((SRC / "docs/summary.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(summary(spans))


def test_too_many_tasks(traced):
    """Work is summed up of as many as have a place; the others are counted, and told all the same."""
    ours = summary(traced(SRC / "tests/support/annotator", REFERENCE, "open"))["outliers"]
    assert ours["lost_tasks"] > 50_000
    assert all(task["open"] and task["work"] for task in ours["tasks"])
