# SPDX-License-Identifier: Apache-2.0
"""A spool as a day leaves it behind: traces and records of the programs of examples/ills, made by
contraced and inspected by contrace, put under the names of a small shop's services and at times of
the last 24 hours. For the picture of the status page; only names, times and latencies are made up.
"""

import calendar
import json
import math
import os
import random
import shutil
import subprocess
import time

from support import BUILD, contraced, wait_until

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
    "sessions": ("idle", [("stuck", 10.6, 10.3)]),
}
INTERVAL = 300


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
    """A trace of it, its record and its label, as contraced writes them."""
    spool = directory / "samples" / ill
    with Program(binary, ill, directory) as program:
        time.sleep(0.5)
        done = contraced("--once", f"--target=it=unix:{program.socket}", f"--storage.path={spool}",
                         "--seconds=1", env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    (trace,) = spool.rglob("*.trace")
    return trace, json.loads(trace.with_suffix(".json").read_text())


def write(spool, service, at, pid, trace, record, draw):
    stamp = time.strftime("%Y%m%d/%H%M%S", time.gmtime(at))
    path = spool / "archive" / service / HOST / f"{stamp}-{pid}.trace"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trace, path)
    latency = record["summary"]["scheduler"]["latency"]
    factor = math.exp(draw.gauss(0, 0.25))
    latency = {k: int(v * factor) if k.endswith("_ns") else v for k, v in latency.items()}
    summary = {**record["summary"], "scheduler": {**record["summary"]["scheduler"], "latency": latency}}
    start = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(calendar.timegm(time.gmtime(at))))
    own = {"service": service, "host": HOST, "pid": pid, "job": service, "start": start,
           "target": f"http://127.0.0.1:6060/debug/pprof/trace", "summary": summary}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps({**record, **own}, indent=2) + "\n")


def tell(spool, binary, directory, seed=5):
    """Fills the spool; returns how many captures there are."""
    draw, pool, count, now = random.Random(seed), {}, 0, time.time()
    for n, (service, (usual, spells)) in enumerate(STORY.items()):
        pid, at = 700 + 31 * n, now - draw.uniform(20, INTERVAL)
        while at > now - 86400:
            hours = (now - at) / 3600
            ill = next((ill for ill, a, b in spells if b <= hours <= a), usual)
            if ill not in pool:
                pool[ill] = sample(binary, ill, directory)
            write(spool, service, at, pid, *pool[ill], draw)
            at -= INTERVAL * draw.uniform(0.95, 1.05)
            count += 1
    return count
