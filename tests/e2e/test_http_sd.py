# SPDX-License-Identifier: Apache-2.0
"""Targets that a server lists: http_sd_configs."""

import base64
import json
import signal

import pytest
from hostile import answer, drip, hang, healthy
from support import config_text, contraced, job, wait_until

JSON = "Content-Type: application/json; charset=utf-8"


def listing(*groups):
    return answer("200 OK", json.dumps(groups).encode(), JSON)


def group(server, service, **labels):
    return {"targets": [server.address], "labels": {"service": service, **labels}}


def sd_job(server, refresh="1s", rules=(), **more):
    url = f"http://{server.address}/list?token=s3cr3tquery"
    return {
        "job_name": "listed",
        "incident_artifacts": ["trace"],
        "http_sd_configs": [{"url": url, "refresh_interval": refresh, **more}],
        "relabel_configs": list(rules),
    }


def test_targets_come_and_go(serve, daemon, tmp_path):
    a, b = serve(healthy()), serve(healthy())
    password = tmp_path / "password"
    password.write_text("pass-of-list\n")
    password.chmod(0o600)
    lists = serve(listing(group(a, "a", __meta_zone="eu")))
    rules = [
        {"source_labels": ["__meta_url"], "regex": "http://(.*)/list.*", "target_label": "list"},
        {"source_labels": ["__meta_zone"], "target_label": "zone"},
    ]
    auth = {"username": "finder", "password_file": str(password)}
    d = daemon([sd_job(lists, rules=rules, basic_auth=auth)])
    d.wait_captured(service="a")
    lists.script = [listing(group(b, "b"), {"targets": []})]
    d.wait_captured(service="b")
    lists.script = [listing()]
    asked = len(lists.requests)
    wait_until("the empty list was read", lambda: len(lists.requests) > asked + 1)
    d.capture_now()  # of nobody
    d.stop()
    assert [len(a.requests), len(b.requests)] == [1, 1]
    request = lists.requests[0]
    assert request.startswith("GET /list?token=s3cr3tquery HTTP/1.1\r\n")
    basic = base64.b64encode(b"finder:pass-of-list").decode()
    for line in (
        f"Authorization: Basic {basic}",
        "Accept: application/json",
        "X-Prometheus-Refresh-Interval-Seconds: 1",
    ):
        assert f"\r\n{line}\r\n" in request
    records = {r["service"]: r["labels"] for r in d.spool.check().values()}
    assert records == {
        "a": {"list": lists.address, "service": "a", "zone": "eu"},
        "b": {"list": lists.address, "service": "b"},
    }
    assert d.problems() == []
    assert not [line for line in d.lines if "s3cr3t" in str(line) or "pass-of" in str(line)]


BAD = {
    "HTTP status 503": answer("503 Service Unavailable", b"[]", JSON),
    "HTTP status 302": answer("302 Found", b"", "Location: http://127.0.0.1:1/"),
    "Content-Type is not application/json": answer("200 OK", b"[]", "Content-Type: text/html"),
    "Content-Type is not": answer(
        "200 OK", b"[]", "Content-Type: application/json; charset=latin1"
    ),
    "Content-Type": answer("200 OK", b"[]"),
    "the answer is longer than 4 MiB": answer("200 OK", b"[" + b" " * (5 << 20) + b"]", JSON),
    "unknown key `targetz`": answer("200 OK", b'[{"targetz": []}]', JSON),
    "the file is empty": answer("200 OK", b"", JSON),
    "expected a list": answer("200 OK", b"{}", JSON),
    "expected a list of groups of targets, got nothing": answer("200 OK", b"null", JSON),
    "not closed": answer("200 OK", b'[{"targets": ["127.0.0.1:1"', JSON),
    "echoed": answer("200 OK", b'[{"targets": ["s3cr3tquery x"]}]', JSON),
}


@pytest.mark.parametrize("why", BAD)
def test_the_last_good_targets_stay(why, serve, daemon):
    """It is said once why, and once that it is good again; no secret of ours is in it."""
    a, b = serve(healthy()), serve(healthy())
    lists = serve(listing(group(a, "a")))
    d = daemon([sd_job(lists)])
    d.wait_captured(service="a")
    lists.script = [BAD[why]]
    line = d.wait_log(
        "does not list targets, the last good ones stay; it is asked again", level="warn"
    )
    assert why in line["msg"] or why in ("not closed", "echoed"), line["msg"]
    assert f"http://{lists.address}/list " in line["msg"] and "s3cr3t" not in line["msg"]
    asked = len(lists.requests)
    wait_until("it is asked again", lambda: len(lists.requests) > asked + 1)
    d.capture_now()
    d.wait_captured(count=2, service="a")
    lists.script = [listing(group(a, "a"), group(b, "b"))]
    d.wait_captured(service="b")
    d.stop()
    assert len(d.log("does not list targets")) == 1
    assert "2 targets for job listed: it is good again" in d.wait_log("it is good again")["msg"]


def test_a_server_that_is_slow_or_away(serve, daemon):
    """A list that comes slowly ends at the refresh_interval, and the daemon goes on meanwhile."""
    a, other = serve(healthy()), serve(healthy())
    lists = serve(hang())
    d = daemon([sd_job(lists), job("other", other.address)])
    d.wait_captured(service="other")
    d.wait_log("there are none of it yet", level="warn")
    lists.script = [drip(b"HTTP/1.1 200 OK\r\n", 0.2)]
    asked = len(lists.requests)
    wait_until("the slow one is asked twice", lambda: len(lists.requests) > asked + 2)
    lists.script = [listing(group(a, "a"))]
    d.wait_captured(service="a")
    d.stop()


def test_an_answer_without_an_end(serve, daemon):
    """A list that was cut must not make targets go."""
    a = serve(healthy())
    lists = serve(listing(group(a, "a")))
    d = daemon([sd_job(lists)])
    d.wait_captured(service="a")

    def cut(c):
        c.head("200 OK", JSON)
        c.send(b"[]")

    lists.script = [cut]
    d.wait_log("the answer has no end", level="warn")
    d.stop()


def test_a_reload_keeps_what_was_listed(serve, daemon):
    a, b = serve(healthy()), serve(healthy())
    lists = serve(listing(group(a, "a")))
    d = daemon([sd_job(lists, refresh="1h")])
    d.wait_captured(service="a")
    lists.script = [answer("500 Internal Server Error")]
    mark = d.mark()
    d.config.write_text(config_text([sd_job(lists, "1h"), job("b", b.address)], d.storage))
    d.signal(signal.SIGHUP)
    d.wait_captured(service="b")
    d.wait_log("the last good ones stay", after=mark)
    d.capture_now()
    d.wait_captured(count=2, service="a")
    d.stop()
    assert not d.log("is good again")


def test_check_config(tmp_path):
    """Without the network: a list that is out of reach is no fault of the configuration."""
    path = tmp_path / "c.yaml"
    path.write_text(
        "scrape_configs:\n- job_name: a\n  http_sd_configs: [{url: 'http://list.invalid/x?t=1'}]\n"
    )
    done = contraced("--check-config", f"--config.file={path}")
    assert (done.returncode, done.stdout) == (0, f"{path}: good\n")
    assert done.stderr == (
        "contraced: warning: http_sd http://list.invalid/x is not asked by --check-config\n"
    )


def test_once(serve, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(config_text([sd_job(serve(listing()))], {"path": str(tmp_path / "spool")}))
    done = contraced("--once", f"--config.file={path}")
    assert done.returncode == 1
    assert "no targets: --once does not wait for what http_sd_configs list" in done.stderr


def test_chunked(serve, daemon):
    a = serve(healthy())
    text = json.dumps([group(a, "a")]).encode()

    def pieces(c):
        c.head("200 OK", JSON, "Transfer-Encoding: chunked")
        for i in range(0, len(text), 7):
            c.chunk(text[i : i + 7])
        c.end_chunked()

    d = daemon([sd_job(serve(pieces))])
    d.wait_captured(service="a")
    d.stop()
