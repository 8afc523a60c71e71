# SPDX-License-Identifier: Apache-2.0
"""What a store, the network before it and the source of credentials can do wrong, each with its end
state: a trace is in the store and in archive/, or still in pending/. Nothing is lost, the log says
what is wrong once, an outage costs few requests, and contraced ends when it is told to.

Each case has a daemon and a store of its own; they run beside each other.
"""

import contextlib
import dataclasses
import re
import signal
import sys
import time

import pytest
import storefaults as faults
from hostile import Server, healthy, trace
from store import ACCESS_KEY, SECRET_KEY, Store
from support import Daemon, job, need_program, wait_until
from uploads import (
    assert_same,
    clean_env,
    pending_keys,
    place_of,
    section,
    together,
    wait_archived,
)

TRACE, RECORD, PROBE, ANY = r"\.trace$", r"/\d{6}[-\d]*\.json$", r"/\.contrace/probe-", ""
LARGE = 3 << 20  # a body that is worth asking for with 100-continue
QUIET = 2.0  # seconds in which a store in trouble is watched
SHUTDOWN = 3
GLOBAL = {"shutdown_timeout": f"{SHUTDOWN}s"}

# How it ends while the fault lasts.
DELIVERED = "delivered"  # in the store and in archive/, by itself
WAITS = "waits"  # in pending/, asked again by itself: delivered when the fault is over
PARKED = "parked"  # in pending/ until something changes: delivered after a reload
ASIDE = "aside"  # this one stays in pending/, the next one arrives


@dataclasses.dataclass
class Case:
    play: object  # lays the fault over the store; returns what takes it off again
    end: str
    says: str = ""  # a pattern that the line in the log has
    size: int = 200  # of a generation of the trace
    more: dict = dataclasses.field(default_factory=dict)  # of the section `upload`
    kept: tuple = (1,)  # how often the store may have kept the trace
    asked: int = 3  # requests in the first seconds after it was said that the store fails
    tls: str = None  # which certificate the store has
    reload: bool = False  # the fault is in the configuration: it ends with a reload
    restart: bool = True  # there is a restart while the fault lasts


def on(behaviour, times=None, match=TRACE, method=None):
    return lambda store: store.play(behaviour, times, method, match).stop


def meet(function):
    """Before the first byte of each connection."""

    def lay(store):
        def lift():
            store.meet = None

        store.meet = function
        return lift

    return lay


def passing(behaviour, times=2, **more):
    """Trouble that is over after so many requests."""
    return Case(on(behaviour, times), DELIVERED, **more)


def outage(behaviour, says, match=ANY, **more):
    return Case(on(behaviour, match=match), WAITS, says, **more)


def lies(says, endpoint=None, tls=None, function=None, reload=False):
    """The store can't be spoken to. Its certificate is a good one when the fault is over."""
    more = {"endpoint": endpoint} if endpoint else {}
    return Case(meet(function), WAITS, says, more=more, tls=tls, reload=reload)


def parked(behaviour, says, **more):
    return Case(on(behaviour), PARKED, says, **more)


def aside(behaviour, says, **more):
    return Case(on(behaviour, times=1), ASIDE, says, **more)


def S3(line, code):
    return faults.error(line, code)


def exists_with_other_bytes(x):
    """Somebody else's object has the key; it is gone when it is asked for the next time."""
    name = x.store.object_name(x.request)
    x.store.objects[name] = (b"somebody else's", {})
    x.serve()
    x.store.play(lambda y: show_and_remove(y, name), times=1, method="HEAD")


def show_and_remove(x, name):
    x.serve()
    del x.store.objects[name]


SLOW_DOWN = S3("503 Slow Down", "SlowDown")
STALL = {"stall_timeout": "5s"}  # the shortest
NEVER_OVERWRITE = {"if_none_match": True}
TWICE = {"kept": (1, 2)}

CASES = {
    "429": passing(faults.status("429 Too Many Requests")),
    "500": passing(S3("500 Internal Server Error", "InternalError")),
    "502": passing(faults.status("502 Bad Gateway", body=b"<html>no")),
    "503-slow-down": passing(SLOW_DOWN),
    "503-often": passing(SLOW_DOWN, times=5),
    "504": passing(faults.status("504 Gateway Timeout")),
    "408": passing(faults.status("408 Request Timeout")),
    "400-request-timeout": passing(S3("400 Bad Request", "RequestTimeout")),
    "409-operation-aborted": passing(S3("409 Conflict", "OperationAborted")),
    "409-conditional": passing(
        S3("409 Conflict", "ConditionalRequestConflict"), more=NEVER_OVERWRITE
    ),
    "incomplete-body": passing(S3("400 Bad Request", "IncompleteBody")),
    "bad-digest": passing(S3("400 Bad Request", "BadDigest")),
    "payload-mismatch": passing(S3("400 Bad Request", "XAmzContentSHA256Mismatch")),
    "record-503": Case(on(SLOW_DOWN, 2, RECORD), DELIVERED, kept=(1, 2, 3)),
    "probe-503": Case(on(SLOW_DOWN, 1, PROBE), DELIVERED),
    "retry-after-seconds": passing(faults.retry_after("2"), times=1),
    "retry-after-date": passing(faults.retry_at(3), times=1),
    "retry-after-nonsense": passing(faults.retry_after("soon, -1"), times=1),
    "reset-at-head": passing(faults.reset_at_head),
    "reset-in-body": passing(faults.reset_in_body(100_000), size=LARGE),
    "reset-behind-body": passing(faults.reset_after_body(keep=False)),
    "reset-behind-body-kept": passing(faults.reset_after_body(keep=True), times=1, kept=(2,)),
    "reset-kept-conditional": passing(
        faults.reset_after_body(keep=True), times=1, more=NEVER_OVERWRITE
    ),
    "record-reset-kept-conditional": Case(
        on(faults.reset_after_body(keep=True), 1, RECORD), DELIVERED, more=NEVER_OVERWRITE
    ),
    "reset-in-answer": passing(faults.reset_in_answer(b"HTTP/1.1 200 OK\r\nDa", keep=True), 1,
                               **TWICE),
    "closed-at-head": passing(faults.closed_at_head),
    "closed-behind-body": passing(faults.closed_after_body),
    "closing": Case(on(faults.closing, match=ANY), DELIVERED),
    "slow-accept": Case(meet(faults.slow_accept(1.5)), DELIVERED),
    "reset-at-accept": Case(meet(faults.refuse_with_reset), WAITS, "s3://"),
    "closed-at-accept": Case(meet(faults.close_at_once), WAITS, "s3://"),
    "status-line-cut": passing(faults.raw(b"HTTP/1.1 2")),
    "headers-cut": passing(faults.raw(b"HTTP/1.1 200 OK\r\nDate: Sat, 14"), **TWICE),
    "body-short": passing(faults.raw(b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n<Error>")),
    "success-body-short": passing(
        faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<", keep=True), 1, **TWICE
    ),
    "not-http": passing(faults.raw(b"SSH-2.0-OpenSSH_9.2p1\r\n")),
    "wrong-etag": Case(on(faults.kept('ETag: "0123"')), DELIVERED),
    "no-etag": Case(on(faults.kept()), DELIVERED),
    "success-with-error": passing(
        faults.ok(body=b"<Error><Code>InternalError</Code></Error>"), times=1
    ),
    "xml-garbage": passing(faults.document("503 Oops", faults.GARBAGE)),
    "xml-bomb": passing(faults.document("500 Oops", faults.BOMB)),
    "xml-external": passing(faults.document("500 Oops", faults.FOREIGN)),
    "error-10-mb": passing(faults.large("500 Oops", 10)),
    "error-gzip": passing(faults.document("500 Oops", faults.PACKED, "Content-Encoding: gzip")),
    "headers-10000": passing(faults.many_headers(10_000)),
    "early-hints": Case(on(faults.interim("103 Early Hints\r\nLink: </x>")), DELIVERED),
    "slow-answer": Case(on(faults.slow(2)), DELIVERED),
    "slow-reader": Case(on(faults.slow_reader(2 << 20)), DELIVERED, size=LARGE),
    "hang": passing(faults.hang(), times=1, more=STALL),
    "hang-in-body": passing(faults.hang(1000), times=1, more=STALL, size=8 << 20),
    "hang-in-answer": passing(faults.hang_in_answer(b"HTTP/1.1 200 OK\r\n"), times=1, more=STALL),
    "mute": Case(meet(faults.mute), WAITS, "s3://", more=STALL),
    "never-asks": Case(on(faults.never_asks), DELIVERED, size=LARGE),
    "expectation-failed": Case(on(faults.refuses_expect), DELIVERED, size=LARGE),
    "asks-and-is-silent": passing(faults.asks_and_is_silent, 1, more=STALL, size=LARGE),
    "asks-twice": Case(on(faults.asks_twice), DELIVERED, size=LARGE),
    "denied-before-the-body": parked(
        faults.decides_before_the_body("403 Forbidden", "AccessDenied"), "AccessDenied", size=LARGE
    ),
    "confirmed-before-the-body": passing(faults.confirms_before_the_body, 1, size=LARGE),
    "clock-ahead": Case(on(faults.moved_clock(5), match=ANY), DELIVERED),
    "clock-behind": Case(on(faults.moved_clock(-30), match=ANY), DELIVERED),
    "region-301": Case(
        on(faults.elsewhere("301 Moved Permanently", "PermanentRedirect", "eu-other-2"), match=ANY),
        DELIVERED,
    ),
    "region-malformed": Case(
        on(faults.elsewhere("400 Bad Request", "AuthorizationHeaderMalformed", "eu-other-2"),
           match=ANY),
        DELIVERED,
    ),
    "outage-503": outage(SLOW_DOWN, "SlowDown|slow down"),
    "outage-500-of-traces": outage(S3("500 Oops", "InternalError"), "InternalError", match=TRACE,
                                   restart=False),
    "outage-retry-after-huge": outage(
        faults.retry_after("99999999999999999999"), "slow down", reload=True
    ),
    "dns": lies("does not resolve", endpoint="http://does-not-exist.invalid", reload=True),
    "refused": lies("is the store up", endpoint="http://127.0.0.1:1", reload=True),
    "tls": Case(meet(None), DELIVERED, tls="good"),
    "tls-wrong-name": lies("server's name|server_name", tls="named"),
    "tls-expired": lies("expired", tls="expired"),
    "tls-unknown-ca": lies("CA file|ca_file", tls="foreign"),
    "tls-cut": lies("reset", tls="good", function=faults.cut_handshake),
    "tls-to-plain": lies("TLS|SSL", tls="good", function=faults.speaks_plain_http),
    "access-denied": parked(S3("403 Forbidden", "AccessDenied"), "AccessDenied"),
    "no-such-bucket": parked(S3("404 Not Found", "NoSuchBucket"), "bucket"),
    "invalid-access-key": parked(S3("403 Forbidden", "InvalidAccessKeyId"), "access key"),
    "signature-refused": parked(S3("403 Forbidden", "SignatureDoesNotMatch"), "secret"),
    "account-problem": parked(S3("403 Forbidden", "AccountProblem"), "provider"),
    "redirect-without-region": parked(
        faults.redirect("301 Moved Permanently", "http://127.0.0.1:1/"), "redirect"
    ),
    "redirect-307": parked(
        faults.redirect("307 Temporary Redirect", "http://127.0.0.1:1/"), "redirect"
    ),
    "405": parked(faults.status("405 Method Not Allowed"), "PUT"),
    "501": parked(S3("501 Not Implemented", "NotImplemented"), "option"),
    "202": parked(faults.status("202 Accepted"), "confirms nothing"),
    "login-page": parked(faults.status("511 Network Authentication Required"), "login"),
    "quota": parked(S3("403 Forbidden", "QuotaExceeded"), "room"),
    "entity-too-large": aside(S3("400 Bad Request", "EntityTooLarge"), "size"),
    "invalid-request": aside(S3("400 Bad Request", "InvalidRequest"), "InvalidRequest"),
    "413": aside(faults.status("413 Content Too Large"), "size"),
    "414": aside(faults.status("414 URI Too Long"), "key"),
    "422": aside(faults.status("422 Unprocessable Content"), "422"),
    "exists-other": aside(exists_with_other_bytes, "another object", more=NEVER_OVERWRITE),
    "key-too-long": aside(S3("400 Bad Request", "KeyTooLongError"), "key"),
}  # fmt: skip


class Play:
    """One daemon, its store and its target."""

    def __init__(self, name, case, directory, certificates):
        self.name, self.case, self.directory = name, case, directory
        self.directory.mkdir()
        self.store = Store(tls=certificates[case.tls] if case.tls else None)
        self.lift = case.play(self.store)
        self.target = Server(healthy(trace(2, case.size)))
        self.upload = {**section(directory, self.store.endpoint), **case.more}
        if case.tls:
            self.upload["tls_config"] = {"ca_file": certificates["file"]}
        self.certificates = certificates
        self.jobs = [job("s", self.target.address)]

    def run(self):
        with self.store, contextlib.closing(self.target):
            key = self.start()
            try:
                getattr(self, self.case.end)(key)
                self.stop()
            finally:
                self.daemon.__exit__(*sys.exc_info())
            self.daemon.spool.check()
        asked = [(r.method, r.name.rsplit("/", 1)[-1][-12:], r.status) for r in self.store.requests]
        return f"{self.name}: {len(asked)} requests {asked[:12]}"

    def start(self):
        """Returns the key of the first capture."""
        self.daemon = Daemon(
            self.directory, self.jobs, upload=self.upload, env=clean_env(), glob=GLOBAL
        )
        return self.daemon.wait_captured()["key"]

    def stop(self):
        began = time.monotonic()
        self.daemon.stop()
        assert time.monotonic() - began < SHUTDOWN + 10, "the exit took long"
        text = "\n".join([str(line) for line in self.daemon.lines] + self.daemon.other)
        assert SECRET_KEY not in text and ACCESS_KEY not in text

    def reload(self):
        """A configuration that differs in what does not matter, but for a wrong endpoint."""
        self.upload = {**self.upload, "concurrency": 3, "endpoint": self.store.endpoint}
        self.daemon.write_config(self.jobs, GLOBAL, upload=self.upload)
        self.daemon.signal(signal.SIGHUP)

    def problems(self, after=0):
        return self.daemon.problems(after)

    def place(self, key):
        return place_of(self.daemon.spool, key)

    def kept(self, key):
        return len(self.store.stored.get(f"traces/prod/{key}", []))

    def arrives(self, key):
        wait_archived(self.daemon)
        assert_same(self.store, self.daemon.spool, key)
        assert self.kept(key) in self.case.kept

    def says(self):
        """The one line that tells what is wrong."""
        pattern = re.compile(self.case.says, re.IGNORECASE)
        wait_until(
            f"the log says {self.case.says!r}",
            lambda: any(pattern.search(line["msg"]) for line in self.problems()),
        )

    def stays_quiet(self, key):
        """The store is hardly asked, and nothing is said twice."""
        mark, asked = self.daemon.mark(), len(self.store.requests)
        before = self.store.connections
        time.sleep(QUIET)
        assert len(self.store.requests) - asked <= self.case.asked
        assert self.store.connections - before <= self.case.asked
        assert not self.problems(mark), "it is said again"
        assert self.place(key) == "pending"

    def restarts(self, key):
        """The exit is not delayed, and the next start finds the trace and the same trouble."""
        self.stop()
        assert self.place(key) == "pending"
        self.daemon.__exit__(None)
        self.start()
        self.says()
        assert self.place(key) == "pending"

    def delivered(self, key):
        self.arrives(key)
        assert not [line for line in self.problems() if line["level"] == "error"]

    def waits(self, key):
        self.says()
        self.stays_quiet(key)
        if self.case.restart:
            self.restarts(key)
        self.lift()
        if self.case.tls:
            self.store.tls = self.certificates["good"]
        if self.case.reload:
            self.reload()
        self.arrives(key)
        assert len(self.problems()) <= 2  # the write probe, and the state

    def parked(self, key):
        self.says()
        self.stays_quiet(key)
        self.restarts(key)
        self.lift()
        self.reload()
        self.arrives(key)

    def aside(self, key):
        d = self.daemon
        self.says()
        mark = d.mark()
        time.sleep(1)  # so that the next one has another key
        d.capture_now()
        other = d.wait_captured(after=mark)["key"]
        wait_until("the next one has arrived", lambda: self.place(other) == "archive")
        assert_same(self.store, d.spool, other)
        assert pending_keys(d.spool) == [key]
        assert len(self.store.asked("PUT", re.escape(key) + "$")) == 1
        assert not self.problems(mark)
        self.reload()  # offers it again
        wait_until("it is taken now", lambda: self.place(key) == "archive")
        assert_same(self.store, d.spool, key)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Contexts of servers by name, and the file of the CA that a client is to trust."""
    need_program("openssl", "openssl")
    ours = faults.Authority(tmp_path_factory.mktemp("ca"))
    theirs = faults.Authority(tmp_path_factory.mktemp("foreign-ca"))
    return {
        "file": str(ours.file),
        "good": ours.context("good"),
        "named": ours.context("named", names="DNS:elsewhere.test"),
        "expired": ours.context("expired", start=-7200, end=-3600),
        "foreign": theirs.context("foreign"),
    }


@pytest.fixture(scope="module")
def plays(request, certificates, tmp_path_factory):
    top = tmp_path_factory.mktemp("faults")

    def play(name):
        return Play(name, CASES[name], top / name, certificates).run()

    with together(request, "test_fault", play) as futures:
        yield futures


@pytest.mark.parametrize("name", CASES)
def test_fault(name, plays):
    print(plays[name].result())
