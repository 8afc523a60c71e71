# SPDX-License-Identifier: Apache-2.0
"""A spool as a day leaves it behind: traces and records of the programs of examples/ills, made by
contraced and inspected by contrace, put under the names of a small shop's services and at times of
the last 24 hours. For the picture of the status page; only names, times and latencies are made up.
"""

import json
import math
import random
import shutil
import subprocess
import time

from support import contraced, wait_until

HOST = "web-1"
# What a service is like, and what it had when: from and to, in hours before now.
STORY = {
    "checkout": ("healthy", [("lock-convoy", 13.2, 12.3), ("lock-convoy", 1.1, 0)]),
    "search": ("healthy", [("gc-churn", h + 0.5, h) for h in (21, 15, 9, 3)]),
    "gateway": ("healthy", [("slow-http", 7.4, 6.1)]),
    "payments": ("healthy", [("slow-peer", 7.3, 6.2)]),
    "reports": ("idle", [("cpu-starved", 17.5, 15.8)]),
    "archiver": ("idle", [("syscalls", 18.9, 18.2), ("syscalls", 0.7, 0.2)]),
    "inventory": ("healthy", [("imbalance", 4.6, 3.9)]),
    "sessions": ("idle", [("stuck-run", 10.6, 10.3)]),
}
INTERVAL, SECONDS = 300, 2  # the defaults of contraced, which the pages name
TRIES = 5  # the quietest counts: others may use this machine, too
LEAST = 5000  # nanoseconds; less is too good to be true


class Program:
    """One of examples/ills, on a unix socket."""

    def __init__(self, binary, ill, directory):
        self.socket = directory / f"{ill}.sock"
        self.process = subprocess.Popen(
            [str(binary), "-ill", ill, "-listen", f"unix:{self.socket}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(f"{ill} listens", self.socket.exists)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()


def sample(binary, ill, directory):
    """A trace of it and its record, as contraced writes them."""
    spool = directory / f"sample-{ill}-{time.monotonic_ns()}"
    with Program(binary, ill, directory) as program:
        time.sleep(0.4)
        done = contraced(
            "--once", f"--target=it=unix:{program.socket}", f"--storage.path={spool}",
            f"--seconds={SECONDS}",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (trace,) = spool.rglob("*.trace")
    return trace, json.loads(trace.with_suffix(".json").read_text())


def latency_of(sampled):
    return sampled[1]["summary"]["scheduler"]["latency"]["p99_ns"]


def usual_sample(binary, ill, directory):
    some = [sample(binary, ill, directory) for _ in range(TRIES)]
    return min(some, key=lambda s: (latency_of(s) < LEAST, latency_of(s)))


def write(spool, service, at, pid, trace, record, latency):
    stamp = time.strftime("%Y%m%d/%H%M%S", time.gmtime(at))
    path = spool / "archive" / service / HOST / f"{stamp}-{pid}.trace"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trace, path)
    scheduler = record["summary"]["scheduler"]
    factor = latency / scheduler["latency"]["p99_ns"]
    numbers = {
        k: int(v * factor) if k.endswith("_ns") else v for k, v in scheduler["latency"].items()
    }
    start = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
    summary = {**record["summary"], "scheduler": {**scheduler, "latency": numbers}}
    own = {"service": service, "host": HOST, "pid": pid, "job": service, "start": start,
           "summary": summary}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps({**record, **own}, indent=2) + "\n")


def ill_at(service, hours):
    usual, spells = STORY[service]
    return next((ill for ill, a, b in spells if b <= hours <= a), usual)


def tell(spool, binary, directory, seed=5):
    """Fills the spool; each service's trace of now."""
    draw, pool, now = random.Random(seed), {}, time.time()
    for n, (service, (usual, _)) in enumerate(STORY.items()):
        pool[service, usual] = usual_sample(binary, usual, directory)
        pid, at = 700 + 31 * n, now - draw.uniform(20, INTERVAL)
        while at > now - 86400:
            ill = ill_at(service, (now - at) / 3600)
            if (service, ill) not in pool:
                pool[service, ill] = sample(binary, ill, directory)
                assert pool[service, ill][1]["label"] not in ("healthy", "idle"), ill
            least = latency_of(pool[service, usual]) * (1 if ill == usual else 1.5)
            latency = max(latency_of(pool[service, ill]), least) * math.exp(draw.gauss(0, 0.25))
            write(spool, service, at, pid, *pool[service, ill], latency)
            at -= INTERVAL * draw.uniform(0.95, 1.05)
    return {s: pool[s, ill_at(s, 0)][0].read_bytes() for s in STORY}
