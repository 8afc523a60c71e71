# SPDX-License-Identifier: Apache-2.0
"""Every kind of profile of a real Go service: from the request to the store and back, to go tool
pprof. What is special of mutex profiles is in test_artifacts.py."""

import json
import re
import subprocess

import pytest
import s3server
from gotools import build
from hostile import answer
from store import BUCKET
from support import SRC, job, wait_until
from test_artifacts import contrace, kept, pprof, record_of
from test_upload_real import PREFIX, reader_of, section_of
from uploads import clean_env

# What go tool pprof calls each, and whether it is of a window.
KINDS = {
    "cpu": ("cpu", True),
    "mutex": ("delay", True),
    "block": ("delay", True),
    "goroutine": ("goroutine", False),
    "heap": ("inuse_space", False),
    "allocs": ("inuse_space", True),
    "threadcreate": ("threadcreate", False),
}
WAITS = ("-block-rate=1", "-mutex-fraction=1")  # so that each profile has samples


PATHS = {"cpu": "profile"}  # where net/http/pprof has another name for it


def suffix(kind):
    return f".{kind}.pb.gz"


def with_leaks(tmp_path_factory, toolchain):
    binary = tmp_path_factory.mktemp("leaks") / "contended"
    build(SRC / "tests/support/contended", binary, toolchain)
    return binary


@pytest.fixture(scope="module")
def leaks_binary(tmp_path_factory):
    """Go 1.27 is the first with this profile."""
    return with_leaks(tmp_path_factory, "go1.27.4")


@pytest.fixture
def leaks(leaks_binary):
    """Its address; ten goroutines in it wait for ever."""
    with subprocess.Popen([leaks_binary, "-leak=10"], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.kill()


def test_each_from_the_request_to_the_store_and_back(goservice, daemon, tmp_path):
    server = s3server.S3Server(tmp_path)
    (server.root / BUCKET).mkdir()
    service = goservice(*WAITS)
    d = daemon(
        [job("shop", service.address, artifacts=list(KINDS), seconds=1)],
        upload=section_of(server, tmp_path), env=clean_env(),
    )  # fmt: skip
    try:
        wait_until(
            "all are uploaded",
            lambda: all(kept(d.spool, suffix(k)) for k in KINDS) and not d.spool.pending(),
        )
        keys = {}
        for kind, (_, window) in KINDS.items():
            (keys[kind],) = kept(d.spool, suffix(kind))
            record = record_of(d.spool, keys[kind])
            assert record["artifact"] == kind and record["complete"], record
            assert record["samples"] > 0 and record["pid"] == service.pid
            assert record["target"].endswith(f"/debug/pprof/{PATHS.get(kind, kind)}")
            assert record["seconds"] == (1 if window else None)
            assert record.get("requested_seconds") == (1 if window else None)
            got = reader_of(server).get_object(Bucket=BUCKET, Key=PREFIX + keys[kind])
            assert got["Metadata"]["artifact"] == kind
            assert got["ContentType"] == "application/gzip"
        assert d.problems() == []

        # From the store alone.
        where = [f"-c{d.config}", "--remote"]
        listed = [
            json.loads(line) for line in contrace("list", *where, "--json").stdout.splitlines()
        ]
        assert {one["artifact"]: one["key"] for one in listed} == keys
        for kind, (sample_type, _) in KINDS.items():
            pulled = contrace("pull", *where, "--last=1", f"--artifact={kind}", f"-o{tmp_path}/o")
            assert pulled.stdout.strip() == f"{tmp_path}/o/{keys[kind]}"
            top = pprof(pulled.stdout.strip())
            assert f"Type: {sample_type}" in top, (kind, top)
            assert ("Duration: " in top) == KINDS[kind][1]
        assert "main." in pprof(tmp_path / "o" / keys["block"])
    finally:
        server.close()


def test_on_demand(goservice, daemon, endpoint):
    service = goservice(*WAITS)
    d = daemon([job("shop", service.address, seconds=1)], args=[endpoint.option])
    d.wait_captured()
    admin = f"--address=unix:{endpoint.path}"
    for kind, (_, window) in KINDS.items():
        if window:
            continue  # as of the mutex profile, and the allowance is for seconds
        done = contrace("capture", admin, "--service=shop", f"--artifact={kind}")
        (key,) = kept(d.spool, suffix(kind))
        assert done.stdout.strip() == key
        assert record_of(d.spool, key)["reason"] == "api"
        (target,) = endpoint.targets(artifact=kind)["targets"]
        assert (target["artifact"], target["seconds"]) == (kind, None)
        assert target["last"]["key"] == key
        assert [c["key"] for c in endpoint.captures(artifact=kind)["captures"]] == [key]
        got = endpoint.get(f"/api/v1/captures/{key}")
        assert got.headers["Content-Type"] == "application/gzip"
    metrics = endpoint.get("/metrics").text
    assert 'contrace_captures_total{scrape_job="shop",artifact="heap",result="ok"} 1' in metrics
    assert [c["artifact"] for c in endpoint.captures(artifact="trace")["captures"]] == ["trace"]


def test_goroutines_that_leak(leaks, daemon, endpoint):
    d = daemon([job("shop", leaks, artifacts=["goroutineleak"], seconds=1)],
               args=[endpoint.option])  # fmt: skip
    d.wait_captured()
    (key,) = kept(d.spool, suffix("goroutineleak"))
    assert record_of(d.spool, key)["seconds"] is None
    top = pprof(d.spool.path / "archive" / key)
    assert "Type: goroutineleak" in top and "main.forget.func1" in top
    assert d.problems() == []
    # It is what stands for the target that has no traces.
    (target,) = endpoint.targets()["targets"]
    assert (target["artifact"], target["state"]) == ("goroutineleak", "ok")


def test_a_go_that_has_no_such_profile(goservice, daemon, endpoint):
    """It is said once, and no failure."""
    d = daemon(
        [job("shop", goservice().address, artifacts=["trace", "goroutineleak"], seconds=1,
             scrape_timeout="9s")],
        glob={"scrape_interval": "10s"}, args=[endpoint.option],
    )  # fmt: skip
    d.wait_captured(count=3)
    assert len(d.log("no goroutineleak profile at", level="info")) == 1
    assert endpoint.status()["targets"]["failing"] == 0 and d.problems() == []
    d.stop()
    assert d.counts()["missing"] >= 2


def test_a_profiler_at_work(goservice, daemon, endpoint):
    """It is no failure, said once, and a matter of the next interval."""
    service = goservice("-load=3")
    other = subprocess.Popen(
        ["curl", "-sSo", "/dev/null", f"http://{service.address}/debug/pprof/profile?seconds=25"]
    )
    d = daemon(
        [job("shop", service.address, artifacts=["trace", "cpu"], seconds=1, scrape_timeout="9s")],
        glob={"scrape_interval": "10s"}, args=[endpoint.option],
    )  # fmt: skip
    said = d.wait_log("no CPU profile at", result="in_use")
    assert said["level"] == "info" and "a process has one CPU profiler" in said["msg"]
    trace, cpu = endpoint.targets()["targets"][0]["artifacts"]
    assert (trace["state"], trace["failures"]) == ("ok", 0)
    assert (cpu["state"], cpu["failures"]) == ("in_use", 0)
    assert endpoint.status()["targets"]["failing"] == 0
    admin = f"--address=unix:{endpoint.path}"
    assert "cpu" not in contrace("status", admin).stdout, "it is no failure"
    done = contrace("capture", admin, "--all", "--artifact=cpu", check=False)
    assert done.returncode == 1
    assert "/profile: in_use: HTTP status 500: " in done.stderr
    assert "cpu profiling already in use" in done.stderr
    (key,) = wait_until("the other has ended", lambda: kept(d.spool, suffix("cpu")))
    assert other.wait() == 0
    assert "Type: cpu" in pprof(d.spool.path / "archive" / key)
    assert len(d.log("no CPU profile at")) == 1 and d.problems() == []


def test_interval_path_and_delta_of_its_own(goservice, daemon, endpoint):
    artifacts = [
        "trace",
        {"name": "heap", "interval": "10s", "path": "/debug/pprof/allocs"},
        {"name": "goroutine", "delta": True},
        {"name": "mutex", "delta": False},
    ]
    d = daemon(
        [job("shop", goservice(*WAITS).address, artifacts=artifacts, seconds=1,
             scrape_timeout="9s")],
        glob={"scrape_interval": "10m"}, args=[endpoint.option],
    )  # fmt: skip
    wait_until("the heap is taken thrice", lambda: len(kept(d.spool, suffix("heap"))) == 3)
    assert len(kept(d.spool, ".trace")) == 1
    for key in kept(d.spool, suffix("heap")):
        assert record_of(d.spool, key)["target"].endswith("/debug/pprof/allocs")
    (key,) = kept(d.spool, suffix("goroutine"))
    assert record_of(d.spool, key)["seconds"] == 1
    (key,) = kept(d.spool, suffix("mutex"))
    record = record_of(d.spool, key)
    assert record["seconds"] is None and "requested_seconds" not in record
    assert record["complete"] and record["samples"] > 0 and d.problems() == []
    (target,) = endpoint.targets()["targets"]
    said = {a["artifact"]: (a["interval_seconds"], a["seconds"]) for a in target["artifacts"]}
    assert said == {"trace": (600, 1), "mutex": (600, None), "goroutine": (600, 1),
                    "heap": (10, None)}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("block", "runtime.SetBlockProfileRate(int(time.Millisecond))"),
        ("mutex", "runtime.SetMutexProfileFraction(100)"),
    ],
)
def test_an_empty_one_says_what_to_call(kind, call, goservice, daemon):
    d = daemon([job("shop", goservice().address, artifacts=[kind], seconds=1)])
    said = d.wait_log(call, result="empty")
    assert said["level"] == "info"
    (key,) = kept(d.spool, suffix(kind))
    assert record_of(d.spool, key)["samples"] == 0


def test_how_each_is_asked_for(serve, daemon):
    """A snapshot without `seconds`, which would make a difference of it."""
    server = serve(answer("404 Not Found", b"404 page not found"))
    jobs = [job("shop", server.address, artifacts=[*KINDS, "goroutineleak"], seconds=1.9,
                scrape_timeout="9s", profiles_path="/p")]  # fmt: skip
    d = daemon(jobs, glob={"scrape_interval": "10s"})
    d.wait_log("/goroutineleak: missing")
    asked = {re.match(r"GET (\S+)", r)[1] for r in server.requests}
    assert asked == {
        f"/p/{PATHS.get(k, k)}{'?seconds=1' if w else ''}" for k, (_, w) in KINDS.items()
    } | {"/p/goroutineleak"}
    (said,) = d.problems()
    assert "HTTP status 404" in said["msg"], "of all that it was asked for it has nothing"
