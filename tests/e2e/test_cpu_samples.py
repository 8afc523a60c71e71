# SPDX-License-Identifier: Apache-2.0
"""CPU samples in traces: a CPU profile beside the trace, from a real service, and from services that
refuse it, hang, or go away."""

import datetime
import gzip
import json
import re
import signal
import subprocess
import threading
import time
import urllib.request

import pytest
from hostile import BUSY, GO_ERROR, answer, hang, healthy, trace
from support import BUILD, PATIENCE, RELOADED, job, wait_until
from test_artifacts import contrace, pprof
from test_incidents import ended, everything, record_of

IN_USE = answer(
    "500 Internal Server Error",
    b"Could not enable CPU profiling: cpu profiling already in use\n",
    *GO_ERROR,
)
MISSING = answer("404 Not Found", b"404 page not found\n")
PATHS = re.compile(r"^GET /debug/pprof/(\w+)(?:\?seconds=([\d.]+))? ")


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def number(n, value):
    out = [n << 3]
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def cpu_profile(seconds):
    """The least that is a CPU profile of so long: two sample types, and one sample."""
    strings = [b"", b"samples", b"count", b"cpu", b"nanoseconds"]
    types = [b"\x08\x01\x10\x02", b"\x08\x03\x10\x04"]
    out = b"".join(field(1, t) for t in types) + field(2, field(2, b"\x01\x0a"))
    out += b"".join(field(6, s) for s in strings) + number(10, seconds * 10**9)
    return gzip.compress(out)


def PROFILE(c):
    """Comes when its time is over."""
    seconds = int(PATHS.match(c.request)[2])
    time.sleep(seconds)
    answer("200 OK", cpu_profile(seconds))(c)


class Service:
    """Answers by path, and knows what was asked at the same time as what."""

    def __init__(self, serve):
        self.behaviours = {"trace": [healthy()], "profile": [PROFILE], "heap": [MISSING]}
        self.lock = threading.Lock()
        self.under_way = []
        self.together = []  # at each request: what was under way, with itself
        self.server = serve(self.behave)
        self.address = self.server.address

    def behave(self, c):
        what = PATHS.match(c.request)[1]
        with self.lock:
            self.under_way.append(what)
            self.together.append(sorted(self.under_way))
            script = self.behaviours[what]
            behaviour = script.pop(0) if len(script) > 1 else script[0]
        try:
            behaviour(c)
        finally:
            with self.lock:
                self.under_way.remove(what)

    def asked(self):
        return [PATHS.match(r).groups() for r in self.server.requests]

    def kinds(self):
        """Sorted: how soon it reads what was sent is a matter of its threads."""
        return sorted(what for what, _ in self.asked())


@pytest.fixture
def service(serve):
    return Service(serve)


def until(gate, then):
    """Answers when the gate is open."""

    def behave(c):
        assert gate.wait(60), "nobody opened the gate"
        then(c)

    return behave


def time_of(record):
    return datetime.datetime.fromisoformat(record["start"].replace("Z", "+00:00"))


def started(daemon, endpoint, address, *, seconds=1, glob=None, jobs=(), **more):
    more = {"cpu_samples": True, **more}
    d = daemon([job("s", address, seconds=seconds, **more), *jobs], args=[endpoint.option],
               glob=glob)  # fmt: skip
    d.wait_captured()
    d.idle()
    return d


INCIDENT = {"all": True, "incident": True, "wait": True}


def incident_of(endpoint, **more):
    (incident,) = endpoint.post("/api/v1/capture", {**INCIDENT, **more}).json["incidents"]
    return {a["artifact"]: a for a in incident["artifacts"]}


def read(*argv):
    return contrace(*argv).stdout


def test_a_real_service(goservice, daemon, endpoint):
    """The profile covers the trace, each is an artifact of the incident, and the samples are in the
    trace for contrace and for Go."""
    busy = goservice("-load", "20")
    d = daemon(
        [job("shop", busy.address, seconds=2, cpu_samples=True)],
        args=[endpoint.option], inspect={"enabled": True, "command": str(BUILD / "contrace")},
    )  # fmt: skip
    d.wait_captured()
    d.idle()
    (first,) = everything(d.spool)
    got = incident_of(endpoint)
    assert list(got) == ["trace", "cpu"] and got["cpu"]["for_cpu_samples"] is True
    assert ended(d)["result"] == "complete"
    line = d.wait_log("; with CPU samples", level="info")
    assert line["key"] == got["trace"]["key"]
    record = wait_until(
        "it is labelled",
        lambda: (r := record_of(d.spool, got["trace"]["key"])).get("label") and r,
    )
    profile = record_of(d.spool, got["cpu"]["key"])
    assert record["cpu_samples"] is True and record["cpu_profile"] == got["cpu"]["key"]
    assert "no_cpu_profile" not in record and "cpu_samples" not in record_of(d.spool, first)
    assert record["incident"] == profile["incident"]
    assert (record["requested_seconds"], profile["requested_seconds"]) == (2, 3)
    lead = (time_of(record) - time_of(profile)).total_seconds()
    assert lead >= 0.1  # with a second more than the trace, it lasts longer, too
    assert "Type: cpu" in pprof(d.spool.path / "archive" / got["cpu"]["key"])
    path = d.spool.path / "archive" / got["trace"]["key"]
    summary = json.loads(read("summary", "--json", path))
    assert 0 < summary["cpu_samples"] == summary["sites"]["cpu"]["count"]
    assert record["summary"]["cpu_samples"] == summary["cpu_samples"]
    assert "Where it ran: CPU samples" in read("summary", path)
    plain = d.spool.path / "archive" / first
    assert json.loads(read("summary", "--json", plain))["cpu_samples"] == 0
    assert d.problems() == []


def test_somebody_else_takes_a_profile(goservice, daemon, endpoint):
    """The trace goes on, with the samples of that one; nothing of it is a failure."""
    busy = goservice("-load", "3")
    d = started(daemon, endpoint, busy.address)
    other = subprocess.Popen(
        ["curl", "-sSo", "/dev/null", f"http://{busy.address}/debug/pprof/profile?seconds=60"]
    )
    try:
        goroutines = f"http://{busy.address}/debug/pprof/goroutine?debug=1"

        def at_work():
            with urllib.request.urlopen(goroutines, timeout=PATIENCE) as reply:
                return b"profileWriter" in reply.read()

        wait_until("the other is at work", at_work)
        got = incident_of(endpoint)
        assert (got["trace"]["outcome"], got["cpu"]["outcome"]) == ("ok", "in_use")
        record = record_of(d.spool, got["trace"]["key"])
        assert record["cpu_samples"] is False and "cpu_profile" not in record
        assert record["no_cpu_profile"].startswith("in_use: HTTP status 500: ")
        assert "cpu profiling already in use" in record["no_cpu_profile"]
        assert "; no CPU samples: in_use: " in d.wait_log("; no CPU samples")["msg"]
        line = ended(d)
        assert line["result"] == "complete" and line["msg"].endswith("trace; without cpu (in_use)")
        assert d.problems() == []
    finally:
        other.kill()
        other.wait()


def test_by_command(service, daemon, endpoint):
    """A single trace: both keys, or the reason. The job need not say anything."""
    d = started(daemon, endpoint, service.address, cpu_samples=False)
    admin = f"--address=unix:{endpoint.path}"
    done = contrace("capture", admin, "--all", "--cpu-samples")
    trace_key, profile_key = done.stdout.split()
    assert trace_key.endswith(".trace") and profile_key.endswith(".cpu.pb.gz")
    assert sorted(service.asked()[1:]) == [("profile", "2"), ("trace", "1")]
    record = record_of(d.spool, trace_key)
    assert record["cpu_samples"] is True and record["cpu_profile"] == profile_key
    assert (
        "incident" not in record and record["reason"] == record_of(d.spool, profile_key)["reason"]
    )
    service.behaviours["profile"] = [MISSING]
    done = contrace("capture", admin, "--all", "--cpu-samples", "--seconds=0.1")
    assert len(done.stdout.split()) == 1
    assert ": no CPU samples: missing: HTTP status 404" in done.stderr
    refused = contrace("capture", admin, "--all", "--cpu-samples", "--artifact=heap", check=False)
    assert refused.returncode == 2 and "leave out --artifact" in refused.stderr
    wrong = {"all": True, "cpu_samples": True, "artifact": "heap"}
    reply = endpoint.post("/api/v1/capture", wrong)
    assert reply.status == 400 and "a heap profile has none" in reply.error
    assert endpoint.post("/api/v1/capture", {"all": True, "cpu_samples": 1}).status == 400
    reply = endpoint.post("/api/v1/capture", {"all": True, "cpu_samples": True, "seconds": 3})
    assert reply.status == 429, "three seconds, and four for the profile"


@pytest.mark.parametrize("refusal, word", [(MISSING, "missing"), (IN_USE, "in_use")])
def test_refused(refusal, word, service, daemon, endpoint):
    service.behaviours["profile"] = [refusal]
    admin = f"--address=unix:{endpoint.path}"
    d = started(daemon, endpoint, service.address, incident_artifacts=["trace", "heap"])
    done = contrace("capture", admin, "--all", "--incident")
    (key,) = done.stdout.split()
    assert f"cpu: {word}: HTTP status " in done.stderr
    assert service.kinds() == ["heap", "profile", "trace", "trace"]
    record = record_of(d.spool, key)
    assert record["cpu_samples"] is False and record["no_cpu_profile"].startswith(f"{word}: ")
    assert ended(d)["msg"].endswith(f": trace; without cpu ({word.replace('missing', 'not served')})"
                                    ", heap (not served)")  # fmt: skip
    assert d.problems() == []


def test_hangs(service, daemon, endpoint):
    """The trace is published when the profile's time is over."""
    service.behaviours["profile"] = [hang(headers=False)]
    d = started(daemon, endpoint, service.address, scrape_timeout="2s")
    got = incident_of(endpoint)
    assert (got["trace"]["outcome"], got["cpu"]["outcome"]) == ("ok", "timeout")
    record = record_of(d.spool, got["trace"]["key"])
    assert record["cpu_samples"] is None and record["no_cpu_profile"].startswith("timeout: ")
    assert "; perhaps without CPU samples: timeout: " in d.wait_log("perhaps without")["msg"]
    assert ended(d)["result"] == "complete"


def test_ends_in_the_middle(service, daemon, endpoint):
    """The service closes the profile's connection: nobody knows whether it ran."""
    gate = threading.Event()
    service.behaviours["profile"] = [until(gate, lambda c: c.reset())]
    service.behaviours["trace"] = [healthy(), until(gate, healthy())]
    d = started(daemon, endpoint, service.address)
    endpoint.post("/api/v1/capture", {**INCIDENT, "wait": False})
    wait_until("both are under way", lambda: service.together[-1] == ["profile", "trace"])
    gate.set()
    assert "trace; without cpu (closed)" in ended(d)["msg"]
    (key,) = [k for k in everything(d.spool) if "incident" in record_of(d.spool, k)]
    assert record_of(d.spool, key)["cpu_samples"] is None


def test_the_trace_is_cut(service, daemon, endpoint):
    """Its whole generations are kept, and so is the profile."""
    piece = trace(2)

    def cut(c):
        c.start_chunked()
        c.chunk(piece)
        c.reset()

    service.behaviours["trace"] = [healthy(), cut]
    d = started(daemon, endpoint, service.address)
    got = incident_of(endpoint)
    assert got["trace"]["outcome"] == "truncated" and got["cpu"]["outcome"] == "ok"
    record = record_of(d.spool, got["trace"]["key"])
    assert record["cpu_samples"] is True and record["complete"] is False


def test_the_trace_is_busy(service, daemon, endpoint):
    """The profile goes on. The trace is tried again without, as there are not two in an incident."""
    service.behaviours["trace"] = [healthy(), BUSY, healthy()]
    d = started(daemon, endpoint, service.address)
    got = incident_of(endpoint)
    assert got["trace"]["outcome"] == "ok" and got["cpu"]["outcome"] == "ok"
    assert service.kinds() == ["profile", "trace", "trace", "trace"]
    assert "cpu_samples" not in record_of(d.spool, got["trace"]["key"])


def both_under_way(service, daemon, endpoint, **more):
    gate = threading.Event()
    service.behaviours["trace"] = [healthy(), until(gate, healthy())]
    service.behaviours["profile"] = [until(gate, PROFILE)]
    d = started(daemon, endpoint, service.address, incident_artifacts=["trace", "heap"], **more)
    endpoint.post("/api/v1/capture", {**INCIDENT, "wait": False})
    wait_until("both are under way", lambda: service.together[-1] == ["profile", "trace"])
    return d, gate


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_ends_with_what_is_had(how, service, daemon, endpoint):
    d, gate = both_under_way(service, daemon, endpoint)
    if how == "stop":
        d.signal(signal.SIGTERM)
        d.wait_log("stopping")
    else:
        d.write_config([job("other", "127.0.0.1:1")])
        d.signal(signal.SIGHUP)
        d.wait_log(message_id=RELOADED)
    gate.set()
    assert ended(d)["msg"].endswith("trace, cpu; without heap (cancelled)")
    records = [record_of(d.spool, key) for key in everything(d.spool)]
    assert [r["artifact"] for r in records] == ["trace", "cpu", "trace"]
    assert records[2]["cpu_samples"] is True
    d.stop()


def test_cut_at_the_end(service, daemon, endpoint):
    """contraced has no more time: it ends, and leaves nothing unfinished."""
    d, gate = both_under_way(service, daemon, endpoint, glob={"shutdown_timeout": "1s"})
    d.stop()
    gate.set()
    assert "nothing was had: trace (cancelled), cpu (cancelled)" in ended(d)["msg"]
    assert d.spool.incoming() == [] and len(everything(d.spool)) == 1


def test_never_two_profiles(service, daemon, endpoint):
    """The schedule takes CPU profiles of the same target, as often as may be; and others ask, too."""
    gate = threading.Event()
    service.behaviours["profile"] = [PROFILE, until(gate, PROFILE), PROFILE]
    service.behaviours["trace"] = [healthy(), until(gate, healthy()), healthy()]
    d = daemon([job("s", service.address, seconds=1, cpu_samples=True, artifacts=["trace", "cpu"])],
               args=[endpoint.option])  # fmt: skip
    wait_until("both were taken", lambda: len(everything(d.spool)) == 2)
    d.idle()
    endpoint.post("/api/v1/capture", {**INCIDENT, "wait": False})
    wait_until("both are under way", lambda: service.together[-1] == ["profile", "trace"])
    order = {"all": True, "artifact": "cpu", "seconds": 1}
    assert endpoint.post("/api/v1/capture", order).status == 202
    n = len(service.together)
    gate.set()
    wait_until("the other followed", lambda: len(service.together) == n + 1)
    d.idle()
    assert all(together.count("profile") <= 1 for together in service.together)
    assert service.together.count(["profile", "trace"]) == 1
    assert service.together[-1] == ["profile"]


def test_not_by_schedule(service, daemon, endpoint):
    """Whatever the keys say."""
    d = started(daemon, endpoint, service.address, glob={"cpu_samples": True})
    assert service.asked() == [("trace", "1")]
    assert "cpu_samples" not in record_of(d.spool, everything(d.spool)[0])


def test_of_the_global_key_a_job_may_say_otherwise(serve, daemon, endpoint):
    one, two = Service(serve), Service(serve)
    d = started(daemon, endpoint, one.address, glob={"cpu_samples": True}, cpu_samples=False,
                jobs=[job("t", two.address, seconds=1)])  # fmt: skip
    wait_until("both were taken", lambda: len(everything(d.spool)) == 2)
    endpoint.post("/api/v1/capture", INCIDENT)
    assert one.kinds() == ["trace", "trace"]
    assert two.kinds() == ["profile", "trace", "trace"]
