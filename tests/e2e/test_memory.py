# SPDX-License-Identifier: Apache-2.0
"""Neither memory nor descriptors grow with the number of captures. tests/bench/soak.py goes on for
much longer."""

import os
import pathlib
import tempfile

import pytest
from hostile import answer, healthy, trace
from support import job, wait_until

ROUNDS, TARGETS = 60, 50


@pytest.fixture
def quick_directory(tmp_path):
    """In memory where that can be: it is not the disk that is tried here."""
    shm = pathlib.Path("/dev/shm")
    if not os.access(shm, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shm, prefix="contrace-test-") as directory:
        yield pathlib.Path(directory)


def rounds(d, count, each):
    """Captures every target `count` times."""
    for _ in range(count):
        mark = d.mark()
        d.capture_now()
        d.wait_captured(after=mark, count=each)
        wait_until("incoming/ is empty", lambda: not os.listdir(d.spool.path / "incoming"))
        del d.lines[:]  # it is this test's memory that would grow


def test_three_thousand_captures(serve, daemon, quick_directory):
    good, bad = serve(healthy(trace(2))), serve(answer("404 Not Found"))
    targets = [f"127.0.1.{i}:{good.port}" for i in range(TARGETS)]
    d = daemon(
        [job("s", *targets), job("bad", bad.address)], {"max_files": 200},
        glob={"max_concurrent_captures": 25}, directory=quick_directory, log={"level": "info"},
    )  # fmt: skip
    d.wait_captured(count=TARGETS)
    rounds(d, ROUNDS // 3, TARGETS)
    fds, before = d.idle(), d.memory()
    rounds(d, ROUNDS - ROUNDS // 3, TARGETS)
    after = d.memory()
    d.wait_idle(fds)
    print(f"{before} KiB of memory after {ROUNDS // 3 * TARGETS} captures, {after} KiB after all")
    assert after - before <= 512
    assert len(good.requests) >= ROUNDS * TARGETS
    d.stop()
    assert len(d.spool.check()) <= 200
