# SPDX-License-Identifier: Apache-2.0
"""Our S3 before a real server that verifies signatures; another client reads what it took."""

import hashlib
import http.client
import os
import random
import subprocess
import time
import urllib.parse

import botocore.config
import botocore.session
import pytest
import s3server
from s3server import ACCESS_KEY, REGION, SECRET_KEY
from support import BUILD
from test_sigv4 import SIGNER, line_of

STORE = BUILD / "tests" / "support" / "store"
BUCKET = "traces"
ENDS = ["done", "retry", "parked", "refused", "changed", "missing", "local"]
KEY = "checkout/web-1/20260314/092653-4711.trace"
SIGNED_KEYS = [
    KEY,
    "prod/a b+c~d/20260314/092653.json",
    "prod/=@!$&'()*,:;/漢é/092653-0-1.trace",
]
ODD = ["a b+c~d", "=@!$&'(),;%", "漢é", "%2B%zz", "-", "quo\"te<&>'", "x" * 200]


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


class Answer:
    def __init__(self, process):
        self.lines = process.stdout.splitlines()
        words = process.stderr.splitlines()[-1].split(" ", 4)
        assert process.returncode < len(ENDS), process.stderr
        self.end, size, sha256, pause, self.text = words
        assert self.end == ENDS[process.returncode]
        self.size, self.sha256, self.pause = int(size), sha256, int(pause)


@pytest.fixture
def store(server, tmp_path):
    """store(words, …, NAME=VALUE) asks the store as contraced does."""

    def secret(name, value):
        path = tmp_path / name
        path.write_text(value + "\n")
        path.chmod(0o600)
        return path

    def ask(*words, access=ACCESS_KEY, key=SECRET_KEY, **section):
        section = {
            "url": f"s3://{BUCKET}/prod",
            "endpoint": f"http://{server.host}",
            "region": REGION,
            "access_key_file": secret("access", access),
            "secret_key_file": secret("secret", key),
            **section,
        }
        return Answer(
            subprocess.run(
                [STORE, *(f"{k}={v}" for k, v in section.items()), *words],
                capture_output=True, text=True, timeout=120, check=False,
            )
        )  # fmt: skip

    return ask


def file_of(tmp_path, size):
    path = tmp_path / "object"
    path.write_bytes(os.urandom(size))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def put_signed(server, key, body, secret=SECRET_KEY, sent=None, age=0, **changes):
    """PUT with our signature alone; `sent` instead of the body that was signed. (status, text)"""
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


def test_what_is_signed_is_read_back(server, reader):
    for i, key in enumerate(SIGNED_KEYS):
        body = hashlib.sha256(key.encode()).digest() * 1000 * (i + 1)
        assert put_signed(server, key, body) == (200, "")
        got = reader.get_object(Bucket=BUCKET, Key=key)
        assert got["Body"].read() == body
        assert got["Metadata"]["reason"] == "trigger:  p99 > 5ms"
    listed = reader.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert sorted(o["Key"] for o in listed) == sorted(SIGNED_KEYS)


def test_what_is_signed_wrong_is_refused(server):
    """The server does verify: else the tests below would prove nothing."""
    status, text = put_signed(server, SIGNED_KEYS[0], b"x", secret="another")
    assert (status, "SignatureDoesNotMatch" in text) == (403, True)
    status, text = put_signed(server, SIGNED_KEYS[0], b"x", sent=b"y")
    assert (status, "XAmzContentSHA256Mismatch" in text) == (400, True)
    status, text = put_signed(server, SIGNED_KEYS[0], b"x", age=3600)
    assert (status, "RequestTimeTooSkewed" in text) == (403, True)
    assert not [p for p in (server.root / BUCKET).rglob("*") if p.is_file()]


@pytest.mark.parametrize("size", [0, 1, 65536, 5 << 20])
def test_bytes_and_meta_data(server, reader, store, tmp_path, size):
    path, sha256 = file_of(tmp_path, size)
    meta = ["service=checkout", "reason=trigger: p99 > 5ms, é 100%", f"sha256={sha256}", "pid=4711"]
    assert store("put", path, KEY, *meta).end == "done"
    got = reader.get_object(Bucket=BUCKET, Key="prod/" + KEY)
    assert got["Body"].read() == path.read_bytes()
    assert got["ContentType"] == "application/octet-stream"
    assert got["Metadata"] == {
        "service": "checkout",
        "reason": "trigger:%20p99%20>%205ms,%20%C3%A9%20100%25",
        "sha256": sha256,
        "pid": "4711",
    }
    head = store("head", KEY)
    assert (head.end, head.size, head.sha256) == ("done", size, sha256)
    got = store("get", KEY, tmp_path / "copy")
    assert (got.end, got.size, got.sha256) == ("done", size, sha256)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


def test_options(server, reader, store, tmp_path):
    path, _ = file_of(tmp_path, 1000)
    options = {"storage_class": "STANDARD", "tag.team": "a b/c", "tag.env+": "prod=1"}
    assert store("put", path, KEY, **options).end == "done"
    tags = reader.get_object_tagging(Bucket=BUCKET, Key="prod/" + KEY)["TagSet"]
    assert sorted((t["Key"], t["Value"]) for t in tags) == [("env+", "prod=1"), ("team", "a b/c")]


@pytest.mark.parametrize("part", ODD)
def test_odd_keys(server, reader, store, tmp_path, part):
    path, _ = file_of(tmp_path, 10)
    key = f"svc/{part}/092653.trace"
    assert store("put", path, key).end == "done"
    got = reader.get_object(Bucket=BUCKET, Key="prod/" + key)
    assert got["Body"].read() == path.read_bytes()
    assert store("get", key, tmp_path / "copy").end == "done"


def test_never_overwritten(server, reader, store, tmp_path):
    path, sha256 = file_of(tmp_path, 1000)
    put = ("put", path, KEY, f"sha256={sha256}")
    assert store(*put, if_none_match="true").end == "done"
    assert store(*put, if_none_match="true").end == "done", "it is the same object"
    before = path.read_bytes()
    path, sha256 = file_of(tmp_path, 1000)
    again = store("put", path, KEY, f"sha256={sha256}", if_none_match="true")
    assert again.end == "refused"
    assert "another object of this key" in again.text
    assert reader.get_object(Bucket=BUCKET, Key="prod/" + KEY)["Body"].read() == before


def test_what_a_person_must_mend(server, store, tmp_path):
    path, sha256 = file_of(tmp_path, 1000)
    wrong = store("put", path, KEY, key="another")
    assert wrong.end == "parked"
    assert "SignatureDoesNotMatch" in wrong.text and "check the access key" in wrong.text
    assert store("put", path, KEY, access="nobody").end == "parked"
    nowhere = store("put", path, KEY, url="s3://no-such-bucket")
    assert nowhere.end == "parked"
    assert "NoSuchBucket" in nowhere.text
    assert not [p for p in (server.root / BUCKET).rglob("*") if p.is_file()]


def test_what_is_not_there(store, tmp_path):
    assert store("head", KEY).end == "missing"
    assert store("get", KEY, tmp_path / "copy").end == "missing"
    listing = store("list", "")
    assert (listing.end, listing.lines) == ("done", [])


def test_another_region_is_found(server, store, tmp_path):
    path, _ = file_of(tmp_path, 1000)
    assert store("put", path, KEY, region="us-elsewhere-7").end == "done"


def test_bytes_that_are_not_those_announced(store, tmp_path):
    path, _ = file_of(tmp_path, 1000)
    assert store("put", path, KEY, "sha256=" + hashlib.sha256(b"").hexdigest()).end == "changed"


def test_a_server_that_is_gone(server, store, tmp_path):
    path, _ = file_of(tmp_path, 1000)
    server.close()
    gone = store("put", path, KEY)
    assert gone.end == "retry"
    assert "refused" in gone.text


def test_long_listing(server, reader, store):
    """The objects are files of the server's, so that it need not be asked to make them."""
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed} (CONTRACE_SEED)")
    rng = random.Random(seed)
    sizes = {}
    for i in range(2500):
        part = rng.choice(ODD) if i % 5 == 0 else f"web-{rng.randrange(20)}"
        sizes[f"svc-{i % 7}/{part}/20260314/{i:06}.trace"] = i % 100
    for key, size in sizes.items():
        path = server.root / BUCKET / "prod" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (server.root / BUCKET / "prod-not").mkdir()
    (server.root / BUCKET / "prod-not" / "x").write_bytes(b"x")
    listing = store("list", "")
    assert listing.end == "done"
    got = [line.split(" ", 2) for line in listing.lines]
    assert {key: int(size) for size, _, key in got} == sizes
    assert len(got) == len(sizes)
    assert all(abs(int(t) - time.time()) < 600 for _, t, _ in got)
    theirs = reader.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="prod/")
    theirs = [o["Key"].removeprefix("prod/") for page in theirs for o in page["Contents"]]
    assert [key for _, _, key in got] == theirs
    # A part, and from the middle on.
    some = [line.split(" ", 2)[2] for line in store("list", "svc-3/").lines]
    assert some == [key for key in theirs if key.startswith("svc-3/")]
    middle = some[len(some) // 2]
    rest = [line.split(" ", 2)[2] for line in store("list", "svc-3/", middle).lines]
    assert rest == [key for key in some if key.encode() > middle.encode()]
