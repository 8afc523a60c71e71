# SPDX-License-Identifier: Apache-2.0
"""Where credentials come from over HTTP: the instance's metadata (IMDSv2), a container's endpoint
and STS (AssumeRole among it), all on one scripted server that gives out keys of its own for a store. Every secret has
CANARY in it, so that it is found wherever it should not be."""

import json
import time
import urllib.parse

from store import AUTHORIZATION, Refusal, Store, signature

CANARY = "CANARY"
ROLE = "uploader"
ROLE_ARN = "arn:aws:iam::123456789012:role/uploader"
IMDS_TOKEN = f"{CANARY}-imds-token=="
CONTAINER_TOKEN = f"{CANARY}-container-token"
BASE_ACCESS, BASE_SECRET = f"AKIA{CANARY}BASE000000", f"{CANARY}/long+term+secret=of0base"
WEB_TOKEN = f"{CANARY}.web.identity"
LIFETIME = 6 * 3600.0


class Keysmith(Store):
    """Speaks all three; `store` is who will be shown the keys."""

    def __init__(self, store, lifetime=LIFETIME, **more):
        super().__init__(**more)
        self.customer, self.lifetime = store, lifetime
        self.issued = []  # session tokens

    def issue(self):
        n = len(self.issued) + 1
        access = f"ASIA{CANARY}{n:010d}"
        secret, token = f"{CANARY}/secret+{n:024d}", f"{CANARY}//token+{n:0200d}=="
        self.customer.keys[access] = (secret, token)
        self.issued.append(token)
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now() + self.lifetime))
        return access, secret, token, expiry

    def document(self):
        access, secret, token, expiry = self.issue()
        return json.dumps({
            "Code": "Success", "LastUpdated": "2026-03-14T09:26:53Z", "Type": "AWS-HMAC",
            "AccessKeyId": access, "SecretAccessKey": secret, "Token": token, "Expiration": expiry,
        }).encode()  # fmt: skip

    def handle(self, x):
        x.read_body()
        r = x.request
        answers = {
            ("PUT", "/latest/api/token"): self.imds_token,
            ("GET", "/latest/meta-data/iam/security-credentials/"): self.imds_role,
            ("GET", f"/latest/meta-data/iam/security-credentials/{ROLE}"): self.imds_document,
            ("GET", "/container"): self.container,
            ("POST", "/"): self.sts,
        }
        answer = answers.get((r.method, r.path))
        if not answer:
            raise Refusal("404 Not Found", "NotFound", "no such page")
        x.answer("200 OK", answer(r))

    @staticmethod
    def must(condition, what):
        if not condition:
            raise Refusal("401 Unauthorized", "Unauthorized", what)

    def imds_token(self, r):
        self.must(r.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "").isdigit(), "no TTL")
        return IMDS_TOKEN.encode()

    def imds_role(self, r):
        self.must(r.headers.get("x-aws-ec2-metadata-token") == IMDS_TOKEN, "no token")
        return ROLE.encode()

    def imds_document(self, r):
        self.must(r.headers.get("x-aws-ec2-metadata-token") == IMDS_TOKEN, "no token")
        return self.document()

    def container(self, r):
        self.must(r.headers.get("authorization") == CONTAINER_TOKEN, "no token")
        return self.document()

    def sts(self, r):
        form = dict(urllib.parse.parse_qsl(r.body.decode(), strict_parsing=True))
        if form.get("Action") == "AssumeRole":
            return self.role(r, form)
        self.must(form.get("Action") == "AssumeRoleWithWebIdentity", "another action")
        self.must(form.get("Version") == "2011-06-15", "another version")
        self.must(form.get("RoleArn") == ROLE_ARN, "another role")
        self.must(form.get("WebIdentityToken") == WEB_TOKEN, "another token")
        self.must(form.get("RoleSessionName"), "no name")
        self.must("authorization" not in r.headers, "it is signed")
        access, secret, token, expiry = self.issue()
        return (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            f"<AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{expiry}</Expiration>"
            "</Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>"
        ).encode()

    def role(self, r, form):
        """AssumeRole, signed with the keys of another; nobody else may have the role."""
        self.must(form.get("Version") == "2011-06-15", "another version")
        self.must(form.get("RoleArn") == ROLE_ARN, "another role")
        self.must(form.get("ExternalId") == "shared:1", "another external id")
        given = AUTHORIZATION.fullmatch(r.headers.get("authorization", ""))
        self.must(given, "it is not signed")
        access, day, region, service, signed, proof = given.groups()
        self.must((access, service) == (BASE_ACCESS, "sts"), "another's keys, or another service")
        scope = [day, region, service, "aws4_request"]
        self.must(proof == signature(r, BASE_SECRET, scope, signed.split(";")), "another signature")
        access, secret, token, expiry = self.issue()
        return (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{expiry}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ).encode()
