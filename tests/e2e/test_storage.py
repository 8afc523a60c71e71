# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, foreign or read-only, and the caps of the spool."""

import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import signal
import time

import pytest
from hostile import HEADER, generation, healthy, trace
from support import (
    CONTRACED,
    DOWN,
    RETENTION,
    Spool,
    contraced,
    job,
    need,
    need_program,
    need_root,
    recover,
    run,
    tmpfs,
    wait_until,
)

NOBODY = 65534


@pytest.fixture
def small(tmp_path):
    """small(options) mounts a tmpfs until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda options: stack.enter_context(tmpfs(tmp_path / "small", options))


def dropped(d, after, outcome="no_space"):
    """Wait until a capture is dropped for the disk's sake; the debug line says so each time."""
    return d.wait_log(f": {outcome}: ", after=after)


def captures_again(d):
    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark)
    wait_until("incoming/ is empty", lambda: not d.spool.incoming())


def fill(path):
    """A file that takes all the space there is."""
    with open(path, "wb", buffering=0) as f:
        for block in (1 << 16, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    f.write(bytes(block))


def test_full_file_system(small, serve, daemon):
    disk = small("size=4m")
    s = serve(healthy())
    d = daemon([job("s", s.address)], {"path": str(disk / "spool")})
    d.wait_captured()
    fds = d.idle()

    fill(disk / "filler")
    for _ in range(3):
        mark = d.mark()
        d.capture_now()
        dropped(d, mark)
    d.wait_idle(fds)
    assert len(d.log("no room for another trace")) == 1
    assert len(s.requests) == 1, "nobody is traced in vain"

    assert "the file system is full" in d.log("no room for another trace")[0]["msg"]
    (disk / "filler").unlink()
    captures_again(d)
    d.wait_log("has room for traces again")
    d.stop()
    assert d.log(message_id=DOWN) == []
    d.spool.check()


def test_space_runs_out_during_the_capture(small, serve, daemon):
    """Somebody else takes what was reserved."""
    disk = small("size=8m")

    def take_it_all(c):
        c.start_chunked()
        c.chunk(HEADER + generation(1))
        fill(disk / "filler")
        for i in range(2, 8):
            c.chunk(generation(i, 100_000))
        c.end_chunked()

    s = serve(healthy(), take_it_all, healthy())
    d = daemon([job("s", s.address)], {"path": str(disk / "spool")})
    d.wait_captured()
    fds, mark = d.idle(), d.mark()
    d.capture_now()
    dropped(d, mark)
    d.wait_idle(fds)
    d.wait_log("was dropped: no_space", level="error")
    assert len(d.spool.keys()) == 1
    (disk / "filler").unlink()
    captures_again(d)
    d.wait_log("traces can be stored again")
    d.stop()
    d.spool.check()


def test_out_of_inodes(small, serve, daemon):
    disk = small("size=16m,nr_inodes=64")
    s = serve(healthy())
    d = daemon([job("s", s.address)], {"path": str(disk / "spool")})
    d.wait_captured()
    fds = d.idle()
    (disk / "fillers").mkdir()
    with contextlib.suppress(OSError):
        for i in range(100):
            (disk / "fillers" / str(i)).touch()
    mark = d.mark()
    d.capture_now()
    dropped(d, mark)
    d.wait_idle(fds)
    run("rm", "-r", disk / "fillers")
    captures_again(d)
    d.stop()
    d.spool.check()


def test_full_of_old_traces(small, serve, daemon):
    """On a disk of its own the spool makes room by deleting the oldest."""
    disk = small("size=4m")
    s = serve(healthy(trace(2, 400_000)))
    d = daemon([job("s", s.address)], {"path": str(disk / "spool")})
    d.wait_captured()
    for n in range(2, 13):
        wait_until("incoming/ is empty", lambda: not d.spool.incoming())
        d.capture_now()
        d.wait_captured(count=n)
    d.wait_log(message_id=RETENTION)
    d.stop()
    assert d.log("no_space") == []
    records = d.spool.check()
    newest = [line["key"] for line in d.lines if line.get("key")][-1]
    assert newest in records and len(records) < 12


def test_read_only_for_a_while(small, serve, daemon, tmp_path):
    """The lock is on another file system, as a file that is open for writing forbids the change."""
    disk = small("size=16m")
    spool = disk / "spool"
    spool.mkdir(mode=0o700)
    (spool / "lock").touch(mode=0o600)
    elsewhere = tmp_path / "lock"
    elsewhere.touch(mode=0o600)
    run("mount", "--bind", elsewhere, spool / "lock")
    try:
        s = serve(healthy())
        d = daemon([job("s", s.address)], {"path": str(spool)})
        d.wait_captured()
        fds = d.idle()
        run("mount", "-o", "remount,ro", disk)
        for _ in range(3):
            mark = d.mark()
            d.capture_now()
            dropped(d, mark, "storage")
        d.wait_idle(fds)
        said = d.log("was dropped: storage", level="error")
        assert len(said) == 1 and "Read-only file system" in said[0]["msg"]
        assert len(s.requests) == 1
        run("mount", "-o", "remount,rw", disk)
        captures_again(d)
        assert len(d.log("traces can be stored again")) == 1
        d.stop()
        d.spool.check()
    finally:
        run("umount", "-l", spool / "lock")


def test_read_only_at_the_start(small, tmp_path):
    disk = small("size=4m")
    (disk / "spool").mkdir(mode=0o700)
    run("mount", "-o", "remount,ro", disk)
    done = contraced("--once", "-t", "http://127.0.0.1:1", f"--storage.path={disk}/spool")
    assert done.returncode == 1
    assert f"cannot use {disk}/spool for traces: the file system is read-only" in done.stderr


def refuses(path, *words):
    done = contraced("--once", "-t", "http://127.0.0.1:1", f"--storage.path={path}")
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("part", ["", "/incoming", "/pending", "/archive", "/lock"])
def test_symlink_in_place_of_a_part(part, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    spool = tmp_path / "spool"
    elsewhere.mkdir()
    if part:
        spool.mkdir(mode=0o700)
    pathlib.Path(f"{spool}{part}").symlink_to(elsewhere)
    refuses(spool, f"{spool}{part}: it is a symbolic link" if part == "/lock" else
            f"cannot use {spool}{part} for traces: it is a symbolic link")  # fmt: skip
    assert list(elsewhere.iterdir()) == []


def test_file_in_place_of_a_part(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    (spool / "archive").write_text("mine\n")
    refuses(spool, f"cannot use {spool}/archive for traces")
    assert (spool / "archive").read_text() == "mine\n"


def kubelet(volume, group):
    """What it does to a volume of a pod with fsGroup, each time it mounts it."""
    run("chgrp", "-R", group, volume)
    run("chmod", "-R", "g+rw", volume)
    run("find", volume, "-type", "d", "-exec", "chmod", "g+xs", "{}", "+")


@pytest.mark.parametrize("place", ["volume", "volume/spool"])
@pytest.mark.parametrize("groups", [(65532, 65532), (65532, 2000), (0, 1000620000)])
def test_volume_of_a_pod_with_fsgroup(place, groups, serve, tmp_path):
    """It starts twice, and again on a volume of which root owns the top; nobody else can write."""
    need_root()
    need_program("setpriv", "util-linux")
    target, (gid, fsgroup) = serve(healthy()), groups
    volume = tmp_path / "volume"
    volume.mkdir()
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.geteuid() and parent != pathlib.Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    for count in (1, 2, 3):
        kubelet(volume, fsgroup)
        done = run(
            "setpriv", "--reuid=65532", f"--regid={gid}", f"--groups={fsgroup}", CONTRACED,
            "--once", "--seconds=0.1", f"--target=s=http://{target.address}",
            f"--storage.path={tmp_path / place}", "--web.listen-address=off", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(Spool(tmp_path / place).keys()) == count
        ours = [p for p in (tmp_path / place).rglob("*") if p.stat().st_mode & 0o022]
        assert ours == []


def test_spool_that_others_may_write(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    spool.chmod(0o777)
    done = contraced("--once", "-t", "http://127.0.0.1:1", f"--storage.path={spool}")
    assert f"{spool} could be written by others (mode 0777); it is 0755 now" in done.stderr


@pytest.mark.parametrize("part", ["", "/archive", "/incoming", "/lock"])
def test_foreign_owner(part, tmp_path):
    need_root()
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    if part == "/lock":
        (spool / "lock").touch(mode=0o600)
    elif part:
        pathlib.Path(f"{spool}{part}").mkdir(mode=0o700)
    os.chown(f"{spool}{part}", NOBODY, NOBODY)
    refuses(spool, f"{spool}{part}", "belongs to")


@pytest.mark.parametrize("how", ["symlink", "foreign", "file"])
def test_service_directory_that_is_not_ours(how, serve, daemon, tmp_path):
    """It is left alone: its captures are dropped, and others go on."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bad, good = serve(healthy()), serve(healthy())
    d = daemon([job("bad", bad.address), job("good", good.address)])
    d.wait_captured(count=2)
    d.stop()
    place = d.spool.path / "archive" / "bad"
    run("rm", "-r", place)
    if how == "symlink":
        place.symlink_to(elsewhere)
    elif how == "foreign":
        need_root()
        place.mkdir(mode=0o777)
        os.chown(place, NOBODY, NOBODY)
    else:
        place.write_text("mine\n")

    d = daemon([job("bad", bad.address), job("good", good.address)])
    d.wait_log("did not make are left alone and not counted, the first is archive/bad")
    dropped(d, 0, "storage")
    d.wait_captured(service="good")
    mark = d.mark()
    d.capture_now()
    dropped(d, mark, "storage")
    d.wait_captured(service="good", after=mark)
    wait_until("incoming/ is empty", lambda: not d.spool.incoming())
    d.wait_log("was dropped: storage", level="error")
    d.stop()
    assert list(elsewhere.iterdir()) == []
    assert place.read_text() == "mine\n" if how == "file" else not list(place.iterdir())
    assert len(d.spool.keys("good")) == 3


def test_key_is_taken_by_a_directory(serve, daemon, tmp_path):
    """The next sequence is taken, now and after a start that leaves the directories alone."""
    s = serve(healthy())
    pid = os.getpid()
    now = datetime.datetime.now(datetime.UTC)
    archive = tmp_path / "spool" / "archive"
    (tmp_path / "spool").mkdir(mode=0o700)
    for i in range(600):
        moment = now + datetime.timedelta(seconds=i)
        day = archive / "s" / "h" / moment.strftime("%Y%m%d")
        day.mkdir(parents=True, exist_ok=True)
        (day / moment.strftime(f"%H%M%S-{pid}.trace")).mkdir()
    host = archive / "s" / "h"
    for directory in (archive, host.parent, host, *host.iterdir()):
        directory.chmod(0o750)
    d = daemon([job("s", s.address)], glob={"host": "h"})
    d.wait_log("600 things that contraced did not make are left alone")
    key = d.wait_captured()["key"]
    assert key.endswith(f"-{pid}-1.trace")
    captures_again(d)
    d.stop()
    keys = [line["key"] for line in d.lines if "key" in line]
    assert len(keys) == 2
    for key in keys:
        assert d.spool.trace(key).is_file() and d.spool.record(key)["pid"] == pid
        assert (
            hashlib.sha256(d.spool.trace(key).read_bytes()).hexdigest()
            == (d.spool.record(key)["sha256"])
        )
    assert len([p for p in archive.rglob("*.trace") if p.is_dir()]) == 600


def test_rubbish_in_incoming_and_archive(serve, daemon, tmp_path):
    """Ours is swept, what is not stays."""
    s = serve(healthy())
    d = daemon([job("s", s.address)])
    key = d.wait_captured()["key"]
    d.stop()
    incoming, day = d.spool.path / "incoming", d.spool.trace(key).parent
    (incoming / "tmp-0000abcd.out").write_text("half a trace")
    (incoming / "tmp-0000abcd-record.out").write_text("{")
    (incoming / "notes.txt").write_text("mine\n")
    (day / "000000-1.json").write_text("{}")
    (day / "notes.txt").write_text("mine\n")
    (d.spool.path / "archive" / "s.tar").write_text("mine\n")

    done = contraced("--once", f"--target=s=http://{s.address}", f"--storage.path={d.spool.path}",
                     "--log.format=json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [json.loads(line)["msg"] for line in done.stderr.splitlines()]
    assert any("2 unfinished files and 1 records without a trace swept" in m for m in said), said
    assert any("3 things that contraced did not make" in m for m in said), said
    assert d.spool.incoming() == ["notes.txt"]
    assert (day / "notes.txt").exists() and (d.spool.path / "archive" / "s.tar").exists()
    assert d.spool.trace(key).exists() and len(d.spool.keys()) == 2


def test_second_contraced_is_refused(serve, daemon):
    s = serve(healthy())
    d = daemon([job("s", s.address)])
    d.wait_captured()
    refuses(d.spool.path, f"{d.spool.path} is in use by process {d.pid} (contraced)")
    captures_again(d)
    d.signal(signal.SIGKILL)
    d.wait_exit()
    recover(d.spool, d.directory)  # a lock is never stale
    d.spool.check()


@contextlib.contextmanager
def stopped(d):
    """The process stands still, all its threads."""
    d.process.send_signal(signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{d.pid}/task")

    def still():
        states = [(t / "stat").read_text().rsplit(")", 1)[1].split()[0] for t in tasks.iterdir()]
        return all(state == "T" for state in states)

    wait_until("all threads have stopped", still, interval=0.001)
    try:
        yield
    finally:
        d.process.send_signal(signal.SIGCONT)


def taken(spool):
    """(bytes in whole blocks, traces) of all that is kept or being written."""
    size = files = 0
    for part in ("incoming", "pending", "archive"):
        for path in (spool.path / part).rglob("*"):
            if path.is_file():
                size += -(-path.stat().st_size // 4096) * 4096
                # In incoming/ a record is a file of its own for a moment.
                files += path.suffix in (".trace", ".out") and "record" not in path.name
    return size, files


@pytest.mark.parametrize("cap", ["max_bytes", "max_files"])
def test_caps_hold_at_every_moment(cap, serve, daemon):
    """64 captures at a time, each of some 300 KB, against room for a few."""
    s = serve(healthy(trace(3, 100_000)))
    limits = {"max_bytes": {"max_bytes": "4MiB"}, "max_files": {"max_files": 20}}[cap]
    targets = [f"127.0.0.{i}:{s.port}" for i in range(1, 65)]
    d = daemon([job("s", *targets, body_size_limit="1MiB")], limits,
               glob={"max_concurrent_captures": 64})  # fmt: skip
    looks = most = 0
    while len(d.log("captured ")) < 200:
        d.capture_now()
        for _ in range(10):
            with stopped(d):
                size, files = taken(d.spool)
            if cap == "max_bytes":
                assert size <= 4 << 20
                most = max(most, size)
            else:
                assert files <= 20
                most = max(most, files)
            looks += 1
            time.sleep(0.002)
    d.stop()
    records = d.spool.check()
    size, files = taken(d.spool)
    said = len(d.log("was dropped", level="error"))
    print(f"{looks} looks, at most {most}; in the end {size} bytes, {files} files; {said} errors")
    d.wait_log(message_id=RETENTION)
    # The caps are made use of, and the newest are those that stay.
    assert most >= (1 << 20 if cap == "max_bytes" else 15)
    keys = [line["key"] for line in d.lines if line.get("key")]
    assert records and set(records) <= set(keys)


def write_kept(spool, when, name="s", **more):
    """A trace as contraced would have kept it at that time."""
    body = trace(1)
    day = spool.path / "archive" / name / "h" / when.strftime("%Y%m%d")
    day.mkdir(parents=True, exist_ok=True)
    path = day / when.strftime("%H%M%S-77.trace")
    path.write_bytes(body)
    record = {
        "service": name, "host": "h", "bytes": len(body), "complete": True,
        "sha256": hashlib.sha256(body).hexdigest(),
        "start": when.strftime("%Y-%m-%dT%H:%M:%S.000Z"), **more,
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(record))
    return str(path.relative_to(spool.path / "archive"))


def test_max_age(serve, daemon, tmp_path):
    """The age is that beside the newest trace, not what a clock that jumped says."""
    s = serve(healthy())
    spool = Spool(tmp_path / "spool")
    spool.path.mkdir(mode=0o700)
    (spool.path / "archive").mkdir(mode=0o750)
    now = datetime.datetime.now(datetime.UTC)
    days = datetime.timedelta(days=1)
    old = [write_kept(spool, now - n * days) for n in (20, 10, 8)]
    young = [write_kept(spool, now - n * days) for n in (6, 0.1)]
    d = daemon([job("s", s.address)], {"max_age": "7d"})
    d.wait_log("3 for max_age", message_id=RETENTION)
    d.wait_captured()
    d.stop()
    kept = d.spool.check()
    assert not set(old) & set(kept) and set(young) <= set(kept) and len(kept) == 3
    days_left = {p.name for p in (spool.path / "archive/s/h").iterdir()}
    assert days_left == {key.split("/")[2] for key in young}, "empty directories go too"


def ill(lost_ms, label="lock-contention"):
    """What a record says of a trace in which so much time was lost."""
    finding = {"code": label, "score": 0.9, "lost_ns": lost_ms * 1_000_000}
    return {"label": label, "summary": {"window_ns": 2_000_000_000, "findings": [finding]}}


def test_what_outlives_max_age(serve, daemon, tmp_path):
    """The worst of each label and service, and incidents for as long as they are to be kept."""
    s = serve(healthy())
    spool = Spool(tmp_path / "spool")
    spool.path.mkdir(mode=0o700)
    (spool.path / "archive").mkdir(mode=0o750)
    now = datetime.datetime.now(datetime.UTC)
    days, second = datetime.timedelta(days=1), datetime.timedelta(seconds=1)

    def write(age, name="s", **more):
        return write_kept(spool, now - age * days, name, **more)

    def of_incident(age, first):
        return write(age, incident=first.removesuffix(".trace"))

    kept = [write(20, **ill(900)), write(19, **ill(800))]
    kept += [write(18, **ill(5, "gc-pressure")), write(17, "other", **ill(1))]
    gone = [write(16, **ill(700)), write(15), write(14, **ill(0, "healthy"))]
    begin = f"s/h/{(now - 13 * days).strftime('%Y%m%d/%H%M%S-77.trace')}"
    kept += [
        of_incident(13, begin),
        write_kept(spool, now - 13 * days + 9 * second, incident=begin[:-6]),
    ]
    gone += [of_incident(31, f"s/h/{(now - 31 * days).strftime('%Y%m%d/%H%M%S-77.trace')}")]
    kept += [write(1)]
    d = daemon([job("s", s.address)], {"max_age": "7d", "keep_worst": 2})
    d.wait_log("4 for max_age", message_id=RETENTION)
    d.wait_captured()
    assert not set(gone) & set(d.spool.keys()) and set(kept) <= set(d.spool.keys())
    mark = d.mark()
    d.storage["keep_worst"] = 0
    d.write_config([job("s", s.address)])
    d.signal(signal.SIGHUP)
    d.wait_log("4 for max_age", message_id=RETENTION, after=mark)
    d.stop()
    assert set(kept[4:]) <= set(d.spool.check()) and not set(kept[:4]) & set(d.spool.keys())


def test_lower_caps_by_reload(serve, daemon):
    s = serve(healthy())
    d = daemon([job("s", *[f"127.0.0.{i}:{s.port}" for i in range(1, 11)])])
    d.wait_captured(count=10)
    d.storage["max_files"] = 3
    d.write_config([job("s", *[f"127.0.0.{i}:{s.port}" for i in range(1, 11)])])
    d.signal(signal.SIGHUP)
    d.wait_log("7 for max_files", message_id=RETENTION)
    d.stop()
    assert len(d.spool.check()) == 3


def test_min_free_spares_the_neighbours(small, serve, daemon):
    """Below min_free there are no captures, and the history is not sacrificed in vain."""
    disk = small("size=16m")
    need(os.statvfs(disk).f_blocks > 0, "this tmpfs does not count its blocks")
    s = serve(healthy())
    d = daemon([job("s", s.address)], {"path": str(disk / "spool"), "min_free": "50%"})
    d.wait_captured()
    wait_until("incoming/ is empty", lambda: not d.spool.incoming())
    (disk / "filler").write_bytes(bytes(9 << 20))
    mark = d.mark()
    d.capture_now()
    dropped(d, mark)
    assert "min_free" in d.log("no room for another trace")[0]["msg"]
    assert len(d.spool.keys()) == 1
    (disk / "filler").unlink()
    captures_again(d)
    d.stop()
    d.spool.check()
