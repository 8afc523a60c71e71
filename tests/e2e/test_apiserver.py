# SPDX-License-Identifier: Apache-2.0
"""Pods that a real API server tells of, with the rights and tokens that a DaemonSet has."""

import itertools
import os
import time

import kube
import pytest
from apiserver import ApiServer, Link, pod, running
from hostile import healthy
from support import need_root, wait_until

OURS = {"contrace/scrape": "true"}
NAMESPACES = itertools.count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    server = ApiServer(tmp_path_factory.mktemp("apiserver"))
    allow(server)
    yield server
    server.close()


def allow(server):
    """What kubernetes/daemonset allows its service account, and nothing else."""
    server.namespace("contrace")
    server.service_account("contrace", "contrace")
    for item in kube.render("daemonset"):
        if item["apiVersion"] == "rbac.authorization.k8s.io/v1":
            server.post(f"/apis/{item['apiVersion']}/{item['kind'].lower()}s", item)


@pytest.fixture
def place(api):
    """A namespace of the test's own."""
    name = f"shop-{next(NAMESPACES)}"
    api.namespace(name)
    return name


@pytest.fixture
def token(api, tmp_path):
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(api.token("contrace", "contrace"))
    return path


def sd_job(api, place, token, port=None, **section):
    url = f"https://127.0.0.1:{port}" if port else api.url
    section = {
        "role": "pod",
        "api_server": url,
        "namespaces": {"names": [place]},
        "authorization": {"credentials_file": str(token)},
        "tls_config": {"ca_file": str(api.ca_file)},
        **section,
    }
    return {
        "job_name": "pods",
        "incident_artifacts": ["trace"],
        "kubernetes_sd_configs": [section],
    }


def shop(server, name, place, **more):
    """A pod in which the server listens."""
    port = server.address.rsplit(":", 1)[1]
    return pod(name, place, annotations={**OURS, "contrace/port": port}, **more)


def wait_only(d, services, *gone):
    def captured():
        mark, before = d.mark(), [len(s.requests) for s in gone]
        d.capture_now()
        for service in services:
            d.wait_captured(service=service, after=mark)
        wait_until("the captures have ended", lambda: not d.spool.incoming())
        return [len(s.requests) for s in gone] == before

    wait_until(f"only {sorted(services)} are captured", captured, interval=0.1)


def test_pods_come_and_go(api, place, token, serve, daemon):
    """A pod is captured within a second of running, and no more when it is gone."""
    a, b = serve(healthy()), serve(healthy())
    owner = ("ReplicaSet", "checkout-7d4b9c6f5")
    one = shop(a, "checkout-7d4b9c6f5-x2x4z", place, owner=owner)
    two = shop(b, "db-0", place, owner=("StatefulSet", "db"))
    api.create(one)
    d = daemon([sd_job(api, place, token)])
    d.wait_log(f"pods of namespace {place} are followed")
    assert not a.requests
    api.status(one, **running())
    began = time.monotonic()
    d.wait_captured(service="checkout")
    took = time.monotonic() - began
    api.create(two, **running("127.0.0.2"))
    d.wait_captured(service="db")
    api.delete(one)
    wait_only(d, {"db"}, a)
    api.status(two, phase="Failed")
    wait_only(d, set(), a, b)
    d.stop()
    assert d.problems() == []
    print(f"from Running to captured: {took:.2f} s, of which the trace has 0.2")
    records = d.spool.check().values()
    assert {(r["service"], r["host"]) for r in records} == {
        ("checkout", "checkout-7d4b9c6f5-x2x4z"), ("db", "db-0"),
    }  # fmt: skip


def test_by_the_hundred(api, place, token, daemon):
    """Three hundred come, change and go, while the daemon watches."""
    pods = [pod(f"p{i}", place, annotations=OURS, ports={"pprof": 1}) for i in range(300)]
    d = daemon([sd_job(api, place, token)], glob={"scrape_interval": "300d"})
    d.wait_log(f"pods of namespace {place} are followed")
    for i, item in enumerate(pods):
        api.create(item, **running(f"127.1.{i // 200}.{i % 200 + 1}"))
    mark = d.mark()
    d.signal(1)
    line = d.wait_log("reloaded", after=mark)
    wait_for_count(d, 300)
    for item in pods[:200]:
        api.delete(item)
    wait_for_count(d, 100)
    for item in pods[200:]:
        api.status(item, phase="Succeeded")
    wait_for_count(d, 0)
    d.stop()
    assert "reloaded" in line["msg"]


def wait_for_count(d, n):
    """A reload says how many targets there are; it lists nothing again."""

    def said():
        mark = d.mark()
        d.signal(1)
        return f": {n} target" in d.wait_log("reloaded", after=mark)["msg"]

    wait_until(f"there are {n} targets", said, interval=0.1)


def test_the_watch_is_cut(api, place, token, serve, daemon):
    """It goes on where it was, without a list."""
    a, b = serve(healthy()), serve(healthy())
    api.create(shop(a, "a", place), **running())
    link = Link(api.port)
    d = daemon([sd_job(api, place, token, link.port)])
    d.wait_captured(service="a")
    for _ in range(2):
        before = link.connections
        link.drop()
        wait_until("it is connected again", lambda n=before: link.connections > n)
    api.create(shop(b, "b", place), **running("127.0.0.2"))
    d.wait_captured(service="b")
    wait_only(d, {"a", "b"})
    d.stop()
    link.cut()
    assert d.problems() == []


def test_the_server_is_away(api, place, token, serve, daemon):
    """What is known stays and is captured on. What happened meanwhile is learned afterwards, also when
    the server has forgotten how."""
    a, b, c = serve(healthy()), serve(healthy()), serve(healthy())
    one, two = shop(a, "a", place), shop(b, "b", place)
    api.create(one, **running())
    api.create(two, **running("127.0.0.2"))
    link = Link(api.port)
    d = daemon([sd_job(api, place, token, link.port)])
    d.wait_captured(service="a")
    d.wait_captured(service="b")
    link.cut()
    d.wait_log("cannot be followed")
    wait_only(d, {"a", "b"})
    api.delete(one)
    api.create(shop(c, "c", place), **running("127.0.0.3"))
    # Neither its memory nor etcd has the events: 410.
    api.compact()
    api.stop()
    api.start()
    link.mend()
    d.wait_log("are followed again")
    d.wait_captured(service="c")
    wait_only(d, {"b", "c"}, a)
    d.stop()
    [line] = d.problems()
    assert "the 2 that are known stay" in line["msg"]


def test_a_token_that_is_no_longer_valid(api, place, token, serve, daemon):
    """The file is read again, and says a new one."""
    a, b = serve(healthy()), serve(healthy())
    api.create(shop(a, "a", place), **running())
    good = token.read_text()
    token.write_text("not-a-token")
    d = daemon([sd_job(api, place, token)])
    line = d.wait_log("cannot be followed")
    assert "Unauthorized" in line["msg"] and "not-a-token" not in line["msg"]
    token.write_text(good)
    d.wait_log("are followed again")
    d.wait_captured(service="a")
    # It is asked for with each request: what a watch began with does not matter.
    token.write_text(api.token("contrace", "contrace"))
    api.create(shop(b, "b", place), **running("127.0.0.2"))
    d.wait_captured(service="b")
    d.stop()
    assert len(d.problems()) == 1
    assert good not in str(d.lines)


def test_without_a_right(api, place, token, serve, daemon):
    """The log says what a Role must allow."""
    api.service_account("contrace", "nobody")
    token.write_text(api.token("contrace", "nobody"))
    a = serve(healthy())
    api.create(shop(a, "a", place), **running())
    d = daemon([sd_job(api, place, token)])
    line = d.wait_log("cannot be followed")
    assert "forbidden" in line["msg"] and "get, list and watch of pods" in line["msg"]
    token.write_text(api.token("contrace", "contrace"))
    d.wait_captured(service="a")
    d.stop()


def test_own_node_and_selectors(api, place, token, serve, daemon):
    """Selectors are the server's to apply."""
    a, b, c = serve(healthy()), serve(healthy()), serve(healthy())
    here = {"node": f"node-of-{place}", "labels": {"tier": "web"}}
    api.create(shop(a, "a", place, **here), **running())
    api.create(shop(b, "b", place, node="elsewhere"), **running("127.0.0.2"))
    api.create(shop(c, "c", place, node=here["node"]), **running("127.0.0.3"))
    selectors = [
        {"role": "pod", "field": f"spec.nodeName={here['node']}", "label": "tier in (web, api)"}
    ]
    job = sd_job(api, place, token, selectors=selectors)
    del job["kubernetes_sd_configs"][0]["namespaces"]
    d = daemon([job])
    d.wait_captured(service="a")
    wait_only(d, {"a"}, b, c)
    d.stop()
    assert d.problems() == []


def test_in_a_pod(api, serve, daemon, tmp_path):
    """With what each program in a pod has, and nothing in the configuration. Of ten services of ten pods it
    has those of its node."""
    need_root()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "token").write_text(api.token("contrace", "contrace"))
    (secrets / "ca.crt").write_text(api.ca_file.read_text())
    (secrets / "namespace").write_text("contrace")
    server = serve(healthy())
    for i in range(100):
        place = f"team-{i % 10}"
        api.namespace(place)
        owner = ("ReplicaSet", f"service-{i % 10}-7d4b9c6f5")
        node = "node-a" if i % 2 else "node-b"
        one = shop(server, f"service-{i % 10}-7d4b9c6f5-{i:05d}", place, owner=owner, node=node)
        api.create(one, **running(f"127.0.1.{i + 1}"))
    at = "/var/run/secrets/kubernetes.io/serviceaccount"
    inside = (
        "mount -t tmpfs -o mode=0755 tmpfs /run && mkdir -p $1 && cp $2/* $1 && chmod 0644 $1/* && "
        'shift 2 && exec "$@"'
    )
    job = {"job_name": "pods", "kubernetes_sd_configs": [{"role": "pod"}]}
    d = daemon(
        [job], glob={"max_concurrent_captures": 8},
        wrap=["unshare", "--mount", "sh", "-c", inside, "sh", at, str(secrets)],
        env={**os.environ, "NODE_NAME": "node-a", "KUBERNETES_SERVICE_HOST": "127.0.0.1",
             "KUBERNETES_SERVICE_PORT": str(api.port)},
    )  # fmt: skip
    d.wait_captured(count=50)
    wait_until("the captures have ended", lambda: not d.spool.incoming())
    d.stop()
    assert d.problems() == []
    records = d.spool.check().values()
    assert {r["service"] for r in records} == {f"service-{i}" for i in range(1, 10, 2)}
    assert {r["labels"]["node"] for r in records} == {"node-a"}
    assert len({r["host"] for r in records}) == 50
