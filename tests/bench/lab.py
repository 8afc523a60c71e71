# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: the server, a contraced under observation, and arithmetic."""

import contextlib
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request

SRC = pathlib.Path(os.environ.get("CONTRACE_SRC_DIR", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("CONTRACE_BUILD_DIR", SRC / "build"))
HERE = SRC / "tests" / "bench"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PATIENCE = 120  # seconds for anything that must happen


def boot_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def quantile(values, q):
    """The smallest value that at least this share of all is not above."""
    values = sorted(values)
    return values[max(0, min(len(values) - 1, -int(-q * len(values) // 1) - 1))]


def median(values):
    return quantile(values, 0.5)


class Row:
    """One line of the table. ok is None where nothing was demanded."""

    def __init__(self, what, demanded, seen, ok=None):
        self.what, self.demanded, self.seen, self.ok = what, demanded, seen, ok

    @classmethod
    def at_most(cls, what, limit, value, unit, digits=1, note=""):
        return cls(
            what,
            f"≤ {limit:g} {unit}".strip(),
            f"{value:.{digits}f} {unit}".strip() + note,
            value <= limit,
        )


class Lab:
    """A directory for one run, the programs built for it, and the server."""

    def __init__(self, directory=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="contrace-bench-", dir=directory))
        self.server = self.port = None
        self.built = set()

    def __enter__(self):
        try:
            self.build("server", "server.c")
            self.server = subprocess.Popen([self.dir / "server"], stdout=subprocess.PIPE, text=True)
            self.port = int(self.server.stdout.readline())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def build(self, name, *sources):
        if name not in self.built:
            subprocess.run(
                [
                    os.environ.get("CC", "cc"),
                    "-std=gnu17",
                    "-D_GNU_SOURCE",
                    "-O2",
                    "-pthread",
                    f"-I{SRC}",
                    "-o",
                    self.dir / name,
                    *(HERE / s if "/" not in s else SRC / s for s in sources),
                ],
                check=True,
            )
            self.built.add(name)
        return self.dir / name

    def url(self, size, host="127.0.0.1"):
        return f"http://{host}:{self.port}/{size}"

    def arrivals(self):
        """(address asked, boot time in µs) of each request since the last call."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/log") as answer:
            lines = answer.read().decode().splitlines()
        return [(address, int(at)) for address, at in map(str.split, lines)]


CONFIG = """\
global:
  scrape_interval: {interval}
  seconds: 0.01
  max_duty_cycle: 100%
  max_concurrent_captures: {concurrent}
  body_size_limit: 2GiB
  host: bench
scrape_configs:
  - job_name: bench
    path: /{size}
    static_configs:
{targets}
storage:
  path: {spool}
  max_bytes: {max_bytes}
  max_files: {max_files}
  min_free: 0%
inspect: {{enabled: false}}
"""


class Daemon:
    """A running contraced. Its log is read by a thread, which counts what was captured."""

    def __init__(
        self,
        lab,
        addresses=None,
        size=4 * KIB,
        interval="365d",
        concurrent=64,
        max_bytes="4GiB",
        max_files=500,
        environment=None,
        log_level="info",
    ):
        self.spool = pathlib.Path(tempfile.mkdtemp(prefix="spool-", dir=lab.dir))
        config = self.spool.with_suffix(".yaml")
        targets = [
            f'      - {{targets: ["{a}"], labels: {{service: s{i}}}}}'
            for i, a in enumerate(addresses or [f"127.0.0.1:{lab.port}"])
        ]
        config.write_text(
            CONFIG.format(
                interval=interval,
                concurrent=concurrent,
                size=size,
                targets="\n".join(targets),
                spool=self.spool,
                max_bytes=max_bytes,
                max_files=max_files,
            )
        )
        self.captures = queue.SimpleQueue()
        self.log = []  # everything else it said
        self.process = subprocess.Popen(
            [
                BUILD / "contraced",
                f"--config.file={config}",
                f"--log.level={log_level}",
                "--log.format=text",
                "--web.listen-address=127.0.0.1:0",
            ],
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ, **(environment or {})),
        )
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(40)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.reader.join(5)
            shutil.rmtree(self.spool, ignore_errors=True)

    def _read(self):
        for line in self.process.stderr:
            if "captured http" in line:
                self.captures.put(line)
            else:
                self.log.append(line.rstrip())

    def wait(self, n=1):
        """Until n more captures are published."""
        for _ in range(n):
            try:
                self.captures.get(timeout=PATIENCE)
            except queue.Empty:
                raise SystemExit(
                    "contraced captured nothing:\n" + "\n".join(self.log[-20:])
                ) from None

    def signal(self, number):
        self.process.send_signal(number)

    # What it costs: everything of the whole process, all threads

    def cpu(self):
        """Seconds of CPU so far, from the scheduler's nanoseconds: no ticks."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def cpu_by_thread(self):
        """{thread, in order of creation: seconds}: 0 is the loop, the others are disk threads."""
        tasks = sorted(pathlib.Path(f"/proc/{self.pid}/task").iterdir(), key=lambda p: int(p.name))
        return {i: int((t / "schedstat").read_text().split()[0]) / 1e9 for i, t in enumerate(tasks)}

    def switches(self):
        """How often any of its threads went to sleep, so how often one was woken."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            text = (task / "status").read_text()
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
        return total

    def memory(self, field="VmRSS"):
        """Bytes: VmRSS, VmHWM, RssAnon, … or of smaps_rollup: Pss, Private_Dirty, …"""
        name = "status" if field.startswith(("Vm", "Rss")) and field != "Rss" else "smaps_rollup"
        text = pathlib.Path(f"/proc/{self.pid}/{name}").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M)[1]) * KIB

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
