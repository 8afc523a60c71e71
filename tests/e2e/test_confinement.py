# SPDX-License-Identifier: Apache-2.0
"""What contraced takes from itself before it starts, seen from outside."""

import ctypes
import os
import pathlib
import signal

import pytest
import support
from support import job, need, need_root, wait_until

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


@pytest.fixture
def alone(daemon, monkeypatch, tmp_path):
    """alone(jobs, …) starts contraced as process 1, as in a container: (it, its process id here)."""
    need_root()
    need(landlock_version() >= 2, "this kernel has no Landlock, or an old one")
    wrapper = tmp_path / "as-process-1"
    unshare = "exec unshare --pid --fork --kill-child --mount-proc"
    wrapper.write_text(f'#!/bin/sh\n{unshare} {support.CONTRACED} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(support, "CONTRACED", wrapper)

    def start(*args, **kwargs):
        d = daemon(*args, **kwargs)
        children = pathlib.Path(f"/proc/{d.pid}/task/{d.pid}/children").read_text()
        return d, int(children)

    return start


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


def test_the_process_behind_a_port_is_found(daemon, service):
    """Where others can be seen, that comes first."""
    d = daemon([job("shop", service.address)])
    assert d.spool.record(d.wait_captured()["key"])["pid"] == service.pid
    d.wait_log("Landlock is not used: it would hide the process behind a port")
    d.stop()


def test_files_are_written_in_the_spool_only(alone, service, tmp_path):
    """A store that is a directory and came by a reload is out of reach, and the log says why."""
    outside = tmp_path / "outside"
    outside.mkdir()
    jobs = [job("shop", service.address)]
    d, pid = alone(jobs, inspect={"enabled": True})
    key = d.wait_captured()["key"]
    wait_until("it is inspected", lambda: "label" in d.spool.record(key))
    d.wait_log(f"files are written below {d.spool.path} only")
    mark = d.mark()
    d.write_config(jobs, upload={"url": f"file://{outside}"})
    os.kill(pid, signal.SIGHUP)
    d.wait_log(f"cannot write to file://{outside} until it is restarted", after=mark, level="warn")
    d.wait_log("will not work: ", after=mark, level="error")
    assert "Permission denied" in d.log("will not work: ", after=mark)[0]["msg"]
    assert list(outside.iterdir()) == []
    os.kill(pid, signal.SIGTERM)
    d.wait_exit()


def test_a_store_that_is_a_directory(alone, service, tmp_path):
    """It may be mounted under way: where files are written is not restricted then."""
    store = tmp_path / "store"
    store.mkdir()
    d, pid = alone([job("shop", service.address)], upload={"url": f"file://{store}"})
    d.wait_log("Landlock is not used: upload.url is a directory")
    wait_until("a trace is in the store", lambda: list(store.rglob("*.trace")))
    os.kill(pid, signal.SIGTERM)
    d.wait_exit()
