# SPDX-License-Identifier: Apache-2.0
"""Targets from file_sd files that appear, change, vanish and break while the daemon runs."""

import json
import os
import signal

from hostile import healthy
from support import config_text, job, wait_until


def sd_job(directory, **more):
    return {
        "job_name": "found",
        "incident_artifacts": ["trace"],
        "file_sd_configs": [{"files": [f"{directory}/*.json", f"{directory}/*.yaml"]}],
        **more,
    }


def replace(path, text):
    """As careful writers do: a whole file, renamed into place."""
    fresh = path.with_name(".fresh")
    fresh.write_text(text)
    os.rename(fresh, path)


def group(server, service):
    return {"targets": [server.address], "labels": {"service": service}}


def test_json_appears_changes_and_vanishes(serve, daemon, tmp_path):
    directory = tmp_path / "targets"
    directory.mkdir()
    a, b, static = serve(healthy()), serve(healthy()), serve(healthy())
    d = daemon([sd_job(directory), job("static", static.address)])
    d.wait_captured(service="static")

    replace(directory / "one.json", json.dumps([group(a, "a")]))
    d.wait_captured(service="a")

    # A second target in the same file: it is captured, the first one is left in peace.
    replace(directory / "one.json", json.dumps([group(a, "a"), group(b, "b")]))
    d.wait_captured(service="b")
    wait_until("nothing is in flight", lambda: not d.spool.incoming())
    assert (len(a.requests), len(b.requests)) == (1, 1)

    # The first one is taken out.
    replace(directory / "one.json", json.dumps([group(b, "b")]))
    wait_for_targets(d, {"b", "static"}, a)

    (directory / "one.json").unlink()
    d.wait_log("one.json is gone")
    wait_for_targets(d, {"static"}, a, b)
    d.stop()
    assert d.problems() == []
    records = d.spool.check()
    labels = {r["service"]: r["labels"] for r in records.values()}
    assert labels == {"a": {"service": "a"}, "b": {"service": "b"}, "static": {}}
    assert {r["job"] for r in records.values()} == {"found", "static"}


def wait_for_targets(d, services, *gone):
    """Until a signal captures exactly these services, and of `gone` nobody is asked."""

    def captured():
        mark, asked = d.mark(), [len(s.requests) for s in gone]
        d.capture_now()
        for service in services:
            d.wait_captured(service=service, after=mark)
        wait_until("the captures have ended", lambda: not d.spool.incoming())
        return [len(s.requests) for s in gone] == asked

    wait_until(f"only {sorted(services)} are captured", captured, interval=0.1)


def test_yaml_and_several_files(serve, daemon, tmp_path):
    directory = tmp_path / "targets"
    directory.mkdir()
    a, b = serve(healthy()), serve(healthy())
    text = f"- targets: ['{a.address}']\n  labels:\n    service: a\n    zone: eu\n"
    (directory / "here.yaml").write_text(text)
    d = daemon([sd_job(directory)])
    d.wait_captured(service="a")
    (directory / "there.json").write_text(json.dumps([group(b, "b")]))
    (directory / "ignored.txt").write_text("nothing")
    d.wait_captured(service="b")
    d.stop()
    assert d.problems() == []
    records = d.spool.check()
    assert {r["labels"].get("zone") for r in records.values()} == {"eu", None}


def test_broken_file_keeps_its_targets(serve, daemon, tmp_path):
    """It is said once, with the place, and again when it is good."""
    directory = tmp_path / "targets"
    directory.mkdir()
    a, b = serve(healthy()), serve(healthy())
    path = directory / "one.json"
    replace(path, json.dumps([group(a, "a")]))
    d = daemon([sd_job(directory)])
    d.wait_captured(service="a")

    for text in ('[{"targets": ["127.0.0.1:1"]},\n {"targetz": []}]\n', "[{", ""):
        mark = d.mark()
        replace(path, text)
        if text.startswith('[{"targets'):
            line = d.wait_log("is broken, its last good targets stay", after=mark)
            assert f"{path}:2:" in line["msg"] and "targetz" in line["msg"]
        d.capture_now()
        d.wait_captured(service="a", after=mark)
        wait_until("the capture has ended", lambda: not d.spool.incoming())

    replace(path, json.dumps([group(b, "b")]))
    d.wait_log("is good again: 1 target")
    d.wait_captured(service="b")
    wait_for_targets(d, {"b"}, a)
    d.stop()
    assert len(d.log("is broken")) == 1


def test_file_is_broken_at_the_start(serve, daemon, tmp_path):
    directory = tmp_path / "targets"
    directory.mkdir()
    a = serve(healthy())
    (directory / "one.yaml").write_text("- targets: [\n")
    d = daemon([sd_job(directory)])
    line = d.wait_log("is broken, it adds no targets: ")
    assert "\n" not in line["msg"] and "last good" not in line["msg"]
    replace(directory / "one.yaml", json.dumps([group(a, "a")]))
    d.wait_captured(service="a")
    d.stop()


def test_directory_that_comes_later(serve, daemon, tmp_path):
    """Nobody can watch what is not there: refresh_interval finds it."""
    a = serve(healthy())
    directory = tmp_path / "later"
    sd = {"files": [f"{directory}/*.json"], "refresh_interval": "1s"}
    d = daemon([{"job_name": "found", "file_sd_configs": [sd]}])
    directory.mkdir()
    replace(directory / "one.json", json.dumps([group(a, "a")]))
    d.wait_captured(service="a")
    d.stop()


def test_reload_with_the_same_files(serve, daemon, tmp_path):
    """A reload keeps what was discovered, and its state."""
    directory = tmp_path / "targets"
    directory.mkdir()
    a, b = serve(healthy()), serve(healthy())
    replace(directory / "one.json", json.dumps([group(a, "a")]))
    d = daemon([sd_job(directory)])
    d.wait_captured(service="a")
    d.config.write_text(config_text([sd_job(directory), job("b", b.address)], d.storage))
    d.signal(signal.SIGHUP)
    d.wait_captured(service="b")
    d.stop()
    assert len(a.requests) == 1
