# SPDX-License-Identifier: Apache-2.0
"""A daemon whose system calls strace counts, fails, or kills it at: by the loop and by the disk
threads apart, since strace keeps a counter for each thread."""

import contextlib
import pathlib
import re
import signal
import subprocess

import pytest
from support import PATIENCE, need, need_program, need_root, run, wait_until

CALL = re.compile(r"^(?P<tid>\d+) +(?P<name>\w+)\((?P<rest>.*)")
FIRST_ARGUMENT = re.compile(r"^(?:\d+|AT_FDCWD)<(?P<path>[^>]*)>")


@pytest.fixture(scope="module", autouse=True)
def can_trace(tmp_path_factory):
    """To be imported by the modules that trace."""
    need_root()  # contraced forbids it to everyone else
    need_program("strace", "strace")
    out = tmp_path_factory.mktemp("strace") / "log"
    done = run("strace", "-o", out, "-e", "inject=getppid:error=EIO:when=1", "true", check=False)
    need(done.returncode == 0, f"strace does not work here: {done.stderr.strip()}")


@contextlib.contextmanager
def strace(log, *arguments):
    """Joined to threads; leaves when the block ends."""
    errors = pathlib.Path(f"{log}.errors")
    with open(errors, "w") as out:
        process = subprocess.Popen(
            ["strace", "-o", str(log), *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wanted = len([a for a in arguments if a == "-p"])
        wait_until("strace has joined", lambda: errors.read_text().count("attached") >= wanted)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def threads_of(d, group):
    """The loop's thread, or the disk threads, as arguments of strace."""
    main, disk = d.pid, [tid for tid in d.threads() if tid != d.pid]
    assert len(disk) == 2
    tids = [main] if group == "loop" else disk
    return [argument for tid in tids for argument in ("-p", str(tid))]


def at_call(d, directory, group, name, number, what, among=()):
    """While the block runs, this call is met so: `signal=KILL`, `error=EIO`. `3+`: all from the third
    on. `among`: only calls on these paths count."""
    return strace(
        directory / "log", *[argument for path in among for argument in ("-P", path)],
        "-e", f"trace={name}", "-e", f"inject={name}:{what}:when={number}",
        *threads_of(d, group),
    )  # fmt: skip


def wait_killed(d):
    """What was killed is gone at once; what was not goes on."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        d.process.wait(0.05)


def calls_in(log):
    """(name, arguments) of each call in strace's log that another run makes as well."""
    for line in log.read_text(errors="replace").splitlines():
        call = CALL.match(line if line[:1].isdigit() and " " in line[:9] else f"0 {line}")
        # strace saw the thread inside a restart_syscall, and counts from the next.
        if call and "resuming interrupted" not in line and call["name"] != "restart_syscall":
            yield call["name"], call["rest"]


def captures_ended(d):
    """How many captures the log says the end of."""
    return sum(
        line["msg"].startswith(("captured ", "cannot capture ", "no capture of "))
        for line in d.lines
    )


def said_keys(d):
    """The keys that the log speaks of."""
    return {line["key"] for line in d.lines if "key" in line}
