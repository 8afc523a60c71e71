# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the daemon as a process, its spool, a real Go service.

Environment: CONTRACE_BUILD_DIR, a built tree with ./contraced; CONTRACE_SRC_DIR, the source, by
default the one that this file belongs to; CONTRACE_PATIENCE, how many seconds to wait for anything
at most. Waiting is generous and never a measurement.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SRC = pathlib.Path(os.environ.get("CONTRACE_SRC_DIR") or HERE.parents[1]).resolve()
BUILD = pathlib.Path(os.environ.get("CONTRACE_BUILD_DIR") or ".").resolve()
CONTRACED = BUILD / "contraced"
PATIENCE = float(os.environ.get("CONTRACE_PATIENCE", "60"))

# base/log.h: these never change.
CAPTURED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e101"
DOWN = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e102"
UP = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e103"
RETENTION = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e104"
RELOADED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e106"
RELOAD_FAILED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e107"
STORAGE = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e108"
STARTED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e109"
STOPPED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10a"
SUSPENDED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10b"
INSPECTED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10f"

# lib/record/name.h
KEY = re.compile(
    r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}/[0-9]{8}/"
    r"[0-9]{6}(-[1-9][0-9]*|-[0-9]+-[1-9][0-9]*)?\.trace"
)


def need(condition, why):
    """Skip the test where a prerequisite is missing; under CI that is a failure."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@contextlib.contextmanager
def alone_in_cache(name):
    """~/.cache/contrace/NAME, for what is built once: of two test runs one builds, and one waits."""
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    directory = pathlib.Path(caches) / "contrace" / name
    directory.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


ROOT_LATER = "needs root: it runs as root afterwards"


def need_root():
    if os.geteuid() != 0 and os.environ.get("CONTRACE_ROOT_TESTS"):
        pytest.skip(ROOT_LATER)
    need(os.geteuid() == 0, "needs root")


def need_program(name, package):
    need(shutil.which(name), f"no {name} on the PATH (Debian: {package})")


def wait_until(what, condition, timeout=PATIENCE, interval=0.01):
    """Wait for condition() to be true and return its value; fail, saying what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout:.0f} s in vain until {what}")
        time.sleep(interval)


def config_text(
    jobs, storage, glob=None, log=None, upload=None, inspect=None, web=None, triggers=None,
    rows=None,
):  # fmt: skip
    """A configuration as JSON, which is YAML; quick by default: captures only when asked for."""
    base = {
        "scrape_interval": "300d",  # or one in a thousand tests would see a second capture
        "seconds": 0.2,
        "scrape_timeout": "30s",
        "max_duty_cycle": "100%",
    }
    document = {
        "global": {**base, **(glob or {})},
        "scrape_configs": jobs,
        "storage": {"min_free": 0, **storage},
        "log": {"level": "debug", "format": "json", **(log or {})},
        # The tests keep the CPUs busy.
        "incidents": {"cpu_pressure_ceiling": "off"},
        # Made-up traces are no matter for an inspection, unless that is what is tried.
        "inspect": inspect or {"enabled": False},
        # A store that counts what it is sent gets rows only where they are what is tried.
        "rows": rows or {"enabled": False},
        **({"upload": upload} if upload else {}),
        **({"web": web} if web else {}),
        **({"trigger_configs": triggers} if triggers else {}),
    }
    return json.dumps(document, indent=2) + "\n"


def job(name, *targets, **more):
    """One that takes a trace and nothing else of an incident, such as SIGUSR1 makes, unless it says what."""
    return {
        "job_name": name,
        "incident_artifacts": ["trace"],
        "static_configs": [{"targets": list(targets)}],
        **more,
    }


class Spool:
    """What a daemon keeps below storage.path."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def _files(self, part, suffix=""):
        """Not by Path.rglob, which fails when a directory goes meanwhile."""
        top = self.path / part
        found = []
        for directory, below, files in os.walk(top):
            links = [d for d in below if os.path.islink(os.path.join(directory, d))]
            found += [os.path.relpath(os.path.join(directory, n), top) for n in files + links]
        return sorted(n for n in found if n.endswith(suffix))

    def incoming(self):
        return self._files("incoming")

    def pending(self):
        return self._files("pending")

    def keys(self, service=None):
        keys = self._files("archive", ".trace")
        return [k for k in keys if service is None or k.startswith(service + "/")]

    def trace(self, key):
        return self.path / "archive" / key

    def record(self, key):
        return json.loads(self.trace(key).with_suffix(".json").read_text())

    def check(self):
        """Every file is whole, well named and has its mate. {key: record}, the oldest first."""
        records = {}
        for name in self._files("archive"):
            path = self.path / "archive" / name
            assert path.suffix in (".trace", ".json"), name
            assert path.with_suffix(".json").exists(), f"{name} has no record"
            assert path.with_suffix(".trace").exists(), f"{name} is an orphan"
        for key in self.keys():
            assert KEY.fullmatch(key), key
            data = self.trace(key).read_bytes()
            record = self.record(key)
            assert len(data) == record["bytes"], key
            assert hashlib.sha256(data).hexdigest() == record["sha256"], key
            assert record["complete"] == ("truncated" not in record), key
            service, host, day, rest = key.split("/")
            assert (record["service"], record["host"]) == (service, host)
            stamp = re.sub("[-:T]", "", record["start"])[:14]
            assert stamp == day + rest[:6], key
            records[key] = record
        return dict(sorted(records.items(), key=lambda item: item[1]["start"]))


class Daemon:
    """A running contraced, its log as parsed JSON lines and its spool. It listens nowhere unless `web`,
    the configuration's section, or an argument says so."""

    def __init__(self, directory, jobs=None, storage=None, glob=None, args=(), text=None,
                 wait=True, log=None, upload=None, env=None, inspect=None, web=None,
                 triggers=None, rows=None):  # fmt: skip
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        storage = {"path": str(self.directory / "spool"), **(storage or {})}
        self.spool = Spool(storage["path"])
        self.config = self.directory / "contraced.yaml"
        self.storage = storage
        self.lines, self.other = [], []
        self._changed = threading.Condition()
        argv = [str(CONTRACED)]
        if jobs is not None or text is not None:
            self.write_config(jobs, glob, text, log, upload, inspect, web, triggers, rows)
            argv.append(f"--config.file={self.config}")
        else:
            argv += [f"--storage.path={storage['path']}", "--log.level=debug"]
        if not web and not any("--web." in str(a) for a in args):
            argv.append("--web.listen-address=off")
        argv += ["--log.format=json", *args]
        need(CONTRACED.exists(), f"no contraced in {BUILD}")
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=env,
        )  # fmt: skip
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if wait:
            self.wait_log(message_id=STARTED)

    def write_config(self, jobs, glob=None, text=None, log=None, upload=None, inspect=None,
                     web=None, triggers=None, rows=None):  # fmt: skip
        """In one moment: a reload that was asked for before may only come now."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(
            text or config_text(jobs, self.storage, glob, log, upload, inspect, web, triggers, rows)
        )
        fresh.rename(self.config)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        self.process.stderr.close()
        if exc[0]:
            for line in self.lines[-200:]:
                print(line.get("level"), line.get("msg"))
            print(*self.other, sep="\n")

    def _read(self):
        for raw in self.process.stderr:
            text = raw.decode(errors="replace").rstrip("\n")
            with self._changed:
                try:
                    self.lines.append(json.loads(text))
                except ValueError:
                    self.other.append(text)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def mark(self):
        """A place in the log, for `after`."""
        return len(self.lines)

    def log(self, text=None, after=0, **fields):
        """Lines that contain `text` and have these fields."""
        return [
            line
            for line in self.lines[after:]
            if (text is None or text in line["msg"])
            and all(line.get(k) == v for k, v in fields.items())
        ]

    def wait_log(self, text=None, after=0, count=1, timeout=PATIENCE, **fields):
        """Wait for `count` such lines and return the last of them."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = self.log(text, after, **fields)
                if len(found) >= count:
                    return found[count - 1]
                ended = self.process.poll() is not None and not self._reader.is_alive()
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    break
                self._changed.wait(min(left, 0.5))
        said = "\n".join([str(line) for line in self.lines[-30:]] + self.other[-30:])
        state = f"exited {self.process.returncode}" if ended else f"{timeout:.0f} s passed"
        pytest.fail(f"no line {text!r} {fields} x{count} ({state}); the log ends:\n{said}")

    def wait_captured(self, count=1, after=0, **fields):
        return self.wait_log(message_id=CAPTURED, after=after, count=count, **fields)

    def problems(self, after=0):
        return [x for x in self.lines[after:] if x["level"] in ("warn", "error")]

    def counts(self):
        """After the end: how many captures ended how."""
        line = self.wait_log(message_id=STOPPED)["msg"]
        captures = line.split(";")[1]
        return {name: int(n) for n, name in re.findall(r"(\d+) (\w+)", captures)}

    def signal(self, number):
        assert self.alive(), "contraced is gone"
        self.process.send_signal(number)

    def capture_now(self):
        self.signal(signal.SIGUSR1)

    def alive(self):
        return self.process.poll() is None

    def fds(self):
        """Open descriptors; None where they may not be seen (contraced forbids it but to root)."""
        try:
            return sorted(int(x) for x in os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:
            return None

    def status(self, name):
        """A number of /proc/PID/status: RssAnon, VmHWM in KiB, Threads."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])

    def memory(self):
        """KiB of its own: of its program and libraries the kernel keeps more or less, as it likes."""
        return self.status("RssAnon")

    def threads(self):
        """The main thread's id first."""
        return sorted(int(x) for x in os.listdir(f"/proc/{self.pid}/task"))

    def idle(self):
        """Wait until no capture is in flight; returns the descriptors that are open then."""

        def open_now():
            links = []
            for fd in self.fds() or []:
                with contextlib.suppress(FileNotFoundError):
                    links.append((fd, os.readlink(f"/proc/{self.pid}/fd/{fd}")))
            return links

        def steady():
            before = open_now()
            if self.spool.incoming() or any("/incoming/tmp-" in link for _, link in before):
                return False
            time.sleep(0.05)
            return open_now() == before

        wait_until("nothing is in flight", steady)
        return self.fds()

    def wait_idle(self, fds):
        """Until no capture's file is left and the descriptors are what they were."""
        wait_until("incoming/ is empty", lambda: not self.spool.incoming())
        wait_until(f"the open descriptors are {fds} again", lambda: self.fds() == fds)

    def wait_exit(self, timeout=PATIENCE):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"contraced did not exit within {timeout:.0f} s")
        self._reader.join(PATIENCE)
        return status

    def killed_or_stopped(self):
        """Whether it was killed, perhaps just now; else it stops. It does not end by itself."""
        ended = not self.alive()
        self.process.send_signal(signal.SIGTERM)
        status = self.wait_exit()
        assert status == -signal.SIGKILL or (status == 0 and not ended), status
        assert status or self.spool.incoming() == []
        return status != 0

    def stop(self, expect=0):
        self.signal(signal.SIGTERM)
        assert self.wait_exit() == expect
        assert self.spool.incoming() == []


def shown_of(pid, name):
    """What a file of /proc/PID shows; nothing to an ordinary user where contraced forbids it."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except PermissionError:
        if os.geteuid() == 0:
            raise
        return b""


def run(*argv, timeout=PATIENCE, check=True, **more):
    """A command to its end, with its output as text."""
    done = subprocess.run(
        [str(a) for a in argv], capture_output=True, text=True, timeout=timeout, check=False, **more
    )
    if check and done.returncode != 0:
        pytest.fail(f"{argv} exited {done.returncode}: {done.stdout}{done.stderr}")
    return done


def contraced(*argv, timeout=PATIENCE, **more):
    """contraced to its end."""
    need(CONTRACED.exists(), f"no contraced in {BUILD}")
    return run(CONTRACED, *argv, timeout=timeout, check=False, **more)


def recover(spool, directory):
    """What any start does with a spool that a killed one left: a start that captures nothing."""
    done = contraced(
        "--once", "--target=nobody=unix:@contrace-nobody-listens", f"--storage.path={spool.path}",
        "--log.format=json", cwd=directory,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert spool.incoming() == []


@contextlib.contextmanager
def tmpfs(path, options):
    """A small file system of its own, for tests as root."""
    need_root()
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    done = run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path, check=False)
    need(done.returncode == 0, f"cannot mount a tmpfs here: {done.stderr.strip()}")
    try:
        yield pathlib.Path(path)
    finally:
        run("umount", "-l", path)


def toolchains():
    """tests/toolchains: the names by their kind."""
    names = {}
    for line in (SRC / "tests/toolchains").read_text().splitlines():
        if line and not line.startswith("#"):
            kind, name = line.split()
            names.setdefault(kind, []).append(name)
    return names


TOOLCHAINS = toolchains()
(REFERENCE,) = TOOLCHAINS["reference"]
(OLD,) = TOOLCHAINS["old"]


@functools.cache
def go_version():
    """(major, minor) of the reference toolchain, (0, 0) without a go that has it or fetches it."""
    if not shutil.which("go"):
        return (0, 0)
    done = run("go", "env", "GOVERSION", env={**os.environ, **GO_ENV}, timeout=600, check=False)
    text = done.stdout
    found = re.match(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


GO_ENV = {"GOTOOLCHAIN": REFERENCE, "GOWORK": "off", "GOFLAGS": ""}


class GoService:
    """examples/goservice, listening where the kernel finds a port, and on a unix socket."""

    def __init__(self, binary, directory, *args, env=None):
        self.socket = pathlib.Path(directory) / "pprof.sock"
        self.process = subprocess.Popen(
            [str(binary), "-listen", "127.0.0.1:0", "-listen", f"unix:{self.socket}", *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})},
        )  # fmt: skip
        self.pid = self.process.pid
        first = self.process.stdout.readline()
        found = re.search(r"(https?)://(127\.0\.0\.1:\d+)", first)
        assert found, f"goservice said {first!r}"
        self.scheme, self.address = found[1], found[2]
        assert "unix:" in self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def go_trace(*argv, timeout=300):
    """The reference's `go tool trace`; its exit status and what it complains of."""
    done = subprocess.run(
        ["go", "tool", "trace", *map(str, argv)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False,
        env={**os.environ, **GO_ENV},
    )  # fmt: skip
    return done.returncode, done.stderr


def assert_go_reads(path):
    """The strict reader takes it from the first to the last event."""
    # The flag with which it reads every event and fails on what is not whole.
    status, text = go_trace("-d=parsed", path)
    assert status == 0, f"{path}: {text}"
