# SPDX-License-Identifier: Apache-2.0
"""Rules about metrics that are polled: what fires, what it makes, and what a service may do to it."""

import datetime
import gzip
import json
import re
import shlex
import signal
import time

import hostile
import pytest
from support import BUILD, RELOADED, SRC, contraced, job, run, wait_until
from triggers import (
    FIRED,
    INCIDENT,
    POLLS_FAIL,
    POLLS_WORK,
    TEXT,
    Service,
    document,
    gauge,
    jobs_of,
    rule,
)


@pytest.fixture
def watched(daemon, tmp_path, endpoint):
    """watched(services, rules, …) starts contraced with these rules."""

    def start(services, rules, incidents=None, **more):
        text = document(jobs_of(*services), tmp_path, rules, incidents, **more)
        d = daemon(text=text, args=[endpoint.option])
        d.endpoint = endpoint
        return d

    return start


def rows(d, **query):
    answer = d.endpoint.get("/api/v1/triggers", **query)
    assert answer.status == 200, answer
    return answer.json["triggers"]


def stamp(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def row(d, **query):
    (one,) = rows(d, **query)
    return one


def incidents(d):
    """{id: [record, …]}"""
    found = {}
    for record in d.spool.check().values():
        if "incident" in record:
            found.setdefault(record["incident"], []).append(record)
    return found


def test_one_rule_makes_one_incident(serve, watched):
    s = Service(serve, gauge(3))
    d = watched([s], [rule()])
    wait_until("it is judged", lambda: row(d)["state"] == "ok")
    s.page = gauge(12.5)
    d.wait_log(message_id=INCIDENT)
    assert d.wait_log(message_id=FIRED)["msg"].startswith("the rule busy fires at ")
    ((key, (record,)),) = incidents(d).items()
    assert record["reason"] == "trigger:busy"
    assert record["trigger"]["rule"] == "busy"
    assert (record["trigger"]["value"], record["trigger"]["threshold"]) == (12.5, 10)
    one = row(d)
    assert (one["state"], one["value"], one["threshold"], one["fires"]) == ("fired", 12.5, 10, 1)
    assert one["poll"]["result"] == "ok" and one["poll"]["series"] == 1
    polls = len(s.polls)
    wait_until("it is polled on", lambda: len(s.polls) > polls + 2)
    assert len(d.log(message_id=INCIDENT)) == 1


def test_for_and_cooldown(serve, watched):
    """`for` polls in a row; then nothing for the cooldown, however often it crosses."""
    s = Service(serve, gauge(3))
    d = watched([s], [rule(**{"for": 3})])
    wait_until("it is judged", lambda: row(d)["state"] == "ok")
    s.page = gauge(20)
    wait_until("it is pending", lambda: row(d)["state"] in ("pending", "fired"))
    d.wait_log(message_id=FIRED)
    assert row(d)["over"] >= 3 and row(d)["for"] == 3
    s.page = gauge(1)
    wait_until("it is over", lambda: row(d)["state"] == "cooling")
    s.page = gauge(20)
    polls = len(s.polls)
    wait_until("it was polled on", lambda: len(s.polls) > polls + 5)
    assert len(d.log(message_id=FIRED)) == 1


def test_two_rules_for_one_target_make_one_incident(serve, watched):
    s = Service(serve, gauge(3) + gauge(3, "other"))
    d = watched([s], [rule(), rule("second", gauge="other")])
    wait_until("both are judged", lambda: {r["state"] for r in rows(d)} == {"ok"})
    before = len(s.polls)
    s.page = gauge(20) + gauge(30, "other")
    d.wait_log(message_id=FIRED, count=2)
    assert len(s.polls) - before <= 2  # one poll served both
    d.wait_log(message_id=INCIDENT)
    assert "it joins the incident of it that is under way" in d.log(message_id=FIRED)[1]["msg"]
    assert len(incidents(d)) == 1


def test_a_rule_that_joins_has_its_own_artifacts(serve, watched, tmp_path):
    """What it names and the incident does not take is added; the log names it."""
    s = Service(serve, gauge(3) + gauge(3, "other"))
    d = watched([s], [rule(), rule("second", gauge="other", capture=["trace", "heap"])])
    wait_until("both are judged", lambda: {r["state"] for r in rows(d)} == {"ok"})
    s.page = gauge(20) + gauge(30, "other")
    d.wait_log(message_id=FIRED, count=2)
    second = d.log(message_id=FIRED)[1]["msg"]
    assert second.endswith(
        "; it joins the incident of it that is under way; for the rule it also takes heap"
    )
    ended = d.wait_log(message_id=INCIDENT)["msg"]
    assert ended.endswith(": trace; without heap (not served)")
    assert len(s.took("/debug/pprof/heap")) == 1
    (of_both,) = incidents(d)
    done = run(
        BUILD / "contrace", "pull", f"-c{d.config}", f"-o{tmp_path}/out", f"--incident={of_both}"
    )
    (index,) = (tmp_path / "out").glob("*/INDEX.md")
    assert f"what these are: {index}" in done.stderr
    text = index.read_text()
    assert (
        "* rule: busy\n* because: runnable: 20, more than 10\n* joined by: trigger:second\n" in text
    )
    assert "* missing: heap: it had not ended" in text


def test_a_rule_that_joins_lacks_what_a_bound_forbids(serve, watched):
    """The trace that `first` began takes all that max_traced allows."""
    s = Service(serve, gauge(3) + gauge(3, "other"))
    second = rule("second", gauge="other", capture=["cpu", "heap"])
    d = watched([s], [rule(), second], {"max_traced": "0.01%"})
    wait_until("both are judged", lambda: {r["state"] for r in rows(d)} == {"ok"})
    s.page = gauge(20) + gauge(30, "other")
    d.wait_log(message_id=FIRED, count=2)
    said = d.log(message_id=FIRED)[1]["msg"]
    assert (
        "; for the rule it also takes heap; what the rule wants and it lacks: cpu (max_traced does not"
        in said
    )
    d.wait_log(message_id=INCIDENT)
    assert not s.took("/debug/pprof/profile")


def test_while_suspended(serve, watched):
    """Suspension is about the schedule; the ceiling stops incidents."""
    s = Service(serve, gauge(3))
    d = watched([s], [rule()])
    d.endpoint.post("/api/v1/suspend", {"reason": "test"})
    wait_until("it is judged", lambda: row(d)["state"] == "ok")
    s.page = gauge(20)
    d.wait_log(message_id=INCIDENT)


def test_an_incident_too_many_is_said_once(serve, watched):
    services = [Service(serve, gauge(20)) for _ in range(4)]
    d = watched(services, [rule(cooldown="2s")], {"max_per_hour": 1})
    d.wait_log(message_id=INCIDENT)
    refused = wait_until(
        "those refused fire again", lambda: [r for r in rows(d) if r["fires"] > 1][2:]
    )
    assert len(refused) == 1
    said = d.log("max_per_hour", message_id=FIRED)
    assert len(said) == 1, said
    assert len(d.log(message_id=INCIDENT)) == 1


def test_a_refusal_is_shown(serve, watched):
    """State and time of the next are there; the one that has its incident names it."""
    services = [Service(serve, gauge(20)) for _ in range(2)]
    d = watched(services, [rule(**{"for": 2})], {"max_per_hour": 1})
    d.wait_log(message_id=INCIDENT)
    (refused,) = wait_until("one is refused", lambda: rows(d, state="refused"))
    polls = min(len(s.polls) for s in services)
    wait_until("both are polled on", lambda: min(len(s.polls) for s in services) > polls + 3)
    (refused,) = rows(d, state="refused")
    assert refused["over"] == refused["for"] == 2
    assert refused["refused"] == "max_per_hour" and refused["incident"] is None
    assert stamp(refused["again"]) > stamp(refused["fired"])
    (fired,) = rows(d, state="fired")
    assert fired["incident"] and fired["refused"] is None and fired["again"] is None
    text = run(BUILD / "contrace", "triggers", f"--address=unix:{d.endpoint.path}").stdout
    assert "no incident was made: max_per_hour, again in " in text and "pending" not in text


def test_what_cannot_be_judged_is_waiting(serve, watched):
    s = Service(serve, gauge(3))
    d = watched([s], [rule()])
    wait_until("it is judged", lambda: row(d)["state"] == "ok")
    s.page = gauge(3, "other")
    wait_until("nothing is judged", lambda: row(d)["state"] == "waiting")
    assert row(d)["why"] == "it is not served" and "it is not served" in row(d)["text"]
    s.page = gauge(3)
    wait_until("it is judged again", lambda: row(d)["state"] == "ok")


def test_the_worst_have_what_is_left(serve, watched):
    """Half of the budget goes to the first who fire, the rest to the worst of those that follow."""
    services = [Service(serve, gauge(3)) for _ in range(20)]
    d = watched(services, [rule(metrics={"poll_interval": "4s"})], {"max_per_hour": 6})
    wait_until("all are judged", lambda: {r["state"] for r in rows(d)} == {"ok"})
    for i, s in enumerate(services):
        s.page = gauge(20 + i)
    d.wait_log("the 3 worst make incidents", message_id=FIRED)
    d.wait_log(message_id=INCIDENT, count=6)
    values = [r["trigger"]["value"] for (r,) in incidents(d).values()]
    assert len(values) == 6
    fires = sorted(r["value"] for r in rows(d) if r["fires"])
    assert set(fires[-3:]) <= set(values)
    said = d.log("worst make incidents", message_id=FIRED)
    assert len(said) == 1 and "14 were dropped" in said[0]["msg"], said


FAULTS = {
    "hangs": (lambda c: c.wait_gone(), "timeout"),
    "hangs-in-the-page": (hostile.hang(gauge(20).encode()), "timeout"),
    "says-more-than-it-has": (hostile.wrong_length(gauge(20).encode(), 5000), "closed"),
    "too-long": (hostile.endless(gauge(20).encode(), b"# " + b"x" * 100000 + b"\n"), "too_large"),
    "too-long-expvar": (hostile.answer("200 OK", b'{"runnable": 20, "list": "' + b"x" * (512 << 10) + b'"}'), "too_large"),
    "html": (hostile.answer("200 OK", b"<html><body>hello</body></html>", "Content-Type: text/html"), "not_metrics"),
    "one-long-line": (hostile.answer("200 OK", b"x" * (2 << 20), TEXT), "not_metrics"),
    "binary": (hostile.answer("200 OK", bytes(b for b in range(256) if b != 10) * 8192, TEXT), "not_metrics"),
    "gone": (hostile.answer("404 Not Found", b"no\n"), "missing"),
    "redirects": (hostile.answer("302 Found", b"", "Location: http://127.0.0.1:1/"), "redirect"),
    "refuses": (hostile.answer("401 Unauthorized", b""), "unauthorized"),
    "fails": (hostile.answer("500 Internal Server Error", gauge(20).encode()), "http_status"),
    "gzip": (hostile.answer("200 OK", gzip.compress(gauge(20).encode()), "Content-Encoding: gzip"), "compressed"),
    "long-head": (hostile.endless_headers(), "protocol"),
    "no-http": (hostile.raw(b"hello\r\n\r\n"), "protocol"),
}  # fmt: skip


def test_what_pages_may_do(serve, watched):
    """Each in its way, all at once: a clear state, said once, counted and shown; the service beside
    them is polled as before, and what works again is said, too."""
    ill = {name: Service(serve, gauge(3)) for name in FAULTS}
    other = Service(serve, gauge(3))
    d = watched([*ill.values(), other], [rule(metrics={"poll_interval": "2s"})])
    wait_until("all are judged", lambda: {r["state"] for r in rows(d)} == {"ok"})
    for name, s in ill.items():
        s.page = FAULTS[name][0]

    def said(s):
        return [x["msg"] for x in d.log(message_id=POLLS_FAIL) if s.address in x["msg"]]

    for name, s in ill.items():
        result = FAULTS[name][1]
        (shown,) = wait_until(
            f"{name} fails", lambda s=s: rows(d, target=s.address, state="poll_failing")
        )
        assert shown["poll"]["result"] == result, (name, shown)
        assert shown["poll"]["text"], name
        wait_until(
            f"{name} has failed again",
            lambda s=s: row(d, target=s.address)["poll"]["failures"] > 1,
        )
        (line,) = said(s)
        assert f": {result}: " in line, name
    assert row(d, target=other.address)["state"] == "ok"
    assert not d.log(message_id=FIRED)
    for s in ill.values():
        s.page = gauge(3)
    d.wait_log(message_id=POLLS_WORK, count=len(ill))
    other.page = gauge(20)
    d.wait_log(message_id=INCIDENT)


def test_the_request(serve, watched):
    s = Service(serve, gauge(3))
    d = watched([s], [rule(metrics={"path": "/metrics", "poll_interval": "1s"})])
    wait_until("it is judged", lambda: row(d)["state"] == "ok")
    head = s.polls[0][1]
    assert head.startswith("GET /metrics HTTP/1.1\r\n")
    assert "Accept: text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0" in head
    assert "gzip" not in head


def test_expvar(serve, watched):
    """Up to 512 KiB of it, by the path of a number; what is beyond is said in so many words."""
    head, tail = b'{"memstats": {"Busy": 20}, "list": "', b'"}'
    page = head + b"x" * ((512 << 10) - len(head + tail)) + tail
    s = Service(serve, hostile.answer("200 OK", page[:-3] + page[-2:] + b"\n"))
    d = watched([s], [rule(gauge="memstats.Busy")])
    d.wait_log(message_id=INCIDENT)
    s.page = hostile.answer("200 OK", page + b"\n")
    said = d.wait_log("cannot poll", message_id=POLLS_FAIL)["msg"]
    assert f"http://{s.address}/metrics: too_large: expvar's JSON is longer than 512 KiB; " in said


def test_openmetrics_that_was_cut_off(serve, watched):
    body = b"# TYPE runnable gauge\nrunnable 20\n"
    kind = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"
    s = Service(serve, hostile.answer("200 OK", body, kind))
    d = watched([s], [rule()])
    d.wait_log("cannot poll", message_id=POLLS_FAIL)
    assert row(d)["poll"]["result"] == "not_metrics"
    s.page = hostile.answer("200 OK", body + b"# EOF\n", kind)
    d.wait_log(message_id=INCIDENT)


def test_polls_are_spread(serve, watched):
    services = [Service(serve, gauge(3)) for _ in range(30)]
    watched(services, [rule(metrics={"poll_interval": "5s"})])
    wait_until("all are polled twice", lambda: all(len(s.polls) > 1 for s in services))
    first = sorted(s.polls[0][0] for s in services)
    assert max(b - a for a, b in zip(first, first[1:])) < 2.5
    assert first[-1] - first[0] > 2.5


def test_a_reload(serve, watched, tmp_path):
    """A rule that did not change keeps what it knows; one that is gone is polled no more."""
    s = Service(serve, gauge(20) + gauge(3, "other"))
    rules = [rule(), rule("second", gauge="other")]
    d = watched([s], rules)
    d.wait_log(message_id=INCIDENT)
    fired = row(d, rule="busy")["fired"]
    assert fired

    def reload(services, rules):
        mark = d.mark()
        d.write_config(None, text=document(jobs_of(*services), tmp_path, rules))
        d.signal(signal.SIGHUP)
        d.wait_log(message_id=RELOADED, after=mark)

    reload([s], [rule(), rule("second", gauge="other", above=5)])
    assert row(d, rule="busy")["state"] == "fired"
    assert abs(stamp(row(d, rule="busy")["fired"]) - stamp(fired)) < 0.1
    polls = len(s.polls)
    wait_until("it is polled on", lambda: len(s.polls) > polls + 2)
    assert len(d.log(message_id=FIRED)) == 1
    reload([s], [rule("second", gauge="other", above=2)])
    d.wait_log("the rule second fires", message_id=FIRED)
    assert [r["rule"] for r in rows(d)] == ["second"]
    other = Service(serve, gauge(3, "other"))
    reload([other], [rule("second", gauge="other", above=2)])
    d.wait_log("the rule second fires", message_id=FIRED, count=2)
    reload([other], [])
    assert rows(d) == []
    time.sleep(0.2)
    polls = len(other.polls), len(s.polls)
    time.sleep(2.5)
    assert (len(other.polls), len(s.polls)) == polls


def test_shutdown(serve, watched):
    """A poll that hangs keeps nobody, and a rule that fires then makes no incident."""
    hung, s = Service(serve, FAULTS["hangs"][0]), Service(serve, gauge(3))
    d = watched([hung, s], [rule(metrics={"poll_interval": "8s"})])
    wait_until("it hangs", lambda: hung.polls or s.polls)
    d.stop()
    assert not d.log(message_id=FIRED)


def test_values_and_duplicates(serve, watched):
    """What is no number fires nothing, and of a series that comes twice the first counts."""
    s = Service(serve, "runnable NaN\n")
    d = watched([s], [rule()])
    wait_until("it is polled", lambda: len(s.polls) > 2)
    for page in ("runnable +Inf\n", "runnable -5\n", "runnable 3\nrunnable 50\n", "runnable x\n"):
        s.page = page
        polls = len(s.polls)
        wait_until("it is polled", lambda polls=polls: len(s.polls) > polls + 1)
    assert not [line for line in d.log(message_id=FIRED) if "inf" not in line["msg"].lower()]


def test_a_counter_that_begins_anew(serve, watched):
    s = Service(serve, "# TYPE waits counter\nwaits 1000000\n")
    d = watched([s], [rule(rate="waits", above=100)])
    wait_until("it is judged", lambda: len(s.polls) > 2)
    s.page = "# TYPE waits counter\nwaits 10\n"
    polls = len(s.polls)
    wait_until("it is polled on", lambda: len(s.polls) > polls + 3)
    assert not d.log(message_id=FIRED)
    s.page = "# TYPE waits counter\nwaits 5000\n"
    d.wait_log(message_id=INCIDENT)


def test_pages_of_the_list(serve, watched):
    services = [Service(serve, gauge(3)) for _ in range(3)]
    d = watched(services, [rule(), rule("second", gauge="other")])
    all_rows = rows(d)
    assert len(all_rows) == 6
    seen, after = [], {}
    for _ in range(6):
        page = d.endpoint.get("/api/v1/triggers", limit=1, **after).json
        assert page["total"] == 6 and len(page["triggers"]) == 1
        seen += page["triggers"]
        after = {"after": page["after"]}
    assert page["after"] is None
    named = [(r["address"], r["rule"]) for r in all_rows]
    assert [(r["address"], r["rule"]) for r in seen] == named
    assert d.endpoint.get("/api/v1/triggers", after="x").status == 400
    assert len(rows(d, rule="second")) == 3
    assert rows(d, state="fired") == []


def probe(tmp_path, services, rules):
    path = tmp_path / "probed.yaml"
    path.write_text(document(jobs_of(*services), tmp_path, rules))
    done = contraced("--check-config", "--probe", f"--config.file={path}")
    return done.returncode, (done.stdout + done.stderr).replace(str(path), "FILE")


def test_probe(serve, tmp_path):
    """--check-config --probe names what a target does not serve, with names like it."""
    page = gauge(3, "go_goroutines") + '# TYPE lat histogram\nlat_bucket{le="1",h="a"} 1\nlat_bucket{le="+Inf",h="a"} 1\nlat_count{h="a"} 1\n'  # fmt: skip
    s = Service(serve, page)
    good = rule(gauge="go_goroutines")
    assert probe(tmp_path, [s], [good]) == (0, "FILE: good\n")
    wrong = [
        rule("typo", gauge="go_goroutine"),
        rule("elsewhere", gauge="db_connections"),
        rule("matched", histogram="lat", above=1, share="1%", match={"h": "b"}),
        good,
    ]
    status, said = probe(tmp_path, [s], wrong)
    url = f"http://{s.address}/metrics"
    assert status == 1
    assert said.splitlines() == [
        f"{url}: the rule typo wants go_goroutine, which is not served; did you mean go_goroutines?",
        f"{url}: the rule elsewhere wants db_connections, which is not served",
        f"{url}: the rule matched wants lat, of which no series has the labels of `match`",
    ]
    s.page = gauge(3, "g") + '# TYPE sum summary\nsum{quantile="1"} 1\nsum_count 1\n' + page
    share = {"above": 1, "share": "1%"}
    wrong = [
        rule("of-gauge", histogram="g", **share),
        rule("of-summary", histogram="sum", match={"h": "a"}, **share),
        rule("as-gauge", gauge="lat"),
        rule("too-far", histogram="lat", above=1.5, share="1%"),
        rule("at-the-edge", histogram="lat", **share),
    ]
    status, said = probe(tmp_path, [s], wrong)
    assert status == 1
    assert said.splitlines() == [
        f"{url}: the rule of-gauge wants g, which is served as a gauge, not as a histogram",
        f"{url}: the rule of-summary wants sum, which is served as a summary, not as a histogram",
        f"{url}: the rule as-gauge wants lat, which is served as a histogram: give `histogram`, or a counter of it such as NAME_count",
        f"{url}: the rule too-far cannot fire: no bucket of lat has an edge at or above 1.5, the last is 1; lower `above`",
    ]
    s.page = hostile.answer("404 Not Found", b"no\n")
    status, said = probe(tmp_path, [s], [good])
    assert status == 1 and said.startswith(f"{url}: missing: HTTP status 404; set metrics.path")


def test_the_command(serve, watched):
    services = [Service(serve, gauge(20)), Service(serve, FAULTS["gone"][0])]
    d = watched(services, [rule(), rule("other", gauge="else")])
    d.wait_log(message_id=INCIDENT)
    wait_until("both are polled", lambda: all(r["poll"]["last"] for r in rows(d)))
    where = f"--address=unix:{d.endpoint.path}"
    text = run(BUILD / "contrace", "triggers", where).stdout
    assert "STATE" in text and "FIRED" in text
    fired = next(line for line in text.splitlines() if line.startswith("fired"))
    assert "busy" in fired and "runnable: 20, more than 10" in fired
    assert "missing: HTTP status 404" in text
    listed = json.loads(run(BUILD / "contrace", "triggers", where, "--json", "--rule=other").stdout)
    assert listed["total"] == 2 and {t["rule"] for t in listed["triggers"]} == {"other"}
    assert run(BUILD / "contrace", "triggers", where, "-t", "x").stdout.startswith("none of these;")
    assert run(BUILD / "contrace", "triggers", where, "x", check=False).returncode == 2


TABLE = (SRC / "docs/API.md").read_text().split("| `state` | |")[1].split("`edge`")[0]
STATES = re.findall(r"^\| `(\w+)` \|", TABLE, re.M)


def test_states_and_rules_have_names(serve, watched):
    """A state or a rule that is none is an error; the command, the API and the page about it have the same states."""
    d = watched([Service(serve, gauge(1))], [rule()])
    where = f"--address=unix:{d.endpoint.path}"
    assert len(STATES) == 8
    for state in STATES:
        assert run(BUILD / "contrace", "triggers", where, f"--state={state}").returncode == 0
        assert d.endpoint.get("/api/v1/triggers", state=state).status == 200
    done = run(BUILD / "contrace", "triggers", where, "--state=failing", check=False)
    assert done.returncode == 2 and "expected ok, pending, fired" in done.stderr
    assert all(state in done.stderr for state in STATES)
    answer = d.endpoint.get("/api/v1/triggers", state="failing")
    assert answer.status == 400 and all(state in answer.text for state in STATES)
    assert d.endpoint.get("/api/v1/triggers", rule="nosuch").status == 404
    done = run(BUILD / "contrace", "triggers", where, "--rule=nosuch", check=False)
    assert done.returncode == 1
    assert done.stderr == "contrace: trigger_configs has no rule `nosuch`\n"


def runbook():
    """The commands of what somebody does whom ContraceIncident called, and of the alert."""
    pages = (SRC / "docs/OPERATIONS.md").read_text()
    parts = [pages.split(f"\n{title}\n")[1].split("\n##")[0]
             for title in ("## A page at three o'clock", "### ContraceIncident")]  # fmt: skip
    alert = (SRC / "prometheus/contrace.rules.yaml").read_text().split("was kept. ")[1]
    parts.append("`" + " ".join(alert.split(" shows it.")[0].split()) + "`")
    found = re.findall(r"`(contrace (?:triggers|list|pull|capture)[^`]*)`", "\n".join(parts))
    assert len(found) >= 8 and found[-1].startswith("contrace list")
    return sorted(set(found))


def test_runbook_as_typed(serve, watched, tmp_path):
    d = watched([Service(serve, gauge(20))], [rule()])
    d.wait_log(message_id=INCIDENT)
    found = wait_until("it has evidence", lambda: incidents(d))
    config = ["-c", str(d.config)]
    for text in runbook():
        words = shlex.split(text.replace("=ID", f"={next(iter(found))}").replace("=RULE", "=busy"))
        where = config if words[1] in ("list", "pull") else [f"--address=unix:{d.endpoint.path}"]
        words = ["127.0.0.1" if w == "checkout" else w for w in words]
        more = ["--no-wait"] if words[1] == "capture" else []
        done = run(BUILD / "contrace", *words[1:], *where, *more, check=False, cwd=tmp_path)
        assert done.returncode != 2, (text, done.stderr)
        if "--incident" in text or words[1] == "triggers":
            assert done.returncode == 0 and done.stdout, (text, done.stderr)


def test_metrics_of_rules(serve, watched):
    services = [Service(serve, gauge(20)), Service(serve, FAULTS["gone"][0])]
    d = watched(services, [rule(), rule("other", gauge="else")])
    d.wait_log(message_id=INCIDENT)
    wait_until("both are polled", lambda: all(r["poll"]["last"] for r in rows(d)))
    text = d.endpoint.get("/metrics").text

    def value(series):
        return float(next(line for line in text.splitlines() if line.startswith(series + " ")).split()[1])  # fmt: skip

    assert value('contrace_trigger_polls_total{result="ok"}') >= 1
    assert value('contrace_trigger_polls_total{result="missing"}') >= 1
    assert value("contrace_trigger_pages") == 2 and value("contrace_trigger_pages_failing") == 1
    assert value('contrace_triggers_fired_total{rule="busy"}') == 1
    assert value('contrace_triggers_fired_total{rule="other"}') == 0
    assert value('contrace_trigger_incidents_total{rule="busy",result="begun"}') == 1
    assert value('contrace_trigger_targets{rule="busy"}') == 2
    assert value('contrace_trigger_targets_blind{rule="other"}') == 0


def test_rules_about_traces(daemon, goservice, tmp_path, endpoint):
    """`label` and `value` hear of what inspection found, of traces that no rule has asked for."""
    service = goservice()
    rules = [
        {"name": "label", "label": ["healthy", "idle"], "capture": ["goroutine"], "cooldown": "1h"},
        {"name": "value", "value": "goroutines.at_end", "above": 0, "capture": ["goroutine"],
         "cooldown": "1h"},
    ]  # fmt: skip
    inspect = {"enabled": True, "command": str(BUILD / "contrace")}
    text = document([job("web", service.address)], tmp_path, rules, inspect=inspect)
    d = daemon(text=text, args=[endpoint.option])
    d.wait_log("the rule label fires", message_id=FIRED)
    d.endpoint = endpoint
    shown = {r["rule"]: r for r in rows(d)}
    assert shown["label"]["label"] in ("healthy", "idle") and shown["label"]["poll"] is None
    print(shown)
    d.wait_log(message_id=INCIDENT)
