# SPDX-License-Identifier: Apache-2.0
"""Lists of labels that cannot be made from the one table of them (trace/findings/code.h) have what
it has."""

import json
import re

import pytest
from labels import LABELS, NOT_INSPECTED, RULES, WELL
from support import SRC
from test_findings import PROGRAMS

pytestmark = pytest.mark.reading


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
    page = re.findall(r"^  \['([a-z -]+)', '#", read("daemon/control/page/base.js"), re.MULTILINE)
    assert sorted(page[: len(RULES)]) == sorted(RULES)
    assert page[len(RULES) :] == [*WELL, NOT_INSPECTED, "no label", "other"]


def test_status_page_of_those_that_are_well():
    """It says what is known: that no rule matched."""
    page = dict(
        re.findall(
            r"^  \['([a-z -]+)', '#.*, '([^']+)'\],$", read("daemon/control/page/base.js"), re.M
        )
    )
    for label in WELL:
        assert page[label].startswith("no rule matched")


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


# docs/FINDINGS.md, rule by rule: its marks are the code's.

SECTIONS = dict(
    re.findall(r"^## (\S[^\n]*)\n(.*?)(?=^## |\Z)", read("docs/FINDINGS.md"), re.M | re.S)
)
UNITS = {"": 1, "%": 1e-2, "µs": 1e3, "ms": 1e6, "s": 1e9}
WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
HEADERS = "".join(read(f"trace/findings/{name}.h") for name in ("rule", "finding"))


def code_of(name):
    return HEADERS + read(f"trace/findings/{name}.c")


def defines(code):
    """Numbers that have a name."""
    found = {}
    for name, value in re.findall(r"^#define (\w+) (\(?[\d.e]+(?: / [\d.]+\))?)", code, re.M):
        first, _, second = value.strip("()").partition(" / ")
        found[name] = float(first) / float(second or 1)
    return found


def marks_of(code):
    """Each pair of marks, as numbers."""
    named = defines(code)
    pairs = re.findall(r"^static const struct scale \w+ = \{([^,]+), ([^}]+)\};", code, re.M)
    return sorted(tuple(named.get(x) or float(x) for x in pair) for pair in pairs)


def told_marks(text):
    """Each pair of marks of the section's tables, with its units."""
    number = r"([\d,.]+) ?(%|µs|ms|s|)"
    rows = re.findall(rf"^\|.*\| {number} \| {number} \|$", text, re.M)
    return sorted(
        tuple(float(n.replace(",", "")) * UNITS[unit] for n, unit in (row[:2], row[2:]))
        for row in rows
    )


def spellings(value):
    """How a number may stand in the text."""
    yield f"{value:,.10g}"
    for unit, factor in UNITS.items():
        if unit:
            yield f"{value / factor:.10g} {unit}"
    if value == int(value) and value < len(WORDS):
        yield WORDS[int(value)]
    if 0 < value < 1:
        yield {2 / 3: "two thirds", 0.1: "a tenth"}.get(value, f"{value:g}")
    if value >= 1 and 1 / value in (0.2, 0.5):
        yield {0.2: "a fifth", 0.5: "half"}[1 / value]
    if 1 - value in (0.5, 0.25):
        yield f"{(1 - value) * 100:g} %"


def test_sections_are_in_the_rules_order():
    assert [name for name in SECTIONS if name in RULES] == list(RULES)


# Marks that stand in another file than the rule's, and numbers that stand in another section or in
# words ("for each three that grow another one").
ELSEWHERE = {"syscall-storm": "measures", "host-stalled": "cpuwaits", "cpu-saturated": "cpuwaits"}
UNTOLD = {"LOCK_EVENTS", "LEAK_CONNECTIONS", "GC_WINDOW", "STORM_CHURN"}


def code_of_rule(code):
    name = RULES[code]
    more = read(f"trace/findings/{ELSEWHERE[code]}.c") if code in ELSEWHERE else ""
    return read(f"trace/findings/{name}.c") + more


@pytest.mark.parametrize("code", RULES)
def test_marks(code):
    expected = marks_of(HEADERS + code_of_rule(code))
    told = told_marks(SECTIONS[code])
    assert len(expected) > 0
    assert [pytest.approx(pair) for pair in expected] == told


@pytest.mark.parametrize("code", RULES)
def test_other_numbers(code):
    """A number that the rule's file names stands in the rule's section."""
    missing = {
        name: value
        for name, value in defines(code_of_rule(code)).items()
        if name not in UNTOLD
        and not any(
            re.search(rf"(?<![\d.,]){re.escape(word)}(?![\d])", SECTIONS[code])
            for word in spellings(value)
        )
    }
    assert not missing


def test_least_numbers_of_events():
    """In one row, in the order of the page's table, and those of 1,000 as one."""
    (row,) = re.findall(r"^\| `too-short` \| a rule speaks(.*)$", read("docs/FINDINGS.md"), re.M)
    told = [int(n.replace(",", "")) for n in re.findall(r"\b(\d[\d,]*\d|\d)\b", row)]
    least = {}
    for code in RULES:
        text = code_of_rule(code)
        for value in re.findall(r"^    \.least = (\w+),", text, re.M):
            least[code] = int(defines(text).get(value, 0) or value)
    thousands = [code for code, n in least.items() if n == 1000]
    assert thousands == ["timer-load", "busy-polling", "thundering-herd"]
    expected = [n for code, n in least.items() if code not in thousands[1:]]
    assert sorted(told) == sorted(expected)


def test_what_a_label_rests_on():
    named = defines(HEADERS) | defines(read("trace/findings/findings.c"))
    rests, well = SECTIONS["What a label rests on"], SECTIONS["healthy and idle"]
    assert f"less than {named['FINDINGS_COVERED'] * 100:g} % of the trace" in rests
    assert f"less than {named['FINDINGS_WINDOW'] / 1e6:g} ms" in rests
    assert f"less than {named['IDLE_SHARE'] * 100:g} % of the Ps" in well
    assert named["IDLE_PROCESSORS"] == 0.25 and "less than a quarter of one processor" in well


def test_notes():
    notes = SECTIONS["Notes"]
    for code, name in (
        ("goroutine-growth", "growth"),
        ("short-sleeps", "sleeps"),
        ("new-connections", "dials"),
        ("slow-clients", "clients"),
    ):
        (row,) = re.findall(rf"^\| `{code}` .*$", notes, re.M)
        for constant, value in defines(read(f"trace/findings/{name}.c")).items():
            told = any(re.search(rf"(?<![\d.,]){word}(?!\d)", row) for word in spellings(value))
            assert told, (constant, row)
