# SPDX-License-Identifier: Apache-2.0
"""A forward proxy for HTTP: it tunnels CONNECT and passes on requests in absolute form, to where
`routes` says that a name leads, so that no test looks a name up. What it was asked is in `asked`."""

import base64
import contextlib
import socket
import struct
import threading
import time
import urllib.parse

PATIENCE = 60.0
HEAD_MAX = 64 * 1024


class Forward:
    """A proxy on a loopback port until it is closed. `user` is "name:password", or None."""

    def __init__(self, routes, user=None):
        self.routes, self.user = routes, user
        self.asked = []  # first lines
        self.refusal = None  # a status line for everybody
        self.abrupt = False  # what is refused is reset, its body unread, as tinyproxy does
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def url(self, user=None):
        return f"http://{user + '@' if user else ''}{self.address}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError, ValueError), sock:
            sock.settimeout(PATIENCE)
            data = b""
            while b"\r\n\r\n" not in data and len(data) < HEAD_MAX:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            self._pass_on(sock, head.decode("latin-1").split("\r\n"), rest)

    def _allowed(self, lines):
        wanted = base64.b64encode((self.user or "").encode()).decode()
        return not self.user or f"Proxy-Authorization: Basic {wanted}" in lines

    def _pass_on(self, sock, lines, rest):
        self.asked.append(lines[0])
        method, target, version = lines[0].split(" ")
        refusal = self.refusal
        if not self._allowed(lines):
            refusal = "407 Proxy Authentication Required"
        if refusal:
            end = "Connection: close\r\n\r\n<html>" if self.abrupt else "Content-Length: 0\r\n\r\n"
            sock.sendall(f"HTTP/1.1 {refusal}\r\n{end}".encode())
            if self.abrupt:
                time.sleep(0.1)  # it is read
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if method == "CONNECT":
            with socket.create_connection(self.routes[target]) as server:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._pump(sock, server)
            return
        url = urllib.parse.urlsplit(target)
        path = url.path + (f"?{url.query}" if url.query else "")
        kept = [x for x in lines[1:] if not x.lower().startswith(("proxy-", "connection:"))]
        head = "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""])
        with socket.create_connection(self.routes[url.netloc]) as server:
            server.sendall(head.encode("latin-1") + rest)
            self._pump(sock, server)

    def _pump(self, client, server):
        def copy(a, b):
            with contextlib.suppress(OSError):
                while data := a.recv(65536):
                    b.sendall(data)
            with contextlib.suppress(OSError):
                b.shutdown(socket.SHUT_WR)

        up = threading.Thread(target=copy, args=(client, server), daemon=True)
        up.start()
        copy(server, client)
        up.join(PATIENCE)
