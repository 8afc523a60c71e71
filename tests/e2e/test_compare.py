# SPDX-License-Identifier: Apache-2.0
"""contrace check and contrace diff: conditions, formats, differences, and the pipelines of
docs/DIFF.md."""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
import typed
import yaml
from gotools import build
from support import BUILD, SRC

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
SAMPLES = 3


TRIES = 40  # for a trace that a busy machine does not make ill in another way


def take(program, ill, label, path):
    for _ in range(TRIES):
        words = [program, "-ill", ill, "-trace", path, "-seconds", "0.5"]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        out = contrace("summary", "--json", path, cwd=path.parent).stdout
        if json.loads(out)["label"] == label:
            return
    pytest.fail(f"{ill} is never {label}")


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """Traces of a program that is well, before-N.trace, and of one that is ill, after-N.trace."""
    work = tmp_path_factory.mktemp("compare")
    build(SRC / "examples/ills", work / "ills")
    for i in range(SAMPLES):
        take(work / "ills", "healthy", "healthy", work / f"before-{i}.trace")
        take(work / "ills", "lock-convoy", "lock-contention", work / f"after-{i}.trace")
    return work


def contrace(*args, cwd, status=0):
    done = subprocess.run(
        [CONTRACE, *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env=dict(os.environ, LC_ALL="C.UTF-8"),
    )
    assert done.returncode == status, done
    return done


def check(traces, *conditions, files=("after-0.trace",), status=0, more=()):
    words = [f"--fail-if={condition}" for condition in conditions]
    return contrace("check", *more, *words, *files, cwd=traces, status=status)


CONVOY = "label == lock-contention"
BOTH = ("before-0.trace", "after-0.trace")


def test_conditions(traces):
    out = check(traces, CONVOY, "complete == false", files=BOTH, status=3).stdout.splitlines()
    assert out == [
        f"after-0.trace: failed: {CONVOY}: label is lock-contention",
        "1 condition true, 3 not, 0 absent",
    ]
    check(traces, 'findings["lock-contention"].score >= 0.5', status=3)
    check(traces, "findings[0].score < 0.5", CONVOY + " and window_ns < 1ms", "bytes > 1GiB")


def test_every_number_can_be_judged(traces):
    """As the summary has it: each is equal to itself, and found by its path."""

    def numbers(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from numbers(inner, f"{path}.{key}" if path else key)
        elif isinstance(value, list):
            for i, inner in enumerate(value[:2]):
                yield from numbers(inner, f"{path}[{i}]")
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
            yield f"{path} != {value}"

    out = contrace("summary", "--json", "after-0.trace", cwd=traces).stdout
    found = [n for n in numbers(json.loads(out), "") if "-" not in n.split(" ")[0]]
    assert len(found) > 200
    for i in range(0, len(found), 60):
        check(traces, *found[i : i + 60])


def test_misspelled(traces):
    err = check(traces, "scheduler.latncy.p99_ns > 1", files=BOTH, status=2).stderr
    assert "never a value scheduler.latncy.p99_ns; perhaps scheduler.latency.p99_ns" in err
    assert "another kind or unit" in check(traces, "gc.cycles > 5ms", status=2).stderr
    assert "at healthy" in check(traces, "label in healthy", status=2).stderr
    assert "which file" in contrace("check", "--fail-if=a", cwd=traces, status=2).stderr
    assert "--fail-if" in contrace("check", "after-0.trace", cwd=traces, status=2).stderr


LISTS = {
    "tasks": ["tasks"],
    "regions": ["regions"],
    "gc.stw_by_reason": ["gc", "stw_by_reason"],
    "goroutines.waits": ["goroutines", "waits"],
    "findings": ["findings"],
    "sites.net.top": ["sites", "net", "top"],
}


@pytest.mark.parametrize("name", LISTS)
def test_members_of_absent_items(traces, name):
    """Each that the schema has is absent with its item; what no item has is misspelled."""
    schema = json.loads((SRC / "docs/summary.schema.json").read_text())

    def resolve(at):
        while "$ref" in at or "allOf" in at:
            if "allOf" in at:
                parts = [resolve(part) for part in at["allOf"]]
                at = {"properties": {k: v for p in parts for k, v in p["properties"].items()}}
            else:
                at = schema["$defs"][at["$ref"].rsplit("/", 1)[1]]
        return at

    at = schema
    for key in LISTS[name]:
        at = resolve(resolve(at)["properties"][key])
    members = list(resolve(at["items"])["properties"])
    assert len(members) > 3
    out = check(traces, *(f'{name}["none"].{m} == 1' for m in members), files=["before-0.trace"])
    assert out.stdout.endswith(f"0 conditions true, 0 not, {len(members)} absent\n")
    check(traces, f'{name}["none"].ns == 1', files=["before-0.trace"], status=2)


def test_absent(traces):
    condition = 'regions["db.query"].max_ns > 50ms'
    said = f"{condition}: there is no regions"
    assert f"absent: {said}" in check(traces, condition).stdout
    assert f"failed: {said}" in check(traces, condition, status=3, more=["--require"]).stdout
    check(traces, f"{condition} or {CONVOY}", status=3)


def test_unreadable(traces):
    (traces / "page.html").write_text("<html>")
    data = (traces / "after-0.trace").read_bytes()
    (traces / "cut.trace").write_bytes(data[: len(data) * 9 // 10])
    for name in ("page.html", "nowhere.trace", "cut.trace"):
        assert name in check(traces, "bytes == 0", files=(name, *BOTH), status=1).stderr
    check(traces, CONVOY, files=("nowhere.trace", *BOTH), status=3)


def test_saved(traces):
    """What `summary --json` printed stands for the traces."""
    out = contrace("summary", "--json", *BOTH, cwd=traces).stdout
    (traces / "saved.json").write_text(out)
    assert "after-0.trace: failed" in check(traces, CONVOY, files=["saved.json"], status=3).stdout
    (traces / "other.json").write_text('{"schema": 7}\n')
    assert "is no line of" in check(traces, CONVOY, files=["other.json"], status=1).stderr


def test_github(traces):
    name = "a,b:c.trace"
    shutil.copy(traces / "after-0.trace", traces / name)
    files = ("before-0.trace", name, "nowhere.trace")
    out = check(traces, CONVOY, files=files, status=3, more=["--format=github"]).stdout
    assert out.splitlines() == [
        f"::error file=a%2Cb%3Ac.trace,title={CONVOY}::label is lock-contention",
        "::error file=nowhere.trace,title=unreadable::No such file or directory",
    ]


def test_junit(traces):
    conditions = (CONVOY, "window_ns > 1h & 1", 'tasks["<x>"].count > 1', "complete")
    check(traces, conditions[1], status=2)
    out = check(
        traces, CONVOY, conditions[2], files=(*BOTH, "no"), status=3, more=["--format=junit"]
    )
    suite = ET.fromstring(out.stdout)
    assert suite.attrib == {
        "name": "contrace",
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }
    cases = suite.findall("testcase")
    assert [[e.tag for e in case] for case in cases] == [
        [],
        ["skipped"],
        ["failure"],
        ["skipped"],
        ["error"],
    ]
    assert cases[1].attrib == {"classname": "before-0.trace", "name": conditions[2]}


def test_json(traces):
    out = json.loads(
        check(traces, CONVOY, "gc.cycles > 1G", status=3, more=["--format=json"]).stdout
    )
    assert out["failed"] is True
    assert [c["result"] for c in out["checks"]] == ["true", "false"]
    assert out["checks"][0]["values"] == {"label": "lock-contention"}
    assert isinstance(out["checks"][1]["values"]["gc.cycles"], int)


BEFORE = [f"before-{i}.trace" for i in range(SAMPLES)]
AFTER = [f"after-{i}.trace" for i in range(SAMPLES)]


def test_worse(traces):
    out = contrace("diff", *BEFORE, "--", *AFTER, cwd=traces).stdout
    first, second = out.splitlines()[:2]
    assert first.startswith("worse") and "new finding lock-contention" in first
    assert second == "3 traces → 3; labels: healthy 3 → lock-contention 3"
    came = out.split("Came:\n")[1].split("\n\n")[0]
    assert re.search(r"lock or channel +main\.\(\*ledger\)\.post +3 of 3", came)
    assert all(len(line) <= 100 for line in out.splitlines()[1:])


def test_same(traces):
    """Of the same files nothing can differ, whatever the machine did meanwhile."""
    out = contrace("diff", *BEFORE, "--", *BEFORE, "--fail-if=verdict != same", cwd=traces).stdout
    assert out.splitlines()[0] == "no difference beyond the spread"
    assert (
        "NUMBER" not in out
        and "NUMBER" in contrace("diff", "-a", *BEFORE, "--", *BEFORE, cwd=traces).stdout
    )


def test_one_sample(traces):
    out = contrace("diff", *BOTH, cwd=traces).stdout
    assert "one sample each: no spread is known" in out
    out = contrace("diff", *BEFORE[:2], "--", *AFTER, cwd=traces).stdout
    assert "2 and 3 samples: no spread is known below 3 each" in out


def test_diff_json(traces):
    """The medians are those of the summaries."""
    out = json.loads(contrace("diff", "--json", *BEFORE, "--", *AFTER, cwd=traces).stdout)
    assert out["verdict"] in ("worse", "mixed") and out["new_findings"] >= 1
    shown = contrace("summary", "--json", *BEFORE, cwd=traces).stdout.splitlines()
    values = sorted(json.loads(line)["scheduler"]["latency"]["p99_ns"] for line in shown)
    row = out["diff"]["scheduler.latency.p99_ns"]
    assert [row["before_min"], row["before"], row["before_max"]] == values
    assert row["delta"] == row["after"] - row["before"]
    rates = sorted(
        s["goroutines"]["created"] * 1e9 / s["window_ns"] for s in map(json.loads, shown)
    )
    assert out["diff"]["goroutines.created"]["before"] == pytest.approx(rates[1])
    only = {(o["kind"], o["name"]): o["moved"] for o in out["only"]}
    assert only["finding", "lock-contention"] == "came"


def test_diff_conditions(traces):
    def diff(condition, status, *more):
        words = ("diff", *more, *BEFORE, "--", *AFTER, f"--fail-if={condition}")
        return contrace(*words, cwd=traces, status=status)

    said = diff("new_findings > 0", 3).stdout.splitlines()[-1]
    assert said.startswith("diff: failed: new_findings > 0: new_findings is ")
    diff('diff["goroutines.created"].ratio > 1000', 0)
    diff('only["lock-contention"].moved == came', 3)
    diff('diff["tasks[\\"pay\\"].p99_ns"].ratio > 2', 0)
    diff('diff["tasks[\\"pay\\"].p99_ns"].ratio > 2', 3, "--require")
    diff('diff["scheduler.latncy.p99_ns"].ratio > 2', 2)
    assert json.loads(diff("new_findings > 0", 3, "--json").stdout)["checks"][0]["result"] == "true"


def test_diff_refused(traces):
    for words in ([], ["a"], ["a", "b", "c"], ["--", "a"], ["a", "--"]):
        assert "which traces" in contrace("diff", *words, cwd=traces, status=2).stderr
    assert (
        "nothing can be compared"
        in contrace("diff", "nowhere", "--", *AFTER, cwd=traces, status=1).stderr
    )
    contrace("diff", "nowhere", *BEFORE, "--", *AFTER, cwd=traces, status=1)


def keep(spool, traces, time, name):
    """In a spool, as contraced has it."""
    path = spool / f"archive/shop/web-1/20261201/{time}-7.trace"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(traces / name, path)


TYPED_IN = """
contrace() {
    case $1 in
    pull) command contrace "$@" --local --storage.path=spool ;;
    *) command contrace "$@" ;;
    esac
}
"""


@pytest.mark.parametrize("block", typed.blocks("docs/DIFF.md"), ids=lambda b: b.name()[:40])
def test_page(traces, tmp_path, block):
    """What the page has one type prints what it says, and ends so."""
    shutil.copy(traces / "after-0.trace", tmp_path / "convoy.trace")
    shutil.copy(traces / "before-0.trace", tmp_path / "a.trace")
    shutil.copy(traces / "after-0.trace", tmp_path / "b.trace")
    for i in range(SAMPLES):
        shutil.copy(traces / f"before-{i}.trace", tmp_path)
        shutil.copy(traces / f"after-{i}.trace", tmp_path)
        keep(tmp_path / "spool", traces, f"11590{i}", f"before-{i}.trace")
        keep(tmp_path / "spool", traces, f"12010{i}", f"after-{i}.trace")
    if block.language not in typed.TYPED:
        assert block.language == "yaml"  # see test_pipelines
        return
    for command in typed.commands(block):
        done = subprocess.run(
            ["bash", "-c", TYPED_IN + command.text],
            cwd=tmp_path,
            env=dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", LC_ALL="C.UTF-8"),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in (0, 3), done
        assert "healthy" in done.stdout or "contention" in done.stdout
        if "pull" in command.text:
            assert "3 traces → 3; labels: healthy 3 → lock-contention 3" in done.stdout
        shapes = [typed.shape(line) for line in done.stdout.splitlines()]
        head = [line for line in command.sample if line.startswith(("convoy", "1 condition", "3 "))]
        assert all(typed.shape(line) in shapes for line in head)


def commands():
    """Those of the pipelines in the documentation that are contrace's."""
    text = (SRC / "docs/DIFF.md").read_text()
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for job in (yaml.safe_load(block).get("jobs") or yaml.safe_load(block)).values():
            steps = [step.get("run", "") for step in job.get("steps", [])] + job.get("script", [])
            yield from (step for step in steps if step.startswith("contrace "))


@pytest.mark.parametrize("command", list(commands()))
def test_pipelines(traces, tmp_path, command):
    """They pass where nothing changed, and fail where the change is ill."""
    for ill in (False, True):
        for i in range(SAMPLES):
            shutil.copy(traces / f"before-{i}.trace", tmp_path / f"before-{i}.trace")
            after = f"{'after' if ill else 'before'}-{i}.trace"
            shutil.copy(traces / after, tmp_path / f"after-{i}.trace")
        path = f"{BUILD}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=tmp_path,
            env=dict(os.environ, PATH=path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == (3 if ill else 0), done


def test_pipelines_are_there():
    assert len(list(commands())) == 4


@pytest.mark.parametrize("command", ["check", "diff"])
def test_help_fits_a_screen(command, tmp_path):
    lines = contrace(command, "--help", cwd=tmp_path).stdout.splitlines()
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines)
    assert any(f"contrace {command}" in line and ".trace" in line for line in lines)
