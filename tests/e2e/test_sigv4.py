# SPDX-License-Identifier: Apache-2.0
"""Our signatures beside those of botocore, which S3 has accepted for a decade."""

import datetime
import os
import random
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from support import BUILD

REQUESTS = 10_000
SIGNER = BUILD / "tests" / "support" / "sign"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

PATH_TEXT = "abcXYZ019-._~ !\"#$%&'()*+,:;<=>?@[]^`{|}éß漢🙂//"
VALUE_TEXT = "abcXYZ019-._~!#$%&'()*+,/:;<=>?@[]^{|} \t"


def text(rng, alphabet, most, least=0):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(least, most)))


def random_request(rng):
    # No header is empty: botocore signs such a one, HTTP/1.1 by libcurl sends none.
    names = {"a" + text(rng, "bcdefghijklmnop-", 12) for _ in range(rng.randint(0, 8))}
    return {
        "method": rng.choice(["GET", "PUT", "HEAD", "DELETE", "POST"]),
        "host": rng.choice(
            ["bucket.s3.eu-west-1.amazonaws.com", "s3.amazonaws.com", "127.0.0.1:9000", "[::1]:80"]
        ),
        "path": "/" + text(rng, PATH_TEXT, 60),
        "region": rng.choice(["us-east-1", "eu-central-1", "auto", "cn-north-1"]),
        "payload": rng.choice([EMPTY, rng.randbytes(32).hex()]),
        "access": text(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 20, 16),
        "secret": text(rng, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0123456789+/", 200, 8),
        "token": rng.choice(["", text(rng, "abcdefABCDEF0123456789+/=", 1200, 100)]),
        "time": rng.randint(0, 4102444800),
        "query": [
            (text(rng, PATH_TEXT, 20, 1), text(rng, PATH_TEXT, 30))
            for _ in range(rng.randint(0, 6))
        ],
        "headers": [
            ("x-amz-meta-" + name, "v" + text(rng, VALUE_TEXT, 40)) for name in sorted(names)
        ],
    }


def line_of(q):
    fields = [q[k] for k in ("method", "host", "path", "region")]
    fields += ["s3", *(q[k] for k in ("payload", "access", "secret", "token"))]
    fields.append(str(q["time"]))
    for pairs in (q["query"], q["headers"]):
        fields += [str(len(pairs)), *(part for pair in pairs for part in pair)]
    return " ".join(f.encode().hex() or "-" for f in fields)


def quote(value, safe):
    return urllib.parse.quote(value, safe=safe + "-._~")


def signed_by_botocore(q):
    query = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in q["query"])
    url = f"http://{q['host']}{quote(q['path'], '/')}" + (f"?{query}" if query else "")
    request = botocore.awsrequest.AWSRequest(
        method=q["method"],
        url=url,
        headers={**dict(q["headers"]), "Host": q["host"], "X-Amz-Content-SHA256": q["payload"]},
    )
    credentials = botocore.credentials.Credentials(q["access"], q["secret"], q["token"] or None)
    signer = botocore.auth.S3SigV4Auth(credentials, "s3", q["region"])
    signer.payload = lambda _: q["payload"]
    # As its add_auth does, but at a time of our own.
    when = datetime.datetime.fromtimestamp(q["time"], datetime.UTC)
    request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    text_to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text_to_sign, request))
    return request.headers["Authorization"].replace(", ", ",")


def test_same_as_botocore():
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed} (CONTRACE_SEED)")
    rng = random.Random(seed)
    requests = [random_request(rng) for _ in range(REQUESTS)]
    ours = subprocess.run(
        [SIGNER],
        input="".join(line_of(q) + "\n" for q in requests),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(ours) == REQUESTS
    for q, mine in zip(requests, ours, strict=True):
        assert mine == signed_by_botocore(q), q
