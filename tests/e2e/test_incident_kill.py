# SPDX-License-Identifier: Apache-2.0
"""Killed at system calls of an incident, from the order to its end. What was published is whole and
names its incident, the rest is absent, and the next start's index says exactly that.

strace joins a daemon that has started, and SIGUSR1 makes an incident: a flight recording, a trace and
a profile. A reference run tells which calls are made; a call counts by its name and by its thread. By
itself the test takes a sample of them, with a seed that it prints; CONTRACE_KILL_SWEEP=full takes all,
as scripts/kill-sweep does.
"""

import collections
import gzip
import hashlib
import os
import random
import time

import pytest
from hostile import Server, answer, healthy, trace
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
from test_incidents import INCIDENT, everything, record_of

FULL = os.environ.get("CONTRACE_KILL_SWEEP") == "full"
SAMPLE = 20  # of each group
ARTIFACTS = ["flight", "trace", "goroutine"]

# A goroutine profile of one sample, in the words of profile.proto: sample_type, sample, string_table,
# period_type.
PROFILE = gzip.compress(
    b"\x0a\x04\x08\x01\x10\x02" b"\x12\x03\x12\x01\x03"
    b"\x32\x00" b"\x32\x09goroutine" b"\x32\x05count" b"\x5a\x04\x08\x01\x10\x02"
)  # fmt: skip


def behave(c):
    if c.request.split()[1].startswith("/debug/pprof/goroutine"):
        answer("200 OK", PROFILE, "Content-Type: application/octet-stream")(c)
    else:
        healthy(trace(2))(c)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    server = Server(behave, path=tmp_path_factory.mktemp("target") / "t")
    yield server
    server.close()


def jobs(target):
    return [job("s", target.address, flight={"path": "/flight"}, incident_artifacts=ARTIFACTS)]


def start(target, directory, **more):
    """An idle daemon with one trace that is of no incident."""
    d = Daemon(directory, jobs(target), **more)
    d.wait_captured()
    wait_until("the first capture has ended", lambda: not d.spool.incoming())
    time.sleep(0.3)  # in its first moments it reads the records of an earlier run
    return d


def whole(spool):
    """{key: record} of all that is kept: each file has its record, which is true, and no other does."""
    keys = everything(spool)
    records = {key: record_of(spool, key) for key in keys}
    files = len(spool._files("archive")) + len(spool._files("pending"))
    assert files == 2 * len(keys), "a file without its record, or a record without its file"
    for key, record in records.items():
        data = (spool.path / "archive" / key).read_bytes()
        assert len(data) == record["bytes"], key
        assert hashlib.sha256(data).hexdigest() == record["sha256"], key
    return records


def incident_ended(d):
    return bool(d.log(message_id=INCIDENT))


@pytest.fixture(scope="module")
def reference(target, tmp_path_factory):
    """How often each call is made in an incident: the quieter of two runs."""
    seen = {}

    def look_once(group):
        directory = tmp_path_factory.mktemp("reference")
        with start(target, directory) as d:
            with strace(directory / "log", *threads_of(d, group)):
                d.capture_now()
                d.wait_log(message_id=INCIDENT)
                wait_until("incoming/ is empty", lambda: not d.spool.incoming())
            d.stop()
            assert [r["artifact"] for r in whole(d.spool).values()] == ["trace", *ARTIFACTS]
        return collections.Counter(name for name, _ in calls_in(directory / "log"))

    def look(group):
        if group not in seen:
            seen[group] = min((look_once(group) for _ in range(2)), key=lambda c: c.total())
        return seen[group]

    return look


def recover(directory, endpoint):
    """What the next start finds: its index says what is there, and of which incident."""
    nobody = [job("nobody", "unix:@contrace-nobody-listens")]
    with Daemon(directory, nobody, args=[endpoint.option]) as d:
        wait_until("what was left in incoming/ is swept", lambda: not d.spool.incoming())
        records = whole(d.spool)
        of_any = endpoint.get("/api/v1/captures", incident="*").json
        listed = endpoint.get("/api/v1/captures").json
        told = {c["key"]: c["incident"] for c in listed["captures"]}
        assert told == {key: r.get("incident") for key, r in records.items()}
        assert of_any["total"] == sum(id is not None for id in told.values())
        d.stop()
    return records


def kill_at(target, directory, endpoint, group, name, number):
    """(whether it was killed, how many artifacts of the incident are kept)"""
    with start(target, directory) as d:
        (first,) = everything(d.spool)
        with at_call(d, directory, group, name, number, "signal=KILL"):
            # The call in which a thread sleeps is entered anew when strace joins: gone already?
            if d.alive():
                d.capture_now()
            wait_until("it is killed, or at its end", lambda: incident_ended(d) or not d.alive())
            if d.alive():
                wait_killed(d)
        killed = d.killed_or_stopped()
        said = said_keys(d)
    records = recover(directory, endpoint)
    assert first in records, "what was published before is lost"
    assert said <= set(records), "what was said to be captured is lost"
    evidence = {key: r for key, r in records.items() if key != first}
    assert [r["artifact"] for r in evidence.values()] == ARTIFACTS[: len(evidence)]
    if evidence:
        id = min(evidence, key=lambda key: evidence[key]["start"]).removesuffix(".flight.trace")
        assert {r["incident"] for r in evidence.values()} == {id}
    assert "incident" not in records[first]
    assert killed or len(evidence) == len(ARTIFACTS)
    return killed, len(evidence)


@pytest.mark.parametrize("group", ["loop", "disk"])
def test_killed_in_an_incident(group, target, reference, tmp_path, endpoint):
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    names = reference(group)
    every = [(name, i) for name in sorted(names) for i in range(1, names[name] + 1)]
    chosen = every if FULL else sorted(random.Random(seed).sample(every, min(SAMPLE, len(every))))
    print(f"{group}: {len(chosen)} of {len(every)} calls; seed {seed} (CONTRACE_SEED)")
    ends = []
    for name, number in chosen:
        try:
            ends.append(
                kill_at(target, tmp_path / f"{name}-{number}", endpoint, group, name, number)
            )
        except BaseException:
            print(f"killed before the {group}'s {name} number {number}")
            raise
    reached = sum(killed for killed, _ in ends)
    kept = collections.Counter(n for killed, n in ends if killed)
    print(f"{group}: {reached} reached; artifacts kept: {sorted(kept.items())}")
    # How often threads wake each other is the kernel's affair, and so is which of the disk threads
    # takes which job: a number may be more than the calls of one of them.
    assert reached >= len(chosen) * (1 if group == "loop" else 0.5) * 2 / 3
    assert not FULL or set(kept) == set(range(len(ARTIFACTS) + 1))
