# SPDX-License-Identifier: Apache-2.0
"""Incidents: several artifacts of one target under one id, from whoever asks to what people read."""

import json
import signal
import threading

import pytest
import s3server
from hostile import BUSY, answer, gated, healthy
from store import BUCKET
from support import BUILD, RELOADED, SUSPENDED, job, wait_until
from test_artifacts import contrace
from test_upload_real import section_of
from uploads import clean_env

INCIDENT = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e110"  # base/log.h
FLIGHT = {"path": "/debug/flight"}
WAITS = ("-block-rate=1", "-mutex-fraction=1")  # so that each profile has samples
USUAL = ["flight", "trace", "goroutine", "mutex", "block"]


def record_of(spool, key):
    plain = key.endswith(".trace") and not key.endswith(".flight.trace")
    name = key.removesuffix(".trace") + ".json" if plain else key + ".json"
    (path,) = [
        p for p in (spool.path / "archive" / name, spool.path / "pending" / name) if p.exists()
    ]
    return json.loads(path.read_text())


def everything(spool):
    """The keys of all that is kept, in the order in which it was taken."""
    keys = [k for k in spool._files("archive") + spool._files("pending") if not k.endswith(".json")]
    return sorted(keys, key=lambda key: record_of(spool, key)["start"])


def usual(*args, **more):
    """A job that says nothing of incidents."""
    made = job(*args, **more)
    del made["incident_artifacts"]
    return made


def test_one_id(goservice, daemon, endpoint):
    """All five artifacts of a real service, in sequence, and each record names the id."""
    service = goservice("-flight-window", "1s", "-load", "3", *WAITS)
    d = daemon([usual("shop", service.address, flight=FLIGHT, seconds=1)], args=[endpoint.option])
    d.wait_captured()
    d.idle()
    before = everything(d.spool)
    reply = endpoint.post("/api/v1/capture", {"all": True, "incident": True, "wait": True}).json
    (incident,) = reply["incidents"]
    keys = [k for k in everything(d.spool) if k not in before]
    assert [a["artifact"] for a in incident["artifacts"]] == USUAL
    assert [a["key"] for a in incident["artifacts"]] == keys
    assert incident["incident"] == keys[0].removesuffix(".flight.trace")
    assert not incident["joined"] and incident["reason"] == "api"
    assert 'contrace_incidents_total{result="complete"} 1' in endpoint.get("/metrics").text
    listed = {c["key"]: c["incident"] for c in endpoint.get("/api/v1/captures").json["captures"]}
    assert listed == {k: incident["incident"] if k in keys else None for k in keys + before}
    page = endpoint.get("/api/v1/captures", incident=incident["incident"]).json
    assert sorted(c["key"] for c in page["captures"]) == sorted(keys) and page["total"] == 5
    anything = endpoint.get("/api/v1/captures", incident="*", limit="3").json
    assert len(anything["captures"]) == 3 and anything["total"] == 5 and anything["before"]
    assert endpoint.get("/api/v1/captures", incident=keys[0]).status == 400
    assert endpoint.get("/api/v1/captures", incident="**").status == 400
    table = contrace("list", f"-c{d.config}", "--sort=incident").stdout.splitlines()
    at = table[0].split().index("INC")
    began = incident["incident"].rsplit("/", 1)[1][:6]
    assert [line.split()[at] for line in table[1:]] == [began] * 5 + ["-"] * len(before)
    for key in keys:
        record = record_of(d.spool, key)
        assert record["incident"] == incident["incident"] and record["reason"] == "api"
    assert "incident" not in record_of(d.spool, before[0])
    (line,) = [x for x in d.lines if x["msg"].startswith("incident of ")]
    assert line["msg"].endswith(f"{incident['incident']}: flight, trace, goroutine, mutex, block")
    assert d.problems() == []


def test_listed_and_pulled(goservice, daemon, endpoint, tmp_path):
    """From the spool and from the store alike: by the id, into a directory with an index."""
    server = s3server.S3Server(tmp_path)
    (server.root / BUCKET).mkdir()
    service = goservice("-flight-window", "1s", "-load", "3", *WAITS)
    d = daemon(
        [usual("shop", service.address, flight=FLIGHT, seconds=1)],
        upload=section_of(server, tmp_path), env=clean_env(), args=[endpoint.option],
        inspect={"enabled": True, "command": str(BUILD / "contrace")},
    )  # fmt: skip
    try:
        d.wait_captured()
        d.idle()
        order = {"all": True, "incident": True, "wait": True, "reason": "slow checkout"}
        reply = endpoint.post("/api/v1/capture", order)
        (incident,) = reply.json["incidents"]
        wait_until("all is uploaded", lambda: not d.spool.pending())
        keys = [a["key"] for a in incident["artifacts"]]
        here, there = [f"-c{d.config}"], [f"-c{d.config}", "--remote"]
        for where in (here, there):
            out = contrace("list", *where, "--json", f"--incident={incident['incident']}").stdout
            listed = [json.loads(line) for line in out.splitlines()]
            assert sorted(x["key"] for x in listed) == sorted(keys)
            assert {x["incident"] for x in listed} == {incident["incident"]}
            anything = contrace("list", *where, "--json", "--incident=*").stdout
            assert len(anything.splitlines()) == len(keys)
        for n, where in enumerate((here, there)):
            out = tmp_path / f"out{n}"
            done = contrace("pull", *where, f"-o{out}", f"--incident={incident['incident']}")
            (top,) = out.iterdir()
            assert top.name == "incident_" + incident["incident"].replace("/", "_")
            paths = done.stdout.split()
            assert len(paths) == len(keys) and all(p.startswith(str(top)) for p in paths)
            assert f"what these are: {top}/INDEX.md" in done.stderr
            index = (top / "INDEX.md").read_text()
            assert index.startswith(f"# Incident {incident['incident']}\n")
            assert "* reason: api:slow checkout\n" in index and "* trace: " in index
            rows = [line.split(" ")[1] for line in index.splitlines() if "| `" in line]
            assert rows == USUAL
            for key in keys:
                assert f"`{key.replace('/', '_')}`" in index
        short = incident["incident"].rsplit("/", 1)[1][:6]
        assert short in contrace("list", *here).stdout
        done = contrace("pull", *here, f"-o{tmp_path / 'short'}", f"--incident={short}")
        assert len(done.stdout.split()) == len(keys)
        bad = contrace("pull", *here, "--incident=999999", check=False)
        assert bad.returncode == 2 and "no incident in the spool began at that time" in bad.stderr
        bad = contrace("pull", *here, "--incident=nonsense", check=False)
        assert bad.returncode == 2 and "expected an id" in bad.stderr
    finally:
        server.close()


def ended(d, count=1):
    """The lines that tell the ends of incidents."""
    return d.wait_log(message_id=INCIDENT, count=count)


def test_by_command_where_something_is_not_served(serve, daemon, endpoint):
    """The command prints keys and the id. What a service does not serve is said, and is no failure."""
    server = serve(healthy(), healthy(), answer("404 Not Found", b"404 page not found\n"))
    d = daemon([job("s", server.address, incident_artifacts=["block", "trace"])],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    d.idle()
    for count in (1, 2):
        done = contrace("capture", f"--address=unix:{endpoint.path}", "--all", "--incident")
        (key,) = done.stdout.split()
        assert done.stderr.splitlines()[0] == f"incident {key.removesuffix('.trace')}"
        assert "missing" in done.stderr
        line = ended(d, count)
        assert line["msg"].endswith("trace; without block (not served)")
        assert line["result"] == "partial"
        if count == 1:
            server.script[:] = [healthy(), answer("404 Not Found", b"404 page not found\n")]
    assert len([x for x in d.lines if x["msg"].startswith("no block profile at")]) == 1


def test_what_somebody_else_prevents_is_tried_again(serve, daemon, endpoint):
    server = serve(healthy(), BUSY, BUSY, healthy())
    d = daemon([job("s", server.address)], args=[endpoint.option])
    d.wait_captured()
    d.idle()
    reply = endpoint.post("/api/v1/capture", {"all": True, "incident": True, "wait": True})
    assert reply.status == 200, reply
    (artifact,) = reply.json["incidents"][0]["artifacts"]
    assert artifact["outcome"] == "ok" and artifact["key"]
    assert len(server.requests) == 4
    server.script[:] = [BUSY]  # for ever: it ends, also when contraced stops meanwhile
    endpoint.post("/api/v1/capture", {"all": True, "incident": True})
    wait_until("it is tried again", lambda: len(server.requests) >= 6)
    d.stop()
    d.wait_log("nothing was had: trace (busy)")


def test_one_at_a_time_and_not_more_than_the_budget(serve, daemon, endpoint):
    gate = threading.Event()
    server = serve(healthy(), gated(gate), healthy())
    d = daemon([job("s", server.address)], args=[endpoint.option])
    d.wait_captured()
    d.idle()
    order = {"all": True, "incident": True}
    assert not endpoint.post("/api/v1/capture", order).json["incidents"][0]["joined"]
    wait_until("it is under way", lambda: len(server.requests) == 2)
    joined = endpoint.post("/api/v1/capture", order).json["incidents"][0]
    assert joined["joined"] and joined["added"] == joined["lacks"] == []
    more = {**order, "artifacts": ["heap"]}
    assert endpoint.post("/api/v1/capture", more).json["incidents"][0]["added"] == ["heap"]
    gate.set()
    ended(d)
    (listed,) = endpoint.get("/api/v1/incidents").json["incidents"]
    assert listed["ended"] and listed["artifacts"][0]["state"] == "ended"
    d.capture_now()  # the operator's signal is not bounded, and takes nothing from the budget
    ended(d, 2)
    assert endpoint.post("/api/v1/capture", {**order, "wait": True}).status == 200
    reply = endpoint.post("/api/v1/capture", order)
    assert reply.status == 429 and "max_per_target_per_hour allows 2" in reply.error
    assert 3500 < int(reply.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_ends_with_what_is_had(how, serve, daemon, endpoint):
    """contraced stops, or a reload takes the target away: the capture in flight is the last."""
    gate = threading.Event()
    server = serve(healthy(), gated(gate), healthy())
    d = daemon([job("s", server.address, incident_artifacts=["trace", "heap"])],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    d.idle()
    endpoint.post("/api/v1/capture", {"all": True, "incident": True})
    wait_until("it is under way", lambda: len(server.requests) == 2)
    if how == "stop":
        d.signal(signal.SIGTERM)
        d.wait_log("stopping")
    else:
        d.write_config([job("other", "127.0.0.1:1")])
        d.signal(signal.SIGHUP)
        d.wait_log(message_id=RELOADED)
    gate.set()
    assert ended(d)["msg"].endswith("trace; without heap (cancelled)")
    assert len(server.requests) == 2
    records = [record_of(d.spool, key) for key in everything(d.spool)]
    assert [("incident" in r) for r in records] == [False, True]


def test_also_while_suspended(serve, daemon, endpoint):
    d = daemon([job("s", serve(healthy()).address)], args=[endpoint.option])
    d.wait_captured()
    d.idle()
    d.signal(signal.SIGUSR2)
    d.wait_log(message_id=SUSPENDED)
    d.capture_now()
    ended(d)


def test_killed_in_the_middle(goservice, serve, daemon, endpoint):
    """What was published is whole and names its incident; the rest is absent."""
    gate = threading.Event()
    server = serve(healthy(), healthy(), gated(gate))
    d = daemon([job("s", server.address, incident_artifacts=["trace", "heap"])],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    d.idle()
    endpoint.post("/api/v1/capture", {"all": True, "incident": True})
    wait_until("the second is under way", lambda: len(server.requests) == 3)
    d.process.kill()
    d.process.wait()
    gate.set()
    first, second = d.spool.check().values()
    assert "incident" not in first and second["incident"]
    assert len(everything(d.spool)) == 2
