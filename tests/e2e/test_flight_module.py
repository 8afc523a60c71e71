# SPDX-License-Identifier: Apache-2.0
"""The Go module go/flight, with each Go that it is for."""

import os

import promtool
import pytest
from gomodule import BESIDE, FLIGHT, go, toolchains
from support import BUILD, REFERENCE, go_version, need

pytestmark = pytest.mark.reading


@pytest.fixture(scope="module", autouse=True)
def go_is_here():
    need(go_version() >= (1, 22), "no Go that has or fetches the reference toolchain")


def passes(*args, **kwargs):
    done = go(*args, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def all_pass(*args, **kwargs):
    """No test is skipped, either."""
    said = passes("test", "-count=1", "-v", *args, "./...", **kwargs)
    assert "--- PASS" in said
    skipped = [line for line in said.splitlines() if line.startswith("--- SKIP")]
    assert not skipped


def judges():
    """Programs that its tests ask."""
    return {"CONTRACE": str(BUILD / "contrace"), "PROMTOOL": str(promtool.program("promtool"))}


def test_with_the_race_detector():
    passes("vet", "./...")
    all_pass("-race", env={**judges(), "CGO_ENABLED": "1"})


@pytest.mark.parametrize("toolchain", [toolchains()[0], toolchains()[-1]])
def test_with_the_oldest_and_the_newest(toolchain):
    passes("vet", "./...", toolchain=toolchain)
    all_pass(toolchain=toolchain, env=judges())


@pytest.mark.parametrize("toolchain", [t for t in toolchains()[1:-1] if t != REFERENCE])
def test_builds_with_those_between(toolchain):
    passes("build", "-o", os.devnull, "./example/nethttp", toolchain=toolchain)


@pytest.mark.parametrize("where", BESIDE, ids=lambda path: path.name)
def test_beside_others(where):
    """client_golang has the same metrics; OpenTelemetry's spans are found in a recording."""
    passes("vet", "./...", where=where)
    all_pass(where=where)


def test_it_has_no_dependencies():
    assert passes("list", "-m", "all").split() == ["github.com/contrace/contrace/go/flight"]
    assert not (FLIGHT / "go.sum").exists()
