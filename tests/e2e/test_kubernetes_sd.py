# SPDX-License-Identifier: Apache-2.0
"""Pods that an API server tells of, and what it may do meanwhile. A scripted one: test_apiserver.py has the
real one."""

import os

from apiserver import pod, running
from hostile import healthy
from scriptedapi import ScriptedApi, holding, listing, refusing
from support import contraced, wait_until

OURS = {"contrace/scrape": "true"}
POD_BYTES = 2048


def sd_job(api, name="pods", section=None, **more):
    section = {
        "role": "pod",
        "api_server": getattr(api, "url", api),
        "namespaces": {"names": ["shop"]},
        **(section or {}),
    }
    return {
        "job_name": name,
        "incident_artifacts": ["trace"],
        "kubernetes_sd_configs": [section],
        **more,
    }


def found(server, name, annotations=None, ip="127.0.0.1", **more):
    """A pod that runs, with the server as what listens in it."""
    port = server.address.rsplit(":", 1)[1]
    annotations = {**OURS, "contrace/port": port, **(annotations or {})}
    return {**pod(name, annotations=annotations, **more), "status": running(ip)}


def asked(server):
    return len(server.requests)


def test_a_pod_is_found_and_captured(serve, daemon):
    """The key has the pod and its workload, the record what else is known."""
    a = serve(healthy())
    owner = ("ReplicaSet", "checkout-7d4b9c6f5")
    labels = {"pod-template-hash": "7d4b9c6f5"}
    shop = found(a, "checkout-7d4b9c6f5-x2x4z", owner=owner, labels=labels)
    other = {**pod("bystander", ports={"http": 1}), "status": running()}
    with ScriptedApi(listing([shop, other], "7"), holding()) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="checkout")
        wait_until("it watches", lambda: len(api.calls) == 2)
        d.stop()
    assert d.problems() == []
    [record] = d.spool.check().values()
    assert (record["host"], record["job"]) == ("checkout-7d4b9c6f5-x2x4z", "pods")
    assert record["labels"] == {
        "service": "checkout",
        "namespace": "shop",
        "pod": "checkout-7d4b9c6f5-x2x4z",
        "node": "node-1",
    }
    first, second = api.calls
    assert first.path == second.path == "/api/v1/namespaces/shop/pods"
    assert first.query == {"limit": "500", "resourceVersion": "0"}
    assert 300 <= int(second.query.pop("timeoutSeconds")) <= 600
    assert second.query == {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "7"}


def test_pods_come_and_go(serve, daemon):
    """Within a second of being Running with an address; and until they are deleted or have ended."""
    a, b, c = serve(healthy()), serve(healthy()), serve(healthy())
    waiting = {**found(a, "a"), "status": {"phase": "Pending"}}
    steps = dict.fromkeys(("run", "delete", "succeed"))

    def watch(call):
        call.begin()
        call.event("ADDED", waiting, "2")
        steps["run"] = lambda: call.event("MODIFIED", found(a, "a"), "3")
        steps["delete"] = lambda: call.event("DELETED", found(b, "b"), "4")
        ended = {**found(c, "c"), "status": {**running(), "phase": "Succeeded"}}
        steps["succeed"] = lambda: call.event("MODIFIED", ended, "5")
        call.hold()

    with ScriptedApi(listing([found(b, "b"), found(c, "c")]), watch) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(count=2)
        wait_until("it watches", lambda: steps["succeed"])
        assert asked(a) == 0
        steps["run"]()
        d.wait_captured(service="a", timeout=5)
        steps["delete"]()
        wait_only(d, {"a", "c"}, b)
        steps["succeed"]()
        wait_only(d, {"a"}, b, c)
        d.stop()
    assert d.problems() == []


def wait_only(d, services, *gone):
    """Until a signal captures exactly these services, and of `gone` nobody is asked."""

    def captured():
        mark, before = d.mark(), [asked(s) for s in gone]
        d.capture_now()
        for service in services:
            d.wait_captured(service=service, after=mark)
        wait_until("the captures have ended", lambda: not d.spool.incoming())
        return [asked(s) for s in gone] == before

    wait_until(f"only {sorted(services)} are captured", captured, interval=0.1)


def test_pages(serve, daemon):
    servers = [serve(healthy()) for _ in range(3)]
    pods = [found(s, f"p{i}") for i, s in enumerate(servers)]
    with ScriptedApi(
        listing(pods[:1], "5", "more/1="), refusing(500), listing(pods[1:2], "5", "more/2"),
        listing(pods[2:], "6"), holding(),
    ) as api:  # fmt: skip
        d = daemon([sd_job(api)])
        d.wait_captured(count=3)
        wait_until("it watches", lambda: len(api.calls) == 5)
        d.stop()
    assert [call.query.get("continue") for call in api.calls] == [
        None, "more/1=", "more/1=", "more/2", None,
    ]  # fmt: skip
    assert api.calls[4].query["resourceVersion"] == "6"


def test_a_page_that_has_expired(serve, daemon):
    """All is asked for in one piece. What the first list had is not forgotten meanwhile."""
    a, b = serve(healthy()), serve(healthy())
    with ScriptedApi(
        listing([found(a, "a")], "5", "more"),
        refusing(410),
        listing([found(b, "b")], "6"),
        holding(),
    ) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="b")
        wait_only(d, {"b"}, a)
        d.stop()
    assert api.calls[2].query == {}


def test_too_many_requests(serve, daemon):
    """Retry-After is kept to, and the log has the server's words once."""
    a = serve(healthy())
    busy = refusing(429, "too many requests, please try again later", Retry_After="1")
    with ScriptedApi(busy, busy, listing([found(a, "a")]), holding()) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="a")
        wait_until("it watches", lambda: len(api.calls) == 4)
        d.wait_log("are followed again")
        d.stop()
    first, second, third, _ = api.calls
    assert second.at - first.at >= 1 and third.at - second.at >= 1
    [line] = d.problems()
    assert "please try again later" in line["msg"] and "namespace shop" in line["msg"]


def test_server_errors(serve, daemon):
    """Nothing that is known is forgotten."""
    a = serve(healthy())
    with ScriptedApi(
        listing([found(a, "a")], "3"), refusing(500), refusing(503), refusing(502), holding()
    ) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="a")
        wait_until("it watches again", lambda: len(api.calls) == 5)
        d.wait_log("are followed again: 1 now")
        wait_only(d, {"a"})
        d.stop()
    assert [call.query.get("resourceVersion") for call in api.calls] == ["0", "3", "3", "3", "3"]
    assert all(call.watch for call in api.calls[1:])


def test_gone_in_the_middle_of_a_watch(serve, daemon):
    """As an event: a new list, from what the server has in memory; pods stay until it is whole."""
    a, b, c = serve(healthy()), serve(healthy()), serve(healthy())

    def expired(call):
        call.begin()
        call.event("BOOKMARK", {"kind": "Pod"}, "8")
        status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
        call.event("ERROR", status)
        call.hold()

    with ScriptedApi(
        listing([found(a, "a"), found(b, "b")], "3"), expired, refusing(500),
        listing([found(b, "b"), found(c, "c")], "9"), holding(),
    ) as api:  # fmt: skip
        d = daemon([sd_job(api)])
        d.wait_captured(service="a")
        d.wait_captured(service="c")
        wait_only(d, {"b", "c"}, a)
        d.stop()
    assert [call.query.get("resourceVersion") for call in api.calls] == ["0", "3", "8", "8", "9"]
    assert api.calls[2].query["resourceVersionMatch"] == "NotOlderThan"


def test_a_watch_that_is_cut_in_an_event(serve, daemon):
    """It goes on from the last whole event."""
    a, b = serve(healthy()), serve(healthy())

    def cut(call):
        call.begin()
        call.event("ADDED", found(a, "a"), "4")
        call.raw(b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"5"')
        call.handler.close_connection = True
        call.handler.connection.shutdown(2)

    with ScriptedApi(listing([], "3"), cut, holding(("ADDED", found(b, "b"), "5"))) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="a")
        d.wait_captured(service="b")
        d.stop()
    assert d.problems() == []
    assert api.calls[2].query["resourceVersion"] == "4"


def test_what_is_no_event(serve, daemon):
    """Nobody knows what was missed: the pods are listed again."""
    a, b = serve(healthy()), serve(healthy())

    def garbage(call):
        call.begin()
        call.raw(b"<html>gateway</html>\n")
        call.hold()

    with ScriptedApi(
        listing([found(a, "a")], "3"),
        garbage,
        listing([found(a, "a"), found(b, "b")], "4"),
        holding(),
    ) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="b")
        d.stop()
    assert api.calls[2].query["resourceVersion"] == "3" and not api.calls[2].watch


def test_an_annotation_that_is_wrong(serve, daemon):
    """It is said with the pod's name, and what to do."""
    a = serve(healthy())
    wrong = found(a, "wrong", {"contrace/port": "pprof"})
    with ScriptedApi(listing([wrong, found(a, "right")]), holding()) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="right")
        d.stop()
    [line] = d.problems()
    assert "shop/wrong" in line["msg"] and "no container declares" in line["msg"]


def test_path_of_an_annotation(serve, daemon):
    a, b = serve(healthy()), serve(healthy())
    own = found(a, "own", {"contrace/path": "/admin/trace", "contrace/service": "pay"})
    port = b.address.rsplit(":", 1)[1]
    grafana = {
        "profiles.grafana.com/cpu.scrape": "true",
        "profiles.grafana.com/cpu.port": port,
        "profiles.grafana.com/cpu.path": "/internal/pprof/profile",
    }
    theirs = {**pod("theirs", annotations=grafana), "status": running()}
    with ScriptedApi(listing([own, theirs]), holding()) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="pay")
        d.wait_captured(service="theirs")
        d.stop()
    assert a.requests[0].startswith("GET /admin/trace?seconds=")
    assert b.requests[0].startswith("GET /internal/pprof/trace?seconds=")


def test_artifacts_of_an_annotation(serve, daemon):
    """Of this pod, beside those of the job's others."""
    a, b, c = serve(healthy()), serve(healthy()), serve(healthy())
    more = found(a, "more", {"contrace/artifacts": "trace, goroutine"})
    none = found(c, "none", {"contrace/artifacts": "trace,tracer"})
    with ScriptedApi(listing([more, none, found(b, "usual")]), holding()) as api:
        d = daemon([sd_job(api)])
        wait_until("both are asked for", lambda: len(a.requests) == 2)
        d.wait_captured(service="usual")
        d.stop()
    paths = {request.split()[1].split("?")[0] for request in a.requests}
    assert paths == {"/debug/pprof/trace", "/debug/pprof/goroutine"}
    assert len(b.requests) == 1 and not c.requests


def test_relabelled(serve, daemon):
    """With relabel_configs there is a target for each declared port, with Prometheus's labels."""
    a = serve(healthy())
    port = int(a.address.rsplit(":", 1)[1])
    shop = pod(
        "shop-1", labels={"app.kubernetes.io/name": "store"}, ports={"web": 1, "debug": port}
    )
    rules = [
        {
            "source_labels": ["__meta_kubernetes_pod_container_port_name"],
            "regex": "debug",
            "action": "keep",
        },
        {
            "source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"],
            "target_label": "service",
        },
        {"source_labels": ["__meta_kubernetes_pod_phase"], "target_label": "phase"},
    ]
    with ScriptedApi(listing([{**shop, "status": running()}]), holding()) as api:
        d = daemon([sd_job(api, relabel_configs=rules)])
        d.wait_captured(service="store")
        d.stop()
    assert d.problems() == []
    [record] = d.spool.check().values()
    assert record["labels"]["phase"] == "Running" and record["host"] == "shop-1"


def test_own_node(daemon, serve):
    """A daemon of a DaemonSet looks for the pods of its node only."""
    a = serve(healthy())
    job = sd_job(None)
    with ScriptedApi(listing([found(a, "a")]), holding()) as api:
        job["kubernetes_sd_configs"] = [{"role": "pod", "api_server": api.url}]
        d = daemon([job], env={**os.environ, "NODE_NAME": "node-1"})
        d.wait_captured(service="a")
        d.stop()
    assert api.calls[0].path == "/api/v1/pods"
    assert api.calls[0].query["fieldSelector"] == "spec.nodeName=node-1"


def test_reload_does_not_list_again(serve, daemon):
    a, b = serve(healthy()), serve(healthy())
    with ScriptedApi(listing([found(a, "a")]), holding(("ADDED", found(b, "b"), "2"))) as api:
        d = daemon([sd_job(api)])
        d.wait_captured(service="b")
        d.write_config([sd_job(api), sd_job(api, "again", scheme="http")])
        d.signal(1)
        d.wait_log("reloaded")
        wait_only(d, {"a", "b"})
        d.stop()
        assert len(api.calls) == 2


def test_ten_thousand_pods(daemon):
    """What is kept of each is small, however much the server tells."""
    noise = {"other/config": "x" * 1000, **{f"other/{i}": "y" * 400 for i in range(8)}}
    metadata = {"managedFields": [{"manager": "kubelet", "fieldsV1": {"f": "z" * 500}}]}

    def page(first):
        pods = [
            pod(f"p{i}", annotations=noise, ports={"web": 1}) for i in range(first, first + 250)
        ]
        for item in pods:
            item["metadata"] |= metadata
        return pods

    pages = [listing(page(i), "5", f"from-{i + 250}") for i in range(0, 9750, 250)]
    few = [sd_job("http://127.0.0.1:1")]
    with ScriptedApi(*pages, listing(page(9750), "5"), holding()) as api:
        d = daemon(few)
        before = d.memory()
        d.write_config([sd_job(api)])
        d.signal(1)
        d.wait_log("10000 now")
        wait_until("it watches", lambda: api.calls[-1].watch)
        used = (d.memory() - before) * 1024
        d.stop()
    assert used < 10000 * POD_BYTES, used


def test_configuration(tmp_path):
    """What cannot work is said with its place."""

    def complaint(section, **env):
        config = tmp_path / "contraced.yaml"
        text = "\n".join(f"  {line}" for line in section.splitlines())
        config.write_text(f"scrape_configs:\n- job_name: a\n  kubernetes_sd_configs:\n{text}\n")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KUBERNETES_")}
        done = contraced(f"--config.file={config}", "--check-config", env={**clean, **env})
        assert done.returncode != 0
        return done.stderr

    pods = "- role: pod\n"
    assert "this is no pod of Kubernetes" in complaint(pods)
    inside = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert "needs NODE_NAME in the environment" in complaint(pods, **inside)
    assert "role" in complaint("- role: service\n")
    assert "unknown key" in complaint(pods + "  namespace: a\n")
