# SPDX-License-Identifier: Apache-2.0
"""Killed at system calls between a record and its rows in the store. After the next run, every capture
that is kept has its rows in the store, and nothing waits.

strace joins a daemon that has started, and SIGTERM makes it ship. A reference run tells which calls
the disk threads make. By itself the test takes a sample of them, with a seed that it prints;
CONTRACE_KILL_SWEEP=full takes all.
"""

import collections
import os
import random
import signal

import pytest
from hostile import Server, healthy, trace
from straced import (
    calls_in,
    can_trace,  # noqa: F401 (a fixture)
    strace,
    wait_killed,
)
from support import Daemon, job, wait_until
from test_rows import NEVER, Bucket, stable
from uploads import clean_env

FULL = os.environ.get("CONTRACE_KILL_SWEEP") == "full"
SAMPLE = 16


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    server = Server(healthy(trace(2)), path=tmp_path_factory.mktemp("target") / "t")
    yield server
    server.close()


def start(target, directory, **more):
    store = directory / "store"
    store.mkdir(parents=True, exist_ok=True)
    d = Daemon(
        directory, [job("s", target.address)], upload={"url": f"file://{store}"}, rows=NEVER,
        env=clean_env(), **more,
    )  # fmt: skip
    return d, Bucket(store)


def ready(target, directory):
    """A daemon that has captured, and has nothing left to do but to ship rows."""
    d, bucket = start(target, directory)
    d.wait_captured()
    wait_until("its rows wait", lambda: d.spool._files("rows/open") and not d.spool.pending())
    return d, bucket


def disk_threads(d):
    """Those of the spool, and those of a store that is a directory, as arguments of strace."""
    return [argument for tid in d.threads() if tid != d.pid for argument in ("-p", str(tid))]


@pytest.fixture(scope="module")
def reference(target, tmp_path_factory):
    """How often the disk threads make each call from SIGTERM to the end."""
    directory = tmp_path_factory.mktemp("reference")
    d, bucket = ready(target, directory)
    with d:
        with strace(directory / "log", *disk_threads(d)):
            d.process.send_signal(signal.SIGTERM)
            d.process.wait()
        assert bucket.captures() == d.spool.keys()
    return collections.Counter(name for name, _ in calls_in(directory / "log"))


def kill_at(target, directory, name, number):
    """Whether it was killed."""
    d, bucket = ready(target, directory)
    with d:
        keys = d.spool.keys()
        what = f"inject={name}:signal=KILL:when={number}"
        with strace(directory / "log", "-e", f"trace={name}", "-e", what, *disk_threads(d)):
            d.process.send_signal(signal.SIGTERM)
            wait_killed(d)
            d.process.wait()
        killed = d.process.returncode == -signal.SIGKILL
    d, _ = start(target, directory)
    with d:
        d.wait_captured()
        d.stop()
        assert sorted(set(bucket.captures())) == d.spool.keys()
        assert set(keys) < set(d.spool.keys())
        assert not d.spool._files("rows/open")
        assert not d.spool._files("rows/ready", ".gz")
        of_one = collections.defaultdict(set)
        for row in bucket.rows():
            of_one[row["id"]].update(stable([row]))
        assert all(len(same) == 1 for same in of_one.values()), "one id, different rows"
    return killed


def test_killed_while_rows_are_shipped(target, reference, tmp_path):
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    every = [(name, i) for name in sorted(reference) for i in range(1, reference[name] + 1)]
    chosen = every if FULL else sorted(random.Random(seed).sample(every, min(SAMPLE, len(every))))
    print(f"{len(chosen)} of {len(every)} calls; seed {seed} (CONTRACE_SEED)")
    reached = 0
    for name, number in chosen:
        try:
            reached += kill_at(target, tmp_path / f"{name}-{number}", name, number)
        except BaseException:
            print(f"killed before {name} number {number}")
            raise
    # Which of the disk threads takes which job is the kernel's affair.
    assert reached >= len(chosen) / 4
