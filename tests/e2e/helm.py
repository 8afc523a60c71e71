# SPDX-License-Identifier: Apache-2.0
"""Helm: one on the PATH, else its Go module (tests/support/helm) is built once and kept under ~/.cache/contrace."""

import hashlib
import json
import os
import shutil
import subprocess

import yaml
from support import GO_ENV, SRC, alone_in_cache, go_version, need, run

SOURCE = SRC / "tests/support/helm"
CHART = SRC / "kubernetes/chart"
# Built from its module it takes itself to be for an old one.
KUBERNETES = "1.34.0"
PACKAGE = "helm.sh/helm/v3/cmd/helm"


def program():
    """The path of helm; skips the test where it cannot be had."""
    found = shutil.which("helm")
    if found:
        return found
    sources = b"".join((SOURCE / name).read_bytes() for name in ("go.mod", "go.sum"))
    key = hashlib.sha256(sources).hexdigest()[:12]
    with alone_in_cache(f"helm-{key}") as directory:
        return built(directory)


def built(directory):
    path = directory / "helm"
    if path.exists():
        return path
    need(
        go_version() >= (1, 24),
        "no Go that has or fetches the reference toolchain to build helm",
    )
    env = {**os.environ, **GO_ENV, "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    fresh = path.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", fresh, PACKAGE],
        cwd=SOURCE, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stderr.strip().splitlines() or ["go failed"]
    need(done.returncode == 0, f"helm cannot be built: {said[-1]}")
    fresh.rename(path)
    return path


def helm(directory, *arguments, check=True, env=None):
    """Runs it with a home of its own."""
    homes = {f"HELM_{kind}_HOME": str(directory / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    home = {"PATH": os.environ["PATH"], "HOME": str(directory), **homes}
    return run(program(), *arguments, check=check, env={**home, **(env or {})})


def render(directory, values=None, release="contrace", namespace="contrace"):
    """The objects that the chart makes of these values."""
    file = directory / "values.json"
    file.write_text(json.dumps(values or {}))
    done = helm(
        directory, "template", release, CHART, "--namespace", namespace, "--values", file,
        "--kube-version", KUBERNETES,
    )  # fmt: skip
    return [item for item in yaml.safe_load_all(done.stdout) if item]
