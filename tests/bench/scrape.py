# SPDX-License-Identifier: Apache-2.0
"""What a scrape of /metrics costs, with one target and with ten thousand of which each has a trace."""

import re
import signal
import time
import urllib.request

from lab import KIB, PATIENCE, Daemon, Row

SCRAPES = 200
CPU_MAX = 5  # ms: a scrape each 15 s is then a three thousandth of a core


def address_of(daemon):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in daemon.log:
            if found := re.search(r"listening on (http://\S+)", line):
                return found[1]
        time.sleep(0.01)
    raise SystemExit("contraced does not listen:\n" + "\n".join(daemon.log[-20:]))


def scrape(url):
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        return len(answer.read())


def run(lab, n):
    addresses = [f"127.1.{i // 200}.{i % 200 + 1}:{lab.port}" for i in range(n)]
    with Daemon(lab, addresses, concurrent=256, max_files=50000) as d:
        d.wait()
        d.signal(signal.SIGUSR1)
        d.wait(n)
        url = address_of(d)
        size = scrape(url)
        time.sleep(1)
        cpu = d.cpu()
        for _ in range(SCRAPES):
            scrape(url)
        cpu = (d.cpu() - cpu) * 1000 / SCRAPES
    targets = "one target" if n == 1 else f"{n:,} targets, a trace of each"
    note = f" ({size / KIB:.0f} KiB)"
    return Row.at_most(f"a scrape of `/metrics`, {targets}: CPU", CPU_MAX, cpu, "ms", 2, note)


def measure(lab, options):
    return [run(lab, n) for n in (1, max(options.targets))]
