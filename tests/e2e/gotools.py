# SPDX-License-Identifier: Apache-2.0
"""Go programs for tests: Go's own trace reader, and programs that write traces.

Nobody outside the Go tree may import internal/trace, so traceevents is built against a copy of the
reference's: exactly its reader, and nothing of it in this repository.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import support
from support import OLD, REFERENCE, SRC, need

# The reference is the last.
TOOLCHAINS = [*support.TOOLCHAINS["other"], REFERENCE]

# What the reader consists of, below internal/.
READER = ["trace", "txtar"]
NOT_READER = {"testdata", "traceviewer", "testgen"}
# A test helper among its files that reaches further into the tree.
LEFT_OUT = re.compile(r"_test\.go$|^(helpers|validation|platforms)\.go$")


def environment(toolchain=REFERENCE):
    return dict(os.environ, GOFLAGS="-buildvcs=false -mod=mod", GOTOOLCHAIN=toolchain)


def goroot():
    need(shutil.which("go"), "no Go toolchain on the PATH")
    out = subprocess.run(
        ["go", "env", "GOROOT"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment(),
        timeout=60,
    )
    return pathlib.Path(out.stdout.strip())


def build(where, out, toolchain=REFERENCE, what=".", flags=()):
    """Builds a Go program; skips the test if the toolchain cannot be had."""
    run = subprocess.run(
        ["go", "build", *flags, "-o", out, what],
        cwd=where,
        env=environment(toolchain),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    fetched = (
        "golang.org/toolchain" not in run.stdout and "toolchain not available" not in run.stdout
    )
    need(fetched, f"{toolchain} cannot be had: {run.stdout.strip()}")
    assert run.returncode == 0, run.stdout


def old_trace(work):
    """What a program of Go 1.21 writes, in the format before 1.22."""
    top = work / "old"
    top.mkdir()
    (top / "go.mod").write_text("module old\n\ngo 1.21\n")
    (top / "main.go").write_text(
        'package main\n\nimport (\n\t"os"\n\t"runtime/trace"\n)\n\n'
        "func main() {\n\ttrace.Start(os.Stdout)\n\ttrace.Stop()\n}\n"
    )
    build(top, top / "program", OLD)
    return subprocess.check_output([top / "program"], timeout=60)


def copy_reader(internal, to, module):
    for part in READER:
        source = internal / part
        target = to / "trace" if part == "trace" else to / "trace" / part
        for path in source.rglob("*.go"):
            inside = path.relative_to(source)
            if LEFT_OUT.search(path.name) or NOT_READER & set(inside.parts):
                continue
            text = path.read_text()
            text = text.replace('"internal/trace', f'"{module}/trace')
            text = text.replace('"internal/txtar"', f'"{module}/trace/txtar"')
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            (target / inside).write_text(text)


# Go's reader stops where a region ends that is not the innermost one, and its Summarizer takes the
# innermost one whatever ends. With this both take the one that is meant, and go on.
LENIENT = {
    "order.go": (
        r"(?<=\n\t)if next := s\.regions\[.*?\n\ts\.regions = s\.regions\[.*?\n\treturn nil\n",
        """for i := len(s.regions) - 1; i >= 0; i-- {
		if s.regions[i] == r {
			s.regions = append(s.regions[:i], s.regions[i+1:]...)
			break
		}
	}
	return nil
""",
    ),
    "summary.go": (
        r"(?<=\t)n := len\(regionStk\)\n.*?g\.activeRegions = regionStk\n",
        """n := len(regionStk)
			for n > 1 && (regionStk[n-1].Name != r.Type || regionStk[n-1].TaskID != r.Task) {
				n--
			}
			sd = regionStk[n-1]
			g.activeRegions = append(regionStk[:n-1], regionStk[n:]...)
""",
    ),
}


# MutatorUtilizationV2 counts on a P for whoever stops or starts while it works for the collector. In some
# traces there is none, or one that GOMAXPROCS no longer has, and it panics. With this it counts nobody there.
ON_ITS_P = re.compile(r"ps\[ev\.Proc\(\)\]\.gc(\+\+|--)")
IF_IT_HAS_ONE = r"if p := ev.Proc(); p >= 0 && int(p) < len(ps) { ps[p].gc\1 }"


def make_steady(top):
    path = top / "trace" / "gc.go"
    text, n = ON_ITS_P.subn(IF_IT_HAS_ONE, path.read_text())
    assert n > 0, "Go's gc.go is another"
    path.write_text(text)


def make_lenient(top):
    for name, (strict, lenient) in LENIENT.items():
        path = top / "trace" / name
        text, n = re.subn(strict, lenient, path.read_text(), flags=re.DOTALL)
        assert n == 1, f"Go's {name} is another"
        path.write_text(text)


def build_with_reader(work, module, lenient=False):
    """The path of the program in tests/support/MODULE with Go's reader, built in work."""
    internal = goroot() / "src" / "internal"
    name = f"{module}-lenient" if lenient else module
    top = work / name
    shutil.copytree(SRC / "tests/support" / module, top)
    copy_reader(internal, top, module)
    make_steady(top)
    if lenient:
        make_lenient(top)
    build(top, work / f"{name}.bin")
    return work / f"{name}.bin"


def build_traceevents(work):
    return build_with_reader(work, "traceevents")


def build_gosum(work, lenient=False):
    return build_with_reader(work, "gosum", lenient)


def stack_table(work):
    """Which functions tell what a stack waits for: read out of the source, for gosum."""
    source = (SRC / "trace/stack/stackclass.c").read_text()
    source = re.sub(r"BOTH\((\w+), ([\w |]+)\)", r"\1 | \2", source)
    names = re.findall(r'\{NAME\("([^"]+)"\),\s*([\w |]+)\}', source)
    assert len(names) == source.count('{NAME("')
    path = work / "classes.json"
    words = {name: kind.replace("STACK_", "").replace(" ", "") for name, kind in names}
    path.write_text(json.dumps(words))
    return path


def second_generation(data):
    """Of a trace of Go 1.26: where its second generation's batches have their content, and how much."""
    at, found, ends = 16, [], 0
    while at < len(data):
        kind = data[at]
        at += 1 + (kind == 49)
        if kind == 52:
            ends += 1
            continue
        numbers = []
        for _ in range(4):
            value, shift = 0, 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            numbers.append(value)
        if ends == 1:
            found.append((at, numbers[3]))
        at += numbers[3]
    return found


def spoil_second_generation(data):
    """Its events make no sense any more; where its batches begin and end is as it was."""
    for at, n in second_generation(data):
        if n > 1000:
            data[at + 500 : at + 600] = b"\xff" * 100
