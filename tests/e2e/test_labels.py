# SPDX-License-Identifier: Apache-2.0
"""Lists of labels that cannot be made from the one table of them (trace/findings/code.h) have what
it has."""

import json
import re

from labels import LABELS, NOT_INSPECTED, RULES, WELL
from support import SRC
from test_findings import PROGRAMS


def read(name):
    return (SRC / name).read_text()


def first_table(page):
    """The codes in the first column of a page's first table, in order."""
    rows = re.search(r"(?:^\|.*\n)+", read(page), re.MULTILINE)[0].splitlines()[2:]
    return [code for row in rows for code in re.findall(r"`([a-z-]+)`", row.split("|")[1])]


def test_every_rule_has_its_file():
    for code, name in RULES.items():
        text = read(f"trace/findings/{name}.c")
        assert f"const struct rule rule_{name} = {{" in text, code


def test_schema():
    schema = json.loads(read("docs/summary.schema.json"))
    assert schema["properties"]["label"]["enum"] == sorted([*LABELS, NOT_INSPECTED])


def test_status_page():
    """It has words and colours for each, and for what is no label."""
    page = re.findall(r"^  \['([a-z -]+)', '#", read("daemon/control/page.js"), re.MULTILINE)
    assert sorted(page[: len(RULES)]) == sorted(RULES)
    assert page[len(RULES) :] == [*WELL, NOT_INSPECTED, "no label", "other"]


def test_dashboard():
    """Each has a colour of its own."""
    colours = re.findall(
        r'"id": "byName",\s*"options": "([a-z-]+)"\s*\},\s*"properties": \[\s*\{\s*"id": "color"',
        read("grafana/contrace.json"),
    )
    assert {*LABELS, NOT_INSPECTED} <= set(colours)


def test_landing_page():
    assert sorted(first_table("README.md")) == sorted(LABELS)


def test_findings_page():
    """In the order of the table, which decides between equal scores."""
    assert first_table("docs/FINDINGS.md")[: len(LABELS)] == LABELS


def test_every_label_has_a_program():
    said = dict(re.findall(r'"([a-z-]+)":\s+\{"([a-z-]+)",', read("examples/ills/main.go")))
    assert set(said.values()) == set(LABELS)
    assert {name: label for name, (label, _) in PROGRAMS.items()} == said
