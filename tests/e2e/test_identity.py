# SPDX-License-Identifier: Apache-2.0
"""Which credentials an environment leads to, and whether botocore finds the same."""

import contextlib
import hashlib
import http.server
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse

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


def assumed(form, authorization):
    """STS's answer to AssumeRole: keys that say who asked for which role, and how."""
    asked = [re.search("Credential=([^/]*)/", authorization)[1], form["RoleArn"]]
    asked += [form.get(name, "") for name in ("ExternalId", "DurationSeconds")]
    if form["RoleSessionName"].startswith("given"):
        asked.append(form["RoleSessionName"])
    access = "ASIA" + hashlib.sha256("|".join(asked).encode()).hexdigest()[:16].upper()
    return f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleResult><Credentials><AccessKeyId>{access}</AccessKeyId>
      <SecretAccessKey>secret-{access}</SecretAccessKey><SessionToken>token-sts</SessionToken>
      <Expiration>{EXPIRATION}</Expiration></Credentials><AssumedRoleUser>
      <Arn>{ROLE}/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>
      </AssumeRoleResult></AssumeRoleResponse>"""


def portal(query):
    """IAM Identity Center's answer."""
    return json.dumps(
        {
            "roleCredentials": {
                "accessKeyId": f"ASIASSO{query['account_id']}{query['role_name'].upper()}",
                "secretAccessKey": "secret-sso",
                "sessionToken": "token-sso",
                "expiration": 4070990645000,
            }
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
        if "Action=AssumeRole&" in body:
            form = dict(urllib.parse.parse_qsl(body))
            self.answer(200, assumed(form, self.headers["Authorization"]))
            return
        good = "Action=AssumeRoleWithWebIdentity" in body and "WebIdentityToken=jwt-1" in body
        self.answer(200 if good else 400, STS if good else "")

    def do_GET(self):
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.path.startswith("/federation/credentials?"):
            good = self.headers.get("x-amz-sso_bearer_token") == "sso-1"
            query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
            self.answer(200 if good else 401, portal(query) if good else "{}")
        elif self.path == "/container":
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
        write(tmp_path / ".aws" / "credentials", profile("default", "LOOSE"), 0o646)
        assert "chmod 0600" in ours(env)
        off = env | {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
        assert ours(off).startswith("error no credentials")


BOTOCORE = """
import botocore.session, hashlib
found = botocore.session.Session().get_credentials()
keys = found and found.get_frozen_credentials()
text = keys and "\\n".join([keys.access_key, keys.secret_key, keys.token or ""])
print(hashlib.sha256(text.encode()).hexdigest() if text else "none")
"""


def theirs_apart(env):
    """What botocore finds in a process of its own, as it reads HOME when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", BOTOCORE], env=env, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip() if done.returncode == 0 else "error"


def sso_token(name):
    path = f".aws/sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json"
    return {path: json.dumps({"accessToken": "sso-1", "expiresAt": "2099-01-02T03:04:05Z",
                              "startUrl": "u", "region": "eu-west-1"})}  # fmt: skip


PROCESS = """#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "AKPROC'"$1"'", "SecretAccessKey": "secret-proc"}'
"""
ROLE_OF = f"role_arn = {ROLE}\n"
BASE = profile("profile base", "BASE")
SSO = "sso_account_id = 111122223333\nsso_role_name = writer\n"
SSO_URL = "sso_start_url = https://my.example/start\nsso_region = eu-west-1\n"

# Name: files below HOME, variables. In each, whose keys are used is botocore's opinion.
PROFILES = {
    "role": ({".aws/config": f"[default]\n{ROLE_OF}source_profile = base\n{BASE}"}, {}),
    "role-named": (
        {".aws/config": f"[profile x]\n{ROLE_OF}source_profile = base\n{BASE}"},
        {"AWS_PROFILE": "x"},
    ),
    "role-of-default-profile": (
        {".aws/config": f"[profile x]\n{ROLE_OF}source_profile = base\n{BASE}"},
        {"AWS_DEFAULT_PROFILE": "x"},
    ),
    # The reproduction: keys of the same name stand in the credentials file.
    "role-and-keys": (
        {
            ".aws/config": f"[profile x]\n{ROLE_OF}source_profile = x\n",
            ".aws/credentials": profile("x", "X"),
        },
        {"AWS_PROFILE": "x"},
    ),
    "role-in-credentials": (
        {".aws/credentials": f"[default]\n{ROLE_OF}source_profile = b\n" + profile("b", "B")},
        {},
    ),
    "chain": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = mid\nexternal_id = e:1\n"
            f"[profile mid]\n{ROLE_OF}2\nsource_profile = base\n{BASE}".replace(
                f"{ROLE_OF}2", f"role_arn = {ROLE}2"
            )
        },
        {},
    ),
    "role-details": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = base\nexternal_id = a/b:c\n"
            f"role_session_name = given-1\nduration_seconds = 1200\n{BASE}"
        },
        {},
    ),
    "source-has-both": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = base\n{BASE}{ROLE_OF}"
            "source_profile = other\n" + profile("profile other", "OTHER")
        },
        {},
    ),
    "source-imds": (
        {".aws/config": f"[default]\n{ROLE_OF}credential_source = Ec2InstanceMetadata\n"}, {},
    ),
    "source-environment-wins": (
        {".aws/config": f"[default]\n{ROLE_OF}credential_source = Environment\n"},
        {"AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "secret-env"},
    ),
    "source-container": (
        {".aws/config": f"[default]\n{ROLE_OF}credential_source = EcsContainer\n"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "URL/container"},
    ),
    "source-process": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = p\n"
            "[profile p]\ncredential_process = HOME/helper a\n",
            "helper": PROCESS,
        },
        {},
    ),
    "web-identity": (
        {".aws/config": f"[default]\n{ROLE_OF}web_identity_token_file = HOME/jwt\n",
         "jwt": "jwt-1"}, {},
    ),
    "source-web-identity": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = w\n"
            f"[profile w]\n{ROLE_OF}web_identity_token_file = HOME/jwt\n",
            "jwt": "jwt-1",
        },
        {},
    ),
    "role-before-web-identity": (
        {".aws/config": f"[default]\n{ROLE_OF}source_profile = base\n{BASE}", "jwt": "jwt-1"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/jwt", "AWS_ROLE_ARN": ROLE},
    ),
    "token-of-profile-role-of-environment": (
        {".aws/config": "[default]\nweb_identity_token_file = HOME/jwt\n", "jwt": "jwt-1"},
        {"AWS_ROLE_ARN": ROLE},
    ),
    "process": (
        {".aws/config": "[default]\ncredential_process = HOME/helper 'a'\"b\"\n",
         "helper": PROCESS}, {},
    ),
    "process-before-keys-of-config": (
        {".aws/config": profile("default", "C") + "credential_process = HOME/helper x\n",
         "helper": PROCESS}, {},
    ),
    "keys-of-credentials-before-process": (
        {".aws/config": "[default]\ncredential_process = HOME/helper x\n",
         ".aws/credentials": profile("default", "S"), "helper": PROCESS}, {},
    ),
    "sso": ({".aws/config": f"[default]\n{SSO}{SSO_URL}",
             **sso_token("https://my.example/start")}, {}),
    "sso-session": (
        {".aws/config": f"[default]\nsso_session = my\n{SSO}[sso-session my]\n{SSO_URL}",
         **sso_token("my")}, {},
    ),
    "sso-before-keys": (
        {".aws/config": f"[default]\n{SSO}{SSO_URL}",
         ".aws/credentials": profile("default", "S"),
         **sso_token("https://my.example/start")}, {},
    ),
    "source-sso": (
        {".aws/config": f"[default]\n{ROLE_OF}source_profile = s\n[profile s]\n{SSO}{SSO_URL}",
         **sso_token("https://my.example/start")}, {},
    ),
    "old-token": (
        {},
        {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SECURITY_TOKEN": "old"},
    ),
}  # fmt: skip

# Name: files, variables, and what the refusal names. botocore may find somebody here; we do not.
REFUSED = {
    "mfa": (
        {".aws/config": f"[default]\n{ROLE_OF}source_profile = base\nmfa_serial = m\n{BASE}"},
        {}, "mfa_serial",
    ),
    "role-alone": ({".aws/config": f"[default]\n{ROLE_OF}"}, {}, "role_arn without"),
    "circle": (
        {
            ".aws/config": f"[default]\n{ROLE_OF}source_profile = b\n"
            f"[profile b]\n{ROLE_OF}source_profile = default\n"
        },
        {}, "leads back",
    ),
    "no-source": ({".aws/config": f"[default]\n{ROLE_OF}source_profile = b\n"}, {},
                  "does not exist"),
    "half-sso": ({".aws/config": f"[default]\n{SSO}"}, {}, "sso_start_url"),
    "no-sso-token": ({".aws/config": f"[default]\n{SSO}{SSO_URL}"}, {}, "aws sso login"),
    "login": ({".aws/config": "[default]\nlogin_session = x\n"}, {}, "login_session"),
    "process-fails": ({".aws/config": "[default]\ncredential_process = /bin/false\n"}, {},
                      "exits with status 1"),
    "process-tells": (
        {
            ".aws/config": "[default]\ncredential_process = HOME/helper\n",
            "helper": "#!/bin/sh\necho 'Bearer abc.d https://u:pw@h/x?t=T key=SECRET' >&2\nexit 3\n",
        },
        {}, "exits with status 3: Bearer [...] [...]@h/x?[...] key=[...]",
    ),
    "two-names": (
        {".aws/credentials": profile("a", "A") + profile("b", "B")},
        {"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"}, "name different profiles",
    ),
    "source-without-role": (
        {".aws/config": f"[default]\nsource_profile = base\n{BASE}"}, {}, "source_profile",
    ),
    "fips-maybe": (
        {".aws/config": f"[default]\n{ROLE_OF}source_profile = base\nuse_fips_endpoint = 1\n"
         f"{BASE}"}, {}, "use_fips_endpoint",
    ),
}  # fmt: skip


def settle(home, url, files, variables):
    """Puts the files below HOME; the environment."""
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("HOME", str(home)))
        path.chmod(0o700 if name == "helper" else 0o600)
    there = {n: v.replace("HOME", str(home)).replace("URL", url) for n, v in variables.items()}
    return environment(home, url, []) | {"AWS_ENDPOINT_URL_SSO": url} | there


@pytest.mark.parametrize("name", PROFILES)
def test_profile_as_botocore(name, tmp_path):
    with services() as url:
        env = settle(tmp_path, url, *PROFILES[name])
        hash_of_theirs = theirs_apart(env)
        assert len(hash_of_theirs) == 64, hash_of_theirs
        assert ours(env).split()[-1] == hash_of_theirs


@pytest.mark.parametrize("name", REFUSED)
def test_profile_is_refused_by_name(name, tmp_path):
    files, variables, why = REFUSED[name]
    with services() as url:
        said = ours(settle(tmp_path, url, files, variables))
        assert said.startswith("error ") and why in said
