# SPDX-License-Identifier: Apache-2.0
"""Every source of credentials, good and bad: traces arrive, or wait until the source is well again;
the log says once where credentials come from; and no secret is ever where it should not be.

All secrets have CANARY in them. After each case it is looked for in the log (at debug level), in
what contraced wrote and in what the kernel shows of the process.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import time

import pytest
import storefaults as faults
import world
from hostile import Server, healthy, trace
from keysmith import (
    BASE_ACCESS,
    BASE_SECRET,
    CANARY,
    CONTAINER_TOKEN,
    LIFETIME,
    ROLE_ARN,
    WEB_TOKEN,
    Keysmith,
)
from promtool import Scrape
from store import BUCKET, REGION, Store
from support import Daemon, job, need_program, need_root, shown_of, wait_until
from uploads import PREFIX, assert_same, clean_env, place_of, secret_file, together, wait_archived

ACCESS, SECRET = f"AKIA{CANARY}CONFIG0000", f"{CANARY}/long+term+secret=of0config"
FILES = "files named in the configuration"


def from_files(scene, mode=0o600):
    d = scene.directory
    members = {
        "access_key_file": secret_file(d / "access", ACCESS),
        "secret_key_file": secret_file(d / "secret", SECRET, mode),
    }
    return members, {}


def from_environment(scene):
    return {}, {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}


def from_shared(scene):
    text = f"[other]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}"
    path = secret_file(scene.directory / "credentials", text)
    return {}, {"AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": "other"}


def from_imds(scene):
    return {}, {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": scene.keysmith.endpoint,
    }


def from_container(scene):
    return {}, {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": scene.keysmith.endpoint + "/container",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": secret_file(
            scene.directory / "container-token", CONTAINER_TOKEN
        ),
    }


def from_sts(scene):
    return {}, {
        "AWS_WEB_IDENTITY_TOKEN_FILE": secret_file(scene.directory / "web-token", WEB_TOKEN),
        "AWS_ROLE_ARN": ROLE_ARN,
        "AWS_ENDPOINT_URL_STS": scene.keysmith.endpoint,
    }


def from_role(scene):
    """A profile's role, assumed with the keys of another."""
    text = (
        f"[profile x]\nrole_arn = {ROLE_ARN}\nsource_profile = base\nexternal_id = shared:1\n"
        f"[profile base]\naws_access_key_id = {BASE_ACCESS}\n"
        f"aws_secret_access_key = {BASE_SECRET}"
    )
    return {}, {
        "AWS_CONFIG_FILE": secret_file(scene.directory / "config", text),
        "AWS_PROFILE": "x",
        "AWS_ENDPOINT_URL_STS": scene.keysmith.endpoint,
    }


def from_process(scene):
    """A program prints them, beside the event loop and within what confines contraced."""
    script = scene.directory / "helper"
    printed = {"Version": 1, "AccessKeyId": ACCESS, "SecretAccessKey": SECRET}
    script.write_text(f"#!/bin/sh\n/bin/true\necho '{json.dumps(printed)}'\n")
    script.chmod(0o700)
    text = f"[default]\ncredential_process = {script} --for 'a store'"
    return {}, {"AWS_CONFIG_FILE": secret_file(scene.directory / "config", text)}


SOURCES = {
    from_files: FILES,
    from_environment: "the environment",
    from_shared: "the shared file",
    from_process: "the credential_process of profile default",
    from_imds: "the instance's role",
    from_container: "the container's endpoint",
    from_sts: "web identity",
    from_role: f"the role {ROLE_ARN} (profile x), assumed by the shared file",
}
REMOTE = (from_imds, from_container, from_sts, from_role)


class Scene:
    """A store, a keysmith, a target and a daemon that is to upload."""

    def __init__(self, directory, source, lifetime=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.source = source
        self.store = Store()
        self.store.keys = {ACCESS: (SECRET, None)}
        self.keysmith = Keysmith(self.store, **({"lifetime": lifetime} if lifetime else {}))
        self.target = Server(healthy(trace(2)))
        self.jobs = [job("s", self.target.address)]

    def start(self, *args):
        members, self.env = self.source(self)
        self.upload = {
            "url": f"s3://{BUCKET}/{PREFIX}", "endpoint": self.store.endpoint, "region": REGION,
            "stall_timeout": "5s", **members,
        }  # fmt: skip
        self.daemon = Daemon(
            self.directory, self.jobs, upload=self.upload, env=clean_env(**self.env),
            glob={"shutdown_timeout": "3s"}, args=args,
        )  # fmt: skip
        return self.daemon

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if hasattr(self, "daemon"):
            self.daemon.__exit__(*exc)
        self.target.close()
        for server in (self.store, self.keysmith):
            server.close(check=not exc[0])

    def reload(self):
        self.upload = {**self.upload, "concurrency": 3}
        d = self.daemon
        d.write_config(self.jobs, {"shutdown_timeout": "3s"}, upload=self.upload)
        d.signal(signal.SIGHUP)

    def capture(self):
        """One more trace; its key."""
        mark = self.daemon.mark()
        time.sleep(1)
        self.daemon.capture_now()
        return self.daemon.wait_captured(after=mark)["key"]

    def arrives(self, key):
        wait_until(f"{key} is in archive/", lambda: place_of(self.daemon.spool, key) == "archive")
        assert_same(self.store, self.daemon.spool, key)

    def end(self):
        self.canary_is_nowhere()
        began = time.monotonic()
        self.daemon.stop()
        assert time.monotonic() - began < 25
        text = "\n".join([str(line) for line in self.daemon.lines] + self.daemon.other)
        assert CANARY not in text, "the log tells a secret"

    def canary_is_nowhere(self):
        """Neither in files that contraced wrote nor in what the kernel shows of it."""
        d = self.daemon
        for root, _, names in os.walk(d.spool.path):  # while it moves and removes
            for path in (pathlib.Path(root) / name for name in names):
                with contextlib.suppress(FileNotFoundError):
                    assert CANARY.encode() not in path.read_bytes(), path
        for r in self.store.requests:  # nor where anybody on the way would log it
            assert CANARY not in r.target
            names = {n for n, v in r.headers.items() if CANARY in v}
            assert names <= {"authorization", "x-amz-security-token"}
            assert CANARY not in r.headers.get("authorization", "").partition("SignedHeaders")[2]
        shown = ["cmdline", "comm", "status", "stat", "maps", "limits", "environ"]
        for name in shown:
            data = shown_of(d.pid, name)
            if name == "environ" and CANARY in str(self.env):
                continue  # where we put it ourselves
            assert CANARY.encode() not in data, name
        limits = pathlib.Path(f"/proc/{d.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


@dataclasses.dataclass
class Case:
    source: object
    play: object = None  # lays a fault over the scene; returns what takes it off
    says: str = ""  # what the log then has; "": nothing at all, it goes well
    reload: bool = False  # a person must act, and does
    lifetime: float = None


def on(behaviour, match, times=None):
    return lambda scene: scene.keysmith.play(behaviour, times=times, match=match).stop


IMDS_TOKEN_PATH, IMDS_ROLE_PATH = "api/token$", "security-credentials/$"
IMDS_DOCUMENT_PATH = "security-credentials/.+"
REFUSED = b'{"Code": "AssumeRoleUnauthorizedAccess", "Message": "the role trusts another"}'
STS_REFUSED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>"
    b"<Message>the token is not for us</Message></Error></ErrorResponse>"
)
BAD_REQUEST = "400 Bad Request"


def too_open(scene):
    path = scene.directory / "secret"
    path.chmod(0o646)
    return lambda: path.chmod(0o600)


def half(scene):
    path = scene.directory / "access"
    text = path.read_text()
    path.write_text("")
    return lambda: path.write_text(text)


def missing(scene):
    path = scene.directory / "secret"
    path.rename(path.with_suffix(".away"))
    return lambda: path.with_suffix(".away").rename(path)


def web_token_too_open(scene):
    path = scene.directory / "web-token"
    path.chmod(0o646)
    return lambda: path.chmod(0o600)


CASES = {
    # the instance's metadata
    "imds-401": Case(from_imds, on(faults.status("401 Unauthorized"), IMDS_TOKEN_PATH),
                     "status 401", reload=True),
    "imds-500": Case(from_imds, on(faults.status("500 Oops"), ""), "status 500"),
    "imds-document-500": Case(
        from_imds, on(faults.status("500 Oops"), IMDS_DOCUMENT_PATH), "status 500"
    ),
    "imds-error-document": Case(
        from_imds, on(faults.ok(body=REFUSED), IMDS_DOCUMENT_PATH),
        "AssumeRoleUnauthorizedAccess", reload=True,
    ),
    "imds-no-role": Case(from_imds, on(faults.status("404 Not Found"), IMDS_ROLE_PATH),
                         "has no role", reload=True),
    "imds-garbage-token": Case(from_imds, on(faults.ok(body=b"<html>\n<b>"), IMDS_TOKEN_PATH),
                               "no token", reload=True),
    "imds-garbage-role": Case(from_imds, on(faults.ok(body=b"../../x?"), IMDS_ROLE_PATH),
                              "role's name", reload=True),
    "imds-garbage-document": Case(
        from_imds, on(faults.ok(body=b'{"Code": "Succ'), IMDS_DOCUMENT_PATH), "metadata",
        reload=True,
    ),
    "imds-large": Case(from_imds, on(faults.large("200 OK", 10), IMDS_DOCUMENT_PATH), "metadata",
                       reload=True),
    "imds-hang": Case(from_imds, on(faults.hang(), IMDS_ROLE_PATH), "does not answer"),
    "imds-reset": Case(from_imds, on(faults.reset_at_head, ""), "does not answer"),
    "imds-redirect": Case(
        from_imds, on(faults.redirect("302 Found", "http://127.0.0.1:1/"), IMDS_TOKEN_PATH),
        "status 302", reload=True,
    ),
    # a container's endpoint
    "container-404": Case(from_container, on(faults.status("404 Not Found"), ""), "status 404",
                          reload=True),
    "container-503": Case(from_container, on(faults.status("503 Wait"), ""), "status 503"),
    "container-garbage": Case(from_container, on(faults.ok(body=b"[1, 2"), ""), "container",
                              reload=True),
    "container-no-keys": Case(from_container, on(faults.ok(body=b"{}"), ""), "container",
                              reload=True),
    # STS
    "sts-refused": Case(from_sts, on(faults.document(BAD_REQUEST, STS_REFUSED), ""),
                        "InvalidIdentityToken", reload=True),
    "sts-garbage": Case(from_sts, on(faults.document("200 OK", faults.GARBAGE), ""), "STS",
                        reload=True),
    "sts-bomb": Case(from_sts, on(faults.document("200 OK", faults.BOMB), ""), "STS",
                     reload=True),
    "sts-500": Case(from_sts, on(faults.document("500 Oops", faults.GARBAGE), ""), "status 500"),
    "sts-token-too-open": Case(from_sts, web_token_too_open, "web-token", reload=True),
    "role-refused": Case(from_role, on(faults.document("403 Forbidden", STS_REFUSED), ""),
                         "InvalidIdentityToken", reload=True),
    "role-500": Case(from_role, on(faults.status("500 Oops"), ""), "status 500"),
    # files
    "file-too-open": Case(from_files, too_open, "0600", reload=True),
    "file-empty": Case(from_files, half, "empty", reload=True),
    "file-missing": Case(from_files, missing, "secret", reload=True),
}  # fmt: skip


def play_case(name, directory):
    case = CASES[name]
    with Scene(directory, case.source) as scene:
        lay = case.play
        if case.source in REMOTE:
            if lay is web_token_too_open:
                case.source(scene)
            lift = lay(scene)
            original = scene.source
            if lay is web_token_too_open:
                made = original(scene)
                (scene.directory / "web-token").chmod(0o646)
                scene.source = lambda _: made
        else:
            made = case.source(scene)
            lift = lay(scene)
            scene.source = lambda _: made
        d = scene.start()
        key = d.wait_captured()["key"]
        pattern = re.compile(case.says)
        wait_until(
            f"the log says {case.says!r}",
            lambda: [x for x in d.problems() if pattern.search(x["msg"])],
        )
        time.sleep(1)
        assert len(d.problems()) == 1, d.problems()
        assert place_of(d.spool, key) == "pending"
        assert not scene.store.requests, "it was asked without credentials"
        lift()
        if case.reload:
            scene.reload()
        wait_archived(d)
        scene.arrives(key)
        if case.source in REMOTE:
            assert len(scene.keysmith.issued) == 1
        scene.end()


@pytest.fixture(scope="module")
def faulty(request, tmp_path_factory):
    top = tmp_path_factory.mktemp("sources")
    with together(request, "test_fault_of_a_source", lambda n: play_case(n, top / n)) as futures:
        yield futures


@pytest.mark.parametrize("name", CASES)
def test_fault_of_a_source(name, faulty):
    faulty[name].result()


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_source(source, tmp_path):
    """Traces arrive, and the log says once where credentials come from."""
    with Scene(tmp_path / "scene", source) as scene:
        d = scene.start()
        scene.arrives(d.wait_captured()["key"])
        scene.arrives(scene.capture())
        said = [line["msg"] for line in d.log("credentials come from")]
        assert len(said) == 1 and SOURCES[source] in said[0], said
        assert len(scene.keysmith.issued) == (source in REMOTE)
        assert not d.problems() and not scene.store.refusals
        scene.end()


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_metrics_tell_when_they_expire(source, tmp_path):
    """And nothing else of them."""
    path = tmp_path / "admin.sock"
    with Scene(tmp_path / "scene", source) as scene:
        d = scene.start(f"--web.listen-address=unix:{path}")
        scene.arrives(d.wait_captured()["key"])
        scrape = Scrape(path)
        expiry = scrape("contrace_upload_credentials_expiry_timestamp_seconds")
        if source in REMOTE:
            assert abs(expiry - time.time() - LIFETIME) < 600
        else:
            assert expiry == 0
        assert CANARY not in scrape.text
        scene.end()


@pytest.mark.parametrize("source", REMOTE, ids=lambda s: s.__name__)
@pytest.mark.parametrize("how", ["expired", "401"])
def test_refused_credentials_are_had_anew(source, how, tmp_path):
    """At once, for the same trace, and without a word: that is what they are for."""
    with Scene(tmp_path / "scene", source) as scene:
        d = scene.start()
        scene.arrives(d.wait_captured()["key"])
        if how == "expired":
            scene.store.expired.update(scene.keysmith.issued)
        else:
            scene.store.play(faults.status("401 Unauthorized"), times=1)
        scene.arrives(scene.capture())
        assert len(scene.keysmith.issued) == 2
        assert not d.problems()
        assert [code for _, code in scene.store.refusals] == ["ExpiredToken"] * (how == "expired")
        scene.end()


def test_a_store_that_refuses_all_keys_does_not_make_a_storm(tmp_path):
    with Scene(tmp_path / "scene", from_imds) as scene:
        scene.store.play(faults.status("401 Unauthorized"))
        d = scene.start()
        d.wait_captured()
        wait_until("it is said", d.problems)
        time.sleep(3)
        assert len(scene.keysmith.issued) <= 3
        assert len(scene.store.requests) <= 4
        assert len(d.problems()) == 1
        scene.end()


def test_rotated_files(tmp_path):
    """The old keys are refused from one moment to the next; the new ones are in the files."""
    with Scene(tmp_path / "scene", from_files) as scene:
        d = scene.start()
        scene.arrives(d.wait_captured()["key"])
        access, secret = ACCESS.replace("CONFIG", "ROTATE"), SECRET + "2"
        scene.store.keys = {access: (secret, None)}
        for name, text in (("access", access), ("secret", secret)):
            fresh = secret_file(scene.directory / f"{name}.new", text)
            pathlib.Path(fresh).rename(scene.directory / name)
        scene.arrives(scene.capture())
        assert not d.problems()
        scene.end()


def test_an_outage_of_the_source_is_none_of_the_store(tmp_path):
    """What is in use stays in use; that it ends soon is said once."""
    with Scene(tmp_path / "scene", from_imds, lifetime=24) as scene:
        d = scene.start()
        scene.arrives(d.wait_captured()["key"])
        scene.keysmith.play(faults.status("500 Oops"))
        line = wait_until("it is said", d.problems)[0]
        assert "no new credentials" in line["msg"] and "status 500" in line["msg"]
        scene.arrives(scene.capture())
        assert len(d.problems()) == 1
        assert len(scene.keysmith.issued) == 1
        scene.end()


@pytest.mark.parametrize("source", REMOTE, ids=lambda s: s.__name__)
def test_a_hung_source_does_not_delay_the_exit(source, tmp_path):
    with Scene(tmp_path / "scene", source) as scene:
        hung = scene.keysmith.play(faults.hang())
        d = scene.start()
        key = d.wait_captured()["key"]
        wait_until("the source hangs", lambda: hung.played)
        began = time.monotonic()
        d.stop()
        assert time.monotonic() - began < 9  # a source is given 10 s
        assert place_of(d.spool, key) == "pending"


def test_container_endpoint_must_be_near(tmp_path):
    """The token goes there: no foreign host, not even by mistake."""

    def source(_):
        return {}, {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": CONTAINER_TOKEN,
        }

    with Scene(tmp_path / "scene", source) as scene:
        d = scene.start()
        key = d.wait_captured()["key"]
        (line,) = wait_until("it is said", d.problems)
        assert "192.0.2.1" not in line["msg"]
        assert place_of(d.spool, key) == "pending"
        scene.end()


@pytest.mark.parametrize("line", ["302 Found", "307 Temporary Redirect", "301 Moved Permanently"])
def test_a_redirect_takes_nothing_along(line, tmp_path):
    """Not to another host, whatever it says: credentials would go there."""
    with Store() as foreign, Scene(tmp_path / "scene", from_imds) as scene:
        scene.store.play(faults.redirect(line, f"{foreign.endpoint}/{BUCKET}/x"))
        d = scene.start()
        key = d.wait_captured()["key"]
        wait_until("it is said", d.problems)
        time.sleep(0.5)
        assert place_of(d.spool, key) == "pending"
        assert foreign.connections == 0
        scene.end()


AWS_NAMES = {
    f"{BUCKET}.s3.eu-west-1.amazonaws.com": "127.0.0.1",
    f"{BUCKET}.s3.eu-central-1.amazonaws.com": "127.0.0.2",
    "sts.eu-west-1.amazonaws.com": "127.0.0.3",
}


@pytest.mark.parametrize("source", ["imds", "container", "sts"])
def test_well_known_addresses(source, tmp_path):
    """Nothing is configured but the bucket: credentials come from where Amazon keeps them, requests
    go to the bucket's own name, and to its name in another region when that is where it is."""
    need_root()
    need_program("openssl", "openssl")
    authority = faults.Authority(tmp_path)
    names = ",".join(f"DNS:{name}" for name in AWS_NAMES)
    tls = authority.context("amazon", names=names)

    def body():
        home = AwsStore("127.0.0.2", tls)
        wrong = AwsStore("127.0.0.1", tls)
        wrong.play(faults.elsewhere("301 Moved Permanently", "PermanentRedirect", "eu-central-1"))
        home.region = "eu-central-1"
        smith = Keysmith(
            home,
            **{
                "imds": {"address": ("169.254.169.254", 80)},
                "container": {"address": ("169.254.170.2", 80)},
                "sts": {"address": ("127.0.0.3", 443), "tls": tls},
            }[source],
        )
        env = {
            "imds": {"AWS_EC2_METADATA_DISABLED": "false"},
            "container": {
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/container",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": CONTAINER_TOKEN,
            },
            "sts": {
                "AWS_WEB_IDENTITY_TOKEN_FILE": secret_file(tmp_path / "token", WEB_TOKEN),
                "AWS_ROLE_ARN": ROLE_ARN,
            },
        }[source]
        with home, wrong, smith, contextlib.closing(Server(healthy(trace(2)))) as target:
            with Daemon(
                tmp_path / "daemon", [job("s", target.address)], env=clean_env(**env),
                upload={"url": f"s3://{BUCKET}/{PREFIX}", "region": "eu-west-1"},
            ) as d:  # fmt: skip
                (key,) = wait_archived(d)
                assert_same(home, d.spool, key)
                assert not d.problems() and not home.refusals
                assert len(wrong.requests) == 1 and not wrong.objects
                assert home.requests[0].headers["host"] == (
                    f"{BUCKET}.s3.eu-central-1.amazonaws.com"
                )
                assert len(smith.issued) == 1
                d.stop()
                assert CANARY not in str(d.lines) and CANARY not in str(d.other)

    world.inside(
        body, tmp_path, ["169.254.169.254/32", "169.254.170.2/32"], AWS_NAMES,
        authority=str(authority.file),
    )  # fmt: skip


class AwsStore(Store):
    """One that is asked by a name of the bucket's own."""

    def __init__(self, address, tls):
        super().__init__(tls=tls, address=(address, 443))
        self.keys = {}

    def object_name(self, r):
        assert r.headers["host"].startswith(f"{BUCKET}.s3."), r.headers["host"]
        return f"{BUCKET}/{r.name.lstrip('/')}"
