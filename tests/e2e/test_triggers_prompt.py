# SPDX-License-Identifier: Apache-2.0
"""How soon a rule fires, and how soon the evidence follows: in polls and in the order of what is asked
for, not by this machine's clock. The service tells in its metrics how many polls it has been ill for,
so the value with which a rule fired is that number."""

import re
import threading

import pytest
from hostile import answer, healthy
from support import PATIENCE, job, wait_until
from test_incidents import usual
from test_triggers import stamp
from triggers import INCIDENT, TEXT, Service, document, rule

OF_METRICS = re.compile(r'^contrace_trigger_polls_total\{result="(\w+)"\} (\d+)$', re.MULTILINE)
SECONDS = re.compile(r"[?&]seconds=([\d.]+)")


class Metrics:
    """A page that falls ill between two polls. `late`: the first poll thereafter shows too little."""

    def __init__(self, text, late):
        self.text, self.late = text, late
        self.ill = False
        self.polls = 0  # that were answered while it was ill
        self.most = None  # beyond so many, a poll waits for the trace to be asked for
        self.asked = threading.Event()
        self.polls_before = None  # when the trace was asked for
        self._lock = threading.Lock()

    def __call__(self, c):
        with self._lock:
            n = self.polls + 1 if self.ill else 0
            if self.most and n > self.most:
                self.asked.wait(PATIENCE)
            answer("200 OK", self.text(n, n == 1 and self.late).encode(), TEXT)(c)
            self.polls = n

    def trace(self, c):
        if self.ill and not self.asked.is_set():
            self.polls_before = self.polls
            self.asked.set()
        healthy()(c)


def a_gauge(n, late):
    return f"# TYPE runnable gauge\nrunnable {3 if n == 0 or late else 1000 + n}\n"


class Histogram:
    """1,000 more at each poll, of which 100 and the number of ill polls are above the bound."""

    def __init__(self):
        self.all = self.above = 0

    def __call__(self, n, late):
        self.all += 1000
        self.above += 0 if n == 0 else 5 if late else 100 + n
        return (
            f'# TYPE lat histogram\nlat_bucket{{le="0.01"}} {self.all - self.above}\n'
            f'lat_bucket{{le="+Inf"}} {self.all}\nlat_count {self.all}\n'
        )


KINDS = {
    "gauge": (lambda: a_gauge, {}, lambda value: value - 1000),
    "histogram": (
        Histogram,
        {"histogram": "lat", "above": "10ms", "share": "1%"},
        lambda value: round(1000 * value) - 100,
    ),
}


def polls_failed(endpoint):
    counted = OF_METRICS.findall(endpoint.get("/metrics").text)
    assert counted
    return sum(int(n) for result, n in counted if result != "ok")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("lasts", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_fires_after_so_many_polls(kind, lasts, late, serve, daemon, endpoint, tmp_path):
    """At the last of `for` ill polls; one later, where it fell ill shortly before a poll. The trace is
    asked for before anything else is."""
    text, of_rule, number_of = KINDS[kind]
    metrics = Metrics(text(), late)
    service = Service(serve, metrics, metrics.trace)
    rules = [rule(**{"for": lasts, "metrics": {"poll_interval": "2s"}, **of_rule})]
    d = daemon(
        text=document([job("web", service.address)], tmp_path, rules), args=[endpoint.option]
    )
    d.wait_captured()
    d.idle()
    wait_until(
        "it is judged", lambda: endpoint.get("/api/v1/triggers").json["triggers"][0]["judged"]
    )
    failed = polls_failed(endpoint)
    with metrics._lock:
        metrics.ill, metrics.most = True, lasts + late
    d.wait_log(message_id=INCIDENT)
    (record,) = [r for r in d.spool.check().values() if "incident" in r]
    number = number_of(record["trigger"]["value"])
    # A poll that fails, as on a machine that stands still, makes nothing fire, and is not ill.
    failed = polls_failed(endpoint) - failed
    assert number <= (lasts + late) * (1 + failed), record["trigger"]
    if not failed:
        assert number == lasts + late, record["trigger"]
        assert metrics.polls_before == number, "it was polled on before the trace was asked for"


def test_the_evidence_takes_no_longer_than_it_must(serve, daemon, endpoint, tmp_path):
    """The usual incident: nothing but its own seconds, one request after the other, with no pause that
    depends on a timer of contraced's."""
    metrics = Metrics(a_gauge, late=False)
    service = Service(serve, metrics, metrics.trace)
    whom = usual("web", service.address, flight={"path": "/debug/flight"})
    rules = [rule(**{"metrics": {"poll_interval": "2s"}})]
    del rules[0]["capture"]
    d = daemon(text=document([whom], tmp_path, rules), args=[endpoint.option])
    d.wait_captured()
    d.idle()
    wait_until(
        "it is judged", lambda: endpoint.get("/api/v1/triggers").json["triggers"][0]["judged"]
    )
    mark = len(service.server.requests)
    with metrics._lock:
        metrics.ill = True
    d.wait_log(message_id=INCIDENT)
    asked = [r for r in service.server.requests[mark:] if not r.startswith("GET /metrics")]
    paths = [r.split()[1].split("?")[0].rsplit("/", 1)[1] for r in asked]
    assert paths == ["flight", "trace", "goroutine", "mutex", "block"]
    assert sum(float(s) for r in asked for s in SECONDS.findall(r.split("\r\n")[0])) <= 5
    (row,) = endpoint.get("/api/v1/triggers").json["triggers"]
    (incident,) = endpoint.get("/api/v1/incidents").json["incidents"]
    (record,) = [r for r in d.spool.check().values() if "incident" in r]
    times = [
        stamp(t) for t in (row["fired"], incident["start"], record["start"], incident["ended"])
    ]
    assert times[0] - 0.1 <= times[1] <= times[2] <= times[3]  # one is converted from boot time
