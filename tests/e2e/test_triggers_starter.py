# SPDX-License-Identifier: Apache-2.0
"""The rules that docs/TRIGGERS.md gives to begin with, each tried on a real service with client_golang
that falls ill in the way that the rule is about. The text is that of the page; only what takes half an
hour there takes a minute here, and polls come more often."""

import json
import re

import pytest
import yaml
from patient import Patient, build
from support import BUILD, SRC, config_text, job, wait_until
from triggers import FIRED

PAGE = SRC / "docs/TRIGGERS.md"
USUAL, QUICKER = 15, 5  # seconds between two polls: of contraced by itself, and here
BOUNDS = {"max_per_hour": 1000, "max_per_target_per_hour": 1000, "max_traced": "100%"}
# Which rules are about each illness.
ILLS = {
    "lock": ["lock-wait", "went-bad"],
    "cpu": ["slow-scheduler", "run-queue"],
    "gc": ["gc-share"],
    "slow": ["slow-requests"],
    "stuck": ["threads"],
    "leak": ["goroutine-leak"],
    "hoard": ["heap-growth"],
}
# Those that may be ill together, as they take little CPU.
TOGETHER = [["lock"], ["cpu"], ["gc"], ["slow", "stuck", "leak", "hoard"]]


def starters():
    text = PAGE.read_text()
    part = text[text.index("## Rules to begin with") :]
    (block,) = re.findall(r"```yaml\n(.*?)```", part[: part.index("\n## ", 3)], re.DOTALL)
    return yaml.safe_load(block)["trigger_configs"]


def quicker(rule):
    """The same in less time."""
    if "label" in rule:
        return rule
    made = {**rule, "metrics": {"poll_interval": f"{QUICKER}s"}}
    if "over" in rule:
        made["over"] = "1m"
    if "min_count" in rule:
        made["min_count"] = rule["min_count"] * QUICKER // USUAL
    return made


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return build(tmp_path_factory.mktemp("patient") / "patient")


def test_each_is_tried_and_explained():
    names = [rule["name"] for rule in starters()]
    assert sorted(names) == sorted(name for of in ILLS.values() for name in of)
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\|.*\|$", PAGE.read_text(), re.MULTILINE)
    assert [name for name in rows if name in names] == names


@pytest.mark.parametrize("ills", TOGETHER, ids="-".join)
def test_fires(ills, binary, daemon, endpoint, tmp_path):
    wanted = {name for ill in ills for name in ILLS[ill]}
    rules = [quicker(rule) for rule in starters() if rule["name"] in wanted]
    service = Patient(binary, "client_golang")
    try:
        text = json.loads(config_text(
            [job("web", service.address)], {"path": str(tmp_path / "spool")},
            {"seconds": 1, "scrape_interval": "8s", "scrape_timeout": "8s"},
            inspect={"enabled": True, "command": str(BUILD / "contrace")}, triggers=rules,
        ))  # fmt: skip
        text["incidents"].update(BOUNDS)
        d = daemon(text=json.dumps(text), args=[endpoint.option])

        def seen():
            """Each has something to judge by: a poll with what it names, or a label."""
            rows = endpoint.get("/api/v1/triggers").json["triggers"]
            labels = any("label" in rule for rule in rules)
            captured = endpoint.captures()["captures"]
            return all(r["poll"] and r["poll"]["result"] == "ok" for r in rows if r["poll"]) and (
                not labels or any(c["label"] in ("healthy", "idle") for c in captured)
            )

        wait_until("all see what they name", seen, timeout=120, interval=0.3)
        for ill in ills:
            service.fall_ill(ill)

        def fired():
            rows = endpoint.get("/api/v1/triggers").json["triggers"]
            return {r["rule"] for r in rows if r["fires"]}

        wait_until(f"{wanted} fire", lambda: fired() == wanted, timeout=240, interval=0.5)
        d.wait_log(message_id=FIRED)
    finally:
        for row in endpoint.get("/api/v1/triggers").json["triggers"]:
            print(f"{row['rule']}: {row['state']}, {row['text']}, {row['poll']}")
        service.close()
