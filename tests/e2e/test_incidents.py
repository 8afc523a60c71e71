# SPDX-License-Identifier: Apache-2.0
"""Incidents: several artifacts of one target under one id, from whoever asks to what people read."""

import json

from support import job

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
    for key in keys:
        record = record_of(d.spool, key)
        assert record["incident"] == incident["incident"] and record["reason"] == "api"
    assert "incident" not in record_of(d.spool, before[0])
    (line,) = [x for x in d.lines if x["msg"].startswith("incident of ")]
    assert line["msg"].endswith(f"{incident['incident']}: flight, trace, goroutine, mutex, block")
    assert d.problems() == []
