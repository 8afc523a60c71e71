# SPDX-License-Identifier: Apache-2.0
"""As whom gs:// and az:// are asked: every file of Google's and every identity of Azure's leads to a
token with which the store takes what it is sent, and the log says whose it is."""

import json
import time

import azurite
import gcs
import pytest
import sharedkey
from asking import ask, secret
from hostile import Server, healthy, trace
from support import Daemon, job, need_program, wait_until
from tokens import (
    ACCOUNT,
    CANARY,
    CLIENT_SECRET,
    HEADER,
    REFRESH,
    SUBJECT,
    Tokens,
    unsigned,
)
from uploads import clean_env

KEY = "checkout/web-1/20260314/092653-4711.trace"


@pytest.fixture
def google(tmp_path):
    server = gcs.Gcs()
    server.tokens = [f"ya29.{CANARY}"]
    need_program("openssl", "openssl")
    with Tokens(tmp_path, lambda: server.tokens[-1]) as tokens:
        yield server, tokens
    server.close()


def service_account(t):
    return {
        "type": "service_account", "client_email": ACCOUNT, "private_key": t.make_key(),
        "private_key_id": "kid-1", "token_uri": t.url + "/google",
    }  # fmt: skip


def authorized_user(t):
    return {
        "type": "authorized_user", "client_id": "c", "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH, "token_uri": t.url + "/google",
    }  # fmt: skip


def federation(t, source, **more):
    return {
        "type": "external_account", "audience": "//iam.googleapis.com/pool",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": t.url + "/exchange", "credential_source": source, **more,
    }  # fmt: skip


def impersonation(t):
    # The name of the account stands before the method, as Google's URLs have it.
    return {"service_account_impersonation_url": f"{t.url}/impersonate"}


def by_file(t):
    path = secret(t.directory / "subject", SUBJECT + "\n")
    return federation(t, {"file": str(path)}) | impersonation(t)


def by_url(t):
    source = {
        "url": t.url + "/subject", "headers": {"Metadata": "True"},
        "format": {"type": "json", "subject_token_field_name": "token"},
    }  # fmt: skip
    return federation(t, source) | impersonation(t)


# What is asked, and what the log calls it.
GOOGLE = {
    service_account: (["/google"], f"the service account {ACCOUNT} ("),
    authorized_user: (["/google"], "the person who ran gcloud ("),
    by_file: (["/exchange", "/impersonate"], "impersonate"),
    by_url: (["/subject", "/exchange", "/impersonate"], "impersonate"),
}


@pytest.mark.parametrize("make", GOOGLE, ids=lambda f: f.__name__)
def test_google_file(make, google, tmp_path):
    server, tokens = google
    path = secret(tmp_path / "credentials.json", json.dumps(make(tokens)))
    section = {"url": f"gs://{gcs.BUCKET}/prod", "endpoint": f"http://{server.host}"}
    thing = secret(tmp_path / "thing", "x" * 1000)
    env = {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    answer = ask(section, "put", thing, KEY, env=env)
    assert answer.end == "done", answer.text
    assert tokens.asked == GOOGLE[make][0]
    named = ask({**section, "credentials_file": path}, "head", KEY)
    assert (named.end, named.size) == ("done", 1000)
    path.chmod(0o646)  # what others may write is refused wherever it lies
    open_to_all = ask(section, "head", KEY, env=env)
    has_secret = make in (service_account, authorized_user, by_url)
    assert open_to_all.end == ("parked" if has_secret else "done")
    assert not has_secret or "chmod 0600" in open_to_all.text
    assert CANARY not in open_to_all.text


def test_google_says_why_not(google, tmp_path):
    server, tokens = google
    path = secret(tmp_path / "credentials.json", json.dumps(service_account(tokens)))
    section = {
        "url": f"gs://{gcs.BUCKET}/prod", "endpoint": f"http://{server.host}",
        "credentials_file": path,
    }  # fmt: skip
    tokens.fails = (400, {"error": "invalid_grant", "error_description": "account is disabled"})
    refused = ask(section, "head", KEY)
    assert refused.end == "parked" and "invalid_grant: account is disabled" in refused.text
    tokens.fails = (503, {})
    assert ask(section, "head", KEY).end == "retry"


def run_daemon(directory, upload, env, store_has, label):
    """A trace arrives; the log says whose identity is in use, once, and no secret."""
    target = Server(healthy(trace(2)))
    try:
        with Daemon(
            directory / "daemon", [job("s", target.address)], upload=upload,
            env=clean_env(**env),
        ) as d:  # fmt: skip
            key = d.wait_captured()["key"]
            wait_until("it is in the store", lambda: store_has(key))
            said = [line["msg"] for line in d.log("credentials come from")]
            assert len(said) == 1 and label in said[0], said
            assert not d.problems()
            d.stop()
            assert CANARY not in str(d.lines) + str(d.other)
    finally:
        target.close()


@pytest.mark.parametrize("make", GOOGLE, ids=lambda f: f.__name__)
def test_daemon_at_google(make, google, tmp_path):
    server, tokens = google
    path = secret(tmp_path / "credentials.json", json.dumps(make(tokens)))
    run_daemon(
        tmp_path,
        {"url": f"gs://{gcs.BUCKET}/prod", "endpoint": f"http://{server.host}"},
        {"GOOGLE_APPLICATION_CREDENTIALS": str(path)},
        lambda key: f"prod/{key}" in server.objects,
        GOOGLE[make][1],
    )


def entra():
    """As Azurite's --oauth basic wants it."""
    now = int(time.time())
    return unsigned({
        "aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/",
        "iat": now, "nbf": now - 60, "exp": now + 3600, "ver": "1.0", "oid": CANARY,
    })  # fmt: skip


def client_secret(t):
    return {"AZURE_CLIENT_SECRET": CLIENT_SECRET, **client(t)}


def client(t):
    return {
        "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_AUTHORITY_HOST": t.url,
    }  # fmt: skip


def workload(t):
    path = secret(t.directory / "federated", SUBJECT)
    return {"AZURE_FEDERATED_TOKEN_FILE": str(path), **client(t)}


def machine(t):
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": t.url}


def app_service(t):
    return {"IDENTITY_ENDPOINT": t.url + "/app", "IDENTITY_HEADER": HEADER}


AZURE = {
    client_secret: "the environment (AZURE_CLIENT_SECRET of client client)",
    workload: "workload identity (client client",
    machine: "the managed identity of this machine",
    app_service: "the managed identity of App Service",
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    need_program("openssl", "openssl")
    server = azurite.Azurite(tmp_path_factory.mktemp("azurite"), oauth=True)
    target = f"/{azurite.ACCOUNT}/traces?restype=container"
    status, _, body = by_key(server, "PUT", target)
    assert status == 201, body
    yield server
    server.close()


def by_key(server, method, target):
    return sharedkey.request(
        server.host, azurite.ACCOUNT, azurite.KEY, method, target, ca=server.authority
    )


@pytest.fixture
def azure(emulator, tmp_path):
    with Tokens(tmp_path, entra) as tokens:
        yield emulator, tokens


@pytest.mark.parametrize("make", AZURE, ids=lambda f: f.__name__)
def test_azure_identity(make, azure, tmp_path):
    """Microsoft's own emulator takes the token, over TLS alone."""
    server, tokens = azure
    section = {
        "url": f"az://{azurite.ACCOUNT}/traces/{make.__name__}",
        "endpoint": f"https://{server.host}", "tls_config.ca_file": server.authority,
    }  # fmt: skip
    thing = secret(tmp_path / "thing", "x" * 1000)
    for words in (["put", thing, KEY], ["head", KEY], ["list", ""]):
        answer = ask(section, *words, env=make(tokens))
        assert answer.end == "done", answer.text
    assert answer.listed == [KEY]
    tokens.fails = (400, {"error": "invalid_request", "error_description": "Identity not found"})
    refused = ask(section, "head", KEY, env=make(tokens))
    assert refused.end == "parked" and "Identity not found" in refused.text


@pytest.mark.parametrize("make", AZURE, ids=lambda f: f.__name__)
def test_daemon_at_azure(make, azure, tmp_path):
    server, tokens = azure
    upload = {
        "url": f"az://{azurite.ACCOUNT}/traces/prod", "endpoint": f"https://{server.host}",
        "tls_config": {"ca_file": str(server.authority)},
    }  # fmt: skip

    def arrived(key):
        return by_key(server, "GET", f"/{azurite.ACCOUNT}/traces/prod/{key}")[0] == 200

    run_daemon(tmp_path, upload, make(tokens), arrived, AZURE[make])
