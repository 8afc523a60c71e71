# SPDX-License-Identifier: Apache-2.0
"""contrace verify: what it says of whole, cut, damaged and foreign files, and what it salvages.

Live traces are cut anywhere; what is salvaged is a prefix of them that Go's strict reader takes.
"""

import fcntl
import os
import random
import re
import signal
import subprocess
import termios

import pytest
from gotools import TOOLCHAINS, build, old_trace
from programs import MIX
from support import BUILD, SRC, assert_go_reads, run, wait_until

CONTRACE = BUILD / "contrace"
SEEDS = SRC / "tests/fuzz/corpus/framing"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="module", params=TOOLCHAINS)
def live(request, traced):
    """A small trace with a generation every 50 ms."""
    return traced(MIX, request.param, "-s", "0.2", "-w", "1", period=50)


def verify(*argv, status=1, **more):
    done = run(CONTRACE, "verify", *argv, check=False, **more)
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def line(*argv, status=1, **more):
    """The one line about the one file, without its name."""
    lines = verify(*argv, status=status, **more).stdout.splitlines()
    assert len(lines) == 1, lines
    return lines[0].split(": ", 1)[1]


def kept_of(text):
    found = re.search(r"whole before it: (\d+) generations?, (\d+) bytes$", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def test_whole(live, tmp_path):
    text = line(live, status=0)
    assert re.fullmatch(r"complete: go 1\.\d\d, \d+ generations, [\d.]+[KM]iB", text), text
    assert line("-", status=0, stdin=open(live, "rb")) == text
    piped = subprocess.Popen(["cat", live], stdout=subprocess.PIPE)
    assert line("-", status=0, stdin=piped.stdout) == text
    piped.wait()
    line("--salvage", tmp_path / "out", live, status=0)
    assert (tmp_path / "out").read_bytes() == live.read_bytes()


def positions(data, seed):
    """Where to cut: the first bytes, around each generation's end, the last bytes, and anywhere."""
    rand = random.Random(seed)
    some = {rand.randrange(16, len(data)) for _ in range(int(os.environ.get("VERIFY_CUTS", "60")))}
    return sorted(some | set(range(20)) | set(range(len(data) - 4, len(data))))


def test_cut_anywhere(live, tmp_path):
    """What is whole is kept; between two batches, only Go 1.26 lets a cut be told from an end."""
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    data, cut, out = live.read_bytes(), tmp_path / "cut", tmp_path / "out"
    total = int(re.search(r"(\d+) generation", line(live, status=0))[1])
    seen = set()
    for n in positions(data, seed):
        cut.write_bytes(data[:n])
        text = line(cut)
        if n < 16:
            assert text.startswith("not a trace: "), (n, text)
            continue
        assert text.startswith(f"truncated at byte {n}: "), (n, text)
        generations, kept = kept_of(text)
        assert kept <= n and generations < total
        if kept == 0:
            assert text.endswith("; nothing before it is whole"), text
        elif kept not in seen:
            seen.add(kept)
            assert line("--force", "--salvage", out, cut) == text
            assert out.read_bytes() == data[:kept]
            assert_go_reads(out)
            assert f" {generations} generation" in line(out, status=0)
            cut.write_bytes(data[: kept - 1])
            assert kept_of(line(cut))[0] == generations - 1
    assert len(seen) > 1


def damage(data, at):
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def test_damaged_anywhere(live, tmp_path):
    """One byte is wrong: if that is noticed, what was whole before it is kept and Go reads it."""
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    rand = random.Random(seed)
    data, bad, out = live.read_bytes(), tmp_path / "bad", tmp_path / "out"
    contradictions, seen = 0, set()
    for _ in range(int(os.environ.get("VERIFY_DAMAGES", "60"))):
        at = rand.randrange(16, len(data))
        bad.write_bytes(damage(data, at))
        done = run(CONTRACE, "verify", bad, check=False)
        text = done.stdout.strip().split(": ", 1)[1]
        if text.startswith("complete: "):
            assert done.returncode == 0
            continue
        assert done.returncode == 1
        assert re.match(r"contradicts itself at byte \d+|truncated at byte \d+", text), text
        contradictions += text.startswith("contradicts")
        kept = kept_of(text)[1]
        if kept == 0:
            assert "nothing to salvage" in verify("--force", "--salvage", out, bad).stderr
        elif kept not in seen:
            seen.add(kept)
            verify("--force", "--salvage", out, bad)
            assert out.read_bytes() == bad.read_bytes()[:kept]
            line(out, status=0)
            assert_go_reads(out)
    assert contradictions > 5 and seen


def test_garbage_behind_a_trace(live, tmp_path):
    path = tmp_path / "t"
    whole, size = live.read_bytes(), live.stat().st_size
    for garbage, name in [
        (b"\x07\x07\x07\x07", "expected a batch, found event type 7"),
        (b"listening on :8080\n", "text in the trace, as if the program printed into it: "
                                  '"listening on :8080"...'),
        (whole, "another trace begins here, of " + whole[:7].decode() + ": there are two in one file"),
    ]:  # fmt: skip
        path.write_bytes(whole + garbage)
        text = line(path)
        assert text.startswith(f"contradicts itself at byte {size}: {name}; "), text


def test_misnested_regions(tmp_path):
    """What the program does wrong is told, and is no damage."""
    build(SRC / "tests/support/annotator", tmp_path / "annotator")
    path = tmp_path / "t"
    with open(path, "wb") as out:
        subprocess.run([tmp_path / "annotator", "misnested"], stdout=out, check=True, timeout=60)
    text = line(path, status=0)
    assert re.match(r"complete: go 1.26, \d+ generations?, .*; the program ends \d+ regions in the "
                    r"wrong order, where Go's own reader stops$", text), text  # fmt: skip


@pytest.mark.parametrize(
    "data, text",
    [
        (b"", "not a trace: empty"),
        (b"<html>\n<body>gateway time-out at once</body>",
         'not a trace: not a Go execution trace; begins with "<html>\\n<body>gateway tim"'),
        (b"go 1.2", 'not a trace: ends within the header; begins with "go 1.2"'),
        (b"go 1.26 trace\0\0\0", "truncated at byte 16: nothing after the header; "
         "nothing before it is whole"),
        (b"go 1.27 trace\0\0\0\3bc", "unknown format: trace format go 1.27 is not known: expected a "
         "batch, found event type 3"),
        (b"go 1.29 trace\0\0\0\3bc", "unknown format: trace format go 1.29 is not known"),
        (b"go 1.11 trace\0\0\0abc", "old format: a trace of Go 1.11, whose format (Go 1.11 to 1.21) "
         "is not analysed"),
        (b"\x1b[2J\xff\x80", 'not a trace: not a Go execution trace; begins with '
         '"\\x1b[2J\\xff\\x80"'),
    ],
)  # fmt: skip
def test_other_files(tmp_path, data, text):
    path = tmp_path / "t"
    path.write_bytes(data)
    assert line(path) == text
    done = verify("-o", tmp_path / "out", path)
    assert "there is nothing to salvage" in done.stderr
    assert sorted(tmp_path.iterdir()) == [path]


def test_old_format(tmp_path):
    path = tmp_path / "old.trace"
    path.write_bytes(old_trace(tmp_path))
    assert line(path).startswith("old format: a trace of Go 1.21")


def test_what_cannot_be_read(tmp_path):
    whole = SEEDS / "live-go1.26.8"
    missing, directory = tmp_path / "missing", tmp_path / "directory"
    directory.mkdir()
    done = verify(missing, directory, whole)
    assert done.stderr.splitlines() == [
        f"contrace: {missing}: No such file or directory",
        f"contrace: {directory}: Is a directory",
    ]
    assert done.stdout.splitlines()[0].startswith(f"{whole}: ")
    if os.geteuid() != 0:
        missing.touch(0o000)
        assert "Permission denied" in verify(missing).stderr


def test_names_stay_on_one_line(tmp_path):
    path = tmp_path / "a\nb: complete"
    path.write_bytes(b"x")
    assert verify(path).stdout.startswith(f"{tmp_path}/a\\nb: complete: not a trace")


def test_salvage_refuses_to_overwrite(live, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    assert f"{out} exists; --force replaces it" in verify("--salvage", out, live).stderr
    assert out.read_text() == "mine"
    line("--salvage", out, "--force", live, status=0)
    assert out.read_bytes() == live.read_bytes()
    assert sorted(tmp_path.iterdir()) == [out]
    line("--salvage", out, "--force", out, status=0)
    assert out.read_bytes() == live.read_bytes()
    assert "Is a directory" in verify("--force", "--salvage", tmp_path, live).stderr
    assert "No such file" in verify("--salvage", tmp_path / "no/out", live).stderr


def test_salvage_from_a_pipe(live, tmp_path):
    data, out = live.read_bytes(), tmp_path / "out"
    piped = subprocess.Popen(["head", "-c", str(len(data) - 1), live], stdout=subprocess.PIPE)
    text = line("--salvage", out, "-", stdin=piped.stdout)
    piped.wait()
    assert out.read_bytes() == data[: kept_of(text)[1]]
    assert_go_reads(out)


def test_failing_disk():
    """What a large generation is kept in is mapped: where that cannot be read any more, there is a
    message and the status 1, and no crash."""
    its, ours = os.pipe()
    child = subprocess.Popen([CONTRACE, "verify", "-"], stdin=its, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)  # fmt: skip
    os.write(ours, b"go 1.26 trace\0\0\0")
    unread = bytes(4)
    wait_until("reads", lambda: fcntl.ioctl(its, termios.FIONREAD, unread) == unread)
    child.send_signal(signal.SIGBUS)
    out, err = child.communicate(timeout=60)
    os.close(ours)
    os.close(its)
    assert (child.returncode, out) == (1, "") and "could not be read, meanwhile" in err


def test_full_disk(live):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run([CONTRACE, "verify", live], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"No space left" in done.stderr


def test_usage(tmp_path):
    for argv in [[], ["--salvage", tmp_path / "o", "a", "b"], ["--force", "a"], ["--what", "a"]]:
        verify(*argv, status=2)
