# SPDX-License-Identifier: Apache-2.0
"""A program of which one allocation fails, or some in a row: its own, of its libraries or of libc,
by tests/support/failalloc.c."""

import mmap
import os
import pathlib
import re
import struct
import subprocess

from support import BUILD, need

SHIM = BUILD / "tests/support/failalloc.so"
HEAD, PLACE = 5 * 8, 8192
SIZE = HEAD + 2 * PLACE  # struct control


class Allocations:
    """What is counted in processes of this program that are started with `env`."""

    def __init__(self, directory, program):
        need(SHIM.exists(), f"no {SHIM}: make check builds it")
        self.path = pathlib.Path(directory) / f"allocations-{program}"
        self.path.write_bytes(bytes(SIZE))
        self.program = program
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def env(self, base=None):
        return {
            **(os.environ if base is None else base),
            "LD_PRELOAD": str(SHIM),
            "FAILALLOC_FILE": str(self.path),
            "FAILALLOC_PROGRAM": self.program,
        }

    def arm(self, fail=-1, count=1, at_loop=False):
        """Counts from here, or from the event loop's first turn, and fails `count` from number
        `fail` on, from 0; -1: none."""
        state = struct.pack("5q", 2 if at_loop else 1, fail, count if fail >= 0 else 0, 0, 0)
        self.map[:] = state + bytes(SIZE - HEAD)

    def disarm(self):
        """(how many were made, whether one failed)"""
        _, _, _, made, failed = struct.unpack("5q", self.map[:HEAD])
        self.map[0:8] = struct.pack("q", 0)
        return made, bool(failed)

    def place(self):
        """Where the first failed, as lines of the source."""
        return frames(self.map[HEAD : HEAD + PLACE])

    def end(self):
        """Where a signal ended the program; empty: none did."""
        return frames(self.map[HEAD + PLACE :])


def frames(note):
    """As lines of the source, or "LIBRARY: symbol", the innermost first."""
    lines = []
    for at in note.split(b"\0")[0].decode().splitlines():
        found = re.match(r"(.+)\((.*)\+(0x[0-9a-f]+)\)", at)
        if not found or found[1] == str(SHIM):
            continue
        program, symbol, offset = found.groups()
        if "/lib" in program:
            lines.append(f"{pathlib.Path(program).name}: {symbol or offset}")
            continue
        done = subprocess.run(
            ["addr2line", "-fse", program, f"{int(offset, 16) - 1:#x}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines.append(" ".join(done.stdout.split()))
    return lines
