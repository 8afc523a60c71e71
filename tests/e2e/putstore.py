# SPDX-License-Identifier: Apache-2.0
"""The simplest store there is: keeps what is PUT below a directory. A program, for another network.

Usage: putstore.py DIRECTORY PORT
"""

import http.server
import pathlib
import sys

ROOT = pathlib.Path(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        file = ROOT / self.path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
print("listening", flush=True)
server.serve_forever()
