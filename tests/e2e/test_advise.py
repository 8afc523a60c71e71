# SPDX-License-Identifier: Apache-2.0
"""contrace advise on traces of real programs, in each of which the right advice is known."""

import json
import re
import resource
import subprocess

import jsonschema
import pytest
from gotools import REFERENCE, build
from support import BUILD, SRC, Daemon, GoService, job, need, run, wait_until

CONTRACE = BUILD / "contrace"
WIDTH, LINES = 80, 40
RULES = {"cpu", "quota", "lock", "pool", "goroutines", "gc"}
SAMPLES = 3
# The program, its environment, which rule says that something is to be changed, and what.
KNOWN = {
    "cpu": ("cpu-starved", {"GOMAXPROCS": "2"}, "cpu", r"Raise GOMAXPROCS from 2 to 4\."),
    "gc": ("gc-churn", {"GOMAXPROCS": "2"}, "gc", r"Raise GOGC to twice what it is"),
    "lock": ("lock-convoy", {"GOMAXPROCS": "2"}, "lock",
             r"Shard the lock at main\.\(\*ledger\)\.(balance|post) \(lock\.go:\d+\)"),
    "pool": ("pool-exhausted", {"GOMAXPROCS": "2"}, "pool",
             r"Enlarge the pool database/sql \(DB\.SetMaxOpenConns\) that main\.poolExhausted"),
    "healthy": ("healthy", {"GOMAXPROCS": "2"}, None, None),
}  # fmt: skip
HOST = {"window_ns": 1000000000, "process": {"cpus_allowed": 8},
        "host": {"cpus": 8, "busy_ns": 2100000000}}  # fmt: skip


@pytest.fixture(scope="module")
def ills(tmp_path_factory):
    path = tmp_path_factory.mktemp("ills") / "ills"
    build(SRC / "examples/ills", path, REFERENCE)
    return path


@pytest.fixture(scope="module")
def samples(ills, tmp_path_factory):
    """samples(name) gives some traces of one of KNOWN."""
    work = tmp_path_factory.mktemp("advise")
    made = {}

    def make(name):
        if name not in made:
            ill, env, *_ = KNOWN[name]
            made[name] = [work / f"{name}-{i}.trace" for i in range(SAMPLES)]
            for path in made[name]:
                run(ills, "-ill", ill, "-trace", path, "-seconds", "1", timeout=60, env=env)
        return made[name]

    return make


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((SRC / "docs/advise.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def contrace(*argv, status=0):
    done = subprocess.run([CONTRACE, "advise", *argv], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (argv, done.stdout, done.stderr)
    return done


def advise(*argv):
    """Rules to what they say, of one object."""
    told = json.loads(contrace("--json", *argv).stdout)
    rules = {a["rule"]: a for a in told["advice"]}
    assert set(rules) == RULES
    return told, rules


def with_context(paths, tmp_path, context):
    """The summaries with what the host knew, as a record has it."""
    saved = tmp_path / "summaries.jsonl"
    lines = [json.loads(line) for line in run(CONTRACE, "summary", "--json", *paths)
             .stdout.splitlines()]  # fmt: skip
    saved.write_text("".join(json.dumps({**line, "context": context}) + "\n" for line in lines))
    return saved


def changes(rules):
    return {name for name, a in rules.items() if a["verdict"] == "change"}


def assert_one_screen(text):
    lines = text.splitlines()
    assert 4 <= len(lines) <= LINES, text
    assert all(len(line) <= WIDTH for line in lines), text


@pytest.mark.parametrize("name", KNOWN)
def test_known(samples, schema, tmp_path, name):
    _, _, rule, what = KNOWN[name]
    saved = with_context(samples(name), tmp_path, HOST)
    told, rules = advise(saved)
    schema.validate(told)
    assert told["samples"] == SAMPLES and told["left_out"] == 0 and told["service"] is None
    assert changes(rules) == ({rule} if rule else set()), rules
    text = contrace(saved).stdout
    assert_one_screen(text)
    assert all(a["of"] == SAMPLES for a in rules.values() if a["verdict"] != "not-known")
    if not rule:
        assert "\nNo change.\n" in text
        return
    assert re.search(what, rules[rule]["text"]), rules[rule]
    assert rules[rule]["samples"] >= 1 and rules[rule]["numbers"]
    assert told["advice"][0]["rule"] == rule
    assert re.search(r"^1  " + what.split(" ")[0], text, re.M), text
    assert re.search(rf"In [1-{SAMPLES}] of {SAMPLES} samples:", text)


def test_numbers_are_those_of_the_summaries(samples):
    """Of one trace, each number is what its summary has."""
    trace = samples("gc")[0]
    summary = json.loads(run(CONTRACE, "summary", "--json", trace).stdout)
    told, rules = advise(trace)
    numbers = rules["gc"]["numbers"]
    assert numbers["gc_share"] == pytest.approx(summary["procs"]["gc_share"])
    assert numbers["heap_goal_bytes"] == summary["gc"]["heap_goal_max_bytes"]
    assert numbers["more_memory_bytes"] == summary["gc"]["heap_goal_max_bytes"]
    assert numbers["saved_cpus"] == pytest.approx(
        summary["procs"]["gc_share"] * summary["procs"]["gomaxprocs"]["last"] / 2
    )
    assert rules["cpu"]["numbers"]["latency_p99_ns"] == summary["scheduler"]["latency"]["p99_ns"]
    assert told["traced_ns"] == summary["window_ns"]
    assert rules["gc"]["cost"] and "MB of memory" in rules["gc"]["cost"]


def quota(cpus, throttled, **more):
    """A context in which so many of ten periods were throttled."""
    return {"window_ns": 1000000000, "process": {"cpus_allowed": 8}, "host": {"cpus": 8},
            "cgroup": {"cpu": {
                "level": "/a", "levels_up": 0, "usage_ns": int(cpus * 1e9), "period_ns": 100000000,
                "quota_ns": int(cpus * 1e8), "nr_periods": 10, "nr_throttled": throttled,
                "throttled_ns": throttled * 50000000}, **more}}  # fmt: skip


def test_quota(samples, tmp_path):
    """Below GOMAXPROCS, and used up; the same one that is not; and one that all Ps fit in."""
    paths = samples("cpu")
    _, rules = advise(with_context(paths, tmp_path, quota(1, 8)))
    assert changes(rules) == {"quota"}
    assert rules["quota"]["text"].startswith("Set GOMAXPROCS to 1 instead of 2")
    assert rules["quota"]["numbers"]["throttled_share"] == 0.8
    assert rules["quota"]["numbers"]["lost_cpus"] == pytest.approx(0.4)
    assert rules["cpu"]["text"] == "Not GOMAXPROCS: the CPU quota is what is short."
    _, rules = advise(with_context(paths, tmp_path, quota(2, 8)))
    assert rules["quota"]["text"].startswith("Raise the CPU quota of 2 CPUs to 3")
    _, rules = advise(with_context(paths, tmp_path, quota(3, 0)))
    assert changes(rules) == {"cpu"} and "from 2 to 3." in rules["cpu"]["text"]
    assert "hardly ever used up" in rules["quota"]["text"]
    _, rules = advise(with_context(paths, tmp_path, quota(2, 0)))
    assert (
        rules["cpu"]["text"] == "Give it more CPUs, or replicas: GOMAXPROCS=2 is all that there is."
    )


def test_no_room_for_a_larger_heap(samples, tmp_path):
    full = quota(8, 0, memory={"level": "/a", "levels_up": 0, "current_bytes": 120000000,
                               "max_bytes": 128000000})  # fmt: skip
    _, rules = advise(with_context(samples("gc"), tmp_path, full))
    assert changes(rules) == {"gc"}
    assert re.match(r"Raise the memory limit by \d+ MB, and then GOGC", rules["gc"]["text"])


def test_crowd_in_the_poller(tmp_path):
    """Connections that are idle for all of the trace, of which it has no event."""
    many = 10500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need(hard >= many + 100, "not so many descriptors are allowed (ulimit -Hn)")
    build(SRC / "tests/support/crowd", tmp_path / "crowd")
    trace = tmp_path / "crowd.trace"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with open(trace, "wb") as out:
            subprocess.run(
                [tmp_path / "crowd", tmp_path / "s", str(many)], stdout=out, check=True, timeout=120
            )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    _, rules = advise(trace)
    assert changes(rules) == {"goroutines"}, rules
    numbers = rules["goroutines"]["numbers"]
    assert many * 0.99 < numbers["polled_mean"] < many * 1.01
    assert numbers["stacks_least_bytes"] == pytest.approx(numbers["polled_mean"] * 2048)


def test_one_of_many_is_chance(samples, tmp_path):
    """What one sample of many shows is no advice yet."""
    paths = [samples("lock")[0], *samples("healthy"), *samples("healthy")]
    _, rules = advise(*paths)
    assert rules["lock"]["verdict"] == "no-change" and rules["lock"]["of"] == len(paths)
    _, rules = advise(*samples("lock")[:2], *samples("healthy"))
    assert changes(rules) == {"lock"} and rules["lock"]["samples"] == 2


@pytest.fixture(scope="module")
def kept(goservice_binary, tmp_path_factory):
    """A daemon's spool, and the store that it uploads to, with records of a real service."""
    if "-fsanitize=address" in (BUILD / "Makefile").read_text():
        pytest.skip("no summary is made by a child with sanitizers")
    work = tmp_path_factory.mktemp("kept")
    (work / "store").mkdir()
    with GoService(goservice_binary, work, "-load", "2") as service:
        d = Daemon(
            work / "d", [job("shop", service.address)], inspect={"enabled": True},
            glob={"scrape_interval": "2s", "scrape_timeout": "2s", "seconds": 0.5},
            upload={"url": f"file://{work}/store"},
        )  # fmt: skip
        try:
            wait_until("some are labelled and uploaded",
                       lambda: len(list((work / "store").rglob("*.json"))) >= 4)  # fmt: skip
        finally:
            d.__exit__(True)
    return d


def test_what_is_kept(kept, schema):
    for where in (["--local"], ["--remote"], []):
        told, rules = advise("--service=shop", f"--config.file={kept.config}", *where, "--last=3")
        schema.validate(told)
        assert told["service"] == "shop" and told["samples"] + told["left_out"] == 3, where
        assert told["samples"] >= 2 and told["first"] < told["last"]
        assert rules["cpu"]["numbers"]["gomaxprocs"] >= 1
        assert rules["cpu"]["numbers"]["cpus"] >= 1  # which is of the record's context
    done = contrace("--service=nobody", f"--config.file={kept.config}", status=1)
    assert "no trace matches" in done.stderr and not done.stdout


def test_usage(samples, tmp_path):
    assert "of what?" in contrace(status=2).stderr
    assert "either files" in contrace("--service=a", samples("healthy")[0], status=2).stderr
    assert "--last is at most" in contrace("--service=a", "--last=5000", status=2).stderr
    assert "No such file" in contrace(tmp_path / "none.trace", status=1).stderr
    (tmp_path / "no.trace").write_bytes(b"<html>")
    done = contrace(tmp_path / "no.trace", samples("healthy")[0], status=1)
    assert "no.trace" in done.stderr and "No change." in done.stdout
    help = contrace("--help").stdout
    assert "contrace advise --service=checkout" in help and len(help.splitlines()) <= 40
