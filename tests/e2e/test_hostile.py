# SPDX-License-Identifier: Apache-2.0
"""A scripted hostile target. Each case ends with its class, no leaked descriptor, nothing left in
incoming/, and a daemon that goes on capturing this target and a healthy one."""

import ssl
import time

import hostile
import pytest
from hostile import HEADER, generation, healthy, trace
from support import CAPTURED, DOWN, UP, job, need_program, run, wait_until

HALF = trace(1) + generation(2, 3000)[:1500]  # one whole generation and a part of the next

# name: (behaviour, class, what the log line has, `truncated.by` of the record)
CASES = {
    "hang-before-headers": (hostile.hang(headers=False), "timeout", "scrape_timeout", None),
    "hang-after-headers": (hostile.hang(), "timeout", "scrape_timeout", None),
    "hang-after-header": (
        hostile.hang(HEADER), "timeout", "after 16 bytes, before one generation was whole", None,
    ),
    "hang-after-generation": (hostile.hang(HALF), "truncated", "cut by timeout", "timeout"),
    "drip": (hostile.drip(trace(2), 1), "timeout", "scrape_timeout", None),
    "reset": (hostile.reset_in_chunk(HEADER), "closed", "before one generation", None),
    "reset-after-generation": (
        hostile.reset_in_chunk(trace(2)), "truncated", "the connection was closed after", "closed",
    ),
    "early-fin": (hostile.chunked(HALF[:150], end=False), "closed", "", None),
    "early-fin-after-generation": (
        hostile.chunked(HALF, end=False), "truncated", "the connection was closed after", "closed",
    ),
    "nothing": (hostile.raw(b""), "closed", "", None),
    "length-too-long": (
        hostile.wrong_length(HALF, len(HALF) + 1000), "truncated", "the connection was closed after", "closed",
    ),
    "length-too-short": (
        hostile.wrong_length(trace(3), len(trace(3)) - 100), "truncated", "", "incomplete",
    ),
    "html": (
        hostile.answer("200 OK", b"<html>\n\x1b[31m<h1>It works!</h1>", "Content-Type: text/html"),
        "not_a_trace", '"<html>\\n\\x1b[31m<h1>It works!', None,
    ),
    "html-endless": (
        hostile.endless(b"<html>", b"<p>" * 1000), "not_a_trace", '"<html>"', None,
    ),
    "empty": (hostile.answer("200 OK"), "not_a_trace", "an empty body", None),
    "endless": (
        hostile.endless_generations(20000), "truncated", "cut by size_limit", "size_limit",
    ),
    "endless-generation": (
        hostile.endless(HEADER, hostile.batch(1, hostile.SYNC + bytes(5000))),
        "incomplete", "body_size_limit must have room for a generation", None,
    ),
    "content-coding": (
        hostile.coded_content(hostile.packed_trace()), "not_a_trace", "\\x1f\\x8b", None,
    ),
    "transfer-coding": (
        hostile.coded_transfer(hostile.packed_trace()), "protocol", "Transfer-Encoding", None,
    ),
    "endless-headers": (hostile.endless_headers(), "protocol", "64 KiB", None),
    "header-without-body": (hostile.chunked(HEADER), "incomplete", "", None),
    "half-a-header": (hostile.chunked(HEADER[:7]), "not_a_trace", "", None),
    "busy": (hostile.BUSY, "busy", "Could not enable tracing", None),
    "write-timeout": (hostile.WRITE_TIMEOUT, "write_timeout", "1.9 instead of 2", None),
    "unauthorized": (hostile.answer("401 Unauthorized"), "unauthorized", "basic_auth", None),
    "forbidden": (hostile.answer("403 Forbidden"), "unauthorized", "HTTP status 403", None),
    "not-found": (
        hostile.answer("404 Not Found", b"404 page not found\n"), "http_status", "404", None,
    ),
    "other-500": (hostile.answer("500 Oops", b"no"), "http_status", "HTTP status 500", None),
    "garbage": (hostile.raw(b"\0\xff\x13garbage\r\n\r\n" * 50), "protocol", "", None),
    "ssh": (hostile.raw(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "protocol", "", None),
    "corrupt-after-generation": (
        hostile.chunked(trace(1) + b"\xee" * 5000), "truncated", "it is corrupt after", "corrupt",
    ),
    "corrupt-at-once": (hostile.chunked(HEADER + b"\xee" * 500), "incomplete", "", None),
    "slow-then-ok": (
        hostile.chunked(*[bytes([b]) for b in trace(2)], pause=0.0005), "ok", "", None,
    ),
}  # fmt: skip

NEUTRAL = ("busy",)
PUBLISHED = ("ok", "truncated")


def ended_line(d, outcome, after):
    """The line that says how the capture of `hostile` ended."""
    if outcome in NEUTRAL:
        return d.wait_log(f": {outcome}: ", after=after)
    if outcome in PUBLISHED:
        return d.wait_captured(after=after, service="hostile", result=outcome)
    return d.wait_log(after=after, service="hostile", result=outcome, message_id=DOWN)


@pytest.mark.parametrize("name", CASES)
def test_case(name, serve, daemon):
    behaviour, outcome, words, cut_by = CASES[name]
    bad, good = serve(healthy()), serve(healthy())
    timeout = "1s" if outcome == "timeout" or cut_by == "timeout" else "30s"
    jobs = [
        job("hostile", bad.address, scrape_timeout=timeout, body_size_limit="128KiB"),
        job("healthy", good.address),
    ]
    d = daemon(jobs)
    for service in ("hostile", "healthy"):
        d.wait_captured(service=service, result="ok")
    fds = d.idle()

    before, mark = set(d.spool.keys()), d.mark()
    bad.script = [behaviour]
    d.capture_now()
    line = ended_line(d, outcome, mark)
    assert words in line["msg"]
    d.wait_captured(after=mark, service="healthy", result="ok")
    d.wait_idle(fds)

    new = {key for key in set(d.spool.keys()) - before if key.startswith("hostile/")}
    assert len(new) == (outcome in PUBLISHED)
    for key in new:
        record = d.spool.record(key)
        assert record.get("truncated", {}).get("by") == cut_by
        assert record["complete"] == (outcome == "ok")
        assert record["bytes"] <= 128 * 1024

    # It is well again, and that is said where it was said that it was not.
    mark = d.mark()
    bad.script = [healthy()]
    if outcome not in NEUTRAL:  # a busy target is tried again by itself
        d.capture_now()
    d.wait_captured(after=mark, service="hostile", result="ok")
    failed = outcome not in NEUTRAL + PUBLISHED
    assert len(d.log(after=mark, service="hostile", message_id=UP)) == failed
    wait_until("the captures have ended", lambda: not d.spool.incoming())
    d.spool.check()
    d.stop()
    assert d.counts()[outcome] >= 1


def test_drip_does_not_hold_a_slot(serve, daemon):
    """With a single slot the healthy target has its turn as soon as the drip's time is over."""
    bad, good = serve(hostile.drip(HEADER + bytes(300), 0.3)), serve(healthy())
    jobs = [job("a-drip", bad.address, scrape_timeout="1s"), job("healthy", good.address)]
    d = daemon(jobs, glob={"max_concurrent_captures": 1})
    d.wait_log(service="a-drip", result="timeout", message_id=DOWN)
    d.wait_captured(service="healthy")
    d.stop()


def test_redirect_is_not_followed(serve, daemon):
    elsewhere, good = serve(healthy()), serve(healthy())
    bad = serve(
        hostile.answer("302 Found", b"", f"Location: http://{elsewhere.address}/debug/pprof/trace")
    )
    d = daemon([job("hostile", bad.address), job("healthy", good.address)])
    line = d.wait_log(service="hostile", result="redirect", message_id=DOWN)
    assert "redirects are not followed" in line["msg"]
    d.wait_captured(service="healthy")
    d.stop()
    assert bad.requests
    assert not elsewhere.requests
    assert not d.spool.keys("hostile")


@pytest.mark.parametrize("coding", [hostile.coded_transfer, hostile.coded_content])
def test_bomb_does_not_inflate(coding, serve, daemon):
    packed = hostile.gzip_bomb(200)
    assert len(packed) < 300_000
    bad, good = serve(healthy()), serve(healthy())
    d = daemon([job("hostile", bad.address), job("healthy", good.address)])
    d.wait_captured(count=2)
    fds = d.idle()
    peak = d.status("VmHWM")
    bad.script = [coding(packed)]
    d.capture_now()
    d.wait_log(service="hostile", message_id=DOWN)
    d.wait_idle(fds)
    assert d.status("VmHWM") - peak < 8 * 1024
    mark = d.mark()
    d.capture_now()
    d.wait_captured(after=mark, service="healthy")
    d.stop()


def test_endless_body_stops_at_the_limit(serve, daemon):
    """Memory does not follow the body, and what is kept is less than the limit."""
    bad = serve(healthy())
    d = daemon([job("hostile", bad.address, body_size_limit="32MiB")])
    d.wait_captured()
    peak = d.status("VmHWM")
    bad.script = [hostile.endless_generations(500_000)]
    d.capture_now()
    line = d.wait_captured(result="truncated")
    assert d.status("VmHWM") - peak < 8 * 1024
    record = d.spool.record(line["key"])
    assert 31 << 20 < record["bytes"] <= 32 << 20
    assert record["truncated"] == {"by": "size_limit", "received": 32 << 20}
    d.spool.check()
    d.stop()


@pytest.fixture(scope="module")
def wrong_name(tmp_path_factory):
    need_program("openssl", "openssl")
    work = tmp_path_factory.mktemp("tls")
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=elsewhere.test",
        "-addext", "subjectAltName=DNS:elsewhere.test",
        "-keyout", work / "key.pem", "-out", work / "cert.pem",
    )  # fmt: skip
    return work


def test_tls_with_a_wrong_name(serve, daemon, wrong_name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(wrong_name / "cert.pem", wrong_name / "key.pem")
    bad, good = serve(healthy(), tls=context), serve(healthy())
    tls = {"ca_file": str(wrong_name / "cert.pem")}
    jobs = [
        job("hostile", bad.address, scheme="https", tls_config=tls),
        job("healthy", good.address),
        # With the name that the certificate has it is fine: the name was what was wrong.
        job("named", f"127.0.0.2:{bad.port}", scheme="https",
            tls_config={**tls, "server_name": "elsewhere.test"}),
        job("plain-ca", f"127.0.0.3:{bad.port}", scheme="https",
            tls_config={"server_name": "elsewhere.test"}),
    ]  # fmt: skip
    d = daemon(jobs)
    line = d.wait_log(service="hostile", result="tls", message_id=DOWN)
    assert "server_name" in line["msg"]
    d.wait_log(service="plain-ca", result="tls", message_id=DOWN)
    d.wait_captured(service="named")
    d.wait_captured(service="healthy")
    d.stop()
    assert len(bad.requests) == 1
    assert bad.requests[0].split("\r\n")[1] == f"Host: 127.0.0.2:{bad.port}"
    assert not d.spool.keys("hostile")


def test_http_where_tls_is_expected(serve, daemon):
    bad = serve(healthy())
    d = daemon([job("hostile", bad.address, scheme="https")])
    d.wait_log(service="hostile", result="tls", message_id=DOWN)
    d.stop()
    assert d.spool.keys() == []


def test_one_line_per_change_of_state(serve, daemon):
    """Failing captures are logged when the state changes, and so is the recovery: once each."""
    script = [
        *[hostile.answer("404 Not Found")] * 3,
        *[hostile.answer("401 Unauthorized")] * 2,
        healthy(),
        healthy(),
        hostile.answer("404 Not Found"),
    ]
    bad = serve(*script)
    d = daemon([job("hostile", bad.address)])
    for n in range(1, len(script) + 1):
        if n > 1:
            d.capture_now()
        wait_until(f"request {n} is answered", lambda n=n: bad.ended >= n)
        wait_until("the capture has ended", lambda: not d.spool.incoming())
        time.sleep(0.05)  # until it is also taken off the list of those in flight
    d.stop()
    assert len(bad.requests) == len(script)
    assert d.counts() == {"ok": 2, "http_status": 4, "unauthorized": 2}
    said = [
        (line["result"], line["message_id"])
        for line in d.lines
        if line.get("message_id") in (DOWN, UP, CAPTURED)
    ]
    assert said == [
        ("http_status", DOWN), ("unauthorized", DOWN), ("ok", UP), ("ok", CAPTURED),
        ("ok", CAPTURED), ("http_status", DOWN),
    ]  # fmt: skip
    assert "after 5 failed tries" in d.log(message_id=UP)[0]["msg"]


def test_refused_and_unresolved(daemon, serve):
    good = serve(healthy())
    jobs = [
        job("refused", "127.0.0.1:1"), job("socket", "unix:/nonexistent/pprof.sock"),
        job("unresolved", "no-such-host.invalid:80"), job("healthy", good.address),
    ]  # fmt: skip
    d = daemon(jobs)
    d.wait_log(service="refused", result="connect", message_id=DOWN)
    d.wait_log(service="socket", result="connect", message_id=DOWN)
    d.wait_log(service="unresolved", result="dns", message_id=DOWN)
    d.wait_captured(service="healthy")
    d.stop()
