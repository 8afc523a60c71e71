# SPDX-License-Identifier: Apache-2.0
"""Flight recordings that processes send: PUT /api/v1/push/SERVICE."""

import hashlib
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import gomodule
import pytest
from hostile import HEADER, answer, gated, generation, healthy, trace
from support import BUILD, assert_go_reads, job, need, wait_until
from test_artifacts import contrace, kept
from test_incidents import INCIDENT, everything, record_of

SUFFIX = ".flight.trace"
PUSH = "/api/v1/push/shop"
TYPE = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def receiver(serve, daemon, endpoint):
    """receiver(…) starts contraced with a service that only pushes."""

    def start(*more, glob=None, args=(), **of_job):
        server = serve(answer("404 Not Found", b"no"))
        jobs = [job("shop", server.address, **of_job), *more]
        return daemon(jobs, args=[endpoint.option, *args],
                      glob={"scrape_interval": "10m", **(glob or {})})  # fmt: skip

    return start


def put(endpoint, body, path=PUSH + "?reason=slow+GET+/", headers=TYPE, timeout=30):
    return endpoint.ask("PUT", path, body, headers, timeout)


def assert_nothing(d):
    wait_until("nothing is left of it", lambda: not d.spool.incoming())
    assert not kept(d.spool)


def counted(endpoint):
    text = endpoint.get("/metrics").text
    found = {}
    for line in text.splitlines():
        if line.startswith("contrace_pushes_total{"):
            found[line.split('"')[1]] = int(line.rsplit(" ", 1)[1])
    return {result: n for result, n in found.items() if n}


def raw(endpoint, data, then=b""):
    """All that is answered to these bytes; `then` follows once something was answered."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(endpoint.path))
        s.sendall(data)
        got = b""
        while piece := s.recv(65536):
            got += piece
            if then and b"\r\n\r\n" in got:
                s.sendall(then)
                then = b""
            if not then and b'"}' in got or b'""}' in got:
                break
        return got


def head(*lines, path=PUSH):
    return "\r\n".join([f"PUT {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def test_what_is_sent_is_kept(receiver, endpoint):
    d = receiver()
    body = trace(3)
    got = put(endpoint, body)
    assert got.status == 201, got
    key = got.json["key"]
    assert got.headers["Location"] == f"/api/v1/captures/{key}"
    assert got.json == {"key": key, "bytes": len(body), "outcome": "ok", "text": "",
                        "sha256": hashlib.sha256(body).hexdigest()}  # fmt: skip
    assert key.endswith(SUFFIX) and f"-{os.getpid()}." in key
    record = record_of(d.spool, key)
    assert record["reason"] == "push:slow GET /" and record["pid"] == os.getpid()
    assert (record["artifact"], record["job"]) == ("flight", "shop")
    assert (record["target"], record["service"]) == ("push:unix", "shop")
    assert record["complete"] and record["sha256"] == got.json["sha256"]
    assert endpoint.get(got.headers["Location"]).data == body
    (listed,) = endpoint.captures(artifact="flight")["captures"]
    assert listed["key"] == key
    d.wait_log("received a flight recording of shop (push:slow GET /): ")
    assert counted(endpoint) == {"kept": 1}
    assert f"contrace_pushed_bytes_total {len(body)}\n" in endpoint.get("/metrics").text
    d.stop()


def test_chunks_and_no_reason(receiver, endpoint):
    d = receiver()
    body = trace(4)
    done = subprocess.run(
        ["curl", "-sS", "--unix-socket", endpoint.path, "-T", "-", f"http://x{PUSH}"],
        input=body, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    key = json.loads(done.stdout)["key"]
    assert d.spool.trace(key).read_bytes() == body
    assert record_of(d.spool, key)["reason"] == "push"


@pytest.mark.parametrize(
    ("path", "lines", "status", "said"),
    [
        ("/api/v1/push/nobody", ["Content-Length: 9999"], 404, "no service `nobody`"),
        ("/api/v1/push/", ["Content-Length: 9999"], 404, "which service?"),
        (PUSH, [], 411, "Content-Length, or chunks"),
        (PUSH, ["Content-Length: 0"], 415, "the body is empty"),
        (PUSH, ["Content-Length: 999", "Content-Encoding: gzip"], 415, "without Content-Encoding"),
        (PUSH, ["Content-Length: 2000000000"], 413, "longer than body_size_limit"),
        (PUSH + "?reason=" + "x" * 101, ["Content-Length: 99"], 400, "1 to 100 printable"),
        (PUSH + "?reason=%c3%a9", ["Content-Length: 99"], 400, "1 to 100 printable"),
    ],
)
def test_refused_before_the_body(path, lines, status, said, receiver, endpoint):
    """Who asks first need not send it, and is not told to."""
    d = receiver()
    for asks in [["Expect: 100-continue"], []]:
        got = raw(endpoint, head(*lines, *asks, path=path))
        assert got.startswith(f"HTTP/1.1 {status} ".encode()), got
        assert said.encode() in got and b"100 Continue" not in got
    assert_nothing(d)
    got = endpoint.ask("POST", PUSH, b"{}", {"Content-Type": "application/json"})
    assert got.status == 405 and got.headers["Allow"] == "PUT"


def test_asked_first(receiver, endpoint):
    d = receiver()
    body = trace(2)
    got = raw(endpoint, head(f"Content-Length: {len(body)}", "Expect: 100-continue"), body)
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"), got
    assert len(kept(d.spool, SUFFIX)) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>no trace" * 500, 'the body is not a flight recording but \\"<html>no tr'),
        (b"\x1f\x8b\x08" + b"x" * 5000, "not a flight recording"),
        (HEADER, "before one generation was whole"),
        (HEADER + generation(1, end=False)[:50], "before one generation was whole"),
    ],
)
def test_no_trace(body, said, receiver, endpoint):
    d = receiver()
    got = put(endpoint, body)
    assert got.status == 415 and said in got.data.decode(), got
    assert_nothing(d)
    assert counted(endpoint) == {"not_a_trace": 1}
    line = d.wait_log("a flight recording that shop pushed is not kept: not_a_trace")
    assert line["level"] == "warn"


def test_no_trace_of_a_gigabyte(receiver, endpoint):
    """It is refused at its first bytes, while the rest is still coming."""
    receiver(body_size_limit="500MiB")
    done = subprocess.run(
        f"head -c 1G /dev/zero | curl -sS --unix-socket {endpoint.path} -T - -H Expect: "
        f"-w '%{{http_code}} %{{size_upload}}' http://x{PUSH}",
        shell=True, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said, _, sent = done.stdout.rpartition(" ")
    assert said.endswith("415") and "not a flight recording" in said, done
    assert int(sent) < 64 << 20


def test_memory_does_not_grow_with_it(receiver, endpoint, tmp_path):
    d = receiver(body_size_limit="500MiB")
    sent = tmp_path / "sent"
    sent.write_bytes(trace(200, size=1_000_000))
    assert sent.stat().st_size > 150 << 20

    def peak():
        status = pathlib.Path(f"/proc/{d.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    assert put(endpoint, trace(1), path="/api/v1/push/shop").status == 201
    before = peak()
    done = subprocess.run(
        ["curl", "-sS", "--unix-socket", endpoint.path, "-T", sent, f"http://x{PUSH}"],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert json.loads(done.stdout)["bytes"] == sent.stat().st_size
    assert peak() - before < 8 << 20


def test_too_long(receiver, endpoint):
    """Nothing of it is kept, also where its length was not announced."""
    d = receiver(body_size_limit="64KiB")
    body = trace(30, size=8000)
    assert len(body) > 128 << 10
    assert put(endpoint, body).status == 413
    assert (
        put(endpoint, iter([body[i : i + 4096] for i in range(0, len(body), 4096)])).status == 413
    )
    assert_nothing(d)
    assert counted(endpoint) == {"too_large": 2}


def test_broken_off(receiver, endpoint):
    d = receiver()
    body = trace(5)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(endpoint.path))
        s.sendall(head(f"Content-Length: {len(body)}") + body[: len(body) - 10])
        wait_until("it is coming", lambda: d.spool.incoming())
        got = put(endpoint, body)
        assert got.status == 409 and got.headers["Retry-After"] == "1", got
    d.wait_log("a flight recording that shop pushed is not kept: cut")
    assert_nothing(d)
    assert counted(endpoint) == {"cut": 1, "busy": 1}
    assert put(endpoint, body).status == 201


def test_one_that_stalls(receiver, endpoint):
    d = receiver()
    body = trace(5)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(endpoint.path))
        s.sendall(head(f"Content-Length: {len(body)}") + body[:100])
        begin = time.monotonic()
        assert s.recv(1) == b""
        assert 8 < time.monotonic() - begin < 40
    d.wait_log("a flight recording that shop pushed is not kept: cut")
    wait_until("nothing is left", lambda: not d.spool.incoming())
    assert endpoint.status()["now"]


def test_allowance(receiver, endpoint):
    receiver()
    for _ in range(3):
        assert put(endpoint, trace(1)).status == 201
    got = put(endpoint, trace(1))
    assert got.status == 429 and 30 <= int(got.headers["Retry-After"]) <= 40, got
    assert "three recordings at once" in got.error
    assert counted(endpoint) == {"kept": 3, "limited": 1}


def test_a_crowd(receiver, endpoint):
    """200 at once, of 40 services: one of each is received, 16 in all; nothing is left of others."""
    others = [job(f"s{i}", f"127.0.0.1:{1000 + i}") for i in range(40)]
    d = receiver(*others)
    body = trace(20, size=5000)
    seen, lock = [], threading.Lock()

    def push(i):
        try:
            status = put(endpoint, body, path=f"/api/v1/push/s{i % 40}").status
        except OSError:
            status = 0
        with lock:
            seen.append(status)

    threads = [threading.Thread(target=push, args=(i,)) for i in range(200)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(seen) <= {0, 201, 409, 429, 503} and seen.count(201) >= 16
    assert len(kept(d.spool, SUFFIX)) == seen.count(201)
    wait_until("nothing is left", lambda: not d.spool.incoming())
    assert endpoint.status()["now"]
    d.stop()


def test_whose_it_is(serve, daemon, endpoint, tmp_path):
    """The service is a label of targets or a job's name; labels are those that all of them share."""
    token = tmp_path / "token"
    token.write_text("let-me-in\n")
    token.chmod(0o600)
    web = {"bearer_token_file": str(token)}
    servers = [serve(answer("404 Not Found", b"no")) for _ in range(2)]
    of = {"static_configs": [
        {"targets": [s.address], "labels": {"service": "till", "env": "prod", "n": str(i)}}
        for i, s in enumerate(servers)
    ]}  # fmt: skip
    d = daemon([{"job_name": "shops", **of}], args=["--web.listen-address=127.0.0.1:0"], web=web)
    address = d.wait_log("listening on")["msg"]
    where = f"{address.rsplit(' ', 1)[1].rstrip('/')}/api/v1/push"
    sent = tmp_path / "sent"
    sent.write_bytes(trace(2))

    def push(service, *more):
        done = subprocess.run(
            ["curl", "-sS", "-T", sent, "-w", "\n%{http_code}", *more, f"{where}/{service}"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        said, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(said)

    assert push("till")[0] == 401
    good = ["-H", "Authorization: Bearer let-me-in"]
    assert push("other", *good)[0] == 404
    status, said = push("till", *good)
    assert status == 201, said
    record = record_of(d.spool, said["key"])
    assert record["labels"] == {"service": "till", "env": "prod"}
    assert record["target"] == "push:localhost" and "pid" not in record
    assert (record["job"], record["service"]) == ("shops", "till")
    assert record["host"] == d.spool.keys()[0].split("/")[1]
    assert push("shops", *good)[0] == 201


def wants(reason="slow"):
    return f"{PUSH}?reason={reason}&incident=1"


def ended(d, count=1):
    return d.wait_log(message_id=INCIDENT, count=count)["msg"]


def test_begins_an_incident(serve, daemon, endpoint):
    """What was sent is the first evidence, and the rest follows; the budget is that of all incidents."""
    server = serve(healthy())
    d = daemon([job("shop", server.address, incident_artifacts=["flight", "trace"],
                    flight={"path": "/debug/flight"})],
               args=[endpoint.option], glob={"scrape_interval": "10m"})  # fmt: skip
    d.wait_captured()
    d.idle()
    (before,) = everything(d.spool)
    for count in (1, 2):
        got = put(endpoint, trace(3), path=wants())
        assert got.status == 201 and got.json["no_incident"] is None, got
        id = got.json["incident"]
        assert got.json["key"] == f"{id}{SUFFIX}"
        assert ended(d, count).endswith(f"(push:slow), {id}: flight, trace")
    assert [r.split("?")[0] for r in server.requests] == ["GET /debug/pprof/trace"] * 3
    records = {key: record_of(d.spool, key) for key in everything(d.spool) if key != before}
    assert len(records) == 4
    of_last = [r for r in records.values() if r.get("incident") == id]
    assert sorted(r["artifact"] for r in of_last) == ["flight", "trace"]
    assert {r["reason"] for r in of_last} == {"push:slow"}
    listed = contrace("list", f"-c{d.config}", "--json", f"--incident={id}").stdout
    assert len(listed.splitlines()) == 2
    got = put(endpoint, trace(3), path=wants())
    assert got.status == 201 and got.json["incident"] is None, got
    assert "incidents.max_per_target_per_hour allows 2" in got.json["no_incident"]
    assert "incident" not in record_of(d.spool, got.json["key"])
    d.wait_log("no incident: incidents.max_per_target_per_hour allows 2 ")


def test_joins_the_one_under_way(serve, daemon, endpoint):
    gate = threading.Event()
    server = serve(healthy(), gated(gate))
    d = daemon([job("shop", server.address)], args=[endpoint.option],
               glob={"scrape_interval": "10m"})  # fmt: skip
    d.wait_captured()
    d.idle()
    endpoint.post("/api/v1/capture", {"all": True, "incident": True})
    wait_until("it is under way", lambda: len(server.requests) == 2)
    early = put(endpoint, trace(3), path=wants()).json
    assert early["incident"] is None and "nothing was kept yet" in early["no_incident"]
    gate.set()
    ended(d)
    gate.clear()
    first = put(endpoint, trace(3), path=wants()).json
    wait_until("the trace is asked for", lambda: len(server.requests) == 3)
    second = put(endpoint, trace(3), path=wants()).json
    assert first["incident"] == second["incident"] and second["no_incident"] is None
    assert record_of(d.spool, second["key"])["incident"] == first["incident"]
    gate.set()
    assert ended(d, 2).endswith(f"{first['incident']}: flight, trace")


def test_no_incident_without_a_target(serve, daemon, endpoint):
    """Of a service with two targets here nobody knows which one sends, and of a job's name none does."""
    servers = [serve(healthy()) for _ in range(2)]
    d = daemon([job("shop", *(s.address for s in servers)), job("cart", "192.0.2.1:9")],
               args=[endpoint.option], glob={"scrape_interval": "10m"})  # fmt: skip
    for service, said in [("shop", "more than one"), ("cart", "no")]:
        got = put(endpoint, trace(3), path=f"/api/v1/push/{service}?incident=1").json
        assert got["incident"] is None
        assert got["no_incident"].startswith(f"{said} target of the service is configured on ")
    assert not d.log(message_id=INCIDENT)
    assert put(endpoint, trace(3), path=PUSH + "?incident=yes").status == 400
    garbage = put(endpoint, b"no trace" * 5000, path=wants())
    assert garbage.status == 415 and "incident" not in garbage.json


def test_a_program_begins_one(pusher, daemon, endpoint):
    """flight.Incident(): the past that the process sends, and what follows of it."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        address = f"127.0.0.1:{s.getsockname()[1]}"
    artifacts = ["trace", "goroutine", "heap"]
    d = daemon([job("shop", address, seconds=1, incident_artifacts=artifacts)],
               args=[endpoint.option], glob={"scrape_interval": "10m"})  # fmt: skip
    process = subprocess.Popen(
        [pusher, "-socket", endpoint.path, "-for", "1s", "-to", "http://contraced/api/v1/push/shop",
         "-reason", "a test", "-incident", "-serve", address],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        key = process.stdout.readline().strip()
        id = key.removesuffix(SUFFIX)
        assert ended(d).endswith(f"{id}: flight, trace, goroutine, heap")
        of_it = [k for k in everything(d.spool) if record_of(d.spool, k).get("incident") == id]
        assert len(of_it) == 4 and key in of_it
        assert {record_of(d.spool, k)["pid"] for k in of_it} == {process.pid}
    finally:
        process.kill()
        process.wait()


def test_a_stop_while_one_is_coming(receiver, endpoint):
    d = receiver(glob={"shutdown_timeout": "1s"})
    body = trace(5)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(endpoint.path))
        s.sendall(head(f"Content-Length: {len(body)}") + body[:100])
        wait_until("it is coming", lambda: d.spool.incoming())
        d.stop()
        assert s.recv(100).startswith(b"HTTP/1.1 503 ")
    assert_nothing(d)


@pytest.fixture(scope="module")
def pusher(tmp_path_factory):
    """The example of go/flight that sends its own past."""
    binary = tmp_path_factory.mktemp("push") / "push"
    done = gomodule.go("build", "-o", str(binary), "./example/push")
    need(done.returncode == 0, done.stdout + done.stderr)
    return binary


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_a_real_program(way, pusher, serve, daemon, endpoint, tmp_path):
    """From flight.Push to the label; over TCP with a token, over the socket with its pid."""
    token = tmp_path / "token"
    token.write_text("let-me-in\n")
    token.chmod(0o600)
    server = serve(answer("404 Not Found", b"no"))
    jobs = [job("shop", server.address), job("cart", "127.0.0.1:9")]
    d = daemon(
        jobs, web={"bearer_token_file": str(token)}, glob={"scrape_interval": "10m"},
        args=[f"{endpoint.option},127.0.0.1:0"],
        inspect={"enabled": True, "command": str(BUILD / "contrace")},
    )  # fmt: skip
    base = "http://contraced"
    options = ["-socket", endpoint.path]
    if way == "tcp":
        said = [line["msg"] for line in d.log("listening on")]
        (base,) = [m.rsplit(" ", 1)[1].rstrip("/") for m in said if "127.0.0.1" in m]
        options = ["-token", "let-me-in"]
    process = subprocess.Popen(
        [pusher, *options, "-for", "1s", "-to", f"{base}/api/v1/push/shop", "-reason", "a test"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    key = process.communicate(timeout=60)[0].strip()
    assert process.returncode == 0 and key in kept(d.spool, SUFFIX)
    wait_until("it has a label", lambda: "label" in record_of(d.spool, key))
    record = record_of(d.spool, key)
    assert record["reason"] == "push:a test" and record["complete"] and record["seconds"] > 0.5
    assert record.get("pid") == (process.pid if way == "socket" else None)
    assert_go_reads(d.spool.trace(key))
    listed = contrace("list", f"-c{d.config}", "--json", "--artifact=flight").stdout
    assert json.loads(listed)["label"] == record["label"]
    assert f'label="{record["label"]}"' in endpoint.get("/metrics").text
    refused = subprocess.run(
        [pusher, *options, "-for", "1ms", "-to", f"{base}/api/v1/push/nobody"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 1 and "404 Not Found: " in refused.stderr
    assert "no service `nobody` is configured" in refused.stderr
