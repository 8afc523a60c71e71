# SPDX-License-Identifier: Apache-2.0
"""Traces of what Go programs do: three real servers under load, and work of one kind.

Programs come from the module proxy. They and their traces are kept outside the tree, in
~/.cache/contrace/bench, so that what is measured before and after a change is the same.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

import pprof
from lab import MIB, PATIENCE, SRC

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
KEPT = CACHE / "contrace" / "bench"

SERVERS = {
    "caddy": "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9",
    "nats-server": "github.com/nats-io/nats-server/v2@v2.15.2",
    "prometheus": "github.com/prometheus/prometheus/cmd/prometheus@v0.316.0",
}
KINDS = ["syscalls", "annotations", "spawn", "handoffs"]

CADDYFILE = """\
{{
    admin 127.0.0.1:{profile}
}}
http://127.0.0.1:{port} {{
    respond /hello "hello"
    reverse_proxy /proxied/* 127.0.0.1:{profile}
    file_server {{
        root {work}
    }}
}}
"""
PROMETHEUS = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: self
    static_configs: [targets: ["127.0.0.1:{port}"]]
"""


def install(name):
    """The program; built if it is not there yet."""
    if not (KEPT / name).exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["go", "install", SERVERS[name]],
                       env=dict(pprof.ENVIRONMENT, GOBIN=str(KEPT)), check=True)  # fmt: skip
    return KEPT / name


def load():
    subprocess.run(["go", "build", "-o", KEPT / "load", "."], cwd=SRC / "tests/bench/load",
                   env=pprof.ENVIRONMENT, check=True)  # fmt: skip
    return KEPT / "load"


def free_ports(n):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def caddy(program, work, port, profile):
    (work / "Caddyfile").write_text(CADDYFILE.format(port=port, profile=profile, work=work))
    base = f"http://127.0.0.1:{port}"
    return (
        [program, "run", "--config", work / "Caddyfile"],
        ["http", f"{base}/hello", f"{base}/Caddyfile", f"{base}/proxied/", f"{base}/absent"],
        profile,
    )


def nats_server(program, _, port, profile):
    return (
        [program, "-a", "127.0.0.1", "-p", str(port), "--profile", str(profile)],
        ["nats", f"127.0.0.1:{port}"],
        profile,
    )


def prometheus(program, work, port, _):
    (work / "prometheus.yml").write_text(PROMETHEUS.format(port=port))
    base = f"http://127.0.0.1:{port}"
    query = f"{base}/api/v1/query?query=sum%20by%20(job)(rate(go_gc_duration_seconds_sum%5B1m%5D))"
    return (
        [program, f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        ["http", f"{base}/metrics", query, f"{base}/api/v1/labels", f"{base}/-/healthy"],
        port,
    )  # fmt: skip


COMMANDS = {"caddy": caddy, "nats-server": nats_server, "prometheus": prometheus}


@contextlib.contextmanager
def running(argv):
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def fetch(port, seconds, path):
    """The trace of so many seconds; asked for again until the server is there."""
    url = f"http://127.0.0.1:{port}/debug/pprof/trace?seconds={seconds}"
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url) as answer:
                path.write_bytes(answer.read())
            return
        except OSError:
            if time.monotonic() > given_up:
                raise
            time.sleep(0.2)


def trace_server(lab, name, size, path):
    work = lab.dir / name
    work.mkdir()
    serve, ask, profile = COMMANDS[name](install(name), work, *free_ports(2))
    seconds = 3
    with running(serve), running([load(), *ask]):
        fetch(profile, 1, path)  # when it has begun
        while True:
            fetch(profile, seconds, path)
            if path.stat().st_size >= size * MIB:
                return
            seconds *= 2


def trace(lab, name, size):
    """A trace of at least so many MiB of a server, or of work of one kind."""
    path, part = KEPT / f"{name}-{size}.trace", KEPT / f"{name}.part"
    if path.exists():
        return path
    KEPT.mkdir(parents=True, exist_ok=True)
    if name in SERVERS:
        trace_server(lab, name, size, part)
    else:
        with open(part, "wb") as out:
            subprocess.run([load(), "trace", name, str(size)], stdout=out, check=True)
    part.rename(path)
    return path
