# SPDX-License-Identifier: Apache-2.0
"""A live trace, broken off anywhere and cut where framing says, is one that Go's own reader takes.

`go tool trace -pprof=` also opens a trace that breaks off, as far as it goes, and exits 0;
`-d` reads strictly and fails on anything that is not whole. Both are asked.
"""

import os
import pathlib
import random
import re
import shutil
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("CONTRACE_BUILD_DIR", "."))
FRAMECUT = BUILD / "tests/support/framecut"

PROGRAM = """package main

import (
	"context"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	stop := time.Now().Add(500 * time.Millisecond)
	var group sync.WaitGroup
	baton := make(chan int)
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Now().Before(stop) {
				ctx, task := trace.NewTask(context.Background(), "round")
				trace.WithRegion(ctx, "pass", func() {
					select {
					case baton <- 1:
					case <-baton:
					case <-time.After(time.Millisecond):
					}
				})
				task.End()
				time.Sleep(500 * time.Microsecond)
			}
		}()
	}
	group.Wait()
	trace.Stop()
}
"""

pytestmark = [
    pytest.mark.reading,
    pytest.mark.skipif(not shutil.which("go"), reason="no Go toolchain on the PATH"),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A trace of half a second with a generation every 100 ms."""
    work = tmp_path_factory.mktemp("live")
    (work / "go.mod").write_text("module live\n\ngo 1.21\n")
    (work / "main.go").write_text(PROGRAM)
    env = dict(os.environ, GOFLAGS="-buildvcs=false")
    subprocess.run(["go", "build", "-o", "live", "."], cwd=work, env=env, check=True, timeout=300)
    env["GODEBUG"] = "traceadvanceperiod=100000000"
    path = work / "live.trace"
    with open(path, "wb") as out:
        subprocess.run([work / "live"], stdout=out, env=env, check=True, timeout=60)
    return path


def framecut(path, *options):
    run = subprocess.run(
        [FRAMECUT, *map(str, options), path], stdout=subprocess.PIPE, text=True, timeout=60
    )
    assert run.returncode in (0, 1)
    fields = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", run.stdout.strip()))
    return {k: int(v) if v.lstrip("-").isdigit() else v for k, v in fields.items()}


def go_reads(path):
    sched = subprocess.run(
        ["go", "tool", "trace", "-pprof=sched", path], capture_output=True, timeout=300
    )
    strict = subprocess.run(
        ["go", "tool", "trace", "-d=parsed", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert sched.returncode == 0, sched.stderr
    return strict.returncode == 0, strict.stderr


def test_whole(live):
    cut = framecut(live)
    assert cut["format"] == "v2"
    assert cut["finish"] == 1
    assert cut["generations"] >= 3
    assert cut["whole_bytes"] == live.stat().st_size
    ok, text = go_reads(live)
    assert ok, text


def test_broken_off_anywhere(live, tmp_path):
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    rand = random.Random(seed)
    size = live.stat().st_size

    ends = {}
    for n in sorted(rand.sample(range(16, size), 150)):
        cut = framecut(live, "-n", n, "-p", rand.choice([1, 17, 1000, 16384]))
        assert cut["whole_bytes"] <= n
        assert cut["finish"] in (0, 1) if cut["whole_bytes"] else cut["finish"] < 0
        ends.setdefault(cut["whole_bytes"], (cut["generations"], n))
    assert [generations for generations, _ in ends.values()] == sorted(g for g, _ in ends.values())
    assert len(ends) >= 3

    for whole, (generations, n) in ends.items():
        if whole == 0:
            continue
        out = tmp_path / f"cut-{whole}.trace"
        framecut(live, "-n", n, "-o", out)
        assert out.read_bytes() == live.read_bytes()[:whole]
        again = framecut(out)
        assert (again["finish"], again["generations"]) == (1, generations)
        ok, text = go_reads(out)
        assert ok, f"cut at {whole}: {text}"


def test_uncut_is_refused(live, tmp_path):
    """The strict reading is strict: without it the test above would prove little."""
    torn = tmp_path / "torn.trace"
    torn.write_bytes(live.read_bytes()[: live.stat().st_size // 2])
    ok, _ = go_reads(torn)
    assert not ok
