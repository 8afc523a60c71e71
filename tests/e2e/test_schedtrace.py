# SPDX-License-Identifier: Apache-2.0
"""`contrace schedtrace` reads what programs of every Go print with GODEBUG=schedtrace, scheddetail
and gctrace, in any log, and finds in it what the programs do.

tests/support/schedmix is a program with one pattern at a time.
"""

import contextlib
import gzip
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

import jsonschema
import pytest
from gotools import REFERENCE, TOOLCHAINS, build
from support import BUILD, SRC

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
CODES = {"m-starvation", "syscall-storm", "netpoller-saturation", "gc-stall", "stuck-p"}
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}


def schedtrace(*args, data=None, env=None, code=0):
    done = subprocess.run(
        [CONTRACE, "schedtrace", *args],
        input=data, capture_output=True, timeout=300, check=False, env=env or UTF8,
    )  # fmt: skip
    assert done.returncode == code, done
    return done


SCHEMA = json.loads((SRC / "docs/schedtrace.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
OF_SNAPSHOT = VALIDATOR.evolve(schema={**SCHEMA, **SCHEMA["$defs"]["snapshot"]})


def checked(text):
    """The object, which is as the schema says."""
    told = json.loads(text)
    VALIDATOR.validate(told)
    return told


def read(data):
    return checked(schedtrace("--json", data=data).stdout)


def test_schema():
    VALIDATOR.check_schema(SCHEMA)
    assert not VALIDATOR.is_valid({"schema": 1}) and not OF_SNAPSHOT.is_valid({"ms": 1})


def patterns(process):
    assert {p["code"] for p in process["patterns"]} == CODES
    return {p["code"]: p for p in process["patterns"] if p["found"]}


def numbers_of(process):
    """What does not depend on the log that the lines came in."""
    kept = ("ms", "gomaxprocs", "idleprocs", "threads", "runqueue", "queues", "schedticks", "gc")
    return [[s.get(k) for k in kept] for s in process["snapshots"]]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A function from a toolchain to schedmix as built by it."""
    made = {}

    def make(toolchain):
        if toolchain not in made:
            made[toolchain] = tmp_path_factory.mktemp("schedmix") / "schedmix"
            build(SRC / "tests/support/schedmix", made[toolchain], toolchain)
        return made[toolchain]

    return make


def environment(godebug, procs=2):
    return {**os.environ, "GODEBUG": godebug, "GOMAXPROCS": str(procs), "GOGC": "100"}


def start(binary, pattern, godebug, seconds=2.5, **more):
    return subprocess.Popen(
        [binary, "-s", str(seconds), pattern],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment(godebug, **more),
    )  # fmt: skip


def printed(binary, pattern, godebug="schedtrace=100,gctrace=1", **more):
    with start(binary, pattern, godebug, **more) as run:
        out = run.stderr.read()
    assert run.returncode == 0, out[-1000:]
    return out


@pytest.fixture(scope="module")
def log(program):
    """With snapshots, cycles and nothing torn, as one program alone writes it."""
    return printed(program(REFERENCE), "gcstall", seconds=1.5)


def by_hand(data):
    """The snapshots and cycles of a log, read in another way."""
    text = data.decode()
    heads = re.findall(
        r"^SCHED (\d+)ms: gomaxprocs=(\d+) idleprocs=(\d+) threads=(\d+).* runqueue=(\d+) \[ ?([\d ]*?) ?\]",
        text, re.MULTILINE,
    )  # fmt: skip
    snapshots = [[*map(int, h[:5]), [int(q) for q in h[5].split()]] for h in heads]
    return snapshots, re.findall(r"^gc (\d+) @(\S+)s ", text, re.MULTILINE)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_numbers(program, toolchain):
    data = printed(program(toolchain), "gcstall", seconds=1)
    snapshots, cycles = by_hand(data)
    assert len(snapshots) >= 3 and len(cycles) >= 3
    got = read(data)
    (process,) = got["processes"]
    assert [
        [s[k] for k in ("ms", "gomaxprocs", "idleprocs", "threads", "runqueue", "queues")]
        for s in process["snapshots"]
    ] == snapshots
    assert process["gc"]["cycles"] == len(cycles)
    # Those behind the last snapshot belong to none.
    assert 0 < sum(s["gc"]["cycles"] for s in process["snapshots"] if s["gc"]) <= len(cycles)
    assert got["lines_torn"] == got["lines_stray"] == 0
    ticks = toolchain >= "go1.25"
    assert all(("schedticks" in s) == ticks for s in process["snapshots"])


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_details(program, toolchain):
    data = printed(program(toolchain), "netpoll", "schedtrace=200,scheddetail=1", seconds=1.5)
    got = read(data)
    (process,) = got["processes"]
    assert got["lines_torn"] == got["lines_stray"] == 0
    blocks = data.decode().split("SCHED ")[1:]
    assert len(blocks) == len(process["snapshots"]) >= 3
    for block, s in zip(blocks, process["snapshots"], strict=True):
        assert s["queues"] == [int(q) for q in re.findall(r" P\d+: .*runqsize=(\d+)", block)]
        assert s["schedticks"] == [int(q) for q in re.findall(r" P\d+: .*schedtick=(\d+)", block)]
        states = re.findall(r"  G\d+: status=(\d+)\((.*)\) m=", block)
        goroutines = s["goroutines"]
        assert goroutines["count"] == len(states)
        assert goroutines["waiting_for_network"] == states.count(("4", "IO wait"))
        assert goroutines["runnable_by_network"] == states.count(("1", "IO wait"))
    assert patterns(process)["netpoller-saturation"]["score"] > 0.5


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_patterns(program, toolchain):
    binary = program(toolchain)
    quiet = {"syscall-storm", "netpoller-saturation", "stuck-p", "gc-stall"}

    (calm,) = read(printed(binary, "calm", seconds=1.5))["processes"]
    assert not quiet & patterns(calm).keys()

    data = printed(binary, "storm", seconds=1.5)
    (storm,) = read(data)["processes"]
    found = patterns(storm)["syscall-storm"]
    lines = data.decode().splitlines()
    assert found["lines"]
    for proof in found["lines"]:
        assert lines[proof["line"] - 1].startswith(proof["text"])

    (stall,) = read(printed(binary, "gcstall"))["processes"]
    found = patterns(stall)["gc-stall"]
    assert found["evidence"]["cycles"] == stall["gc"]["cycles"]
    assert any(p["text"].startswith("gc ") for p in found["lines"])

    godebug = "schedtrace=100,scheddetail=1,asyncpreemptoff=1"
    (stuck,) = read(printed(binary, "stuck", godebug, seconds=4))["processes"]
    assert re.match(r"P\d+ runs goroutine \d+ for \d+ ms", patterns(stuck)["stuck-p"]["says"])


def stopped(binary, pattern, godebug, stop, go_on):
    """What a program prints whose host stops it for a while again and again, as a quota does."""
    with start(binary, pattern, godebug, seconds=4) as run:
        read_by = []
        reader = threading.Thread(target=lambda: read_by.append(run.stderr.read()))
        reader.start()
        while run.poll() is None:
            for number, pause in ((signal.SIGSTOP, stop), (signal.SIGCONT, go_on)):
                run.send_signal(number)
                time.sleep(pause)
        reader.join()
    return read_by[0]


@pytest.mark.parametrize("toolchain", [TOOLCHAINS[0], REFERENCE])
def test_starved(program, toolchain):
    data = stopped(program(toolchain), "busy", "schedtrace=100", 0.3, 0.3)
    (process,) = read(data)["processes"]
    assert "snapshots come late" in patterns(process)["m-starvation"]["says"]


def test_long_turns(program):
    """Stops too short for late snapshots are told by the turns."""
    data = stopped(program(REFERENCE), "busy", "schedtrace=100", 0.18, 0.02)
    (process,) = read(data)["processes"]
    assert patterns(process)["m-starvation"]["evidence"]["turn_ms"] >= 60


def test_nothing_found_says_what_was_near(program):
    data = printed(program(REFERENCE), "calm", seconds=1.2, godebug="schedtrace=100")
    # As on a quiet machine, whatever this one is.
    evenly = [line for line in data.decode().splitlines() if line.startswith("SCHED ")]
    evenly = [re.sub(r"\d+ms", f"{100 * i}ms", line, count=1) for i, line in enumerate(evenly)]
    evenly = [re.sub(r"runqueue=\d+ .*", "runqueue=0 [ 0 0 ]", line) for line in evenly]
    text = schedtrace(data="\n".join(evenly).encode()).stdout.decode()
    assert "None of the five patterns. The nearest:" in text
    assert "of 0.50)" in text and "gctrace=1" in json.dumps(read("\n".join(evenly).encode()))
    assert "a moment, not a mean" in text


def envelopes(lines):
    """The same lines in logs of every kind."""
    at = "2026-11-29T22:11:06.005123456Z"
    yield "plain", lines
    yield "windows", [f"{line}\r" for line in lines]
    yield (
        "syslog",
        [f"Nov 29 22:11:{i % 60:02} web-1 app[41]: {line}" for i, line in enumerate(lines)],
    )
    yield "compose", [f"\033[36mweb-1  |\033[0m {line}" for line in lines]
    yield "logfmt", [f'ts=2026-11-29T22:11:{i % 60:02}Z msg="{x}"' for i, x in enumerate(lines)]
    yield "cri", [f"{at} stderr F {line}" for line in lines]
    parts = []
    for line in lines:
        parts += [
            f"{at} stderr P {line[:30]}",
            f"{at} stdout F hello",
            f"{at} stderr F {line[30:]}",
        ]
    yield "cri in parts", parts
    docker = [json.dumps({"log": f"{x}\n", "stream": "stderr", "time": at}) for x in lines]
    yield "docker", [d.replace(">", "\\u003e") for d in docker]
    yield (
        "journal",
        [
            json.dumps({"_PID": "41", "MESSAGE": list(x.encode()) if i % 2 else x})
            for i, x in enumerate(lines)
        ],
    )
    yield (
        "shipper",
        [
            json.dumps({"log": x, "kubernetes": {"pod_name": "web-1", "labels": {"a": "b"}}})
            for x in lines
        ],
    )
    yield "among others", [y for x in lines for y in ("GET / 200", x, "\0\1\2", "")]


def test_envelopes(log):
    lines = log.decode().splitlines()
    (expected,) = read(log)["processes"]
    for name, wrapped in envelopes(lines):
        got = read("\n".join(wrapped).encode())
        assert len(got["processes"]) == 1, name
        assert numbers_of(got["processes"][0]) == numbers_of(expected), name
        assert got["processes"][0]["gc"] == expected["gc"], name


def merged(*logs):
    """Lines of several programs that began together, by the time that they tell."""
    timed = []
    for which, data in enumerate(logs):
        ms = 0.0
        for line in data.decode().splitlines():
            found = re.match(r"SCHED (\d+)ms", line)
            ms = float(found[1]) if found else ms
            timed.append((ms, which, len(timed), line))
    return sorted(timed)


def test_processes_are_told_apart(program):
    """By their prefixes; without any by their times."""
    binary = program(REFERENCE)
    logs = [printed(binary, "gcstall", seconds=1.5), printed(binary, "calm", seconds=1.5, procs=3)]
    alone = [numbers_of(read(data)["processes"][0]) for data in logs]
    mixed = merged(*logs)
    named = "\n".join(f"web-{which} | {line}" for _, which, _, line in mixed).encode()
    got = read(named)
    assert [p["source"] for p in got["processes"]] == ["web-0 |", "web-1 |"]
    assert [numbers_of(p) for p in got["processes"]] == alone
    unnamed = "\n".join(line for *_, line in mixed).encode()
    assert [numbers_of(p) for p in read(unnamed)["processes"]] == alone
    text = schedtrace(data=named).stdout.decode()
    assert "Process 1 of web-0 |:" in text and "Process 2 of web-1 |:" in text


def test_restarts(log):
    got = read(log * 3)
    assert len(got["processes"]) == 3
    assert len({json.dumps(numbers_of(p)) for p in got["processes"]}) == 1


def test_panic(program):
    """What a process prints when it panics is of that process, and nothing is torn."""
    with start(program(REFERENCE), "crash", "schedtrace=100") as run:
        data = run.stderr.read()
    assert run.returncode == 2 and b"panic: crash" in data
    got = read(data)
    (process,) = got["processes"]
    assert [("goroutines" in s) for s in process["snapshots"][-2:]] == [False, True]
    assert got["lines_torn"] == got["lines_stray"] == 0


def test_table_fits(log):
    """100 columns, whatever the numbers are, with and without UTF-8."""
    big = b"".join(
        b"SCHED %dms: gomaxprocs=1024 idleprocs=1023 threads=65536 spinningthreads=99 "
        b"idlethreads=9999 runqueue=123456 [%s]\n"
        b"gc %d @%d.5s 1%%: 1234+1+1 ms clock, 1+1/1/1+1 ms cpu, 65536->65536->65536 MB, "
        b"1 MB goal, 1024 P\n" % (i * 100000, b" 200" * 1024, i + 1, i * 100)
        for i in range(6)
    )
    for data in (log, big):
        for env in (UTF8, {**os.environ, "LC_ALL": "C"}):
            for args in ([], ["-f"]):
                text = schedtrace(*args, data=data, env=env).stdout.decode()
                assert all(len(line) <= 100 for line in text.splitlines()), text
                assert "SUM  GC PAUSE HEAP" in text
                assert text.isascii() == (env is not UTF8)


def test_rows(log):
    n = len(by_hand(log)[0])
    text = schedtrace("-n", "2", data=log).stdout.decode()
    assert len(re.findall(r"^ +\d+\.\d\d s ", text, re.MULTILINE)) == 2
    assert f"... {n - 2} earlier" in text
    assert (
        len(checked(schedtrace("--json", "-n", "2", data=log).stdout)["processes"][0]["snapshots"])
        == 2
    )
    text = schedtrace("--all", data=log).stdout.decode()
    assert len(re.findall(r"^ +\d+\.\d\d s ", text, re.MULTILINE)) == n


def test_help_fits_a_screen():
    lines = schedtrace("--help").stdout.decode().splitlines()
    assert len(lines) <= 24 and "GODEBUG=schedtrace=1000" in "\n".join(lines)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "in 0 lines; run the program with GODEBUG=schedtrace=1000,gctrace=1"),
        (b"GET / 200\n" * 3, "in 3 lines; run the program with"),
        (bytes(range(256)) * 100, "it is no text"),
        (gzip.compress(b"SCHED 0ms:"), "it is compressed: zcat FILE"),
        (b"go 1.23 trace\0\0\0" + bytes(100), "it is an execution trace: contrace summary FILE"),
        (b"SCHED 0ms: gomaxprocs=2 idlep\n", "is torn"),
        (b"x" * (1 << 20), "in 1 line; run"),
    ],
    ids=["empty", "other", "binary", "compressed", "trace", "torn", "one long line"],
)
def test_nothing_to_read(tmp_path, data, says):
    file = tmp_path / "log"
    file.write_bytes(data)
    done = schedtrace(file, code=1)
    assert not done.stdout
    assert done.stderr.decode().startswith(f"contrace: {file}: no line of GODEBUG=schedtrace")
    assert says in done.stderr.decode()
    got = checked(schedtrace("--json", file, code=1).stdout)
    assert got["processes"] == [] and says in got["error"]


def test_errors(tmp_path):
    assert "No such file" in schedtrace(tmp_path / "none", code=1).stderr.decode()
    assert "Is a directory" in schedtrace(tmp_path, code=1).stderr.decode()
    assert "one file at a time" in schedtrace("a", "b", code=2).stderr.decode()
    assert "either --rows or --all" in schedtrace("-n", "1", "-a", code=2).stderr.decode()
    schedtrace("-n", "0", code=2)


def peak_memory(*args, feed):
    """Its exit status and most resident memory in KiB, when it was fed."""
    run = subprocess.Popen(
        [CONTRACE, "schedtrace", *args],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with run.stdin:
        for piece in feed:
            run.stdin.write(piece)
        run.stdin.flush()
        status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
    return run.wait(timeout=300), int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


@pytest.mark.usefixtures("not_sanitized")
def test_memory_is_bounded():
    """Endless snapshots, an endless line, endless details, endless processes."""
    queues = b" 7" * 256
    head = b"SCHED %dms: gomaxprocs=256 idleprocs=0 threads=9 idlethreads=1 runqueue=0 [%s]\n"
    endless = (head % (i, queues) for i in range(60000))
    code, kib = peak_memory("-n", "5", feed=endless)
    assert code == 0 and kib < 80 << 10
    code, kib = peak_memory("-f", feed=(head % (i, queues) for i in range(3000)))
    assert code == 0 and kib < 80 << 10
    code, kib = peak_memory(feed=(b"x" * (1 << 20) for _ in range(200)))
    assert code == 1 and kib < 20 << 10
    detailed = (
        b"SCHED 0ms: gomaxprocs=2 idleprocs=0 threads=9 idlethreads=1 runqueue=0 gcwaiting=false "
        b"nmidlelocked=0 stopwait=0 sysmonwait=false\n"
    )
    goroutine = b"  G7: status=4(IO wait) m=nil lockedm=nil\n" * 10000
    code, kib = peak_memory(feed=(p for p in [detailed] + [goroutine] * 200))
    assert code == 0 and kib < 20 << 10
    code, kib = peak_memory("-n", "1", feed=(head % (0, queues) for _ in range(20000)))
    assert code == 0 and kib < 20 << 10


def follow(*args, **more):
    return subprocess.Popen(
        [CONTRACE, "schedtrace", "-f", *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=UTF8, **more,
    )  # fmt: skip


ROW = re.compile(r" *\d+ +\d+\.\d\d s ")


def rows_until(run, n):
    """Reads lines until so many rows came."""
    seen = []
    while sum(bool(ROW.match(line)) for line in seen) < n:
        line = run.stdout.readline()
        assert line, (seen, run.stderr.read())
        seen.append(line)
    return seen


def test_follow_a_program(program):
    """Rows come while it runs, and what is found as soon as it shows."""
    with start(program(REFERENCE), "storm", "schedtrace=100", seconds=60) as source:
        with follow(stdin=source.stderr) as run:
            seen = rows_until(run, 8)
            assert source.poll() is None
            assert any(re.match(r" 1 -> syscall-storm \(", line) for line in seen)
            source.kill()
            rest = run.stdout.read()
        assert run.returncode == 0
    assert "syscall-storm" in rest and "a moment, not a mean" in rest


def snapshot(ms):
    return f"SCHED {ms}ms: gomaxprocs=2 idleprocs=2 threads=4 idlethreads=1 runqueue=0 [0 0]\n"


def test_follow_a_file(tmp_path):
    """Which grows, is emptied, is replaced, until a signal comes."""
    file = tmp_path / "log"
    file.write_text(snapshot(0))
    with follow(file) as run:
        rows_until(run, 1)
        with file.open("a") as out:
            out.write(snapshot(1000)[:40])
            out.flush()
            out.write(snapshot(1000)[40:])
        rows_until(run, 1)
        file.write_text("")
        file.write_text(snapshot(2000))
        rows_until(run, 1)
        (tmp_path / "new").write_text(snapshot(3000))
        (tmp_path / "new").rename(file)
        assert "3.00 s" in rows_until(run, 1)[-1]
        run.send_signal(signal.SIGINT)
        rest = run.stdout.read()
    assert run.returncode == -signal.SIGINT
    assert "Process 1: 4 snapshots in 3.00 s" in rest


def test_follow_details(tmp_path):
    """A snapshot with details is shown when nothing more comes."""
    file = tmp_path / "log"
    file.write_text(
        "SCHED 0ms: gomaxprocs=1 idleprocs=0 threads=4 idlethreads=1 runqueue=0 gcwaiting=false "
        "nmidlelocked=0 stopwait=0 sysmonwait=false\n"
        "  P0: status=1 schedtick=1 syscalltick=0 m=0 runqsize=5 gfreecnt=0 timerslen=0\n"
    )
    with follow(file) as run:
        assert "▃" in rows_until(run, 1)[-1]
        run.send_signal(signal.SIGTERM)
        run.communicate()
    assert run.returncode == -signal.SIGTERM


def test_full_disk(tmp_path):
    """A followed log ends when nothing more can be printed."""
    file = tmp_path / "log"
    file.write_text(snapshot(0))
    with open("/dev/full", "w", encoding="ascii") as full:
        for args in (["-f"], ["-f", "--json"], []):
            done = subprocess.run(
                [CONTRACE, "schedtrace", *args, file],
                stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 1
            assert done.stderr.count("cannot write to standard output") == 1


def test_follow_as_json(log):
    out = schedtrace("-f", "--json", data=log).stdout.decode().splitlines()
    *snapshots, end = map(json.loads, out)
    VALIDATOR.validate(end)
    for snapshot in snapshots:
        OF_SNAPSHOT.validate(snapshot)
    (process,) = read(log)["processes"]
    assert [s["ms"] for s in snapshots] == [s["ms"] for s in process["snapshots"]]
    assert all(s["process"] == 1 for s in snapshots)
    assert end["processes"][0]["patterns"] == process["patterns"]


def test_nobody_reads(log):
    """As cat ends when its reader goes away."""
    run = subprocess.Popen(
        [CONTRACE, "schedtrace", "-f"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    run.stdout.close()
    with contextlib.suppress(BrokenPipeError), run.stdin:
        for _ in range(2000):
            run.stdin.write(log)
    assert run.wait(timeout=60) == -signal.SIGPIPE


@pytest.mark.usefixtures("not_sanitized")
def test_no_memory():
    """Short of memory it says so."""

    def little():
        resource.setrlimit(resource.RLIMIT_AS, (24 << 20, 24 << 20))

    head = b"SCHED %dms: gomaxprocs=256 idleprocs=0 threads=9 idlethreads=1 runqueue=0 [%s]\n"
    data = b"".join(head % (i, b" 7" * 256) for i in range(8000))
    done = subprocess.run(
        [CONTRACE, "schedtrace"], input=data, capture_output=True, preexec_fn=little, check=False
    )
    assert done.returncode == 1 and b"memory" in done.stderr.lower(), done.stderr
