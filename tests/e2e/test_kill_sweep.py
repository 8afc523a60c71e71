# SPDX-License-Identifier: Apache-2.0
"""Killed, and failed, at every system call of a capture, from the signal to the published file.

strace joins a daemon that has started, and SIGUSR1 asks for a capture. The spool has one trace
already: of the same service (`again`), or of another one, so that directories are made (`fresh`).
A reference run tells which calls are made, by the loop and by the disk threads; then there is a run
for each of them. A call counts by its name and by its thread: strace keeps a counter for each, and
the process is killed before the call is made. Which of the disk threads takes which job is up to the
kernel: to look at the host before and after, and to publish. So their calls on the spool, which are
all of one job, are counted apart from those elsewhere.

The target is a unix socket, or a port (`tcp`): then the disk threads also look for its process.
"""

import collections
import contextlib
import os
import time
from typing import NamedTuple

import pytest
from hostile import Server, answer, healthy, trace
from straced import (
    FIRST_ARGUMENT,
    at_call,
    calls_in,
    can_trace,  # noqa: F401 (a fixture)
    captures_ended,
    said_keys,
    strace,
    threads_of,
    wait_killed,
)
from support import Daemon, contraced, job, recover, wait_until


class FirstRefused:
    """Refuses the first request for each path, and serves a trace from then on."""

    def __init__(self):
        self.seen = set()

    def __call__(self, c):
        path = c.request.split()[1]
        if path in self.seen:
            healthy(trace(2))(c)
        else:
            self.seen.add(path)
            answer("404 Not Found")(c)


class Targets:
    def __init__(self, directory):
        self.again = Server(healthy(trace(2)), path=directory / "again")
        self.fresh = Server(FirstRefused(), path=directory / "fresh")
        self.tcp = Server(healthy(trace(2)))

    def close(self):
        for server in (self.again, self.fresh, self.tcp):
            server.close()

    def start(self, kind, directory):
        """An idle daemon that has tried its target once, with one trace in its spool."""
        directory.mkdir(exist_ok=True)
        if kind != "fresh":
            d = Daemon(directory, [job("s", getattr(self, kind).address)])
            d.wait_captured()
        else:
            done = contraced(
                "--once", f"--target=seed={self.again.address}", f"--storage.path={directory}/spool"
            )
            assert done.returncode == 0, done.stderr
            d = Daemon(directory, [job("s", self.fresh.address, path=str(directory))])
            d.wait_log("cannot capture")
            time.sleep(0.3)  # in its first moments it reads the records of an earlier run
        wait_until("the first capture has ended", lambda: not d.spool.incoming())
        return d


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    t = Targets(tmp_path_factory.mktemp("target"))
    yield t
    t.close()


@pytest.fixture(scope="module")
def reference(targets, tmp_path_factory):
    """reference(kind, group): the calls of one capture, in order of their number: for each name the
    paths of the first descriptors, below the daemon's directory without that. The two disk threads
    count as one that makes all calls."""
    seen = {}

    def look(kind, group):
        """The quieter of two looks: what a busy machine adds is not made again."""
        if (kind, group) not in seen:
            looks = [look_once(kind, group) for _ in range(2)]
            seen[kind, group] = min(looks, key=lambda paths: sum(map(len, paths.values())))
        return seen[kind, group]

    def look_once(kind, group):
        directory = tmp_path_factory.mktemp("reference")
        log = directory / "log"
        with targets.start(kind, directory) as d:
            with strace(log, "-y", *threads_of(d, group)):
                mark = d.mark()
                d.capture_now()
                d.wait_captured(after=mark)
                wait_until("the capture has ended", lambda: not d.spool.incoming())
                time.sleep(0.1)
            d.stop()
        paths = collections.defaultdict(list)
        for name, arguments in calls_in(log):
            first = FIRST_ARGUMENT.match(arguments)
            path = first["path"] if first else ""
            paths[name].append(path.removeprefix(f"{directory}/"))
        return dict(paths)

    return look


class Call(NamedTuple):
    """The number-th call of this name; of those `among` these paths of the spool, if there are any."""

    name: str
    number: int
    path: str
    among: tuple = ()

    @property
    def label(self):
        return f"{self.name}-{self.number}{'-spool' if self.among else ''}"

    def met(self, d, directory, group, what):
        return at_call(d, directory, group, self.name, self.number, what,
                       among=[f"{d.directory}/{path}" for path in self.among])  # fmt: skip


def is_of_spool(path):
    return f"{path}/".startswith("spool/")


def is_same_again(path):
    """Whether it is a path of the spool that each run has: a key's name is the time of the capture."""
    return is_of_spool(path) and not path.endswith((".trace", ".json"))


def calls_of(paths, name, group):
    """All calls of a name."""
    if group == "loop":
        return [Call(name, i, path) for i, path in enumerate(paths[name], 1)]
    spool = [path for path in paths[name] if is_same_again(path)]
    elsewhere = [path for path in paths[name] if not is_same_again(path)]
    among = tuple(dict.fromkeys(spool))
    return [
        *(Call(name, i, path, among) for i, path in enumerate(spool, 1)),
        *(Call(name, i, path) for i, path in enumerate(elsewhere, 1)),
    ]


def kill_at(directory, targets, kind, group, call):
    """Kills a capture before this call, looks after it, and tells whether the call was reached."""
    with targets.start(kind, directory) as d:
        first = d.spool.check()
        with call.met(d, directory, group, "signal=KILL"):
            # The call in which a thread sleeps is entered anew when strace joins: gone already?
            if d.alive():
                d.capture_now()
            wait_until("the capture has ended", lambda: captures_ended(d) == 2 or not d.alive())
            if d.alive():
                wait_until("incoming/ is empty", lambda: not d.spool.incoming() or not d.alive())
                wait_killed(d)
        killed = d.killed_or_stopped()
        said = said_keys(d)
        recover(d.spool, directory)
        kept = d.spool.check()
        assert set(first) <= set(kept), "what was published is lost"
        assert said <= set(kept), "what was said to be captured is lost"
        assert len(kept) in (1, 2)
        return killed, len(kept)


def check_kills(targets, reference, tmp_path, kind, group):
    """How many calls there are, those of them that were not reached, and how often the new trace was
    lost and kept."""
    wanted = before = after = 0
    missed = []
    paths = reference(kind, group)
    for call in [call for name in sorted(paths) for call in calls_of(paths, name, group)]:
        try:
            killed, kept = kill_at(tmp_path / call.label, targets, kind, group, call)
        except BaseException:
            print(f"killed before the {group}'s {call}")
            raise
        if group == "loop" or call.among:
            wanted += 1
            missed += [] if killed else [call]
        before += killed and kept == 1
        after += killed and kept == 2
    print(
        f"{kind}, {group}: killed at {wanted - len(missed)} of about {wanted} calls, {after} times "
        "behind the commit point"
    )
    return missed, before, after


KINDS = ("fresh", "again", "tcp")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("group", ["loop", "disk"])
def test_killed_at_every_call(group, kind, targets, reference, tmp_path):
    missed, before, after = check_kills(targets, reference, tmp_path, kind, group)
    # How often the loop sleeps and is woken is up to the kernel; what is done to the spool is not.
    assert len(missed) <= (8 if group == "loop" else 0), missed
    assert before and after


FAULTS = {
    "ENOSPC": "write openat renameat2 mkdirat ftruncate fsync",
    "EIO": "write openat renameat2 mkdirat ftruncate fsync unlinkat fstatfs newfstatat fstat",
    "EMFILE": "openat socket accept4 eventfd2 timerfd_create epoll_create1 dup",
    "ENOMEM": "epoll_ctl socket",
}


def can_fail(name, path):
    """Disks fail calls on files: not those that write to an event or to the log."""
    if name in ("write", "fstat", "newfstatat", "fsync", "ftruncate"):
        return is_of_spool(path)
    return True


def fail_at(d, directory, group, call, error):
    """One capture with this fault and one without it, in a daemon that goes on."""
    fds = d.idle()
    mark, ended = d.mark(), captures_ended(d)
    with call.met(d, directory, group, f"error={error}"):
        d.capture_now()
        wait_until("the capture has ended", lambda: captures_ended(d) > ended or not d.alive())
        assert d.alive(), "it did not survive"
        wait_until("incoming/ is empty", lambda: not d.spool.incoming())
    hit = "(INJECTED)" in (directory / "log").read_text()
    failed = not any(line["msg"].startswith("captured ") for line in d.lines[mark:])
    if failed:
        assert d.problems(after=mark), "it was not said"
    d.spool.check()

    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark)
    d.wait_idle(fds)
    return hit, failed


def check_faults(targets, reference, tmp_path, kind, group, error):
    paths = reference(kind, group)
    names = [name for name in sorted(paths) if name in FAULTS[error].split()]
    hits = failures = 0
    d = None
    for call in [call for name in names for call in calls_of(paths, name, group)]:
        if not can_fail(call.name, call.path):
            continue
        if not d or kind == "fresh":
            d = targets.start(kind, tmp_path / call.label)
        with d if kind == "fresh" else contextlib.nullcontext():
            try:
                hit, failed = fail_at(d, tmp_path, group, call, error)
                if kind == "fresh":
                    d.stop()
            except BaseException:
                print(f"{error} from the {group}'s {call}")
                d.__exit__(True)
                raise
        hits += hit
        failures += failed
    if d and kind != "fresh":
        with d:
            d.stop()
    print(f"{kind}, {group}: {error} injected {hits} times, {failures} captures dropped")


@pytest.mark.parametrize("error", FAULTS)
@pytest.mark.parametrize("group", ["loop", "disk"])
@pytest.mark.parametrize("kind", KINDS)
def test_failed_at_every_call(kind, group, error, targets, reference, tmp_path):
    """The daemon stays up, says what happened, leaves nothing behind, and captures again."""
    check_faults(targets, reference, tmp_path, kind, group, error)


def test_reference_sees_the_whole_path(reference):
    """The sweeps are worth something: these calls are among those that are swept."""
    loop, disk = reference("fresh", "loop"), reference("fresh", "disk")
    for name in ("socket", "connect", "openat", "write"):
        assert name in loop, sorted(loop)
    for name in ("openat", "write", "fsync", "renameat2"):
        assert name in disk, sorted(disk)
    assert len(disk["fsync"]) == 7 and len(disk["renameat2"]) == 2 and len(disk["mkdirat"]) == 3
    assert os.path.basename(disk["fsync"][0]).startswith("tmp-")
    for group, paths in (("loop", loop), ("disk", disk)):
        print(f"{group}:", ", ".join(f"{len(paths[n])} {n}" for n in sorted(paths)))
