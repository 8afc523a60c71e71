# SPDX-License-Identifier: Apache-2.0
"""The newest artifact of a target, and profiles of its newest trace, over HTTP: what Alloy, Pyroscope
and collectors scrape. A real Go service is traced; Go's own tool fetches the profiles."""

import pathlib
import re
import subprocess
import tempfile
import threading
import urllib.parse

import pytest
from endpoint import Endpoint
from gotools import environment
from hostile import healthy
from pprofs import Profile
from support import BUILD, job, run, wait_until

CONTRACE = BUILD / "contrace"
VIEWS = ["sched", "sync", "net", "syscall"]
READS = {"enabled": False, "max_memory": "100000TiB"}  # AddressSanitizer takes a good deal


@pytest.fixture
def place():
    """A short directory for sockets."""
    with tempfile.TemporaryDirectory(prefix="contrace-") as directory:
        yield pathlib.Path(directory)


@pytest.fixture
def start(daemon, place):
    """start(jobs, …) starts contraced, and returns it and its endpoint; it also listens on TCP."""

    def make(jobs=None, **more):
        endpoint = Endpoint(place)
        more.setdefault("inspect", READS)
        d = daemon(jobs, args=[f"{endpoint.option},127.0.0.1:0"], **more)
        wait_until("the endpoint answers", lambda: endpoint.path.exists())
        return d, endpoint

    return make


def address_of(d):
    """Where it listens on TCP."""
    line = d.wait_log(text="listening on http://127.0.0.1:")
    return re.search(r"127\.0\.0\.1:\d+", line["msg"])[0]


def of(target, *rest):
    return "/api/v1/targets/" + "/".join([urllib.parse.quote(target, safe=""), *rest])


def captured(d, e, count=1, **of_what):
    """The key of a new capture; the target's first is over."""
    d.wait_captured(count)
    reply = e.post("/api/v1/capture", {"all": True, "wait": True, **of_what})
    assert reply.status == 200, reply
    return reply.json["captures"][0]["key"]


def locally(d, key, view, tmp_path):
    """What `contrace pprof` writes of the same file."""
    out = tmp_path / f"{view}.local"
    run(CONTRACE, "pprof", f"--{view}", "--labels", "-f", "-o", out, d.spool.trace(key))
    return Profile(out)


@pytest.mark.parametrize("named", ["address", "url"])
def test_profiles_are_those_of_the_file(start, goservice, tmp_path, named):
    service = goservice("-load", "3")
    d, e = start([job("shop", service.address)])
    key = captured(d, e, seconds=1)
    target = e.targets()["targets"][0]["address" if named == "address" else "target"]
    for view in VIEWS:
        reply = e.get(of(target, "pprof", view))
        assert reply.status == 200 and reply.headers["Contrace-Key"] == key, reply
        (tmp_path / view).write_bytes(reply.data)
        ours = Profile(tmp_path / view)
        assert ours.labelled == locally(d, key, view, tmp_path).labelled
        assert e.get(of(target, "pprof", view)).data == reply.data
    assert ours.types == [("contentions", "count"), ("delay", "nanoseconds")]
    assert Profile(tmp_path / "sched").samples
    reasons = Profile(tmp_path / "sync").labels("wait_reason")
    assert reasons and None not in reasons


def test_go_tool_pprof_scrapes(start, goservice, tmp_path):
    service = goservice("-load", "3")
    d, e = start([job("shop", service.address)])
    key = captured(d, e, seconds=1)
    url = f"http://{address_of(d)}{of(service.address, 'pprof', 'sched')}"
    local = tmp_path / "local"
    run(CONTRACE, "pprof", "--sched", "--labels", "-o", local, d.spool.trace(key))

    def raw(source):
        done = subprocess.run(
            ["go", "tool", "pprof", "-raw", source], capture_output=True, text=True, check=True,
            env=dict(environment(), PPROF_TMPDIR=str(tmp_path)), timeout=120,
        )  # fmt: skip
        return done.stdout.partition("\nMappings\n")[0]  # there, it is written whence it came

    scraped = raw(url)
    assert scraped == raw(local)
    assert re.search(r"contentions/count\s+delay/nanoseconds", scraped)
    assert "wait_reason:[" in scraped


def test_the_newest_counts(start, goservice, tmp_path):
    """Also after a restart, as long as it is kept; and it may not be too old."""
    service = goservice("-load", "3")
    jobs = [job("shop", service.address)]
    d, e = start(jobs)
    first, second = captured(d, e, seconds=0.5), captured(d, e, count=2, seconds=0.5)
    assert first != second
    path = of(service.address, "pprof", "sched")
    assert e.get(path).headers["Contrace-Key"] == second
    newest = e.get(of(service.address, "artifacts", "trace"))
    assert newest.data == d.spool.trace(second).read_bytes()
    assert e.get(path, max_age="1h").status == 200
    wait_until("it is a second old", lambda: e.get(path, max_age="1s").status == 404)
    assert second in e.get(path, max_age="1s").error
    data = e.get(path).data
    service.__exit__()
    d.stop()
    d, e = start(jobs)
    reply = e.get(path)
    assert (reply.status, reply.headers["Contrace-Key"], reply.data) == (200, second, data)
    d.stop()
    more = [job("shop", service.address), {**job("other", "127.0.0.1:1"), "static_configs": [
        {"targets": ["127.0.0.1:1"], "labels": {"service": "shop"}}]}]  # fmt: skip
    d, e = start(more)
    reply = e.get(path)
    assert reply.status == 404 and "is kept yet" in reply.error  # it may be the other's


def test_artifacts(start, goservice):
    service = goservice("-load", "1")
    d, e = start([job("shop", service.address, artifacts=["trace", "goroutine"])])
    d.wait_captured(2)
    for kind in ("trace", "goroutine"):
        reply = e.get(of(service.address, "artifacts", kind))
        key = reply.headers["Contrace-Key"]
        assert reply.status == 200 and reply.data == d.spool.trace(key).read_bytes()
    reply = e.get(of(service.address, "artifacts", "heap"))
    assert reply.status == 404 and "no heap profile" in reply.error and "is kept" in reply.error


def test_refusals(start, serve):
    server = serve(healthy())
    d, e = start([job("shop", server.address)])
    d.wait_captured(1)
    for path, status, text in [
        (of("nobody:1", "pprof", "sched"), 404, "no target `nobody:1` is configured; there is"),
        (of(server.address, "pprof", "cpu"), 404, "no profile `cpu`; there is sched, sync"),
        (of(server.address, "artifacts", "core"), 404, "no artifact `core`; there is trace"),
        (of(server.address, "heap", "x"), 404, "there is pprof/sched"),
        (of(server.address), 404, "TARGET/pprof/sched"),
        ("/api/v1/targets/pprof/sched", 404, "TARGET/pprof/sched"),
        (of(server.address, "pprof", "sched") + "?artifact=heap", 400, "trace or flight"),
        (of(server.address, "pprof", "sched") + "?max_age=old", 400, "`max_age` must be"),
        (of(server.address, "pprof", "sched") + "?artifact=flight", 404, "is kept yet"),
    ]:
        reply = e.get(path)
        assert reply.status == status and text in reply.error, (path, reply)
    assert e.ask("POST", of(server.address, "pprof", "sched")).status == 405


def test_bad_traces_and_children(start, serve, tmp_path):
    """What the child cannot read is an error that names the trace; the daemon goes on."""
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    server = serve(healthy())
    d, e = start([job("shop", server.address)],
                 inspect={**READS, "command": str(slow), "timeout": "1s"})  # fmt: skip
    d.wait_captured(1)
    path = of(server.address, "pprof", "sched")
    replies = []
    asks = [threading.Thread(target=lambda: replies.append(e.get(path))) for _ in range(3)]
    for ask in asks:
        ask.start()
    for ask in asks:
        ask.join()
    assert [r.status for r in replies] == [500] * 3
    assert all("inspect.timeout" in r.error for r in replies)
    assert "inspect.timeout" in e.get(path).error and e.get("/-/healthy").status == 200
    (tmp_path / "none").mkdir()
    d.write_config([job("shop", server.address)],
                   inspect={**READS, "command": str(tmp_path / "none")})  # fmt: skip
    assert e.post("/-/reload").status == 200
    reply = e.get(of(server.address, "pprof", "net"))
    assert reply.status == 500 and "does not run" in reply.error


def test_too_many_wait(start, serve, tmp_path):
    """Beyond a bound it is 503, with when to ask again; at a stop all are told."""
    hold = tmp_path / "hold"
    hold.write_text("#!/bin/sh\nexec sleep 1000\n")
    hold.chmod(0o755)
    server = serve(healthy())
    d, e = start([job("shop", server.address)],
                 inspect={**READS, "command": str(hold), "timeout": "10m"})  # fmt: skip
    d.wait_captured(1)
    path = of(server.address, "pprof", "sched")
    replies = []
    asks = [threading.Thread(target=lambda: replies.append(e.get(path))) for _ in range(70)]
    for ask in asks:
        ask.start()
    wait_until("some are refused", lambda: len(replies) == 6)
    assert all(r.status == 503 and int(r.headers["Retry-After"]) > 0 for r in replies)
    assert all("too many wait" in r.error for r in replies)
    d.stop()
    for ask in asks:
        ask.join()
    assert len(replies) == 70 and all(r.status == 503 for r in replies)
