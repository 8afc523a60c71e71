# SPDX-License-Identifier: Apache-2.0
"""What contraced takes from itself before it starts, seen from outside."""

import ctypes
import pathlib

import pytest
from support import job, need, wait_until

LANDLOCK_CREATE_RULESET = 444


def landlock_version():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)


def threads(d):
    """Each thread's status, as a dictionary."""
    for thread in pathlib.Path(f"/proc/{d.pid}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.fixture
def service(goservice):
    return goservice()


def test_every_thread_is_confined(daemon, service):
    """The threads for the disk are there from the beginning."""
    d = daemon([job("shop", service.address)], inspect={"enabled": True})
    key = d.wait_captured()["key"]
    seen = list(threads(d))
    assert len(seen) >= 3
    assert {(s["NoNewPrivs"], s["Seccomp"]) for s in seen} == {("1", "2")}
    assert len(d.log("confined: system calls are filtered")) == 1
    # The child, which has rules of its own besides, can do its work.
    wait_until("it is inspected", lambda: "label" in d.spool.record(key))
    assert "not_inspected" not in d.spool.record(key)
    d.stop()


def test_files_are_written_in_the_spool_only(daemon, service, tmp_path):
    """A store that is a directory and came by a reload is out of reach, and the log says why."""
    need(landlock_version() >= 2, "this kernel has no Landlock, or an old one")
    outside = tmp_path / "outside"
    outside.mkdir()
    jobs = [job("shop", service.address)]
    d = daemon(jobs)
    d.wait_captured()
    d.wait_log(f"files are written below {d.spool.path} only")
    mark = d.mark()
    d.write_config(jobs, upload={"url": f"file://{outside}"})
    d.signal(1)
    d.wait_log(f"cannot write to file://{outside} until it is restarted", after=mark, level="warn")
    d.wait_log("will not work: ", after=mark, level="error")
    assert "Permission denied" in d.log("will not work: ", after=mark)[0]["msg"]
    assert list(outside.iterdir()) == []
    # Captures go on.
    d.capture_now()
    d.wait_captured(after=mark)
    d.stop()


def test_a_store_that_is_a_directory(daemon, service, tmp_path):
    """It may be mounted under way: where files are written is not restricted then."""
    store = tmp_path / "store"
    store.mkdir()
    d = daemon([job("shop", service.address)], upload={"url": f"file://{store}"})
    d.wait_log("where files are written is not restricted: upload.url is a directory")
    wait_until("a trace is in the store", lambda: list(store.rglob("*.trace")))
    d.stop()
