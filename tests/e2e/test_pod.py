# SPDX-License-Identifier: Apache-2.0
"""The image, and a pod of it: kubernetes/example as a node would run it, without a cluster."""

import json
import pathlib
import re
import signal
import sys
import time
import typing

import image
import kube
import pod
import pytest
from support import CAPTURED, HERE, STOPPED, Spool, run, wait_until

NAME = "shop-5c9d-x2x7q"
STORE_PORT = 8090  # nobody else is in that network
FACTS = {
    "metadata.name": NAME,
    "metadata.namespace": "shop",
    "metadata.labels['app.kubernetes.io/name']": "shop",
    "spec.nodeName": "node-7",
}
CREDENTIAL_FILES = {"contrace-web": "web-token", "contrace-aws": "aws-token"}


@pytest.fixture(scope="module")
def images():
    pod.check_host()
    with image.Images() as them:
        yield them


@pytest.fixture(scope="module")
def built(images):
    """The image's facts, its root, and its layers' digests when this tree was built before."""
    name = images.contrace()
    facts = images.facts(name)
    earlier = images.earlier_layers(facts["rootfs"]["diff_ids"])
    with images.mounted(name) as root:
        yield facts, root, earlier


def test_image_is_small_and_nobodys(built):
    facts, root, _ = built
    user, group = facts["config"]["User"].split(":")
    assert int(user) == int(group) > 0, "Kubernetes believes numbers only"
    assert facts["config"]["Entrypoint"] == ["/usr/sbin/contraced"]
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < 32 << 20
    assert {path.name for path in (root / "usr/bin").iterdir()} == {"contrace"}
    assert not (root / "bin/sh").exists()
    assert not [path for path in files if path.stat().st_mode & 0o6022], "set-user-id, or anybody's"
    assert (root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000
    assert f"x:{user}:" in (root / "etc/passwd").read_text()


def test_image_is_dated_by_its_source(built):
    facts, root, _ = built
    assert {int(path.lstat().st_mtime) for path in root.rglob("*")} == {int(image.DATE)}
    assert facts["created"] == "2023-11-14T22:13:20Z"


def test_same_source_same_layers(built):
    """Whenever it is built: the first build of a tree is what later ones are held against."""
    facts, _, earlier = built
    assert facts["rootfs"]["diff_ids"] == earlier


def test_programs_find_their_libraries(built):
    for program in ("usr/sbin/contraced", "usr/bin/contrace"):
        done = run("chroot", built[1], "/" + program, "--version")
        assert re.match(r"contraced? \d", done.stdout)


@pytest.fixture(scope="module")
def service_image(images, goservice_binary):
    """The facts and the root of the example service's image."""
    name = images.goservice(goservice_binary.parent)
    with images.mounted(name) as root:
        yield images.facts(name), root


class Running(typing.NamedTuple):
    pod: pod.Pod
    manifest: dict  # of contraced
    contraced: pod.Container
    service: pod.Container
    spool: Spool
    store: pathlib.Path


def from_image(built):
    """A container's root and what it runs."""
    return built[1], built[0]["config"]["Entrypoint"]


@pytest.fixture(scope="module")
def running(built, service_image, tmp_path_factory):
    """The example's pod, with both containers, and a store in its network."""
    objects = kube.render("example")
    spec = kube.only(objects, "Deployment")["spec"]["template"]["spec"]
    sidecar, service = spec["initContainers"][0], spec["containers"][0]
    with pod.Pod(NAME, tmp_path_factory.mktemp("pod") / "pod") as p:
        # The signal, by which the tests ask for a capture, takes nothing but a trace.
        config = {
            name: re.sub(
                r"^( *)static_configs:", r"\1incident_artifacts: [trace]\n\g<0>", text, flags=re.M
            )
            for name, text in kube.config_map(objects, "contrace").items()
        }
        p.volume("contrace-config", config)
        for name, token in CREDENTIAL_FILES.items():
            p.volume(name, {"token": token})
        traces = p.volume("contrace-traces")
        store = tmp_path_factory.mktemp("store")
        p.beside(sys.executable, HERE / "putstore.py", store, STORE_PORT)
        # The manifest is as it is, but for where traces go.
        env = kube.environment(sidecar, objects, FACTS)
        env["UPLOAD_URL"] = f"http://127.0.0.1:{STORE_PORT}/"
        # First contraced, then the service, as for a native sidecar.
        contraced = p.run(sidecar, *from_image(built), env)
        service = p.run(service, *from_image(service_image), {})
        yield Running(p, sidecar, contraced, service, Spool(traces / "spool"), store)


def said(container, **fields):
    """Lines of its log with these fields."""
    return [x for x in container.lines() if all(x.get(k) == v for k, v in fields.items())]


def test_capture(running):
    """Over the pod's loopback; the key has the pod's name, and no process id, which is hidden."""
    spool = running.spool
    running.contraced.kill(signal.SIGUSR1)
    key = wait_until("a trace is uploaded", spool.keys)[0]
    wait_until("it is inspected", lambda: "label" in spool.record(key))
    assert re.fullmatch(rf"shop/{NAME}/\d{{8}}/\d{{6}}\.trace", key)
    record = spool.check()[key]
    assert record["complete"] is True
    assert record["labels"] == {"namespace": "shop", "node": "node-7"}
    assert "not_inspected" not in record
    assert (running.store / key).read_bytes() == spool.trace(key).read_bytes()


def test_restricted(running):
    for container, user in ((running.contraced, "65532"), (running.service, "65533")):
        status = container.status()
        assert set(status["Uid"].split()) == {user}
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert {status[c] for c in status if re.fullmatch("Cap...", c)} == {"0" * 16}
        assert "ro" in container.root_options()
    # The runtime's filter lets contraced have its own on top, and Landlock where there is any.
    assert int(running.contraced.status()["Seccomp_filters"]) == 2
    confined = next(x["msg"] for x in said(running.contraced) if x["msg"].startswith("confined: "))
    assert "system calls are filtered" in confined
    assert "files are written below /var/lib/contrace/spool only" in confined or (
        "this kernel has none" in confined
    )


def curl(running, path, *more):
    """What the kubelet, or Prometheus, gets when it asks the pod: its status."""
    port = running.manifest["ports"][0]["containerPort"]
    # As if by the pod's address, which nobody has here.
    command = running.pod.inside(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: 10.244.1.7:{port}",
        *more, f"http://127.0.0.1:{port}{path}",
    )  # fmt: skip
    return run(*command).stdout


def test_probes(running):
    """They need no token; everything else does."""
    probe = running.manifest["livenessProbe"]["httpGet"]
    assert curl(running, probe["path"]) == "200"
    assert curl(running, "/-/ready") == "200"
    assert curl(running, "/metrics") == "401"
    token = CREDENTIAL_FILES["contrace-web"]
    assert curl(running, "/metrics", "-H", f"Authorization: Bearer {token}") == "200"


def test_contrace_inside(running):
    """The image's contrace reads the daemon's configuration."""
    status = running.contraced.execute("/usr/bin/contrace", "status", "--json").stdout
    assert json.loads(status)


def test_nothing_else_is_amiss(running):
    """The service, which starts second, may be found not to listen yet."""
    wrong = [x for x in running.contraced.lines() if x["level"] in ("warn", "error")]
    assert [x for x in wrong if x.get("result") != "connect" and "(connect)" not in x["msg"]] == []


def test_drain(running):
    """The service goes first, then contraced: what is in flight is published and sent in time."""
    contraced, spool = running.contraced, running.spool
    captured = len(said(contraced, message_id=CAPTURED))
    contraced.kill(signal.SIGUSR1)
    wait_until("a capture is in flight", spool.incoming)
    time.sleep(1.2)  # or the service's end leaves nothing whole of it
    running.service.stop(30)
    status, took = contraced.stop(60)
    assert status == 0, contraced.text()
    assert took < 35
    assert len(said(contraced, message_id=STOPPED)) == 1
    assert len(said(contraced, message_id=CAPTURED)) == captured + 1
    assert (spool.incoming(), spool.pending()) == ([], [])
    for key in spool.check():
        assert (running.store / key).read_bytes() == spool.trace(key).read_bytes()
