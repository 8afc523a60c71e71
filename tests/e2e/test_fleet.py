# SPDX-License-Identifier: Apache-2.0
"""`contrace fleet`: DuckDB answers every question over the rows of a made-up fleet as Python does;
the tables of the other engines have the same columns; what goes wrong is said."""

import json
import math
import os
import re
import subprocess

import fleetanswers
import pytest
from fleetrows import SERVICES, Fleet
from support import BUILD, SRC, need_program

TRACES = int(os.environ.get("CONTRACE_FLEET_TRACES", "4000"))
QUESTIONS = sorted(p.stem for p in (SRC / "sql" / "questions").glob("*.sql"))
ALL = "--since=2026-01-01"

pytestmark = pytest.mark.reading


def run(*words, env=None):
    return subprocess.run(
        [BUILD / "contrace", "fleet", *words], capture_output=True, text=True, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


def ask(*words):
    done = run(*words, "--format=json")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    need_program("duckdb", "pip: duckdb-cli")
    f = Fleet(TRACES)
    f.top = tmp_path_factory.mktemp("fleet") / "r[o]ws"  # no pattern to DuckDB
    f.write(f.top)
    return f


def moment(text):
    seconds, _, fraction = text.rstrip("Z").replace(" ", "T").partition(".")
    return seconds, fraction.rstrip("0")


def same(told, expected):
    if isinstance(expected, float) and told is not None:
        return math.isclose(told, expected, rel_tol=1e-9, abs_tol=2e-4)
    if isinstance(told, str) and isinstance(expected, str) and expected.endswith("Z"):
        return moment(told + "Z") == moment(expected)
    return told == expected


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question(fleet, question):
    expected = getattr(fleetanswers, question.replace("-", "_"))(fleet)
    told = [list(row.values()) for row in ask(question, f"--dir={fleet.top}", ALL)]
    assert expected, "a question without an answer tries nothing"
    assert len(told) == len(expected)
    for row, right in zip(told, expected, strict=True):
        assert len(row) == len(right)
        assert all(map(same, row, right)), (row, right)


def test_sql_of_ones_own_since_until_and_service(fleet):
    rows = fleet.of("outlier")
    count = "select count(*) as n from outliers"
    assert ask("--sql", count, f"--dir={fleet.top}", ALL) == [{"n": len(rows)}]
    of_one = sum(r["service"] == SERVICES[3] for r in rows)
    assert ask("--sql", count, f"--dir={fleet.top}", ALL, "--service=*-3") == [{"n": of_one}]
    begin, end = "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"
    between = sum("2026-11-20T10" <= r["start"] < "2026-11-20T11" for r in rows)
    assert 0 < between < len(rows)
    words = [f"--since={begin}", f"--until={end}", f"--dir={fleet.top}"]
    assert ask("--sql", count, *words) == [{"n": between}]
    assert ask("--sql", "select 'it''s' as t", *words) == [{"t": "it's"}]


def test_the_questions_are_listed():
    done = run()
    listed = re.findall(r"^  (\S+)  +(\S.*[?.])$", done.stdout, re.MULTILINE)
    assert [name for name, _ in listed] == QUESTIONS
    assert len(QUESTIONS) >= 20
    for name, title in listed:
        assert (SRC / "sql" / "questions" / f"{name}.sql").read_text().startswith(f"-- {title}\n")


def test_the_sql_is_printed(fleet):
    """What it prints is what it asks: DuckDB by itself gives the same answer."""
    script = run("labels", f"--dir={fleet.top}", ALL, "--print").stdout.replace("r[o]ws", "r*ws")
    done = subprocess.run(
        ["duckdb", "-no-init", "-json"], input=script, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == ask("labels", f"--dir={fleet.top}", ALL)


def test_formats(fleet):
    words = ["--sql", "select 1 as a, 'x' as b", f"--dir={fleet.top}", ALL]
    assert run(*words, "--format=csv").stdout == "a,b\n1,x\n"
    assert run(*words, "--format=markdown").stdout.splitlines()[0].split() == [
        "|",
        "a",
        "|",
        "b",
        "|",
    ]
    assert "│ 1 │ x │" in run(*words).stdout


def test_what_goes_wrong_is_said(fleet, tmp_path):
    done = run("nothing-like-it", f"--dir={fleet.top}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'nothing-like-it' is no question; 'contrace fleet' lists them" in done.stderr
    done = run("labels", f"--dir={tmp_path}")
    assert done.returncode == 1
    assert f"there are no rows in {tmp_path}" in done.stderr
    assert "contrace rows --output=DIR" in done.stderr
    done = run("labels", f"--dir={tmp_path / 'absent'}")
    assert done.returncode == 1
    assert "cannot be read: No such file or directory" in done.stderr
    done = run("labels", f"--dir={fleet.top}", env={"PATH": "/nonexistent"})
    assert done.returncode == 1
    assert "pip install duckdb-cli" in done.stderr
    done = run("--sql", "select nothing", f"--dir={fleet.top}", ALL)
    assert done.returncode == 1
    assert "nothing" in done.stderr
    done = run("labels", f"--dir={fleet.top}", "--store=file:///tmp")
    assert done.returncode == 2
    assert "--dir and --store exclude each other" in done.stderr
    done = run("labels", f"--dir={fleet.top}", "--since=never")
    assert done.returncode == 2
    assert "--since=never: expected" in done.stderr


def columns_of_schema():
    return list(json.loads((SRC / "docs" / "rows.schema.json").read_text())["properties"])


@pytest.mark.parametrize(
    ("engine", "pattern", "not_there"),
    [
        ("duckdb", r"^        (.*)$", set()),
        ("athena", r"^    (`.*)$", {"service"}),  # a partition, which may not be a column too
        ("clickhouse", r"^    (.*)$", set()),
    ],
)
def test_each_engine_knows_all_columns(engine, pattern, not_there):
    text = (SRC / "sql" / f"{engine}.sql").read_text()
    begin = text.index("columns = {" if engine == "duckdb" else "contrace_rows (")
    end = text.index("})" if engine == "duckdb" else "\n)", begin)
    table = re.findall(pattern, text[begin:end], re.MULTILINE)
    names = [n for line in table for n in re.findall(r"(?:^|, )`?(\w+)`?:? [A-Za-z'(]", line)]
    assert names == [n for n in columns_of_schema() if n not in not_there]
