# SPDX-License-Identifier: Apache-2.0
"""The admin endpoint of a running contraced, over its unix socket."""

import http.client
import json
import socket
import urllib.parse
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict
    data: bytes

    @property
    def json(self):
        assert self.headers["Content-Type"] == "application/json", self
        return json.loads(self.data)

    @property
    def error(self):
        return self.json["error"]

    @property
    def text(self):
        return self.data.decode()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Endpoint:
    """`directory` must be a short one: a socket's path has at most 107 bytes."""

    def __init__(self, directory):
        self.path = directory / "api.sock"

    @property
    def option(self):
        """What contraced is started with."""
        return f"--web.listen-address=unix:{self.path}"

    def ask(self, method, path, body=None, headers=None, timeout=30):
        connection = _Connection(self.path, timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Answer(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def get(self, path, **query):
        tail = "?" + urllib.parse.urlencode(query) if query else ""
        return self.ask("GET", path + tail)

    def post(self, path, document=None, timeout=30):
        """`document`: what becomes JSON, bytes as they are, or None for no body."""
        body = document
        if document is not None and not isinstance(document, bytes):
            body = json.dumps(document).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self.ask("POST", path, body, headers, timeout)

    def status(self):
        return self._good("/api/v1/status")

    def targets(self, **query):
        return self._good("/api/v1/targets", **query)

    def captures(self, **query):
        return self._good("/api/v1/captures", **query)

    def capture(self, **order):
        return self.post("/api/v1/capture", order)

    def _good(self, path, **query):
        answer = self.get(path, **query)
        assert answer.status == 200, answer
        return answer.json
