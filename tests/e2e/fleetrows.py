# SPDX-License-Identifier: Apache-2.0
"""Rows of a made-up fleet, as contraced ships them, for questions whose answers Python knows too."""

import collections
import datetime
import gzip
import json
import random

BEGIN = datetime.datetime(2026, 11, 20, 6, 0, 0, tzinfo=datetime.UTC)
SERVICES = [f"service-{n}" for n in range(8)]
LABELS = ["healthy", "idle", "lock-contention", "gc-pressure", "cpu-throttled", "goroutine-leak"]
CODES = ["lock-contention", "gc-pressure", "cpu-throttled", "goroutine-leak", "slow-syscalls"]
KINDS = ["task", "region", "syscall", "run", "latency", "pause", "wait-lock", "wait-call",
         "wait-request", "wait-channel", "wait-network", "wait-unknown"]  # fmt: skip
WRITTEN = "2026-11-23T00:00:00.000Z"
WRITTEN_BEFORE = "2026-11-22T12:00:00.000Z"


def moment(when):
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe(rng, share, value):
    return value if rng.random() < share else None


class Fleet:
    """`rows`: each once, as it counts. `older`: rows that were written before, under the same ids."""

    def __init__(self, traces, seed=18):
        self.rng = random.Random(seed)
        self.rows, self.older = [], []
        for n in range(traces):
            self.capture(n)

    def capture(self, n):
        rng = self.rng
        service = rng.choice(SERVICES)
        number = rng.randrange(6)
        host = f"host-{number}"
        start = BEGIN + datetime.timedelta(seconds=17 * n, milliseconds=rng.randrange(1000))
        key = f"{service}/{host}/{start:%Y%m%d/%H%M%S}-{100 + number}.trace"
        if rng.random() < 0.1:
            key = key.replace(".trace", ".mutex.pb.gz")
        traced = key.endswith(".trace")
        release = None if service == SERVICES[0] else f"v{1 + n * 3 // 4000}"
        name = rng.choice(["version", "release", "app_kubernetes_io_version"])
        incident = (
            f"{service}/{host}/{BEGIN:%Y%m%d}/{n // 50:06d}-1" if rng.random() < 0.02 else None
        )
        base = {
            "schema": 1, "written": WRITTEN, "key": key, "artifact": "trace" if traced else "mutex",
            "service": service, "host": host, "start": moment(start), "job": service,
            "pid": maybe(rng, 0.9, 100 + number), "go_version": rng.choice(["1.25", "1.26"]),
            "incident": incident,
            "label": maybe(rng, 0.95, rng.choice(LABELS)) if traced else None,
            "labels": {name: release, "zone": "a"} if release else {},
        }  # fmt: skip
        self.add({**base, "row_kind": "trace" if traced else "profile", "id": key,
                  **(self.numbers(base) if traced else {"reason": "api"})})  # fmt: skip
        if traced:
            self.findings(base)
            self.outliers(base)

    def numbers(self, base):
        rng = self.rng
        window = 2_000_000_000 + rng.randrange(1000) * 1000
        throttled = rng.random() < 0.2
        return {
            "reason": rng.choice(["schedule", "trigger:slow"]),
            "rule": maybe(rng, 0.1, "slow"),
            "seconds": 2.0, "bytes": rng.randrange(10**7), "complete": True,
            "truncated_by": maybe(rng, 0.02, "timeout"),
            "not_inspected": None if base["label"] else "timeout",
            "window_ns": window,
            "sched_p99_ns": maybe(rng, 0.95, rng.randrange(1, 50_000) * 1000),
            "gc_share": round(rng.random() / 3, 6),
            "gc_assist_ns": rng.randrange(10**6) * 1000, "gc_stw_ns": rng.randrange(10**5) * 1000,
            "gc_stw_max_ns": rng.randrange(10**4) * 1000, "gc_cycles": maybe(rng, 0.9, rng.randrange(90)),
            "heap_max_bytes": rng.randrange(10**9), "heap_goal_max_bytes": rng.randrange(10**9),
            "goroutines_end": rng.randrange(10, 5000),
            "context_window_ns": window, "periods": 20 if throttled else 0,
            "throttled_periods": rng.randrange(1, 20) if throttled else 0,
            "throttled_ns": rng.randrange(1, 10**6) * 1000 if throttled else 0,
            "cpu_quota_ns": maybe(rng, 0.8, rng.choice([50, 100, 200]) * 10**6), "cpu_period_ns": 10**8,
            "memory_current_bytes": rng.randrange(10**9), "memory_max_bytes": maybe(rng, 0.7, 2 * 10**9),
            "host_cpus": maybe(rng, 0.9, 8), "host_load1": round(rng.random() * 20, 2),
            "host_steal_ns": rng.randrange(10**6), "host_cpu_pressure_some_ns": rng.randrange(10**9),
        }  # fmt: skip

    def findings(self, base):
        rng = self.rng
        for rank in range(1, 1 + rng.choice([0, 0, 1, 2])):
            code = rng.choice(CODES)
            leak = code == "goroutine-leak" and rng.random() < 0.8
            first = rng.randrange(100)
            self.add({**base, "row_kind": "finding", "id": f"{base['key']}#finding-{rank}",
                      "rank": rank, "code": code, "score": rng.choice([0, 0.25, 0.5, 0.875]),
                      "lost_ns": maybe(rng, 0.9, rng.randrange(10**7) * 1000),
                      "func": maybe(rng, 0.8, f"main.g{rank}"), "file": "/src/g.go", "line": rank * 7,
                      "goroutines_first": first if leak else None,
                      "goroutines_last": first + rng.randrange(1, 500) if leak else None,
                      "evidence": '{"waits":3}'})  # fmt: skip

    def outliers(self, base):
        rng = self.rng
        for kind in rng.sample(KINDS, 4):
            line = rng.randrange(1, 30)
            duration = rng.randrange(1, 10**6) * 1000
            task = kind == "task"
            self.add({**base, "row_kind": "outlier", "id": f"{base['key']}#{kind}-1", "kind": kind,
                      "rank": 1, "at_ns": 0, "duration_ns": duration, "g": 7,
                      "type": rng.choice(["pay", "search", "cart"]) if task else None,
                      "func": maybe(rng, 0.95, f"main.f{line % 5}"), "file": f"/src/{line % 5}.go", "line": line,
                      "open": maybe(rng, 0.1, True), "at_start": maybe(rng, 0.1, True),
                      "running_ns": duration // 4 if task else None,
                      "runnable_ns": duration // 8 if task else None,
                      "syscall_ns": maybe(rng, 0.5, duration // 16) if task else None,
                      "waiting_ns": maybe(rng, 0.9, duration // 2) if task else None})  # fmt: skip

    def add(self, row):
        row = {k: v for k, v in row.items() if v is not None}
        self.rows.append(row)
        if self.rng.random() < 0.05:
            stale = {**row, "written": WRITTEN_BEFORE, "label": "idle", "duration_ns": 10**15,
                     "score": 1, "lost_ns": 10**15, "sched_p99_ns": 10**12}  # fmt: skip
            self.older.append(stale)

    def of(self, kind):
        return [row for row in self.rows if row["row_kind"] == kind]

    def write(self, top):
        """By day and service, as contraced's two shipments of a day."""
        for shipment, rows in (
            ("host-0-060000-0a0a0a0a", self.rows),
            ("host-1-120000-0b0b0b0b", self.older),
        ):
            files = collections.defaultdict(list)
            for row in rows:
                files[row["start"][:10], row["service"]].append(row)
            for (day, service), lines in files.items():
                directory = top / f"dt={day}" / f"service={service}"
                directory.mkdir(parents=True, exist_ok=True)
                text = "".join(json.dumps(row) + "\n" for row in lines)
                (directory / f"{shipment}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 1))
