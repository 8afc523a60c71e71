# SPDX-License-Identifier: Apache-2.0
"""A scripted Google Cloud Storage: what its XML API documents, for a bearer's token; and the
metadata server that gives the token. It is ours, not Google's, and knows no more than that."""

import http.server
import json
import threading
import urllib.parse
import xml.sax.saxutils

BUCKET = "traces"


class Gcs:
    """Objects in memory: name -> (bytes, headers). `tokens` are good; the last one is given out."""

    def __init__(self, page=2):
        self.objects = {}
        self.tokens = ["ya29.first"]
        self.page = page
        self.given = 0
        self.lock = threading.Lock()
        gcs = self

        class Handler(_Handler):
            store = gcs

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code):
        self.answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode())

    def refused(self):
        """What Google refuses of any request; the body has been read."""
        names = [name.lower() for name in self.headers]
        if any(n.startswith("x-amz-") for n in names):
            self.error(400, "ExcessHeaderValues")
        elif self.headers["Authorization"] not in {f"Bearer {t}" for t in self.store.tokens}:
            self.error(401, "AuthenticationRequired")
        else:
            return False
        return True

    def name(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        bucket, _, name = path[1:].partition("/")
        return name if bucket == BUCKET else None

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.name()
        if self.refused():
            return
        if name is None:
            self.error(404, "NoSuchBucket")
            return
        with self.store.lock:
            if self.headers["x-goog-if-generation-match"] == "0" and name in self.store.objects:
                self.error(412, "PreconditionFailed")
                return
            kept = {
                n.lower(): v for n, v in self.headers.items()
                if n.lower().startswith(("x-goog-meta-", "content-type", "x-goog-storage-class"))
            }  # fmt: skip
            self.store.objects[name] = (body, kept)
        self.answer(200, x_goog_generation="1", ETag='"0"')

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path.startswith("/computeMetadata/v1/"):
            self.metadata()
            return
        if self.refused():
            return
        name = self.name()
        if name == "":
            self.list()
        elif name not in self.store.objects:
            self.error(404, "NoSuchBucket" if name is None else "NoSuchKey")
        else:
            body, kept = self.store.objects[name]
            headers = {n.replace("-", "_"): v for n, v in kept.items()}
            self.answer(200, body, Content_Length=str(len(body)), **headers)

    def list(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        assert query["list-type"] == "2" and query["encoding-type"] == "url"
        after = query.get("continuation-token", query.get("start-after", ""))
        names = sorted(n for n in self.store.objects if n > after)
        names = [n for n in names if n.startswith(query.get("prefix", ""))]
        page, more = names[: self.store.page], len(names) > self.store.page
        quote = xml.sax.saxutils.escape
        contents = "".join(
            f"<Contents><Key>{urllib.parse.quote(n)}</Key>"
            f"<Size>{len(self.store.objects[n][0])}</Size>"
            "<LastModified>2026-03-14T09:26:53.589Z</LastModified></Contents>"
            for n in page
        )
        token = f"<NextContinuationToken>{quote(page[-1])}</NextContinuationToken>" if more else ""
        self.answer(
            200,
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01">'
            f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>".encode(),
        )

    def metadata(self):
        if self.headers["Metadata-Flavor"] != "Google":
            self.answer(403)
            return
        self.store.given += 1
        token = {"access_token": self.store.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}
        self.answer(
            200, json.dumps(token).encode(),
            Metadata_Flavor="Google", Content_Type="application/json",
        )  # fmt: skip
