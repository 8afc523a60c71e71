# SPDX-License-Identifier: Apache-2.0
"""contrace explain: one screen, from traces of programs that are ill and from a spool that contraced made."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile

import jsonschema
import pytest
import referencing
from endpoint import Endpoint
from gotools import REFERENCE, build
from support import BUILD, PATIENCE, SRC, Daemon, GoService, job, run, wait_until

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
LINES, WIDTH = 30, 100  # cli/explain/explain.h
ENOUGH, MOST = 5, 20  # cli/explain/earlier.h, usual.h
NONE = "no earlier records to compare with"
INSPECT = {"command": str(CONTRACE)}
KEPT_HEALTHY = 7  # more than ENOUGH


@pytest.fixture(scope="module")
def ills(tmp_path_factory):
    path = tmp_path_factory.mktemp("ills") / "ills"
    build(SRC / "examples/ills", path, REFERENCE)
    return path


@pytest.fixture(scope="module")
def traces(ills, tmp_path_factory):
    """traces(name) is a trace of that program."""
    work = tmp_path_factory.mktemp("traces")

    def get(name):
        path = work / f"{name}.trace"
        if not path.exists():
            run(ills, "-ill", name, "-trace", path, "-seconds", "1", timeout=60)
        return path

    return get


def contrace(*argv, check=True, **more):
    return run(CONTRACE, *argv, check=check, timeout=PATIENCE, **more)


def schema(name):
    return json.loads((SRC / "docs" / f"{name}.schema.json").read_text())


# What it has of the summary's refers to that schema, which stands beside its own.
VALIDATOR = jsonschema.Draft202012Validator(
    schema("explain"),
    registry=referencing.Registry().with_resource(
        "summary.schema.json", referencing.Resource.from_contents(schema("summary"))
    ),
)


def checked(text):
    """The object, which is as the schema says."""
    told = json.loads(text)
    VALIDATOR.validate(told)
    return told


def test_schema():
    VALIDATOR.check_schema(VALIDATOR.schema)
    assert not VALIDATOR.is_valid({"schema": 1, "file": "a", "complete": True, "error": None})


def explain(*argv):
    """As JSON."""
    return checked(contrace("explain", "--json", *argv).stdout)


def summary(path):
    return json.loads(contrace("summary", "--json", path).stdout)


def assert_one_screen(text):
    lines = text.splitlines()
    assert 4 <= len(lines) <= LINES, text
    for line in lines:
        assert len(line) <= WIDTH or "contrace " in line, line


def commands_of(object):
    return [step["command"] for step in object["next"] if "command" in step]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serving(program, name, port):
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [program, "-ill", name, "-listen", address],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def labelled(spool, label=None):
    """The keys of traces with a summary, the oldest first; only with this label."""
    found = []
    for key in spool.keys():
        with contextlib.suppress(OSError, ValueError):
            record = spool.record(key)
            if "summary" in record and label in (None, record["label"]):
                found.append(key)
    return found


class Kept:
    """A spool: a service that is well for a while, and then convoys at a lock."""

    def __init__(self, spool, config, key):
        self.spool, self.config, self.key = spool, config, key
        self.path = spool.trace(key)
        everything = labelled(spool)
        before = everything[: everything.index(key)][-MOST:]
        self.records = [
            r for r in (spool.record(k) for k in before) if r["label"] != "not-inspected"
        ]


@pytest.fixture(scope="module")
def kept(ills, tmp_path_factory):
    if "-fsanitize=address" in (BUILD / "Makefile").read_text():
        pytest.skip("no summary is made by a child with sanitizers")
    port = free_port()
    d = Daemon(
        tmp_path_factory.mktemp("kept"), [job("shop", f"127.0.0.1:{port}")],
        glob={"scrape_interval": "2s", "scrape_timeout": "2s", "seconds": 0.3}, inspect=INSPECT,
    )  # fmt: skip
    try:
        with serving(ills, "healthy", port):
            wait_until("records of a healthy time",
                       lambda: len(labelled(d.spool)) >= KEPT_HEALTHY)  # fmt: skip
        with serving(ills, "lock-convoy", port):
            wait_until("one of a convoy", lambda: labelled(d.spool, "lock-contention"))
    finally:
        d.__exit__(True)
    return Kept(d.spool, d.config, labelled(d.spool, "lock-contention")[0])


def test_help_and_usage():
    text = contrace("explain", "--help").stdout
    assert len(text.splitlines()) <= 24 and max(map(len, text.splitlines())) <= 80
    assert "contrace explain checkout/web-3/20261121/150405-1234.trace" in text
    bad = contrace("explain", check=False)
    assert bad.returncode == 2 and "which trace?" in bad.stderr


@pytest.mark.parametrize("name", ["lock-convoy", "pool-exhausted", "slow-http", "gc-churn", "leak",
                                  "stuck", "mutex-deadlock", "healthy"])  # fmt: skip
def test_ills(traces, name):
    """One screen; label, causes and call sites are those of the summary; every command works."""
    path = traces(name)
    text, told, known = contrace("explain", path).stdout, explain(path), summary(path)
    assert_one_screen(text)
    assert told["label"] == known["label"] and told["findings"] == known["findings"]
    assert re.search(rf"^Label     {told['label']}\b", text, re.M)
    assert NONE in text and told["usual"] is None and told["service"] is None
    places = {(s["func"], s["file"], s["line"]) for f in known["findings"] for s in f["sites"]}
    assert {(s["func"], s["file"], s["line"]) for s in told["sites"]} <= places
    for site in told["sites"]:
        frame = site.get("own", site)
        assert f"{pathlib.Path(frame['file']).name}:{frame['line']}  " in text
    commands = commands_of(told)
    assert any(c == f"contrace summary --stacks {path}" for c in commands)
    assert all(f": {c}" in text for c in commands)


def test_own_code_comes_first(traces):
    sites = explain(traces("lock-convoy"))["sites"]
    own = ["own" in site for site in sites]
    assert own and own == sorted(own, reverse=True) and len(own) <= 3


def test_commands_work_as_they_are(traces, tmp_path):
    """Also of a file whose name a shell would take apart."""
    path = tmp_path / "it's a $(trace).trace"
    shutil.copy(traces("slow-http"), path)
    commands = [c.split(" && ")[0] for c in commands_of(explain(path))]
    assert len(commands) >= 2
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": f"{BUILD}:/usr/bin:/bin"},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        assert shlex.split(command)[-1] == str(path)
    assert (tmp_path / "net.pb.gz").stat().st_size > 100


def test_nothing_is_wrong(traces):
    text, told = contrace("explain", traces("healthy")).stdout, explain(traces("healthy"))
    if told["findings"]:
        pytest.skip("the machine made it ill")
    assert "no rule matched; nearest: " in text or "no rule came near" in text
    assert "Where" not in text and "Because" not in text and told["sites"] == []


def test_requests_that_wait(traces):
    """No rule speaks of clients that wait for the next message; they are told all the same."""
    path = traces("long-poll")
    told = contrace("explain", path).stdout
    (line,) = [line for line in told.splitlines() if "requests wait at any time" in line]
    assert line.strip().startswith("but ") and "main.longPoll" in line
    assert f"1. who keeps these requests waiting: contrace blockers {path}" in told


def lower_median(values):
    return sorted(values)[(len(values) - 1) // 2]


def test_against_the_usual(kept):
    """By key, by its file in the spool: the label, and medians that Python finds, too."""
    told = explain(f"--config.file={kept.config}", kept.key)
    assert told["key"] == kept.key and told["file"] == str(kept.path)
    assert (told["service"], told["label"]) == ("shop", "lock-contention")
    usual = told["usual"]
    assert usual["records"] == len(kept.records) and usual["host"] == told["host"]
    labels = [r["label"] for r in kept.records]
    assert usual["label_records"] == labels.count(usual["label"]) == max(map(labels.count, labels))
    moved = {m["number"]: m for m in usual["moved"]}
    assert 1 <= len(moved) <= 5
    for path, m in moved.items():
        assert m["usual"] != m["now"] and m["records"] <= len(kept.records)
        if (
            m["unit"] != "per second"
            and not path.startswith("outliers.")
            and m["records"] == len(labels)
        ):
            values = []
            for record in kept.records:
                value = {**record["summary"], "context": record.get("context", {})}
                for step in path.split("."):
                    value = value[step]
                total = path in ("scheduler.overdue_ns", "silences.total_ns")
                values.append(value / record["summary"]["window_ns"] if total else value)
            assert m["usual"] == pytest.approx(lower_median(values), rel=1e-6), path
    assert moved.keys() & {"outliers.waits.lock.0.duration_ns", "scheduler.latency.p99_ns",
                           "events.total", "scheduler.runnable_mean"}  # fmt: skip
    assert all(m["now"] > m["usual"] for p, m in moved.items() if p.startswith("outliers.waits."))
    text = contrace("explain", f"--config.file={kept.config}", kept.key).stdout
    assert_one_screen(text)
    assert f"Usual     of {len(kept.records)} records of {told['host']} since " in text
    assert f"{usual['label']}" in text and ", now lock-contention" in text
    for m in moved.values():
        assert f"{m['what']}: usual " in text


def test_every_way_to_the_records(kept, tmp_path):
    """The same by --storage.path, without the suffix, by the file, and in what `pull` made."""
    here = f"--storage.path={kept.spool.path}"
    expected = explain(here, kept.key)["usual"]
    assert expected["records"] >= ENOUGH
    assert explain(here, kept.key.removesuffix(".trace"))["usual"] == expected
    assert explain(kept.path)["usual"] == expected
    contrace("pull", here, "--last=200", f"-o{tmp_path / 'tree'}")
    assert explain(tmp_path / "tree" / kept.key)["usual"] == expected
    contrace("pull", here, "--last=200", "--flat", f"-o{tmp_path / 'flat'}")
    flat = explain(tmp_path / "flat" / kept.key.replace("/", "_"))["usual"]
    assert flat["moved"] == expected["moved"] and flat["records"] == expected["records"]
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(kept.path, alone / "a.trace")
    assert explain(alone / "a.trace")["usual"] is None
    with kept.path.open("rb") as stdin:
        told = checked(contrace("explain", "--json", "-", stdin=stdin).stdout)
    assert told["usual"] is None and told["file"] == "-" and "summary --stacks FILE" in str(told)


def test_later_records_do_not_count(kept):
    first = labelled(kept.spool)[0]
    assert explain(f"--storage.path={kept.spool.path}", first)["usual"] is None


def test_strange_records_beside_it(kept, tmp_path):
    """Records may contain anything: what is none of its service's counts for nothing."""
    for key in labelled(kept.spool):
        for suffix in (".trace", ".json"):
            source = kept.path.parents[3] / key.replace(".trace", suffix)
            target = tmp_path / source.name
            shutil.copy(source, target)
    path = tmp_path / kept.path.name
    expected = explain(path)["usual"]
    assert expected["records"] >= ENOUGH
    record = kept.records[0]
    old = {"start": "2020-01-01T00:00:00.000Z"}
    strange = [
        {}, [], {"service": 7}, {**record, **old, "service": "other"},
        {**record, **old, "label": 3}, {**record, **old, "label": "not-inspected"},
        {**record, **old, "summary": []}, {**record, "start": "yesterday"},
        {**record, **old, "label": "\x1b[31m"}, {**record, **old, "artifact": "mutex"},
    ]  # fmt: skip
    for n, one in enumerate(strange):
        (tmp_path / f"x{n}.json").write_text(json.dumps(one))
    (tmp_path / "y.json").write_text("{" * 1000)
    (tmp_path / "z.json").write_bytes(b'{"a":"' + b"z" * (1 << 20))
    (tmp_path / "link.json").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.json")
    assert explain(path)["usual"] == expected


def test_partial_and_unreadable(ills, traces, tmp_path):
    cut = tmp_path / "cut.trace"
    run(ills, "-ill", "lock-convoy", "-trace", cut, "-seconds", "3", timeout=60)
    cut.write_bytes(cut.read_bytes()[:-50])  # within the last of two generations or more
    done = contrace("explain", cut, check=False)
    assert done.returncode == 1 and "what came before is explained" in done.stderr
    assert "CUT" in done.stdout and f"contrace verify {cut}" in done.stdout
    assert_one_screen(done.stdout)
    told = checked(contrace("explain", "--json", cut, check=False).stdout)
    assert not told["complete"] and told["error"]["offset"] > 0
    none = tmp_path / "none.trace"
    none.write_text("no trace at all")
    for path in (none, tmp_path / "missing.trace"):
        done = contrace("explain", "--json", path, check=False)
        assert done.returncode == 1 and str(path) in done.stderr
        assert checked(done.stdout)["error"]["text"] and len(done.stderr.splitlines()) == 1
    several = contrace("explain", none, traces("lock-convoy"), check=False)
    assert several.returncode == 1 and several.stdout.startswith("Trace ")


def test_keys_that_are_none(kept):
    here = f"--storage.path={kept.spool.path}"
    gone = contrace("explain", here, "shop/nowhere/20200101/000000-1", check=False)
    assert gone.returncode == 1 and "contrace pull shop/nowhere/20200101/000000-1" in gone.stderr
    profile = contrace("explain", here, "shop/x/20200101/000000-1.mutex.pb.gz", check=False)
    assert profile.returncode == 1 and "a profile, no trace" in profile.stderr
    word = contrace("explain", here, "nonsense", check=False)
    assert word.returncode == 1 and "neither a file nor a key" in word.stderr
    spool = contrace("explain", "--storage.path=/nonexistent", kept.key, check=False)
    assert spool.returncode == 1 and "there is no /nonexistent" in spool.stderr


@pytest.fixture(scope="module")
def incident(goservice_binary, tmp_path_factory):
    """(daemon, id, keys) of an incident that begins with a flight recording."""
    work = tmp_path_factory.mktemp("incident")
    with tempfile.TemporaryDirectory(prefix="contrace-") as short:
        endpoint = Endpoint(pathlib.Path(short))
        made = job("shop", flight={"path": "/debug/flight"}, seconds=1)
        del made["incident_artifacts"]
        with GoService(goservice_binary, work, "-flight-window", "1s", "-load", "3") as service:
            made["static_configs"] = [{"targets": [service.address]}]
            d = Daemon(work / "d", [made], inspect=INSPECT, args=[endpoint.option])
            try:
                d.wait_captured()
                d.idle()
                order = {"all": True, "incident": True, "wait": True, "reason": "slow checkout"}
                (one,) = endpoint.post("/api/v1/capture", order).json["incidents"]
                keys = [a["key"] for a in one["artifacts"]]
                records = [d.spool.path / "archive" / f"{keys[0]}.json", d.spool.trace(keys[1])]
                records[1] = records[1].with_suffix(".json")
                wait_until("both have labels", lambda: all("label" in json.loads(r.read_text())
                                                           for r in records))  # fmt: skip
            finally:
                d.__exit__(True)
            yield d, one["incident"], keys


def test_incident(incident, tmp_path):
    """By its id: the trace, why it was taken, and what the recording before it says."""
    d, id, keys = incident
    here = f"--storage.path={d.spool.path}"
    assert keys[0].endswith(".flight.trace") and keys[1].endswith(".trace")
    told = explain(here, id)
    assert told["key"] == keys[1] and told["incident"] == id
    assert told == explain(here, keys[1])
    recording = json.loads((d.spool.path / "archive" / f"{keys[0]}.json").read_text())
    text = contrace("explain", here, id).stdout
    assert_one_screen(text)
    assert f"Taken     api:slow checkout; incident {id}" in text
    if "summary" in recording and recording["label"] != "not-inspected":
        assert told["before"]["label"] == recording["label"]
        assert f"Before    the incident's flight recording: {recording['label']}, now " in text
        for m in told["before"]["moved"]:
            assert m["before"] != m["now"]
    contrace("pull", here, f"--incident={id}", f"-o{tmp_path}")
    pulled = tmp_path / f"incident_{id.replace('/', '_')}" / keys[1].replace("/", "_")
    assert explain(pulled)["before"] == told["before"]
    flight = explain(here, keys[0])
    assert flight["key"] == keys[0] and flight["before"] is None


def test_why_it_was_taken(kept, tmp_path):
    """Of the record: the rule and what it saw, and the incident with the command that brings it here."""
    path = tmp_path / kept.path.name
    shutil.copy(kept.path, path)
    record = kept.spool.record(kept.key)
    incident = kept.key.removesuffix(".trace")
    record |= {"reason": "trigger:slow", "incident": incident,
               "trigger": {"rule": "slow\x1b", "value": 27.08, "threshold": 2, "unit": "seconds"},
               "context": {"window_ns": 300000000, "cgroup": {"cpu": {
                   "level": "/a", "levels_up": 0, "usage_ns": 60000000, "quota_ns": 20000000,
                   "period_ns": 100000000, "nr_periods": 3, "nr_throttled": 2,
                   "throttled_ns": 150000000}}}}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(record))
    text, told = contrace("explain", path).stdout, explain(path)
    assert f"the rule slow? saw 27.08, threshold 2 seconds; incident {incident[:20]}" in text
    assert f"contrace pull --incident={incident}" in commands_of(told)
    assert re.search(r"^Host      throttled for 150 ms in 2 of 3 periods", text, re.M)
    assert told["trigger"]["value"] == 27.08 and told["incident"] == incident
    assert "\x1b" not in text
    assert_one_screen(text)
    record["bytes"] += 1  # then it is another trace's
    path.with_suffix(".json").write_text(json.dumps(record))
    assert explain(path)["incident"] is None and "Taken" not in contrace("explain", path).stdout
