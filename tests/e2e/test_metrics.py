# SPDX-License-Identifier: Apache-2.0
"""GET /metrics of a real contraced: what Prometheus thinks of it, what its page of documentation says of
it, and whether the numbers are true."""

import re
import signal
import time

import pytest
from promtool import Scrape, run
from support import BUILD, RELOAD_FAILED, RELOADED, SRC, SUSPENDED, job, wait_until

ROW = re.compile(r"\| `(\w+)` \| (\w+) \|((?: `\w+`)*) \| (.+) \|")


def documented():
    """{name: (type, labels)} of docs/METRICS.md."""
    rows = ROW.findall((SRC / "docs/METRICS.md").read_text())
    names = [name for name, _, _, _ in rows]
    assert len(names) == len(set(names)), "a metric stands there twice"
    return {name: (kind, set(labels.replace("`", "").split())) for name, kind, labels, _ in rows}


@pytest.fixture
def start(daemon, tmp_path):
    """start(jobs, …): contraced with an endpoint, and a function that scrapes it."""

    def begin(jobs, **kwargs):
        path = tmp_path / "admin.sock"
        d = daemon(jobs, args=(f"--web.listen-address=unix:{path}",), **kwargs)
        wait_until("the endpoint listens", path.exists)
        return d, lambda: Scrape(path)

    return begin


@pytest.fixture
def busy(start, goservice, tmp_path):
    """A daemon that captured, inspected and uploaded one trace."""
    service = goservice()
    (tmp_path / "store").mkdir()
    d, scrape = start(
        [job("web", service.address)],
        upload={"url": f"file://{tmp_path}/store"},
        inspect={"enabled": True, "command": str(BUILD / "contrace")},
        triggers=[{"name": "stuck", "label": ["deadlock"]}],
    )
    wait_until(
        "a trace was uploaded and inspected",
        lambda: (
            scrape()("contrace_uploads_total", result="done") == 1
            and scrape()("contrace_spool_files", state="archive") == 1
            and scrape()("contrace_inspections_total", result="ok") == 1
        ),
    )
    return d, scrape


def test_promtool_finds_nothing(busy):
    _, scrape = busy
    answer = scrape()
    assert answer.type == "text/plain; version=0.0.4; charset=utf-8"
    status, said = run("check", "metrics", text=answer.text)
    assert (status, said.strip()) == (0, "")


def test_the_documentation_has_each_metric(busy):
    _, scrape = busy
    live = {name: (f.type, f.labels()) for name, f in scrape().families.items()}
    written = documented()
    assert sorted(live) == sorted(written)
    # What has no sample at all would say nothing of its labels.
    assert [name for name, f in scrape().families.items() if not f.samples] == []
    assert live == written


def test_the_numbers_are_true(busy):
    d, scrape = busy
    s = scrape()
    (key,) = d.spool.check()
    size = d.spool.record(key)["bytes"]
    now = time.time()
    assert s("contrace_captures_total", scrape_job="web", artifact="trace", result="ok") == 1
    assert s("contrace_captures_total", scrape_job="web", artifact="trace", result="timeout") == 0
    assert s("contrace_captured_bytes_total", scrape_job="web", artifact="trace") == size
    assert s("contrace_capture_duration_seconds_count", scrape_job="web", artifact="trace") == 1
    assert (
        0.2 <= s("contrace_capture_duration_seconds_sum", scrape_job="web", artifact="trace") < 60
    )
    assert s("contrace_capture_start_delay_seconds_count") == 1
    assert 0 <= s("contrace_capture_start_delay_seconds_sum") < 60
    assert s("contrace_captures_in_flight") == s("contrace_captures_waiting") == 0
    success = s("contrace_capture_last_success_timestamp_seconds", scrape_job="web")
    assert s("process_start_time_seconds") - 1 < success < now
    (target,) = [dict(l) for _, l in s.families["contrace_target_consecutive_failures"].samples]
    assert s("contrace_target_last_success_timestamp_seconds", **target) == success
    record = d.spool.record(key)
    p99 = record["summary"]["scheduler"]["latency"]["p99_ns"]
    measured = s("contrace_target_scheduler_latency_p99_seconds", **target)
    assert measured == pytest.approx(p99 / 1e9, rel=1e-3)
    assert s("contrace_target_covered_ratio", **target) == record["covered"] == 1
    label = record["label"]
    assert s("contrace_traces_labelled_total", scrape_job="web", label=label) == 1
    labels = s.families["contrace_traces_labelled_total"].samples
    assert sum(labels.values()) == 1
    assert s("contrace_inspection_duration_seconds_count") == 1
    assert s("contrace_inspection_cpu_seconds_total") > 0
    assert s("contrace_targets", scrape_job="web") == 1
    assert s("contrace_targets_failing", scrape_job="web") == 0
    assert s("contrace_spool_files", state="archive") == 1
    assert s("contrace_spool_files", state="pending") == 0
    assert s("contrace_spool_bytes", state="archive") >= size
    oldest = s("contrace_spool_oldest_timestamp_seconds", state="archive")
    assert abs(oldest - success) <= 1
    assert s("contrace_spool_oldest_timestamp_seconds", state="pending") == 0
    assert s("contrace_spool_filesystem_size_bytes") > s("contrace_spool_filesystem_free_bytes")
    assert s("contrace_upload_enabled") == 1
    assert s("contrace_uploaded_bytes_total") == size
    assert s("contrace_upload_duration_seconds_count") == 1
    assert success <= s("contrace_upload_last_success_timestamp_seconds") <= now
    assert s("contrace_upload_breaker_state", state="closed") == 1
    assert s("contrace_upload_breaker_state", state="parked") == 0
    assert 0 < s("process_cpu_seconds_total") < 60
    assert s("process_resident_memory_bytes") > 1 << 20
    assert s("process_open_fds") < s("process_max_fds")


def test_reload_and_suspension(start):
    jobs = [job("web", "unix:@nobody-listens-here")]
    d, scrape = start(jobs)
    s = scrape()
    read = s("contrace_config_last_reload_success_timestamp_seconds")
    assert s("contrace_config_last_reload_successful") == 1
    assert s("contrace_suspended") == 0

    d.config.write_text("nonsense: true\n")
    d.process.send_signal(signal.SIGHUP)
    d.wait_log(message_id=RELOAD_FAILED)
    s = scrape()
    assert s("contrace_config_last_reload_successful") == 0
    assert s("contrace_config_reloads_total", result="failed") == 1
    assert s("contrace_config_last_reload_success_timestamp_seconds") == read

    d.write_config(jobs)
    d.process.send_signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED)
    s = scrape()
    assert s("contrace_config_last_reload_successful") == 1
    assert s("contrace_config_reloads_total", result="ok") == 1
    assert s("contrace_config_last_reload_success_timestamp_seconds") > read

    before = time.time()
    d.process.send_signal(signal.SIGUSR2)
    d.wait_log(message_id=SUSPENDED)
    s = scrape()
    assert s("contrace_suspended") == 1
    since = s("contrace_suspended_since_timestamp_seconds", cause="signal")
    assert before - 1 < since < time.time() + 1
    assert s("contrace_suspended_since_timestamp_seconds", cause="api") == 0


def test_failures_and_a_job_that_goes(start):
    d, scrape = start([job("web", "unix:@nobody-listens-here"), job("db", "unix:@nor-here")])
    wait_until(
        "both failed",
        lambda: all(
            scrape()("contrace_captures_total", scrape_job=name, artifact="trace", result="connect")
            > 0
            for name in ("web", "db")
        ),
    )
    s = scrape()
    target = {"scrape_job": "web", "target": "unix:@nobody-listens-here"}
    assert s("contrace_target_consecutive_failures", **target) >= 1
    assert s("contrace_target_last_success_timestamp_seconds", **target) == 0
    assert s("contrace_targets_failing", scrape_job="web") == 1
    assert s("contrace_capture_last_success_timestamp_seconds", scrape_job="web") == 0
    # The 99th percentile of nothing is not 0.
    assert s.families["contrace_target_scheduler_latency_p99_seconds"].samples == {}
    assert s("contrace_upload_enabled") == 0

    # A counter that goes would begin anew when it comes back.
    d.write_config([job("db", "unix:@nor-here")])
    d.process.send_signal(signal.SIGHUP)
    d.wait_log(message_id=RELOADED)
    s = scrape()
    assert s("contrace_captures_total", scrape_job="web", artifact="trace", result="connect") >= 1
    assert s("contrace_targets", scrape_job="web") == 0
    assert s("contrace_scrape_interval_seconds", scrape_job="web") == 0
    assert s("contrace_targets", scrape_job="db") == 1
    assert {dict(l)["scrape_job"] for _, l in
            s.families["contrace_target_consecutive_failures"].samples} == {"db"}  # fmt: skip


def test_series_are_bounded(start):
    """2,500 targets and 1,500 jobs."""
    many = [f"unix:@nobody-{i}" for i in range(2500)]
    jobs = [job(f"job-{i:04}", f"unix:@alone-{i}") for i in range(1500)]
    _, scrape = start([*jobs, job("many", *many)], glob={"max_concurrent_captures": 1})
    s = scrape()
    targets = s.families["contrace_target_consecutive_failures"].samples
    assert len(targets) == 1000
    assert s("contrace_targets_left_out") == 3000
    assert len(s.families["contrace_targets"].samples) == 1001
    assert s("contrace_targets", scrape_job="other") == 500 + 2500
    assert s("contrace_targets", scrape_job="job-0999") == 1
    assert len(s.text) < 16 << 20
    status, said = run("check", "metrics", text=s.text)
    assert (status, said.strip()) == (0, "")


def test_labels_of_any_text(start):
    """A job's name and an address are the operator's words."""
    name = 'a "job"\\ with strange words'
    _, scrape = start([job(name, "unix:@x")])
    s = scrape()
    escaped = r"a \"job\"\\ with strange words"
    assert s("contrace_targets", scrape_job=escaped) == 1
    status, said = run("check", "metrics", text=s.text)
    assert (status, said.strip()) == (0, "")
