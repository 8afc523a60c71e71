# SPDX-License-Identifier: Apache-2.0
"""Traces are labelled after they were published: by contrace itself, by children that do what their
name says (tests/support/inspectee.c), and whatever these do, each trace ships and contraced goes on.
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import pytest
from gotools import build, environment, old_trace, spoil_second_generation
from hostile import gated, healthy, trace
from store import Store
from support import (
    BUILD,
    GO_ENV,
    INSPECTED,
    RELOADED,
    SRC,
    Spool,
    contraced,
    go_version,
    job,
    need,
    run,
    wait_until,
)
from uploads import PREFIX, arrived, assert_same, section, wait_archived
from widened import widened

pytestmark = pytest.mark.reading

INSPECTEE = BUILD / "tests/support/inspectee"
CONTRACE = BUILD / "contrace"
ROOMY = "100000TiB"  # AddressSanitizer takes a good deal of address space


@pytest.fixture
def child(tmp_path):
    """child(name) is the path of a program that does what the name says."""

    def make(name):
        need(INSPECTEE.exists(), f"no {INSPECTEE}: make check")
        path = tmp_path / name
        if not path.is_symlink():
            path.symlink_to(INSPECTEE)
        return path

    return make


def by(command, **more):
    return {"command": str(command), "timeout": "2s", "max_memory": ROOMY, **more}


def labels(spool):
    """What each record says of its inspection, from pending/ and archive/."""
    found = []
    for part in ("pending", "archive"):
        for path in sorted((spool.path / part).rglob("*.json")):
            record = json.loads(path.read_text())
            found.append((record.get("label"), record.get("not_inspected")))
    return found


def wait_labels(spool, count=1):
    def whole():
        found = labels(spool)
        return len(found) >= count and all(label for label, _ in found) and found

    return wait_until(f"{count} records have labels", whole)


def test_label_in_record_and_log(serve, daemon, child):
    server = serve(healthy())
    d = daemon([job("s", server.address)], inspect=by(child("ill")))
    line = d.wait_log(message_id=INSPECTED)
    assert line["level"] == "info" and line["label"] == "lock-contention"
    wait_labels(d.spool)
    d.stop()
    ((key, record),) = d.spool.check().items()
    assert line["key"] == key
    assert line["msg"] == (
        f"inspected {key}: lock-contention (score 0.8): read_bytes {record['bytes']}"
    )
    assert record["label"] == "lock-contention" and "not_inspected" not in record
    assert record["summary"]["findings"] == [
        {"code": "lock-contention", "score": 0.8, "evidence": {"read_bytes": record["bytes"]}}
    ]
    assert "sites" not in record["summary"]
    assert list(record)[-2:] == ["label", "summary"]
    assert d.spool.trace(key).with_suffix(".json").stat().st_mode & 0o777 == 0o640
    assert "inspections: 1 ok" in d.log("stopped;")[0]["msg"]
    assert d.problems() == []


def test_no_word_of_the_healthy(serve, daemon, child):
    server = serve(healthy())
    d = daemon([job("s", server.address)], inspect=by(child("healthy")))
    assert wait_labels(d.spool) == [("healthy", None)]
    d.stop()
    assert [x["level"] for x in d.log(message_id=INSPECTED)] == ["debug"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("hang", "timeout"), ("spin", "timeout"), ("crash", "signal SIGSEGV"),
        ("killed", "memory"), ("garbage", "output"), ("half", "output"), ("evil", "output"),
        ("endless", "output"), ("refuse", "unreadable"), ("format", "format"),
        ("usage", "unavailable, exit status 2"), ("nothing-there", "unavailable"),
        ("try-socket", "signal SIGSYS"), ("try-fork", "signal SIGSYS"),
        ("try-execve", "signal SIGSYS"), ("try-kill", "signal SIGSYS"),
    ],
)  # fmt: skip
def test_whatever_the_child_does(serve, daemon, child, tmp_path, name, why):
    server = serve(healthy())
    with Store() as store:
        command = tmp_path / name if name == "nothing-there" else child(name)
        limit = "1s" if why == "timeout" else "1m"
        d = daemon([job("s", server.address)], inspect=by(command, timeout=limit),
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        (key,) = wait_archived(d)
        assert labels(d.spool) == [("not-inspected", why)]
        assert store.meta(PREFIX + key)["label"] == "not-inspected"
        assert_same(store, d.spool, key)
        d.capture_now()
        wait_archived(d, 2)
        d.stop()
    d.spool.check()
    # Told once, with the reason; the second only in the records.
    assert [x["level"] for x in d.log("is not inspected")] == ["warn", "debug"]
    assert why in d.log("is not inspected")[0]["msg"]


def test_disabled(serve, daemon, child):
    server = serve(healthy())
    d = daemon([job("s", server.address)], inspect={**by(child("ill")), "enabled": False})
    d.wait_captured()
    d.stop()
    assert labels(d.spool) == [(None, None)]
    assert "inspections" not in d.log("stopped;")[0]["msg"]


def test_uploaded_with_its_label(serve, daemon, child, tmp_path):
    server = serve(healthy())
    with Store() as store:
        d = daemon([job("s", server.address)], inspect=by(child("ill")),
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        (key,) = wait_archived(d)
        assert store.meta(PREFIX + key)["label"] == "lock-contention"
        assert_same(store, d.spool, key)
        record = json.loads(store.object(PREFIX + key.replace(".trace", ".json")))
        assert record["label"] == "lock-contention" and record["summary"]
        assert len(store.asked("PUT", r"\.json$")) == 1
        d.stop()


def test_once_uploads_with_the_label(serve, daemon, child, tmp_path):
    server = serve(healthy())
    with Store() as store:
        d = daemon([job("s", server.address)], inspect=by(child("ill")), args=["--once"],
                   upload=section(tmp_path, store.endpoint), wait=False)  # fmt: skip
        assert d.wait_exit() == 0
        (key,) = d.spool.keys()
        assert d.spool.record(key)["label"] == "lock-contention"
        assert_same(store, d.spool, key)
        assert store.meta(PREFIX + key)["label"] == "lock-contention"


def test_a_hung_child_delays_an_upload_by_no_more_than_the_timeout(serve, daemon, child, tmp_path):
    server = serve(healthy())
    with Store() as store:
        d = daemon([job("s", server.address)], inspect=by(child("hang"), timeout="10s"),
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        d.wait_captured()
        key = next(name for name in d.spool.pending() if name.endswith(".trace"))
        time.sleep(1)
        assert not arrived(store, key)
        wait_until("it arrives", lambda: arrived(store, key))
        d.stop()


def test_terminated_while_a_child_hangs(serve, daemon, child, tmp_path):
    """What waits gets five seconds, then ships as it is."""
    server = serve(healthy())
    with Store() as store:
        d = daemon([job("s", server.address)], inspect=by(child("hang"), timeout="10m"),
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        d.wait_captured()
        d.stop()  # within the patience of these tests, which is less than ten minutes
        (key,) = d.spool.keys()
        assert "label" not in d.spool.record(key)
        assert_same(store, d.spool, key)
        assert "1 cut" in d.log("stopped;")[0]["msg"]


def test_signals_that_were_ignored_before(serve, daemon, child):
    """As nohup ignores SIGHUP, a shell SIGINT in its background, and some supervisors SIGCHLD."""
    left = (signal.SIGQUIT, signal.SIGALRM, signal.SIGTTOU)  # contraced does nothing about these
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR1, *left)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        d = daemon([job("s", serve(healthy()).address)], inspect=by(child("ill")))
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)
    d.wait_captured()
    d.wait_log("inspected ")  # the child's end was noticed
    for number in left:
        d.signal(number)
    d.capture_now()
    d.wait_captured(count=2)
    mark = d.mark()
    d.signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED, after=mark)
    d.signal(signal.SIGINT)
    assert d.process.wait(20) == 0


def children_of(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(x) for x in text.split()]


def test_killed_daemon_leaves_no_child(serve, daemon, child):
    server = serve(healthy())
    d = daemon([job("s", server.address)], inspect=by(child("hang"), timeout="10m"))
    (pid,) = wait_until("a child runs", lambda: children_of(d.pid))
    proc = pathlib.Path(f"/proc/{pid}")
    wait_until("it has executed", lambda: (proc / "comm").read_text() == "hang\n")
    status = (proc / "status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "SigBlk:\t0000000000000000" in status and "SigIgn:\t0000000000000000" in status
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    d.process.kill()
    wait_until("the child is gone", lambda: not proc.exists())


def test_one_child_at_a_time(serve, daemon, child):
    server = serve(healthy())
    targets = [f"127.0.1.{i}:{server.port}" for i in range(1, 21)]
    # At idle priority a child may wait long for a processor.
    d = daemon([job("s", *targets)], inspect=by(child("ill"), timeout="10m"))
    most = 0
    while len(labels(d.spool)) < 20 or not all(label for label, _ in labels(d.spool)):
        most = max(most, len(children_of(d.pid)))
        time.sleep(0.001)
    assert most <= 1
    d.stop()
    assert "inspections: 20 ok" in d.log("stopped;")[0]["msg"]
    d.spool.check()


def test_trace_deleted_meanwhile(serve, daemon, child):
    """Retention takes a trace that is being inspected."""
    server = serve(healthy())
    d = daemon([job("s", server.address)], {"max_files": 1},
               inspect=by(child("hang"), timeout="2s"))  # fmt: skip
    d.wait_captured()
    d.capture_now()
    d.wait_captured(count=2)
    d.wait_log("is not inspected", count=2)
    wait_labels(d.spool)
    d.stop()
    assert len(d.spool.check()) == 1
    assert [x for x in d.problems() if "is not inspected" not in x["msg"]] == []


def test_stopped_by_reload(serve, daemon, child):
    server = serve(healthy())
    jobs = [job("s", server.address)]
    d = daemon(jobs, inspect=by(child("healthy")))
    wait_labels(d.spool)
    d.write_config(jobs, inspect={"enabled": False})
    d.signal(signal.SIGHUP)
    d.wait_log("reloaded")
    d.capture_now()
    d.wait_captured(count=2)
    d.write_config(jobs, inspect=by(child("ill")))
    d.signal(signal.SIGHUP)
    d.wait_log("reloaded", count=2)
    d.capture_now()
    d.wait_captured(count=3)
    d.wait_log(label="lock-contention")
    d.stop()
    assert sorted(str(label) for label, _ in labels(d.spool)) == [
        "None", "healthy", "lock-contention",
    ]  # fmt: skip


def test_memory_of_the_daemon(serve, daemon, child):
    """A hundred inspections leave nothing behind, in memory or in descriptors."""
    server = serve(healthy(trace(2, 2000)))
    targets = [f"127.0.1.{i}:{server.port}" for i in range(1, 11)]
    d = daemon([job("s", *targets)], {"max_files": 50}, inspect=by(child("ill")),
               log={"level": "info"})  # fmt: skip

    def rounds(n):
        for _ in range(n):
            mark = d.mark()
            d.capture_now()
            d.wait_log(message_id=INSPECTED, after=mark, count=10)

    d.wait_log(message_id=INSPECTED, count=10)
    rounds(4)
    fds, before = d.idle(), d.memory()
    rounds(10)
    d.wait_idle(fds)
    after = d.memory()
    print(f"{before} KiB of memory after 50 inspections, {after} KiB after 150")
    assert after - before <= 512
    assert children_of(d.pid) == []
    d.stop()


def test_stop_lets_the_last_be_labelled(serve, daemon, child):
    gate = threading.Event()
    server = serve(gated(gate))
    d = daemon([job("s", server.address)], inspect=by(child("ill")))
    wait_until("a capture is under way", lambda: d.spool.incoming())
    d.signal(signal.SIGTERM)
    gate.set()
    assert d.wait_exit() == 0
    assert labels(d.spool) == [("lock-contention", None)]


def summary_is_there():
    need(CONTRACE.exists(), f"no contrace in {BUILD}")
    done = run(CONTRACE, "summary", "--help", check=False)
    need(done.returncode == 0, "contrace has no summary")


def test_real_service(goservice, daemon, tmp_path):
    summary_is_there()
    service = goservice()
    with Store() as store:
        d = daemon([job("s", service.address)], inspect={"max_memory": ROOMY},
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        (key,) = wait_archived(d)
        record = d.spool.record(key)
        assert "not_inspected" not in record, record
        findings = record["summary"]["findings"]
        assert record["label"] in ("healthy", "idle") or findings[0]["code"] == record["label"]
        assert store.meta(PREFIX + key)["label"] == record["label"]
        assert len(d.spool.trace(key).with_suffix(".json").read_bytes()) <= 20 << 10
        d.stop()


def test_real_illness(daemon, tmp_path):
    """A lock convoy, captured over HTTP: its label everywhere that a label may be looked for."""
    summary_is_there()
    need(go_version() >= (1, 22), "no Go that has or fetches the reference toolchain")
    program = tmp_path / "ills"
    run("go", "build", "-o", program, ".", cwd=SRC / "examples/ills", timeout=600,
        env={**os.environ, **GO_ENV, "CGO_ENABLED": "0"})  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as s:
        address = f"127.0.0.1:{s.getsockname()[1]}"
    service = subprocess.Popen([program, "-ill", "lock-convoy", "-listen", address])
    try:
        wait_until("it listens", lambda: not socket.socket().connect_ex(tuple_of(address)))
        with Store() as store:
            d = daemon([job("s", address)], inspect={"max_memory": ROOMY}, glob={"seconds": 1},
                       upload=section(tmp_path, store.endpoint))  # fmt: skip
            (key,) = wait_archived(d)
            d.stop()
            record = d.spool.record(key)
            assert record["label"] == "lock-contention", record.get("not_inspected")
            assert record["summary"]["findings"][0]["evidence"]
            assert store.meta(PREFIX + key)["label"] == "lock-contention"
            assert len(d.spool.trace(key).with_suffix(".json").read_bytes()) <= 20 << 10
        line = d.log(message_id=INSPECTED)[0]
        assert line["level"] == "info" and line["label"] == "lock-contention"
        print(line["msg"])
    finally:
        service.kill()
        service.wait()
    done = run(CONTRACE, "list", "--json", "--label=lock-*", f"--storage.path={d.spool.path}")
    assert [json.loads(line)["key"] for line in done.stdout.splitlines()] == [key]


def test_old_format(daemon, serve, tmp_path):
    """A service of Go 1.21: its trace is kept whole, shipped and named, and not looked at."""
    summary_is_there()
    body = old_trace(tmp_path)
    server = serve(healthy(body))
    with Store() as store:
        d = daemon([job("s", server.address)], inspect={"max_memory": ROOMY},
                   upload=section(tmp_path, store.endpoint))  # fmt: skip
        (key,) = wait_archived(d)
        d.stop()
        record = d.spool.record(key)
        assert (record["go_version"], record["bytes"]) == ("1.21", len(body))
        assert (record["label"], record["not_inspected"]) == ("not-inspected", "format")
        assert "covered" not in record and "summary" not in record
        assert d.spool.trace(key).read_bytes() == body
        assert store.meta(PREFIX + key)["label"] == "not-inspected"


def test_large_generation(daemon, serve, tmp_path):
    """One that is as large as all memory that the child may have: what it maps of it is no memory."""
    summary_is_there()
    if b"__asan_init" in CONTRACE.read_bytes():
        pytest.skip("AddressSanitizer needs more memory than that")
    build(SRC / "tests/support/tracemix", tmp_path / "mix")
    mix = subprocess.check_output([tmp_path / "mix", "-s", "1"], timeout=60, env=environment())
    server = serve(healthy(widened(mix, 70_000, 1000)))
    d = daemon([job("s", server.address, body_size_limit="256MiB")], glob={"seconds": 1},
               inspect={"max_memory": "64MiB", "timeout": "10m"})  # fmt: skip
    wait_labels(d.spool, 1)
    (key,) = d.spool.keys()
    d.stop()
    record = d.spool.record(key)
    small = tmp_path / "small.trace"
    small.write_bytes(mix)
    summary = json.loads(run(CONTRACE, "summary", "--json", small).stdout)
    assert record["label"] == summary["label"] != "not-inspected", record


def test_partial(daemon, serve, tmp_path):
    """A trace of which half can be read: whole as it stands, no label, and how much it is."""
    summary_is_there()
    build(SRC / "tests/support/tracemix", tmp_path / "mix")
    body = bytearray(subprocess.check_output(
        [tmp_path / "mix", "-s", "1"], timeout=60,
        env=dict(environment(), GODEBUG="traceadvanceperiod=500000000")))  # fmt: skip
    spoil_second_generation(body)
    server = serve(healthy(bytes(body)))
    d = daemon([job("s", server.address)], inspect={"max_memory": ROOMY})
    wait_labels(d.spool, 1)
    (key,) = d.spool.keys()
    d.stop()
    record = d.spool.record(key)
    assert record["complete"] and (record["label"], record["not_inspected"]) == (
        "not-inspected", "partial")  # fmt: skip
    assert 0.2 < record["covered"] < 0.8
    summary = record["summary"]
    assert not summary["complete"] and summary["findings"] == []
    assert summary["window_ns"] < 0.8 * summary["spans_ns"]
    (line,) = [entry for entry in d.log(message_id=INSPECTED) if entry["level"] == "warn"]
    assert "is not inspected: partial: " in line["msg"]
    done = run(CONTRACE, "list", f"--storage.path={d.spool.path}")
    assert f"not-inspected({int(record['covered'] * 100)}%)" in done.stdout
    done = run(CONTRACE, "list", "--json", f"--storage.path={d.spool.path}")
    assert json.loads(done.stdout)["covered"] == record["covered"]


def tuple_of(address):
    host, port = address.split(":")
    return host, int(port)


def test_once_waits_for_the_label(goservice, tmp_path):
    summary_is_there()
    service = goservice()
    done = contraced("--once", f"--target=s=http://{service.address}", "--seconds=0.3",
                     f"--storage.path={tmp_path / 'spool'}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    spool = Spool(tmp_path / "spool")
    assert [r["label"] for r in spool.check().values()] != [None]
    assert "inspections: 1 ok" in done.stderr


def hostile_bodies(body):
    """The trace with bytes changed behind the batches' headers, so that it is still captured."""
    generator = random.Random(20261121)
    for _ in range(30):
        data = bytearray(body)
        for _ in range(generator.choice((1, 10, 1000))):
            data[generator.randrange(64, len(data))] = generator.randrange(256)
        yield bytes(data)


def test_fuzzed_traces(goservice, serve, daemon, tmp_path):
    summary_is_there()
    service = goservice()
    done = contraced("--once", f"--target=s=http://{service.address}", "--seconds=0.3",
                     f"--storage.path={tmp_path / 'first'}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = Spool(tmp_path / "first")
    body = first.trace(first.keys()[0]).read_bytes()
    targets = [serve(healthy(b)).address for b in [body, *hostile_bodies(body)]]
    d = daemon([job("s", *targets)], inspect={"max_memory": ROOMY, "timeout": "20s"})
    d.wait_log(message_id="0c5f3f1c6d0b4e3f9a53a4b4d2c5e101")
    wait_until("all were tried", lambda: len(d.log("captured")) + len(d.log("cannot capture"))
               >= len(targets))  # fmt: skip
    kept = len(d.spool.keys())
    found = wait_labels(d.spool, kept)
    d.stop()
    assert not [why for _, why in found if why and why.startswith("signal")], found
    assert any(label != "not-inspected" for label, _ in found)


LONG_NAMES = """package main

import (
	"context"
	"fmt"
	"os"
	"runtime/trace"
	"strings"
	"time"
)

func main() {
	trace.Start(os.Stdout)
	defer trace.Stop()
	for i := 0; i < 100; i++ {
		time.Sleep(5 * time.Millisecond)
		name := fmt.Sprintf("%c%c", 'a'+i/10, 'a'+i%10) + strings.Repeat("\\x01", 900)
		trace.WithRegion(context.Background(), name, func() {})
	}
}
"""


def test_long_names(tmp_path):
    """Names that are long in JSON cost what they stand in, never the label."""
    (tmp_path / "go.mod").write_text("module names\n\ngo 1.23\n")
    (tmp_path / "main.go").write_text(LONG_NAMES)
    build(tmp_path, tmp_path / "names")
    path = tmp_path / "names.trace"
    with open(path, "wb") as out:
        subprocess.run([tmp_path / "names"], stdout=out, env=environment(), check=True, timeout=60)
    with open(path, "rb") as f:
        text = run(CONTRACE, "summary", "--json", "--sandbox", "-", stdin=f).stdout
    assert len(text) <= 256 * 1024
    summary = json.loads(text)
    assert summary["label"] and "regions" not in summary and "outliers" not in summary
    whole = json.loads(run(CONTRACE, "summary", "--json", path).stdout)
    assert len(whole["regions"]) == 100 and whole["outliers"]["regions"]
    assert whole["label"] == summary["label"]
