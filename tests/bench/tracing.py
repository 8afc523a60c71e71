# SPDX-License-Identifier: Apache-2.0
"""What a trace costs the service that is traced: throughput, latency and CPU, with and without.

Two Go services are asked by `httpload`, whose clients run on the same machine: its own service on
net/http (a page of JSON a request), and versitygw, which verifies a signature and reads a file. Under
each load windows come in pairs, one without a trace and one with /debug/pprof/trace running, which of
them first by turns. What else the machine does changes slowly, so that a pair's ratio says more than two
averages: a row is the median of the ratios, with the quartiles.

The last rows are contraced itself: it takes two seconds each minute, and every other minute it is
suspended. That is five times as often as by default.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from lab import BUILD, HERE, KIB, PATIENCE, SRC, Row, median, quantile

sys.path.insert(0, str(SRC / "tests/e2e"))

from s3server import ACCESS_KEY, REGION, SECRET_KEY, binary  # noqa: E402
from support import REFERENCE  # noqa: E402

CLIENTS = 8
WINDOW = 2  # seconds
SETTLE = 0.3  # before a window: the tracer has started, the connections are made
MINUTE = 60
OBJECT = 16 * KIB
GO = dict(os.environ, GOTOOLCHAIN=REFERENCE, GOFLAGS="-buildvcs=false", GOWORK="off")

MEASURES = {
    "requests a second": lambda w: w["requests"] / w["seconds"],
    "p50": lambda w: w["p50_ns"],
    "p99": lambda w: w["p99_ns"],
    "CPU a request": lambda w: w["cpu"] / w["requests"],
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Service:
    """A Go service with net/http/pprof on `pprof`, which answers `url`."""

    def __init__(self, name, argv, url, pprof):
        self.name, self.url, self.pprof = name, url, pprof
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(["curl", "-sf", "-o", os.devnull, url], check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not serve {url}")
            time.sleep(0.1)

    def close(self):
        self.process.kill()
        self.process.wait()

    def cpu(self):
        """Nanoseconds of CPU so far, of all threads, those that have ended too."""
        ticks = 0
        with contextlib.suppress(FileNotFoundError):
            fields = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
            ticks = int(fields[11]) + int(fields[12])
        return ticks * 1e9 / os.sysconf("SC_CLK_TCK")


def shop(lab, load):
    port = free_port()
    return Service("net/http", [load, "-serve", f"127.0.0.1:{port}"],
                   f"http://127.0.0.1:{port}/shop", f"127.0.0.1:{port}")  # fmt: skip


def presigned(port):
    """Asked for as it is, again and again. botocore comes with scripts/test-tools."""
    import botocore.config
    import botocore.session

    session = botocore.session.get_session()
    session.set_credentials(ACCESS_KEY, SECRET_KEY)
    client = session.create_client(
        "s3",
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        config=botocore.config.Config(s3={"addressing_style": "path"}, signature_version="s3v4"),
    )
    return client.generate_presigned_url(
        "get_object", Params={"Bucket": "bench", "Key": "object"}, ExpiresIn=86400
    )


def gateway(lab, load):
    root, port, pprof = lab.dir / "s3", free_port(), free_port()
    (root / "bench").mkdir(parents=True)
    (root / "bench/object").write_bytes(os.urandom(OBJECT))
    return Service(
        "versitygw",
        [binary(), "--quiet", "--keep-alive", "--port", f"127.0.0.1:{port}", "--access", ACCESS_KEY,
         "--secret", SECRET_KEY, "--region", REGION, "--pprof", f"127.0.0.1:{pprof}", "posix",
         str(root)],
        presigned(port), f"127.0.0.1:{pprof}",
    )  # fmt: skip


@contextlib.contextmanager
def traced(service, seconds):
    """A trace runs, and is thrown away as it comes."""
    url = f"http://{service.pprof}/debug/pprof/trace?seconds={seconds}"
    curl = subprocess.Popen(["curl", "-sf", "-w", "%{size_download}", "-o", os.devnull, url],
                            stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        yield curl
    finally:
        curl.wait()


def window(load, service, rate, seconds=WINDOW):
    cpu = service.cpu()
    done = subprocess.run(
        [load, "-url", service.url, "-clients", str(CLIENTS), "-seconds", str(seconds), "-rate",
         str(rate)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    if seen["failures"] or not seen["requests"]:
        raise SystemExit(f"{service.name}: {done.stdout}")
    seen["cpu"] = service.cpu() - cpu
    return seen


def pair(load, service, rate, traced_first):
    """(without, with), taken in this order or the other."""
    seen = {}
    for with_trace in (True, False) if traced_first else (False, True):
        if with_trace:
            with traced(service, WINDOW + 2 * SETTLE):
                time.sleep(SETTLE)
                seen[True] = window(load, service, rate)
        else:
            time.sleep(SETTLE)
            seen[False] = window(load, service, rate)
    return seen[False], seen[True]


def rows_of(what, pairs, measures):
    """Median and quartiles of the pairs' ratios, and what they are ratios of."""
    for name in measures:
        of = MEASURES[name]
        ratios = [of(b) / of(a) for a, b in pairs]
        plain, other = (median([of(w) for w in side]) for side in zip(*pairs, strict=True))
        change = [100 * (r - 1) for r in (median(ratios), quantile(ratios, 0.25),
                                          quantile(ratios, 0.75))]  # fmt: skip
        yield Row(
            f"{what}: {name}", "",
            f"{change[0]:+.1f}% ({change[1]:+.1f} to {change[2]:+.1f}); "
            f"{in_words(name, plain)} → {in_words(name, other)}",
        )  # fmt: skip


def in_words(name, value):
    return f"{value:,.0f}" if name == "requests a second" else f"{value / 1000:,.0f} µs"


def windows(load, service, n):
    """As fast as it goes, then at half of that."""
    fast = [pair(load, service, 0, i % 2 == 1) for i in range(n)]
    yield from rows_of(f"{service.name}, busy ({n} pairs)", fast, MEASURES)
    rate = int(median([w["requests"] / w["seconds"] for w, _ in fast]) / 2)
    half = [pair(load, service, rate, i % 2 == 1) for i in range(n)]
    yield from rows_of(f"{service.name}, {rate:,} requests a second", half,
                       ["p50", "p99", "CPU a request"])  # fmt: skip


def sampled(lab, load, service, n):
    """contraced in every other minute."""
    config = lab.dir / "sampled.yaml"
    config.write_text(
        f"global: {{scrape_interval: {MINUTE}s, seconds: 2, max_duty_cycle: 5%}}\n"
        "scrape_configs:\n- job_name: bench\n"
        f"  static_configs: [{{targets: ['{service.pprof}']}}]\n"
        f"storage: {{path: {lab.dir}/sampled, min_free: 0%}}\n"
    )
    argv = [BUILD / "contraced", f"--config.file={config}", "--web.listen-address=off"]
    daemon = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        pairs = []
        daemon.send_signal(signal.SIGUSR2)  # suspended
        for _ in range(n):
            plain = window(load, service, 0, MINUTE)
            daemon.send_signal(signal.SIGUSR2)
            pairs.append((plain, window(load, service, 0, MINUTE)))
            daemon.send_signal(signal.SIGUSR2)
    finally:
        daemon.terminate()
        daemon.wait()
    kept = len(list((lab.dir / "sampled/archive").rglob("*.trace")))
    if kept < n:
        raise SystemExit(f"contraced kept {kept} traces in {n} minutes")
    what = f"{service.name}, busy, contraced takes 2 s of {MINUTE} ({n} pairs)"
    return list(rows_of(what, pairs, MEASURES))


def measure(lab, options):
    if not shutil.which("go"):
        return [Row("what a trace costs the service", "", "no Go toolchain on the PATH")]
    load = lab.dir / "httpload"
    subprocess.run(["go", "build", "-o", load, "."], cwd=HERE / "httpload", env=GO, check=True)
    rows = []
    for start in (shop, gateway):
        service = start(lab, load)
        try:
            window(load, service, 0)  # what is made once is there
            rows += windows(load, service, options.tracing_pairs)
            if start is shop and options.tracing_minutes:
                rows += sampled(lab, load, service, options.tracing_minutes)
        finally:
            service.close()
    return rows
