# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told, without one: sd_notify(3) on a socket of the test's own."""

import os
import signal
import socket

import pytest
from hostile import BUSY, answer, healthy
from support import RELOADED, job, wait_until


class Manager:
    """A notification socket that remembers every datagram."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.messages = []

    def told(self, word):
        while True:
            try:
                self.messages += self.socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return [message for message in self.messages if word in message]

    def wait(self, word, count=1):
        wait_until(f"{word!r} was told", lambda: len(self.told(word)) >= count)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    m = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield m
    m.socket.close()


def test_states_are_told_in_their_order(manager, serve, daemon):
    d = daemon([job("s", serve(healthy()).address)])
    manager.wait("READY=1")
    d.wait_captured()
    manager.wait("1 target (0 failing), last capture 20")
    d.signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED)
    manager.wait("RELOADING=1")
    manager.wait("READY=1", count=2)
    d.stop()
    manager.wait("STOPPING=1")
    states = [m for m in manager.messages if m in ("READY=1", "RELOADING=1", "STOPPING=1")]
    assert states == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_status_counts_what_fails(manager, serve, daemon):
    """Up when a target fails, down when it works again, and down when a failing one is dropped."""
    a, b = serve(answer("404 Not Found")), serve(answer("404 Not Found"))
    d = daemon([job("a", a.address), job("b", b.address)])
    manager.wait("2 targets (2 failing), last capture never")
    a.script = [BUSY, healthy()]
    d.capture_now()
    manager.wait("2 targets (1 failing), last capture 20")
    d.write_config([job("a", a.address)])
    d.signal(signal.SIGHUP)
    manager.wait("1 target (0 failing)")
    d.stop()


def test_watchdog_is_fed(manager, serve, daemon, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    d = daemon([job("s", serve(healthy()).address)])
    manager.wait("WATCHDOG=1", count=3)
    os.kill(d.pid, signal.SIGSTOP)
    fed = len(manager.told("WATCHDOG=1"))
    os.kill(d.pid, signal.SIGCONT)
    manager.wait("WATCHDOG=1", count=fed + 1)
    d.stop()
