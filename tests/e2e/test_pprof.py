# SPDX-License-Identifier: Apache-2.0
"""contrace pprof gives what `go tool trace -pprof=` gives, sample by sample.

Go's versions differ in what they count: what is compared with is the toolchain on the PATH, which
reads the traces of all older ones. Regions are compared with what its web page for them gives.
"""

import gzip
import os
import pty
import re
import subprocess
import urllib.parse
import urllib.request

import pytest
from gotools import REFERENCE, TOOLCHAINS, environment
from pprofs import Profile, assert_equal
from programs import go_program
from support import BUILD, SRC, run

CONTRACE = BUILD / "contrace"
KINDS = ["sched", "sync", "net", "syscall"]
# Programs of Go's own trace tests; cgo-callback has goroutines that live more than once.
PROGRAMS = ["annotations", "annotations-stress", "cgo-callback", "futile-wakeup", "gc-stress",
            "iter-pull", "stress", "stress-start-stop", "wait-on-pipe"]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("pprof")


def contrace(*argv, status=0, **more):
    done = run(CONTRACE, "pprof", *argv, check=False, **more)
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def ours(trace, kind, out, *options):
    contrace(f"--{kind}", "--force", "-o", out, *options, trace)
    return Profile(out)


def theirs(trace, kind, out):
    with open(out, "wb") as file:
        subprocess.run(
            ["go", "tool", "trace", f"-pprof={kind}", trace],
            stdout=file,
            check=True,
            env=environment(),
            timeout=300,
        )
    return Profile(out)


def total(profile):
    return tuple(map(sum, zip(*profile.samples.values()))) or (0, 0)


def compare(trace, kind, tmp_path):
    profile = ours(trace, kind, tmp_path / "ours")
    assert_equal(profile, theirs(trace, kind, tmp_path / "go"))
    return total(profile)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_mix(mix, toolchain, kind, tmp_path):
    assert compare(mix(toolchain), kind, tmp_path)[0] > 20


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(traced, name, tmp_path):
    trace = traced(go_program(name))
    for kind in KINDS:
        compare(trace, kind, tmp_path)


def test_what_does_not_end(traced, tmp_path):
    """The profiles stay as Go's: they have only what ended within the trace."""
    trace = traced(SRC / "tests/support/hanging")
    for kind in KINDS:
        compare(trace, kind, tmp_path)
    functions = [
        function for stack in ours(trace, "sync", tmp_path / "ours").samples for function in stack
    ]
    assert any("(*Store).Ask" in str(function) for function in functions)
    assert not any("main.publish" in str(function) for function in functions)


@pytest.mark.parametrize("toolchain", TOOLCHAINS[:-1])
def test_callbacks_of_older_toolchains(traced, toolchain, tmp_path):
    trace = traced(go_program("cgo-callback"), toolchain)
    for kind in KINDS:
        compare(trace, kind, tmp_path)


def test_go_opens_it(mix, tmp_path):
    out = tmp_path / "out"
    contrace("--sched", "-o", out, mix(REFERENCE))
    top = subprocess.run(
        ["go", "tool", "pprof", "-top", out],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
        timeout=120,
    ).stdout
    assert "Type: delay" in top and "main.(*mix).locks" in top, top


@pytest.fixture(scope="module")
def web(mix):
    """`go tool trace`'s pages: a function from path and query to a profile's bytes."""
    with subprocess.Popen(
        ["go", "tool", "trace", "-http=127.0.0.1:0", mix(REFERENCE)], stderr=subprocess.PIPE,
        text=True, env=dict(environment(), BROWSER="true", PATH=os.environ["PATH"]),
    ) as process:  # fmt: skip
        try:
            for line in process.stderr:
                found = re.search(r"http://[\d.:]+", line)
                if found:
                    break
            assert found

            def ask(page, **query):
                url = f"{found[0]}/{page}?{urllib.parse.urlencode(query)}&raw=1"
                with urllib.request.urlopen(url, timeout=60) as answer:
                    return answer.read()

            yield ask
        finally:
            process.kill()


PAGES = {
    "sched": "regionsched",
    "sync": "regionblock",
    "net": "regionio",
    "syscall": "regionsyscall",
}


@pytest.mark.parametrize("region", ['outer "quoted"', "inner", "as long as the trace", "none such"])
def test_regions(web, mix, region, tmp_path):
    seen = 0
    for kind in KINDS:
        (tmp_path / "go").write_bytes(web(PAGES[kind], type=region))
        profile = ours(mix(REFERENCE), kind, tmp_path / "ours", f"--region={region}")
        assert_equal(profile, Profile(tmp_path / "go"))
        seen += len(profile.samples)
    assert (seen > 0) == (region != "none such")


def test_tasks(mix, tmp_path):
    """All regions of a task's type count, and of both conditions what fulfils both."""
    trace, out = mix(REFERENCE), tmp_path / "out"
    outer = ours(trace, "sched", out, '--region=outer "quoted"')
    parts = [ours(trace, "sched", out, f"--task=task{i}") for i in range(4)]
    assert all(p.samples for p in parts)
    assert total(outer) == tuple(map(sum, zip(*map(total, parts))))
    inner = ours(trace, "sched", out, "--region=inner")
    parts = [ours(trace, "sched", out, f"--task=task{i}", "--region=inner") for i in range(4)]
    assert total(inner) == tuple(map(sum, zip(*map(total, parts))))
    assert not ours(trace, "sched", out, "--task=none such").samples


def test_labels(mix, tmp_path):
    """They tell samples of a stack apart, and change no sum."""
    trace, out = mix(REFERENCE), tmp_path / "out"
    for kind in KINDS:
        plain, labelled = ours(trace, kind, out), ours(trace, kind, out, "--labels")
        assert not any(labels for _, labels in plain.labelled)
        assert labelled.samples == plain.samples
    sched = ours(trace, "sched", out, "--labels")
    tasks = {None, "as long as the trace", *(f"task{i}" for i in range(4))}
    assert {*sched.labels("task")} == tasks
    assert {"inner", "as long as the trace"} < {*sched.labels("region")}
    assert {"chan receive", "preempted", "sleep"} < {*sched.labels("wait_reason")}
    waits = ours(trace, "sync", out, "--labels").labels("wait_reason")
    assert "chan receive" in waits and all(
        re.search("chan|sync|select", reason) for reason in waits
    ), waits
    assert {*ours(trace, "net", out, "--labels").labels("wait_reason")} == {"network"}
    assert {*ours(trace, "syscall", out, "--labels").labels("wait_reason")} == {None}


def test_labels_as_go_reads_them(mix, tmp_path):
    out = tmp_path / "out"
    contrace("--sync", "--labels", "-o", out, mix(REFERENCE))
    tags = subprocess.run(
        ["go", "tool", "pprof", "-tags", out],
        capture_output=True, text=True, check=True, env=environment(), timeout=120,
    ).stdout  # fmt: skip
    for label in ("task:", "region:", "wait_reason:", "chan receive"):
        assert label in tags, tags


def test_sandbox(mix, tmp_path):
    """Confined, it gives the same; what else it would read or write is refused."""
    for kind in KINDS:
        with open(mix(REFERENCE), "rb") as trace:
            done = subprocess.run(
                [CONTRACE, "pprof", f"--{kind}", "--labels", "--sandbox", "-"],
                stdin=trace, stdout=subprocess.PIPE, check=True, timeout=60,
            )  # fmt: skip
        contrace(f"--{kind}", "--labels", "-f", "-o", tmp_path / "out", mix(REFERENCE))
        assert done.stdout == (tmp_path / "out").read_bytes()
    for argv in ([mix(REFERENCE)], ["-o", tmp_path / "no", "-"]):
        assert "--sandbox" in contrace("--sched", "--sandbox", *argv, status=2).stderr
    (tmp_path / "old").write_bytes(b"go 1.21 trace\0\0\0abc")
    with open(tmp_path / "old", "rb") as trace:
        contrace("--sched", "--sandbox", "-", stdin=trace, status=3)


def test_window(mix, tmp_path):
    """Nothing is lost between windows, but what spans two is counted in both."""
    trace, out = mix(REFERENCE), tmp_path / "out"
    whole = total(ours(trace, "sync", out))
    parts = [ours(trace, "sync", out, "--until=200ms"),
             ours(trace, "sync", out, "--since=200ms", "--until=0.4s"),
             ours(trace, "sync", out, "--since=400ms")]  # fmt: skip
    totals = [total(p) for p in parts]
    assert all(t[0] > 0 for t in totals)
    assert sum(t[1] for t in totals) == whole[1]
    assert whole[0] <= sum(t[0] for t in totals) <= whole[0] + 200
    assert not ours(trace, "sync", out, "--since=1h").samples
    inner = ours(trace, "sync", out, "--since=200ms", "--until=400ms", "--region=inner")
    assert total(inner)[1] <= total(ours(trace, "sync", out, "--region=inner"))[1]


def test_pipes(mix, tmp_path):
    """From a pipe, also where the trace is read twice, and to one."""
    trace = mix(REFERENCE)
    for options in ([], ["--region=inner"]):
        ours(trace, "sched", tmp_path / "file", *options)
        with open(tmp_path / "pipe", "wb") as out:
            cat = subprocess.Popen(["cat", trace], stdout=subprocess.PIPE)
            subprocess.run(
                [CONTRACE, "pprof", "--sched", *options, "-"],
                stdin=cat.stdout,
                stdout=out,
                check=True,
                timeout=60,
            )
            cat.wait()
        assert (tmp_path / "pipe").read_bytes() == (tmp_path / "file").read_bytes()
        to = subprocess.run(
            [CONTRACE, "pprof", "--sched", *options, "-o", "-", trace],
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        ).stdout
        assert to == (tmp_path / "file").read_bytes()


def test_terminal_refused(mix):
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [CONTRACE, "pprof", "--sched", mix(REFERENCE)],
            stdout=slave,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == 2 and "not for a terminal" in done.stderr


def test_existing_file(mix, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    assert "--force replaces it" in contrace("--net", "-o", out, mix(REFERENCE), status=1).stderr
    assert out.read_text() == "mine"
    contrace("--net", "-f", "-o", out, mix(REFERENCE))
    assert gzip.decompress(out.read_bytes())
    assert list(tmp_path.iterdir()) == [out]


def test_broken_off(mix, tmp_path):
    """The generations before the cut count, as in Go; the exit status says that it is cut."""
    for toolchain in ["go1.22.12", "go1.25.8", REFERENCE]:
        data, cut = mix(toolchain).read_bytes(), tmp_path / "cut"
        cut.write_bytes(data[: len(data) * 3 // 4])
        for kind in KINDS:
            out = tmp_path / "out"
            done = contrace(f"--{kind}", "-f", "-o", out, cut, status=1)
            assert re.search(
                r"\(offset \d+\); the profile is of the generations before that\n", done.stderr
            )
            assert_equal(Profile(out), theirs(cut, kind, tmp_path / "go"))


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"go 1.21 trace\0\0\0abc", b"go 1.29 trace\0\0\0"]
)
def test_no_trace(tmp_path, data):
    (tmp_path / "t").write_bytes(data)
    for only in ([], ["--region=r"], ["--task=t"]):  # with these, it is read twice
        done = contrace("--sched", *only, "-o", tmp_path / "out", tmp_path / "t", status=1)
        assert done.stderr.startswith(f"contrace: {tmp_path}/t: "), (only, done.stderr)
        assert done.stderr.endswith(" (offset 0)\n"), (only, done.stderr)
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_unreadable(tmp_path):
    assert "No such file" in contrace("--sched", tmp_path / "none", status=1).stderr
    assert "Is a directory" in contrace("--sched", tmp_path, status=1).stderr


def test_full_disk(mix):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [CONTRACE, "pprof", "--sched", mix(REFERENCE)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize(
    "argv",
    [[], ["t"], ["--sched"], ["--sched", "--net", "t"], ["--sched", "t", "u"],
     ["--sched", "--since=2s", "--until=1s", "t"], ["--sched", "--since=x", "t"], ["--cpu", "t"]],
)  # fmt: skip
def test_usage(argv):
    assert contrace(*argv, status=2).stderr
