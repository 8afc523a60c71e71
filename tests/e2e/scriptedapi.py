# SPDX-License-Identifier: Apache-2.0
"""A scripted API server of Kubernetes, for what a real one cannot be made to do: refusals, lists in pages
that expire, watches that break off in the middle of an event.

An answer is a function of one Call. `script` has those of the requests to come, one after the other; the
last one is for all that follow.
"""

import http.server
import json
import threading
import time
import urllib.parse


class Call:
    def __init__(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        self.path, self.at = url.path, time.monotonic()
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.watch = "watch" in self.query
        self.authorization = handler.headers.get("Authorization")
        self.handler = handler

    def json(self, status, document, **headers):
        data = json.dumps(document).encode()
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", "application/json")
        self.handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def refuse(self, code, message="", **headers):
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self.json(code, {**status, "message": message}, **headers)

    def list(self, pods, version, then=""):
        metadata = {"resourceVersion": version, **({"continue": then} if then else {})}
        self.json(200, {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": pods})

    def begin(self):
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "application/json")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()

    def raw(self, data):
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.handler.wfile.flush()

    def event(self, kind, thing, version=None):
        if version:
            thing = {**thing, "metadata": {**thing.get("metadata", {}), "resourceVersion": version}}
        self.raw(json.dumps({"type": kind, "object": thing}).encode() + b"\n")

    def end(self):
        self.handler.wfile.write(b"0\r\n\r\n")

    def hold(self):
        """Until the server is closed."""
        self.handler.server.closing.wait()


def refusing(code, message="no", **headers):
    return lambda call: call.refuse(code, message, **headers)


def listing(pods, version="1", then=""):
    return lambda call: call.list(pods, version, then)


def holding(*events):
    """A watch with these events (kind, thing, version), which stays open."""

    def answer(call):
        assert call.watch, call.query
        call.begin()
        for event in events:
            call.event(*event)
        call.hold()

    return answer


class ScriptedApi(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script, self.calls = list(script), []
        self.lock, self.closing = threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def answer_to(self, call):
        with self.lock:
            self.calls.append(call)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def handle_error(self, request, client_address):
        """A client that is gone."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        call = Call(self)
        self.server.answer_to(call)(call)

    def log_message(self, *_):
        pass
