# SPDX-License-Identifier: Apache-2.0
"""Our signatures before a real server that verifies them; another client reads what it took."""

import hashlib
import http.client
import subprocess
import time
import urllib.parse

import botocore.config
import botocore.session
import pytest
import s3server
from s3server import ACCESS_KEY, REGION, SECRET_KEY
from test_sigv4 import SIGNER, line_of

BUCKET = "traces"
KEYS = [
    "checkout/web-1/20260314/092653-4711.trace",
    "prod/a b+c~d/20260314/092653.json",
    "prod/=@!$&'()*,:;/漢é/092653-0-1.trace",
]


@pytest.fixture
def server(tmp_path):
    s = s3server.S3Server(tmp_path)
    (s.root / BUCKET).mkdir()
    yield s
    s.close()


@pytest.fixture
def reader(server):
    return botocore.session.get_session().create_client(
        "s3",
        endpoint_url=f"http://{server.host}",
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


def put(server, key, body, secret=SECRET_KEY, sent=None, age=0, **changes):
    """PUT with our signature; `sent` instead of the body that was signed. (status, text)"""
    now = int(time.time()) - age
    request = {
        "method": "PUT", "host": server.host, "path": f"/{BUCKET}/{key}", "region": REGION,
        "payload": hashlib.sha256(body).hexdigest(), "access": ACCESS_KEY, "secret": secret,
        "token": "", "time": now, "query": [],
        "headers": [("x-amz-meta-reason", "trigger:  p99 > 5ms"), ("content-type", "a/b")],
        **changes,
    }  # fmt: skip
    signer = subprocess.run(
        [SIGNER], input=line_of(request) + "\n", capture_output=True, text=True, check=True
    )
    headers = {
        **dict(request["headers"]),
        "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)),
        "x-amz-content-sha256": request["payload"],
        "Authorization": signer.stdout.strip(),
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    path = urllib.parse.quote(request["path"], safe="/-._~")
    connection.request("PUT", path, body if sent is None else sent, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_what_is_put_is_read_back(server, reader):
    for i, key in enumerate(KEYS):
        body = hashlib.sha256(key.encode()).digest() * 1000 * (i + 1)
        assert put(server, key, body) == (200, "")
        got = reader.get_object(Bucket=BUCKET, Key=key)
        assert got["Body"].read() == body
        assert got["Metadata"]["reason"] == "trigger:  p99 > 5ms"
    listed = reader.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert sorted(o["Key"] for o in listed) == sorted(KEYS)


def test_what_is_wrong_is_refused(server):
    """The server does verify: else the test above would prove nothing."""
    status, text = put(server, KEYS[0], b"x", secret="another")
    assert (status, "SignatureDoesNotMatch" in text) == (403, True)
    status, text = put(server, KEYS[0], b"x", sent=b"y")
    assert (status, "XAmzContentSHA256Mismatch" in text) == (400, True)
    status, text = put(server, KEYS[0], b"x", age=3600)
    assert (status, "RequestTimeTooSkewed" in text) == (403, True)
    assert not [p for p in (server.root / BUCKET).rglob("*") if p.is_file()]
