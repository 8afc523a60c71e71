# SPDX-License-Identifier: Apache-2.0
"""The scripted store itself, before it judges anybody: botocore finds it a good one, it refuses
what is wrong, and it plays what it is told."""

import hashlib
import http.client
import ssl

import botocore.config
import botocore.exceptions
import botocore.session
import pytest
import storefaults
from store import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, Store
from support import need_program


@pytest.fixture
def store():
    with Store(page=3) as s:
        yield s


def client(store, secret=SECRET_KEY, region=REGION, token=None, **more):
    return botocore.session.get_session().create_client(
        "s3", endpoint_url=store.endpoint, region_name=region, aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret, aws_session_token=token,
        config=botocore.config.Config(
            s3={"addressing_style": "path", "payload_signing_enabled": True},
            retries={"total_max_attempts": 1}, request_checksum_calculation="when_required",
        ), **more,
    )  # fmt: skip


def code_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(Bucket=BUCKET, **arguments)
    return e.value.response["Error"]["Code"]


def test_a_good_store(store):
    c = client(store)
    keys = [f"a b/漢+{i}.trace" for i in range(8)]
    for key in keys:
        c.put_object(Bucket=BUCKET, Key=key, Body=key.encode() * 100, Metadata={"service": "x y"})
    assert store.object(keys[0]) == keys[0].encode() * 100
    assert store.meta(keys[0]) == {"service": "x y"}
    assert store.stored[f"{BUCKET}/{keys[1]}"] == [
        hashlib.sha256(keys[1].encode() * 100).hexdigest()
    ]
    got = c.get_object(Bucket=BUCKET, Key=keys[2])
    assert got["Body"].read() == keys[2].encode() * 100
    assert c.head_object(Bucket=BUCKET, Key=keys[3])["ContentLength"] == len(keys[3].encode()) * 100
    pages = list(c.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="a b/"))
    assert [len(p["Contents"]) for p in pages] == [3, 3, 2]
    assert [o["Key"] for p in pages for o in p["Contents"]] == keys
    assert not store.refusals
    assert store.connections == 1  # kept alive


def test_what_is_wrong_is_refused(store):
    put = {"Key": "k", "Body": b"x"}
    assert code_of(client(store, secret="another").put_object, **put) == "SignatureDoesNotMatch"
    assert code_of(client(store, token="t").put_object, **put) == "InvalidToken"
    store.expired.add("t")
    assert code_of(client(store, token="t").put_object, **put) == "ExpiredToken"
    store.clock = 7200
    assert code_of(client(store).put_object, **put) == "RequestTimeTooSkewed"
    store.clock = 0
    store.buckets = {"other"}
    assert code_of(client(store).put_object, **put) == "NoSuchBucket"
    store.buckets = {BUCKET}
    assert code_of(client(store).get_object, Key="k") == "NoSuchKey"
    assert not store.objects
    c = client(store)
    c.put_object(Bucket=BUCKET, **put)
    assert code_of(c.put_object, IfNoneMatch="*", **put) == "PreconditionFailed"

    def other_bytes(request, **_):
        request.body = b"y"

    c.meta.events.register("before-send.s3.PutObject", other_bytes)
    assert code_of(c.put_object, **put) == "XAmzContentSHA256Mismatch"
    store.keys.clear()
    assert code_of(c.put_object, **put) == "InvalidAccessKeyId"
    assert len(store.refusals) == 9


def test_rules(store):
    c = client(store)
    busy = store.play(storefaults.error("503 Slow Down", "SlowDown"), times=2, match=r"\.trace$")
    put = {"Key": "k.trace", "Body": b"x"}
    assert code_of(c.put_object, **put) == "SlowDown"
    c.put_object(Bucket=BUCKET, Key="k.json", Body=b"{}")
    assert code_of(c.put_object, **put) == "SlowDown"
    c.put_object(Bucket=BUCKET, **put)
    assert busy.played == 2
    denied = store.play(storefaults.error("403 Forbidden", "AccessDenied"))
    assert code_of(c.put_object, **put) == "AccessDenied"
    denied.stop()
    c.put_object(Bucket=BUCKET, **put)
    assert [r.status for r in store.asked("PUT")] == [503, 200, 503, 200, 403, 200]
    assert len(store.stored[f"{BUCKET}/k.trace"]) == 2


def bare_put(store, context=None, timeout=60):
    """A request without a signature, as http.client sends it: (status, body)."""
    if context:
        c = http.client.HTTPSConnection("127.0.0.1", store.port, timeout=timeout, context=context)
    else:
        c = http.client.HTTPConnection("127.0.0.1", store.port, timeout=timeout)
    try:
        c.request("PUT", f"/{BUCKET}/k", b"x" * 100_000)
        response = c.getresponse()
        return response.status, response.read()
    finally:
        c.close()


ENDINGS = {
    "reset at the head": (storefaults.reset_at_head, OSError, False),
    "reset in the body": (storefaults.reset_in_body(10), OSError, False),
    "reset behind the body": (storefaults.reset_after_body(False), OSError, False),
    "kept, then reset": (storefaults.reset_after_body(True), OSError, True),
    "closed": (storefaults.closed_after_body, http.client.RemoteDisconnected, False),
    "half a status line": (storefaults.raw(b"HTTP/1.1 2"), http.client.BadStatusLine, False),
    "hang": (storefaults.hang(), TimeoutError, False),
    "short body": (
        storefaults.raw(b"HTTP/1.1 500 X\r\nContent-Length: 10\r\n\r\nx"),
        http.client.IncompleteRead, False,
    ),
    "many headers": (storefaults.many_headers(10000), http.client.HTTPException, False),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_endings(name, store):
    behaviour, wrong, there = ENDINGS[name]
    store.verify = False
    rule = store.play(behaviour, times=1)
    with pytest.raises(wrong):
        bare_put(store, timeout=1 if wrong is TimeoutError else 60)
    assert rule.played == 1
    assert (store.object("k") is not None) == there
    assert bare_put(store) == (200, b"")
    assert store.object("k") == b"x" * 100_000


def test_large_answers(store):
    store.verify = False
    store.play(storefaults.large("500 Oops", 10), times=1)
    status, body = bare_put(store)
    assert (status, len(body) > 9 << 20) == (500, True)
    store.play(storefaults.document("400 Bad Request", storefaults.BOMB), times=1)
    assert bare_put(store) == (400, storefaults.BOMB)


def test_certificates(tmp_path):
    need_program("openssl", "openssl")
    authority = storefaults.Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.file))
    for server, wrong in (
        (authority.context("good"), None),
        (authority.context("other", names="DNS:elsewhere.test"), "IP address mismatch"),
        (authority.context("old", start=-7200, end=-3600), "expired"),
    ):
        with Store(tls=server) as s:
            s.verify = False
            if not wrong:
                assert bare_put(s, context) == (200, b"")
                continue
            with pytest.raises(ssl.SSLCertVerificationError, match=wrong):
                bare_put(s, context)
            assert not s.requests
