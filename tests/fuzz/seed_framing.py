#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_framing into tests/fuzz/corpus/framing.

    seed_framing.py                 the hand-made ones
    seed_framing.py --live          real traces as well: a tiny program built with one Go toolchain
                                    for each format, fetched by the go command itself

The first two bytes of a seed are not part of the stream: the longest piece (minus one) and, in the
lowest bit, whether the stream ends cleanly.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

OUT = pathlib.Path(__file__).resolve().parent / "corpus" / "framing"
CLEAN, BROKEN = b"\x06\x01", b"\x06\x00"
BATCH, FREQUENCY, EXPERIMENTAL, SYNC, END = 1, 8, 49, 50, 52
TOOLCHAINS = ["go1.21.13", "go1.22.12", "go1.23.12", "go1.25.8", "go1.26.8"]

PROGRAM = """package main

import (
	"os"
	"runtime/trace"
	"time"
)

func main() {
	trace.Start(os.Stdout)
	time.Sleep(25 * time.Millisecond)
	trace.Stop()
}
"""


def header(minor):
    return b"go 1.%d trace\0\0\0" % minor


def number(value, width=0):
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(gen, payload, experiment=None):
    kind = bytes([BATCH]) if experiment is None else bytes([EXPERIMENTAL, experiment])
    # The runtime leaves ten bytes for the size and fills them all.
    head = kind + number(gen) + number(2**64 - 1) + number(123456)
    return head + number(len(payload), 10) + payload


def generation(minor, gen):
    clock = bytes([SYNC if minor >= 25 else FREQUENCY]) + number(10**9)
    out = batch(gen, clock) + batch(gen, b"\x04" + b"\x05\x01\x03abc") + batch(gen, b"\x0a" * 40)
    if minor >= 23:
        out += batch(gen, b"\x80\x81", experiment=1)
    return out + (bytes([END]) if minor >= 26 else b"")


def hand_made():
    seeds = {
        "empty": CLEAN,
        "short": CLEAN + b"go 1.2",
        "html": CLEAN + b"<html><body>404 page not found</body></html>",
        "unknown-version": CLEAN + b"go 1.24 trace\0\0\0",
        "next-version": CLEAN + header(27) + generation(27, 1) + generation(27, 2),
        "old": CLEAN + header(19) + bytes(range(64)),
        "end-too-early": CLEAN + header(26) + bytes([END]),
        "end-in-1.25": CLEAN + header(25) + generation(25, 1) + bytes([END]),
        "generation-0": CLEAN + header(22) + batch(0, b"\x08\x01"),
        "leap": CLEAN + header(26) + generation(26, 1) + generation(26, 3),
        "wraparound": CLEAN + header(26) + generation(26, 2**64 - 1) + generation(26, 4),
        "text-within": BROKEN + header(26) + generation(26, 1) + b"listening on :8080\n",
        "text-at-the-end": CLEAN + header(26) + generation(26, 1) + b"ok\n",
        "hardly-text": CLEAN + header(26) + generation(26, 1) + b"ok\n\x03",
        "no-clock": CLEAN + header(22) + batch(1, b"\x0a") + batch(2, b"\x0a"),
        "too-big": CLEAN + header(22) + bytes([BATCH, 1, 1, 1]) + number(65537),
        "long-number": CLEAN + header(22) + bytes([BATCH]) + b"\xff" * 11,
        "empty-batches": CLEAN
        + header(22)
        + batch(1, b"") * 3
        + batch(1, b"\x08\x01")
        + batch(2, b""),
    }
    for minor in (22, 23, 25, 26):
        body = header(minor) + b"".join(generation(minor, gen) for gen in (7, 8, 9))
        seeds[f"whole-1.{minor}"] = CLEAN + body
        seeds[f"broken-1.{minor}"] = BROKEN + body[:-30]
    return seeds


def live():
    seeds = {}
    with tempfile.TemporaryDirectory() as tmp:
        pathlib.Path(tmp, "go.mod").write_text("module tiny\n\ngo 1.21\n")
        pathlib.Path(tmp, "main.go").write_text(PROGRAM)
        for toolchain in TOOLCHAINS:
            env = dict(os.environ, GOTOOLCHAIN=toolchain, GOFLAGS="-trimpath -buildvcs=false")
            subprocess.run(["go", "build", "-o", "tiny", "."], cwd=tmp, env=env, check=True)
            env["GODEBUG"] = "traceadvanceperiod=10000000"
            run = subprocess.run([f"{tmp}/tiny"], env=env, check=True, stdout=subprocess.PIPE)
            seeds[f"live-{toolchain}"] = CLEAN + run.stdout
    return seeds


def main():
    seeds = hand_made()
    if "--live" in sys.argv[1:]:
        seeds.update(live())
    OUT.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        assert len(data) <= 64 << 10, f"{name}: {len(data)} bytes"
        (OUT / name).write_bytes(data)
    print(f"{len(seeds)} seeds in {OUT}")


if __name__ == "__main__":
    main()
