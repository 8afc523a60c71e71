# SPDX-License-Identifier: Apache-2.0
"""What is documented as the most of something is accepted: limits do not contradict each other."""

import http.client
import json
import pathlib
import socket
import tempfile

import pytest
from endpoint import Endpoint
from hostile import healthy
from support import contraced, job, wait_until

ALERTS = 100  # docs/API.md: of a notification so many are looked at
ALERT_BYTES = 10 << 10  # and each may have so many
LABELS, LABELS_BYTES = 64, 8 << 10  # contraced.yaml(5)
PAGE = 1000
HEAD = 16 << 10
LISTEN = 16
REASON = 100


@pytest.fixture
def place():
    """A short directory for sockets."""
    with tempfile.TemporaryDirectory(prefix="contrace-") as directory:
        yield pathlib.Path(directory)


def start(daemon, place, jobs, **more):
    e = Endpoint(place)
    d = daemon(jobs, args=[e.option], **more)
    wait_until("the endpoint answers", lambda: e.path.exists())
    return d, e


def alert(i, service):
    """An ordinary one of Kubernetes, with a description as long as may be."""
    pod = f"checkout-7d9c5b6f84-{i:05}"
    one = {
        "status": "firing",
        "labels": {
            "alertname": "HighLatency", "service": service, "job": "checkout",
            "instance": f"10.4.{i // 250}.{i % 250}:8080", "namespace": "prod", "pod": pod,
            "container": "checkout", "cluster": "eu-west-1-prod", "severity": "page",
        },
        "annotations": {
            "summary": "99th percentile of latency is above 500 ms",
            "runbook_url": "https://runbooks.example.com/payments/high-latency",
        },
        "startsAt": "2026-11-29T10:15:30.123456789Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://prometheus.example.com/graph?g0.expr=x&g0.tab=1",
        "fingerprint": f"{i:016x}",
    }  # fmt: skip
    one["annotations"]["description"] = "d" * (ALERT_BYTES - 100 - len(json.dumps(one)))
    return one


def notification(n, service):
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "contrace", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
        "alerts": [alert(i, service) for i in range(n)],
    }  # fmt: skip


def test_a_notification_of_a_large_incident(daemon, place, serve):
    """As many alerts as are looked at, each as long as may be. Of one that is longer the head counts,
    one that is far too long is refused, and alerts that are nobody's are said."""
    server = serve(healthy())
    instances = [f"10.4.0.{i}:8080" for i in range(3)]
    jobs = [{"job_name": "checkout", "static_configs": [{"targets": [server.address]}]}]
    d, e = start(daemon, place, jobs)
    d.wait_captured()
    body = notification(ALERTS, "checkout")
    for i, one in enumerate(body["alerts"]):
        one["labels"]["instance"] = server.address if i == ALERTS - 1 else instances[i % 3]
    assert 900 << 10 < len(json.dumps(body)) <= 1 << 20
    reply = e.post("/api/v1/alerts", body)
    assert reply.status == 200, reply
    assert len(reply.json["captures"]) == 1 and len(reply.json["ignored"]) == ALERTS - 1
    line = d.wait_log("99 of 100 alerts of a notification have no target", level="info")
    assert "HighLatency: no target is configured of the service `checkout` at" in line["msg"]
    d.wait_captured(count=2)

    assert e.post("/api/v1/alerts", notification(2, "nobody")).status == 200
    d.wait_log("2 of 2 alerts of a notification have no target", level="warn")
    reply = e.post("/api/v1/alerts", notification(ALERTS + 10, "checkout"))
    assert reply.status == 200 and "behind the first MiB" in reply.json["ignored"][-1]["why"]
    reply = e.post("/api/v1/alerts", notification(1800, "checkout"))
    assert reply.status == 413 and "16384 KiB" in reply.error
    d.wait_log("a notification of alerts was refused: the body is longer than 16384 KiB")
    d.stop()


def test_labels(daemon, place, serve):
    """As many as may be, as long as may be: in the record, the API and the label of the trace."""
    value = "v" * (LABELS_BYTES // LABELS - 3)
    labels = {f"l{i:02}": value for i in range(LABELS)}
    assert sum(len(k) + len(v) for k, v in labels.items()) == LABELS_BYTES
    static = {"targets": [serve(healthy()).address], "labels": labels}
    d, e = start(daemon, place, [{"job_name": "s", "static_configs": [static]}],
                 inspect={"enabled": True})  # fmt: skip
    line = d.wait_captured()
    record = wait_until("it has its label", lambda: label_of(d, line["key"]))
    assert record["labels"] == labels
    assert e.targets()["targets"][0]["labels"] == labels
    assert not d.log("stays without its label")
    d.stop()


def label_of(d, key):
    record = d.spool.record(key)
    return record if record.get("label") else None


def test_a_page(daemon, place, serve):
    """So many targets with labels as long as may be are one page."""
    value = "v" * (LABELS_BYTES // LABELS - 3)
    labels = {f"l{i:02}": value for i in range(LABELS)}
    targets = [f"127.0.0.1:{i}" for i in range(20000, 20000 + PAGE)]
    static = {"targets": targets, "labels": labels}
    d, e = start(daemon, place, [{"job_name": "s", "static_configs": [static]}],
                 glob={"max_concurrent_captures": 1})  # fmt: skip
    page = e.targets(limit=PAGE)
    assert len(page["targets"]) == page["total"] == PAGE and page["after"] is None
    assert e.ask("GET", f"/api/v1/targets?limit={PAGE + 1}").status == 400
    d.stop()


def test_a_head(daemon, place, serve):
    """A request whose head is as long as is documented, and one of a target's longest URL."""
    d, e = start(daemon, place, [job("s", serve(healthy()).address)])
    line = b"GET /api/v1/targets?service=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for n in (3 * 4096, HEAD - len(line) + 2):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(e.path))
            s.sendall(line % (b"x" * n))
            reply = http.client.HTTPResponse(s)
            reply.begin()
            assert reply.status == 200, n
    d.stop()


def test_addresses_that_are_listened_on(daemon, place, serve):
    paths = [place / f"{i}" for i in range(LISTEN)]
    listen = ",".join(f"unix:{p}" for p in paths)
    d = daemon([job("s", serve(healthy()).address)], args=[f"--web.listen-address={listen}"])
    wait_until("all are there", lambda: all(p.exists() for p in paths))
    d.stop()


def test_a_reason(daemon, place, serve):
    """It stands whole in the record."""
    d, e = start(daemon, place, [job("s", serve(healthy()).address)])
    d.wait_captured()
    reply = e.capture(all=True, seconds=0.01, reason="r" * REASON, wait=True)
    assert reply.status == 200
    key = reply.json["captures"][0]["key"]
    assert d.spool.record(key)["reason"] == "api:" + "r" * REASON
    assert e.capture(all=True, reason="r" * (REASON + 1)).status == 400
    d.stop()


def test_jobs_and_targets_of_one_file(tmp_path):
    """10,000 jobs, and 100,000 targets in a file that file_sd reads."""
    config = tmp_path / "contraced.yaml"
    jobs = "".join(
        f"- {{job_name: j{i}, static_configs: [{{targets: ['10.0.0.1:{i % 60000 + 1}']}}]}}\n"
        for i in range(10000)
    )
    config.write_text(f"scrape_configs:\n{jobs}storage: {{path: {tmp_path}/spool}}\n")
    assert config.stat().st_size < 4 << 20
    done = contraced("--check-config", f"--config.file={config}")
    assert done.returncode == 0, done.stderr
    targets = ",".join(f"'10.1.{i >> 8 & 255}.{i & 255}:{6060 + (i >> 16)}'" for i in range(100000))
    (tmp_path / "targets.yaml").write_text(f"- targets: [{targets}]\n")
    config.write_text(
        "scrape_configs: [{job_name: j, file_sd_configs: [{files: ['"
        f"{tmp_path}/targets.yaml']}}]}}]\nstorage: {{path: {tmp_path}/spool}}\n"
    )
    done = contraced("--check-config", f"--config.file={config}")
    assert done.returncode == 0, done.stderr
