# SPDX-License-Identifier: Apache-2.0
"""Flight recordings: where a job's `flight` says that a service has them, how they are asked for,
and what is said of a place that has something else."""

import json

import pytest
import s3server
from hostile import answer, healthy
from store import BUCKET
from support import BUILD, assert_go_reads, job, need, wait_until
from test_artifacts import contrace, kept, record_of
from test_upload_real import PREFIX, reader_of, section_of
from uploads import clean_env

SUFFIX = ".flight.trace"
FLIGHT = {"path": "/debug/flight"}


def test_from_the_request_to_the_store_and_back(goservice, daemon, endpoint, tmp_path):
    need((BUILD / "contrace").exists(), f"no contrace in {BUILD}")
    server = s3server.S3Server(tmp_path)
    (server.root / BUCKET).mkdir()
    service = goservice("-flight-window", "1s", "-load", "3")
    d = daemon(
        [job("shop", service.address, flight=FLIGHT, artifacts=["trace", "flight"], seconds=1)],
        upload=section_of(server, tmp_path), env=clean_env(), args=[endpoint.option],
        inspect={"enabled": True, "command": str(BUILD / "contrace")},
    )  # fmt: skip
    try:
        wait_until("it is uploaded", lambda: kept(d.spool, SUFFIX) and not d.spool.pending())
        (key,) = kept(d.spool, SUFFIX)
        record = record_of(d.spool, key)
        assert record["artifact"] == "flight" and record["complete"]
        assert record["target"].endswith("/debug/flight") and record["pid"] == service.pid
        assert record["seconds"] > 0.2 and "requested_seconds" not in record
        assert record["label"] and record["generations"] >= 1
        assert record["go_version"] == "1.26" and d.problems() == []
        got = reader_of(server).get_object(Bucket=BUCKET, Key=PREFIX + key)
        assert got["Metadata"]["artifact"] == "flight"
        assert got["Metadata"]["label"] == record["label"]

        where = [f"-c{d.config}", "--remote"]
        listed = json.loads(contrace("list", *where, "--json", "--artifact=flight").stdout)
        assert listed["key"] == key
        here = json.loads(contrace("list", where[0], "--json", "--artifact=flight").stdout)
        assert here["label"] == record["label"]
        pulled = contrace("pull", *where, "--last=1", "--artifact=flight", f"-o{tmp_path}/out")
        path = pulled.stdout.strip()
        assert path == f"{tmp_path}/out/{key}"
        assert_go_reads(path)
        assert contrace("verify", path).stdout
        summary = json.loads(contrace("summary", "--json", path).stdout)
        assert summary["label"] == record["label"]
        # What reads traces by themselves is not given it.
        usual = contrace("pull", *where, "--last=9", f"-o{tmp_path}/usual").stdout.split()
        assert not [one for one in usual if one.endswith(SUFFIX)]

        (target,) = endpoint.targets(artifact="flight")["targets"]
        assert (target["state"], target["seconds"]) == ("ok", None)
        assert target["last"]["label"] == record["label"]
        metrics = endpoint.get("/metrics").text
        assert 'captures_total{scrape_job="shop",artifact="flight",result="ok"} 1' in metrics
    finally:
        server.close()


def test_on_demand_alone(goservice, daemon, endpoint):
    """It is never taken by schedule unless `artifacts` has it."""
    d = daemon([job("shop", goservice().address, flight=FLIGHT, seconds=1)],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    assert kept(d.spool, SUFFIX) == []
    done = contrace("capture", f"--address=unix:{endpoint.path}", "--all", "--artifact=flight")
    (key,) = kept(d.spool, SUFFIX)
    assert done.stdout.strip() == key
    assert endpoint.get(f"/api/v1/captures/{key}").headers["Content-Type"] == (
        "application/octet-stream"
    )
    d.stop()
    assert d.counts() == {"ok": 2}


def test_where_no_place_is_named(goservice, daemon, endpoint):
    d = daemon([job("shop", goservice().address, seconds=1)], args=[endpoint.option])
    refused = contrace("capture", f"--address=unix:{endpoint.path}", "--all", "--artifact=flight",
                       check=False)  # fmt: skip
    assert refused.returncode == 1
    assert "job `shop`: where is its flight recording? Go serves none by itself" in refused.stderr
    d.stop()


def test_method_and_headers(serve, daemon):
    server = serve(healthy())
    flight = {"path": "/admin/dump", "method": "POST", "headers": {"X-Reason": "contrace"}}
    d = daemon([job("shop", server.address, flight=flight, artifacts=["flight", "mutex"])])
    d.wait_captured()
    wait_until("the other was asked for as well", lambda: len(server.requests) >= 2)
    posted = [r for r in server.requests if r.startswith("POST /admin/dump HTTP/1.1\r\n")]
    assert posted and all("\r\nX-Reason: contrace\r\n" in r for r in posted)
    assert all("\r\nContent-Length: 0\r\n" in r for r in posted)
    other = [r for r in server.requests if r not in posted]
    assert other and not [r for r in other if "X-Reason" in r or not r.startswith("GET ")]
    assert len(kept(d.spool, SUFFIX)) == 1


@pytest.mark.parametrize(
    ("reply", "result", "said"),
    [
        (("302 Found", b"", "Location: /viewer"), "redirect", "HTTP status 302"),
        (("200 OK", b""), "not_a_trace", "is not a flight recording but an empty body"),
        (("200 OK", b"<html>flight"), "not_a_trace", 'is not a flight recording but "<html>fligh'),
        (("405 Method Not Allowed", b"no"), "http_status", "HTTP status 405"),
        (("500 Internal", b"not enabled"), "http_status", 'HTTP status 500: "not enabled"'),
    ],
)
def test_something_else_is_there(reply, result, said, serve, daemon):
    server = serve(answer(*reply))
    d = daemon([job("shop", server.address, flight=FLIGHT, artifacts=["flight"])])
    line = d.wait_log(said, result=result)
    assert line["level"] == "warn"
    advice = "`flight` must lead, by its method, to a handler that writes the recording"
    assert (advice in line["msg"]) == ("500" not in reply[0]), "a handler that fails says why"
    assert "net/http/pprof" not in line["msg"]
    assert kept(d.spool, SUFFIX) == []


def test_not_served(serve, daemon):
    """It is no failure where other artifacts are served."""
    trace, absent = healthy(), answer("404 Not Found", b"404 page not found")
    server = serve(lambda c: (absent if "/debug/flight" in c.request else trace)(c))
    d = daemon([job("shop", server.address, flight=FLIGHT, artifacts=["trace", "flight"])])
    line = d.wait_log("no flight recording at", result="missing")
    assert line["level"] == "info" and "`flight` must lead" in line["msg"]
    assert "profiles_path" not in line["msg"] and d.problems() == []


def test_nothing_is_served(serve, daemon, endpoint):
    """A target that has nothing of what its job takes fails, until it has something."""
    absent, recording = answer("404 Not Found", b"404 page not found"), healthy()
    there = []
    server = serve(lambda c: (recording if there else absent)(c))
    d = daemon([job("shop", server.address, flight=FLIGHT, artifacts=["flight"],
                    scrape_timeout="9s")],
               glob={"scrape_interval": "10s"}, args=[endpoint.option])  # fmt: skip
    line = d.wait_log("cannot capture", result="missing")
    assert line["level"] == "warn" and "`flight` must lead" in line["msg"]
    (target,) = endpoint.targets(state="failing")["targets"]
    assert (target["state"], target["failures"] > 0) == ("missing", True)
    assert endpoint.status()["targets"]["failing"] == 1
    assert 'contrace_targets_failing{scrape_job="shop"} 1' in endpoint.get("/metrics").text
    shown = contrace("status", f"--address=unix:{endpoint.path}").stdout
    assert "1 failing" in shown and "missing: HTTP status 404" in shown
    there.append(True)
    d.wait_log("work again")
    assert endpoint.status()["targets"]["failing"] == 0


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
def test_no_past_yet(status, serve, daemon, endpoint):
    """What a recorder says that its first request has just started: it is asked again."""
    body = b"flight: the recorder has just started, by this request\n"
    later, recording = answer(status, body), healthy()
    server = serve(lambda c: (later if len(server.requests) < 2 else recording)(c))
    d = daemon([job("shop", server.address, flight=FLIGHT, seconds=1, artifacts=["flight"])],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    assert len(kept(d.spool, SUFFIX)) == 1 and d.problems() == []
    assert endpoint.status()["targets"]["failing"] == 0
    d.stop()
    assert d.counts() == {"not_ready": 1, "ok": 1}


def test_what_capture_says_of_it(serve, daemon, endpoint):
    """The place that was asked, and each backslash once; what has no window takes none."""
    trace, other = healthy(), answer("200 OK", b"\x1f\x8b\x08compressed")
    server = serve(lambda c: (other if "/debug/flight" in c.request else trace)(c))
    d = daemon([job("shop", server.address, flight=FLIGHT)], args=[endpoint.option])
    d.wait_captured()
    asked = ["capture", f"--address=unix:{endpoint.path}", "--all", "--artifact=flight"]
    done = contrace(*asked, check=False)
    url = f"http://{server.address}/debug/flight"
    assert f'shop {url}: not_a_trace: the answer is not a flight recording but "' in done.stderr
    assert "\\x1f\\x8b\\x08compressed" in done.stderr and "\\\\" not in done.stderr
    done = contrace(*asked, "--seconds=5", check=False)
    assert done.returncode == 1 and "a flight recording is a snapshot and takes no" in done.stderr
    assert contrace(*asked[:-1], "--seconds=0.5").stdout
