# SPDX-License-Identifier: Apache-2.0
"""Uploads as a whole: a real Go service, a real S3 server that verifies signatures, another client
that reads; and against the scripted store what a real one can't be made to do: a backlog of ten
thousand, a store that hangs, bounds of the storage."""

import hashlib
import json
import os
import re
import signal
import threading
import time

import botocore.config
import botocore.session
import pytest
import s3server
import storefaults as faults
from hostile import healthy, trace
from store import BUCKET, Store
from support import PATIENCE, Spool, contraced, job, wait_until
from uploads import (
    PREFIX,
    arrived,
    assert_same,
    backlog,
    clean_env,
    key_files,
    pending_keys,
    place_of,
    record_of,
    section,
    wait_archived,
)

TRACE = r"\.trace$"
BACKLOG = 10_000
MEMORY_PER_FILE = 200  # bytes


@pytest.fixture
def store():
    with Store() as s:
        yield s


@pytest.fixture
def target(serve):
    return serve(healthy(trace(2)))


@pytest.fixture
def uploader(tmp_path, store, target, daemon):
    """uploader(…) starts contraced with this store and this target."""

    def start(more=None, **kwargs):
        upload = section(tmp_path, store.endpoint, **(more or {}))
        return daemon([job("s", target.address)], upload=upload, env=clean_env(), **kwargs)

    return start


@pytest.fixture
def server(tmp_path):
    s = s3server.S3Server(tmp_path)
    (s.root / BUCKET).mkdir()
    yield s
    s.close()


def reader_of(server):
    return botocore.session.get_session().create_client(
        "s3", endpoint_url=f"http://{server.host}", region_name=s3server.REGION,
        aws_access_key_id=s3server.ACCESS_KEY, aws_secret_access_key=s3server.SECRET_KEY,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )  # fmt: skip


def section_of(server, directory, **more):
    return {
        "url": f"s3://{BUCKET}/{PREFIX}",
        "endpoint": f"http://{server.host}",
        "region": s3server.REGION,
        **key_files(directory, s3server.ACCESS_KEY, s3server.SECRET_KEY),
        **more,
    }


def assert_read_back(reader, spool, keys):
    listed = reader.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX)["Contents"]
    found = sorted(o["Key"] for o in listed if "/.contrace/" not in o["Key"])
    assert found == sorted(PREFIX + name for k in keys for name in (k, record_of(k)))
    assert [o["Key"] for o in listed if "/.contrace/probe-" in o["Key"]]
    for key in keys:
        got = reader.get_object(Bucket=BUCKET, Key=PREFIX + key)
        assert got["Body"].read() == spool.trace(key).read_bytes()
        record, meta = spool.record(key), got["Metadata"]
        assert meta["sha256"] == record["sha256"]
        for name in ("service", "host", "reason", "pid", "start"):
            assert meta[name] == str(record[name]), name
        assert float(meta["seconds"]) == record["seconds"]
        assert got["ContentType"] == "application/octet-stream"
        described = reader.get_object(Bucket=BUCKET, Key=PREFIX + record_of(key))
        text = described["Body"].read()
        assert json.loads(text) == record
        assert described["ContentType"] == "application/json"
        assert described["Metadata"]["sha256"] == hashlib.sha256(text).hexdigest()
        assert described["Metadata"]["service"] == record["service"]


def test_a_real_service_and_a_real_store(server, goservice, daemon, tmp_path):
    service = goservice()
    jobs = [job("shop", service.address)]
    d = daemon(jobs, upload=section_of(server, tmp_path), env=clean_env())
    d.wait_captured()
    for n in (2, 3):
        time.sleep(1)
        d.capture_now()
        d.wait_captured(count=n)
    keys = wait_archived(d, 3)
    assert_read_back(reader_of(server), d.spool, keys)
    assert not d.problems()
    d.stop()
    d.spool.check()


def test_once_uploads(server, goservice, tmp_path):
    """--once: 0 when the trace is in the store, 1 when it is only on disk."""
    service = goservice()
    config = tmp_path / "contraced.yaml"
    spool = Spool(tmp_path / "spool")

    def once(**more):
        config.write_text(json.dumps({
            "global": {"seconds": 0.2, "shutdown_timeout": "5s"},
            "scrape_configs": [job("shop", service.address)],
            "storage": {"path": str(spool.path), "min_free": 0},
            "upload": section_of(server, tmp_path, **more),
            "log": {"format": "json", "level": "debug"},
        }))  # fmt: skip
        return contraced("--once", f"--config.file={config}", env=clean_env())

    done = once()
    assert done.returncode == 0, done.stderr
    assert not spool.pending() and len(spool.keys()) == 1
    assert_read_back(reader_of(server), spool, spool.keys())

    time.sleep(1)
    done = once(endpoint="http://127.0.0.1:1")
    assert done.returncode == 1, done.stderr
    (left,) = pending_keys(spool)

    time.sleep(1)
    done = once()
    assert done.returncode == 0, done.stderr
    assert not spool.pending() and left in spool.keys() and len(spool.keys()) == 3
    assert_read_back(reader_of(server), spool, spool.keys())


ONCE = {  # behaviour, shutdown_timeout, bounds of the time that it takes
    "hang": (faults.hang(), "4s", 3, 45),
    "denied": (faults.error("403 Forbidden", "AccessDenied"), "50s", 0, 45),
    "slow-down": (faults.error("503 Slow Down", "SlowDown"), "50s", 0, 45),
    "too-large": (faults.error("413 Too Large", "EntityTooLarge"), "50s", 0, 45),
}


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("match", [TRACE, ""], ids=["trace", "all"])
def test_once_does_not_wait_for_a_store_in_trouble(name, match, store, target, tmp_path):
    """It says so, exits 1 in time, and leaves the trace in pending/."""
    behaviour, timeout, least, most = ONCE[name]
    store.play(behaviour, match=match)
    config = tmp_path / "contraced.yaml"
    spool = Spool(tmp_path / "spool")
    config.write_text(json.dumps({
        "global": {"seconds": 0.2, "shutdown_timeout": timeout},
        "scrape_configs": [job("s", target.address)],
        "storage": {"path": str(spool.path), "min_free": 0},
        "upload": section(tmp_path, store.endpoint),
        "log": {"format": "json"},
    }))  # fmt: skip
    began = time.monotonic()
    done = contraced("--once", f"--config.file={config}", env=clean_env())
    took = time.monotonic() - began
    assert done.returncode == 1, done.stderr
    assert len(pending_keys(spool)) == 1 and not spool.incoming()
    assert least <= took < most, f"{took:.1f} s: {done.stderr}"
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [x for x in said if x["level"] in ("warn", "error")], done.stderr


def test_start_finds_what_is_pending(store, uploader, tmp_path):
    keys = backlog(Spool(tmp_path / "spool"), 20, trace(1))
    d = uploader()
    wait_archived(d, 21)
    assert set(keys) <= set(d.spool.keys())
    for key in d.spool.keys():
        assert_same(store, d.spool, key)
    assert all(len(times) == 1 for times in store.stored.values())
    assert store.connections <= 1 + 4 + 1
    d.stop()
    d.spool.check()


def test_newest_first(store, uploader, tmp_path):
    """With a backlog the trace of this minute is not behind yesterday's."""
    keys = backlog(Spool(tmp_path / "spool"), 40, trace(1))
    store.play(faults.slow(0.05), match=TRACE)
    d = uploader({"concurrency": 1})
    fresh = d.wait_captured()["key"]
    wait_archived(d, 41)
    sent = [r.name.removeprefix(f"/{BUCKET}/{PREFIX}") for r in store.asked("PUT", TRACE)]
    assert sent.index(fresh) < 20
    others = [k for k in sent if k != fresh]
    assert others == keys[::-1]
    d.stop()


def test_drains_when_it_stops(store, uploader, tmp_path):
    """SIGTERM: what is pending still goes out, while there is time."""
    backlog(Spool(tmp_path / "spool"), 30, trace(1))
    store.play(faults.slow(0.05), match=TRACE)
    d = uploader({"concurrency": 2}, glob={"shutdown_timeout": "20s"})
    d.wait_captured()
    d.stop()
    assert not d.spool.pending() and len(d.spool.keys()) == 31
    d.spool.check()


def test_leaves_the_rest_when_time_is_over(store, uploader, tmp_path):
    keys = backlog(Spool(tmp_path / "spool"), 50, trace(1))
    slow = store.play(faults.slow(0.5), match=TRACE)
    d = uploader({"concurrency": 1}, glob={"shutdown_timeout": "2s"})
    d.wait_captured()
    began = time.monotonic()
    d.stop()
    assert 1.5 < time.monotonic() - began < 20  # all of it takes 25 s and more
    left = pending_keys(d.spool)
    assert left and set(left) < set(keys)
    d.spool.check()

    slow.stop()
    again = uploader()
    wait_archived(again, 51)
    again.stop()
    for key in again.spool.keys():
        assert_same(store, again.spool, key)


HANGS = {
    "behind-body": faults.hang(),
    "at-head": faults.hang(0),
    "in-answer": faults.hang_in_answer(b"HTTP/1.1 200 OK\r\nX:"),
    "asks": faults.asks_and_is_silent,
}


@pytest.mark.parametrize("name", HANGS)
@pytest.mark.parametrize("match", [TRACE, "/.contrace/probe-"], ids=["trace", "probe"])
def test_a_hung_store_does_not_delay_the_exit(name, match, store, uploader, target):
    target.script = [healthy(trace(2, 2 << 20))]
    rule = store.play(HANGS[name], match=match)
    d = uploader(glob={"shutdown_timeout": "1s"})
    key = d.wait_captured()["key"]
    wait_until("the store hangs", lambda: rule.played)
    began = time.monotonic()
    d.stop()
    assert time.monotonic() - began < 20  # the stall_timeout is 30 s
    assert place_of(d.spool, key) == "pending"
    rule.stop()
    again = uploader()
    wait_until("it has arrived", lambda: place_of(d.spool, key) == "archive")
    assert_same(store, d.spool, key)
    again.stop()


def test_second_term_ends_at_once(store, uploader):
    rule = store.play(faults.hang(), match=TRACE)
    d = uploader(glob={"shutdown_timeout": "60s"})
    d.wait_captured()
    wait_until("the store hangs", lambda: rule.played)
    d.signal(signal.SIGTERM)
    time.sleep(0.3)
    assert d.alive()
    d.signal(signal.SIGTERM)
    d.wait_exit(10)
    assert len(pending_keys(d.spool)) == 1


def test_keep_local_false(store, uploader, tmp_path):
    keys = backlog(Spool(tmp_path / "spool"), 5, trace(1))
    d = uploader({"keep_local": False})
    fresh = d.wait_captured()["key"]
    wait_until("nothing is left here", lambda: not d.spool.pending())
    assert not d.spool.keys()
    for key in [*keys, fresh]:
        assert arrived(store, key), key
    d.stop()
    assert list((d.spool.path / "pending").rglob("*")) == []


def test_bytes_that_changed_are_put_aside(store, uploader, tmp_path):
    """A file that is not any more what was captured never takes the place of an object."""
    spool = Spool(tmp_path / "spool")
    bad, good = backlog(spool, 2, trace(1))
    path = spool.path / "pending" / bad
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    d = uploader()
    d.wait_captured()
    wait_until("the others have arrived", lambda: pending_keys(d.spool) == [bad])
    assert place_of(d.spool, good) == "archive"
    wait_until("it is said", lambda: [x for x in d.problems() if bad in x["msg"]])
    time.sleep(1)
    assert len([x for x in d.problems() if bad in x["msg"]]) == 1
    assert not arrived(store, bad)
    d.stop()
    assert pending_keys(d.spool) == [bad]


def test_without_a_record(store, uploader, tmp_path):
    """What is known is then what the key and the bytes say."""
    spool = Spool(tmp_path / "spool")
    (key,) = backlog(spool, 1, trace(1))
    (spool.path / "pending" / record_of(key)).unlink()
    d = uploader()
    wait_until("it has arrived", lambda: place_of(d.spool, key) == "archive")
    assert store.object(PREFIX + key) == trace(1)
    meta = store.meta(PREFIX + key)
    assert (meta["service"], meta["host"], meta["pid"]) == ("old", "host-1", "4711")
    assert re.fullmatch("[0-9a-f]{64}", meta["sha256"])
    d.stop()


def test_records_and_traces_of_any_length(store, uploader, tmp_path):
    """A long record arrives; one that is endless is left out; an empty trace is a trace."""
    spool = Spool(tmp_path / "spool")
    long, endless, empty = backlog(spool, 3, trace(1))
    for key, length in ((long, 200 << 10), (endless, 300 << 10)):
        path = spool.path / "pending" / record_of(key)
        path.write_text(json.dumps({**json.loads(path.read_text()), "labels": {"a": "x" * length}}))
    (spool.path / "pending" / empty).write_bytes(b"")
    (spool.path / "pending" / record_of(empty)).unlink()
    d = uploader()
    for key in (long, endless, empty):
        wait_until(f"{key} has arrived", lambda k=key: place_of(d.spool, k) == "archive")
    assert_same(store, d.spool, long)
    assert store.object(PREFIX + endless) == trace(1)
    assert store.object(PREFIX + record_of(endless)) is None
    assert store.object(PREFIX + empty) == b""
    d.stop()
    (said,) = [x for x in d.problems() if "upload" in x["msg"]]
    assert f"{endless} is uploaded without its record: it is longer than 256 KiB" in said["msg"]


def test_two_of_one_second_without_keep_local(store, serve, tmp_path, daemon):
    """The second has the key of the first, which by then is in the store and nowhere else."""

    def late(c):
        c.start_chunked()
        time.sleep(0.5)
        c.chunk(trace(2))
        c.end_chunked()

    quick, slow = serve(healthy(trace(1))), serve(late)
    upload = section(tmp_path, store.endpoint, keep_local=False)
    jobs = [job("s", quick.address, slow.address)]
    d = daemon(jobs, upload=upload, env=clean_env())
    d.wait_captured(count=2)
    wait_until("nothing is left here", lambda: not d.spool.pending())
    for _n in range(3):
        mark = d.mark()
        d.capture_now()
        d.wait_captured(count=2, after=mark)
        time.sleep(1)
    wait_until("nothing is left here", lambda: not d.spool.pending())
    d.stop()
    sent = [r.name for r in store.asked("PUT", TRACE)]
    assert len(sent) == len(set(sent)) == 8


def test_reload_tries_again(store, uploader, tmp_path):
    (key,) = backlog(Spool(tmp_path / "spool"), 1, trace(1))
    rule = store.play(faults.error("400 Bad Request", "EntityTooLarge"), match=re.escape(key))
    d = uploader()
    wait_until("it is refused", lambda: [x for x in d.problems() if key in x["msg"]])
    rule.stop()
    d.signal(signal.SIGHUP)
    wait_until("it has arrived", lambda: place_of(d.spool, key) == "archive")
    d.stop()


def test_archive_goes_before_pending(store, uploader, tmp_path, target):
    """The cap wins over the backlog, but what was uploaded goes first; what is dropped unsent is
    counted and named."""
    d = uploader(storage={"max_files": 6})
    for n in range(1, 4):
        d.wait_captured(count=n)
        time.sleep(1)
        d.capture_now()
    first = wait_archived(d, 4)
    store.play(faults.error("503 Slow Down", "SlowDown"))
    mark = d.mark()
    for n in range(1, 6):
        d.capture_now()
        d.wait_captured(count=n, after=mark)
        time.sleep(1)
    # 4 uploaded and 5 not, 6 may stay: of the uploaded ones only the newest is left.
    wait_until("there are six", lambda: len(d.spool.keys()) + len(pending_keys(d.spool)) <= 6)
    assert len(pending_keys(d.spool)) == 5
    assert set(d.spool.keys()) <= set(first)
    assert not [x for x in d.lines if "unsent" in x["msg"] and x["level"] in ("warn", "error")]
    unsent = sorted(pending_keys(d.spool))
    mark = d.mark()
    for n in range(1, 4):
        d.capture_now()
        d.wait_captured(count=n, after=mark)
        time.sleep(1)
    line = d.wait_log(after=mark, message_id="0c5f3f1c6d0b4e3f9a53a4b4d2c5e105")
    assert unsent[0] in json.dumps(line), "it is named"
    assert not d.spool.keys()
    d.stop()


def test_what_is_being_uploaded_is_not_deleted(store, uploader, tmp_path):
    gate = threading.Event()

    def held(x):
        x.read_body()
        assert gate.wait(PATIENCE)
        x.serve()

    store.play(held, match=TRACE, times=1)
    d = uploader({"concurrency": 1}, storage={"max_files": 2})
    first = d.wait_captured()["key"]
    wait_until("it is being uploaded", lambda: store.asked("PUT", TRACE))
    for n in range(2, 6):
        time.sleep(1)
        d.capture_now()
        d.wait_captured(count=n)
    assert place_of(d.spool, first) == "pending"
    gate.set()
    wait_until("it has arrived", lambda: arrived(store, first))
    d.stop()


def test_ten_thousand_files_wait(store, target, tmp_path, daemon):
    """All arrive, the newest first, and memory does not follow the backlog."""
    spool = Spool(tmp_path / "spool")
    jobs = [job("s", target.address)]
    upload = section(tmp_path, store.endpoint, concurrency=8)
    store.verify = False  # it is contraced that is measured, not Python

    def run(directory):
        """The peak of its memory when all has arrived."""
        d = daemon(jobs, upload=upload, env=clean_env(), directory=directory, log={"level": "info"})
        wait_until("all have arrived", lambda: not any_pending(d.spool), timeout=120, interval=0.2)
        peak = d.status("VmHWM")
        d.stop()
        return peak

    empty = run(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    spool = Spool(tmp_path / "full" / "spool")
    keys = backlog(spool, BACKLOG, trace(1))
    began = time.monotonic()
    full = run(tmp_path / "full")
    print(f"{BACKLOG} files in {time.monotonic() - began:.1f} s; peak {empty} KiB without, {full} "
          "KiB with them")  # fmt: skip
    sent = [r.name.removeprefix(f"/{BUCKET}/{PREFIX}") for r in store.asked("PUT", TRACE)]
    sent = [k for k in sent if k.startswith("old/")]
    assert sorted(sent) == keys
    place = {key: i for i, key in enumerate(reversed(keys))}
    astray = max(abs(place[key] - i) for i, key in enumerate(sent))
    assert astray < 100, "not the newest first"
    assert (full - empty) * 1024 < BACKLOG * MEMORY_PER_FILE + (1 << 20)


def any_pending(spool):
    for _, _, files in os.walk(spool.path / "pending"):
        if files:
            return True
    return False
