# SPDX-License-Identifier: Apache-2.0
"""tests/support/patient: a Go service that falls ill when it is told to, with the metrics of a library."""

import os
import subprocess
import urllib.request

from support import GO_ENV, SRC, go_version, need

SOURCE = SRC / "tests/support/patient"
LIBRARIES = ["client_golang", "victoria", "flight"]


def metric(library, name):
    """What a library calls it."""
    if library == "victoria":
        return {
            "waits": "go_mutex_wait_seconds_total",
            "gc": "go_gc_cpu_seconds_total",
        }.get(name) or {"latencies": "go_sched_latencies_seconds", "goroutines": "go_goroutines"}[
            name
        ]
    return {
        "waits": "go_sync_mutex_wait_total_seconds_total",
        "gc": "go_cpu_classes_gc_total_cpu_seconds_total",
        "latencies": "go_sched_latencies_seconds",
        "goroutines": "go_goroutines",
    }[name]


def env():
    return {**os.environ, **GO_ENV, "GOFLAGS": "-buildvcs=false -mod=readonly", "CGO_ENABLED": "0"}


def fetch():
    subprocess.run(["go", "mod", "download"], cwd=SOURCE, check=True, timeout=1200, env=env())


def build(path):
    need(go_version() >= (1, 26), "no Go that has or fetches the reference toolchain")
    subprocess.run(
        ["go", "build", "-trimpath", "-o", str(path), "."], cwd=SOURCE, check=True, timeout=900,
        env=env(),
    )  # fmt: skip
    return path


class Patient:
    def __init__(self, binary, library):
        self.process = subprocess.Popen(
            [str(binary), f"-metrics={library}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.address = self.process.stdout.readline().strip()
        assert self.address, "it did not start"

    def fall_ill(self, of):
        request = urllib.request.Request(f"http://{self.address}/ill?of={of}", method="POST")
        with urllib.request.urlopen(request, timeout=60):
            pass

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def rules(library):
    """What an operator might write, with a poll each three seconds."""

    def rule(name, **about):
        return {"name": name, "metrics": {"poll_interval": "3s"}, "for": 2, "cooldown": "1h",
                "capture": ["trace"], **about}  # fmt: skip

    return [
        rule("lock", rate=metric(library, "waits"), above=2),
        rule(
            "cpu", histogram=metric(library, "latencies"), above="10ms", share="20%", min_count=20
        ),
        rule("gc", rate=metric(library, "gc"), above=0.3),
        rule("leak", gauge=metric(library, "goroutines"), above=3000),
        rule("growth", gauge=metric(library, "goroutines"), growth="200%", over="1m"),
    ]
