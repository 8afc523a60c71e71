# SPDX-License-Identifier: Apache-2.0
"""One allocation fails, of each command and of each route of the API: the answer is the right one,
or an error. Nothing between: no list that lacks rows, no JSON without its end, no headers that are
missing, no status 0.

By itself the test takes a sample of the allocations, with a seed that it prints;
CONTRACE_ALLOCATIONS=full takes each of them, as scripts/allocation-sweep does.
"""

import collections
import contextlib
import gzip
import http.client
import http.server
import json
import os
import random
import re
import shutil
import signal
import socketserver
import subprocess
import threading
import time

import pytest
import store as scripted
from allocations import Allocations
from endpoint import Endpoint
from hostile import Server, healthy, trace
from support import BUILD, SRC, Daemon, Spool, job, run, wait_until
from uploads import clean_env, section

FULL = os.environ.get("CONTRACE_ALLOCATIONS") == "full"
WAIT = 20  # seconds for a command; what waits for an answer gives up before
SAMPLE = 40  # of each command and route
SEED = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))


pytestmark = [pytest.mark.reading, pytest.mark.usefixtures("not_sanitized")]


def chosen(count, rng):
    every = range(count)
    return every if FULL or count <= SAMPLE else sorted(rng.sample(every, SAMPLE))


class Tally:
    """What came of each failed allocation; faults are told together, by where they come from."""

    def __init__(self, name, allocations):
        self.name, self.allocations = name, allocations
        self.ends = collections.Counter()
        self.faults = []

    def add(self, number, fault):
        if fault:
            self.faults.append((number, fault, self.allocations.place(), self.allocations.end()))
        self.ends["wrong" if fault else "fine"] += 1

    def check(self, count):
        print(f"{self.name}: {sum(self.ends.values())} of {count} allocations, "
              f"{len(self.faults)} wrong; seed {SEED} (CONTRACE_SEED)")  # fmt: skip
        for number, fault, place, end in self.faults[:20]:
            print(f"  allocation {number}: {fault}", *place[:12], sep="\n    ")
            if end:
                print("  a signal came here:", *end[:12], sep="\n    ")
        assert not self.faults, (
            f"{self.name}: {len(self.faults)} answers are neither right nor an error"
        )


class Answers(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A contraced that always says the same."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def address_string(self):
            return "unix"

        def handle(self):
            with contextlib.suppress(OSError):  # the other side is gone
                super().handle()

        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = ANSWERS[self.path.partition("?")[0]]
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(503 if self.path == "/-/ready" else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

    def __init__(self, path):
        super().__init__(str(path), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


KEY = "checkout/web-1/20260314/092653-4711.trace"
LAST = {"start": "2026-03-14T09:26:53.000Z", "outcome": "ok", "text": "", "key": KEY, "bytes": 4711,
        "captured": "2026-03-14T09:26:53.000Z", "label": "idle",
        "scheduler_latency_p99_seconds": 0.00012}  # fmt: skip
TARGETS = [
    {"target": f"http://web-{n}:6060/debug/pprof/trace", "service": "checkout", "host": f"web-{n}",
     "job": "j", "address": f"web-{n}:6060", "labels": {"zone": "a\u00e9"}, "state": "ok",
     "failures": n, "interval_seconds": 60, "seconds": 2, "next": "2026-03-14T09:28:53.000Z",
     "in_flight": None, "last": LAST}
    for n in range(12)
]  # fmt: skip
STATUS = {
    "version": "1", "start": "2026-03-14T08:00:00.000Z", "host": "h", "pid": 1,
    "now": "2026-03-14T09:27:00.000Z",
    "config": {"file": "/etc/contraced.yaml", "last_reload": None, "last_reload_ok": True},
    "suspended": {"causes": [{"cause": "api", "since": "2026-03-14T09:00:00.000Z", "text": "why"}]},
    "targets": {"total": 12, "failing": 11},
    "captures": {"in_flight": 0, "by_result": {"ok": 7, "timeout": 2}, "bytes": 9, "last_success": None},
    "spool": {"path": "/var/lib", "archive": {"files": 1, "bytes": 2},
              "pending": {"files": 1, "bytes": 2, "oldest": None}, "free_bytes": 1 << 30,
              "total_bytes": 1 << 40, "max_bytes": 1 << 30, "refusing": False},
    "upload": None, "inspections": {"enabled": True, "by_result": {"ok": 3}},
}  # fmt: skip
TRIGGERS = [
    {"rule": f"rule{i}", "service": "checkout", "address": f"10.0.0.{i}:6060", "over": 1, "for": 3,
     "state": ["ok", "fired", "pending", "poll_failing"][i % 4], "text": "runnable: 3, more than 2",
     "fired": "2026-03-14T09:26:53.000Z" if i % 2 else None,
     "poll": {"last": "2026-03-14T09:26:53.000Z", "result": "missing", "text": "HTTP status 404",
              "failures": i % 4 // 3}}
    for i in range(12)]  # fmt: skip
ANSWERS = {
    "/-/ready": "no room\nno disk\n",
    "/api/v1/status": STATUS,
    "/api/v1/targets": {"targets": TARGETS, "total": 12, "after": None},
    "/api/v1/triggers": {"now": "2026-03-14T09:26:59.000Z", "triggers": TRIGGERS, "total": 12,
                         "after": None},
    "/api/v1/capture": {"captures": [
        {"target": "t", "service": "checkout", "host": "web-1", "job": "j", "outcome": "ok",
         "text": "", "key": KEY, "bytes": 4711, "start": "2026-03-14T09:26:53.000Z", "seconds": 2}]},
    "/api/v1/suspend": {"suspended": True, "causes": ["api"]},
    "/api/v1/resume": {"suspended": True, "causes": ["flag_file"]},
}  # fmt: skip


PLACE = re.compile(
    r"\b(TRACE|OTHER|PROFILE|NAMEKEY|CUT|LOG|OUT|SPOOL|CONFIG|API|KEY|STORED|TARGET|EMPTY)\b"
)


class World:
    """A spool, a store, an endpoint and traces, for commands that only read them."""

    def __init__(self, top):
        self.top, self.out = top, top / "out"
        self.store = scripted.Store()
        self.target = Server(healthy(trace(2)))
        self.config = top / "d/contraced.yaml"
        self.env = clean_env()
        with Daemon(top / "d", [job("s", self.target.address)], env=self.env,
                    upload=section(top, self.store.endpoint)) as d:  # fmt: skip
            for n in (1, 2, 3):
                d.capture_now()
                wait_until("it is kept", lambda n=n: len(d.spool.keys()) >= n)
                d.wait_captured(n)
                d.idle()
            d.stop()
            self.spool, self.keys = d.spool, d.spool.keys()
        self.answers = Answers(top / "api.sock")
        # One that is in the store alone.
        for path in (
            self.spool.trace(self.keys[0]),
            self.spool.trace(self.keys[0]).with_suffix(".json"),
        ):
            path.unlink()
        corpus = SRC / "tests/fuzz/corpus/summary"
        self.trace, self.other = corpus / "mix-go1.26.8", corpus / "mix-go1.22.12"
        self.profile, self.namekey = top / "a.pb.gz", top / "names.key"
        run(BUILD / "contrace", "pprof", "--sync", f"--output={self.profile}", self.trace)
        self.namekey.write_text("a key of sixteen bytes and more")
        self.namekey.chmod(0o600)
        self.log = SRC / "tests/fuzz/corpus/schedlog/detail"
        self.cut = top / "cut.trace"
        self.cut.write_bytes(self.trace.read_bytes()[:20000])

    def close(self):
        self.answers.shutdown()
        self.answers.server_close()
        self.target.close()
        self.store.close(check=False)

    def command(self, words):
        """`words` with the places of this world in them."""
        places = {
            "TRACE": self.trace, "OTHER": self.other, "CUT": self.cut, "LOG": self.log,
            "PROFILE": self.profile, "NAMEKEY": self.namekey, "OUT": self.out,
            "SPOOL": f"--storage.path={self.spool.path}", "CONFIG": f"--config.file={self.config}",
            "API": f"--address=unix:{self.top}/api.sock", "KEY": self.keys[1], "STORED": self.keys[0],
            "TARGET": f"--target=s=http://{self.target.address}",
            "EMPTY": f"--storage.path={self.out}/spool",
        }  # fmt: skip
        return [PLACE.sub(lambda m: str(places[m[0]]), word) for word in words.split()]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("w"))
    yield w
    w.close()


COMMANDS = {
    "summary": "contrace summary TRACE",
    "summary-json": "contrace summary --json TRACE CUT",
    "summary-lines": "contrace summary --sort=busy TRACE OTHER",
    "summary-sandbox": "contrace summary --json --sandbox -",
    "check": "contrace check --format=json --fail-if=window_ns>1h --fail-if=bytes<1 TRACE",
    "diff": "contrace diff --all TRACE -- OTHER",
    "diff-json": "contrace diff --json TRACE OTHER --fail-if=new_findings>100",
    "goroutines": "contrace goroutines TRACE",
    "goroutines-at": "contrace goroutines --at=end --json TRACE",
    "tasks": "contrace tasks TRACE",
    "tasks-json": "contrace tasks --json --limit=100 TRACE",
    "blockers": "contrace blockers TRACE",
    "blockers-json": "contrace blockers --json TRACE",
    "explain": "contrace-remote explain TRACE",
    "explain-json": "contrace-remote explain --json TRACE",
    "schedtrace": "contrace schedtrace LOG",
    "schedtrace-json": "contrace schedtrace --json LOG",
    "verify": "contrace verify TRACE CUT",
    "salvage": "contrace verify --salvage=OUT/whole CUT",
    "pprof": "contrace pprof --sched --output=OUT/profile TRACE",
    "timeline": "contrace timeline TRACE",
    "timeline-json": "contrace timeline --json CUT",
    "anonymise": "contrace-remote anonymise --key-file=NAMEKEY --output=OUT/a.trace TRACE",
    "anonymise-profile": "contrace-remote anonymise --key-file=NAMEKEY --output=OUT/a.pb.gz PROFILE",
    "timeline-file": "contrace timeline --output=OUT/a.pftrace TRACE",
    "advise": "contrace-remote advise TRACE OTHER",
    "advise-json": "contrace-remote advise --json TRACE OTHER",
    "list": "contrace-remote list SPOOL",
    "list-json": "contrace-remote list --json SPOOL",
    "list-store": "contrace-remote list --json --long CONFIG",
    "list-selected": "contrace-remote list --json --reason=s* --sort=state CONFIG",
    "pull": "contrace-remote pull SPOOL --output=OUT --flat KEY",
    "pull-store": "contrace-remote pull CONFIG --output=OUT STORED",
    "rows": "contrace-remote rows SPOOL --output=OUT",
    "rows-store": "contrace-remote rows CONFIG --output=OUT",
    "fleet": "contrace-remote fleet",
    "fleet-sql": "contrace-remote fleet labels --since=2026-11-20 --until=2026-11-22 --service=a*b --print",
    "status": "contrace-remote status API",
    "status-json": "contrace-remote status --json API",
    "triggers": "contrace-remote triggers API",
    "triggers-json": "contrace-remote triggers --json --rule=busy API",
    "capture": "contrace-remote capture API --all",
    "capture-json": "contrace-remote capture API --json --seconds=1.9 --reason=why --service=checkout",
    "suspend": "contrace-remote suspend API --reason=why",
    "resume-json": "contrace-remote resume --json API",
    "check-config": "contraced --check-config CONFIG",
    "once": "contraced --once TARGET EMPTY --log.format=json",
}


def ended(argv, env, stdin):
    """What became of it. One that does not end is asked where it is, which Allocations notes."""
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, stdin=stdin, stdout=pipe, stderr=pipe) as p:
        try:
            out, err = p.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGABRT)
            time.sleep(1)
            p.kill()
            raise
    return subprocess.CompletedProcess(argv, p.returncode, out, err)


def content(path):
    """Of rows, without the time at which they were made."""
    data = path.read_bytes()
    if path.name.endswith(".jsonl.gz"):
        return re.sub(rb'"written":"[^"]*"', b"", gzip.decompress(data))
    return data


def run_command(world, words, env):
    """(status, what was put out, what was complained of); the files that were made count."""
    shutil.rmtree(world.out, ignore_errors=True)
    world.out.mkdir()
    argv = world.command(words)
    argv[0] = str(BUILD / argv[0])
    with open(world.trace, "rb") as stdin:
        done = ended(argv, env, stdin)
    files = {str(p.relative_to(world.out)): content(p) for p in sorted(world.out.rglob("*"))
             if p.is_file() and not p.name.startswith(".")}  # fmt: skip
    return done.returncode, done.stdout, done.stderr, files


AGE = re.compile(rb"^ *\d+[smhd](\d\d[mh])? ", re.MULTILINE)


# These fall over where they lack memory for themselves, and by these signals. OpenSSL and libseccomp
# do so while they are set up, before anything is done; libseccomp 2.5 also runs in a circle, and
# OpenSSL 3.5 waits for its own set-up, which is to note that it lacked memory. libcurl
# 7.88 divides by the size of a table that it does not have.
LIBRARIES = {
    "libseccomp": (signal.SIGSEGV, signal.SIGABRT),
    "libcrypto": (signal.SIGSEGV,),
    "libcurl": (signal.SIGFPE,),
}
HANG = ("libseccomp", "libcrypto")
ALLOCATORS = ("malloc", "__libc_malloc", "calloc", "__libc_calloc", "realloc", "__libc_realloc")


def owner(place):
    """The frame that asked libc for something, and libc's functions on the way."""
    of_libc = []
    for frame in place:
        if not frame.startswith("libc.so"):
            return frame, of_libc
        of_libc.append(frame.partition(": ")[2])
    return "", of_libc


def library_fell(allocations, status, said=b""):
    """It was the library's own memory that was short, and it was in the library, or in libc on its
    behalf, that the program was ended by a signal (`status` None: that it hung). A crash of ours is
    never taken for one of theirs, whoever lacked memory before."""
    short, end = allocations.place(), allocations.end()
    library = owner(short)[0].partition(".")[0]
    if library not in LIBRARIES:
        return False
    frame, of_libc = owner(end)
    if frame.startswith(library):
        return library in HANG if status is None else -status in LIBRARIES[library]
    # libseccomp 2.5 calls it a success when it loads a filter that lacks rules. Where that forbids
    # brk, libc's allocator writes into memory that it did not get; where it forbids write, what
    # fails does so in silence. 2.6 frees what it did not get, which libc's allocator finds later.
    if "libseccomp.so.2: seccomp_load" not in short or status is None:
        return False
    return not set(of_libc).isdisjoint(ALLOCATORS) if status < 0 else not end and not said


def without_label(out):
    """The captures of `capture --json` without what comes later, with their labels."""
    late = ("label", "scheduler_latency_p99_seconds", "covered")
    try:
        captures = [json.loads(line) for line in out.splitlines()]
    except ValueError:
        return out
    return [{k: v for k, v in c.items() if k not in late} for c in captures]


def fault_of(name, end, rights, world):
    """None for the right answer and for an error."""
    status, out, err, files = end
    if name == "once":
        try:
            kept = Spool(world.out / "spool").check()
        except AssertionError as e:
            return f"the spool is torn: {e}"
        if status == 0 and len(kept) == 1:
            return None
    elif (status, AGE.sub(b"", out), files) in rights:
        return None
    elif (
        name == "capture-json" and err.strip() and without_label(out) == without_label(rights[0][1])
    ):
        return None  # what was captured is told, and why its label is not
    if status < 0:
        return f"killed by signal {-status}: {err[-300:]!r}"
    if status == 0:
        return f"status 0 with another answer: {out[-300:]!r} {err[-300:]!r}"
    if not err.strip():
        return f"status {status} without a word"
    return None


def what_is_wrong(name, end, rights, world, allocations):
    fault = fault_of(name, end, rights, world)
    status, out, err, _ = end
    if fault and status != 0 and library_fell(allocations, status, out + err):
        return None
    return fault


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name, world, tmp_path):
    rng = random.Random(f"{SEED}{name}")
    words = COMMANDS[name]
    allocations = Allocations(tmp_path, words.split()[0])
    env = allocations.env(world.env)
    allocations.arm()
    right = run_command(world, words, env)
    count, _ = allocations.disarm()
    # Where the locale cannot be loaded, plain characters are right.
    rights = [right, run_command(world, words, {**world.env, "LC_ALL": "C"})]
    rights = [(status, AGE.sub(b"", out), files) for status, out, _, files in rights]
    assert right[0] == (1 if "CUT" in words or name.startswith("status") else 0), right
    assert not what_is_wrong(name, right, rights, world, allocations), right
    tally = Tally(name, allocations)
    for number in chosen(count, rng):
        allocations.arm(number)
        try:
            end = run_command(world, words, env)
            fault = what_is_wrong(name, end, rights, world, allocations)
        except subprocess.TimeoutExpired:
            fault = None if library_fell(allocations, None) else "it does not end"
        allocations.disarm()
        tally.add(number, fault)
    tally.check(count)


class Served:
    """A daemon whose allocations fail while it answers."""

    def __init__(self, top):
        self.top = top
        self.endpoint = Endpoint(top)
        self.allocations = Allocations(top, "contraced")
        self.target = Server(healthy(trace(2)))
        jobs = [
            job("s", self.target.address, f"unix:{top}/none"),
            job("t", self.target.address, seconds=0.01),
        ]
        self.daemon = Daemon(
            top / "d", jobs, args=[self.endpoint.option], env=self.allocations.env(clean_env()),
            inspect={"enabled": False},
        )  # fmt: skip
        self.daemon.capture_now()
        self.daemon.wait_captured(4)  # each once at the start, and once by the signal
        wait_until("all are kept", lambda: len(self.daemon.spool.keys()) == 4)
        self.daemon.idle()
        self.key = self.daemon.spool.keys()[0]

    def wait_free(self):
        """Until the capture that was asked for has ended, or contraced has."""

        def free():
            found = self.ask("GET", "/api/v1/targets", None)
            if not found or found[0] != 200:
                return not self.daemon.alive()
            return not json.loads(found[2])["targets"][-1]["in_flight"]

        wait_until("the target is free", free)

    def ask(self, method, path, body):
        """(status, headers, body), or None: the connection was closed."""
        try:
            if method == "POST":
                found = self.endpoint.post(path, body)
            else:
                found = self.endpoint.get(path.replace("KEY", self.key[:-6]))
        except (http.client.HTTPException, ConnectionError):
            return None
        return found.status, {k: v for k, v in found.headers.items() if k != "Date"}, found.data


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    s = Served(tmp_path_factory.mktemp("a"))
    with s.daemon:
        yield s
        s.daemon.stop()
    s.target.close()


ALERTS = {"version": "4", "alerts": [
    {"status": "firing", "labels": {"alertname": "Slow", "service": "nobody", "instance": "a:1"}},
    {"status": "firing", "labels": {"alertname": "Odd"}}]}  # fmt: skip
ROUTES = {
    "page": ("GET", "/", None),
    "metrics": ("GET", "/metrics", None),
    "healthy": ("GET", "/-/healthy", None),
    "ready": ("GET", "/-/ready", None),
    "reload": ("POST", "/-/reload", None),
    "status": ("GET", "/api/v1/status", None),
    "targets": ("GET", "/api/v1/targets?limit=2", None),
    "triggers": ("GET", "/api/v1/triggers", None),
    "captures": ("GET", "/api/v1/captures", None),
    "trace": ("GET", "/api/v1/captures/KEY.trace", None),
    "record": ("GET", "/api/v1/captures/KEY.json", None),
    "capture": ("POST", "/api/v1/capture", {"job": "t", "seconds": 0.01, "reason": "why"}),
    "capture-later": ("POST", "/api/v1/capture", {"job": "t", "seconds": 0.01, "wait": False}),
    "capture-unknown": ("POST", "/api/v1/capture", {"service": "nobody"}),
    "alerts": ("POST", "/api/v1/alerts", ALERTS),
    "suspend": ("POST", "/api/v1/suspend", {"reason": "why"}),
    "resume": ("POST", "/api/v1/resume", None),
    "nothing": ("GET", "/nothing", None),
    "method": ("GET", "/api/v1/suspend", None),
}
CHANGING = re.compile(
    rb'"(now|next|start|captured|last_success|newest|since|last_reload|key)":"[^"]*"'
    rb'|"(free_bytes|bytes|files|total|retry_after_seconds|ok|in_flight|reserved_bytes)":[0-9.e-]+'
)
NUMBERS = re.compile(rb"[0-9][0-9.e+-]*")


def alike(name, answer):
    """What of an answer must be the same each time."""
    status, headers, body = answer
    headers = {k: v for k, v in headers.items() if k not in ("Content-Length", "Retry-After")}
    if name == "metrics":
        body = NUMBERS.sub(b"N", body)
    elif headers.get("Content-Type") == "application/json":
        json.loads(body)
        body = CHANGING.sub(b"", body)
    return status, headers, body


def route_fault(name, found, rights):
    if found is None or found[0] >= 500:
        return None
    try:
        if alike(name, found) in rights:
            return None
    except ValueError as e:
        return f"status {found[0]} and no JSON: {e}"
    return f"another answer: {found}"


@pytest.mark.parametrize("name", ROUTES)
def test_route(name, served):
    """What is answered without a fault before and after it is right, too."""
    rng = random.Random(f"{SEED}{name}")
    allocations, d = served.allocations, served.daemon
    d.idle()  # what the route before has begun is in no answer half
    served.ask(*ROUTES[name])  # what is made once is there
    allocations.arm()
    right = served.ask(*ROUTES[name])
    if name.startswith("capture"):
        served.wait_free()
    count, _ = allocations.disarm()
    assert right[0] in (200, 202, 404, 405), right
    rights = [alike(name, right)]
    tally = Tally(name, allocations)
    for number in chosen(count, rng):
        allocations.arm(number)
        found = served.ask(*ROUTES[name])
        if name.startswith("capture"):
            served.wait_free()
        allocations.disarm()
        assert d.alive(), (number, allocations.place(), allocations.end())
        tally.add(number, route_fault(name, found, rights))
    again = served.ask(*ROUTES[name])
    assert again and (again[0] == 429 or alike(name, again) in rights), again
    tally.check(count)


ALL = [*COMMANDS.values(), "contrace --help", "contrace --version", "contrace list --help",
       "contrace verify --help", "contraced --help", "contraced --version"]  # fmt: skip
PRINTING = [words for words in ALL if "OUT" not in words and "--once" not in words]


@pytest.mark.parametrize("words", PRINTING)
def test_output_that_cannot_be_written(words, world):
    """On a full disk, and to whom no longer reads."""
    argv = world.command(words)
    argv[0] = str(BUILD / argv[0])
    reader, gone = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full, open(gone, "wb") as closed:
        for out in (full, closed):
            with open(world.trace, "rb") as stdin:
                done = subprocess.run(argv, env=world.env, stdin=stdin, stdout=out, check=False,
                                      stderr=subprocess.PIPE, timeout=WAIT)  # fmt: skip
            assert done.returncode not in (0, 2), (out, done)
            assert out is closed or b"cannot write to standard output" in done.stderr, done
