# SPDX-License-Identifier: Apache-2.0
"""The admin endpoint as the status page sees it, made up: for states that a real contraced cannot
be brought into quickly, such as ten thousand captures, and to work on the page itself:

    python3 tests/e2e/mockadmin.py [--port 7466] [--targets 12] [--captures 10000] [--token T]
"""

import argparse
import base64
import datetime
import hashlib
import http.server
import json
import math
import pathlib
import random
import re
import threading
import time
import urllib.parse

from labels import RULES

PAGE = pathlib.Path(__file__).resolve().parents[2] / "daemon/control/page/page.html"


def status_page():
    """The page as the build joins it."""
    style = (PAGE.parent / "page.css").read_text()
    page = PAGE.read_text().replace("<style>\n", "<style>\n" + style)
    return re.sub(r"^// ([a-z]+\.js)\n", lambda name: (PAGE.parent / name[1]).read_text(), page,
                  flags=re.MULTILINE)  # fmt: skip


SERVICES = ["checkout", "search", "payments", "inventory", "mailer", "gateway"]
LABELS = list(RULES)
USUAL = {"healthy": 25e-6, "idle": 8e-6, "cpu-saturated": 0.2, "gc-pressure": 2e-3}


def policy(page):
    """As the server's: this style and this script, by their hashes, and nothing else."""

    def hashed(tag):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        return base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()

    return (
        f"default-src 'none'; script-src 'sha256-{hashed('script')}'; "
        f"style-src 'sha256-{hashed('style')}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def rfc3339(t):
    stamp = datetime.datetime.fromtimestamp(t, datetime.UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


OUTLIERS = {
    "tasks": [{"at_ns": 400000000, "duration_ns": 312000000, "g": 77, "type": "pay", "work": {
        "running_ns": 12000000, "waits_ns": {"network": 280000000, "sync": 20000000}}}],
    "waits": {"lock": [{"at_ns": 900000000, "duration_ns": 41500000, "g": 78, "line": 23,
                        "func": "main.(*ledger).balance", "file": "/src/ills/lock.go"}]},
    "syscalls": [{"at_ns": 5000000, "duration_ns": 900, "g": 3}],
}  # fmt: skip


def time_line(lines=200, step=10_000_000):
    """As `contrace timeline --json` prints it: a program that collects for a while."""

    def line(i):
        collects = 80 <= i < 100
        blocked = {"channel": 3 * step, "sync": 0, "network": step, "sleep": 0, "other": 0}
        return {
            "at_ns": i * step, "duration_ns": step, "procs": 4, "running_ns": step * (1 + i % 4),
            "runnable_ns": step * (6 if collects else 0), "runnable_most": 9 if collects else 1,
            "syscall_ns": 0, "blocked_ns": blocked, "mark_ns": step if collects else 0,
            "stw_ns": 90000 if i in (80, 99) else 0, "frozen_ns": step if i in (150, 151) else 0,
            "heap_bytes": 4 << 20, "heap_goal_bytes": 8 << 20,
        }  # fmt: skip

    return {
        "schema": 1, "file": "-", "format": "go 1.26", "complete": True, "error": None,
        "since_ns": 0, "until_ns": lines * step, "step_ns": step, "freezes": 1,
        "lines": [line(i) for i in range(lines)],
    }  # fmt: skip


class World:
    """What is kept: targets, and captures of each at even intervals with spells of ills."""

    def __init__(self, targets=12, captures=10000, interval=300, seed=7):
        draw = random.Random(seed)
        self.now = time.time()
        self.start = self.now - 5 * 86400
        self.token, self.asked, self.inspects = None, [], True
        self.causes, self.ready, self.reasons = [], True, ""
        self.upload, self.orders = {"state": "closed"}, 0
        self.triggers, self.incidents = [], []
        self.views = {"timeline": time_line(), "perfetto": b"\n\x03pft" * 1000}  # or an error
        self.targets = [self.target(i, interval, draw) for i in range(targets)]
        self.captures = []
        each = captures // targets if targets else 0
        for i, target in enumerate(self.targets):
            self.captures += self.story(i, target, each, interval, draw)
        self.captures.sort(key=lambda c: c["key"].split("/", 2)[2] + c["key"], reverse=True)
        self.captures.sort(key=lambda c: c["start"], reverse=True)
        for target in self.targets:
            self.refresh(target)

    def target(self, i, interval, draw):
        service, host = SERVICES[i % len(SERVICES)], f"web-{i // len(SERVICES) + 1}"
        address = f"{host}:{6060 + i % len(SERVICES)}"
        return {
            "job": service, "service": service, "host": host, "address": address,
            "target": f"http://{address}/debug/pprof/trace", "labels": {"env": "prod"},
            "state": "ok", "failures": 0, "interval_seconds": interval, "seconds": 2.0,
            "next": rfc3339(self.now + draw.uniform(0, interval)), "in_flight": None, "last": None,
        }  # fmt: skip

    def story(self, i, target, count, interval, draw):
        usual = ["healthy", "healthy", "idle"][i % 3]
        ill, pid = LABELS[i % len(LABELS)], 1000 + i
        spells = [(draw.random(), draw.uniform(0.004, 0.02)) for _ in range(count // 150)]
        if i % 3 != 2:
            spells.append((0.0, draw.uniform(2.5, 9) / max(count, 1)))
        phase = draw.uniform(0, interval)
        for n in range(count):
            sick = any(a <= n / count <= a + b for a, b in spells)
            label = ill if sick else usual if draw.random() > 0.03 else "healthy"
            p99 = USUAL.get(label, 4e-4) * math.exp(draw.gauss(0, 0.35))
            yield self.capture(target, self.now - phase - n * interval, pid, label, p99, draw)

    def capture(self, target, at, pid, label, p99, draw):
        at += draw.uniform(-0.05, 0.05) * target["interval_seconds"]
        stamp = time.strftime("%Y%m%d/%H%M%S", time.gmtime(at))
        return {
            "key": f"{target['service']}/{target['host']}/{stamp}-{pid}.trace",
            "service": target["service"], "host": target["host"], "start": rfc3339(at), "pid": pid,
            "bytes": int(draw.uniform(0.4, 6) * 2**20), "state": "archive", "label": label,
            "scheduler_latency_p99_seconds": p99, "covered": 1.0,
            "severity": p99 * 1000 if label not in ("healthy", "idle") else 0,
        }  # fmt: skip

    def refresh(self, target):
        names = target["service"], target["host"]
        c = next((c for c in self.captures if (c["service"], c["host"]) == names), None)
        if c:
            told = ("start", "key", "bytes", "label", "scheduler_latency_p99_seconds", "covered")
            target["last"] = {k: c[k] for k in told}
            target["last"].update(outcome="ok", text="", captured=c["start"])

    def count(self, path):
        """How often it was asked for."""
        return sum(p == path for _, p, _ in list(self.asked))

    def status(self):
        size = sum(c["bytes"] for c in self.captures)
        ok = len(self.captures)
        starts = [c["start"] for c in self.captures]
        ends = {"newest": starts[0], "oldest": starts[-1]} if starts else {}
        upload = self.upload and {
            "to": "s3://traces/prod", "breaker": self.upload["state"], "in_flight": 0,
            "by_result": {"ok": ok}, "bytes": size, "last_success": rfc3339(time.time() - 41),
            "failing": self.upload["state"] != "closed",
        }  # fmt: skip
        failing = sum(t["failures"] > 0 for t in self.targets)
        return {
            "version": "0.1.0", "start": rfc3339(self.start), "host": "web-1", "pid": 812,
            "now": rfc3339(time.time()),
            "config": {"file": "/etc/contrace/contraced.yaml", "last_reload_ok": True,
                       "last_reload": rfc3339(self.start)},
            "suspended": {"causes": self.causes},
            "targets": {"total": len(self.targets), "failing": failing},
            "captures": {"in_flight": 0, "by_result": {"ok": ok, "timeout": 3}, "bytes": size,
                         "last_success": ends.get("newest")},
            "spool": {
                "path": "/var/lib/contrace", "archive": {"files": ok, "bytes": size},
                "pending": {"files": 3, "bytes": 9 << 20, "oldest": rfc3339(time.time() - 75)},
                "aside_files": 0, "reserved_bytes": 0, "max_bytes": 48 << 30, "max_files": 20000,
                "max_age_seconds": 604800, "free_bytes": 41 << 30, "total_bytes": 100 << 30,
                "refusing": False, **ends,
            },
            "upload": upload,
            "inspections": {"enabled": self.inspects, "by_result": {}},
        }  # fmt: skip

    def list_captures(self, query):
        since, until = query.get("since", ""), query.get("until", "9")
        found = [c for c in self.captures if since <= c["start"] < until]
        for name in ("service", "host", "incident"):
            found = [c for c in found if query.get(name, c.get(name)) == c.get(name)]
        total = len(found)
        at = 0
        if "before" in query:
            at = next(i for i, c in enumerate(found) if c["key"] == query["before"]) + 1
        page = found[at : at + int(query.get("limit", "100"))]
        more = at + len(page) < total
        return {"captures": page, "total": total, "before": page[-1]["key"] if more else None}

    def list_targets(self, query):
        at, limit = int(query.get("after", "0")), int(query.get("limit", "1000"))
        end = at + limit
        more = end < len(self.targets)
        return {"targets": self.targets[at:end], "total": len(self.targets),
                "after": str(end) if more else None}  # fmt: skip

    def list_triggers(self, query):
        found = [t for t in self.triggers if query.get("state", t["state"]) == t["state"]]
        limit = int(query.get("limit", "1000"))
        return {"triggers": found[:limit], "total": len(found), "after": None}

    def record(self, key):
        c = next((c for c in self.captures if c["key"] == key), None)
        if not c:
            return None
        score = {"code": c["label"], "score": 0.87,
                 "evidence": {"waiting_mean": 21.8, "waiting_share": 0.681, "waits": 4230,
                              "wait_mean_ns": 5170000, "wait_max_ns": 41500000}}  # fmt: skip
        ill = c["label"] in LABELS
        return {
            **{k: c[k] for k in ("service", "host", "pid", "start", "bytes", "label")},
            "target": f"http://{c['host']}:6060/debug/pprof/trace", "job": c["service"],
            "labels": {"env": "prod"}, "reason": "schedule", "seconds": 2, "sha256": "0" * 64,
            "go_version": "1.26", "complete": True, "generations": 4, "contraced_version": "0.1.0",
            "summary": {"schema": 1, "window_ns": 2003456789, "findings": [score] if ill else [],
                        "outliers": OUTLIERS, "goroutines": {"max_alive": 1200 if ill else 80}},
            **({"incident": c["incident"]} if c.get("incident") else {}),
        }  # fmt: skip

    def take(self, order):
        time.sleep(0.3)
        chosen = [t for t in self.targets
                  if order.get("all") or order.get("target") == t["target"]
                  or order.get("service") == t["service"]]  # fmt: skip
        draw, done = random.Random(self.orders), []
        for target in chosen:
            self.orders += 1
            c = self.capture(target, time.time(), 77, "lock-contention", 3e-3, draw)
            c["start"] = rfc3339(time.time())
            self.captures.insert(0, c)
            self.refresh(target)
            done.append({"target": target["target"], "service": c["service"], "host": c["host"],
                         "job": target["job"], "outcome": "ok", "text": "", "key": c["key"],
                         "bytes": c["bytes"], "start": c["start"], "seconds": 2.0})  # fmt: skip
        return {"captures": done}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        world = self.server.world
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        world.asked.append(("GET", url.path, query))
        if url.path == "/":
            page = status_page()
            return self.reply(200, page.encode(), "text/html; charset=utf-8",
                              Content_Security_Policy=policy(page))  # fmt: skip
        if url.path == "/-/ready":
            return self.reply(200 if world.ready else 503, world.reasons.encode() or b"ready",
                              "text/plain")  # fmt: skip
        if world.token and self.headers.get("Authorization") != f"Bearer {world.token}":
            return self.reply(401, {"error": "no token; send Authorization: Bearer"})
        routes = {"/api/v1/status": lambda q: world.status(),
                  "/api/v1/targets": world.list_targets,
                  "/api/v1/triggers": world.list_triggers,
                  "/api/v1/incidents": lambda q: {"incidents": world.incidents},
                  "/api/v1/captures": world.list_captures}  # fmt: skip
        if url.path in routes:
            return self.reply(200, routes[url.path](query))
        return self.one(world, urllib.parse.unquote(url.path))

    def one(self, world, path):
        found = re.fullmatch(r"/api/v1/captures/(.+)\.(trace|json)", path)
        view = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("view")
        record = found and world.record(found[1] + ".trace")
        if not record:
            return self.reply(404, {"error": "no such capture; it may have been deleted"})
        if view:
            return self.view(world.views.get(view[0], "no such view"))
        if found[2] == "json":
            return self.reply(200, record)
        name = found[1].replace("/", "-") + ".trace"
        return self.reply(200, b"go 1.26 trace\0\0\0", "application/octet-stream",
                          Content_Disposition=f'attachment; filename="{name}"')  # fmt: skip

    def view(self, made):
        if isinstance(made, str):
            return self.reply(422, {"error": made})
        kind = "application/octet-stream" if isinstance(made, bytes) else "application/json"
        return self.reply(200, made, kind)

    def do_POST(self):
        world = self.server.world
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        order = json.loads(data or b"{}")
        world.asked.append(("POST", self.path, order))
        if self.path == "/api/v1/suspend":
            world.causes = [{"cause": "api", "since": rfc3339(time.time()), "text": ""}]
        elif self.path == "/api/v1/resume":
            world.causes = [c for c in world.causes if c["cause"] not in ("api", "signal")]
        elif self.path == "/api/v1/capture":
            return self.reply(200, world.take(order))
        else:
            return self.reply(404, {"error": "no such route"})
        return self.reply(200, {"suspended": bool(world.causes),
                                "causes": [c["cause"] for c in world.causes]})  # fmt: skip


class MockAdmin:
    def __init__(self, world, port=0):
        self.world = world
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.world = world
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=7466)
    options.add_argument("--targets", type=int, default=12)
    options.add_argument("--captures", type=int, default=10000)
    options.add_argument("--token")
    o = options.parse_args()
    world = World(o.targets, o.captures)
    world.token = o.token
    with MockAdmin(world, o.port) as mock:
        print(mock.url, flush=True)
        mock.thread.join()


if __name__ == "__main__":
    main()
