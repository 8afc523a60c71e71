# SPDX-License-Identifier: Apache-2.0
"""The stores besides S3: a directory, nginx with WebDAV, Azure's emulator, Google's protocol."""

import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse

import azurite
import gcs
import pytest
import s3server
import sharedkey
from asking import ask, secret
from hostile import healthy
from listening import Listening
from support import config_text, job, need, need_program, need_root, run, wait_until

KEY = "checkout/web-1/20260314/092653-4711.trace"
ODD = ["a b+c~d", "=@!$&'(),;", "漢é", "%2B%zz", "-", "quo\"te<&>'", "x" * 200]


@pytest.fixture
def thing(tmp_path):
    """thing(size) makes a file of random bytes: its path and its hash."""

    def make(size, name="thing"):
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    return make


def there_and_back(section, thing, tmp_path, key, env=()):
    path, sha256 = thing(3 << 20)
    meta = f"sha256={sha256}"
    assert ask(section, "put", path, key, meta, env=env).end == "done"
    assert ask(section, "put", path, key, meta, env=env).end == "done"
    head = ask(section, "head", key, env=env)
    assert (head.end, head.size) == ("done", 3 << 20)
    got = ask(section, "get", key, tmp_path / "copy", env=env)
    assert (got.end, got.size) == ("done", 3 << 20)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert ask(section, "head", key + "x", env=env).end == "missing"
    assert ask(section, "get", key + "x", tmp_path / "none", env=env).end == "missing"
    return head.sha256 if head.sha256 != "-" else None, sha256


@pytest.mark.parametrize("other", [False, True], ids=["same", "another file system"])
def test_directory(thing, tmp_path, other):
    root = tmp_path / "root"
    if other:
        need(os.access("/dev/shm", os.W_OK), "no /dev/shm to write to")
        root = root.with_name(f"contrace-{os.getpid()}")
        root = type(root)("/dev/shm") / root.name
    root.mkdir()
    try:
        section = {"url": f"file://{root}"}
        told, sha256 = there_and_back(section, thing, tmp_path, KEY)
        assert told == sha256
        path, _ = thing(10)
        for key in ["b/1", "a/2", "a/10", "a-b"]:
            assert ask(section, "put", path, key).end == "done"
        assert ask(section, "list", "").listed == ["a-b", "a/10", "a/2", "b/1", KEY]
        assert ask(section, "list", "a/").listed == ["a/10", "a/2"]
        assert ask(section, "list", "", "a/10").listed == ["a/2", "b/1", KEY]
        kept = {p.name for p in root.rglob("*") if p.is_file()}
        assert kept == {"1", "2", "10", "a-b", KEY.rsplit("/", 1)[1]}
    finally:
        shutil.rmtree(root)


def test_directory_is_never_made(thing, tmp_path):
    path, _ = thing(10)
    section = {"url": f"file://{tmp_path}/mnt"}
    for words in (["put", path, KEY], ["head", KEY], ["list", ""]):
        answer = ask(section, *words)
        assert answer.end == "parked" and "create it or mount it" in answer.text
    assert not (tmp_path / "mnt").exists()


NGINX = """
daemon off;
pid {dir}/pid;
error_log {dir}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    client_max_body_size 8m;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        root {dir}/root;
        location /dav/ {{ dav_methods PUT; create_full_put_path on; }}
        location /basic/ {{
            dav_methods PUT;
            create_full_put_path on;
            auth_basic traces;
            auth_basic_user_file {dir}/users;
        }}
        location /bearer/ {{
            if ($http_authorization != "Bearer t0ken") {{ return 401; }}
            dav_methods PUT;
            create_full_put_path on;
        }}
        location /read/ {{ }}
        location /moved/ {{ return 301 http://127.0.0.1:{port}/dav$request_uri; }}
        location /conflict/ {{ return 409; }}
    }}
}}
"""


class Nginx(Listening):
    ended_by = signal.SIGTERM  # and its workers

    def __init__(self, directory):
        super().__init__("nginx", ports=2)
        (self.tls_port,) = self.more_ports
        need_program("nginx", "nginx-light")
        need_program("openssl", "openssl")
        self.root = directory / "root"
        for name in ("dav", "basic", "bearer", "read"):
            (self.root / name).mkdir(parents=True)
        self.certificate = directory / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", directory / "key.pem", "-out", self.certificate],
            capture_output=True, check=True,
        )  # fmt: skip
        hashed = subprocess.run(
            ["openssl", "passwd", "-apr1", "-stdin"],
            input="pass word", capture_output=True, text=True, check=True,
        )  # fmt: skip
        (directory / "users").write_text(f"user:{hashed.stdout}")
        user = "user root;" if os.geteuid() == 0 else ""
        conf = directory / "nginx.conf"
        conf.write_text(
            NGINX.format(dir=directory, port=self.port, tls_port=self.tls_port, user=user)
        )
        self.start(["nginx", "-c", str(conf), "-e", str(directory / "error.log")])

    def url(self, place, tls=False):
        port = self.tls_port if tls else self.port
        return f"http{'s' if tls else ''}://127.0.0.1:{port}/{place}"


@pytest.fixture
def nginx(tmp_path):
    directory = tmp_path / "nginx"
    directory.mkdir()
    server = Nginx(directory)
    yield server
    server.close()


def test_webdav(nginx, thing, tmp_path):
    there_and_back({"url": nginx.url("dav")}, thing, tmp_path, KEY)
    path, _ = thing(100)
    assert (nginx.root / "dav" / KEY).stat().st_size == 3 << 20
    for name in ODD:
        assert ask({"url": nginx.url("dav/")}, "put", path, f"odd/{name}.trace").end == "done"
        assert (nginx.root / "dav/odd" / f"{name}.trace").read_bytes() == path.read_bytes()


def test_webdav_tls(nginx, thing, tmp_path):
    section = {"url": nginx.url("dav", tls=True), "tls_config.ca_file": nginx.certificate}
    there_and_back(section, thing, tmp_path, KEY)
    path, _ = thing(10)
    stranger = ask({"url": section["url"]}, "put", path, KEY)
    assert stranger.end in ("parked", "retry") and "certificate" in stranger.text


def test_webdav_authorization(nginx, thing, tmp_path):
    path, _ = thing(100)
    password = secret(tmp_path / "password", "pass word\n")
    token = secret(tmp_path / "token", "t0ken\n")
    basic = {
        "url": nginx.url("basic"),
        "basic_auth.username": "user",
        "basic_auth.password_file": password,
    }
    bearer = {"url": nginx.url("bearer"), "authorization.credentials_file": token}
    for section, file in (basic, password), (bearer, token):
        assert ask(section, "put", path, KEY).end == "done"
        assert ask({"url": section["url"]}, "put", path, KEY).end == "parked"
        file.write_text("s3cret-but-wrong")
        answer = ask(section, "put", path, KEY)
        assert answer.end == "parked" and answer.text.startswith("401")
        assert "s3cret" not in answer.text
        file.chmod(0o646)
        answer = ask(section, "put", path, KEY)
        assert answer.end in ("parked", "local") and str(file) in answer.text


def test_webdav_refusals(nginx, thing):
    path, _ = thing(100)
    large, _ = thing(9 << 20, "large")
    assert ask({"url": nginx.url("read")}, "put", path, KEY).end == "parked"
    assert ask({"url": nginx.url("dav")}, "put", large, KEY).end == "refused"
    moved = ask({"url": nginx.url("moved")}, "put", path, KEY)
    assert moved.end == "parked" and "redirects are not followed" in moved.text
    conflict = ask({"url": nginx.url("conflict")}, "put", path, KEY)
    assert conflict.end == "parked" and "WebDAV" in conflict.text
    answer = ask({"url": nginx.url("dav")}, "list", "")
    assert answer.end == "parked" and "no listings" in answer.text
    assert not (nginx.root / "dav" / KEY).exists()


@pytest.fixture
def azure(tmp_path):
    server = azurite.Azurite(tmp_path)
    status, _, body = sharedkey.request(
        server.host, azurite.ACCOUNT, azurite.KEY, "PUT",
        f"/{azurite.ACCOUNT}/traces?restype=container",
    )  # fmt: skip
    assert status == 201, body
    yield server
    server.close()


def azure_section(server, tmp_path, key=azurite.KEY, **more):
    return {
        "url": f"az://{azurite.ACCOUNT}/traces/prod",
        "endpoint": f"http://{server.host}",
        "account_key_file": secret(tmp_path / "account-key", key + "\n"),
        **more,
    }


def blob(server, key):
    target = f"/{azurite.ACCOUNT}/traces/prod/{urllib.parse.quote(key, safe='/~')}"
    return sharedkey.request(server.host, azurite.ACCOUNT, azurite.KEY, "GET", target)


def test_azure(azure, thing, tmp_path):
    section = azure_section(azure, tmp_path)
    told, sha256 = there_and_back(section, thing, tmp_path, KEY)
    assert told == sha256
    path, _ = thing(0)
    assert ask(section, "put", path, "empty", "label=é 100%", "with-hyphen=1").end == "done"
    status, headers, body = blob(azure, "empty")
    assert (status, body) == (200, b"")
    assert headers["x-ms-meta-label"] == "%C3%A9%20100%25"
    assert headers["x-ms-meta-with_hyphen"] == "1"
    assert headers["x-ms-blob-type"] == "BlockBlob"
    assert headers["Content-Type"] == "application/octet-stream"


def test_azure_names_and_listing(azure, thing, tmp_path):
    section = azure_section(azure, tmp_path)
    path, _ = thing(100)
    names = sorted(f"odd/{name}.trace" for name in ODD)
    for name in names:
        assert ask(section, "put", path, name).end == "done"
        assert blob(azure, name)[2] == path.read_bytes()
    assert ask(section, "list", "odd/").listed == names
    assert ask(section, "list", "", names[2]).listed == names[3:]
    assert ask(section, "list", "none/").listed == []


def test_azure_if_none_match(azure, thing, tmp_path):
    section = azure_section(azure, tmp_path, if_none_match="true")
    path, sha256 = thing(100)
    other, other_sha256 = thing(100, "other")
    assert ask(section, "put", path, KEY, f"sha256={sha256}").end == "done"
    assert ask(section, "put", path, KEY, f"sha256={sha256}").end == "done"
    assert ask(section, "put", other, KEY, f"sha256={other_sha256}").end == "refused"
    assert blob(azure, KEY)[2] == path.read_bytes()


def test_azure_refusals(azure, thing, tmp_path):
    path, _ = thing(100)
    wrong = azure_section(azure, tmp_path, key="d3Jvbmc=")
    answer = ask(wrong, "put", path, KEY)
    assert answer.end == "parked" and answer.text.startswith("403")
    assert "d3Jvbmc" not in answer.text
    missing = azure_section(azure, tmp_path, url=f"az://{azurite.ACCOUNT}/nothing")
    for words in (["put", path, KEY], ["list", ""]):
        answer = ask(missing, *words)
        assert answer.end == "parked" and "ContainerNotFound" in answer.text


def sas(permissions):
    """A service SAS of the container, as Azure's documentation builds it."""
    expiry = "2099-01-01T00:00:00Z"
    version = "2021-12-02"
    fields = [
        permissions, "", expiry, f"/blob/{azurite.ACCOUNT}/traces", "", "", "", version, "c",
        "", "", "", "", "", "", "",
    ]  # fmt: skip
    signed = sharedkey.sign(azurite.KEY, "\n".join(fields))
    return urllib.parse.urlencode(
        {"sv": version, "se": expiry, "sr": "c", "sp": permissions, "sig": signed}
    )


def test_azure_sas(azure, thing, tmp_path):
    section = {
        "url": f"az://{azurite.ACCOUNT}/traces/prod",
        "endpoint": f"http://{azure.host}/{azurite.ACCOUNT}",
        "sas_token_file": secret(tmp_path / "sas", "?" + sas("rcwl") + "\n"),
    }
    there_and_back(section, thing, tmp_path, KEY)
    assert ask(section, "list", "").listed == [KEY]
    path, _ = thing(10)
    token = sas("r")
    section["sas_token_file"].write_text(token)
    answer = ask(section, "put", path, KEY)
    assert answer.end == "parked" and answer.text.startswith("403")
    assert token.rsplit("sig=", 1)[1] not in answer.text


LISTING = b"<EnumerationResults><Blobs/></EnumerationResults>"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Takes everything and remembers what it looked like."""

    protocol_version = "HTTP/1.1"
    seen = None

    def log_message(self, *args):
        pass

    def take(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.seen.append((self.command, self.path, dict(self.headers.items())))
        body = b"" if self.command != "GET" else LISTING
        self.send_response(201 if self.command == "PUT" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_HEAD = do_GET = take


@pytest.mark.parametrize("signer", [sharedkey.signature, sharedkey.client_signature])
def test_azure_signatures(thing, tmp_path, signer):
    """Random requests, signed once more by another implementation."""
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    print(f"seed {seed}")
    key = "c2VjcmV0IGtleSBvZiAzMiBieXRlcywgbm8gbW9yZQ=="

    class Here(Recorder):
        seen = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    letters = "abcXYZ019-._~ +%&=?#'\"()é漢/:;,@!$*[]"
    try:
        for i in range(60):
            text = "".join(rng.choices(letters, k=rng.randrange(1, 40)))
            name = "k" + text.replace("//", "/")
            section = {
                "url": "az://someaccount/traces/prod",
                "endpoint": f"http://127.0.0.1:{server.server_port}",
                "account_key_file": secret(tmp_path / "key", key),
                "if_none_match": rng.choice(["true", "false"]),
                "storage_class": rng.choice(["Hot", "Cool"]),
            }
            path, _ = thing(rng.randrange(3))
            words = rng.choice(
                [["put", path, name, f"label={text}", "pid=1"], ["head", name], ["list", name]]
            )
            assert ask(section, *words).end == "done", (seed, i)
    finally:
        server.shutdown()
        server.server_close()
    assert len(Here.seen) == 60
    for method, target, headers in Here.seen:
        given = headers.pop("Authorization")
        assert given == signer("someaccount", key, method, target, headers), target


@pytest.fixture
def google():
    server = gcs.Gcs()
    yield server
    server.close()


def google_section(server, **more):
    return {"url": f"gs://{gcs.BUCKET}/prod", "endpoint": f"http://{server.host}", **more}


def google_env(server):
    return {"GCE_METADATA_HOST": server.host}


def test_google_by_workload_identity(google, thing, tmp_path):
    section, env = google_section(google, storage_class="NEARLINE"), google_env(google)
    told, sha256 = there_and_back(section, thing, tmp_path, KEY, env=env)
    assert told == sha256
    _, kept = google.objects["prod/" + KEY]
    assert kept == {
        "content-type": "application/octet-stream",
        "x-goog-meta-sha256": sha256,
        "x-goog-storage-class": "NEARLINE",
    }
    path, _ = thing(10)
    names = sorted(f"odd/{name}.trace" for name in ODD)
    for name in names:
        assert ask(section, "put", path, name, env=env).end == "done"
        assert "prod/" + name in google.objects
    assert ask(section, "list", "odd/", env=env).listed == names
    assert ask(section, "list", "", names[3], env=env).listed == names[4:]


def test_google_if_none_match(google, thing):
    section, env = google_section(google, if_none_match="true"), google_env(google)
    path, sha256 = thing(100)
    other, other_sha256 = thing(100, "other")
    assert ask(section, "put", path, KEY, f"sha256={sha256}", env=env).end == "done"
    assert ask(section, "put", path, KEY, f"sha256={sha256}", env=env).end == "done"
    assert ask(section, "put", other, KEY, f"sha256={other_sha256}", env=env).end == "refused"
    assert google.objects["prod/" + KEY][0] == path.read_bytes()


def test_google_refusals(google, thing):
    path, _ = thing(10)
    env = google_env(google)
    answer = ask(google_section(google, url="gs://other"), "put", path, KEY, env=env)
    assert answer.end == "parked" and "NoSuchBucket" in answer.text
    google.tokens, google.given = [], 0
    nobody = ask(google_section(google), "put", path, KEY, env={"GCE_METADATA_HOST": "127.0.0.1:1"})
    assert nobody.end in ("retry", "parked", "local")


def test_google_by_hmac_keys(thing, tmp_path):
    """Google verifies these as S3 does: here a server that verifies S3's stands in for it."""
    server = s3server.S3Server(tmp_path, region="auto")
    try:
        (server.root / "traces").mkdir()
        section = {
            "url": "gs://traces/prod",
            "endpoint": f"http://{server.host}",
            "access_key_file": secret(tmp_path / "access", s3server.ACCESS_KEY),
            "secret_key_file": secret(tmp_path / "secret", s3server.SECRET_KEY),
        }
        told, sha256 = there_and_back(section, thing, tmp_path, KEY)
        assert told == sha256
        assert ask(section, "list", "").listed == [KEY]
    finally:
        server.close()


def upload(daemon, serve, tmp_path, section):
    """Captures twice and uploads. The daemon, once all is archived: trace and record by key."""
    storage = {"path": str(tmp_path / "spool")}
    document = json.loads(config_text([job("shop", serve(healthy()).address)], storage))
    d = daemon(text=json.dumps({**document, "upload": section}))
    d.wait_captured()
    d.capture_now()
    d.wait_captured(count=2)

    def archived():
        done = sorted((d.spool.path / "archive").rglob("*.trace"))
        return len(done) == 2 and not list((d.spool.path / "pending").rglob("*.trace")) and done

    sent = {}
    for path in wait_until("both traces are archived", archived):
        key = str(path.relative_to(d.spool.path / "archive"))
        sent[key] = path.read_bytes()
        sent[key.removesuffix(".trace") + ".json"] = path.with_suffix(".json").read_bytes()
    d.stop()
    assert not d.problems()
    return sent


def below(root):
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and "/.contrace" not in str(p)
    }


def test_daemon_to_directory(daemon, serve, tmp_path):
    root = tmp_path / "share"
    root.mkdir()
    assert upload(daemon, serve, tmp_path, {"url": f"file://{root}"}) == below(root)
    assert len(list((root / ".contrace").iterdir())) == 1


@pytest.fixture
def disk(tmp_path):
    """disk(mounted) mounts a directory's content at mnt, or takes it away again."""
    need_root()
    content, place = tmp_path / "content", tmp_path / "mnt"
    content.mkdir()
    place.mkdir()

    def switch(mounted):
        if mounted:
            done = run("mount", "--bind", content, place, check=False)
            need(done.returncode == 0, f"cannot mount here: {done.stderr.strip()}")
        else:
            run("umount", place)

    yield switch
    run("umount", place, check=False)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("required", [False, True])
def test_directory_whose_disk_is_not_mounted(required, restarted, disk, daemon, serve, tmp_path):
    """Nothing goes under the mount point; what waits goes out when the disk is there again."""
    place, target = tmp_path / "mnt", serve(healthy())
    section = {"url": f"file://{place}", "require_mount": required, "keep_local": False}

    def start():
        return daemon([job("s", target.address)], upload=section)

    disk(True)
    d = start()
    wait_until("the first is there", lambda: list(place.rglob("*.json")))
    wait_until("nothing waits", lambda: not d.spool.pending())
    if restarted:
        d.stop()
        time.sleep(1)  # a key has seconds, and the next run does not know those of this one
    disk(False)
    if restarted:
        d = start()
    d.capture_now()
    # Where /tmp is a file system of its own, something is mounted above: the mark tells.
    mounted_above = any(os.path.ismount(p) for p in place.parents if p != p.parent)
    nothing = required and not mounted_above
    said = d.wait_log("nothing is mounted at" if nothing else "is not the one that traces went to")
    assert "mount its disk" in said["msg"]
    wait_until("it waits", d.spool.pending)
    assert list(place.iterdir()) == []
    d.stop()
    disk(True)
    d = start()
    wait_until("nothing waits", lambda: not d.spool.pending())
    assert len(list(place.rglob("*.trace"))) >= 2
    assert not d.problems()


def test_daemon_to_webdav(daemon, serve, tmp_path, nginx):
    section = {
        "url": nginx.url("basic", tls=True),
        "tls_config": {"ca_file": str(nginx.certificate)},
        "basic_auth": {
            "username": "user",
            "password_file": str(secret(tmp_path / "password", "pass word")),
        },
    }
    assert upload(daemon, serve, tmp_path, section) == below(nginx.root / "basic")


def test_daemon_to_azure(daemon, serve, tmp_path, azure):
    section = {name: str(value) for name, value in azure_section(azure, tmp_path).items()}
    sent = upload(daemon, serve, tmp_path, section)
    for key, body in sent.items():
        status, headers, got = blob(azure, key)
        assert (status, got) == (200, body)
        assert headers["x-ms-meta-service"] == "shop"
