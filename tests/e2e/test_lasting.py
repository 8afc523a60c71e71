# SPDX-License-Identifier: Apache-2.0
"""What is no failure by itself, but is one when it lasts: it gets a state, a count and one warning."""

import datetime
import itertools
import json
import threading
import time

import hostile
from endpoint import Endpoint
from hostile import gated, healthy
from support import DOWN, UP, Spool, contraced, job, wait_until

INTERVAL = 2  # seconds


def lines_of(d, service):
    return d.log(service=service, message_id=DOWN) + d.log(service=service, message_id=UP)


def test_busy_for_ever(serve, daemon, tmp_path):
    """After an interval of nothing but `busy` it is failing, said once, and once when it is over."""
    server, good = serve(hostile.BUSY), serve(healthy())
    e = Endpoint(tmp_path)
    jobs = [job("traced", server.address), job("good", good.address)]
    d = daemon(
        jobs,
        args=[e.option],
        glob={"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{INTERVAL}s", "seconds": 0.01},
    )
    d.wait_log(service="traced", result="busy", level="debug")
    assert e.status()["targets"] == {"total": 2, "failing": 0}

    line = d.wait_log(service="traced", result="busy", message_id=DOWN)
    assert "dd-trace-go" in line["msg"] and "trace.Start" in line["msg"]
    assert e.status()["targets"] == {"total": 2, "failing": 1}
    (target,) = e.targets(state="failing")["targets"]
    assert target["state"] == "busy" and target["failures"] >= 2
    scrape = e.get("/metrics").text
    assert 'contrace_targets_failing{scrape_job="traced"} 1' in scrape
    time.sleep(INTERVAL)
    assert len(lines_of(d, "traced")) == 1

    server.script = [healthy()]
    d.wait_captured(service="traced", result="ok")
    wait_until("it is well", lambda: e.status()["targets"]["failing"] == 0)
    assert [line["message_id"] for line in lines_of(d, "traced")] == [DOWN, UP]
    d.stop()


def test_once_names_the_busy_one(serve, tmp_path):
    """It waits for the other trace first; shortened by an interval that leaves no time for that."""
    server = serve(hostile.BUSY)
    done = contraced(
        "--once", f"--target=traced=http://{server.address}", "--seconds=29",
        f"--storage.path={tmp_path}/spool", "--log.format=json",
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = [x for x in map(json.loads, done.stderr.splitlines()) if x["level"] == "warn"]
    assert (line["service"], line["result"]) == ("traced", "busy")
    assert f"no trace of http://{server.address}" in line["msg"] and "dd-trace-go" in line["msg"]
    assert not Spool(tmp_path / "spool").keys()


def test_too_few_places(serve, daemon):
    """Captures that wait longer than an interval: said once, and once when it is over."""
    gate = threading.Event()
    slow, others = serve(gated(gate)), [serve(healthy()) for _ in range(3)]
    jobs = [
        job("a-slow", slow.address, scrape_interval="300d", scrape_timeout="60s"),
        job("quick", *[s.address for s in others]),
    ]
    glob = {"scrape_interval": "1s", "scrape_timeout": "1s", "seconds": 0.01,
            "max_concurrent_captures": 1}  # fmt: skip
    d = daemon(jobs, glob=glob)
    d.wait_log("captures wait longer than their scrape_interval", level="warn")
    time.sleep(2)
    gate.set()
    d.wait_log("captures begin in time again", level="info")
    assert len(d.problems()) == 1
    d.stop()


def test_dead_targets_starve_nobody(serve, daemon):
    """Many that hang until their timeout are far more than the places can take; those that answer
    are captured at their time all the same, and one of the dead that comes back is found."""
    dead, live = serve(hostile.hang()), serve(healthy())
    jobs = [
        job("dead", *[f"127.0.1.{i}:{dead.port}" for i in range(1, 61)]),
        job("live", *[f"127.0.2.{i}:{live.port}" for i in range(1, 6)]),
    ]
    glob = {"scrape_interval": "4s", "scrape_timeout": "2s", "seconds": 0.01,
            "max_concurrent_captures": 8}  # fmt: skip
    d = daemon(jobs, glob=glob)
    d.wait_captured(count=5, service="live")
    wait_until("each was tried", lambda: len({r["target"] for r in failed(d)}) == 60)
    mark = d.mark()
    time.sleep(20)
    times = {}
    for line in d.log(after=mark, service="live", result="ok"):
        times.setdefault(line["target"], []).append(seconds_of(line["time"]))
    assert len(times) == 5
    for seen in times.values():
        assert len(seen) >= 3
        assert max(b - a for a, b in itertools.pairwise(seen)) < 8, seen

    dead.script = [healthy()]
    d.wait_captured(service="dead", result="ok")
    d.stop()


def failed(d):
    return d.log(service="dead", message_id=DOWN)


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_no_file_of_targets(daemon, tmp_path):
    """A job whose pattern matches nothing has no targets for ever: it is said, once."""
    files = [{"files": [f"{tmp_path}/targets/*.yml"], "refresh_interval": "1s"}]
    d = daemon([{"job_name": "s", "file_sd_configs": files}])
    d.wait_log("/targets/*.yml matches no file", level="info")
    time.sleep(2.5)
    assert len(d.log("matches no file")) == 1
    d.stop()
