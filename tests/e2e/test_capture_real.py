# SPDX-License-Identifier: Apache-2.0
"""A real Go service, captured in every way that it can be asked, and read by Go's own tools."""

import threading
import time
import urllib.error
import urllib.request

import pytest
from support import (
    DOWN,
    Daemon,
    Spool,
    assert_go_reads,
    contraced,
    go_trace,
    go_version,
    job,
    need,
    need_program,
    run,
    wait_until,
)
from test_framing_live import framecut

# A generation every 100 ms instead of every second.
QUICK_GENERATIONS = {"GODEBUG": "traceadvanceperiod=100000000"}


@pytest.fixture(autouse=True)
def strict_reader():
    need(go_version() >= (1, 22), "no Go that has or fetches the reference toolchain")


def test_tcp_and_unix_socket(goservice, daemon):
    service = goservice()
    jobs = [
        job("by-port", service.address),
        {**job("by-socket"), "static_configs": [
            {"targets": [f"unix:{service.socket}"], "labels": {"env": "test", "service": "shop"}},
        ]},
    ]  # fmt: skip
    d = daemon(jobs, glob={"host": "machine-1"})
    d.wait_captured(count=2)
    d.capture_now()
    d.wait_captured(count=4)
    d.stop()
    assert d.problems() == []
    assert d.spool.pending() == []

    records = d.spool.check()
    assert sorted(k.split("/")[0] for k in records) == ["by-port", "by-port", "shop", "shop"]
    assert sorted(r["reason"] for r in records.values()) == ["schedule"] * 2 + ["signal"] * 2
    for key, record in records.items():
        assert record["pid"] == service.pid
        assert key.split("/")[1] == record["host"] == "machine-1"
        assert f"-{service.pid}" in key.rsplit("/", 1)[1]
        assert record["complete"] and record["seconds"] == 0.2
        assert record["go_version"] == "1.%d" % {24: 23, 27: 26}.get(
            go_version()[1], go_version()[1]
        )
        assert d.spool.trace(key).stat().st_mode & 0o777 == 0o640
        assert_go_reads(d.spool.trace(key))
        if record["service"] == "shop":
            assert record["labels"] == {"env": "test", "service": "shop"}
            assert record["target"] == f"unix:{service.socket}:/debug/pprof/trace"
        else:
            assert record["target"] == f"http://{service.address}/debug/pprof/trace"
    status, text = go_trace("-pprof=sched", d.spool.trace(next(iter(records))))
    assert status == 0, text


def test_pid_file_wins(goservice, daemon, tmp_path):
    service = goservice()
    (tmp_path / "pid").write_text("4242\n")
    d = daemon([job("s", service.address, pid_file=str(tmp_path / "pid"))])
    d.wait_captured()
    d.stop()
    assert [r["pid"] for r in d.spool.check().values()] == [4242]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a server's certificate for 127.0.0.1 and a client's."""
    need_program("openssl", "openssl")
    work = tmp_path_factory.mktemp("certificates")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=test authority",
        "-keyout", work / "ca.key", "-out", work / "ca.pem")  # fmt: skip
    for name, extension in (
        ("server", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"),
        ("client", "extendedKeyUsage=clientAuth\n"),
    ):
        (work / "extension").write_text(extension)
        run("openssl", "req", "-new", *key, "-subj", f"/CN={name}",
            "-keyout", work / f"{name}.key", "-out", work / f"{name}.csr")  # fmt: skip
        run("openssl", "x509", "-req", "-in", work / f"{name}.csr", "-CA", work / "ca.pem",
            "-CAkey", work / "ca.key", "-set_serial", "7", "-days", "2",
            "-extfile", work / "extension", "-out", work / f"{name}.pem")  # fmt: skip
    return work


def test_https_with_client_certificate(goservice, daemon, certificates):
    c = certificates
    service = goservice(
        "-tls-cert", c / "server.pem", "-tls-key", c / "server.key", "-client-ca", c / "ca.pem"
    )
    client = {"cert_file": str(c / "client.pem"), "key_file": str(c / "client.key")}
    ca = {"ca_file": str(c / "ca.pem")}
    port = service.address.split(":")[1]
    jobs = [
        job("good", service.address, scheme="https", tls_config={**ca, **client}),
        job("no-certificate", service.address, scheme="https", tls_config=ca),
        job("no-authority", service.address, scheme="https", tls_config=client),
        job("unverified", service.address, scheme="https",
            tls_config={**client, "insecure_skip_verify": True}),
        job("wrong-name", f"localhost:{port}", scheme="https", tls_config={**ca, **client}),
        job("named", f"localhost:{port}", scheme="https",
            tls_config={**ca, **client, "server_name": "127.0.0.1"}),
        job("no-file", service.address, scheme="https",
            tls_config={**ca, "cert_file": "/nonexistent", "key_file": str(c / "client.key")}),
    ]  # fmt: skip
    # One after the other: a process takes one trace at a time.
    d = daemon(jobs, glob={"max_concurrent_captures": 1})
    for name in ("good", "unverified", "named"):
        d.wait_captured(service=name)
    for name in ("no-authority", "wrong-name"):
        d.wait_log(service=name, result="tls", message_id=DOWN)
    # TLS 1.3 tells of a missing client certificate only after the handshake.
    line = d.wait_log(service="no-certificate", message_id=DOWN)
    assert line["result"] in ("tls", "closed")
    d.wait_log(service="no-file", result="credentials", message_id=DOWN)
    d.stop()
    for key in d.spool.check():
        assert_go_reads(d.spool.trace(key))


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_secret_rotated_between_captures(kind, goservice, daemon, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.write_text("first one\n")
    ours.write_text("first one\n")
    ours.chmod(0o600)
    if kind == "basic":
        service = goservice("-basic-auth", f"contrace:{theirs}")
        auth = {"basic_auth": {"username": "contrace", "password_file": str(ours)}}
    else:
        service = goservice("-bearer-file", theirs)
        auth = {"authorization": {"credentials_file": str(ours)}}
    d = daemon([job("s", service.address, **auth), job("anonymous", service.address)],
               glob={"max_concurrent_captures": 1})  # fmt: skip
    d.wait_captured(service="s")
    d.wait_log(service="anonymous", result="unauthorized", message_id=DOWN)

    theirs.write_text("second one\n")
    d.capture_now()
    d.wait_log(service="s", result="unauthorized", message_id=DOWN)

    fresh = tmp_path / "fresh"
    fresh.write_text("second one\n")
    fresh.chmod(0o600)
    fresh.rename(ours)
    mark = d.mark()
    d.capture_now()
    d.wait_captured(service="s", after=mark)
    wait_until("the captures have ended", lambda: not d.spool.incoming())

    ours.chmod(0o666)
    d.capture_now()
    line = d.wait_log(service="s", result="credentials", message_id=DOWN)
    assert str(ours) in line["msg"] and "chmod 0600" in line["msg"]
    ours.unlink()
    d.stop()
    written = d.config.read_text() + str(d.lines)
    for secret in ("first one", "second one"):
        assert secret not in written
    for key in d.spool.check():
        assert "one" not in d.spool.trace(key).with_suffix(".json").read_text()


def test_cut_at_the_size_limit(goservice, daemon):
    service = goservice("-load", "3", env=QUICK_GENERATIONS)
    d = daemon([job("s", f"unix:{service.socket}", seconds=30, scrape_timeout="40s",
                    body_size_limit="512KiB")])  # fmt: skip
    line = d.wait_captured(result="truncated")
    assert line["level"] == "warn" and "raise body_size_limit" in line["msg"]
    d.stop()
    record = d.spool.check()[line["key"]]
    assert not record["complete"]
    assert record["truncated"] == {"by": "size_limit", "received": 512 * 1024}
    assert record["bytes"] < 512 * 1024 and record["generations"] >= 1
    assert_go_reads(d.spool.trace(line["key"]))


def test_service_killed_while_traced(goservice, daemon):
    service = goservice(env=QUICK_GENERATIONS)
    d = daemon([job("s", f"unix:{service.socket}", seconds=30, scrape_timeout="40s")])

    def whole():
        names = d.spool.incoming()
        return names and framecut(d.spool.path / "incoming" / names[0], "-u")["generations"]

    wait_until("a generation has come", whole, interval=0.2)
    service.process.kill()
    line = d.wait_captured(result="truncated")
    d.stop()
    record = d.spool.check()[line["key"]]
    assert record["truncated"]["by"] == "closed"
    assert_go_reads(d.spool.trace(line["key"]))


def test_term_cuts_a_real_trace(goservice, daemon):
    """What is whole at the end of shutdown_timeout is kept, and Go reads it."""
    service = goservice(env=QUICK_GENERATIONS)
    d = daemon([job("s", f"unix:{service.socket}", seconds=30, scrape_timeout="40s")],
               glob={"shutdown_timeout": "1s"})  # fmt: skip
    wait_until("the capture has begun", d.spool.incoming)
    time.sleep(0.5)
    d.stop()
    records = d.spool.check()
    assert [r["truncated"]["by"] for r in records.values()] == ["shutdown"]
    assert_go_reads(d.spool.trace(next(iter(records))))


class OtherTrace:
    """Somebody else who is tracing the service."""

    def __init__(self, address, seconds):
        self.url = f"http://{address}/debug/pprof/trace?seconds="
        self.thread = threading.Thread(target=self._read, args=(seconds,))
        self.thread.start()
        wait_until("the service is being traced", self._busy)

    def _read(self, seconds):
        while True:
            try:
                with urllib.request.urlopen(self.url + str(seconds), timeout=60) as body:
                    body.read()
                return
            except urllib.error.HTTPError:  # it was this class's own look whether it is busy
                time.sleep(0.01)

    def _busy(self):
        try:
            with urllib.request.urlopen(self.url + "0.001", timeout=60) as body:
                body.read()
            return False
        except urllib.error.HTTPError as e:
            return e.code == 500


def test_busy_is_no_failure(goservice, daemon):
    """It is tried again within the interval until the other trace is over, without a word."""
    service = goservice()
    other = OtherTrace(service.address, 2)
    d = daemon([job("s", service.address)], glob={"scrape_interval": "10m"})
    d.wait_log(": busy: ")
    d.wait_captured(service="s", result="ok")
    other.thread.join()
    assert len(d.spool.keys()) == 1
    d.stop()
    assert d.problems() == []
    counts = d.counts()
    assert counts.pop("busy") >= 1 and counts == {"ok": 1}
    d.spool.check()


def test_once_waits_for_a_busy_service(goservice, tmp_path):
    service = goservice()
    other = OtherTrace(service.address, 1)
    done = once(tmp_path, f"a=http://{service.address}")
    other.thread.join()
    assert done.returncode == 0, done.stderr
    assert len(Spool(tmp_path / "spool").check()) == 1


def test_write_timeout(goservice, daemon):
    service = goservice("-write-timeout", "1s")
    d = daemon([job("long", service.address, seconds=1), job("short", service.address)],
               glob={"max_concurrent_captures": 1})  # fmt: skip
    line = d.wait_log(service="long", result="write_timeout", message_id=DOWN)
    assert "WriteTimeout (1.9 instead of 2)" in line["msg"]
    d.wait_captured(service="short")
    d.stop()


def once(directory, *targets, seconds="0.2"):
    return contraced(
        "--once", *[f"--target={t}" for t in targets], f"--seconds={seconds}",
        f"--storage.path={directory}/spool",
    )  # fmt: skip


def test_once_all_well(goservice, tmp_path):
    first, second = goservice(), goservice()
    done = once(tmp_path, f"a=http://{first.address}", f"b=unix:{second.socket}")
    assert done.returncode == 0, done.stderr
    records = Spool(tmp_path / "spool").check()
    assert {r["service"]: r["pid"] for r in records.values()} == {"a": first.pid, "b": second.pid}
    for key in records:
        assert_go_reads(tmp_path / "spool" / "archive" / key)


def test_once_some_failed(goservice, tmp_path):
    service = goservice()
    done = once(tmp_path, f"a=http://{service.address}", "b=http://127.0.0.1:1")
    assert done.returncode == 1, done.stderr
    assert [r["service"] for r in Spool(tmp_path / "spool").check().values()] == ["a"]
    assert Spool(tmp_path / "spool").incoming() == []


def test_sidecar_by_the_command_line_alone(goservice, tmp_path):
    """`contraced -t URL` is complete: it captures at once and goes on."""
    service = goservice()
    with Daemon(tmp_path, args=["-t", f"http://{service.address}", "--seconds=0.2"]) as d:
        key = d.wait_captured()["key"]
        assert key.startswith(f"127.0.0.1_{service.address.split(':')[1]}/")
        d.stop()
        assert_go_reads(d.spool.trace(key))
