# SPDX-License-Identifier: Apache-2.0
"""Polls of metrics for rules: what one costs, what ten thousand targets cost, and how soon after the
poll that crosses an incident's first request is on the wire."""

import json
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from lab import BUILD, KIB, MIB, Row, median, quantile

PAGE = 200 * KIB
SMALL_PAGE = 12 * KIB  # client_golang's own metrics with those of the runtime
INTERVAL = 15  # s
POLL_MAX = 1  # ms of CPU for PAGE
LOAD_MAX = 70  # % of a core for 10,000 targets
DELAY_MAX = 20  # ms
MEMORY_MAX = 4  # KiB a target and rule

RULE = {"name": "busy", "gauge": "go_goroutines", "above": 1000, "for": 1, "cooldown": "1h",
        "metrics": {"poll_interval": f"{INTERVAL}s"}, "capture": ["trace"]}  # fmt: skip
HISTOGRAM = {"name": "slow", "histogram": "http_request_duration_seconds", "match": {"handler": "/h3"},
             "above": 0.3, "share": "50%", "metrics": {"poll_interval": f"{INTERVAL}s"}}  # fmt: skip


def page(size, goroutines):
    """As a service of that size has it: histograms by handler, and the runtime's gauge."""
    lines = ["# HELP go_goroutines Number of goroutines that currently exist.",
             "# TYPE go_goroutines gauge", f"go_goroutines {goroutines}",
             "# HELP http_request_duration_seconds How long requests took.",
             "# TYPE http_request_duration_seconds histogram"]  # fmt: skip
    length, handler = sum(map(len, lines)), 0
    while length < size:
        labels = f'handler="/h{handler}",method="GET",code="200"'
        for le in (
            "0.005",
            "0.01",
            "0.025",
            "0.05",
            "0.1",
            "0.25",
            "0.5",
            "1",
            "2.5",
            "5",
            "10",
            "+Inf",
        ):
            lines.append(
                f'http_request_duration_seconds_bucket{{{labels},le="{le}"}} {handler * 37 + 1000}'
            )
            length += len(lines[-1]) + 1
        lines.append(f"http_request_duration_seconds_sum{{{labels}}} {handler * 1.7 + 0.25}")
        lines.append(f"http_request_duration_seconds_count{{{labels}}} {handler * 37 + 1000}")
        length += len(lines[-1]) + len(lines[-2]) + 2
        handler += 1
    return "\n".join(lines) + "\n"


class Services:
    def __init__(self, lab, size):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=lab.dir))
        for name, goroutines in (("calm", 10), ("ill", 5000)):
            (self.dir / name).write_text(page(size, goroutines))
        self.process = subprocess.Popen(
            [lab.build("pollserver", "pollserver.c"), self.dir / "calm", self.dir / "ill"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.read().decode()

    def fall_ill(self):
        try:
            self.ask("/ill")
        except urllib.error.HTTPError:
            pass

    def served(self):
        return int(self.ask("/log").splitlines()[0])

    def delays(self):
        """ms from the page that crosses to the request for a trace."""
        rows = [list(map(int, line.split())) for line in self.ask("/log").splitlines()[1:]]
        return [(asked - crossed) / 1e3 for _, crossed, asked in rows if asked]


class Watcher:
    """A contraced that polls n services."""

    def __init__(self, lab, services, n, rules):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=lab.dir))
        addresses = [f"127.1.{i // 200}.{i % 200 + 1}:{services.port}" for i in range(n)]
        config = {
            "global": {"scrape_interval": "365d", "seconds": 0.01, "max_concurrent_captures": 256},
            "scrape_configs": [{"job_name": "bench", "static_configs": [{"targets": addresses}]}],
            "storage": {"path": str(self.dir / "spool"), "min_free": "0%"},
            "inspect": {"enabled": False},
            "suspend": {"flag_file": str(self.dir)},  # no captures by the schedule
            "incidents": {"max_per_hour": 10000, "cpu_pressure_ceiling": "off"},
            "trigger_configs": rules,
            "log": {"level": "error"},
        }
        if not rules:
            del config["trigger_configs"]
        (self.dir / "config.yaml").write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [
                BUILD / "contraced",
                f"--config.file={self.dir}/config.yaml",
                "--web.listen-address=off",
            ]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cpu(self):
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * KIB


def settle():
    """Each target was polled."""
    time.sleep(INTERVAL * 1.3)


def cost(lab, size, n, seconds, rules):
    """(CPU seconds, RSS, polls) of n services for so long."""
    with Services(lab, size) as s, Watcher(lab, s, n, rules) as d:
        settle()
        before, polls = d.cpu(), s.served()
        time.sleep(seconds)
        return d.cpu() - before, d.memory(), s.served() - polls


def measure(lab, options):
    seconds = max(2 * INTERVAL, options.target_seconds)
    rows = []
    n = 100
    rules = [RULE, HISTOGRAM]
    idle, _, _ = cost(lab, PAGE, n, seconds, [])
    cpu, _, polls = cost(lab, PAGE, n, seconds, rules)
    rows.append(
        Row.at_most(
            f"a poll of {PAGE // KIB} KiB of metrics, two rules: CPU",
            POLL_MAX,
            (cpu - idle) / polls * 1e3,
            "ms",
            2,
        )
    )
    n = max(options.targets)
    _, without, _ = cost(lab, SMALL_PAGE, n, 1, [])
    cpu, rss, polls = cost(lab, SMALL_PAGE, n, seconds, rules)
    rows.append(
        Row.at_most(
            f"{n:,} targets polled each {INTERVAL} s, {SMALL_PAGE // KIB} KiB: CPU",
            LOAD_MAX,
            cpu / seconds * 100,
            "% of a core",
            1,
            f" ({polls / seconds:.0f} polls a second, {rss // MIB} MiB)",
        )
    )
    rows.append(
        Row.at_most(
            "… memory a target and rule",
            MEMORY_MAX,
            (rss - without) / n / len(rules) / KIB,
            "KiB",
            2,
        )
    )
    with Services(lab, SMALL_PAGE) as s, Watcher(lab, s, 300, [RULE]):
        settle()
        s.fall_ill()
        time.sleep(INTERVAL * 1.3)
        delays = s.delays()
    rows.append(
        Row.at_most("from the poll that crosses to the request for a trace: p99", DELAY_MAX,
                    quantile(delays, 0.99), "ms", 2, f" (median {median(delays):.2f}, {len(delays)} incidents)")
    )  # fmt: skip
    return rows
