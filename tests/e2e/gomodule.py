# SPDX-License-Identifier: Apache-2.0
"""The Go module go/flight: what its tests need, and how they are run."""

import functools
import os

from support import REFERENCE, SRC, TOOLCHAINS, run

FLIGHT = SRC / "go/flight"
# Modules of their own, so that go/flight itself has no dependencies.
BESIDE = [FLIGHT / "interop", FLIGHT / "example/otel"]


@functools.cache
def toolchains():
    """All that it must work with, the oldest first."""
    return sorted(
        [*TOOLCHAINS["other"], REFERENCE], key=lambda name: tuple(map(int, name[2:].split(".")))
    )


def go(*args, where=FLIGHT, toolchain=REFERENCE, env=None, timeout=800):
    """The go command. It changes no file of the module."""
    fixed = {"GOTOOLCHAIN": toolchain, "GOWORK": "off", "GOFLAGS": "-buildvcs=false -mod=readonly"}
    return run("go", *args, cwd=where, env={**os.environ, **fixed, **(env or {})}, check=False,
               timeout=timeout)  # fmt: skip


def fetch():
    """The modules that the tests of others hold it against."""
    for where in BESIDE:
        done = go("mod", "download", where=where)
        assert done.returncode == 0, done.stderr


def compile_tests():
    """With the race detector the standard library is built anew, which takes its time."""
    done = go("test", "-race", "-run", "^$", "./...", timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
