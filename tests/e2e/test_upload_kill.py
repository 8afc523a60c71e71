# SPDX-License-Identifier: Apache-2.0
"""Killed at system calls between the end of a capture and archive/, with uploads on. The next start
finds what was published, uploads it, and the store has each object once or, at most, twice with the
same bytes.

A gate holds the target's last bytes (`publish`) or the store's last answer (`settle`) until strace
has joined; so the calls behind the gate count from one, whichever thread makes them. A reference
run tells how many there are. By itself the test takes a sample of them, with a seed that it prints;
CONTRACE_KILL_SWEEP=full takes all, as scripts/kill-sweep does.
"""

import collections
import concurrent.futures
import hashlib
import json
import os
import random
import threading
import time

import pytest
from hostile import HEADER, Server, gated, generation, healthy, trace
from store import BUCKET, Store
from storefaults import closing
from straced import (
    at_call,
    calls_in,
    can_trace,  # noqa: F401 (a fixture)
    said_keys,
    strace,
    threads_of,
    wait_killed,
)
from support import Daemon, job, wait_until
from uploads import PREFIX, arrived, assert_same, clean_env, pending_keys, record_of, section

FULL = os.environ.get("CONTRACE_KILL_SWEEP") == "full"
SAMPLE = 24  # of each of the four groups
TOGETHER = 3
# Is the connection to the store an old one? `deleted`: with keep_local: false.
KINDS = ("kept", "fresh", "deleted")
PHASES = ("publish", "settle")
GROUPS = ("loop", "disk")


def held(gate):
    """Keeps the object, and answers once the gate is open."""

    def behave(x):
        x.store.take(x)
        assert gate.wait(60), "nobody opened the gate"
        x.answer("200 OK")

    return behave


class Scene:
    """A daemon with one trace in archive/ and in the store, and another held at the gate."""

    def __init__(self, directory, kind, phase):
        self.directory, self.phase, self.keep = directory, phase, kind != "deleted"
        self.gate = threading.Event()
        self.store = Store()
        if kind == "fresh":
            self.store.play(closing)
        self.target = Server(healthy(trace(2)))
        self.jobs = [job("s", self.target.address)]
        self.daemon = self.start()

    def start(self):
        upload = section(self.directory, self.store.endpoint, keep_local=self.keep)
        return Daemon(self.directory, self.jobs, upload=upload, env=clean_env())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.gate.set()
        self.daemon.__exit__(*exc)
        self.target.close()
        self.store.close(check=not exc[0])

    def to_the_gate(self):
        wait_until("the first trace has arrived", lambda: len(self.uploaded()) == 1)
        wait_until("nothing is pending", lambda: not self.daemon.spool.pending())
        if not self.keep:
            time.sleep(1)  # the next one has another key, also where none is left to see
        asked = len(self.target.requests)
        if self.phase == "publish":
            begun, rest = HEADER + generation(1), generation(2)
            self.target.script = [gated(self.gate, begun, rest), healthy(trace(2))]
            self.daemon.capture_now()
            wait_until("the target is asked", lambda: len(self.target.requests) > asked)
            wait_until("the trace has begun", self.daemon.spool.incoming)
        else:
            rule = self.store.play(held(self.gate), times=1, match=r"/\d{6}[-\d]*\.json$")
            kept = len(self.store.stored)
            self.daemon.capture_now()
            wait_until("the store holds its answer", lambda: len(self.store.stored) == kept + 2)
            assert rule.played == 1

    def uploaded(self):
        """Keys of which the store has the trace and its record."""
        start = f"{BUCKET}/{PREFIX}"
        keys = [n.removeprefix(start) for n in list(self.store.objects) if n.endswith(".trace")]
        return {k for k in keys if arrived(self.store, k)}

    def settled(self):
        d = self.daemon
        if not d.alive():
            return True
        done = len(d.spool.keys()) == 2 if self.keep else len(self.uploaded()) == 2
        return done and not d.spool.pending() and not d.spool.incoming()

    def recover(self):
        """What the next start makes of it: every trace of which there was word is where it should
        be."""
        said = said_keys(self.daemon)
        before = set(self.daemon.spool.keys()) | set(pending_keys(self.daemon.spool))
        if not self.keep:
            before |= self.uploaded()
        assert said <= before, "what was said to be captured is lost"
        self.target.script = [lambda c: c.send(b"HTTP/1.1 404 Not Found\r\n\r\n")]
        with self.start() as d:
            wait_until("all that was published is uploaded", lambda: not d.spool.pending())
            d.stop()
            kept = set(d.spool.check())
        if self.keep:
            assert before == kept, "what was published is lost"
        else:
            assert not kept and before == self.uploaded(), "what was published is lost"
        for key in before:
            if self.keep:
                assert_same(self.store, d.spool, key)
            else:
                trace_there = self.store.object(PREFIX + key)
                record = json.loads(self.store.object(PREFIX + record_of(key)))
                assert hashlib.sha256(trace_there).hexdigest() == record["sha256"]
        puts = {n: len(s) for n, s in self.store.stored.items() if "/.contrace/" not in n}
        assert max(puts.values()) <= 2, puts
        assert not self.store.refusals
        return len(before), max(puts.values())


def calls_of(directory, kind, phase, group):
    """How often each call is made behind the gate."""
    log = directory / "log"
    with Scene(directory, kind, phase) as scene:
        scene.to_the_gate()
        with strace(log, *threads_of(scene.daemon, group)):
            scene.gate.set()
            wait_until("the trace is in its place", scene.settled)
            scene.daemon.idle()
        scene.daemon.stop()
    return collections.Counter(name for name, _ in calls_in(log))


def kill_at(directory, kind, phase, group, name, number):
    """Kills before this call. (whether it was reached, traces that are kept, most PUTs of a key)"""
    directory.mkdir()
    with Scene(directory, kind, phase) as scene:
        d = scene.daemon
        scene.to_the_gate()
        with at_call(d, directory, group, name, number, "signal=KILL"):
            scene.gate.set()
            wait_until("it is killed, or the trace in its place", scene.settled)
            wait_killed(d)
        return d.killed_or_stopped(), *scene.recover()


def points(names, rng):
    every = [(name, i) for name in sorted(names) for i in range(1, names[name] + 1)]
    return every if FULL or len(every) <= SAMPLE else sorted(rng.sample(every, SAMPLE))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("phase", PHASES)
def test_killed_from_publish_to_archive(phase, group, tmp_path):
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    kinds = KINDS if FULL else (rng.choice(KINDS),)
    for kind in kinds:
        (tmp_path / kind).mkdir()
        # How often a thread is woken varies, so a number counts that two runs have reached.
        runs = [tmp_path / kind / "first", tmp_path / kind / "second"]
        for run in runs:
            run.mkdir()
        first, second = (calls_of(run, kind, phase, group) for run in runs)
        names = first & second
        chosen = points(names, rng)

        def kill(point, kind=kind):
            directory = tmp_path / f"{kind}-{point[0]}-{point[1]}"
            try:
                return kill_at(directory, kind, phase, group, *point)
            except BaseException:
                print(f"killed before the {group}'s {point[0]} number {point[1]} ({kind})")
                raise

        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            ends = list(pool.map(kill, chosen))
        reached = sum(killed for killed, _, _ in ends)
        twice = sum(most > 1 for _, _, most in ends)
        print(f"{phase}, {group}, {kind}: {reached} of {len(chosen)} reached, of "
              f"{sum(names.values())} calls ({len(names)} names); {twice} with an object put "
              f"twice; seed {seed} (CONTRACE_SEED)")  # fmt: skip
        # How often threads wake each other is the kernel's affair, and so is which of the disk
        # threads takes which job: a number may be more than the calls of one of them.
        assert reached >= len(chosen) * (1 if group == "loop" else 0.5) * 2 / 3
