# SPDX-License-Identifier: Apache-2.0
"""A contraced of which system calls fail, on its whole way: a capture, its publication, its upload, the
move to the archive, and the deletion that makes room for it.

strace joins the loop or the disk threads of a daemon that is idle, and a capture is asked for. One
call fails: number N of its name in this thread, once, or from there on for as long as strace stays
(for good). Then strace leaves, and the daemon must recover by itself, within seconds. A point is
(group, error, mode, name, number). The daemon lives on to the next one: faults must not add up.
"""

import collections
import concurrent.futures
import hashlib
import threading
import time

import pytest
from hostile import Server, healthy, trace
from store import Store
from straced import FIRST_ARGUMENT, at_call, calls_in, captures_ended, strace, threads_of
from support import CAPTURED, Daemon, job, wait_until
from uploads import PREFIX, arrived, clean_env, pending_keys, section

ERRORS = ("ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR", "EDQUOT")
MODES = ("once", "for-good")
GROUPS = ("loop", "disk")
POINT = ("group", "error", "mode", "name", "number")
DROPPED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e105"  # base/log.h: before it was uploaded
MAX_FILES = 3
FAULT_LASTS = 4  # seconds at most, for a fault for good
# Seconds until a capture is taken again: what fails rests for 5, and a machine may be busy.
RECOVERS = 40

# Time, memory, threads and waiting are no input or output; what `close` is told to fail stays open.
NO_IO = set(
    """brk mmap munmap mprotect madvise futex clock_gettime clock_nanosleep gettid getpid getuid
    geteuid getrandom rt_sigprocmask rt_sigaction rt_sigreturn sched_yield sched_getaffinity
    restart_syscall exit exit_group epoll_wait epoll_pwait epoll_pwait2 poll ppoll close clone clone3
    set_robust_list rseq prctl getrusage sysinfo""".split()
)
# Descriptors on which the kernel fails no read and no write, and the log, which the test reads.
NOT_FILES = ("anon_inode:", "pipe:")


def is_io(group, name, path, arguments):
    """EPOLL_CTL_DEL of what is there succeeds always, and libsystemd rests on that. Which of the
    disk threads' writes is a report to the loop differs from run to run."""
    if name in NO_IO or "EPOLL_CTL_DEL" in arguments or (group, name) == ("disk", "write"):
        return False
    return not (name in ("read", "write", "writev") and path.startswith(NOT_FILES))


class Scene:
    """An idle daemon whose archive is full: the next capture deletes the oldest."""

    def __init__(self, directory):
        self.directory = directory
        self.played = []  # one that went wrong may rest on those before
        self.store = Store()
        self.target = Server(healthy(trace(2)))
        self.start(directory / "d")

    def start(self, directory):
        upload = section(directory, self.store.endpoint)
        self.daemon = Daemon(
            directory, [job("s", self.target.address)], upload=upload, env=clean_env(),
            storage={"path": str(self.directory / "spool"), "max_files": MAX_FILES},
        )  # fmt: skip
        while len(self.daemon.spool.keys()) < MAX_FILES:
            self.capture()

    def close(self):
        self.daemon.__exit__(None)
        self.target.close()
        self.store.close(check=False)

    def settled(self):
        d = self.daemon
        return not d.alive() or not (d.spool.incoming() or pending_keys(d.spool))

    def capture(self):
        """One capture without a fault, to the archive and the store."""
        d = self.daemon
        mark = d.mark()
        d.capture_now()
        key = d.wait_captured(after=mark)["key"]
        wait_until(f"{key} is in the store", lambda: arrived(self.store, key))
        wait_until("nothing is pending", self.settled)
        d.idle()
        return key

    def calls(self, group):
        """Of one capture: by each call's name, the path of its first argument, and them all."""
        log = self.directory / "reference"
        with strace(log, "-y", *threads_of(self.daemon, group)):
            self.capture()
        paths = collections.defaultdict(list)
        for name, arguments in calls_in(log):
            first = FIRST_ARGUMENT.match(arguments)
            paths[name].append((first["path"] if first else "", arguments))
        return dict(paths)

    def fault(self, group, error, mode, name, number):
        """Whether it was reached; asserts what must hold."""
        d = self.daemon
        mark, ended = d.mark(), captures_ended(d)
        log = self.directory / "log"
        when = f"{number}+" if mode == "for-good" else str(number)
        with at_call(d, self.directory, group, name, when, f"error={error}"):
            d.capture_now()
            deadline = time.monotonic() + FAULT_LASTS
            while d.alive() and time.monotonic() < deadline:
                self.check_caps()
                if captures_ended(d) > ended and self.settled():
                    break
                time.sleep(0.02)
        reached = "(INJECTED)" in log.read_text(errors="replace")
        if not d.alive():
            self.check_exit(mark)
            return reached
        self.recover()
        if not d.alive():
            self.check_exit(mark)
            return reached
        self.check_kept(
            {x["key"] for x in d.log(message_id=CAPTURED, after=mark)},
            {x["key"] for x in d.log(message_id=DROPPED, after=mark)},
        )
        return reached

    def check_exit(self, mark):
        """It may give up, if it says why; the next start has everything."""
        d = self.daemon
        status = d.wait_exit()
        assert status > 0, f"it ended with {status}"
        assert d.problems(after=mark), f"it ended with {status} and said nothing"
        self.start(self.directory / f"d{time.monotonic_ns()}")

    def recover(self):
        """By itself: what was left is uploaded, and the next capture is as ever."""
        d = self.daemon
        wait_until("incoming/ is empty", lambda: not d.spool.incoming())
        mark = d.mark()

        def captured():
            """What is asked for while nothing can be deleted is refused, and not tried again."""
            ended = captures_ended(d)
            if d.alive():
                d.capture_now()
            wait_until("the capture has ended", lambda: captures_ended(d) > ended or not d.alive())
            return d.log(message_id=CAPTURED, after=mark) or not d.alive()

        wait_until("a capture is taken", captured, timeout=RECOVERS, interval=1)
        wait_until("nothing is pending", self.settled)
        if d.alive():
            d.idle()

    def check_caps(self):
        spool = self.daemon.spool
        kept = len(spool.keys()) + len(pending_keys(spool))
        assert kept <= MAX_FILES, f"{kept} traces are kept, {MAX_FILES} may be"

    def check_kept(self, said, dropped):
        """What was acknowledged is kept here, or was uploaded, or a bound was said to have taken it;
        nothing is torn. A record whose trace is gone is swept at the next start."""
        spool = self.daemon.spool
        self.check_caps()
        kept = spool.keys()
        for key in said - dropped:
            assert key in kept or arrived(self.store, key), f"{key} was acknowledged and is lost"
        for key in kept:
            data, record = spool.trace(key).read_bytes(), spool.record(key)
            assert hashlib.sha256(data).hexdigest() == record["sha256"], f"{key} is torn"
            assert arrived(self.store, key), f"{key} never came to the store"
            body = self.store.object(PREFIX + key)
            assert body == data, f"{key} is another in the store"


def points(scene):
    """Every one that makes sense: (group, error, mode, name, number)."""
    found = []
    for group in GROUPS:
        looks = [scene.calls(group) for _ in range(2)]
        # The quieter of two looks: what a busy machine adds is not made again.
        paths = min(looks, key=lambda calls: sum(map(len, calls.values())))
        calls = [
            (name, i + 1)
            for name in sorted(paths)
            for i, seen in enumerate(paths[name])
            if is_io(group, name, *seen)
        ]
        found += [
            (group, error, mode, *call)
            for call in calls
            for error in ERRORS
            for mode in MODES
            if mode == "once" or call[0] != "epoll_ctl"  # which also removes
        ]
    return found


def play(scene, point):
    """What came of it: a line for the results."""
    result = dict(zip(POINT, point, strict=True))
    try:
        result["reached"] = scene.fault(*point)
    except (Exception, pytest.fail.Exception) as e:
        result["fault"] = str(e)[:2000]
        result["log"] = [line["msg"] for line in scene.daemon.lines[-30:]]
        result["before"] = scene.played[-8:]
    scene.played.append(point)
    return result


def point_of(result):
    return tuple(result[k] for k in POINT)


def assert_right(results, seed):
    """Says what is not, with what was played before."""
    wrong = [r for r in results if "fault" in r]
    print(f"{len(wrong)} wrong; seed {seed} (CONTRACE_SEED)")
    for r in wrong:
        print(*point_of(r), r["fault"], "after", *r["before"], *r["log"][-12:], sep="\n    ")
    assert not wrong


def play_all(directory, chosen, workers, report):
    """In some daemons at a time; each lives through all of its faults, and ends when it is told."""
    todo, lock = list(reversed(chosen)), threading.Lock()

    def work(n):
        scene = None
        while True:
            with lock:
                if not todo:
                    break
                point = todo.pop()
            if not scene:
                (directory / f"{n}-{len(todo)}").mkdir(parents=True)
                scene = Scene(directory / f"{n}-{len(todo)}")
            result = play(scene, point)
            with lock:
                report(result)
            if "fault" in result:
                scene.close()
                scene = None
        if scene:
            scene.daemon.stop()
            scene.close()

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(work, n) for n in range(workers)]:
            future.result()
