#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_causes, fuzz_goroutines, fuzz_gotrace, fuzz_profile and fuzz_summary into
tests/fuzz/corpus.

They are traces of a few milliseconds of tests/support/tracemix, one for each format, built with Go
toolchains that the go command fetches itself. The first two bytes of a seed of fuzz_goroutines,
fuzz_gotrace and fuzz_profile are not part of the trace: what is asked for or the longest piece (minus
one), and bounds.
"""

import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
MIX = HERE.parent / "support" / "tracemix"
TOOLCHAINS = ["go1.22.12", "go1.23.12", "go1.25.8", "go1.26.8"]
ASKED = {"go1.22.12": b"\x00\x00", "go1.26.8": b"\x05\xff"}
LISTED = {"go1.22.12": b"\xc1\x20", "go1.26.8": b"\x20\xff"}


def mix(toolchain, work, *options):
    env = dict(os.environ, GOTOOLCHAIN=toolchain, GOFLAGS="-buildvcs=false")
    program = work / toolchain
    subprocess.run(["go", "build", "-o", program, "."], cwd=MIX, env=env, check=True)
    env["GODEBUG"] = "traceadvanceperiod=20000000"
    return subprocess.run(
        [program, "-w", "1", *options], env=env, check=True, stdout=subprocess.PIPE
    ).stdout


def write(name, trace):
    before = {"gotrace": b"\x06\x00", "summary": b""}
    if name == "empty" or name.removeprefix("mix-") in ASKED:
        before["goroutines"] = LISTED.get(name.removeprefix("mix-"), b"\x00\x00")
        before["causes"] = b""
        before["profile"] = ASKED.get(name.removeprefix("mix-"), b"\x00\x00")
    for target, first in before.items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        (CORPUS / target / name).write_bytes(first + trace)


def main():
    write("empty", b"")
    write("old", b"go 1.21 trace\0\0\0")
    with tempfile.TemporaryDirectory() as work:
        for toolchain in TOOLCHAINS:
            trace = mix(toolchain, pathlib.Path(work), "-s", "0.001")
            write(f"mix-{toolchain}", trace)


main()
