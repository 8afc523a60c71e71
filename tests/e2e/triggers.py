# SPDX-License-Identifier: Apache-2.0
"""Services whose metrics a test changes, and contraced with rules about them."""

import json
import time

import hostile
from support import config_text, job

# base/log.h
INCIDENT = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e110"
POLLS_FAIL = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e113"
POLLS_WORK = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e114"
BLIND = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e115"
FIRED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e116"

TEXT = "Content-Type: text/plain; version=0.0.4"


class Service:
    """A scripted service: `page` is what /metrics answers, a text or a behaviour; everything else that
    is asked for has a name in `asked`."""

    def __init__(self, serve, page="", trace=None):
        self.page = page
        self.trace = trace or hostile.healthy()
        self.polls = []  # when they came, and what was asked
        self.asked = []  # (when, path)
        self.server = serve(self.behave)

    @property
    def address(self):
        return self.server.address

    def behave(self, c):
        path = c.request.split()[1].split("?")[0]
        if path == "/metrics":
            self.polls.append((time.monotonic(), c.request))
            if callable(self.page):
                self.page(c)
            else:
                hostile.answer("200 OK", self.page.encode(), TEXT)(c)
            return
        self.asked.append((time.monotonic(), path))
        if path == "/debug/pprof/trace":
            self.trace(c)
        else:
            hostile.answer("404 Not Found", b"no\n")(c)

    def took(self, path="/debug/pprof/trace"):
        return [at for at, p in self.asked if p == path]


def gauge(value, name="runnable"):
    return f"# TYPE {name} gauge\n{name} {value}\n"


def rule(name="busy", **more):
    about = (
        {}
        if {"rate", "ratio", "histogram", "label", "value"} & set(more)
        else {"gauge": "runnable"}
    )
    return {"name": name, **about, "metrics": {"poll_interval": "1s"}, "for": 1, "capture": ["trace"],
            "cooldown": "1h", **({"above": 10} if about and "growth" not in more else {}), **more}  # fmt: skip


def document(jobs, directory, rules, incidents=None, **more):
    """A configuration, with bounds that no test meets by chance."""
    glob = more.pop("glob", None)
    text = json.loads(config_text(jobs, {"path": str(directory / "spool")}, glob=glob))
    most = {"max_per_hour": 1000, "max_per_target_per_hour": 1000, "max_traced": "100%",
            "cpu_pressure_ceiling": "off"}  # fmt: skip
    text["incidents"] = {**most, **(incidents or {})}
    text["trigger_configs"] = rules
    return json.dumps({**text, **more})


def jobs_of(*services, name="web", **more):
    return [job(name, *(s.address for s in services), **more)]
