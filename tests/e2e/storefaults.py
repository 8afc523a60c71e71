# SPDX-License-Identifier: Apache-2.0
"""What a store can do wrong: behaviours for Store.play, and what happens before a request."""

import email.utils
import gzip
import socket
import ssl
import struct
import subprocess
import time

from store import Gone

LONG = 30.0  # longer than any test waits for one exchange


def error(status, code, *headers, read=True, **more):
    """An error document with this code, after the whole body or, without `read`, at once."""

    def behave(x):
        if read:
            x.read_body()
        x.error(status, code, "scripted", *headers, **more)

    return behave


def status(line, *headers, body=b""):
    """A status without a code of the store's, as something in between would answer."""

    def behave(x):
        x.read_body()
        x.answer(line, body, *headers)

    return behave


def document(line, body, *headers):
    """An answer with this body, whatever it is."""
    return status(line, "Content-Type: application/xml", *headers, body=body)


def ok(*headers, body=b""):
    """200 for an object that was not kept: only the headers matter here."""
    return status("200 OK", *headers, body=body)


def kept(*headers, line="200 OK", body=b""):
    """Keeps the object and answers as told."""

    def behave(x):
        x.store.take(x)
        x.answer(line, body, *headers)

    return behave


def closing(x):
    """As a good store, which closes the connection behind each answer."""
    x.close = True
    x.serve()


def redirect(line, location, *headers):
    def behave(x):
        x.read_body()
        x.answer(line, b"", f"Location: {location}", *headers)

    return behave


def elsewhere(line, code, region):
    """The bucket is in another region; whoever signs for that one is served."""

    def behave(x):
        if f"/{region}/s3/aws4_request" in x.request.headers.get("authorization", ""):
            x.store.region = region
            x.serve()
            return
        x.read_body()
        x.error(line, code, "scripted", f"x-amz-bucket-region: {region}", Region=region)

    return behave


def moved_clock(hours):
    """The store's clock is so far ahead, whatever it is asked."""

    def behave(x):
        x.store.clock = hours * 3600.0
        x.serve()

    return behave


def retry_after(value, line="503 Slow Down", code="SlowDown"):
    return error(line, code, f"Retry-After: {value}")


def retry_at(seconds):
    """Retry-After as a date."""

    def behave(x):
        when = email.utils.formatdate(x.store.now() + seconds, usegmt=True)
        retry_after(when)(x)

    return behave


GARBAGE = b'<?xml version="1.0"?><Error><Code>Slow\x00Down</Mess\xff\xfe<<>>&&&;</Error'
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE Error [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 20) for c in range(98, 108))
    + b"]><Error><Code>&k;</Code></Error>"
)
FOREIGN = (
    b'<?xml version="1.0"?><!DOCTYPE Error SYSTEM "file:///etc/hostname" '
    b'[<!ENTITY x SYSTEM "file:///etc/passwd">]><Error><Code>&x;</Code></Error>'
)
PACKED = gzip.compress(b"<Error><Code>AccessDenied</Code><Message>packed</Message></Error>")


def large(line, megabytes):
    """An error document that goes on and on."""

    def behave(x):
        x.read_body()
        size = megabytes << 20
        x.close = True
        x.head(line, f"Content-Length: {size}", "Content-Type: application/xml")
        x.raw(b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>'.ljust(1 << 16))
        for _ in range((size >> 16) - 1):
            x.raw(b"x" * (1 << 16))

    return behave


def many_headers(count):
    def behave(x):
        x.read_body()
        x.close = True
        x.raw(b"HTTP/1.1 200 OK\r\n")
        for i in range(count):
            x.raw(b"X-Header-%d: %d\r\n" % (i, i))
        x.raw(b"Content-Length: 0\r\n\r\n")

    return behave


def raw(data, keep=False):
    """These bytes, then FIN; with `keep` the object is there all the same."""

    def behave(x):
        if keep:
            x.store.take(x)
        else:
            x.read_body()
        x.raw(data)
        x.cut()

    return behave


def interim(*lines):
    """Answers of a status of the hundreds, more of them than fit, then a good one."""

    def behave(x):
        for line in lines:
            x.raw(f"HTTP/1.1 {line}\r\n\r\n".encode())
        x.serve()

    return behave


def reset_at_head(x):
    x.reset()


def reset_in_body(n):
    def behave(x):
        x.read_body(n)
        x.reset()

    return behave


def reset_after_body(keep):
    """RST once all has arrived; the object is there, or not."""

    def behave(x):
        if keep:
            x.store.take(x)
        else:
            x.read_body()
        x.reset()

    return behave


def reset_in_answer(data, keep=False):
    def behave(x):
        if keep:
            x.store.take(x)
        else:
            x.read_body()
        x.raw(data)
        time.sleep(0.1)  # so that it is received before the reset takes it away
        x.reset()

    return behave


def closed_at_head(x):
    x.cut()


def closed_after_body(x):
    x.read_body()
    x.cut()


def hang(read=None):
    """Says nothing; `read`: after so many bytes of the body (None: after all of it)."""

    def behave(x):
        x.read_body(read)
        x.wait_gone()

    return behave


def hang_in_answer(data):
    def behave(x):
        x.read_body()
        x.raw(data)
        x.wait_gone()

    return behave


def slow(seconds):
    """A good store that thinks for a while."""

    def behave(x):
        x.read_body()
        time.sleep(seconds)
        x.serve()

    return behave


def drip(every):
    """The answer comes byte by byte, and has no end to speak of."""

    def behave(x):
        x.read_body()
        x.close = True
        x.raw(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100000\r\n\r\n")
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            x.raw(b"x")
            time.sleep(every)
        raise AssertionError("the client took the drip")

    return behave


def slow_reader(rate):
    """A good store that takes so many bytes a second."""

    def behave(x):
        x.go_on()
        while not x.request.whole:
            x.read_body(len(x.request.body) + max(1, rate // 20))
            time.sleep(0.05)
        x.serve()

    return behave


def never_asks(x):
    """Waits for the body without asking for it."""
    x.read_body(ask=False)
    x.expects = False
    x.serve()


def refuses_expect(x):
    """417 to whoever asks."""
    if x.expects:
        x.close = True
        x.answer("417 Expectation Failed")
    else:
        x.serve()


def asks_and_is_silent(x):
    x.go_on()
    x.wait_gone()


def decides_before_the_body(line, code):
    """The final answer instead of 100."""
    return error(line, code, read=False)


def confirms_before_the_body(x):
    """200 although nothing of the body was read: nothing is kept."""
    x.close = True
    x.answer("200 OK")


def asks_twice(x):
    x.go_on()
    x.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    x.serve()


def refuse_with_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    return True


def close_at_once(sock):
    sock.close()
    return True


def slow_accept(seconds):
    def meet(sock):
        time.sleep(seconds)
        return False

    return meet


def mute(sock):
    """Takes connections and nothing else."""
    sock.settimeout(LONG)
    try:
        while sock.recv(1 << 16):
            time.sleep(0.01)
    except OSError as e:
        raise Gone from e
    return True


def cut_handshake(sock):
    """Reads the first flight of TLS and goes."""
    sock.recv(200)
    return refuse_with_reset(sock)


def speaks_plain_http(sock):
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    sock.close()
    return True


class Authority:
    """A CA of the test's own, in a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=contrace test CA", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign", "-keyout", directory / "ca.key",
            "-out", self.file,
        )  # fmt: skip
        for name, text in (("db", ""), ("serial", "01\n")):
            (directory / name).write_text(text)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def context(self, name, names="IP:127.0.0.1", start=-3600, end=86400):
        """A server's context with a certificate for these names and times (seconds from now)."""
        d = self.directory
        stamps = [
            time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + t)) for t in (start, end)
        ]
        (d / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={d}/db\nserial={d}/serial\nnew_certs_dir={d}\n"
            f"default_md=sha256\npolicy=p\nunique_subject=no\nx509_extensions=e\n"
            f"[p]\ncommonName=supplied\n[e]\nsubjectAltName={names}\n"
        )
        key, request, cert = (d / f"{name}.{end}" for end in ("key", "csr", "pem"))
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request,
        )  # fmt: skip
        self._openssl(
            "ca", "-batch", "-notext", "-config", d / "ca.cnf", "-cert", self.file,
            "-keyfile", d / "ca.key", "-in", request, "-out", cert,
            "-startdate", stamps[0], "-enddate", stamps[1],
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context
