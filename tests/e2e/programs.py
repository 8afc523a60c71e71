# SPDX-License-Identifier: Apache-2.0
"""Go programs, each built once, and what they traced, each run once, for all tests of a session."""

import pathlib
import subprocess

import pytest
from gotools import (
    REFERENCE,
    build,
    build_gosum,
    build_traceevents,
    environment,
    goroot,
    stack_table,
)
from support import SRC

MIX = SRC / "tests/support/tracemix"


def go_program(name):
    """One of Go's own trace tests, a single file."""
    return goroot() / "src/internal/trace/testdata/testprog" / f"{name}.go"


class Programs:
    def __init__(self, top):
        self.top = top
        self.built = {}
        self.written = {}

    def program(self, source, toolchain=REFERENCE, flags=()):
        """Built from a directory, or from one file."""
        source = pathlib.Path(source)
        key = (source, toolchain, tuple(flags))
        if key not in self.built:
            out = self.top / f"{len(self.built)}-{source.stem}-{toolchain}"
            where, what = (self.top, source) if source.is_file() else (source, ".")
            build(where, out, toolchain, what, flags)
            self.built[key] = out
        return self.built[key]

    def trace(self, source, toolchain=REFERENCE, *options, flags=(), period=200):
        """What it writes to its standard output, with a generation every `period` milliseconds."""
        key = (pathlib.Path(source), toolchain, options, tuple(flags), period)
        if key not in self.written:
            program = self.program(source, toolchain, flags)
            path = self.top / f"{len(self.written)}-{program.name}.trace"
            env = dict(environment(), GODEBUG=f"traceadvanceperiod={period * 1000000}")
            with open(path, "wb") as out:
                subprocess.run([program, *options], stdout=out, env=env, check=True, timeout=120)
            self.written[key] = path
        return self.written[key]


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def traced(programs):
    """A function from a program, a toolchain and options to the path of its trace, which stays."""
    return programs.trace


@pytest.fixture(scope="session")
def mix(traced):
    """A function from a toolchain to the path of a live trace of a bit of everything."""
    return lambda toolchain: traced(MIX, toolchain, "-cpu", "-s", "0.8", period=150)


@pytest.fixture(scope="session")
def gosum(tmp_path_factory):
    """A program that adds up a trace with Go's own reader and Summarizer."""
    return build_gosum(tmp_path_factory.mktemp("gosum"))


@pytest.fixture(scope="session")
def traceevents(tmp_path_factory):
    """A program that prints a trace's events as Go's own reader gives them."""
    return build_traceevents(tmp_path_factory.mktemp("traceevents"))


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Which functions tell what a stack waits for."""
    return stack_table(tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="session")
def textual(traceevents, tmp_path_factory):
    """Go's textual test traces as files, with the word SUCCESS or FAILURE for each."""
    out = tmp_path_factory.mktemp("textual")
    tests = goroot() / "src/internal/trace/testdata/tests"
    argv = [traceevents, "corpus", tests, out]
    listing = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    verdicts = dict(line.split() for line in listing.stdout.splitlines())
    assert len(verdicts) >= 20
    return {out / f"{name}.trace": verdict for name, verdict in verdicts.items()}
