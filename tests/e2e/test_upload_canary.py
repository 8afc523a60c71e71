# SPDX-License-Identifier: Apache-2.0
"""Secrets of every other kind, each with CANARY in it, and every place where they could come out:
the log in all its formats (also when a server says what it was sent), files, what the kernel shows
of the process, and a crash. tests of the sources of S3's keys are in test_upload_credentials.py."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
import storefaults as faults
import world
from endpoint import Endpoint
from hostile import Server, healthy, trace
from keysmith import CANARY
from store import BUCKET, REGION, Store
from support import BUILD, CONTRACED, Daemon, job, need_program, need_root, shown_of, wait_until
from uploads import PREFIX, arrived, clean_env, pending_keys, secret_file, wait_archived

ACCESS, SECRET = f"AKIA{CANARY}CONFIG0000", f"{CANARY}/long+term+secret=of0config"
PASSWORD = f"{CANARY}-pw"
BASIC = base64.b64encode(f"u:{PASSWORD}".encode()).decode()
ACCOUNT_KEY = base64.b64encode(f"{CANARY} of an account, so long".encode()).decode()
SAS = f"sv=2021-12-02&sr=c&sp=cw&se=2099-01-01&sig={CANARY}%2Bsignature%3D"
TOKEN = f"ya29.{CANARY}-token"
SECRETS = (CANARY, BASIC, ACCOUNT_KEY)


def echo(x):
    """An error page of those who mean well."""
    x.read_body()
    rows = [f"<tr><td>{k}: {v}</td></tr>" for k, v in x.request.headers.items()]
    rows = [row for row in rows if "auth" in row]
    x.answer("403 Forbidden", f"{x.request.headers.get('authorization')} {rows}".encode())


def echo_in_document(x):
    x.read_body()
    sent = [v for k, v in x.request.headers.items() if "auth" in k or "token" in k]
    x.error("403 Forbidden", "AccessDenied", f"you sent {' and '.join(sent)} to {x.request.target}")


def without_secrets(text, where):
    for secret in SECRETS:
        assert secret not in text, f"{where} tells a secret"


def plain(kind, store, directory):
    path = secret_file(directory / "secret", PASSWORD)
    url = f"{store.endpoint}/{BUCKET}/{PREFIX}"
    if kind == "basic":
        return {"url": url, "basic_auth": {"username": "u", "password_file": path}}
    return {"url": url, "authorization": {"type": "Bearer", "credentials_file": path}}


def az(kind, store, directory):
    store.buckets = {"account"}
    member = {
        "sas": {"sas_token_file": secret_file(directory / "sas", SAS)},
        "account-key": {"account_key_file": secret_file(directory / "key", ACCOUNT_KEY)},
    }[kind]
    return {
        "url": f"az://account/{BUCKET}/{PREFIX}", "endpoint": f"{store.endpoint}/account", **member
    }  # fmt: skip


def gs(_, store, directory):
    def token(x):
        x.read_body()
        assert x.request.headers["metadata-flavor"] == "Google"
        x.answer("200 OK", json.dumps(
            {"access_token": TOKEN, "expires_in": 3000, "token_type": "Bearer"}
        ).encode())  # fmt: skip

    store.play(token, match="^/computeMetadata/")
    return {"url": f"gs://{BUCKET}/{PREFIX}", "endpoint": store.endpoint}


KINDS = {
    "basic": plain, "bearer": plain, "sas": az, "account-key": az, "google": gs,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_of_other_stores(kind, tmp_path):
    with Store() as store, contextlib.closing(Server(healthy(trace(2)))) as target:
        store.verify = False
        upload = KINDS[kind](kind, store, tmp_path)
        if kind in ("sas", "account-key"):
            store.play(faults.kept(line="201 Created"), method="PUT")
        env = clean_env(GCE_METADATA_HOST=f"127.0.0.1:{store.port}")
        with Daemon(
            tmp_path / "d", [job("s", target.address)], upload=upload, env=env
        ) as d:  # fmt: skip
            wait_archived(d)
            for i, page in enumerate((echo, echo_in_document)):
                rule = store.play(page, method="PUT")
                time.sleep(1)
                mark = d.mark()
                d.capture_now()
                d.wait_captured(after=mark)
                wait_until("it is said", lambda m=mark: d.problems(after=m))
                assert pending_keys(d.spool)
                rule.stop()
                d.write_config([job("s", target.address)], upload={**upload, "concurrency": i + 1})
                d.signal(signal.SIGHUP)
                wait_archived(d, i + 2)
            print(*[line["msg"] for line in d.problems()], sep="\n")
            for name in ("cmdline", "environ", "maps", "status"):
                shown = shown_of(d.pid, name)
                without_secrets(shown.decode(errors="replace"), name)
            d.stop()
            without_secrets("\n".join([str(x) for x in d.lines] + d.other), "the log")
            for p in d.spool.path.rglob("*"):
                if p.is_file():
                    without_secrets(p.read_text(errors="replace"), p)


def test_echoed_keys_of_s3(tmp_path):
    """A session token that comes back in an error document stays there."""
    with Store() as store, contextlib.closing(Server(healthy(trace(2)))) as target:
        store.verify = False
        store.play(echo_in_document)
        token = f"{CANARY}//token+" + "0aZ9" * 40 + "=="
        env = clean_env(
            AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=token
        )
        upload = {
            "url": f"s3://{BUCKET}/{PREFIX}", "endpoint": store.endpoint, "region": REGION
        }  # fmt: skip
        with Daemon(
            tmp_path / "d", [job("s", target.address)], upload=upload, env=env
        ) as d:  # fmt: skip
            d.wait_captured()
            (line,) = wait_until("it is said", d.problems)
            assert "AccessDenied" in line["msg"]
            d.stop()
            without_secrets(str(d.lines), "the log")


def test_short_session_token(tmp_path):
    """One that looks like nothing, in an answer that says so."""

    def refuse(x):
        x.read_body()
        token = x.request.headers["x-amz-security-token"]
        x.error("400 Bad Request", "InvalidToken", f"The token {token} is malformed")

    with Store() as store, contextlib.closing(Server(healthy(trace(2)))) as target:
        store.verify = False
        store.play(refuse)
        env = clean_env(
            AWS_ACCESS_KEY_ID="AK", AWS_SECRET_ACCESS_KEY="sk", AWS_SESSION_TOKEN="env-SEKRIT"
        )
        upload = {
            "url": f"s3://{BUCKET}/{PREFIX}", "endpoint": store.endpoint, "region": REGION
        }  # fmt: skip
        with Daemon(
            tmp_path / "d", [job("s", target.address)], upload=upload, env=env
        ) as d:  # fmt: skip
            d.wait_captured()
            (line,) = wait_until("it is said", d.problems)
            assert "The token [...] is malformed" in line["msg"]
            d.stop()
            assert "SEKRIT" not in str(d.lines)


def test_session_token_in_clear(tmp_path):
    """Without the secret key it is worth nothing, so it goes; but that is said, and once."""
    with contextlib.closing(Server(healthy(trace(2)))) as target:
        env = clean_env(
            AWS_ACCESS_KEY_ID="AK", AWS_SECRET_ACCESS_KEY="sk", AWS_SESSION_TOKEN="env-SEKRIT"
        )
        upload = {"url": f"s3://{BUCKET}", "endpoint": "http://store.invalid", "region": REGION}
        with Daemon(tmp_path / "d", [job("s", target.address)], upload=upload, env=env) as d:
            d.wait_captured()
            d.wait_log("will not work")
            d.capture_now()
            d.wait_captured(2)
            assert len(d.log("the session token goes to")) == 1
            d.stop()


def test_targets_that_echo(tmp_path):
    """What a target was sent comes out nowhere, however short it is: log, status and API."""

    def echo_head(c):
        head = c.request if isinstance(c.request, str) else c.request.decode()
        said = [x for x in head.splitlines() if x.lower().startswith("authorization")]
        body = f"{said} no".encode()
        c.head("403 Forbidden", f"Content-Length: {len(body)}")
        c.send(body)

    token, password = (secret_file(tmp_path / n, f"{n}-SEKRIT") for n in ("tok", "pw"))
    pair = base64.b64encode(b"u:pw-SEKRIT").decode()
    with (
        contextlib.closing(Server(echo_head)) as one,
        contextlib.closing(Server(echo_head)) as two,
        tempfile.TemporaryDirectory(prefix="contrace-") as place,
    ):
        endpoint = Endpoint(pathlib.Path(place))
        jobs = [
            job("one", one.address, authorization={"credentials_file": token}),
            job("two", two.address, basic_auth={"username": "u", "password_file": password}),
        ]
        with Daemon(tmp_path / "d", jobs, args=[endpoint.option]) as d:
            wait_until("both are refused", lambda: len(d.problems()) >= 2)
            argv = [BUILD / "contrace", "status", f"--address=unix:{endpoint.path}"]
            status = subprocess.run(argv, capture_output=True, text=True).stdout
            said = [str(d.problems()), status, endpoint.get("/api/v1/targets").text]
            d.stop()
    for text in said:
        assert "[...]" in text and "SEKRIT" not in text and pair not in text, text


def receive_all(sock):
    """The datagrams of the journal's native protocol, also those that came as a file."""
    texts = []
    with contextlib.suppress(BlockingIOError):
        while True:
            data, fds, _, _ = socket.recv_fds(sock, 1 << 20, 1)
            for fd in fds:
                data += os.pread(fd, 1 << 20, 0)
                os.close(fd)
            texts.append(data.decode(errors="replace"))
    return texts


def test_fields_of_the_journal(tmp_path):
    need_root()

    def body():
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        pathlib.Path("/run/systemd/journal").mkdir(parents=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind("/run/systemd/journal/socket")
        sock.setblocking(False)
        with Store() as store, contextlib.closing(Server(healthy(trace(2)))) as target, sock:
            store.keys = {ACCESS: (SECRET, None)}
            rule = store.play(echo_in_document)
            config = tmp_path / "contraced.yaml"
            config.write_text(json.dumps({
                "global": {"seconds": 0.2}, "scrape_configs": [job("s", target.address)],
                "storage": {"path": str(tmp_path / "spool"), "min_free": 0},
                "upload": {"url": f"s3://{BUCKET}/{PREFIX}", "endpoint": store.endpoint,
                           "region": REGION},
                "log": {"format": "journal", "level": "debug"},
            }))  # fmt: skip
            process = subprocess.Popen(
                [str(CONTRACED), f"--config.file={config}", "--web.listen-address=off"], stderr=subprocess.PIPE,
                env=clean_env(AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET),
            )  # fmt: skip
            try:
                texts = []

                def said(words):
                    texts.extend(receive_all(sock))
                    return any(words in t for t in texts)

                wait_until("it is said", lambda: said("AccessDenied"))
                rule.stop()
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                wait_until("it has stopped", lambda: said("stopped;"))
            finally:
                process.kill()
                without_secrets(process.stderr.read().decode(), "standard error")
                process.stderr.close()
                process.wait()
            without_secrets("\n".join(texts), "the journal")
            assert any("MESSAGE_ID=" in t for t in texts)

    world.inside(body, tmp_path)


def test_a_crash_leaves_no_core(tmp_path):
    with Store() as store, contextlib.closing(Server(healthy(trace(2)))) as target:
        store.keys = {ACCESS: (SECRET, None)}
        upload = {
            "url": f"s3://{BUCKET}/{PREFIX}", "endpoint": store.endpoint, "region": REGION,
            "access_key_file": secret_file(tmp_path / "access", ACCESS),
            "secret_key_file": secret_file(tmp_path / "secret", SECRET),
        }  # fmt: skip
        with Daemon(
            tmp_path / "d", [job("s", target.address)], upload=upload, env=clean_env()
        ) as d:  # fmt: skip
            (key,) = wait_archived(d)
            assert arrived(store, key)
            limits = pathlib.Path(f"/proc/{d.pid}/limits").read_text()
            assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
            d.signal(signal.SIGABRT)
            end = os.waitid(os.P_PID, d.pid, os.WEXITED | os.WNOWAIT)
            assert (end.si_code, end.si_status) == (os.CLD_KILLED, signal.SIGABRT)  # not CLD_DUMPED
            d.wait_exit()


def test_nobody_looks_inside(tmp_path):
    """Another process of the same user sees neither memory nor environment."""
    need_root()
    need_program("setpriv", "util-linux")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    directory = pathlib.Path(tempfile.mkdtemp(prefix="contrace-test-"))  # pytest's is closed
    directory.chmod(0o777)
    program = shutil.copy(CONTRACED, directory / "contraced")
    process = subprocess.Popen(
        [*as_nobody, program, "-t", "http://127.0.0.1:1", f"--storage.path={directory}/spool",
         "--web.listen-address=off"],
        env=clean_env(AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until("it has started", lambda: (directory / "spool" / "incoming").exists())
        for name in ("environ", "maps", "mem", "auxv"):
            seen = subprocess.run(
                [*as_nobody, "head", "-c", "1", f"/proc/{process.pid}/{name}"],
                capture_output=True, check=False,
            )  # fmt: skip
            assert seen.returncode != 0 and not seen.stdout, name
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)
