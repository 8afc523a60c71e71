# SPDX-License-Identifier: Apache-2.0
"""How a store and those asked on its behalf are reached: what Host says on default ports, private
authorities, proxies, gateways with a path; and the headers that a bucket demands."""

import base64
import contextlib
import hashlib
import socket
import subprocess
import threading

import pytest
from forward import Forward
from hostile import Server, healthy, trace
from keysmith import ROLE_ARN, WEB_TOKEN, Keysmith
from store import BUCKET, REGION, Refusal, Store
from storefaults import Authority
from support import BUILD, Daemon, job, need, need_root
from uploads import PREFIX, arrived, backlog, clean_env, secret_file, section, wait_archived

CONTRACE = BUILD / "contrace"
CANARY = "CANARY"


@pytest.fixture
def authority(tmp_path):
    directory = tmp_path / "authority"
    directory.mkdir()
    return Authority(directory)


@pytest.fixture
def upload(tmp_path):
    """upload(section, …) starts contraced with a trace that waits; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(members, env=None, jobs=None):
            d = Daemon(
                tmp_path / "daemon", jobs or [job("s", "127.0.0.1:1")], upload=members,
                env=clean_env(**(env or {})), wait=False, glob={"scrape_interval": "1h"},
            )  # fmt: skip
            stack.push(d.__exit__)
            return d

        yield start


def waiting(tmp_path):
    """A trace in the spool before contraced starts; its key."""

    class Spool:
        path = tmp_path / "daemon" / "spool"

    for part in ("", "pending", "incoming", "archive"):
        (Spool.path / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    return backlog(Spool, 1, trace(2))[0]


def taken(d, store, key):
    wait_archived(d)
    assert arrived(store, key)
    assert not store.refusals


def listed(d, env=None, **more):
    done = subprocess.run(
        [CONTRACE, "list", "--remote", "--json", f"--config.file={d.config}"],
        capture_output=True, text=True, timeout=60, check=False, env=clean_env(**(env or {})), **more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def pulled(d, key, tmp_path):
    out = tmp_path / "pulled"
    done = subprocess.run(
        [CONTRACE, "pull", "--remote", f"--config.file={d.config}", "-o", out, key],
        capture_output=True, text=True, timeout=60, check=False, env=clean_env(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return (out / key).read_bytes()


@pytest.mark.parametrize(("port", "tls"), [(443, True), (80, False)])
def test_default_port(upload, authority, tmp_path, port, tls):
    """The store's own name, its port left out or written: what is sent is what was signed."""
    need_root()  # which may listen on ports below 1024
    context = authority.context("store", names="DNS:store.internal") if tls else None
    address = ("127.0.43.1", port)
    try:
        store = Store(tls=context, address=address)
    except OSError:
        need(False, f"port {port} is taken")
    scheme = "https" if tls else "http"
    more = {"tls_config": {"ca_file": str(authority.file), "server_name": "store.internal"}}
    with store:
        key = waiting(tmp_path)
        written = f"{scheme}://{address[0]}:{port}/"
        d = upload(section(tmp_path, written, **(more if tls else {})))
        taken(d, store, key)
        assert key in listed(d)
        assert pulled(d, key, tmp_path) == trace(2)
        assert {r.headers["host"] for r in store.requests} == {address[0]}
        assert not store.refusals


@pytest.mark.parametrize("beside", ["ca_file", "insecure_skip_verify"])
def test_sts_behind_a_private_authority(upload, authority, tmp_path, beside):
    """Of the store's settings, those that its STS needs count for it, too."""
    context = authority.context("store", names="DNS:store.internal")
    with Store(tls=context) as store, Keysmith(store, tls=context) as smith:
        key = waiting(tmp_path)
        tls = {"insecure_skip_verify": True} if beside != "ca_file" else {
            "ca_file": str(authority.file), "server_name": "store.internal"}  # fmt: skip
        if beside == "ca_file":  # one server for both, as with MinIO: its name counts for STS
            smith.tls = store.tls = authority.context(
                "both", names="DNS:store.internal,IP:127.0.0.1"
            )
        d = upload(
            {"url": f"s3://{BUCKET}/{PREFIX}", "endpoint": store.endpoint, "region": REGION,
             "tls_config": tls},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": secret_file(tmp_path / "token", WEB_TOKEN),
             "AWS_ROLE_ARN": ROLE_ARN, "AWS_ENDPOINT_URL_STS": smith.endpoint},
        )  # fmt: skip
        taken(d, store, key)


def test_sts_that_is_not_trusted(upload, authority, tmp_path):
    with Store() as store, Keysmith(store, tls=authority.context("sts")) as smith:
        d = upload(
            {"url": f"s3://{BUCKET}", "endpoint": store.endpoint, "region": REGION},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": secret_file(tmp_path / "token", WEB_TOKEN),
             "AWS_ROLE_ARN": ROLE_ARN, "AWS_ENDPOINT_URL_STS": smith.endpoint},
        )  # fmt: skip
        line = d.wait_log("will not work")
        assert "name the authority of its certificate with upload.tls_config.ca_file" in line["msg"]
        assert not smith.requests


@pytest.mark.parametrize("tls", [True, False])
def test_proxy_of_the_environment(upload, authority, tmp_path, tls):
    """Traces, listings and STS go through it; what NO_PROXY names does not. Without TLS there is no
    STS: a token would go in clear."""
    context = authority.context("store", names="DNS:store.invalid,DNS:sts.invalid") if tls else None
    scheme = "https" if tls else "http"
    with Store(tls=context) as store, Keysmith(store, tls=context) as smith:
        routes = {"store.invalid:9000": ("127.0.0.1", store.port),
                  "sts.invalid:9001": ("127.0.0.1", smith.port)}  # fmt: skip
        with Forward(routes, user=f"me:{CANARY}") as proxy:
            key = waiting(tmp_path)
            env = {
                f"{scheme}_proxy": proxy.url(f"me:{CANARY}"), "NO_PROXY": "10.0.0.0/8,.example",
            }  # fmt: skip
            if tls:
                env |= {
                    "AWS_WEB_IDENTITY_TOKEN_FILE": secret_file(tmp_path / "token", WEB_TOKEN),
                    "AWS_ROLE_ARN": ROLE_ARN, "AWS_ENDPOINT_URL_STS": "https://sts.invalid:9001",
                }  # fmt: skip
            else:
                store.keys = {"AK": ("sk", None)}
                env |= {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "sk"}
            members = {"url": f"s3://{BUCKET}/{PREFIX}", "endpoint": f"{scheme}://store.invalid:9000",
                       "region": REGION}  # fmt: skip
            if tls:
                members["tls_config"] = {"ca_file": str(authority.file)}
            d = upload(members, env)
            taken(d, store, key)
            assert key in listed(d, env)
            asked = " ".join(proxy.asked)
            assert "store.invalid:9000" in asked and ("sts.invalid:9001" in asked) == tls
            assert not [x for x in d.lines + d.other if CANARY in str(x)]


@pytest.mark.parametrize(
    ("refusal", "user", "said"),
    [
        ("403 Forbidden", None, "refuses to connect to store.invalid:9000 (403)"),
        ("503 Busy", None, "cannot connect to store.invalid:9000 (503)"),
        (None, f"me:{CANARY}", "wants a user and a password that it accepts (407)"),
    ],
)
def test_proxy_that_refuses(upload, authority, tmp_path, refusal, user, said):
    with Forward({}, user=user) as proxy:
        proxy.refusal = refusal
        d = upload(
            section(tmp_path, "https://store.invalid:9000"),
            {"HTTPS_PROXY": proxy.url(f"other:{CANARY}")},
        )
        line = d.wait_log("will not work")
        assert f"the proxy {proxy.url()} (HTTPS_PROXY) {said}" in line["msg"]
        assert not [x for x in d.lines + d.other if CANARY in str(x)]


def test_proxy_that_refuses_before_it_reads(upload, tmp_path):
    """A 407 that came before the reset is the answer: a person must act, whoever reset it."""
    with Forward({}, user=f"me:{CANARY}") as proxy:
        proxy.abrupt = True
        d = upload(section(tmp_path, "http://store.invalid:9000"), {"http_proxy": proxy.url()})
        said = f"the proxy {proxy.url()} (http_proxy) wants a user and a password"
        assert said in d.wait_log("will not work")["msg"]


def test_store_without_tls(upload, tmp_path):
    """As of targets: what answers, answers in plain HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    sock.recv(65536)

    threading.Thread(target=answer, daemon=True).start()
    with listener:
        d = upload(section(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}"))
        assert "the store speaks no TLS there" in d.wait_log("will not work")["msg"]
        listener.shutdown(socket.SHUT_RDWR)


def test_proxy_of_the_configuration(upload, tmp_path):
    """It goes before the environment's, also to loopback; what is excepted goes straight."""
    dead = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "*"}
    with Store() as store, Forward({f"127.0.0.1:{store.port}": ("127.0.0.1", store.port)}) as proxy:
        key = waiting(tmp_path)
        members = section(tmp_path, store.endpoint, proxy_url=proxy.url())
        d = upload(members, dead)
        taken(d, store, key)
        assert proxy.asked
        d.stop()
    with Store() as store:
        members = section(tmp_path, store.endpoint, proxy_url="http://127.0.0.1:9",
                          no_proxy="127.0.0.0/8")  # fmt: skip
        upload(members).wait_log("uploads to s3://traces/prod", level="info")


@pytest.mark.parametrize("way", ["proxy_url", "proxy_from_environment", None])
def test_targets(upload, tmp_path, way):
    """Without a word in its job, a target is reached straight, whatever the environment says."""
    target = Server(healthy(trace(2)))
    port = target.address.rpartition(":")[2]
    with (
        contextlib.closing(target),
        Forward({"shop.invalid:6060": ("127.0.0.1", int(port))}) as proxy,
    ):
        more = {"proxy_url": {"proxy_url": proxy.url()},
                "proxy_from_environment": {"proxy_from_environment": True}}.get(way, {})  # fmt: skip
        address = "shop.invalid:6060" if way else target.address
        d = upload(None, {"HTTP_PROXY": proxy.url()}, [job("s", address, **more)])
        d.wait_captured()
        assert bool(proxy.asked) == bool(way)


class Gateway(Store):
    """S3 below a path; the signature covers it."""

    def object_name(self, r):
        if not r.name.startswith("/s3/"):
            raise Refusal("404 Not Found", "NoSuchPage", "another server")
        inner, r.path = r.path, r.path[len("/s3") :]
        try:
            return super().object_name(r)
        finally:
            r.path = inner

    def show(self, x):
        if x.request.name == f"/s3/{BUCKET}":
            self.check_head(x.request)
            x.answer(
                "200 OK", self.listing(f"{BUCKET}/", x.request), "Content-Type: application/xml"
            )
        else:
            super().show(x)


def test_endpoint_with_a_path(upload, tmp_path):
    with Gateway() as store:
        key = waiting(tmp_path)
        d = upload(section(tmp_path, f"{store.endpoint}/s3/"))
        taken(d, store, key)
        assert pulled(d, key, tmp_path) == trace(2)
        assert key in listed(d)


class Locked(Store):
    """A bucket with a default retention, as Amazon answers for one."""

    def take(self, x):
        r = x.request
        told = r.headers.get("x-amz-checksum-sha256")
        if not told:
            raise Refusal(
                "400 Bad Request", "InvalidRequest",
                "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests "
                "with Object Lock parameters",
            )  # fmt: skip
        super().take(x)
        if base64.b64decode(told) != hashlib.sha256(r.body).digest():
            raise Refusal("400 Bad Request", "BadDigest", "another hash")


def test_object_lock(upload, tmp_path):
    with Locked() as store:
        key = waiting(tmp_path)
        d = upload(section(tmp_path, store.endpoint))
        taken(d, store, key)
        assert len(store.asked("PUT")) == 3  # the probe, the trace, its record


def test_object_lock_without_a_checksum(upload, tmp_path):
    with Locked() as store:
        waiting(tmp_path)
        d = upload(section(tmp_path, store.endpoint, checksum="none"))
        line = d.wait_log("will not work")
        assert "the bucket demands x-amz-checksum-sha256: write `checksum: auto`" in line["msg"]
        assert d.spool.pending()


class Plain(Store):
    """One that knows no checksums, as Backblaze's."""

    def take(self, x):
        if "x-amz-checksum-sha256" in x.request.headers:
            raise Refusal("400 Bad Request", "InvalidArgument",
                          "Unsupported header 'x-amz-checksum-sha256' received for this API call.")  # fmt: skip
        super().take(x)


def test_store_without_checksums(upload, tmp_path):
    with Plain() as store:
        key = waiting(tmp_path)
        d = upload(section(tmp_path, store.endpoint))
        wait_archived(d)
        assert arrived(store, key)
        assert [code for _, code in store.refusals] == ["InvalidArgument"]
        d.wait_log("refuses x-amz-checksum-sha256: objects are sent without it")


def test_headers_that_are_demanded(upload, tmp_path):
    with Store() as store:
        waiting(tmp_path)
        d = upload(section(
            tmp_path, store.endpoint, acl="bucket-owner-full-control", request_payer="requester",
            server_side_encryption="aws:kms", sse_kms_context={"team": "checkout"},
        ))  # fmt: skip
        wait_archived(d)
        context = base64.b64encode(b'{"team":"checkout"}').decode()
        for r in store.asked("PUT"):
            assert r.headers["x-amz-acl"] == "bucket-owner-full-control"
            assert r.headers["x-amz-server-side-encryption-context"] == context
        listed(d)
        assert all(r.headers["x-amz-request-payer"] == "requester" for r in store.requests)
        assert not store.refusals


def test_no_proxy_for_sockets(upload, tmp_path):
    """A unix socket is never reached through one."""
    path = tmp_path / "s"
    target = Server(healthy(trace(2)), path=str(path))
    with contextlib.closing(target), socket.create_server(("127.0.0.1", 0)) as dead:
        proxy = f"http://127.0.0.1:{dead.getsockname()[1]}"
        d = upload(None, None, [job("s", f"unix:{path}", proxy_url=proxy)])
        d.wait_captured()
