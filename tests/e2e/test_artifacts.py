# SPDX-License-Identifier: Apache-2.0
"""What a job captures beside traces: mutex profiles of a real Go service, from the request to the
store and back, and what is said where a service has none."""

import json
import os
import re
import subprocess

import pytest
import s3server
from gotools import build
from hostile import answer, healthy
from store import BUCKET
from support import (
    BUILD,
    GO_ENV,
    PATIENCE,
    SRC,
    contraced,
    job,
    need,
    run,
    wait_until,
)
from test_upload_real import PREFIX, reader_of, section_of
from uploads import clean_env

CONTRACE = BUILD / "contrace"
MUTEX = re.compile(r"shop/[^/]+/\d{8}/\d{6}(-\d+){1,2}\.mutex\.pb\.gz")
CAPTURES = {"artifacts": ["trace", "mutex"], "seconds": 1}


@pytest.fixture(scope="module")
def contended_binary(tmp_path_factory):
    binary = tmp_path_factory.mktemp("contended") / "contended"
    build(SRC / "tests/support/contended", binary)
    return binary


@pytest.fixture
def contended(contended_binary):
    """contended(arguments…) runs until the test ends; its address."""
    running = []

    def start(*args):
        running.append(
            subprocess.Popen([contended_binary, *args], stdout=subprocess.PIPE, text=True)
        )
        return running[-1].stdout.readline().strip()

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def kept(spool, suffix=".mutex.pb.gz", part="archive"):
    top = spool.path / part
    return sorted(str(p.relative_to(top)) for p in top.rglob("*" + suffix))


def record_of(spool, key):
    return json.loads((spool.path / "archive" / (key + ".json")).read_text())


def pprof(path):
    done = subprocess.run(
        ["go", "tool", "pprof", "-top", str(path)],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env={**os.environ, **GO_ENV},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def contrace(*argv, **more):
    need(CONTRACE.exists(), f"no contrace in {BUILD}")
    return run(CONTRACE, *argv, env=clean_env(), **more)


def test_from_the_request_to_the_store_and_back(contended, daemon, tmp_path):
    server = s3server.S3Server(tmp_path)
    (server.root / BUCKET).mkdir()
    upload = section_of(server, tmp_path)
    d = daemon(
        [job("shop", contended("-fraction", "1"), **CAPTURES)],
        upload=upload, env=clean_env(),
        inspect={"enabled": True, "command": str(CONTRACE)},
    )  # fmt: skip
    try:
        wait_until(
            "both are uploaded",
            lambda: kept(d.spool) and kept(d.spool, ".trace") and not d.spool.pending(),
        )
        (key,), (trace,) = kept(d.spool), kept(d.spool, ".trace")
        assert MUTEX.fullmatch(key)
        record = record_of(d.spool, key)
        assert record["artifact"] == "mutex" and record["samples"] > 0
        assert record["complete"] and record["seconds"] == record["requested_seconds"] == 1
        assert record["target"].endswith("/debug/pprof/mutex")
        assert not {"label", "not_inspected", "go_version", "generations"} & set(record)
        assert d.spool.record(trace)["artifact"] == "trace"
        assert d.spool.record(trace)["label"]
        # They were not taken at the same moment.
        start, of_trace = record["start"], d.spool.record(trace)["start"]
        assert start > of_trace
        assert "not-inspected" not in json.dumps(d.lines) and d.problems() == []

        got = reader_of(server).get_object(Bucket=BUCKET, Key=PREFIX + key)
        assert got["ContentType"] == "application/gzip"
        assert got["Metadata"]["artifact"] == "mutex"
        assert got["Metadata"]["sha256"] == record["sha256"]
        assert got["Body"].read() == (d.spool.path / "archive" / key).read_bytes()
        beside = reader_of(server).get_object(Bucket=BUCKET, Key=PREFIX + key + ".json")
        assert json.loads(beside["Body"].read()) == record

        # From the store alone.
        where = [f"-c{d.config}", "--remote"]
        listed = contrace("list", *where, "--json", "--artifact=mutex").stdout.splitlines()
        assert [json.loads(line)["key"] for line in listed] == [key]
        assert json.loads(listed[0])["artifact"] == "mutex"
        table = contrace("list", *where).stdout.splitlines()
        assert len(table) == 3 and "ARTIFACT" in table[0] and "  mutex  " in table[1]
        assert "ARTIFACT" not in contrace("list", *where, "--artifact=trace").stdout
        pulled = contrace("pull", *where, "--last=1", "--artifact=m*", f"-o{tmp_path}/out").stdout
        assert pulled.strip() == f"{tmp_path}/out/{key}"
        assert (tmp_path / "out" / (key + ".json")).exists()
        top = pprof(pulled.strip())
        assert "Type: delay" in top and "main.hold" in top
        refused = contrace("summary", pulled.strip(), check=False)
        assert refused.returncode == 1 and "as profiles for 'go tool pprof' are" in refused.stderr

        # What reads traces is given traces, however many profiles are newer.
        traces = contrace("pull", *where, "--last=9", f"-o{tmp_path}/traces").stdout.split()
        assert len(traces) == 1 and traces[0].endswith(".trace")
        both = contrace("pull", *where, "--last=9", "--artifact=*", f"-o{tmp_path}/both").stdout
        assert len(both.split()) == 2
    finally:
        server.close()


def test_none_where_nothing_is_sampled(contended, daemon, endpoint):
    api = endpoint
    d = daemon([job("shop", contended(), **CAPTURES)], args=[api.option])
    said = d.wait_log("runtime.SetMutexProfileFraction", result="empty")
    (key,) = kept(d.spool)
    assert said["level"] == "info" and said["key"] == key
    record = record_of(d.spool, key)
    assert record["samples"] == 0 and record["complete"]
    assert "Total samples = 0" in pprof(d.spool.path / "archive" / key)
    listed = contrace("list", f"-c{d.config}", "--json", "--artifact=mutex").stdout
    assert json.loads(listed)["samples"] == 0
    # On demand the same is told to whoever asked.
    done = contrace("capture", f"--address=unix:{api.path}", "--all", "--artifact=mutex")
    assert done.stdout.strip() in kept(d.spool)
    assert "/mutex: empty: no goroutine waited for a lock" in done.stderr
    assert "runtime.SetMutexProfileFraction" in done.stderr
    d.stop()
    assert d.counts() == {"ok": 1, "empty": 2}


def test_one_that_ignores_seconds(contended, daemon):
    d = daemon([job("shop", contended("-fraction=1", "-instead=mutex"), **CAPTURES)])
    said = d.wait_log("since the start of the process", result="short")
    assert said["level"] == "warn"
    (key,) = kept(d.spool)
    record = record_of(d.spool, key)
    assert record["seconds"] is None and record["requested_seconds"] == 1
    assert not record["complete"] and record["truncated"]["by"] == "short"
    assert record["samples"] > 0
    assert f", {record['samples']} sample{'' if record['samples'] == 1 else 's'}, " in said["msg"]
    assert "main.hold" in pprof(d.spool.path / "archive" / key)
    where = [f"-c{d.config}"]
    listed = contrace("list", *where, "--json", "--artifact=mutex").stdout
    assert "seconds" not in json.loads(listed)


@pytest.mark.parametrize(
    ("instead", "found"),
    [("heap", "inuse_space"), ("goroutine", "goroutine"), ("threadcreate", "threadcreate")],
)
def test_another_profile_is_no_mutex_profile(contended, daemon, instead, found):
    d = daemon([job("shop", contended("-instead=" + instead), **CAPTURES)])
    said = d.wait_log("the answer is not a mutex profile but a profile of " + found,
                      result="not_a_profile")  # fmt: skip
    assert said["level"] == "warn" and kept(d.spool) == []


def test_none_where_the_endpoint_is_missing(contended, daemon, endpoint):
    address, api = contended("-profiles=false"), endpoint
    d = daemon([job("shop", address, **CAPTURES, scrape_timeout="9s")],
               glob={"scrape_interval": "10s"}, args=[api.option])  # fmt: skip
    d.wait_log("no mutex profile at", result="missing")
    d.wait_captured(count=3)
    assert len(d.log("no mutex profile at", level="info")) == 1 and d.problems() == []
    assert kept(d.spool) == []
    (target,) = api.targets()["targets"]
    assert (target["artifact"], target["state"], target["failures"]) == ("trace", "ok", 0)
    trace, mutex = target["artifacts"]
    assert (trace["artifact"], trace["state"]) == ("trace", "ok")
    assert (mutex["artifact"], mutex["state"], mutex["failures"]) == ("mutex", "missing", 0)
    assert api.status()["targets"]["failing"] == 0
    admin = f"--address=unix:{api.path}"
    assert "mutex" not in contrace("status", admin).stdout, "it is no failure"
    done = contrace("capture", admin, "--all", "--artifact=mutex", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert "/mutex: missing: HTTP status 404" in done.stderr
    assert "set profiles_path" in done.stderr


def test_failures_of_another_artifact_are_shown(serve, daemon, endpoint):
    """Below the row of a target whose traces are taken."""
    trace, page = healthy(), answer("200 OK", b"<html>")
    server = serve(lambda c: (trace if "/trace" in c.request else page)(c))
    api = endpoint
    d = daemon([job("shop", server.address, **CAPTURES)], args=[api.option])
    d.wait_log("cannot capture", result="not_a_profile")
    admin = f"--address=unix:{api.path}"
    done = contrace("status", admin).stdout
    assert "targets    1, 0 failing" in done
    row, note = done.splitlines()[-2:]
    assert row.startswith("ok ") and row.endswith(server.address)
    assert note == '    mutex: not_a_profile: the answer is not a mutex profile but "<html>"'
    (target,) = json.loads(contrace("status", admin, "--json").stdout)["targets"]
    assert [(a["artifact"], a["failures"]) for a in target["artifacts"]] == [
        ("trace", 0), ("mutex", 1),
    ]  # fmt: skip
    done = contrace("capture", admin, "--all", "--artifact=mutex", check=False)
    assert "/debug/pprof/mutex: not_a_profile: the answer is not" in done.stderr


def test_once_takes_each(contended, tmp_path):
    for args, mutex, code in (("-fraction=1", 1, 0), ("-profiles=false", 0, 0)):
        directory = tmp_path / args
        directory.mkdir()
        config = directory / "c.yaml"
        jobs = [job("shop", contended(args), **CAPTURES)]
        config.write_text(
            json.dumps(
                {
                    "scrape_configs": jobs,
                    "storage": {"path": str(directory / "spool"), "min_free": 0},
                }
            )
        )
        done = contraced("--once", f"--config.file={config}")
        assert done.returncode == code, done.stderr
        assert len(list(directory.rglob("*.mutex.pb.gz"))) == mutex
        assert len(list(directory.rglob("*.trace"))) == 1


def test_on_demand(contended, daemon, endpoint):
    """Also of a job that does not capture it by schedule."""
    api = endpoint
    d = daemon([job("shop", contended("-fraction=1"), seconds=1)],
               args=[api.option])  # fmt: skip
    d.wait_captured()
    admin = f"--address=unix:{api.path}"
    done = contrace("capture", admin, "--service=shop", "--artifact=mutex")
    (key,) = kept(d.spool)
    assert done.stdout.strip() == key
    assert record_of(d.spool, key)["reason"] == "api"
    listed = api.captures(artifact="mutex")
    assert [(c["key"], c["artifact"]) for c in listed["captures"]] == [(key, "mutex")]
    assert listed["total"] == 1 and api.captures()["total"] == 2
    assert api.captures(artifact="trace")["total"] == 1
    got = api.get(f"/api/v1/captures/{key}")
    assert got.headers["Content-Type"] == "application/gzip"
    assert api.get(f"/api/v1/captures/{key}.json").json["artifact"] == "mutex"
    (target,) = api.targets(artifact="mutex")["targets"]
    assert (target["artifact"], target["last"]["key"]) == ("mutex", key)
    assert target["next"] is None and not target["artifacts"][1]["scheduled"]
    refused = contrace("capture", admin, "--all", "--artifact=heaps", check=False)
    assert (
        refused.returncode == 1 and '"artifact" must be one of trace, flight, cpu' in refused.stderr
    )


def test_asked_for_where_its_place_cannot_be_told(contended, daemon, endpoint):
    api = endpoint
    d = daemon([job("shop", contended(), path="/snapshot")], args=[api.option])
    refused = contrace("capture", f"--address=unix:{api.path}", "--all", "--artifact=mutex",
                       check=False)  # fmt: skip
    assert refused.returncode == 1
    assert "job `shop`: where is its mutex profile? `path` does not end in /trace" in refused.stderr
    d.stop()


def test_a_place_that_cannot_be_told(tmp_path):
    config = tmp_path / "c.yaml"
    jobs = [job("shop", "127.0.0.1:1", path="/snapshot", artifacts=["trace", "mutex"])]

    def check():
        config.write_text(
            json.dumps({"scrape_configs": jobs, "storage": {"path": str(tmp_path / "spool")}})
        )
        return contraced("--check-config", f"--config.file={config}")

    done = check()
    assert done.returncode != 0 and "profiles_path must say where" in done.stderr
    jobs[0]["profiles_path"] = "/pprof"
    assert check().returncode == 0
    jobs[0]["artifacts"] = ["flight"]
    done = check()
    assert done.returncode != 0
    assert "job `shop`: artifacts: where is the flight recording? Go serves none" in done.stderr
