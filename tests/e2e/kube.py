# SPDX-License-Identifier: Apache-2.0
"""Manifests for tests: rendered by kustomize, judged by Kubernetes' own code and schemas.

The former is a Go program (tests/support/kubecheck), built once and kept under ~/.cache/contrace.
"""

import hashlib
import json
import os
import pathlib
import re

from support import GO_ENV, SRC, go_version, need, run

SOURCE = SRC / "tests/support/kubecheck"


def cache():
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    directory = pathlib.Path(caches) / "contrace"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def last_line(done):
    return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]


def kubecheck():
    """The path of the program."""
    sources = [SOURCE / name for name in ("go.mod", "go.sum", "main.go")]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    program = cache() / f"kubecheck-{key}"
    if program.exists():
        return program
    need(
        go_version() >= (1, 22),
        "no Go that has or fetches the reference toolchain to build kubecheck",
    )
    # It may ask for a newer Go than the one that is here: that is fetched.
    env = {**os.environ, **GO_ENV, "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    fresh = program.with_suffix(f".{os.getpid()}")
    done = run("go", "build", "-trimpath", "-o", fresh, ".", cwd=SOURCE, env=env, check=False,
               timeout=600)  # fmt: skip
    need(done.returncode == 0, f"kubecheck cannot be built: {last_line(done)}")
    fresh.rename(program)
    return program


def render(directory):
    """The objects that kustomize makes of a directory below kubernetes/."""
    done = run(kubecheck(), "build", SRC / "kubernetes" / directory)
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(objects):
    """What the API server would say against them; None if nothing."""
    text = "\n".join(json.dumps(item) for item in objects)
    done = run(kubecheck(), "check", input=text, check=False)
    assert done.returncode == 0 or done.stderr, "kubecheck failed without a word"
    assert done.returncode != 0 or len(done.stdout.splitlines()) == len(objects), done.stdout
    return done.stderr.strip() if done.returncode != 0 else None


def only(objects, kind):
    found = [item for item in objects if item["kind"] == kind]
    assert len(found) == 1, [item["kind"] for item in objects]
    return found[0]


def plain(name):
    """A ConfigMap's name without the hash that kustomize appends."""
    return re.sub(r"-[0-9a-z]{10}$", "", name)


def config_map(objects, name):
    """The data of a ConfigMap, by its plain name."""
    maps = {plain(m["metadata"]["name"]): m for m in objects if m["kind"] == "ConfigMap"}
    return maps[name]["data"]


def environment(container, objects, facts):
    """A container's environment as the kubelet makes it; facts: {fieldPath: value}."""
    env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    for source in container.get("envFrom", []):
        env.update(config_map(objects, plain(source["configMapRef"]["name"])))
    for item in container.get("env", []):
        field = item.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        env[item["name"]] = facts[field] if field else item["value"]
    return env


def size(text):
    """A quantity such as 512Mi or 1GiB in bytes."""
    units = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    text = text.removesuffix("B")
    return int(text[:-2]) * units[text[-2:]]
