# SPDX-License-Identifier: Apache-2.0
"""What the host knew while a trace was taken: from /proc and the cgroup, through the record, to the
summary. With a real service under a real CPU quota."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from forward import Forward
from support import (
    BUILD,
    CONTRACED,
    GoService,
    config_text,
    job,
    need,
    run,
    wait_until,
)

pytestmark = pytest.mark.reading

CONTRACE = BUILD / "contrace"
INSPECTEE = BUILD / "tests/support/inspectee"
CPU = pathlib.Path("/sys/fs/cgroup/cpu")
BUSY = ("-load", "50")
QUOTA = 4_000  # of 100,000 us: so little that it gets it on the busiest machine


def context_of(daemon):
    (record,) = daemon.spool.check().values()
    return record.get("context")


def stat(group):
    lines = (group / "cpu.stat").read_text().splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


@contextlib.contextmanager
def cgroup(quota):
    """A cgroup with a quota, and one below it without; version 1, where one may make it."""
    if not (CPU / "cpu.cfs_quota_us").exists() or not os.access(CPU, os.W_OK):
        pytest.skip("no cgroup of version 1 that may be made here")
    above = CPU / f"contrace-test-{os.getpid()}"
    below = above / "service"
    try:
        below.mkdir(parents=True)
    except OSError as e:
        pytest.skip(f"no cgroup may be made here: {e}")
    try:
        (above / "cpu.cfs_quota_us").write_text(str(quota))
        yield above, below
    finally:
        for group in (below, above):
            wait_until("the cgroup is empty", lambda g=group: not (g / "cgroup.procs").read_text())
            group.rmdir()


def readable(path):
    """Others may go to it."""
    for directory in (path, *path.parents):
        if directory.stat().st_uid == os.geteuid() and directory.stat().st_mode & 0o001 == 0:
            directory.chmod(directory.stat().st_mode | 0o055)


def test_throttled(goservice_binary, daemon, tmp_path):
    """The quota stands above the service's own cgroup, as a pod's does."""
    with (
        cgroup(QUOTA) as (above, below),
        GoService(goservice_binary, tmp_path, *BUSY, env={"GOMAXPROCS": "2"}) as service,
    ):
        (below / "cgroup.procs").write_text(str(service.pid))
        before = stat(above)
        d = daemon([job("s", service.address)], glob={"seconds": 1.9})
        d.wait_captured()
        after = stat(above)
        d.stop()
        context = context_of(d)
        cpu = context["cgroup"]["cpu"]
        assert context["cgroup"]["version"] == 1
        assert cpu["level"] == f"/{above.name}" and cpu["levels_up"] == 1
        assert (cpu["quota_ns"], cpu["period_ns"]) == (QUOTA * 1000, 100_000_000)
        assert 0 < cpu["nr_throttled"] <= after["nr_throttled"] - before["nr_throttled"]
        assert cpu["nr_throttled"] <= cpu["nr_periods"]
        assert 0 < cpu["throttled_ns"] <= after["throttled_time"] - before["throttled_time"]
        assert context["window_ns"] > 0 and cpu["nr_periods"] * 100e6 < 2 * context["window_ns"]
        process = context["process"]
        assert process["threads"] > 2 and process["rss_bytes"] > 1 << 20
        assert process["open_fds"] > 2 and process["run_wait_ns"] > 0
        assert process["voluntary_switches"] >= 0 and process["involuntary_switches"] >= 0
        assert context["host"]["cpus"] == os.cpu_count()

        trace = d.spool.trace(next(iter(d.spool.check())))
        text = run(CONTRACE, "summary", trace).stdout
        assert f"{cpu['nr_throttled']} of {cpu['nr_periods']} periods throttled" in text
        assert "quota 0.04 CPU (1 level above)" in text
        shown = json.loads(run(CONTRACE, "summary", "--json", trace).stdout)
        assert shown["context"] == context
        assert "cpu-throttled" in [finding["code"] for finding in shown["findings"]]


def test_by_socket_and_pid_file(goservice, daemon, tmp_path):
    """A unix socket tells who listens on it before the first byte comes."""
    service = goservice("-load", "0")
    (tmp_path / "pid").write_text(f"{service.pid}\n")
    d = daemon([
        job("socket", f"unix:{service.socket}"),
        job("file", service.address, pid_file=str(tmp_path / "pid")),
    ])  # fmt: skip
    d.wait_captured(count=2)
    d.stop()
    for record in d.spool.check().values():
        assert record["context"]["process"]["threads"] > 2
        assert record["context"]["process"]["cpu_ns"] >= 0
        assert record["context"]["window_ns"] > 0


def test_unknown_process(goservice, daemon, tmp_path):
    """A file with the id of nobody: the machine is known, and nothing else is made up."""
    service = goservice()
    (tmp_path / "pid").write_text("4194300\n")
    d = daemon([job("s", service.address, pid_file=str(tmp_path / "pid"))])
    d.wait_captured()
    d.stop()
    assert set(context_of(d)) == {"window_ns", "host"}


def test_on_another_machine(goservice, daemon):
    """Of a target that a proxy reaches nothing is said, wherever that is."""
    service = goservice("-load", "0")
    with Forward({"elsewhere.test": ("127.0.0.1", int(service.address.split(":")[1]))}) as proxy:
        d = daemon([job("s", "elsewhere.test:80", proxy_url=f"http://{proxy.address}")])
        d.wait_captured()
        d.stop()
    assert context_of(d) is None


def test_hidden(goservice_binary, tmp_path):
    """An unprivileged daemon does not see a process that /proc hides."""
    need(os.geteuid() == 0, "needs root to become somebody else, and to mount /proc")
    readable(tmp_path)
    work = tmp_path / "spool"
    work.mkdir()
    os.chown(work, 65534, 65534)
    with GoService(goservice_binary, tmp_path, "-load", "0") as service:
        (tmp_path / "pid").write_text(f"{service.pid}\n")
        config = tmp_path / "contraced.yaml"
        config.write_text(config_text(
            [job("s", service.address, pid_file=str(tmp_path / "pid"))], {"path": str(work / "s")},
            web={"listen_address": "127.0.0.1:0"},
        ))  # fmt: skip
        for hide, seen in (("0", True), ("2", False)):
            command = (
                f"mount -t proc -o hidepid={hide} proc /proc && "
                f"exec setpriv --reuid 65534 --regid 65534 --clear-groups "
                f"{CONTRACED} --config.file={config} --once"
            )
            run("unshare", "--mount", "sh", "-c", command, check=True)
            (record,) = (work / "s/archive").rglob("*.json")
            context = json.loads(record.read_text())["context"]
            assert "cpus" in context["host"]
            assert ("process" in context) is seen
            # Its descriptors are nobody else's to see, where the kernel counts them one by one.
            subprocess.run(["rm", "-rf", str(work / "s")], check=True)


def test_child_gets_the_numbers(goservice, daemon, tmp_path):
    """The child that makes the label is told what the host knew, but no name of a cgroup."""
    command = tmp_path / "arguments"
    need(INSPECTEE.exists(), f"no {INSPECTEE}: make check")
    command.symlink_to(INSPECTEE)
    service = goservice("-load", "0")
    d = daemon([job("s", service.address)], inspect={
        "command": str(command), "max_memory": "100000TiB",
    })  # fmt: skip
    d.wait_captured()
    (key,) = wait_until("a label", lambda: [
        k for k, r in d.spool.check().items() if "label" in r
    ])  # fmt: skip
    d.stop()
    record = d.spool.check()[key]
    evidence = record["summary"]["findings"][0]["evidence"]
    assert evidence["words"] == 6 and evidence["names"] == 0
    assert evidence["context"] > 100 and record["context"]["cgroup"]["memory"]["level"]


def test_label_keeps_the_context(goservice, daemon):
    """contrace itself: what the record has of the host stays as it was, and stands there once."""
    service = goservice("-load", "0")
    d = daemon([job("s", service.address)], inspect={"command": str(CONTRACE)})
    d.wait_captured()
    (key,) = wait_until("a label", lambda: [
        k for k, r in d.spool.check().items() if "label" in r
    ])  # fmt: skip
    d.stop()
    record = d.spool.check()[key]
    assert record["label"] in ("idle", "not-inspected") and "context" not in record["summary"]
    assert record["context"]["process"]["threads"] > 2
    assert list(record)[-1] == "summary"


def test_record_that_belongs_to_another(goservice, daemon, tmp_path):
    service = goservice("-load", "0")
    d = daemon([job("s", service.address)])
    d.wait_captured()
    d.stop()
    (key,) = d.spool.check()
    trace, record = tmp_path / "x.trace", tmp_path / "x.json"
    trace.write_bytes(d.spool.trace(key).read_bytes())
    text = json.loads(d.spool.trace(key).with_suffix(".json").read_text())

    def shown(*arguments):
        done = run(CONTRACE, "summary", "--json", *arguments, trace, check=False)
        return json.loads(done.stdout).get("context") if done.returncode == 0 else done.stderr

    assert shown() is None
    record.write_text(json.dumps(text))
    assert shown() == text["context"]
    record.write_text(json.dumps({**text, "bytes": text["bytes"] + 1}))
    assert shown() is None
    for broken in ("", "{", "[]", json.dumps({**text, "context": 7}), "\0" * 1000):
        record.write_text(broken)
        assert shown() is None
    other = tmp_path / "other.json"
    other.write_text(json.dumps(text))
    assert shown(f"--context={other}") == text["context"]
    other.write_text(json.dumps(text["context"]))
    assert shown(f"--context={other}") == text["context"]
    assert shown(f"--context={json.dumps(text['context'])}") == text["context"]
    for wrong in ({"bytes": text["bytes"] + 1}, {"start": "2020-01-01T00:00:00.000Z"}):
        other.write_text(json.dumps({**text, **wrong}))
        said = shown(f"--context={other}")
        assert "--context is of another trace" in said, said
    long = {**text["context"], "window_ns": text["context"]["window_ns"] * 100}
    assert "the window is" in shown(f"--context={json.dumps(long)}")
    other.write_text(json.dumps(text["context"]))
    assert "nothing about a host" in shown('--context={"host": "web-1"}')
    assert "no JSON object" in shown("--context={")
    assert shown("--context=none.json") == "contrace: none.json: No such file or directory\n"
    for value, status in (("none.json", 1), (other.parent, 1), ("{", 2)):
        done = run(CONTRACE, "summary", f"--context={value}", trace, check=False)
        assert (done.returncode, done.stdout) == (status, ""), value
    done = run(CONTRACE, "summary", "--context={}", trace, trace, check=False)
    assert done.returncode == 2 and "one trace" in done.stderr
    with open(trace, "rb") as f:
        done = run(
            CONTRACE, "summary", "--json", "--sandbox", f"--context={other}", "-", stdin=f,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2 and not done.stdout


def test_other_container(goservice_binary, tmp_path):
    """As in a pod whose containers share their processes and a user: the quota of the other one's
    cgroup is seen through that one's own mounts, as ours show ours alone."""
    need(os.geteuid() == 0, "needs root to make name spaces of cgroups")
    with cgroup(QUOTA) as (above, below):
        (above / "cpu.cfs_quota_us").write_text("-1")
        (below / "cpu.cfs_quota_us").write_text(str(QUOTA))
        ours = above / "contraced"
        ours.mkdir()
        readable(tmp_path)

        def inside(group, *command):
            """In this cgroup and a name space of its own, as an unprivileged user."""
            return ["sh", "-c", f"echo $$ > {group}/cgroup.procs && exec unshare --cgroup --mount "
                    f"sh -c 'umount {CPU} && mount -t cgroup -o cpu cgroup {CPU} && exec setpriv --reuid 65534 "
                    f"--regid 65534 --clear-groups {' '.join(map(str, command))}'"]  # fmt: skip

        work = tmp_path / "spool"
        work.mkdir()
        os.chown(work, 65534, 65534)
        service = subprocess.Popen(
            inside(below, goservice_binary, "-listen", "127.0.0.1:0", *BUSY),
            stdout=subprocess.PIPE, text=True, env={**os.environ, "GOMAXPROCS": "2"},
        )  # fmt: skip
        try:
            address = re.search(r"http://(127\.0\.0\.1:\d+)", service.stdout.readline())[1]
            config = tmp_path / "contraced.yaml"
            config.write_text(config_text(
                [job("s", address)], {"path": str(work / "s")}, glob={"seconds": 1},
                web={"listen_address": "127.0.0.1:0"},
            ))  # fmt: skip
            run(*inside(ours, CONTRACED, f"--config.file={config}", "--once"))
            (record,) = (work / "s/archive").rglob("*.json")
            cpu = json.loads(record.read_text())["context"]["cgroup"]["cpu"]
        finally:
            service.kill()
            service.wait()
            service.stdout.close()
            wait_until("the cgroup is empty", lambda: not (ours / "cgroup.procs").read_text())
            ours.rmdir()
        assert cpu["level"] == "/../service" and cpu["levels_up"] == 0
        assert cpu["quota_ns"] == QUOTA * 1000
        assert 0 < cpu["nr_throttled"] <= cpu["nr_periods"]


def test_process_that_ends_meanwhile(goservice, daemon):
    """What is gone at the end of the window has no numbers; the machine has."""
    service = goservice("-load", "50", env={"GODEBUG": "traceadvanceperiod=100000000"})
    d = daemon([job("s", service.address)], glob={"seconds": 100, "scrape_timeout": "200s"})
    wait_until("a generation is there", lambda: sum(
        p.stat().st_size for p in (d.spool.path / "incoming").iterdir()) > 1 << 20)  # fmt: skip
    os.kill(service.pid, signal.SIGKILL)
    d.wait_log(result="truncated")
    d.stop()
    context = context_of(d)
    assert "process" not in context and "cgroup" not in context
    assert context["host"]["cpus"] == os.cpu_count()
