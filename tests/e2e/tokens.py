# SPDX-License-Identifier: Apache-2.0
"""The services of Google and of Azure that give tokens: OAuth's token endpoints, Google's STS and
IAM, the metadata services. One scripted server; what it is asked is checked as those would. Every
secret has CANARY in it."""

import base64
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

CANARY = "CANARY"
SUBJECT = f"{CANARY}.subject.token"
CLIENT_SECRET = f"{CANARY}~client~secret"
REFRESH = f"1//{CANARY}-refresh"
HEADER = f"{CANARY}-header"
ACCOUNT = "uploader@project.iam.gserviceaccount.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def unsigned(claims):
    """A JWT that nobody verifies, such as Azurite's --oauth basic takes."""
    parts = [json.dumps(p).encode() for p in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join([base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts] + ["c2ln"])


class Tokens:
    """`token` makes what is given out in the end; `asked` is (method, path, form or {})."""

    def __init__(self, directory, token):
        self.directory, self.token = directory, token
        self.asked, self.wrong = [], []
        self.fails = None  # a status and a body, for the next request
        tokens = self

        class Handler(_Handler):
            owner = tokens

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.server.shutdown()
        self.server.server_close()
        assert kind or not self.wrong, self.wrong

    def make_key(self):
        """A service account's key: the private half in PEM."""
        private, public = self.directory / "sa.key", self.directory / "sa.pub"
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        subprocess.run([*command, "-out", private], check=True, capture_output=True)
        subprocess.run(
            ["openssl", "pkey", "-in", private, "-pubout", "-out", public],
            check=True, capture_output=True,
        )  # fmt: skip
        return private.read_text()

    def check_jwt(self, jwt):
        signed, _, signature = jwt.rpartition(".")
        (self.directory / "signature").write_bytes(decode(signature))
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", self.directory / "sa.pub",
             "-signature", self.directory / "signature"],
            input=signed.encode(), capture_output=True, check=False,
        )  # fmt: skip
        header, claims = (json.loads(decode(part)) for part in signed.split("."))
        now = time.time()
        return (
            done.returncode == 0
            and header == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
            and claims["iss"] == ACCOUNT
            and claims["aud"] == self.url + "/google"
            and claims["scope"].endswith("/devstorage.read_write")
            and now - 60 < claims["iat"] <= now + 1
            and claims["exp"] == claims["iat"] + 3600
        )


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *args):
        pass

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def good(self, path, query, form):
        """Whether the request is what this place wants."""
        header = self.headers.get
        if path == "/google" and form.get("grant_type") == JWT_BEARER:
            return self.owner.check_jwt(form["assertion"])
        if path == "/google":
            return (form["grant_type"], form["refresh_token"]) == ("refresh_token", REFRESH)
        if path == "/exchange":
            return form["grant_type"] == EXCHANGE and form["subject_token"] == SUBJECT
        if path == "/subject":
            return header("Metadata") == "True"
        if path == "/impersonate":
            return header("Authorization") == f"Bearer {CANARY}-federated"
        if path == "/tenant/oauth2/v2.0/token":
            return form["scope"] == "https://storage.azure.com/.default" and (
                form.get("client_secret") == CLIENT_SECRET
                or form.get("client_assertion") == SUBJECT
            )
        if path == "/metadata/identity/oauth2/token":
            return header("Metadata") == "true" and query["resource"].endswith("azure.com/")
        return path == "/app" and header("X-IDENTITY-HEADER") == HEADER

    def reply(self, path):
        if path == "/subject":
            return {"token": SUBJECT}
        if path == "/impersonate":
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            return {"accessToken": self.owner.token(), "expireTime": until}
        token = f"{CANARY}-federated" if path == "/exchange" else self.owner.token()
        told = {"access_token": token, "token_type": "Bearer"}
        if path == "/app":
            return told | {"expires_on": str(int(time.time()) + 3600)}
        as_text = path.startswith("/metadata")
        return told | {"expires_in": "3599" if as_text else 3599}

    def take(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        path, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        form = {} if path == "/impersonate" else dict(urllib.parse.parse_qsl(body))
        self.owner.asked.append(path)
        fails, self.owner.fails = self.owner.fails, None
        if fails:
            self.answer(*fails)
        elif self.good(path, query, form):
            self.answer(200, self.reply(path))
        else:
            self.owner.wrong.append((path, query, form, dict(self.headers)))
            self.answer(400, {"error": "invalid_request"})

    do_GET = do_POST = take
