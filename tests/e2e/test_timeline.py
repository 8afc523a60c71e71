# SPDX-License-Identifier: Apache-2.0
"""`contrace timeline`: its lines add up to what Go's Summarizer says of the whole trace, to the
nanosecond; so does what it writes for Perfetto, which is read by Perfetto's own proto files.

tests/support/gosum runs the Summarizer of Go's internal/trace over the same trace.
"""

import collections
import json
import os
import re
import signal
import subprocess
import time

import jsonschema
import pftrace
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
    build,
    spoil_second_generation,
)
from programs import go_program
from support import BUILD, SRC

CONTRACE = BUILD / "contrace"
PROGRAMS = [
    "annotations", "annotations-stress", "cpu-profile", "futile-wakeup", "gc-stress", "gomaxprocs",
    "iter-pull", "many-start-stop", "stacks", "stress", "stress-start-stop", "wait-on-pipe",
]  # fmt: skip
MS = 1_000_000


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("timeline")


@pytest.fixture(scope="module")
def stopped(work):
    """A trace of a program that is stopped for 70 of each 100 ms, as a CPU quota does it."""
    build(SRC / "examples/ills", work / "ills")
    path = work / "stopped.trace"
    argv = [work / "ills", "-ill", "throttled", "-trace", path, "-seconds", "1"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as program:
        while program.poll() is None:
            time.sleep(0.03)
            os.kill(program.pid, signal.SIGSTOP)
            time.sleep(0.07)
            os.kill(program.pid, signal.SIGCONT)
    return path


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/timeline.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0, command="timeline", **more):
    done = subprocess.run(
        [CONTRACE, command, *argv], capture_output=True, text=True, timeout=120, **more
    )
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def lines(path, *options, status=0):
    return json.loads(contrace("--json", *options, path, status=status).stdout)


def summary(path, status=0):
    return json.loads(contrace("--json", path, status=status, command="summary").stdout)


def theirs(gosum, path, what):
    argv = [gosum, what, path]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)


def total(s, key):
    return sum(line[key] for line in s["lines"])


def check_lines(s, go, path, status=0):
    """The lines follow each other without a gap, and add up to the Summarizer's numbers."""
    assert s["complete"] == (status == 0)
    at = s["since_ns"]
    for line in s["lines"]:
        assert line["at_ns"] == at and 0 < line["duration_ns"] <= s["step_ns"]
        at += line["duration_ns"]
    assert at == s["until_ns"]
    by_list = collections.Counter()
    for row in go["list"] or []:
        for key in ("exec_ns", "sched_wait_ns", "syscall_ns", "syscall_block_ns"):
            by_list[key] += row[key]
        by_list["block_ns"] += sum(row["blocks"].values())
    lost = by_list["exec_ns"] - total(s, "running_ns")
    # Nothing runs while all is frozen.
    assert lost == 0 or (lost > 0 and s["freezes"] > 0)
    states = contrace("--json", path, status=status, command="summary").stdout
    states = json.loads(states)["goroutines"]["states"]
    assert total(s, "runnable_ns") == states["runnable_ns"]
    assert total(s, "syscall_ns") == states["in_syscall_ns"]
    blocked = sum(sum(line["blocked_ns"].values()) for line in s["lines"])
    assert blocked == states["waiting_ns"] == by_list["block_ns"]


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_lines(gosum, mix, schema, toolchain):
    path = mix(toolchain)
    for options in ((), ("--step=10ms",), ("--step=7ms",), ("--step=10s",)):
        s = lines(path, *options)
        schema.validate(s)
        check_lines(s, theirs(gosum, path, "goroutines"), path)
        go = theirs(gosum, path, "all")
        assert s["until_ns"] == go["window_ns"]
        assert total(s, "mark_ns") == go["mark_ns"]
        assert total(s, "stw_ns") == sum(kind["total_ns"] for kind in go["stw"].values())
    gc = summary(path)["gc"]
    assert (
        max(line["heap_bytes"] or 0 for line in lines(path, "--step=1ms")["lines"])
        <= (gc["heap_max_bytes"])
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(gosum, traced, work, name):
    path = traced(go_program(name))
    check_lines(lines(path), theirs(gosum, path, "goroutines"), path)
    check_file(gosum, path, export(path, work / f"{name}.pftrace"))


def test_steps(mix):
    """10 ms to a line, 50 ms, 100 ms: as few lines as fit a screen, unless the user says so."""
    path = mix(REFERENCE)
    s = lines(path)
    assert s["step_ns"] == 50 * MS and len(s["lines"]) <= 60
    s = lines(path, "--since=100ms", "--until=300ms")
    assert s["step_ns"] == 10 * MS and len(s["lines"]) == 20
    assert (s["since_ns"], s["until_ns"]) == (100 * MS, 300 * MS)
    whole = lines(path, "--step=10ms")
    assert s["lines"] == whole["lines"][10:30]


def test_frozen(stopped):
    """The grid of a quota of 30 ms in 100 is there at a glance: by its frozen pieces."""
    s = lines(stopped)
    silences = summary(stopped)["silences"]
    assert s["freezes"] == silences["count"] >= 5
    assert total(s, "frozen_ns") == silences["total_ns"]
    text = contrace(stopped, env={"LC_ALL": "C.UTF-8"}).stdout
    strips = "".join(re.findall(r"^ *\d+  \|(.{10})\|", text, re.MULTILINE))
    assert len(re.findall("×{5,}", strips)) >= 5
    plain = contrace(stopped, env={"LC_ALL": "C"}).stdout
    assert plain.isascii() and "xxxxx" in plain and "frozen" in plain
    for line in plain.splitlines()[1:]:
        assert len(line) <= 100, line


def export(path, out, *options, status=0):
    contrace("--force", "-o", out, *options, path, status=status)
    return pftrace.read(out)


def check_chosen(go, file):
    """The states of each chosen goroutine: the Summarizer's times."""
    by_g = {row["g"]: row for row in go["list"]}
    sums = collections.defaultdict(collections.Counter)
    for s in file.of("goroutines"):
        if not s.track.endswith("mark assist"):
            sums[int(s.track.split()[1])][s.name] += s.ns
    for g, states in sums.items():
        row = by_g[g]
        assert states["running"] == row["exec_ns"]
        blocks = {
            name.removeprefix("blocked").removeprefix(": "): ns
            for name, ns in states.items()
            if name.startswith("blocked") and ns > 0 and name != "blocked: forever"
        }
        assert blocks == {reason: ns for reason, ns in row["blocks"].items() if ns > 0}
        assert states["system call"] == row["syscall_ns"] + row["syscall_block_ns"]
    return len(sums)


def check_file(gosum, path, file):
    go, rows = theirs(gosum, path, "all"), theirs(gosum, path, "goroutines")
    rows["list"] = rows["list"] or []
    on_ps = sum(s.ns for s in file.of("Ps", 0)) - sum(s.ns for s in file.of("Ps", 1))
    assert on_ps == sum(row["exec_ns"] for row in rows["list"])
    assert all(s.name == "system call" for s in file.of("Ps", 1)) and file.of("Ps", 2) == []
    check_chosen(rows, file)
    for group, kinds in (("tasks", go["tasks"]), ("regions", go["regions"])):
        counts, sums = collections.Counter(), collections.Counter()
        for s in file.of(group):
            counts[s.name] += 1
            sums[s.name] += s.ns
        for name, kind in kinds.items():
            # What does not end in the trace is shown up to its end; Go counts it apart.
            assert counts[name] >= kind["count"], (group, name)
            if kind["open"] == 0:
                assert (counts[name], sums[name]) == (kind["count"], kind["total_ns"]), name
    collector = collections.Counter()
    for s in file.of("garbage collector"):
        collector[s.track] += s.ns
    assert collector["mark phase"] == go["mark_ns"]
    assert collector["stop the world"] == sum(kind["total_ns"] for kind in go["stw"].values())
    assert len(file.samples) == go["kinds"].get("StackSample", 0)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_file(gosum, mix, work, toolchain):
    path, out = mix(toolchain), work / "mix.pftrace"
    file = export(path, out)
    check_file(gosum, path, file)
    assert out.stat().st_size <= path.stat().st_size
    assert len({s.track for s in file.of("goroutines") if "assist" not in s.track}) == 20
    names = {s.name for s in file.of("Ps", 0)}
    assert {"main.main", "main.(*mix).each.func1"} <= names
    assert all(s.values["goroutine"] > 0 for s in file.of("Ps", 0))
    assert {s.name for s in file.of("tasks")} >= {"task0", "as long as the trace"}
    assert any("mark assist" in s.track for s in file.of("goroutines"))
    s = summary(path)
    assert (file.wall or 0) == (s["wall_start_ns"] or 0)
    assert {"heap", "heap goal", "Ps", "runnable goroutines"} <= set(file.counters)
    assert (
        max(v for _, v in file.counters["runnable goroutines"]) == (s["scheduler"]["runnable_max"])
    )
    assert max(v for _, v in file.counters["heap"]) == s["gc"]["heap_max_bytes"]


def test_samples(mix, work):
    """CPU samples have whole stacks, the outermost frame first, and name their goroutine."""
    file = export(mix(REFERENCE), work / "samples.pftrace")
    assert file.samples
    for _, sample in file.samples:
        frames = [frame.function_name for frame in sample.callstack.frames]
        assert frames and all(frames)
        if sample.task_context.async_id:
            assert file.goroutines[sample.task_context.async_id].startswith(
                f"G {sample.task_context.async_id} "
            )
    assert any(s.callstack.frames[0].function_name == "runtime.goexit" for _, s in file.samples)


def test_part(mix, work):
    """A part is what the whole has there: what goes on at its begin or end is cut."""
    path = mix(REFERENCE)
    whole, part = (
        export(path, work / "part.pftrace", *options)
        for options in ((), ("--since=200ms", "--until=400ms"))
    )
    since, until = (whole.start + ms * MS for ms in (200, 400))
    for group in ("Ps", "garbage collector", "tasks", "regions"):
        cut = collections.Counter()
        for s in whole.of(group):
            begin, end = max(s.begin, since), min(s.end, until)
            if begin < end:
                cut[s.name, s.depth] += end - begin
        there = collections.Counter()
        for s in part.of(group):
            assert since <= s.begin and s.end <= until
            there[s.name, s.depth] += s.ns
        assert +there == cut and cut, group
    for values in part.counters.values():
        assert all(since <= at <= until for at, _ in values)
    assert len(part.samples) == sum(since <= at < until for at, _ in whole.samples)


def outliers(path):
    """How many may be chosen, by the message about one too many."""
    done = contrace("--around=outlier:1000", path, status=2)
    return int(re.search(r"there is no outlier:1000; the last is outlier:(\d+)$", done.stderr)[1])


def test_around(mix, work):
    path = mix(REFERENCE)
    first = summary(path)["outliers"]["tasks"][0]
    s = lines(path, "--around=outlier:1")
    margin = max(first["duration_ns"] // 2, 10 * MS)
    assert s["since_ns"] == max(first["at_ns"] - margin, 0)
    window = summary(path)["window_ns"]
    assert s["until_ns"] == min(first["at_ns"] + first["duration_ns"] + margin, window)
    rows = contrace(path, command="summary").stdout.split("The slowest")[1].splitlines()
    assert rows[1].startswith("  task as long as the trace")
    n = outliers(path)
    assert n >= 5
    contrace("--around", f"outlier:{n}", path)
    file = export(path, work / "around.pftrace", "--around=outlier:2", "-n1")
    g = summary(path)["outliers"]["tasks"][1]["g"]
    assert {s.track.split()[1] for s in file.of("goroutines")} == {str(g)}


def test_corpus(work, textual):
    """Go's textual test traces: states before the trace, threads that vanish, Ps that are stolen."""
    seen = 0
    for path, verdict in textual.items():
        if verdict == "SUCCESS":
            export(path, work / "corpus.pftrace")
            states = summary(path)["goroutines"]["states"]
            s = lines(path)
            assert total(s, "running_ns") == states["running_ns"], path.name
            assert total(s, "runnable_ns") == states["runnable_ns"], path.name
            seen += 1
    assert seen >= 15


def test_broken_off(gosum, mix, work):
    """What came before counts, as in Go; the exit status and a message say that it is cut."""
    data, path = bytearray(mix(REFERENCE).read_bytes()), work / "cut.trace"
    for spoil in (lambda data: data[: len(data) * 3 // 4], spoiled):
        path.write_bytes(spoil(data))
        s = lines(path, status=1)
        check_lines(s, theirs(gosum, path, "goroutines"), path, status=1)
        done = contrace(path, status=1)
        assert "CUT" in done.stdout and "; the lines are of what came before" in done.stderr
        done = contrace("-f", "-o", work / "cut.pftrace", path, status=1)
        assert "; what came before is written" in done.stderr
        assert pftrace.read(work / "cut.pftrace").of("Ps")


def spoiled(data):
    data = bytearray(data)
    spoil_second_generation(data)
    return data


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"go 1.21 trace\0\0\0abc", b"go 1.29 trace\0\0\0", b"go 1.26 trace\0\0\0"]
)  # fmt: skip
def test_no_trace(tmp_path, data):
    (tmp_path / "t").write_bytes(data)
    for options in ((), ("-o", tmp_path / "out.pftrace")):
        done = contrace(*options, tmp_path / "t", status=1)
        assert done.stdout == ""
        assert done.stderr.startswith(f"contrace: {tmp_path}/t: ") and done.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_json_of_failures(tmp_path, schema):
    (tmp_path / "page").write_bytes(b"<html>")
    for name, error in (("none", 2), (".", 21), ("page", 42)):
        s = json.loads(contrace("--json", tmp_path / name, status=1).stdout)
        schema.validate(s)
        assert s["error"]["errno"] == error


def test_existing_file(mix, tmp_path):
    """Only --force replaces a file, and a failure leaves it as it was."""
    out = tmp_path / "out.pftrace"
    out.write_bytes(b"mine")
    done = contrace("-o", out, mix(REFERENCE), status=1)
    assert f"{out} exists; --force replaces it" in done.stderr and out.read_bytes() == b"mine"
    (tmp_path / "bad").write_bytes(b"<html>")
    contrace("-f", "-o", out, tmp_path / "bad", status=1)
    contrace("-f", "-o", out, "--since=1h", mix(REFERENCE), status=2)
    assert out.read_bytes() == b"mine"
    contrace("-f", "-o", out, mix(REFERENCE))
    assert pftrace.read(out).slices
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad", "out.pftrace"]


def test_pipes(mix, tmp_path):
    """From standard input and to standard output it is the same."""
    path, out = mix(REFERENCE), tmp_path / "out.pftrace"
    contrace("-o", out, path)
    for name in (path, "-"):
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
            argv = [CONTRACE, "timeline", "-o", "-", name]
            done = subprocess.run(argv, stdin=cat.stdout, capture_output=True, timeout=120)
        assert done.returncode == 0 and done.stdout == out.read_bytes()
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        piped = json.loads(contrace("--json", "--around=outlier:1", "-", stdin=cat.stdout).stdout)
    assert piped | {"file": 0} == lines(path, "--around=outlier:1") | {"file": 0}


@pytest.mark.parametrize("options", [["--json"], ["--json", "--lines=250"], ["-o", "-"]])
def test_sandbox(mix, tmp_path, options):
    """With no rights but standard input the same is printed; what is no trace has a status of its own."""
    path = mix(REFERENCE)
    ours = subprocess.run([CONTRACE, "timeline", *options, path], capture_output=True, check=True)
    with path.open("rb") as f:
        argv = [CONTRACE, "timeline", *options, "--sandbox", "-"]
        done = subprocess.run(argv, stdin=f, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    name = json.dumps(str(path)).encode()
    assert done.stdout == ours.stdout.replace(b'"file": ' + name, b'"file": "-"').replace(
        b'"file":' + name, b'"file":"-"'
    )
    other = tmp_path / "other"
    other.write_bytes(b"go 1.99 trace\0\0\0")
    with other.open("rb") as f:
        done = subprocess.run(argv, stdin=f, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, b"")


def test_number_of_lines(mix):
    few, many = (len(lines(mix(REFERENCE), f"--lines={n}")["lines"]) for n in (5, 250))
    assert few <= 5 < 50 < many <= 251


@pytest.mark.parametrize("options", [[], ["-o", "-"]])
def test_full_disk(mix, options):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [CONTRACE, "timeline", *options, mix(REFERENCE)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        ([], "which file?"),
        (["a", "b"], "one file at a time"),
        (["--step=1us", "a"], "the time of a line"),
        (["--since=2s", "--until=1s", "a"], "must be later"),
        (["--around=1", "a"], "outlier:1"),
        (["--around=outlier:0", "a"], "outlier:1"),
        (["--around=outlier:1", "--since=1s", "a"], "--around says"),
        (["--json", "-o", "x", "a"], "for the lines"),
        (["--force", "a"], "for --output"),
        (["--lines=5", "-o", "x", "a"], "for the lines"),
        (["--sandbox", "a"], "reads standard input and nothing else"),
        (["--sandbox", "-o", "x", "-"], "--output=-"),
    ],
)
def test_usage(argv, word):
    assert word in contrace(*argv, status=2).stderr


def test_too_many_lines(stopped):
    done = contrace("--since=1h", stopped, status=2)
    assert "--since is behind the trace's end" in done.stderr
