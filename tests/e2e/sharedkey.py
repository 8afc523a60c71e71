# SPDX-License-Identifier: Apache-2.0
"""Azure's SharedKey once more, as its documentation has it and as Microsoft's own client does it:
what our signatures are held against, and how tests make containers and read blobs without our help.
"""

import base64
import hashlib
import hmac
import http.client
import ssl
import time
import urllib.parse

from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

VERSION = "2021-12-02"
LINES = [
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
]  # fmt: skip


def sign(key, text):
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(mac).decode()


def signature(account, key, method, target, headers):
    """The value of Authorization; `target` is the request's, `headers` all that is sent."""
    headers = {name.lower(): value for name, value in headers.items()}
    path, _, query = target.partition("?")
    if headers.get("content-length") == "0":
        del headers["content-length"]
    lines = [method, *(headers.get(name, "") for name in LINES)]
    lines += [f"{n}:{headers[n]}" for n in sorted(headers) if n.startswith("x-ms-")]
    lines.append(f"/{account}{path}")
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    lines += [f"{n.lower()}:{v}" for n, v in sorted(pairs)]
    return f"SharedKey {account}:{sign(key, chr(10).join(lines))}"


def request(host, account, key, method, target, body=b"", ca=None, **headers):
    """One request of another make, over TLS if there is a CA's file. (status, headers, body)"""
    headers = {
        "x-ms-version": VERSION,
        "x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    headers["Authorization"] = signature(account, key, method, target, headers)
    if ca:
        context = ssl.create_default_context(cafile=ca)
        connection = http.client.HTTPSConnection(host, timeout=60, context=context)
    else:
        connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, response.headers, data


def client_signature(account, key, method, target, headers):
    """As signature(), by Microsoft's client."""
    request = HttpRequest(method, f"http://127.0.0.1{target}", headers=headers)
    policy = SharedKeyCredentialPolicy(account, key)
    policy.on_request(PipelineRequest(request, PipelineContext(None)))
    return request.headers["Authorization"]
