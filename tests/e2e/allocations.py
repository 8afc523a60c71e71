# SPDX-License-Identifier: Apache-2.0
"""A program of which one allocation fails: its own, of its libraries or of libc, by
tests/support/failalloc.c."""

import mmap
import os
import pathlib
import re
import struct
import subprocess

from support import BUILD, need

SHIM = BUILD / "tests/support/failalloc.so"
HEAD, SIZE = 4 * 8, 4 * 8 + 8192  # struct control


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

    def arm(self, fail=-1):
        """Counts from here, and fails number `fail`, from 0."""
        self.map[:] = struct.pack("4q", 1, fail, 0, 0) + bytes(SIZE - HEAD)

    def disarm(self):
        """(how many were made, whether one failed)"""
        _, _, made, failed = struct.unpack("4q", self.map[:HEAD])
        self.map[0:8] = struct.pack("q", 0)
        return made, bool(failed)

    def place(self):
        """Where it failed, as lines of the source."""
        lines = []
        for at in self.map[HEAD:].split(b"\0")[0].decode().splitlines():
            found = re.match(r"(.+)\((.*)\+(0x[0-9a-f]+)\)", at)
            if not found:
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
