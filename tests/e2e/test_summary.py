# SPDX-License-Identifier: Apache-2.0
"""`contrace summary` gives the numbers that Go's own tools give, to the nanosecond.

tests/support/gosum sums the same trace up with Go's reader, its Summarizer, its mutator utilisation
and the rules of its profiles.
"""

import json
import os
import pathlib
import random
import subprocess
import sys

import jsonschema
import pytest
from gotools import (
    REFERENCE,
    TOOLCHAINS,
    build_gosum,
    second_generation,
    spoil_second_generation,
)
from programs import MIX, go_program
from support import BUILD, SRC
from widened import widened

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"

# Programs of Go's own trace tests; each writes a trace to standard output.
PROGRAMS = [
    "annotations", "annotations-stress", "cgo-callback", "cpu-profile", "futile-wakeup",
    "gc-stress", "gomaxprocs", "iter-pull", "many-start-stop", "stacks", "stress",
    "stress-start-stop", "wait-on-pipe",
]  # fmt: skip


HANGING = SRC / "tests/support/hanging"
ANNOTATOR = SRC / "tests/support/annotator"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("summary")


def run(*args, status=0, **options):
    done = subprocess.run(
        [CONTRACE, "summary", *args],
        capture_output=True,
        timeout=60,
        **options,
    )
    assert done.returncode == status, done.stderr
    return done


def peak_memory(*args):
    """In KiB; by way of a small process, as a child is counted with what it was forked from."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", script, CONTRACE, "summary", *args]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout)


def ours(path, status=0):
    return json.loads(run("--json", path, status=status).stdout)


def theirs(gosum, path):
    out = subprocess.run([gosum, "all", path], stdout=subprocess.PIPE, check=True, timeout=300)
    return json.loads(out.stdout)


TIMES = ["count", "total_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"]


def times(row):
    return {key: row[key] for key in TIMES}


def typed(rows):
    return {row["type"]: dict(times(row), open=row["open"]) for row in rows}


def simplified(s):
    """Our summary in the form of gosum's."""
    assert s["scheduler"]["latency"]["exact"] and s["syscalls"]["times"]["exact"]
    states = s["goroutines"]["states"]
    return {
        "kinds": {kind: n for kind, n in s["events"]["by_kind"].items() if n},
        "window_ns": s["window_ns"],
        "running_ns": states["running_ns"],
        "runnable_ns": states["runnable_ns"],
        "in_syscall_ns": states["in_syscall_ns"],
        "waits": {
            w["reason"]: {k: w[k] for k in ("count", "total_ns", "max_ns")}
            for w in s["goroutines"]["waits"]
        },
        "at_start": s["goroutines"]["at_start"],
        "created": s["goroutines"]["created"],
        "ended": s["goroutines"]["ended"],
        "max_alive": s["goroutines"]["max_alive"],
        "latency": times(s["scheduler"]["latency"]),
        "syscalls": times(s["syscalls"]["times"]),
        "cycles": s["gc"]["cycles"],
        "mark_ns": s["gc"]["mark"]["total_ns"],
        "stw": {row["reason"]: times(row) for row in s["gc"]["stw_by_reason"]},
        "threads": s["threads"]["seen"],
        "proc_running_ns": s["procs"]["running_ns"],
        "procs_available_ns": s["procs"]["available_ns"],
        "tasks": typed(s["tasks"]),
        "regions": typed(s["regions"]),
        "sites": [sites_total(s["sites"][name]) for name in ("sched", "sync", "net", "syscall")],
    }


def sites_total(sites):
    return {"count": sites["count"], "total_ns": sites["total_ns"]}


def compare(gosum, path):
    s = ours(path)
    assert s["complete"] and s["lost_goroutines"] == 0
    go = theirs(gosum, path)
    got = simplified(s)
    for row in go["sites"]:
        del row["max_ns"]
    go["waits"] = {k: w for k, w in go["waits"].items() if w["count"] or w["total_ns"]}
    for key, value in got.items():
        assert value == go[key], f"{path.name}: {key}"
    compare_summarizer(s, go)
    compare_mutator(s, go)
    return s


def compare_summarizer(s, go):
    """What Go's Summarizer says; but at the trace's end it counts time in syscalls twice."""
    states, sums = s["goroutines"]["states"], go["summarizer"]
    if go["reused"]:
        assert states["running_ns"] >= sums["Running"]
        return
    assert states["running_ns"] == sums["Running"]
    assert states["runnable_ns"] == sums["Runnable"] - go["pending_blocked_ns"]
    assert states["in_syscall_ns"] == sums["Syscall"]
    assert s["gc"]["assist"]["total_ns"] == sums["Assist"]
    assert {w["reason"]: w["total_ns"] for w in s["goroutines"]["waits"] if w["total_ns"]} == {
        reason: total for reason, total in sums["Waits"].items() if total
    }


def compare_mutator(s, go):
    mutator = s["gc"]["mutator_as_go"]
    got = [mutator[key] for key in ("mmu_1ms", "mmu_10ms", "mmu_100ms")]
    assert got == pytest.approx(go["mmu"], abs=1e-9)
    assert mutator["mean"] == pytest.approx(go["mean"], abs=1e-9)
    mutator = s["gc"]["mutator"]
    got = [mutator[key] for key in ("mmu_1ms", "mmu_10ms", "mmu_100ms", "mean")]
    assert mutator["exact"]
    if go["true_mmu"]:
        assert got == pytest.approx(go["true_mmu"], abs=1e-9)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(gosum, traced, toolchain):
    s = compare(gosum, traced(MIX, toolchain, "-cpu", "-s", "1"))
    assert s["generations"] >= 3
    assert s["gc"]["cycles"] > 0 and s["gc"]["assist"]["count"] > 0
    gomaxprocs = s["procs"]["gomaxprocs"]
    assert 1 <= gomaxprocs["min"] < gomaxprocs["mean"] < gomaxprocs["max"] <= 4
    assert gomaxprocs["changes"] > 0
    assert s["syscalls"]["longest"]["duration_ns"] > 0
    shares = s["procs"]["running_share"] + s["procs"]["idle_share"]
    assert shares == pytest.approx(1)
    busy = s["procs"]["executing_ns"] + s["procs"]["in_syscall_ns"]
    assert 0 < busy <= s["procs"]["running_ns"]
    assert s["procs"]["executing_ns"] == s["goroutines"]["states"]["running_ns"]


@pytest.mark.parametrize("toolchain", [TOOLCHAINS[0], TOOLCHAINS[-1]])
def test_one_generation(gosum, traced, toolchain):
    """All is in the first generation, which tells late what was before it."""
    compare(gosum, traced(MIX, toolchain, "-s", "0.3", period=100000))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(gosum, traced, name):
    path = traced(go_program(name))
    compare(gosum, path)


def test_misnested_regions(gosum, traced, work):
    """Go's reader stops there; one that goes on gives the same numbers as ours."""
    path = traced(ANNOTATOR, REFERENCE, "misnested")
    strict = subprocess.run([gosum, "all", path], capture_output=True, timeout=60, text=True)
    assert strict.returncode != 0 and "misuse of region" in strict.stderr
    s = compare(build_gosum(work, lenient=True), path)
    assert s["label"] == "lock-contention"
    note = s["findings"][-1]
    assert (note["code"], note["score"], note["subject"]) == ("misnested-regions", 0, "send")
    assert note["evidence"]["ends"] == s["misnested_regions"] > 100
    assert {site["func"] for site in note["sites"]} == {"main.dispatch"}
    rows = {row["type"]: row for row in s["regions"]}
    assert rows["send"]["misnested"] == s["misnested_regions"] and "misnested" not in rows["log"]
    text = run(path).stdout.decode()
    assert 'misnested-regions  "send"' in text and "main.dispatch  annotator/main.go" in text


def test_regions_ended_elsewhere(gosum, traced):
    """Go's reader takes them for regions from before the trace; these goroutines are no older."""
    path = traced(ANNOTATOR, REFERENCE, "elsewhere")
    s = ours(path)
    rows = {row["type"]: row for row in s["regions"]}
    assert rows["handed over"]["misnested"] == 50 and rows["twice"]["misnested"] == 1
    assert s["misnested_regions"] == 51
    assert rows["twice"]["count"] == theirs(gosum, path)["regions"]["twice"]["count"] == 1
    assert s["findings"][-1]["subject"] == "handed over" and s["complete"]


def by_own(sites):
    """Waits by the function of the program's own code."""
    return {site["own"]["func"]: site for site in sites["top"] if "own" in site}


@pytest.mark.parametrize("flags", [(), ("-trimpath",)])
def test_what_does_not_end(gosum, traced, flags):
    """It is in the tables, of its own code, where Go's profiles have only what ended."""
    path = traced(HANGING, flags=flags)
    s = compare(gosum, path)
    sync = by_own(s["sites"]["sync"])
    publish = sync["main.publish"]
    assert publish["open"]["count"] == 8 and publish["count"] == 0
    assert publish["func"] == "main.publish"
    assert 4 * s["window_ns"] < publish["open"]["total_ns"] <= 8 * s["window_ns"]
    assert sync["main.wantLock"]["open"]["count"] == 1 and sync["main.wantLock"]["class"] == "lock"
    ask = sync["example.com/hanging/store.(*Store).Ask"]
    assert (
        ask["func"] == "database/sql.(*DB).conn" and ask["count"] > 0 and ask["open"]["count"] == 4
    )
    calls = s["sites"]["syscall"]
    wedge = by_own(calls)["example.com/hanging/store.Wedge"]
    assert wedge["open"]["count"] == 12 and wedge["count"] == 0
    assert wedge["open"]["max_ns"] == s["syscalls"]["longest_active"]["duration_ns"]
    longest = s["syscalls"]["longest_active"]
    assert longest["own"]["func"] == "example.com/hanging/store.Wedge"
    assert longest["open"] and longest["older"]
    apart = [site["class"] in ("parked", "listener", "tracer", "runtime") for site in calls["top"]]
    assert any(apart) and apart == sorted(apart) and calls["standing"]["open"] >= 1
    assert s["sites"]["net"]["standing"]["open"] >= 2  # accept, and the next request


def test_text_of_what_does_not_end(traced):
    text = run(traced(HANGING), env={"LC_ALL": "C.UTF-8"}).stdout.decode()
    tables, slowest = text.split("\nThe slowest ")
    (line,) = [line for line in tables.splitlines() if "main.publish  hanging/main.go" in line]
    assert line.endswith("← chan send") and line.split()[3:5] == ["8", "8"]
    assert "store.(*Store).Ask  store/store.go" in text and "← database/sql.(*DB).conn" in text
    assert "Label: slow-syscalls" in text and "12x  example.com/hanging/store.Wedge" in text
    assert "(since before the trace, not over, goroutine" in text
    (standing,) = [line for line in text.splitlines() if line.startswith("    (")]
    for word in ("next request", "accept", "signals"):
        assert word in standing
    assert "signal_recv" not in text and "backgroundRead" not in text
    # Three findings on one screen: each with its code, and what it comes of.
    assert len(tables.splitlines()) + len(slowest.splitlines()) <= 50
    findings = tables[: tables.index("\n  at once ")]
    assert "because of slow-syscalls" in findings and "pool database/sql" in findings
    assert "main.wantLock  hanging/main.go" in findings
    assert "store.(*Store).Ask  store/store.go" in findings
    whole = run(traced(HANGING), "-n", "5", env={"LC_ALL": "C.UTF-8"}).stdout.decode()
    assert len(whole.splitlines()) > 50 and "These call sites wait." in whole


def test_unknown_without_a_stack(traced):
    """Go 1.22 does not say where goroutines waited when the trace began."""
    s = ours(traced(HANGING, TOOLCHAINS[0]))
    assert by_own(s["sites"]["sync"])["main.publish"]["open"]["count"] == 4


def test_types_with_numbers(gosum, traced):
    """The one that matters comes after 200 others, which are one."""
    s = ours(traced(ANNOTATOR, REFERENCE, "types"))
    go = theirs(gosum, traced(ANNOTATOR, REFERENCE, "types"))
    first, second = s["tasks"]
    assert (first["type"], first["count"]) == ("POST /checkout", 5)
    assert times(first) == {key: go["tasks"]["POST /checkout"][key] for key in TIMES}
    assert (second["type"], second["count"], second["grouped"]) == ("GET /item/N", 200, True)
    items = [row for name, row in go["tasks"].items() if name.startswith("GET")]
    assert second["total_ns"] == sum(row["total_ns"] for row in items)
    assert second["max_ns"] == max(row["max_ns"] for row in items)
    assert s["tasks_left_out"]["names"] == 0


def test_thousands_of_types(gosum, traced):
    """The largest are told, the others as a sum, and the lock contention beside them as it is."""
    s = ours(traced(ANNOTATOR, REFERENCE, "names"))
    go = theirs(gosum, traced(ANNOTATOR, REFERENCE, "names"))["tasks"]
    left = s["tasks_left_out"]
    assert len(s["tasks"]) + left["names"] == len(go) == 6000
    assert sum(r["count"] for r in s["tasks"]) + left["count"] == 6000
    total = sum(row["total_ns"] for row in go.values())
    assert sum(r["total_ns"] for r in s["tasks"]) + left["total_ns"] == total
    largest = sorted((row["total_ns"] for row in go.values()), reverse=True)
    assert [row["total_ns"] for row in s["tasks"]] == largest[: len(s["tasks"])]
    assert s["tasks_other"] == left["count"]
    assert s["label"] == "lock-contention"
    assert "main.post" in [site["func"] for site in s["findings"][0]["sites"]]
    assert (
        f"and {6000 - 5:,} types more".encode()
        in run("-n", "5", traced(ANNOTATOR, REFERENCE, "names")).stdout
    )


def test_open_tasks(gosum, traced):
    """Tasks that nobody ends do not spoil those that end."""
    s = ours(traced(ANNOTATOR, REFERENCE, "open"))
    assert typed(s["tasks"]) == theirs(gosum, traced(ANNOTATOR, REFERENCE, "open"))["tasks"]
    assert {row["type"]: row["open"] for row in s["tasks"]} == {"leaked": 70000, "ended": 0}


def test_thousands_of_stacks(gosum, traced):
    """What comes when all places for stacks are taken is told by its site and class all the same."""
    path = traced(ANNOTATOR, REFERENCE, "stacks")
    s = ours(path)
    out = subprocess.run([gosum, "sums", path], stdout=subprocess.PIPE, check=True, timeout=60)
    go = json.loads(out.stdout)
    for name, sites in zip(("sched", "sync", "net", "syscall"), go["sites"], strict=True):
        assert sites_total(s["sites"][name]) == sites_total(sites)
    assert s["lost_stacks"] > 1000
    assert s["label"] == "lock-contention"
    (site,) = [site for site in s["findings"][0]["sites"] if site["func"] == "main.post"]
    assert site["total_ns"] > 0.5 * s["sites"]["sync"]["total_ns"]
    names = [row["func"] for sites in s["sites"].values() for row in sites["top"]]
    assert "main.descend" in names or "runtime.goschedIfBusy" in names
    assert "(other)" not in names
    for row in s["sites"].values():
        assert sum(site["count"] for site in row["top"]) + row["left_out"]["count"] == row["count"]


def test_millions_of_strings(traced, work):
    """A service that logs: what is remembered of strings is bounded, and none is mistaken for another."""
    source, path = traced(MIX, REFERENCE, "-s", "0.4", period=10000), work / "strings.trace"
    path.write_bytes(widened(source.read_bytes(), 2_000_000))
    ignored = {"file": 0, "bytes": 0}
    assert ours(path) | ignored == ours(source) | ignored
    if b"__asan_init" not in CONTRACE.read_bytes():
        assert peak_memory("--json", path) < 104 << 10


def test_partial(traced, work):
    """Numbers of a part are told as such, and are no label; how much it is, batches' times say."""
    whole = traced(MIX, REFERENCE, "-s", "1", period=500)
    data, path = bytearray(whole.read_bytes()), work / "partial.trace"
    spoil_second_generation(data)
    path.write_bytes(data)
    s, all_of_it = ours(path, status=1), ours(whole)
    assert all_of_it["covered"] == 1 and all_of_it["spans_ns"] == all_of_it["window_ns"]
    assert not s["complete"] and s["window_ns"] < 0.9 * all_of_it["window_ns"]
    assert s["covered"] == pytest.approx(s["window_ns"] / all_of_it["window_ns"], rel=0.1)
    assert s["spans_ns"] == pytest.approx(all_of_it["window_ns"], rel=0.1)
    assert s["bytes"] == len(data)
    assert (s["label"], s["not_inspected"]) == ("not-inspected", "partial")
    assert [f["code"] for f in s["findings"] if f["score"] > 0] == []
    done = run(path, status=1)
    assert f"not-inspected (partial: {s['not_inspected_why']})".encode() in done.stdout
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        piped = json.loads(run("--json", "-", stdin=cat.stdout, status=1).stdout)
    assert piped | {"file": 0} == s | {"file": 0}


def test_what_is_behind_a_trace(traced, work):
    """A word behind a trace is named and spoils nothing; a second trace is half of the file."""
    whole, path = traced(MIX, REFERENCE, "-s", "1", period=500).read_bytes(), work / "behind.trace"
    path.write_bytes(whole + b"all done\n")
    s = ours(path, status=1)
    assert s["error"]["text"] == (
        'text in the trace, as if the program printed into it: "all done"...'
    )
    assert s["covered"] > 0.99 and "not_inspected" not in s
    path.write_bytes(whole + whole)
    s = ours(path, status=1)
    assert s["error"]["text"].startswith("another trace begins here, of go 1.26")
    assert s["covered"] == pytest.approx(0.5, rel=0.01)
    assert s["not_inspected"] == "partial"


def test_too_short(tmp_path):
    seed = SRC / "tests/fuzz/corpus/framing/live-go1.26.8"
    data = seed.read_bytes()
    (tmp_path / "short.trace").write_bytes(data[data.index(b"go 1.26") :])
    s = ours(tmp_path / "short.trace")
    assert s["complete"] and s["window_ns"] < 50e6
    assert (s["label"], s["not_inspected"]) == ("not-inspected", "too-short")


def test_newer_format(traced, work):
    """A header that is not known yet is tried, and refused by what it contains."""
    whole, path = traced(MIX, REFERENCE, "-s", "0.5"), work / "newer.trace"
    data, known = whole.read_bytes(), ours(whole)
    assert data.startswith(b"go 1.26 trace")
    path.write_bytes(b"go 1.28" + data[7:])
    s = ours(path)
    assert s.pop("format_newer") and s["format"] == "go 1.28"
    assert s | {"file": 0, "format": 0} == known | {"file": 0, "format": 0}
    assert b"go 1.28 trace (newer than is known here), complete" in run(path).stdout
    at, n = max(second_generation(data), key=lambda batch: batch[1])
    path.write_bytes(b"go 1.28" + data[7 : at + n // 2] + b"\xff" * 20 + data[at + n // 2 + 20 :])
    done = run("--json", path, status=1)
    assert json.loads(done.stdout)["error"]["text"].startswith(
        "trace format go 1.28 is not known: "
    )
    assert b"trace format go 1.28 is not known: " in done.stderr
    path.write_bytes(b"go 1.29" + data[7:])
    assert b"trace format go 1.29 is not known (" in run("--json", path, status=1).stderr


def test_cut(traced, work):
    """As far as it goes, and said so: on standard error, in the text and in the JSON."""
    data = traced(MIX, TOOLCHAINS[-1], "-s", "0.5").read_bytes()
    path = work / "cut.trace"
    path.write_bytes(data[: len(data) * 2 // 3])
    done = run("--json", path, status=1)
    s = json.loads(done.stdout)
    assert not s["complete"] and s["error"]["errno"] == 61
    assert s["error"]["offset"] <= len(data) * 2 // 3
    assert f"(offset {s['error']['offset']})".encode() in done.stderr
    assert s["events"]["total"] > 1000
    assert b"CUT" in run(path, status=1).stdout


def test_refused(tmp_path):
    path = tmp_path / "page"
    path.write_bytes(b"<html>hello</html>" * 10)
    assert run(path, status=1).stdout == b""
    done = run("--json", path, status=1)
    assert json.loads(done.stdout)["error"]["text"].encode() in done.stderr
    path.write_bytes(b"go 1.21 trace\0\0\0")
    assert b"1.21" in run(path, status=1).stderr
    path.write_bytes(b"go 1.26 trace\0\0\0")
    assert b"page: nothing follows the trace's header" in run(path, status=1).stderr
    assert b"No such file" in run(tmp_path / "none", status=1).stderr
    run(status=2)
    run("--sort", status=2)


def test_every_file_has_an_object(tmp_path):
    """Whoever reads the objects of a list of files finds each of them, and why one has no numbers."""
    whole = SRC / "tests/fuzz/corpus/summary/mix-go1.26.8"
    page, header = tmp_path / "page \xe9", tmp_path / "header"
    page.write_bytes(b"<html>hello</html>" * 10)
    header.write_bytes(b"go 1.26 trace\0\0\0")
    files = [tmp_path / "none", whole, page, tmp_path, header, whole]
    done = run("--json", *files, status=1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert [row["error"] is None for row in rows] == [False, True, False, False, False, True]
    assert rows[0] == {
        "schema": 1,
        "file": str(tmp_path / "none"),
        "complete": False,
        "error": {"errno": 2, "text": "No such file or directory"},
    }
    assert rows[2]["error"]["offset"] == 0
    assert rows[4]["error"] == {"errno": 61, "text": "nothing follows the trace's header"}
    assert done.stderr.count(b"\n") == 4
    schema = json.loads((SRC / "docs/summary.schema.json").read_text())
    for row in rows:
        jsonschema.Draft202012Validator(schema).validate(row)
    with open(page, "rb") as file:
        done = run("--json", "-", stdin=file, status=1)
    assert json.loads(done.stdout)["file"] == "-" and b"standard input: " in done.stderr
    with open(page, "rb") as file:
        done = run("--json", "--sandbox", "-", stdin=file, status=1)
    assert done.stdout == b""  # its status says it


def test_standard_input(traced):
    path = traced(MIX, TOOLCHAINS[-1], "-s", "0.2")
    with open(path, "rb") as file:
        piped = json.loads(run("--json", "-", stdin=file).stdout)
    assert piped | {"file": 0} == ours(path) | {"file": 0}


def test_cut_meanwhile(traced, work):
    """A file that is cut while it is mapped: a message and the status 1, and no crash."""
    whole, path = traced(MIX, REFERENCE).read_bytes(), work / "meanwhile.trace"
    seen = ""
    for _ in range(200):
        path.write_bytes(whole)
        child = subprocess.Popen([CONTRACE, "summary", "--json", path], stderr=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, text=True)  # fmt: skip
        maps = pathlib.Path(f"/proc/{child.pid}/maps")
        while child.poll() is None and path.name not in maps.read_text():
            pass
        os.truncate(path, 100)
        seen = child.communicate(timeout=60)[1]
        assert child.returncode in (0, 1), seen  # 0: it was faster
        assert seen.count("\n") == child.returncode
        if "meanwhile" in seen.replace(path.name, ""):
            break
    else:
        pytest.fail(f"never met it at work: {seen}")


def test_text(traced):
    path = traced(MIX, TOOLCHAINS[-1], "-s", "0.2")
    text = run(path, "-n", "5", env={"LC_ALL": "C.UTF-8"}).stdout.decode()
    plain = run(path, "-n", "5", env={"LC_ALL": "C"}).stdout.decode("ascii")
    brief = run(path, env={"LC_ALL": "C"}).stdout.decode("ascii")
    assert "█" in text and "µs" in text and "#" in plain
    for line in (plain + brief).splitlines():
        assert len(line) <= 100 or ".go:" in line or ".s:" in line, line
    for word in (
        "GOMAXPROCS",
        "runnable",
        "stop-the-world",
        "sync",
        "Tasks",
        "main.(*mix)",
        " <- ",
    ):
        assert word in plain
    order = [
        plain.index(word)
        for word in ("Label: ", "at once ", "Goroutines: ", "Tasks", "Ps: ", "GC: ")
    ]
    assert order == sorted(order)
    assert len(run("--stacks", "-n", "5", path).stdout) > len(plain)
    assert len(run("--top=9", path).stdout) > len(plain)


def test_several(traced, work):
    paths = [traced(MIX, TOOLCHAINS[-1], "-s", seconds) for seconds in ("0.4", "0.2", "0.7")]
    windows = [ours(path)["window_ns"] for path in paths]
    lines = run("--sort", "window", *paths).stdout.decode().splitlines()
    order = [windows[[str(p) for p in paths].index(line.split()[-1])] for line in lines[1:]]
    assert order == sorted(order, reverse=True)
    lines = run("--sort", "events.total", "--reverse", *paths).stdout.decode().splitlines()
    order = [line.split()[-1] for line in lines[1:]]
    assert order == sorted(order, key=lambda p: ours(p)["events"]["total"])
    for title in lines[0].split():
        if title != "FILE" and title != "LABEL":
            run("--sort", title, *paths)
    lines = run("--sort", "MMU10", *paths).stdout.decode().splitlines()
    order = [ours(line.split()[-1])["gc"]["mutator"]["mmu_10ms"] for line in lines[1:]]
    assert order == sorted(order)
    assert b"no number" in run("--sort", "nonsense", *paths, status=2).stderr
    assert len(run("--json", *paths).stdout.splitlines()) == 3


def test_schema(traced):
    schema = json.loads((SRC / "docs/summary.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for toolchain in TOOLCHAINS:
        validator.validate(ours(traced(MIX, toolchain, "-cpu", "-s", "0.2")))
    validator.validate(ours(traced(HANGING)))
    for mode in ("misnested", "types", "names", "open", "stacks"):
        validator.validate(ours(traced(ANNOTATOR, REFERENCE, mode)))


def test_altered(traced, work):
    """Whatever the bytes are, it ends, with a summary or with a message."""
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    rand = random.Random(seed)
    source = traced(MIX, TOOLCHAINS[-1], "-s", "0.05").read_bytes()
    path = work / "altered.trace"
    for _ in range(30):
        data = bytearray(source)
        for _ in range(rand.choice([1, 2, 10])):
            data[rand.randrange(16, len(data))] = rand.randrange(256)
        path.write_bytes(data)
        done = subprocess.run(
            [CONTRACE, "summary", "--json", path],
            capture_output=True,
            timeout=30,
        )
        assert done.returncode in (0, 1)
        assert done.stdout or done.stderr
        if done.stdout:
            json.loads(done.stdout)
