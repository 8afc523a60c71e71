# SPDX-License-Identifier: Apache-2.0
"""What each signal does, and what it leaves alone."""

import signal
import threading

import hostile
import pytest
from hostile import BUSY, HEADER, gated, generation, healthy, trace
from support import (
    CAPTURED,
    DOWN,
    RELOAD_FAILED,
    RELOADED,
    SUSPENDED,
    job,
    recover,
    wait_until,
)

BEGUN = HEADER + generation(1)
REST = generation(2) + generation(3)


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def test_usr1_captures_every_target(serve, daemon):
    servers = [serve(healthy()) for _ in range(3)]
    d = daemon([job(f"s{i}", s.address) for i, s in enumerate(servers)])
    d.wait_captured(count=3)
    d.capture_now()
    d.wait_captured(count=6)
    d.stop()
    reasons = [(r["service"], r["reason"]) for r in d.spool.check().values()]
    assert sorted(reasons) == sorted(
        (f"s{i}", reason) for i in range(3) for reason in ("schedule", "signal")
    )


def test_usr2_suspends_and_resumes(serve, daemon):
    s = serve(healthy())
    d = daemon([job("s", s.address)], glob={"scrape_interval": "1s", "scrape_timeout": "900ms"})
    d.wait_captured(count=2)
    d.signal(signal.SIGUSR2)
    assert "suspended" in d.wait_log(message_id=SUSPENDED)["msg"]
    wait_until("what was in flight has ended", lambda: not d.spool.incoming())

    # USR1 captures also while suspended.
    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark)
    wait_until("the capture has ended", lambda: not d.spool.incoming())
    asked, mark = len(s.requests), d.mark()
    with pytest.raises(pytest.fail.Exception):
        d.wait_captured(after=mark, timeout=2.5)  # more than two intervals
    assert len(s.requests) == asked

    d.signal(signal.SIGUSR2)
    assert "resumed" in d.wait_log(message_id=SUSPENDED, after=mark)["msg"]
    d.wait_captured(after=mark, count=2)
    d.stop()
    reasons = [r["reason"] for r in d.spool.check().values()]
    assert reasons.count("signal") == 1


def test_usr1_is_not_forgotten_while_the_target_is_busy(serve, daemon):
    """What a signal asked for is tried again, also while suspended, and its record says so."""
    s = serve(healthy(), BUSY, healthy())
    d = daemon([job("s", s.address)])
    d.wait_captured()
    d.signal(signal.SIGUSR2)
    d.wait_log(message_id=SUSPENDED)
    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark)
    d.stop()
    assert d.counts() == {"ok": 2, "busy": 1}
    assert sorted(r["reason"] for r in d.spool.check().values()) == ["schedule", "signal"]


def test_storm_of_usr1(serve, daemon, gate):
    """Two hundred signals while a scheduled capture is in flight: that one, and one more."""
    s = serve(gated(gate), healthy())
    d = daemon([job("s", s.address)])
    wait_until("the first request is there", lambda: s.requests)
    for _ in range(200):
        d.capture_now()
    gate.set()
    d.wait_captured(count=2)
    wait_until("the captures have ended", lambda: not d.spool.incoming())
    d.stop()
    assert len(s.requests) == 2
    assert d.counts()["ok"] == 2
    assert [r["reason"] for r in d.spool.check().values()] == ["schedule", "signal"]


def test_storm_of_usr1_while_idle(serve, daemon, gate):
    s = serve(healthy(), gated(gate), healthy())
    d = daemon([job("s", s.address)])
    d.wait_captured()
    wait_until("the capture has ended", lambda: not d.spool.incoming())
    for _ in range(200):
        d.capture_now()
    wait_until("the second request is there", lambda: len(s.requests) == 2)
    gate.set()
    d.wait_captured(count=2)
    d.stop()
    assert len(s.requests) <= 3


def test_reload_leaves_the_unchanged_alone(serve, daemon, gate):
    """A capture in flight goes on to its end, also one whose target was taken out; an unchanged
    target is not captured anew, and a new one is."""
    kept, idle, gone, new = (
        serve(gated(gate, BEGUN, REST)), serve(healthy()),
        serve(gated(gate, BEGUN, REST)), serve(healthy()),
    )  # fmt: skip
    before = [job("kept", kept.address), job("idle", idle.address), job("gone", gone.address)]
    d = daemon(before)
    d.wait_captured(service="idle")
    wait_until("two captures are in flight", lambda: kept.requests and gone.requests)

    d.write_config([*before[:2], job("new", new.address)])
    d.signal(signal.SIGHUP)
    assert ": 3 targets" in d.wait_log(message_id=RELOADED)["msg"]
    d.wait_captured(service="new")
    gate.set()
    d.wait_captured(service="kept")
    d.wait_captured(service="gone")
    mark = d.mark()
    d.capture_now()
    for service in ("kept", "idle", "new"):
        d.wait_captured(service=service, after=mark)
    d.stop()
    assert d.problems() == []
    assert [len(s.requests) for s in (kept, idle, gone, new)] == [2, 2, 1, 2]
    records = d.spool.check()
    assert all(r["complete"] for r in records.values())
    assert [r["reason"] for r in records.values() if r["service"] == "kept"] == [
        "schedule", "signal",
    ]  # fmt: skip


def test_reload_takes_new_settings(serve, daemon):
    s = serve(healthy())
    d = daemon([job("s", s.address)])
    d.wait_captured()
    d.write_config([job("s", s.address, path="/elsewhere", seconds=0.3)])
    d.signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED)
    d.capture_now()
    d.wait_captured(count=2)
    d.stop()
    asked = [r.split()[1] for r in s.requests]
    assert asked == ["/debug/pprof/trace?seconds=0.2", "/elsewhere?seconds=0.3"]


def test_bad_reload_changes_nothing(serve, daemon, gate):
    s = serve(gated(gate, BEGUN, REST), healthy())
    d = daemon([job("s", s.address)])
    wait_until("the capture is in flight", lambda: s.requests)
    good = d.config.read_text()
    d.config.write_text("global:\n  scrape_intervall: 1h\nscrape_configs: 7\n")
    d.signal(signal.SIGHUP)
    line = d.wait_log(message_id=RELOAD_FAILED)
    assert line["level"] == "error"
    assert f"{d.config}:2:3: " in line["msg"] and "scrape_interval" in line["msg"]
    assert f"{d.config}:3:" in line["msg"]
    assert "the old configuration stays" in line["msg"]

    gate.set()
    d.wait_captured()
    d.capture_now()
    d.wait_captured(count=2)
    d.config.unlink()
    d.signal(signal.SIGHUP)
    assert str(d.config) in d.wait_log(message_id=RELOAD_FAILED, count=2)["msg"]
    d.config.write_text(good)
    d.signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED)
    d.stop()
    assert len(s.requests) == 2
    d.spool.check()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_lets_the_capture_finish(number, serve, daemon, gate):
    s = serve(gated(gate, BEGUN, REST))
    d = daemon([job("s", s.address)])
    wait_until("the capture is in flight", lambda: s.requests)
    d.signal(number)
    d.wait_log("what is in flight may finish")
    d.capture_now()  # nothing new begins
    gate.set()
    assert d.wait_exit() == 0
    assert len(s.requests) == 1
    assert d.counts() == {"ok": 1}
    assert [r["complete"] for r in d.spool.check().values()] == [True]
    assert d.spool.incoming() == []


def test_term_while_idle(serve, daemon):
    s = serve(healthy())
    d = daemon([job("s", s.address)])
    d.wait_captured()
    d.stop()


def test_term_with_a_hanging_target(serve, daemon):
    """It exits by shutdown_timeout; what is whole by then is kept."""
    silent, begun = serve(hostile.hang()), serve(hostile.hang(BEGUN + REST[:500]))
    d = daemon([job("silent", silent.address), job("begun", begun.address)],
               glob={"shutdown_timeout": "1s"})  # fmt: skip
    wait_until("both are in flight", lambda: silent.requests and begun.requests)
    d.signal(signal.SIGTERM)
    assert d.wait_exit() == 0
    d.wait_log("shutdown_timeout is over")
    assert d.counts() == {"truncated": 1, "cancelled": 1}
    assert d.log(message_id=DOWN) == []
    records = d.spool.check()
    assert [(r["service"], r["truncated"]["by"]) for r in records.values()] == [
        ("begun", "shutdown")
    ]
    assert d.spool.incoming() == []


def test_term_takes_those_that_wait_off_the_list(serve, daemon, gate):
    first, second = serve(gated(gate)), serve(healthy())
    d = daemon([job("a", first.address), job("b", second.address)],
               glob={"max_concurrent_captures": 1})  # fmt: skip
    wait_until("the first is in flight", lambda: first.requests)
    d.capture_now()
    d.signal(signal.SIGTERM)
    d.wait_log("what is in flight may finish")
    gate.set()
    assert d.wait_exit() == 0
    assert second.requests == []
    assert d.counts()["ok"] == 1


def test_second_term_exits_at_once(serve, daemon, tmp_path):
    s = serve(healthy(), hostile.hang(BEGUN))
    d = daemon([job("s", s.address)], glob={"shutdown_timeout": "1h"})
    d.wait_captured()
    d.capture_now()
    wait_until("the capture is in flight", lambda: len(s.requests) == 2)
    d.signal(signal.SIGTERM)
    d.wait_log("what is in flight may finish")
    d.signal(signal.SIGTERM)
    assert d.wait_exit() == 1
    d.wait_log("exiting at once")
    assert d.spool.incoming()
    recover(d.spool, tmp_path)
    assert len(d.spool.check()) == 1
    assert not any(line.get("message_id") == CAPTURED for line in d.lines[-2:])


def test_term_during_start(serve, daemon):
    """A signal that comes as early as can be is not lost."""
    s = serve(healthy(trace(2)))
    for _ in range(5):
        d = daemon([job("s", s.address)], wait=False)
        d.wait_log("traces kept")
        d.stop()
        d.spool.check()
