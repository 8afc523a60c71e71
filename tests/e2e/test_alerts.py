# SPDX-License-Identifier: Apache-2.0
"""The alert rules and the dashboard: promtool reads them, they name metrics that exist, each alert has a
test in which it fires and a section that says what to do."""

import json
import re

import pytest
import yaml
from promtool import SUFFIXES, run
from support import SRC
from test_metrics import documented

RULES = SRC / "prometheus/contrace.rules.yaml"
TESTS = sorted((SRC / "prometheus/tests").glob("*.yaml"))
DASHBOARD = SRC / "grafana/contrace.json"
NAME = re.compile(r"(?<![\w:])(?:contrace|process)_\w+")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
# What Prometheus gives to each series.
OUTSIDE = {"job", "instance"}


def rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def expressions():
    """Every expression of the dashboard, with its variables filled in, by where it stands."""
    board = json.loads(DASHBOARD.read_text())
    found = {}
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            found[annotation["name"]] = annotation["expr"]
    return {
        place: re.sub(r"\$\w+", ".*", expr.replace("$__rate_interval", "5m"))
        for place, expr in found.items()
    }


def unknown(expr):
    """Names of metrics and of labels in an expression that no metric has."""
    metrics = documented()
    labels = OUTSIDE | {"le"}
    wrong = []
    for name in NAME.findall(STRING.sub('""', expr)):
        base = name
        for suffix in SUFFIXES:
            if metrics.get(name.removesuffix(suffix), ("",))[0] == "histogram":
                base = name.removesuffix(suffix)
        if base not in metrics:
            wrong.append(name)
        else:
            labels |= metrics[base][1]
    return wrong + [label for label in LABEL.findall(expr) if label not in labels]


def test_promtool_reads_the_rules():
    status, said = run("check", "rules", RULES)
    assert status == 0, said
    assert f"SUCCESS: {len(rules())} rules found" in said


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.stem)
def test_alerts_fire_when_they_should(path):
    status, said = run("test", "rules", path)
    assert status == 0, said


def test_each_alert_has_its_case():
    """In which it fires, beside the days in which nothing does."""
    text = "\n".join(p.read_text() for p in TESTS)
    for name in alerts():
        fired = re.search(rf'alertname="{name}",alertstate="firing"', text)
        told = re.search(rf"alertname: {name}\n\s+eval_time: \w+\n\s+exp_alerts:\n\s+- ", text)
        assert fired or told, name


def test_each_alert_says_what_to_do():
    operations = (SRC / "docs/OPERATIONS.md").read_text()
    headings = re.findall(r"^### (\w+)$", operations, re.MULTILINE)
    for name, rule in alerts().items():
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}, name
        assert notes["runbook_url"] == f"docs/OPERATIONS.md#{name.lower()}"
        assert name in headings, f"OPERATIONS.md says nothing of {name}"
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert [h for h in headings if h.startswith("Contrace") and h not in alerts()] == []


def test_rules_name_what_exists():
    wrong = {
        rule.get("alert") or rule["record"]: unknown(rule["expr"])
        for rule in rules()
    }  # fmt: skip
    assert {k: v for k, v in wrong.items() if v} == {}


def test_the_dashboard_can_be_read(tmp_path):
    """Each expression, as a rule that promtool parses."""
    path = tmp_path / "dashboard.yaml"
    records = [
        {"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(expressions().values())
    ]
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    status, said = run("check", "rules", path)
    assert status == 0, said
    assert len(records) > 60


def test_the_dashboard_names_what_exists():
    assert {k: u for k, e in expressions().items() if (u := unknown(e))} == {}


def test_the_dashboard_shows_everything_that_changes():
    """What is not on it can be left out on purpose only."""
    text = " ".join(expressions().values())
    left_out = {"process_virtual_memory_bytes", "contrace_inspection_enabled"}
    missing = {name for name in documented() if not re.search(rf"\b{name}(_bucket)?\b", text)}
    assert missing == left_out


def test_the_dashboard_is_in_order():
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert [v["name"] for v in board["templating"]["list"]] == [
        "datasource", "job", "instance", "scrape_job",
    ]  # fmt: skip
    taken = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {t["datasource"]["uid"] for t in panel["targets"]} == {"${datasource}"}
