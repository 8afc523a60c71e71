# SPDX-License-Identifier: Apache-2.0
"""The API of a running contraced: every route and every refusal, with a real Go service where
traces matter and a scripted one where time does."""

import json
import os
import pathlib
import signal
import socket
import tempfile
import threading
import time

import pytest
from endpoint import Endpoint
from hostile import BUSY, answer, gated, healthy, trace
from support import BUILD, KEY, RELOAD_FAILED, job, need, wait_until

INSPECTED = {"enabled": True, "max_memory": "100000TiB"}  # AddressSanitizer takes a good deal


@pytest.fixture
def place():
    """A short directory for sockets."""
    with tempfile.TemporaryDirectory(prefix="contrace-") as directory:
        yield pathlib.Path(directory)


@pytest.fixture
def api(daemon, place):
    """api(jobs, …) starts contraced and returns it and its endpoint."""

    def start(jobs=None, **more):
        endpoint = Endpoint(place)
        d = daemon(jobs, args=[endpoint.option], **more)
        wait_until("the endpoint answers", lambda: endpoint.path.exists())
        return d, endpoint

    return start


def quiet(d, count=1):
    """The first captures, which every start takes, are over."""
    d.wait_captured(count)
    d.idle()


def test_probes(api, serve):
    _, e = api([job("s", serve(healthy()).address)])
    for path, text in (("/-/healthy", "ok\n"), ("/healthz", "ok\n"), ("/-/ready", "ready\n"),
                       ("/readyz", "ready\n")):  # fmt: skip
        reply = e.get(path)
        assert (reply.status, reply.text) == (200, text)
        assert reply.headers["Content-Type"].startswith("text/plain")
        assert e.ask("HEAD", path).data == b""
        assert e.ask("POST", path).status == 405


def test_not_ready_without_room(api, serve, tmp_path):
    place = os.statvfs(tmp_path)
    if place.f_bavail > 0.98 * place.f_blocks:  # a memory file system with nothing in it
        with open(tmp_path / "ballast", "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, place.f_blocks * place.f_frsize // 50)
    d, e = api([job("s", serve(healthy()).address)], storage={"min_free": "99%"})
    d.wait_log("no_space")
    wait_until("it says so", lambda: e.get("/-/ready").status == 503)
    reply = e.get("/readyz")
    assert "no room for another trace" in reply.text and e.get("/healthz").status == 200
    status = e.status()
    assert status["spool"]["refusing"] and status["captures"]["by_result"] == {"no_space": 1}


def test_stopping(api, serve):
    """What is asked for while it stops is refused, and who waits is told the end."""
    gate = threading.Event()
    server = serve(healthy(), gated(gate))
    d, e = api([job("s", server.address)])
    quiet(d)
    replies = []
    waiter = threading.Thread(target=lambda: replies.append(e.capture(all=True, wait=True)))
    waiter.start()
    wait_until("it is captured", lambda: e.status()["captures"]["in_flight"] == 1)
    d.signal(signal.SIGTERM)
    d.wait_log("SIGTERM: stopping")
    assert e.get("/-/ready").text == "contraced is stopping\n"
    assert e.get("/-/healthy").status == 200
    for path, body in (("/api/v1/capture", {"all": True}), ("/-/reload", None),
                       ("/api/v1/alerts", alerts(labels(job="s")))):  # fmt: skip
        assert e.post(path, body).status == 503, path
    gate.set()
    waiter.join()
    assert d.wait_exit() == 0
    assert replies[0].status == 200 and replies[0].json["captures"][0]["key"] in d.spool.keys()


def test_reload(api, serve):
    a, b = serve(healthy()), serve(healthy())
    d, e = api([job("a", a.address)])
    d.write_config([job("a", a.address), job("b", b.address)])
    reply = e.post("/-/reload")
    assert (reply.status, reply.json) == (200, {"targets": 2})
    d.write_config(None, text="global:\n  scrape_intervall: 5m\nscrape_configs: []\n")
    reply = e.post("/-/reload")
    assert reply.status == 400 and "the old one stays" in reply.error
    assert [x for x in reply.json["details"] if x.startswith(f"{d.config}:2:3: ")]
    assert "scrape_intervall" in reply.json["details"][0]
    assert e.targets()["total"] == 2
    assert e.status()["config"]["last_reload_ok"] is False
    d.wait_log(message_id=RELOAD_FAILED)
    d.config.unlink()
    assert e.post("/-/reload").status == 400
    d.write_config([job("a", a.address)])
    assert e.post("/-/reload", {}).json == {"targets": 1}
    assert e.status()["config"]["last_reload_ok"] is True
    assert e.post("/-/reload", {"now": True}).status == 400


def test_suspend_and_resume(api, serve):
    server = serve(healthy())
    d, e = api([job("s", server.address)])
    quiet(d)
    assert e.post("/api/v1/resume").json == {"suspended": False, "causes": []}
    reply = e.post("/api/v1/suspend", {"reason": "load test"})
    assert (reply.status, reply.json) == (200, {"suspended": True, "causes": ["api"]})
    (cause,) = e.status()["suspended"]["causes"]
    assert (cause["cause"], cause["text"]) == ("api", "load test") and cause["since"]
    d.signal(signal.SIGUSR2)  # what a signal resumes, it resumes for both
    wait_until("it is resumed", lambda: not e.status()["suspended"]["causes"])
    assert e.post("/api/v1/suspend").json["causes"] == ["api"]
    assert e.capture(all=True, wait=True).status == 200  # on demand, all the same
    assert e.post("/api/v1/resume", {}).json == {"suspended": False, "causes": []}
    for body in (b"nonsense", [], {"why": "x"}, {"reason": "a\nb"}, {"reason": "x" * 101}):
        assert e.post("/api/v1/suspend", body).status == 400, body
    assert e.post("/api/v1/resume", {"reason": "x"}).status == 400
    assert e.status()["suspended"]["causes"] == []


def test_wait_tells_the_key(api, goservice):
    service = goservice()
    d, e = api([job("cart", service.address)])
    quiet(d)
    reply = e.capture(service="cart", seconds=0.1, reason="is it slow?", wait=True)
    assert reply.status == 200
    (capture,) = reply.json["captures"]
    assert KEY.fullmatch(capture["key"]) and capture["key"] in d.spool.keys()
    record = d.spool.record(capture["key"])
    assert record["reason"] == "api:is it slow?" and record["seconds"] == 0.1
    assert capture["target"] == record["target"] == f"http://{service.address}/debug/pprof/trace"
    assert (capture["service"], capture["job"]) == ("cart", "cart")
    assert capture["host"] == record["host"] and capture["outcome"] == "ok"
    assert capture["bytes"] == record["bytes"] and capture["seconds"] == 0.1
    assert capture["start"] == record["start"] and capture["text"] == ""
    d.stop()
    d.spool.check()


def test_without_waiting(api, serve):
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    reply = e.capture(target=e.targets()["targets"][0]["target"])
    assert reply.status == 202
    (capture,) = reply.json["captures"]
    assert set(capture) == {"target", "service", "host", "job", "artifact", "url"}
    d.wait_captured(2)
    assert [r["reason"] for r in d.spool.check().values()] == ["schedule", "api"]


def test_whom(api, serve, place):
    a, b, c = (serve(healthy()) for _ in range(3))
    labelled = {"targets": [c.address], "labels": {"service": "cart"}}
    d, e = api([job("one", a.address, b.address),
                {"job_name": "two", "static_configs": [labelled]}])  # fmt: skip
    quiet(d, 3)

    def captured(**order):
        reply = e.capture(wait=True, seconds=0.001, **order)
        assert reply.status == 200, reply
        return sorted(x["target"] for x in reply.json["captures"])

    urls = [f"http://{x.address}/debug/pprof/trace" for x in (a, b, c)]
    assert captured(target=urls[0]) == [urls[0]]
    assert captured(target=b.address) == [urls[1]]
    assert captured(service="cart") == [urls[2]]
    assert captured(job="one") == sorted(urls[:2])
    assert captured(job="two") == [urls[2]]
    assert captured(all=True) == sorted(urls)
    for order, there in (
        ({"service": "two"}, "cart"),
        ({"job": "cart"}, "two"),
        ({"target": "http://127.0.0.1:1/debug/pprof/trace"}, urls[0]),
        ({"target": "http://169.254.169.254/latest/meta-data/"}, urls[0]),
        ({"service": ""}, None),
    ):
        reply = e.capture(**order)
        assert reply.status == (404 if there else 400), order
        assert not there or there in reply.error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        ([], "must be a JSON object"),
        ({}, "exactly one of"),
        ({"all": True, "service": "s"}, "exactly one of"),
        ({"all": False}, '"all" must be true'),
        ({"service": 7}, '"service" must be a text'),
        ({"all": True, "secconds": 1}, 'unknown key "secconds"'),
        ({"all": True, "url": "http://evil/"}, 'unknown key "url"'),
        ({"all": True, "seconds": 30.1}, "from 0.001 to 30"),
        ({"all": True, "seconds": "2"}, "from 0.001 to 30"),
        ({"all": True, "seconds": 0}, "from 0.001 to 30"),
        ({"all": True, "reason": "a\nb"}, "printable"),
        ({"all": True, "reason": "x" * 101}, "1 to 100"),
        ({"all": True, "wait": 1}, '"wait" must be'),
    ],
)
def test_bad_orders(api, serve, body, error):
    server = serve(healthy())
    d, e = api([job("s", server.address)])
    quiet(d)
    reply = e.post("/api/v1/capture", body)
    assert reply.status == 400 and error in reply.error, reply
    assert len(server.requests) == 1


def test_two_at_once(api, serve):
    """Of one target: the first is on its way, the second and the third share what follows it."""
    gate = threading.Event()
    server = serve(healthy(), gated(gate), healthy())
    d, e = api([job("s", server.address)])
    quiet(d)
    replies = {}

    def ask(name):
        replies[name] = e.capture(all=True, wait=True, seconds=0.01, reason=name)

    def begin(name):
        thread = threading.Thread(target=ask, args=[name])
        thread.start()
        return thread

    threads = [begin("first")]
    wait_until("it is captured", lambda: len(server.requests) == 2)
    in_flight = e.targets()["targets"][0]["in_flight"]
    assert in_flight["state"] == "capturing" and in_flight["reason"] == "api:first"
    assert in_flight["seconds"] == 0.01 and in_flight["start"]
    threads += [begin("second"), begin("third")]
    time.sleep(0.3)
    gate.set()
    for thread in threads:
        thread.join()
    keys = {name: reply.json["captures"][0]["key"] for name, reply in replies.items()}
    assert keys["second"] == keys["third"] != keys["first"]
    assert len(server.requests) == 3 and set(keys.values()) < set(d.spool.keys())
    assert e.targets()["targets"][0]["in_flight"] is None


def test_failures(api, serve):
    good, bad = serve(healthy()), serve(answer("404 Not Found"))
    d, e = api([job("good", good.address), job("bad", bad.address)])
    quiet(d)
    wait_until("both were tried", lambda: e.status()["targets"]["failing"] == 1)
    reply = e.capture(job="bad", wait=True, seconds=0.01)
    assert reply.status == 502 and "http_status" in reply.error
    (capture,) = reply.json["captures"]
    assert capture["outcome"] == "http_status" and capture["key"] is None
    assert "404" in capture["text"]
    reply = e.capture(all=True, wait=True, seconds=0.01)
    assert reply.status == 200
    ends = {c["job"]: c["outcome"] for c in reply.json["captures"]}
    assert ends == {"good": "ok", "bad": "http_status"}


def test_gone_while_waiting(api, serve):
    gate = threading.Event()
    server = serve(healthy(), gated(gate))
    d, e = api([job("s", server.address)])
    quiet(d)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(e.path))
        body = b'{"all": true, "wait": true}'
        s.sendall(
            b"POST /api/v1/capture HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            b"application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        wait_until("it is captured", lambda: len(server.requests) == 2)
    assert e.get("/healthz").status == 200
    gate.set()
    d.wait_captured(2)
    assert e.get("/healthz").status == 200
    d.stop()


def test_allowance(api, serve):
    a, b = serve(healthy()), serve(healthy())
    d, e = api([job("a", a.address), job("b", b.address)])
    quiet(d, 2)
    for _ in range(3):
        assert e.capture(job="a", wait=True, seconds=2).status == 200
    reply = e.capture(job="a", wait=True, seconds=2)
    assert reply.status == 429 and 0 < int(reply.headers["Retry-After"]) <= 40
    assert "5%" in reply.error and len(a.requests) == 4
    # Another target has its own, and what is not over the allowance is captured.
    reply = e.capture(all=True, seconds=1, wait=True)
    assert reply.status == 200 and [c["job"] for c in reply.json["captures"]] == ["b"]
    (limited,) = reply.json["limited"]
    assert limited["job"] == "a" and 0 < limited["retry_after_seconds"] <= 20
    # A reload does not fill it.
    assert e.post("/-/reload").status == 200
    assert e.capture(job="a").status == 429


def test_joining_is_no_way_around_the_allowance(api, serve):
    """What waits for its turn may be joined for nothing, but not made longer."""
    gate = threading.Event()
    busy, other = serve(gated(gate)), serve(healthy())
    d, e = api([job("busy", busy.address), job("other", other.address)],
               glob={"max_concurrent_captures": 1})  # fmt: skip
    wait_until("the place is taken", lambda: busy.requests)

    def waits():
        flight = e.targets(job="other")["targets"][0]["in_flight"]
        return flight and flight["state"] == "waiting"

    wait_until("the other waits for it", waits)
    assert [e.capture(job="other", seconds=s).status for s in (29, 29, 30)] == [202, 202, 429]
    assert [e.capture(job="other").status for _ in range(50)] == [202] * 50
    assert other.requests == []
    gate.set()
    quiet(d, 2)
    (request,) = other.requests
    assert "seconds=29" in request


def test_allowance_of_what_joins(api, serve):
    """Paid once by whoever asks first, and by who makes it longer: nobody gets 30 s for nothing."""
    gate = threading.Event()
    a, b = serve(healthy(), gated(gate), healthy()), serve(healthy())
    d, e = api([job("a", a.address), job("b", b.address)], glob={"max_concurrent_captures": 1})
    quiet(d, 2)
    assert e.capture(job="a", seconds=0.01).status == 202
    wait_until("it is captured", lambda: len(a.requests) == 2)
    for _ in range(5):  # all are one capture, which follows that one
        assert e.capture(job="a", seconds=2).status == 202
    assert e.capture(job="b", seconds=0.01).status == 202
    reply = e.capture(job="b", seconds=30)  # would join what waits
    assert reply.status == 429, reply
    assert e.capture(job="b", seconds=0.01).status == 202
    gate.set()
    d.wait_captured(5)
    assert [r.split(" ")[1].rpartition("=")[2] for r in a.requests[1:]] == ["0.01", "2"]
    assert [r.split(" ")[1].rpartition("=")[2] for r in b.requests[1:]] == ["0.01"]


def labels(**more):
    return {"alertname": "HighLatency", "severity": "page", **more}


def alerts(*which, status="firing"):
    """A notification as Alertmanager sends it."""
    return {
        "receiver": "contrace", "status": "firing", "groupLabels": {"alertname": "HighLatency"},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager:9093",
        "version": "4", "groupKey": '{}:{alertname="HighLatency"}', "truncatedAlerts": 0,
        "alerts": [
            {"status": status, "labels": w, "annotations": {"summary": "slow"},
             "startsAt": "2026-03-14T09:26:53.589Z", "endsAt": "0001-01-01T00:00:00Z",
             "generatorURL": "http://prometheus:9090/graph", "fingerprint": "1a30ba71cca2921f"}
            for w in which
        ],
    }  # fmt: skip


def test_alerts(api, serve):
    a, b, c = (serve(healthy()) for _ in range(3))
    labelled = {"targets": [c.address], "labels": {"service": "cart"}}
    d, e = api([job("shop", a.address, b.address),
                {**job("rest"), "static_configs": [labelled]}])  # fmt: skip
    quiet(d, 3)

    def send(*which, **more):
        mark = d.mark()
        reply = e.post("/api/v1/alerts", alerts(*which, **more))
        assert reply.status == 200, reply
        d.wait_captured(len(reply.json["captures"]), after=mark) if reply.json["captures"] else None
        captured = sorted(x["target"].split("/")[2] for x in reply.json["captures"])
        return captured, [x["why"] for x in reply.json["ignored"]]

    assert send(labels(service="cart", job="elsewhere")) == ([c.address], [])
    d.idle()
    reasons = [r["reason"] for r in d.spool.check().values()]
    assert sorted(reasons) == ["alert:HighLatency", "schedule", "schedule", "schedule"]
    assert send(labels(job="shop")) == (sorted([a.address, b.address]), [])
    assert send(labels(job="shop", instance=b.address)) == ([b.address], [])
    assert send(labels(job="shop", service="shop-metrics", instance=a.address)) == ([a.address], [])
    host = {"instance": "127.0.0.1:8080"}  # where its metrics are
    assert send(labels(job="rest", **host)) == ([c.address], [])
    host = {"instance": os.uname().nodename + ":8080"}
    assert send(labels(job="rest", **host)) == ([c.address], [])
    assert send(labels(job="shop"), status="resolved") == ([], [])
    assert send() == ([], [])
    # Two alerts, one service: once.
    assert send(labels(service="cart"), labels(service="cart", alertname="Other"))[0] == [c.address]
    _, why = send(labels(job="nobody"), labels(), labels(job="shop", instance="10.9.8.7:80"))
    assert "no target is configured of the job `nobody`" in why[0]
    assert "neither" in why[1] and "at `10.9.8.7:80`" in why[2]
    for body in (b"", b"x", [], {}, {"alerts": [{}]}, {"alerts": 7}):
        assert e.post("/api/v1/alerts", body).status == 400, body


def test_alerts_within_the_allowance(api, serve):
    server = serve(healthy())
    d, e = api([job("s", server.address)], glob={"seconds": 2})
    quiet(d)
    for _ in range(3):
        assert e.post("/api/v1/alerts", alerts(labels(job="s"))).json["ignored"] == []
        d.wait_captured(len(server.requests))
        d.idle()
    reply = e.post("/api/v1/alerts", alerts(labels(job="s")))
    assert reply.status == 200 and reply.json["captures"] == []
    assert "too often" in reply.json["ignored"][0]["why"]
    d.wait_log("gets neither an incident nor a capture")
    assert reply.json["ignored"][0]["alert"] == "HighLatency"


def test_a_large_incident(api, serve):
    """Of a thousand alerts the first hundred count, however long the rest is."""
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    many = alerts(labels(job="s"), *[labels(job=f"other{i}", text="x" * 1400) for i in range(999)])
    assert len(json.dumps(many)) > 1 << 20
    reply = e.post("/api/v1/alerts", many)
    assert reply.status == 200 and len(reply.json["captures"]) == 1
    assert "100 alerts are looked at" in reply.json["ignored"][-1]["why"]
    d.wait_captured(2)


def test_notifications_that_are_refused(api, serve):
    """Nobody reads the answer: the log tells it, once for a while, and all are counted."""
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    assert e.post("/api/v1/alerts", b"[" + bytes(17 << 20)).status == 413
    assert e.post("/api/v1/alerts", b"x").status == 400
    line = d.wait_log("a notification of alerts was refused")
    assert "longer than 16384 KiB" in line["msg"]
    assert len(d.log("a notification of alerts was refused")) == 1
    assert "contrace_alert_notifications_refused_total 2\n" in e.get("/metrics").text


def test_busy_is_new(api, serve):
    """That somebody else traces it does not make a target `ok`."""
    server = serve(BUSY)
    d, e = api([job("s", server.address)], glob={"scrape_interval": "1h"})
    d.wait_log("no capture of")
    target = e.get("/api/v1/targets").json["targets"][0]
    assert target["state"] == "new" and target["last"]["outcome"] == "busy"
    assert e.get("/api/v1/targets?state=ok").json["targets"] == []


def test_a_long_capture_is_no_fault_of_the_disk(api, serve):
    """One that was asked for may be longer than the interval: the log does not suspect the disk."""
    gate = threading.Event()
    server = serve(healthy(), gated(gate))
    often = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    d, e = api([job("s", server.address, seconds=0.01)], glob=often)
    d.wait_captured()
    reply = e.post("/api/v1/capture", {"job": "s", "seconds": 30, "wait": False})
    assert reply.status == 202
    said = d.wait_log("has not ended when the next is due")
    assert said["msg"].endswith("(it is capturing), which is left out")
    gate.set()
    d.wait_log("has ended")


def test_odd_alert_names(api, serve):
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    name = "<b>\x1b[31m ä" + "x" * 300
    reply = e.post("/api/v1/alerts", alerts(labels(job="s", alertname=name)))
    assert reply.json["captures"][0]["alert"].startswith("_b___31m___xxx")
    d.wait_captured(2)
    reasons = [r["reason"] for r in d.spool.check().values()]
    assert len(reasons[-1]) < 100 and reasons[-1].startswith("alert:_b_")


def test_status(api, goservice):
    service = goservice()
    d, e = api([job("cart", service.address)], storage={"max_age": "7d", "max_files": 100})
    quiet(d)
    status = e.status()
    assert set(status) == {"version", "start", "host", "pid", "now", "config", "suspended",
                           "targets", "captures", "spool", "upload", "inspections"}  # fmt: skip
    assert status["pid"] == d.pid and status["host"] == os.uname().nodename
    assert status["start"] <= status["now"]
    assert status["config"]["file"] == str(d.config) and status["config"]["last_reload"]
    assert status["targets"] == {"total": 1, "failing": 0}
    (key,) = d.spool.keys()
    record = d.spool.record(key)
    assert status["captures"] == {"in_flight": 0, "by_result": {"ok": 1}, "bytes": record["bytes"],
                                  "last_success": record["start"]}  # fmt: skip
    spool = status["spool"]
    assert spool["path"] == str(d.spool.path) and spool["archive"]["files"] == 1
    assert spool["pending"] == {"files": 0, "bytes": 0, "oldest": None}
    assert spool["max_age_seconds"] == 7 * 86400 and spool["max_files"] == 100
    assert 0 < spool["free_bytes"] <= spool["total_bytes"] and spool["refusing"] is False
    assert spool["oldest"] == spool["newest"]
    assert status["upload"] is None and status["inspections"] == {"enabled": False, "by_result": {}}


def test_targets(api, serve):
    good, bad = serve(healthy()), serve(answer("404 Not Found"))
    late = serve(gated(threading.Event()))
    labelled = {"targets": [good.address], "labels": {"service": "cart", "env": "prod"}}
    d, e = api([{"job_name": "good", "static_configs": [labelled]}, job("bad", bad.address),
                job("late", late.address, seconds=1.5)])  # fmt: skip
    wait_until("all were tried", lambda: [e.targets(state=s)["total"] for s in
                                          ("ok", "failing", "new")] == [1, 1, 1])  # fmt: skip
    wait_until("one is on its way", lambda: late.requests)
    page = e.targets()
    assert page["total"] == 3 and page["after"] is None
    by_job = {t["job"]: t for t in page["targets"]}
    t = by_job["good"]
    assert t["service"] == "cart" and t["labels"] == {"service": "cart", "env": "prod"}
    assert t["address"] == good.address and t["state"] == "ok" and t["failures"] == 0
    assert t["interval_seconds"] == 300 * 86400 and t["seconds"] == 0.2 and t["in_flight"] is None
    assert t["next"] > e.status()["now"]
    assert t["last"]["key"] in d.spool.keys() and t["last"]["outcome"] == "ok"
    assert t["last"]["captured"] == t["last"]["start"] and t["last"]["label"] is None
    assert t["last"]["scheduler_latency_p99_seconds"] is None
    t = by_job["bad"]
    assert t["state"] == "http_status" and t["failures"] >= 1 and "404" in t["last"]["text"]
    assert t["last"]["key"] is None and t["last"]["bytes"] is None
    t = by_job["late"]
    assert t["state"] == "new" and t["last"] is None and t["in_flight"]["state"] == "capturing"
    assert t["in_flight"]["seconds"] == 1.5 and t["in_flight"]["reason"] == "schedule"
    for query, jobs in (
        ({"service": "cart"}, ["good"]), ({"job": "bad"}, ["bad"]), ({"state": "ok"}, ["good"]),
        ({"state": "new"}, ["late"]), ({"state": "failing"}, ["bad"]), ({"state": "x"}, []),
        ({"service": "cart", "job": "bad"}, []), ({"service": ""}, ["bad", "good", "late"]),
        ({"target": bad.address}, ["bad"]), ({"target": by_job["late"]["target"]}, ["late"]),
        ({"target": "10.9.8.7:80"}, []),
    ):  # fmt: skip
        assert [t["job"] for t in e.targets(**query)["targets"]] == jobs, query


def test_pages_of_targets(api, serve):
    address = serve(healthy()).address
    port = address.split(":")[1]
    everyone = [f"127.0.0.{i}:{port}" for i in range(1, 24)]
    _, e = api([job("odd:1 job", *everyone[::2]), job("s", *everyone[1::2])])
    found, after = [], None
    while True:
        page = e.targets(limit=5, **({"after": after} if after else {}))
        assert page["total"] == 23 and len(page["targets"]) <= 5
        found += [(t["job"], t["address"]) for t in page["targets"]]
        after = page["after"]
        if after is None:
            break
    assert found == sorted(found) and len(set(found)) == 23
    for bad in ("x", "-1:s", "99999999:s", "50:s", ":"):
        assert e.get("/api/v1/targets", after=bad).status == 400, bad
    for bad in ("0", "-1", "1001", "x"):
        assert e.get("/api/v1/targets", limit=bad).status == 400, bad


def test_labels_and_downloads(api, goservice):
    """A real trace, inspected by contrace: its label is told, and the file is what lies there."""
    need((BUILD / "contrace").exists(), "no contrace beside contraced")
    service = goservice()
    d, e = api([job("cart", service.address)], inspect=INSPECTED)
    quiet(d)
    wait_until("it has a label", lambda: e.captures()["captures"][0]["label"], timeout=120)
    (capture,) = e.captures()["captures"]
    key = capture["key"]
    record = d.spool.record(key)
    latency = record["summary"]["scheduler"]["latency"]["p99_ns"]
    assert capture["label"] == record["label"]
    assert capture["covered"] == record["covered"] == 1
    assert capture["scheduler_latency_p99_seconds"] == pytest.approx(latency / 1e9)
    assert (capture["service"], capture["host"]) == (record["service"], record["host"])
    assert capture["start"][:19] == record["start"][:19] and capture["pid"] == record.get("pid")
    assert capture["bytes"] == record["bytes"] and capture["state"] == "archive"
    last = e.targets()["targets"][0]["last"]
    assert (last["key"], last["label"]) == (key, record["label"])
    assert last["scheduler_latency_p99_seconds"] == pytest.approx(latency / 1e9)
    assert e.status()["inspections"] == {"enabled": True, "by_result": {"ok": 1}}
    assert e.captures(label=record["label"])["total"] == 1
    assert e.captures(label="no-such")["total"] == 0
    reply = e.get(f"/api/v1/captures/{key}")
    assert reply.status == 200 and reply.data == d.spool.trace(key).read_bytes()
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"] == (
        f'attachment; filename="{key.replace("/", "-")}"'
    )
    name = key.removesuffix(".trace") + ".json"
    reply = e.get(f"/api/v1/captures/{name}")
    assert reply.data == d.spool.trace(key).with_suffix(".json").read_bytes()
    assert reply.json == record
    assert e.ask("HEAD", f"/api/v1/captures/{key}").data == b""


ODD_KEYS = [
    "", ".trace", ".json", "x", "../contraced.yaml", "../../contraced.yaml.trace",
    "..%2f..%2fcontraced.yaml", "%2e%2e/%2e%2e/x.trace", "/etc/passwd", "//etc/passwd.trace",
    "s/../s/20260314/092653.trace", "s/h/20260314/../../../incoming/x.trace",
    "s/h/20260314/092653.trace/", "s/h/20260314/092653.trace%00.json", "s/h/20260314/092653",
    "s/h/20260314/092653-0.trace", "s%5ch/20260314/092653.trace", "%ff%fe.trace",
    "a" * 3000 + ".json", "archive/s/h/20260314/092653.trace", ".lock", "s/h/20260314/092653.trace",
]  # fmt: skip


def test_odd_keys(api, serve, tmp_path):
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    for key in ODD_KEYS:
        reply = e.ask("GET", "/api/v1/captures/" + key)
        assert reply.status in (400, 404), (key, reply)
        assert "error" in reply.json
    # A link in the place of a kept trace is not followed either.
    (key,) = d.spool.keys()
    path = d.spool.trace(key)
    (tmp_path / "secret").write_text("secret")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    reply = e.get("/api/v1/captures/" + key)
    assert reply.status == 500 and b"secret" not in reply.data
    path.unlink()
    assert e.get("/api/v1/captures/" + key).status == 404


def write_spool(path, count, services=4, hosts=5):
    """Traces of an earlier run, a minute apart, the newest last; every third one pending."""
    start = int(time.time()) - 60 * count
    for i in range(count):
        at = time.gmtime(start + 60 * i)
        key = f"service-{i % services}/host-{i % hosts}/" + time.strftime("%Y%m%d/%H%M%S", at)
        place = path / ("pending" if i % 3 == 2 else "archive") / (key + f"-{1000 + i}.trace")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(trace()[: 300 + i % 100])
        summary = {"scheduler": {"latency": {"p99_ns": 1000 * i}}}
        label = ["healthy", "idle", "gc-pressure"][i % 3]
        record = {"service": f"service-{i % services}", "label": label, "summary": summary}
        place.with_suffix(".json").write_text(json.dumps(record))


def all_pages(e, **query):
    found, before = [], None
    while True:
        page = e.captures(**query, **({"before": before} if before else {}))
        found += page["captures"]
        before = page["before"]
        if before is None:
            assert len(found) == page["total"]
            return found


def test_kept_by_an_earlier_run(api, serve, tmp_path):
    write_spool(tmp_path / "spool", 200)
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    found = all_pages(e)
    assert found.pop(0)["service"] == "s" and len(found) == 200
    assert [c["pid"] for c in found] == list(range(1199, 999, -1))
    for c in found:
        i = c["pid"] - 1000
        assert c["label"] == ["healthy", "idle", "gc-pressure"][i % 3]
        assert c["scheduler_latency_p99_seconds"] == pytest.approx(i / 1e6)
        assert c["state"] == ("pending" if i % 3 == 2 else "archive")
        assert (c["service"], c["host"]) == (f"service-{i % 4}", f"host-{i % 5}")
        assert c["bytes"] == 300 + i % 100
        assert KEY.fullmatch(c["key"]) and c["start"].endswith(".000Z")
    head = e.ask("HEAD", "/api/v1/captures")
    assert (head.status, head.data) == (200, b"") and int(head.headers["Content-Length"]) > 1000
    # Filters, alone and together.
    assert len(all_pages(e, service="service-1", limit=7)) == 50
    assert len(all_pages(e, host="host-2")) == 40
    ill = all_pages(e, label="gc-pressure", limit=10)
    assert [c["pid"] - 1000 for c in ill] == list(range(197, 0, -3))
    assert len(all_pages(e, label="gc-pressure", service="service-1")) == 17
    middle = found[100]["start"]
    assert [c["pid"] for c in all_pages(e, since=middle, until=found[90]["start"])] == list(
        range(1108, 1098, -1)
    )
    assert e.captures(since=middle, until=middle)["total"] == 0
    for query in ({"since": "yesterday"}, {"until": "7"}, {"limit": "0"}, {"limit": "1001"},
                  {"limit": "x"}, {"before": "x"}, {"before": "../x.trace"}):  # fmt: skip
        reply = e.get("/api/v1/captures", **query)
        assert reply.status == 400 and "`" in reply.error, query


def test_label_before_any_listing(api, serve, tmp_path):
    """The first question after a start is for a label: all records are read for it."""
    write_spool(tmp_path / "spool", 150)
    d, e = api([job("s", serve(healthy()).address)])
    quiet(d)
    assert e.captures(label="idle", limit=1)["total"] == 50
    assert e.captures(label="", limit=1)["total"] == 1  # this run's own


def test_ten_thousand_are_kept(api, serve, tmp_path):
    """Measured and printed, not judged."""
    write_spool(tmp_path / "spool", 10000)
    d, e = api([job("s", serve(healthy()).address)], storage={"max_age": 0})
    quiet(d)

    def took(what, ask):
        start = time.monotonic()
        value = ask()
        print(f"{what}: {1000 * (time.monotonic() - start):.1f} ms")
        return value

    assert took("first page of 1000", lambda: e.captures(limit=1000))["total"] == 10001
    took("the same again", lambda: e.captures(limit=1000))
    took("page of 100", lambda: e.captures(limit=100))
    took("by label, all records read", lambda: e.captures(label="idle", limit=100))
    took("by label again", lambda: e.captures(label="idle", limit=100))
    found = took("all in pages of 1000", lambda: all_pages(e, limit=1000))
    assert len({c["key"] for c in found}) == 10001
    took("by service and host", lambda: e.captures(service="service-3", host="host-3"))
    for _ in range(3):
        took("status", e.status)
    took("targets", e.targets)


def test_unknown_routes_and_methods(api, serve):
    d, e = api([job("s", serve(healthy()).address)])
    for path in ("/api", "/api/v1", "/api/v1/", "/api/v2/status", "/-/quit", "/capture"):
        reply = e.get(path)
        assert reply.status == 404 and reply.error, path
    for method, path in (("GET", "/api/v1/capture"), ("POST", "/api/v1/status"),
                         ("DELETE", "/api/v1/captures/x.trace"), ("GET", "/-/reload"),
                         ("PUT", "/api/v1/suspend")):  # fmt: skip
        reply = e.ask(method, path)
        assert reply.status == 405 and reply.error, path
    assert e.get("/").headers["Content-Type"].startswith("text/html")
    assert b"contrace_" in e.get("/metrics").data
    assert d.problems() == []
