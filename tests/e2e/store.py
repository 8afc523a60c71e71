# SPDX-License-Identifier: Apache-2.0
"""A scripted object store: S3 over plain sockets, as strict or as broken as a test wants it.

By itself it is a good store: it verifies the signature (by a computation of its own), the hash and
the length of what arrives, keeps objects, answers GET, HEAD and ListObjectsV2, and writes down each
request. Store.play lays a behaviour over that: a function of one exchange, which is called when the
head of the request has been read, says what it likes and returns. storefaults.py has many.
"""

import calendar
import contextlib
import email.utils
import hashlib
import hmac
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

PATIENCE = 60.0  # that a connection is kept waiting at most
SKEW_MAX = 15 * 60
HEAD_MAX = 64 * 1024
EMPTY = hashlib.sha256(b"").hexdigest()

ACCESS_KEY = "AKIACONTRACETEST0000"
SECRET_KEY = "not/a+secret=that+matters"
REGION = "eu-test-1"
BUCKET = "traces"


class Gone(Exception):
    """The client has closed the connection."""


class Refusal(Exception):
    """What S3 would answer: status, code, message, more elements."""

    def __init__(self, status, code, message, **more):
        super().__init__(code, message)
        self.status, self.code, self.message, self.more = status, code, message, more


def _encode(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_request(request, signed):
    query = urllib.parse.parse_qsl(request.query, keep_blank_values=True)
    pairs = sorted((_encode(k), _encode(v)) for k, v in query)
    lines = [
        request.method,
        _encode(urllib.parse.unquote(request.path), "/"),
        "&".join(f"{k}={v}" for k, v in pairs),
        *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed),
        "",
        ";".join(signed),
        request.headers["x-amz-content-sha256"],
    ]
    return "\n".join(lines)


def signature(request, secret, scope, signed):
    day, region, service, _ = scope
    digest = hashlib.sha256(canonical_request(request, signed).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], "/".join(scope), digest])
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request, ?"
    r"SignedHeaders=([^, ]+), ?Signature=([0-9a-f]{64})"
)


class Request:
    """One request: what its head says, and what came of its body."""

    def __init__(self, number, head):
        self.number, self.time, self.head = number, time.monotonic(), head
        first, *lines = head.split("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.headers = {}
        for line in filter(None, lines):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.length = int(self.headers.get("content-length", "0"))
        self.body = b""
        self.status = None  # what it was answered

    def __repr__(self):
        return f"<{self.number} {self.method} {self.target} {len(self.body)} B: {self.status}>"

    @property
    def name(self):
        """The path in clear."""
        return urllib.parse.unquote(self.path)

    @property
    def whole(self):
        return len(self.body) == self.length


class Exchange:
    """One request and the connection that it came on."""

    def __init__(self, store, connection, request):
        self.store, self.connection, self.request = store, connection, request
        self.close = request.headers.get("connection", "").lower() == "close"
        self.expects = request.headers.get("expect", "").lower() == "100-continue"
        self.held = False  # closed by a reset, or by the client

    def go_on(self):
        """Asks for the body where the client waits for that."""
        if self.expects:
            self.expects = False
            self.raw(b"HTTP/1.1 100 Continue\r\n\r\n")

    def read_body(self, most=None, ask=True):
        """The body, or its first `most` bytes."""
        r = self.request
        if ask:
            self.go_on()
        wanted = r.length if most is None else min(most, r.length)
        r.body += self.connection.read(wanted - len(r.body))
        return r.body

    def raw(self, data):
        self.connection.send(data)

    def head(self, status, *headers):
        """A status line and headers; a Date is put in if there is none."""
        self.request.status = int(status.split()[0])
        date = email.utils.formatdate(self.store.now(), usegmt=True)
        if not any(h.lower().startswith("date:") for h in headers):
            headers = (f"Date: {date}", *headers)
        if self.close:
            headers = (*headers, "Connection: close")
        lines = [f"HTTP/1.1 {status}", f"x-amz-request-id: {self.request.number:016X}", *headers]
        self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def answer(self, status, body=b"", *headers):
        bodiless = self.request.method == "HEAD" or status.startswith(("204", "304"))
        if not any(h.lower().startswith("content-length:") for h in headers):
            if not status.startswith("204"):
                headers = (f"Content-Length: {len(body)}", *headers)
        self.head(status, *headers)
        if not bodiless:
            self.raw(body)

    def error(self, status, code, message="scripted", *headers, **more):
        elements = {"Code": code, "Message": message, **more, "RequestId": "0123456789ABCDEF"}
        text = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in elements.items())
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'.encode()
        self.answer(status, body, "Content-Type: application/xml", *headers)

    def serve(self):
        """What a good store does."""
        try:
            self.store.handle(self)
        except Refusal as e:
            self.store.refused(self.request, e)
            self.error(e.status, e.code, e.message, **e.more)

    def reset(self):
        """RST, now."""
        self.connection.reset()

    def cut(self):
        """FIN, now."""
        self.close = True
        self.connection.finish()

    def wait_gone(self, timeout=PATIENCE):
        """Silence, until the client has had enough."""
        self.close = True
        self.connection.wait_gone(timeout)


class Connection:
    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def more(self):
        try:
            data = self.sock.recv(1 << 16)
        except (OSError, ssl.SSLError, ValueError) as e:
            raise Gone from e
        if not data:
            raise Gone
        self.buffer += data

    def take(self, n):
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def read(self, n):
        pieces, left = [self.take(n)], n
        left -= len(pieces[0])
        while left > 0:
            self.more()
            pieces.append(self.take(left))
            left -= len(pieces[-1])
        return b"".join(pieces)

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            assert len(self.buffer) < HEAD_MAX, "the head of the request has no end"
            self.more()
        return self.take(self.buffer.index(b"\r\n\r\n") + 4)[:-4].decode("latin-1")

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ssl.SSLError) as e:
            raise Gone from e

    def reset(self):
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Gone

    def finish(self):
        """No more from here; what still comes is read, so that no reset destroys the answer."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.wait_gone(2, silent=True)

    def wait_gone(self, timeout=PATIENCE, silent=False):
        with contextlib.suppress(OSError):
            self.sock.settimeout(timeout)
        try:
            while self.sock.recv(1 << 16):
                pass
        except TimeoutError as e:
            if not silent:
                raise AssertionError(f"the client kept waiting for {timeout:.0f} s") from e
        except (OSError, ValueError):
            pass


class Rule:
    """A behaviour for some requests, for so many of them or until it is stopped."""

    def __init__(self, behaviour, times, method, match):
        self.behaviour, self.times = behaviour, times
        self.method, self.match = method, re.compile(match) if match else None
        self.played = 0

    def stop(self):
        self.times = self.played

    def fits(self, request):
        return (
            (self.times is None or self.played < self.times)
            and (self.method is None or request.method == self.method)
            and (self.match is None or self.match.search(request.name) is not None)
        )


class Store:
    """A store at this address until it is closed."""

    def __init__(self, tls=None, region=REGION, bucket=BUCKET, page=1000,
                 address=("127.0.0.1", 0)):  # fmt: skip
        self.tls, self.region, self.buckets, self.page = tls, region, {bucket}, page
        self.keys = {ACCESS_KEY: (SECRET_KEY, None)}  # access key: (secret, session token)
        self.expired = set()  # session tokens
        self.clock = 0.0  # seconds that the store's clock is ahead
        self.verify = True
        self.meet = None  # a function of a socket, before its first byte: True if it is over then
        self.requests = []  # all whose head arrived
        self.objects = {}  # "bucket/key": (bytes, headers)
        self.stored = {}  # "bucket/key": SHA-256 of each PUT that was kept
        self.refusals = []  # (request, code): what was wrong with a request, by itself
        self.broken = []  # what went wrong on this side
        self.connections = 0
        self.rules = []
        self.lock = threading.RLock()
        self._stop = threading.Event()
        self._sockets = set()
        self.listener = socket.create_server(address, backlog=512)
        self.port = self.listener.getsockname()[1]
        self.scheme = "https" if tls else "http"
        self.endpoint = f"{self.scheme}://{address[0]}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close(check=kind is None)

    def now(self):
        return time.time() + self.clock

    def close(self, check=True):
        self._stop.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        assert not check or not self.broken, self.broken

    def play(self, behaviour, times=None, method=None, match=None):
        """Lays a behaviour over requests by this method whose path in clear has a match; the last
        one laid goes first. Rule.stop takes it off."""
        rule = Rule(behaviour, times, method, match)
        with self.lock:
            self.rules.insert(0, rule)
        return rule

    def asked(self, method=None, match=""):
        with self.lock:
            return [
                r for r in self.requests
                if (method is None or r.method == method) and re.search(match, r.name)
            ]  # fmt: skip

    def object(self, key, bucket=BUCKET):
        """The bytes of an object, or None."""
        with self.lock:
            return self.objects.get(f"{bucket}/{key}", (None,))[0]

    def meta(self, key, bucket=BUCKET):
        headers = self.objects[f"{bucket}/{key}"][1]
        start = "x-amz-meta-"
        return {k[len(start) :]: v for k, v in headers.items() if k.startswith(start)}

    def refused(self, request, refusal):
        with self.lock:
            self.refusals.append((request, refusal.code))

    def _accept(self):
        while not self._stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self._sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.meet and self.meet(sock):
                return
            if self.tls:
                plain, sock = sock, self.tls.wrap_socket(sock, server_side=True)
                with self.lock:
                    self._sockets.discard(plain)
                    self._sockets.add(sock)
            self._converse(Connection(sock))
        except (Gone, OSError):
            pass
        except Exception as e:  # the test must hear of it
            self.broken.append(repr(e))
        finally:
            with self.lock:
                self._sockets.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()

    def _converse(self, connection):
        while not self._stop.is_set():
            head = connection.read_head()
            with self.lock:
                request = Request(len(self.requests) + 1, head)
                self.requests.append(request)
                rule = next((r for r in self.rules if r.fits(request)), None)
                if rule:
                    rule.played += 1
            exchange = Exchange(self, connection, request)
            if rule:
                rule.behaviour(exchange)
            else:
                exchange.serve()
            if exchange.close or not request.whole:
                connection.finish()
                return

    def handle(self, x):
        if x.request.method == "PUT":
            self.take(x)
            x.answer("200 OK", b"", f'ETag: "{hashlib.md5(x.request.body).hexdigest()}"')
        elif x.request.method in ("GET", "HEAD"):
            self.show(x)
        else:
            raise Refusal("405 Method Not Allowed", "MethodNotAllowed", "not here")

    def take(self, x):
        """Reads a PUT's body and keeps the object."""
        r = x.request
        if self.verify:
            self.check_head(r)
        if "content-length" not in r.headers:
            raise Refusal("411 Length Required", "MissingContentLength", "no length")
        name = self.object_name(r)
        if r.headers.get("if-none-match") == "*" and name in self.objects:
            raise Refusal("412 Precondition Failed", "PreconditionFailed", "it is there")
        x.read_body()
        digest = hashlib.sha256(r.body).hexdigest()
        if self.verify and digest != r.headers["x-amz-content-sha256"]:
            raise Refusal("400 Bad Request", "XAmzContentSHA256Mismatch", "other bytes arrived")
        with self.lock:
            self.objects[name] = (r.body, r.headers)
            self.stored.setdefault(name, []).append(digest)

    def object_name(self, r):
        bucket, _, key = r.name.lstrip("/").partition("/")
        if bucket not in self.buckets:
            raise Refusal("404 Not Found", "NoSuchBucket", "there is no such bucket")
        if len(key.encode()) > 1024:
            raise Refusal("400 Bad Request", "KeyTooLongError", "the key is too long")
        return f"{bucket}/{key}"

    def show(self, x):
        r = x.request
        if self.verify:
            self.check_head(r)
        x.read_body()
        name = self.object_name(r)
        if name.endswith("/") and name.count("/") == 1:
            x.answer("200 OK", self.listing(name, r), "Content-Type: application/xml")
            return
        if name not in self.objects:
            raise Refusal("404 Not Found", "NoSuchKey", "there is no such object")
        body, headers = self.objects[name]
        meta = [f"{k}: {v}" for k, v in headers.items() if k.startswith("x-amz-meta-")]
        kind = headers.get("content-type", "binary/octet-stream")
        tag = f'ETag: "{hashlib.md5(body).hexdigest()}"'
        x.answer("200 OK", body, f"Content-Type: {kind}", tag, *meta)

    def listing(self, bucket, r):
        """A page of ListObjectsV2."""
        q = dict(urllib.parse.parse_qsl(r.query, keep_blank_values=True))
        encode = _encode if q.get("encoding-type") == "url" else escape
        after = max(q.get("start-after", ""), q.get("continuation-token", ""))
        with self.lock:
            names = sorted(n[len(bucket) :] for n in self.objects if n.startswith(bucket))
        names = [n for n in names if n.startswith(q.get("prefix", "")) and n > after]
        size = min(self.page, int(q.get("max-keys", self.page)))
        page, more = names[:size], len(names) > size
        parts = [f"<IsTruncated>{str(more).lower()}</IsTruncated>"]
        if encode is _encode:
            parts.append("<EncodingType>url</EncodingType>")
        if more:
            parts.append(f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>")
        for n in page:
            parts.append(
                f"<Contents><Key>{encode(n, '/') if encode is _encode else encode(n)}</Key>"
                f"<LastModified>2026-03-14T09:26:53.000Z</LastModified>"
                f"<Size>{len(self.objects[bucket + n][0])}</Size></Contents>"
            )
        text = "".join(parts)
        return f'<?xml version="1.0"?>\n<ListBucketResult>{text}</ListBucketResult>'.encode()

    def check_head(self, r):
        denied = "403 Forbidden"
        found = AUTHORIZATION.fullmatch(r.headers.get("authorization", ""))
        if not found:
            raise Refusal(denied, "AccessDenied", "no signature")
        access, day, region, service, signed, theirs = found.groups()
        signed = signed.split(";")
        if access not in self.keys:
            raise Refusal(denied, "InvalidAccessKeyId", "nobody has this key")
        secret, token = self.keys[access]
        must = {"host"} | {h for h in r.headers if h.startswith("x-amz-")}
        if not must <= set(signed) or signed != sorted(signed):
            raise Refusal(denied, "AccessDenied", "there are headers that were not signed")
        if r.headers.get("x-amz-security-token") in self.expired:
            raise Refusal("400 Bad Request", "ExpiredToken", "the token has expired")
        if r.headers.get("x-amz-security-token") != token:
            raise Refusal("400 Bad Request", "InvalidToken", "the token is not that of the key")
        self.check_time(r, day)
        if region != self.region or service != "s3":
            raise Refusal("400 Bad Request", "AuthorizationHeaderMalformed",
                          f"expecting '{self.region}'", Region=self.region)  # fmt: skip
        if not re.fullmatch("[0-9a-f]{64}", r.headers.get("x-amz-content-sha256", "")):
            raise Refusal("400 Bad Request", "InvalidRequest", "the payload's hash is missing")
        ours = signature(r, secret, (day, region, service, "aws4_request"), signed)
        if not hmac.compare_digest(ours, theirs):
            raise Refusal(denied, "SignatureDoesNotMatch", canonical_request(r, signed))

    def check_time(self, r, day):
        stamp = r.headers.get("x-amz-date", "")
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not stamp.startswith(day):
            raise Refusal("403 Forbidden", "AccessDenied", "no date, or another than the key's")
        then = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        if abs(then - self.now()) > SKEW_MAX:
            here = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))
            raise Refusal(
                "403 Forbidden", "RequestTimeTooSkewed", "the clocks are apart", ServerTime=here
            )
