# SPDX-License-Identifier: Apache-2.0
"""Which credentials an environment leads to, and whether botocore finds the same."""

import contextlib
import hashlib
import http.server
import itertools
import json
import os
import subprocess
import threading

import botocore.session
import pytest
from support import BUILD

HELPER = BUILD / "tests" / "support" / "identity"
EXPIRATION = "2099-01-02T03:04:05Z"
ROLE = "arn:aws:iam::123456789012:role/traces"

# The word of the helper for each of botocore's.
WORDS = {
    "env": "environment",
    "assume-role-with-web-identity": "web-identity",
    "shared-credentials-file": "shared",
    "config-file": "shared",
    "container-role": "container",
    "iam-role": "imds",
}


def document(name):
    return json.dumps(
        {
            "Code": "Success",
            "AccessKeyId": f"ASIA{name.upper()}",
            "SecretAccessKey": f"secret-{name}",
            "Token": f"token-{name}",
            "Expiration": EXPIRATION,
        }
    )


STS = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIASTS</AccessKeyId>
  <SecretAccessKey>secret-sts</SecretAccessKey><SessionToken>token-sts</SessionToken>
  <Expiration>{EXPIRATION}</Expiration></Credentials>
  <AssumedRoleUser><Arn>{ROLE}/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>
  </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Handler(http.server.BaseHTTPRequestHandler):
    """STS, a container's endpoint and an instance's metadata (version 2 alone)."""

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        good = self.path == "/latest/api/token" and self.headers.get(
            "X-aws-ec2-metadata-token-ttl-seconds"
        )
        self.answer(200 if good else 404, "imds-token" if good else "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        good = "Action=AssumeRoleWithWebIdentity" in body and "WebIdentityToken=jwt-1" in body
        self.answer(200 if good else 400, STS if good else "")

    def do_GET(self):
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/container":
            self.answer(200, document("container"))
        elif self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
            self.answer(401, "")
        elif self.path == roles:
            self.answer(200, "web")
        elif self.path == roles + "web":
            self.answer(200, document("imds"))
        else:
            self.answer(404, "")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def services():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write(path, text, mode=0o600):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def profile(section, name):
    return f"[{section}]\naws_access_key_id = AK{name}\naws_secret_access_key = secret-{name}\n"


def pieces(home, url):
    """What may stand in an environment, by name."""
    return {
        "env": {"AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "secret-env"},
        "web": {
            "AWS_WEB_IDENTITY_TOKEN_FILE": write(home / "jwt", "jwt-1"),
            "AWS_ROLE_ARN": ROLE,
            "AWS_ROLE_SESSION_NAME": "traces",
        },
        "shared": {
            "AWS_SHARED_CREDENTIALS_FILE": write(
                home / "shared", profile("default", "SHARED") + profile("other", "OTHER")
            )
        },
        "config": {
            "AWS_CONFIG_FILE": write(
                home / "config",
                profile("default", "CONFIG") + profile("profile third", "THIRD"),
            )
        },
        "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container"},
    }


def environment(home, url, names):
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
    }
    there = pieces(home, url)
    for name in names:
        env.update(there[name])
    return env


def ours(env):
    done = subprocess.run([HELPER], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert "secret-" not in done.stdout + done.stderr
    return done.stdout.strip()


def theirs(env, monkeypatch):
    with monkeypatch.context() as m:
        for name in [n for n in os.environ if n.startswith(("AWS_", "HOME"))]:
            m.delenv(name)
        for name, value in env.items():
            m.setenv(name, value)
        found = botocore.session.Session().get_credentials()
        keys = found.get_frozen_credentials()
        text = "\n".join([keys.access_key, keys.secret_key, keys.token or ""])
        return f"{WORDS[found.method]} {hashlib.sha256(text.encode()).hexdigest()}"


NAMES = ["env", "web", "shared", "config", "container"]
EVERY = [c for n in range(len(NAMES) + 1) for c in itertools.combinations(NAMES, n)]


def test_order_as_botocore(tmp_path, monkeypatch):
    """All 32 environments in which each source is there or not; with nothing, the instance."""
    with services() as url:
        for names in EVERY:
            env = environment(tmp_path, url, names)
            assert ours(env) == theirs(env, monkeypatch), names


@pytest.mark.parametrize(
    "extra",
    [
        {"AWS_PROFILE": "other"},
        {"AWS_PROFILE": "third"},
        {"AWS_SESSION_TOKEN": "tok", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_EC2_METADATA_DISABLED": "true"},
    ],
)
def test_details_as_botocore(tmp_path, monkeypatch, extra):
    with services() as url:
        env = environment(tmp_path, url, ["shared", "config"]) | extra
        assert ours(env) == theirs(env, monkeypatch)


def test_default_places_as_botocore(tmp_path, monkeypatch):
    with services() as url:
        env = environment(tmp_path, url, [])
        write(tmp_path / ".aws" / "config", profile("default", "CONFIG"))
        assert ours(env) == theirs(env, monkeypatch)
        write(tmp_path / ".aws" / "credentials", profile("default", "SHARED"))
        assert ours(env) == theirs(env, monkeypatch)


def test_what_is_refused(tmp_path):
    """Where a tool may go on to the next source, a daemon says what is wrong."""
    with services() as url:
        env = environment(tmp_path, url, [])
        assert ours(env).startswith("imds ")
        half = env | {"AWS_ACCESS_KEY_ID": "AK"}
        assert ours(half).startswith("error only one of AWS_ACCESS_KEY_ID")
        write(tmp_path / ".aws" / "credentials", profile("default", "LOOSE"), 0o644)
        assert "chmod 0600" in ours(env)
        off = env | {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
        assert ours(off).startswith("error no credentials")
