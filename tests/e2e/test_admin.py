# SPDX-License-Identifier: Apache-2.0
"""The admin endpoint of a real contraced and clients that mean it no good: each gets what it
should, and neither captures nor other clients notice."""

import contextlib
import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import hostile
import pytest
from hostile import healthy
from support import BUILD, CAPTURED, Daemon, job, need_root, wait_until
from world import inside

TOKEN = "a-token-that-nobody-knows"
REQUEST_TIMEOUT = 10  # seconds: ADMIN_REQUEST_TIMEOUT
CONNECTIONS_MAX = 128  # ADMIN_CONNECTIONS_MAX
AT_ONCE = 8.0  # seconds, on a busy machine; what is held up waits for REQUEST_TIMEOUT
ANY_PORT = "127.0.0.1:0"
GROWTH_MAX = 4096  # KiB of resident memory, whatever clients do


class Client:
    """A connection on which a test says what it likes."""

    def __init__(self, address):
        self.buffer = b""
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(60)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def send(self, data):
        """As much as the server takes."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def _read(self):
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def reply(self, head=False):
        """(status, headers, body), or None when the server closes first."""
        while b"\r\n\r\n" not in self.buffer:
            piece = self._read()
            if not piece:
                return None
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = text.decode("latin-1").split("\r\n")
        headers = {n.lower(): v for n, v in (x.split(": ", 1) for x in lines[1:])}
        length = 0 if head else int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            piece = self._read()
            if not piece:
                return None
            self.buffer += piece
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), headers, body

    def closed(self):
        """Wait for the server to close."""
        while self._read():
            pass


def request(method="GET", path="/-/healthy", body=b"", host="localhost", version="1.1", **headers):
    lines = [f"{method} {path} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if body:
        headers = {"content_type": "application/json", **headers, "content_length": len(body)}
    lines += [f"{n.replace('_', '-')}: {v}" for n, v in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(address, *args, **more):
    """One request on a connection of its own."""
    with Client(address) as c:
        c.send(request(*args, **more))
        return c.reply(head=args[:1] == ("HEAD",))


def status(address, *args, **more):
    reply = ask(address, *args, **more)
    return reply and reply[0]


def assert_answers(address):
    """At once."""
    begin = time.monotonic()
    assert status(address) == 200
    assert time.monotonic() - begin < AT_ONCE


def assert_small(daemon, before):
    """AddressSanitizer keeps what was freed for a while."""
    grown = daemon.memory() - before
    if "-fsanitize=address" not in (BUILD / "Makefile").read_text():
        assert grown < GROWTH_MAX, f"{grown} KiB more"


def where(daemon, after=0, count=1):
    """Where it listens, by its log."""
    line = daemon.wait_log("listening on http://", after=after, count=count)
    found = re.search(r"http://([\d.]+):(\d+)", line["msg"])
    return found[1], int(found[2])


@contextlib.contextmanager
def endpoint(directory, jobs=None, **web):
    """A contraced that listens on a port of the kernel's choice: (daemon, address)."""
    web = {"listen_address": ANY_PORT, **web}
    jobs = jobs or [job("nobody", "unix:@contrace-nobody-listens")]
    with Daemon(directory, jobs=jobs, web=web) as d:
        yield d, where(d)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that leave nothing behind."""
    with endpoint(tmp_path_factory.mktemp("admin")) as (d, address):
        yield d, address
        assert_answers(address)
        assert d.log("cannot listen") == []
        d.stop()


def test_methods_and_paths(shared):
    _, address = shared
    assert status(address) == 200
    code, headers, body = ask(address, "HEAD", "/-/healthy")
    assert (code, body) == (200, b"") and int(headers["content-length"]) > 0
    assert status(address, path="/nothing") == 404
    assert status(address, path="/-/healthy/") == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "XYZZY"):
        code, headers, body = ask(address, method, "/-/healthy")
        assert (code, headers["allow"]) == (405, "GET, HEAD"), method
        assert b'{"error":"' in body
    assert status(address, "CONNECT", "/-/healthy") in (400, 405)


def test_old_and_pipelined(shared):
    _, address = shared
    with Client(address) as c:  # HTTP/1.0 closes
        c.send(request(version="1.0", host=None))
        assert c.reply()[0] == 200
        c.closed()
    with Client(address) as c:
        c.send(request() + request(path="/nothing") + request("HEAD") + request())
        assert [c.reply()[0], c.reply()[0], c.reply(head=True)[0], c.reply()[0]] == [
            200, 404, 200, 200,
        ]  # fmt: skip


def test_page_and_headers(shared):
    _, address = shared
    code, headers, body = ask(address, path="/")
    assert code == 200 and b"<title>" in body
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_token(tmp_path):
    secret, sock = tmp_path / "token", tmp_path / "a.sock"
    secret.write_text(TOKEN + "\n")
    secret.chmod(0o600)
    web = {"listen_address": f"{ANY_PORT}, unix:{sock}", "bearer_token_file": str(secret)}
    with endpoint(tmp_path, **web) as (d, address):
        d.wait_log(f"listening on unix:{sock}")
        code, headers, body = ask(address, path="/metrics")
        assert (code, headers["www-authenticate"].split()[0]) == (401, "Bearer")
        assert b"Authorization: Bearer" in body
        for wrong in ("Bearer x", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", ""):
            assert status(address, path="/metrics", authorization=wrong) == 401, wrong
            assert status(address, "POST", "/-/reload", authorization=wrong) == 401, wrong
        right = {"authorization": f"Bearer {TOKEN}"}
        assert status(address, path="/metrics", **right) == 200
        assert status(address, path="/metrics", host="any.example", **right) == 200
        assert status(address) == 200 and status(address, path="/") == 200  # they tell nothing
        assert status(str(sock), path="/metrics", host="x") == 200
        secret.unlink()
        assert status(address, path="/metrics", **right) == 503
        assert status(address, path="/metrics", **right) == 503
        d.wait_log("web.bearer_token_file")
        assert len(d.log("web.bearer_token_file")) == 1
        assert not [x for x in d.lines if TOKEN in x["msg"]]


def test_other_sites(shared):
    _, (ip, port) = shared
    address = (ip, port)
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", ""):
        assert status(address, host=host) in (400, 403), host
    for host in (f"127.0.0.1:{port}", "[::1]:1", "LOCALHOST"):
        assert status(address, host=host) == 200, host
    here = f"localhost:{port}"
    for origin in ("http://evil.example", "null", "http://localhost:3000", f"ftp://{here}"):
        assert status(address, "POST", "/-/reload", host=here, origin=origin) == 403, origin
    for site in ("cross-site", "same-site"):
        assert status(address, "POST", "/-/reload", host=here, Sec_Fetch_Site=site) == 403, site
    assert status(address, path="/", host=here, Sec_Fetch_Site="cross-site") == 200
    form = {"content_type": "application/x-www-form-urlencoded", "body": b"all=true"}
    assert status(address, "POST", "/api/v1/capture", host=here, **form) == 415
    # By another method than the path takes, the method is what is wrong.
    assert status(address, "POST", "/api/v1/push/shop", host=here, **form) == 405
    assert status(address, "POST", "/api/v1/nothing", host=here, **form) == 404
    assert status(address, "POST", "/-/reload", host=here, origin=f"http://{here}") == 200


def test_long_bodies(shared):
    _, address = shared
    big = b"[" + b" " * (64 << 10) + b"]"
    assert status(address, "POST", "/api/v1/capture", body=big) == 413
    with Client(address) as c:  # the connection goes on after what could be read
        c.send(request("POST", "/api/v1/capture", body=big) + request())
        assert (c.reply()[0], c.reply()[0]) == (413, 200)
    with Client(address) as c:  # who asks first need not send
        c.send(request("POST", "/api/v1/capture", content_type="application/json",
                       content_length=10**15, expect="100-continue"))  # fmt: skip
        assert c.reply()[0] == 413
        c.closed()
    begin = time.monotonic()
    with Client(address) as c:  # chunks without end
        c.send(request("POST", "/api/v1/capture", content_type="application/json",
                       transfer_encoding="chunked"))  # fmt: skip
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(64):
            c.send(chunk)
        c.closed()
    assert time.monotonic() - begin < REQUEST_TIMEOUT
    assert_answers(address)


def test_long_heads(shared):
    d, address = shared
    before = d.memory()
    assert status(address, x="a" * (1 << 20)) in (431, None)
    assert status(address, path="/" + "a" * (1 << 20)) in (414, 431, None)
    for n, line in ((100000, b"X: y\r\n"), (3, b"X" * 400000 + b": y\r\n")):
        with Client(address) as c:
            c.send(request()[:-2] + line * n + b"\r\n")
            reply = c.reply()
            assert reply is None or reply[0] in (400, 431)
            c.closed()
    with Client(address) as c:  # slowly enough for the reply to be seen
        c.send(request(x="a" * (33 << 10)))
        assert c.reply()[0] == 431
    assert status(address, x="a" * (16 << 10)) == 200
    assert_small(d, before)


MALFORMED = [
    b"\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n", b"\xff" * 100 + b"\r\n\r\n", b"GET\r\n\r\n",
    b"GET /-/healthy\r\n\r\n", b"GET /-/healthy HTTP/9.9\r\n\r\n",
    b"GET  /-/healthy HTTP/1.1\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\n\r\n", b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost localhost\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\n Host: localhost\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1e3\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffffff\r\n\r\n",
    b"POST /-/reload HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX: a\rHost: b\r\n\r\n",
    b"GET /-/healthy%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%zz%%%2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/v1/captures/..%2F..%2Fetc%2Fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://evil.example/-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /?" + b"&" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /?" + b"a=b&" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip


def test_malformed(shared):
    """Refused, or the connection ends; never a 200 and never an end of the daemon."""
    d, address = shared
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for _ in MALFORMED]
        for c, text in zip(clients, MALFORMED):
            c.send(text)
            c.socket.shutdown(socket.SHUT_WR)
        assert_answers(address)
        for c, text in zip(clients, MALFORMED):
            reply = c.reply()
            assert reply is None or 400 <= reply[0] < 506, text
            assert d.alive(), text


def libmicrohttpd():
    """Its major version."""
    version = ctypes.CDLL("libmicrohttpd.so.12").MHD_get_version
    version.restype = ctypes.c_char_p
    return int(version().split(b".")[0])


def test_slow_clients(shared):
    """One byte a second has its ten seconds; who asks meanwhile does not wait for it."""
    _, address = shared
    slow = {
        "head": (request(x="a" * 100), 0),
        "body": (request("POST", "/api/v1/capture", body=b"[" + b" " * 100 + b"]"), 100),
        "empty lines": (b"\r\n" * 100, 0),
    }
    begin = time.monotonic()

    def drip(name, text, first):
        with Client(address) as c:
            c.send(text[:first])
            c.socket.settimeout(1)
            for i in range(first, len(text)):
                c.send(text[i : i + 1])
                with contextlib.suppress(socket.timeout):
                    if not c._read():
                        break
            ends[name] = time.monotonic() - begin

    ends = {}
    threads = [threading.Thread(target=drip, args=(name, *slow[name])) for name in slow]
    for t in threads:
        t.start()
    with Client(address) as silent:
        while any(t.is_alive() for t in threads) and time.monotonic() - begin < 60:
            assert_answers(address)
            time.sleep(0.2)
        silent.closed()
    for t in threads:
        t.join()
    assert ends.keys() == slow.keys()
    least = dict.fromkeys(slow, REQUEST_TIMEOUT - 1)
    if libmicrohttpd() >= 1:  # it refuses the second empty line before a request
        least["empty lines"] = 0
    assert all(least[name] < t < 3 * REQUEST_TIMEOUT for name, t in ends.items()), ends


def test_a_crowd(tmp_path):
    """1,000 connections that say nothing: the oldest give way, memory is small, captures go on."""
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(contextlib.closing(hostile.Server(healthy())))
        jobs = [job("shop", target.address)]
        d, address = stack.enter_context(endpoint(tmp_path, jobs))
        d.wait_captured()
        assert_answers(address)
        before, fds = d.memory(), len(d.fds() or [])
        crowd = []
        for i in range(1000):
            crowd.append(stack.enter_context(Client(address)))
            if i % 2:
                crowd[-1].send(request(x="a" * 1000)[:-4])
            if i % 100 == 50:
                assert_answers(address)
        assert_answers(address)
        if fds:
            bound = fds + CONNECTIONS_MAX + 8
            wait_until("those that gave way are closed", lambda: len(d.fds()) <= bound)
        assert_small(d, before)
        for _ in range(3):
            mark = d.mark()
            d.capture_now()
            d.wait_captured(after=mark)
            assert_answers(address)
        d.wait_log(message_id=CAPTURED, result="ok")
        crowd[-1].closed()  # in time, without another word
        assert_answers(address)
        d.stop()


def test_no_descriptors_left(tmp_path):
    """A connection waits then, the loop does not spin, and all is well when some are there."""
    need_root()  # to count another's descriptors, and to change its limit
    with endpoint(tmp_path) as (d, address):
        assert_answers(address)
        used = len(os.listdir(f"/proc/{d.pid}/fd"))
        soft, hard = resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (used + 3, hard))
        clients = [Client(address) for _ in range(20)]
        d.wait_log("a connection has to wait")
        begin = cpu_seconds(d.pid)
        time.sleep(2)
        assert cpu_seconds(d.pid) - begin < 0.2
        clients.pop(0).socket.close()  # the next one has its place, and those behind it wait again
        time.sleep(2.5)
        assert len(d.log("a connection has to wait")) == 1
        resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert status(address) == 200  # behind the others, within a second or so
        for c in clients:
            c.send(request())
            assert c.reply()[0] == 200
            c.socket.close()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_taken_addresses(tmp_path):
    """Taken by others: said once, captures go on, and it is tried again until they are free."""
    path = tmp_path / "a.sock"
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = other.getsockname()[1]
        live = stack.enter_context(socket.socket(socket.AF_UNIX))
        live.bind(str(path))
        live.listen()
        target = stack.enter_context(contextlib.closing(hostile.Server(healthy())))
        web = {"listen_address": f"127.0.0.1:{port}, unix:{path}"}
        d = stack.enter_context(Daemon(tmp_path, jobs=[job("s", target.address)], web=web))
        d.wait_captured()
        for address in (f"127.0.0.1:{port}", f"unix:{path}"):
            line = d.wait_log(f"cannot listen on {address}: Address already in use")
            assert line["level"] == "error" and "another contraced" in line["msg"]
        other.close()
        live.close()
        d.wait_log("listening on", count=2)
        assert_answers(("127.0.0.1", port))
        assert_answers(str(path))
        assert len(d.log("cannot listen on")) == 2
        assert len(d.log("nobody listened on any more")) == 1
        d.stop()
        assert not path.exists()


def test_stale_socket(tmp_path):
    """Left by one that was killed: replaced. What is no socket is left alone."""
    path, file = tmp_path / "a.sock", tmp_path / "file"
    file.write_text("precious")
    web = {"listen_address": f"unix:{path}, unix:{file}, unix:{tmp_path}/none/b.sock"}
    jobs = [job("nobody", "unix:@contrace-nobody-listens")]
    with Daemon(tmp_path, jobs=jobs, web=web) as d:
        d.wait_log("listening on")
        d.process.kill()
        d.wait_exit()
    assert path.exists()
    with Daemon(tmp_path, jobs=jobs, web=web) as d:
        d.wait_log("listening on")
        assert_answers(str(path))
        assert path.stat().st_mode & 0o777 == 0o660
        d.wait_log(f"cannot listen on unix:{file}: File exists", level="error")
        d.wait_log(f"cannot listen on unix:{tmp_path}/none/b.sock: No such file", level="error")
        path.unlink()
        path.write_text("somebody else's")
        d.stop()
    assert path.read_text() == "somebody else's" and file.read_text() == "precious"


def test_reload(tmp_path):
    """What stays keeps its connections; what goes is closed; what comes listens."""
    first, path = tmp_path / "first.sock", tmp_path / "a.sock"
    jobs = [job("nobody", "unix:@contrace-nobody-listens")]
    # In a directory without one at the start, no socket is made later: it has confined itself.
    with endpoint(tmp_path, jobs, listen_address=f"{ANY_PORT}, unix:{first}") as (d, address):
        with Client(address) as kept:
            kept.send(request())
            assert kept.reply()[0] == 200
            assert_answers(str(first))
            d.write_config(jobs, web={"listen_address": f"{ANY_PORT}, unix:{path}"})
            d.signal(signal.SIGHUP)
            d.wait_log(f"listening on unix:{path}")
            assert_answers(str(path))
            assert not first.exists()
            kept.send(request())
            assert kept.reply()[0] == 200
            d.write_config(jobs, web={"listen_address": f"unix:{path}"})
            d.signal(signal.SIGHUP)
            kept.closed()
        assert_answers(str(path))
        with pytest.raises(ConnectionRefusedError):
            Client(address)
        d.write_config(jobs, web={"listen_address": "127.0.0.1:x"})
        d.signal(signal.SIGHUP)
        d.wait_log("needs a port")
        assert_answers(str(path))
        d.write_config(jobs, web={"listen_address": "off"})
        with Client(str(path)) as c:  # the reply of a request that turns it off still comes
            c.send(request("POST", "/-/reload"))
            code, headers, _ = c.reply()
            assert (code, headers["connection"]) == (200, "close")
            c.closed()
        assert not path.exists()
        d.stop()


def test_option_wins_over_a_reload(tmp_path):
    jobs = [job("nobody", "unix:@contrace-nobody-listens")]
    args = [f"--web.listen-address={ANY_PORT}"]
    with Daemon(tmp_path, jobs=jobs, args=args, web={"listen_address": "off"}) as d:
        address = where(d)
        with Client(address) as c:
            mark = d.mark()
            d.signal(signal.SIGHUP)
            d.wait_log("reloaded", after=mark)
            c.send(request())
            assert c.reply()[0] == 200


def test_the_end(tmp_path):
    """Connections of any kind do not hold it up."""
    with endpoint(tmp_path) as (d, address), contextlib.ExitStack() as stack:
        half = request("POST", "/api/v1/capture", body=b"[" + b" " * 100 + b"]")[:-50]
        for text in (b"", request()[:20], half, request(), request() * 2000):
            stack.enter_context(Client(address)).send(text)
        assert_answers(address)
        begin = time.monotonic()
        d.stop()
        assert time.monotonic() - begin < 25  # the shutdown_timeout


def test_nothing_listens_with_once(tmp_path):
    with contextlib.closing(hostile.Server(healthy())) as target:
        web = {"listen_address": ANY_PORT}
        with Daemon(tmp_path, jobs=[job("s", target.address)], web=web, args=["--once"]) as d:
            assert d.wait_exit() == 0
            assert d.log("listening on") == []


def test_default(tmp_path):
    """Port 7465; a socket directory that nobody made is no error."""
    need_root()

    def body():
        with Daemon(tmp_path, text="", args=[  # only the option: no web section
            "--target=nobody=unix:@contrace-nobody-listens", f"--storage.path={tmp_path}/spool",
            "--web.listen-address=127.0.0.1:7465, unix:/run/contrace/contraced.sock",
        ]) as d:  # fmt: skip
            assert where(d) == ("127.0.0.1", 7465)
            wait_until("it answers", lambda: status(("127.0.0.1", 7465)) == 200)
            assert d.log("cannot listen", level="error") == []
            d.stop()

    inside(body, tmp_path)


def test_default_written_out(tmp_path):
    """Who names the socket himself is told that it cannot be, after a reload, too."""
    need_root()
    tcp, sock = "127.0.0.1:7465", "unix:/run/contrace/contraced.sock"
    jobs = [job("nobody", "unix:@contrace-nobody-listens")]

    def body():
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)  # no directory there
        with Daemon(tmp_path, jobs=jobs, web={"listen_address": f"{tcp}, {sock}"}) as d:
            where(d)
            assert d.log("cannot listen", level="error") == []
            d.write_config(jobs, web={"listen_address": sock})
            d.signal(signal.SIGHUP)
            d.wait_log(f"cannot listen on {sock}", level="error")
            d.stop()

    inside(body, tmp_path)
