# SPDX-License-Identifier: Apache-2.0
"""Fetches and builds, once, what the tests need beside packages: run by scripts/test-tools.

It all goes to ~/.cache/contrace and to Go's own caches, so that the tests need no network and do not build
the same thing twice. What cannot be had is said; its tests are skipped then, or fail with CI=true.
"""

import concurrent.futures
import os
import subprocess
import sys
import time

import apiserver
import axe
import azurite
import gomodule
import helm
import kube
import patient
import promtool
import pytest
import s3server
from support import GO_ENV, TOOLCHAINS, run

# Fetched by processes that wait for the network, or built by ones that do not: two at a time.
AT_ONCE = 2


def toolchain(name):
    done = run(
        "go",
        "version",
        env={**os.environ, **GO_ENV, "GOTOOLCHAIN": name},
        check=False,
        timeout=1200,
    )
    if done.returncode != 0:
        pytest.skip(f"{name} cannot be fetched: {done.stderr.strip()}")


def container_images():
    """The tree that nspawn boots, and the image with what a build needs."""
    import image

    with image.Images() as images:
        images.tools()


def steps():
    for names in TOOLCHAINS.values():
        for name in names:
            yield name, toolchain, [name]
    yield "versitygw", s3server.binary, []
    yield "kubecheck", kube.kubecheck, []
    yield "kube-apiserver and etcd", apiserver.programs, []
    yield "helm", helm.program, []
    yield "modules for go/flight", gomodule.fetch, []
    yield "modules for the patient", patient.fetch, []
    yield "go/flight with the race detector", gomodule.compile_tests, []
    yield "azurite", azurite.binary, []
    yield "axe-core", axe.script, []
    yield "promtool", promtool.program, ["promtool"]
    yield "prometheus", promtool.program, ["prometheus"]


def steps_of_root():
    yield "a Debian for containers", container_images, []


def carry_out(step):
    name, function, arguments = step
    started = time.monotonic()
    try:
        function(*arguments)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        return f"{name}: {missing}"
    except (OSError, AssertionError, subprocess.SubprocessError) as failure:
        return f"{name}: {failure!r}"
    took = time.monotonic() - started
    if took > 1:
        print(f"test-tools: {name} ({took:.0f} s)", flush=True)
    return None


def main():
    todo = [] if "--only-root" in sys.argv else list(steps())
    if os.getuid() == 0:
        todo += steps_of_root()
    # The reference toolchain builds others.
    problems = [carry_out(step) for step in todo[:1]]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        problems += pool.map(carry_out, todo[1:])
    problems = [problem for problem in problems if problem]
    for problem in problems:
        print(f"test-tools: cannot be had: {problem}")
    return 1 if problems and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
