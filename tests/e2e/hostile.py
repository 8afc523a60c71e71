# SPDX-License-Identifier: Apache-2.0
"""A scripted HTTP server, as hostile as a target can be, and traces to serve.

A behaviour is a function of one connection: it is called when the request has been read, says what
it likes and returns; then the connection is closed. Server.script is what connections get, one
after the other, the last one for ever.
"""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
import zlib

PATIENCE = 60.0  # that a connection is kept waiting at most


def _number(value, width=0):
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(generation, payload):
    head = _number(generation) + _number(2**64 - 1) + _number(123456)
    return b"\x01" + head + _number(len(payload), 10) + payload


HEADER = b"go 1.26 trace\0\0\0"
SYNC, END = b"\x32", b"\x34"
BATCH_MAX = 60000


def generation(number, size=200, end=True):
    """One generation as Go 1.26 writes it, with `size` bytes of payload."""
    out = batch(number, SYNC + _number(10**9))
    while size > 0:
        n = min(size, BATCH_MAX)
        out += batch(number, b"\x0a" + bytes(n - 1))
        size -= n
    return out + (END if end else b"")


def trace(generations=2, size=200):
    return HEADER + b"".join(generation(i, size) for i in range(1, generations + 1))


class Gone(Exception):
    """The client has closed the connection."""


class Connection:
    def __init__(self, server, sock, request):
        self.server, self.sock, self.request = server, sock, request

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ssl.SSLError) as e:
            raise Gone from e

    def head(self, status="200 OK", *headers):
        lines = [f"HTTP/1.1 {status}", *headers, "", ""]
        self.send("\r\n".join(lines).encode())

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def start_chunked(self):
        self.head("200 OK", "Content-Type: application/octet-stream", "Transfer-Encoding: chunked")

    def end_chunked(self):
        self.send(b"0\r\n\r\n")

    def reset(self):
        """The next close sends RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_gone(self, timeout=PATIENCE):
        """Until the client closes."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(4096):
                pass
        except TimeoutError as e:
            raise AssertionError(f"the client kept the connection for {timeout:.0f} s") from e
        except OSError:
            pass


class Server:
    """Serves on 127.0.0.1 (and the rest of 127/8) or on a unix socket until closed."""

    def __init__(self, *script, path=None, tls=None):
        self.script = list(script)
        self.requests = []  # (request line and headers, as text)
        self.ended = 0  # connections that are over
        self.broken = []  # what went wrong on this side
        self.tls = tls
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.address = f"unix:{path}"
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("0.0.0.0", 0))
            self.port = self.listener.getsockname()[1]
            self.address = f"127.0.0.1:{self.port}"
        self.listener.listen(1024)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._stop.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        assert not self.broken, self.broken

    def _accept(self):
        while not self._stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _next(self):
        with self._lock:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _serve(self, sock):
        try:
            sock.settimeout(PATIENCE)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request:
                data = sock.recv(4096)
                if not data:
                    return
                request += data
                if request[:1] == b"\x16" and not self.tls:  # a TLS handshake: as Go answers one
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                    return
            behaviour = self._next()
            with self._lock:
                self.requests.append(request.decode("latin-1"))
            behaviour(Connection(self, sock, request.decode("latin-1")))
        except (Gone, OSError):
            pass
        except Exception as e:  # the test must hear of it
            self.broken.append(repr(e))
        finally:
            with contextlib.suppress(OSError):
                sock.close()
            with self._lock:
                self.ended += 1


def answer(status, body=b"", *headers):
    """A plain response with this status and body."""

    def behave(c):
        c.head(status, f"Content-Length: {len(body)}", *headers)
        c.send(body)

    return behave


def chunked(*pieces, pause=0.0, end=True):
    """200 with a chunked body of these pieces."""

    def behave(c):
        c.start_chunked()
        for piece in pieces:
            c.chunk(piece)
            time.sleep(pause)
        if end:
            c.end_chunked()

    return behave


def healthy(body=None):
    return chunked(body or trace(2))


def gated(gate, before=b"", after=None):
    """Sends `before`, waits for the gate to open, then the rest of a trace."""

    def behave(c):
        c.start_chunked()
        if before:
            c.chunk(before)
        assert gate.wait(PATIENCE), "nobody opened the gate"
        c.chunk(after if after is not None else trace(2))
        c.end_chunked()

    return behave


def hang(*pieces, headers=True):
    """Says so much, then nothing more until the client has had enough."""

    def behave(c):
        if headers:
            c.start_chunked()
            for piece in pieces:
                c.chunk(piece)
        c.wait_gone()

    return behave


def drip(data, every):
    """One byte at a time."""

    def behave(c):
        c.start_chunked()
        for i in range(len(data)):
            c.chunk(data[i : i + 1])
            time.sleep(every)
        raise AssertionError("the client took the drip to its end")

    return behave


def reset_in_chunk(*pieces):
    """RST in the middle of a chunk, behind these whole ones."""

    def behave(c):
        c.start_chunked()
        for piece in pieces:
            c.chunk(piece)
        c.send(b"1000\r\n" + generation(3, 1000)[:500])
        time.sleep(0.2)  # so that it is received before the reset takes it away
        c.reset()

    return behave


def wrong_length(body, length):
    def behave(c):
        c.head("200 OK", f"Content-Length: {length}")
        c.send(body)

    return behave


def endless(head, piece):
    """Sends `piece` for ever."""

    def behave(c):
        c.start_chunked()
        c.chunk(head)
        while True:
            c.chunk(piece)

    return behave


def endless_generations(size):
    def behave(c):
        c.start_chunked()
        c.chunk(HEADER)
        number = 1
        while True:
            c.chunk(generation(number, size))
            number += 1

    return behave


def endless_headers(line=10000):
    def behave(c):
        c.send(b"HTTP/1.1 200 OK\r\n")
        for i in range(100000):
            c.send(b"X-Line-%d: %s\r\n" % (i, b"a" * line))

    return behave


def raw(data):
    def behave(c):
        c.send(data)

    return behave


def gzip_bomb(megabytes):
    """A trace that goes on for megabytes, in about a thousandth of that."""
    out = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = out.compress(trace(1))
    piece = batch(2, b"\x0a" + bytes(BATCH_MAX)) * 17
    for _ in range(megabytes):
        packed += out.compress(piece)
    return packed + out.flush()


def coded_transfer(packed):
    """`Transfer-Encoding: gzip` that nobody asked for, as libcurl 7.88 would undo it."""

    def behave(c):
        c.head("200 OK", "Transfer-Encoding: gzip")
        c.send(packed)

    return behave


def coded_content(packed):
    return answer("200 OK", packed, "Content-Encoding: gzip")


def packed_trace():
    return gzip.compress(trace(2))


GO_ERROR = ("Content-Type: text/plain; charset=utf-8", "X-Go-Pprof: 1")
BUSY = answer(
    "500 Internal Server Error",
    b"Could not enable tracing: tracing is already enabled\n",
    *GO_ERROR,
)
WRITE_TIMEOUT = answer(
    "400 Bad Request", b"profile duration exceeds server's WriteTimeout\n", *GO_ERROR
)
