# SPDX-License-Identifier: Apache-2.0
"""The image, and a pod of it: kubernetes/example as a node would run it, without a cluster."""

import os
import re
import signal
import time

import image
import kube
import pod
import pytest
from support import CAPTURED, STOPPED, Spool, run, wait_until

NAME = "shop-5c9d-x2x7q"
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


# ---- the image ----


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


# ---- the pod ----


@pytest.fixture(scope="module")
def service_image(images, goservice_binary):
    """The facts and the root of the example service's image."""
    name = images.goservice(goservice_binary.parent)
    with images.mounted(name) as root:
        yield images.facts(name), root


def from_image(built):
    """A container's root and what it runs."""
    return built[1], built[0]["config"]["Entrypoint"]


@pytest.fixture(scope="module")
def running(built, service_image, tmp_path_factory):
    """(contraced, service, what contraced keeps): both containers of the example's pod."""
    objects = kube.render("example")
    spec = kube.only(objects, "Deployment")["spec"]["template"]["spec"]
    sidecar, service = spec["initContainers"][0], spec["containers"][0]
    with pod.Pod(NAME, tmp_path_factory.mktemp("pod") / "pod") as p:
        p.volume("contrace-config", kube.config_map(objects, "contrace"))
        for name, token in CREDENTIAL_FILES.items():
            p.volume(name, {"token": token})
        traces = p.volume("contrace-traces")
        env = kube.environment(sidecar, objects, FACTS)
        # The store is a directory in the same volume; the rest of the manifest is as it is.
        store = traces / "store"
        store.mkdir()
        os.chown(store, sidecar["securityContext"]["runAsUser"], -1)
        env["UPLOAD_URL"] = "file:///var/lib/contrace/store"
        # First contraced, then the service, as for a native sidecar.
        first = p.run(sidecar, *from_image(built), env)
        second = p.run(service, *from_image(service_image), {})
        yield first, second, traces


def said(container, **fields):
    """Lines of its log with these fields."""
    return [x for x in container.lines() if all(x.get(k) == v for k, v in fields.items())]


def test_capture(running):
    """Over the pod's loopback; the key has the pod's name, and no process id, which is hidden."""
    contraced, _, traces = running
    contraced.kill(signal.SIGUSR1)
    wait_until("a trace is in the store", lambda: list((traces / "store").rglob("*.trace")))
    spool = Spool(traces / "spool")
    wait_until("it is inspected", lambda: "label" in spool.record(spool.keys()[0]))
    key = spool.keys()[0]
    assert re.fullmatch(rf"shop/{NAME}/\d{{8}}/\d{{6}}\.trace", key)
    record = spool.check()[key]
    assert record["complete"] is True
    assert record["labels"] == {"namespace": "shop", "node": "node-7"}
    assert "not_inspected" not in record
    assert (traces / "store" / key).read_bytes() == spool.trace(key).read_bytes()


def test_list_inside(running):
    """The image's contrace reads the daemon's configuration and what it keeps."""
    said = running[0].execute("/usr/bin/contrace", "list", "--json").stdout
    assert f"shop/{NAME}/" in said


def test_restricted(running):
    for container, user in zip(running, ("65532", "65533")):
        status = container.status()
        assert set(status["Uid"].split()) == {user}
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert {status[c] for c in status if re.fullmatch("Cap...", c)} == {"0" * 16}
        assert "ro" in container.root_options()


def test_nothing_else_is_amiss(running):
    """The service, which starts second, may be found not to listen yet."""
    wrong = [line for line in running[0].lines() if line["level"] in ("warn", "error")]
    assert [line for line in wrong if line.get("result") != "connect"] == []


def test_drain(running):
    """The service goes first, then contraced: what is in flight is published and sent in time."""
    contraced, service, traces = running
    spool = Spool(traces / "spool")
    captured = len(said(contraced, message_id=CAPTURED))
    contraced.kill(signal.SIGUSR1)
    wait_until("a capture is in flight", spool.incoming)
    time.sleep(1.2)  # or the service's end leaves nothing whole of it
    service.stop(30)
    status, took = contraced.stop(60)
    assert status == 0, contraced.text()
    assert took < 35
    assert len(said(contraced, message_id=STOPPED)) == 1
    assert len(said(contraced, message_id=CAPTURED)) == captured + 1
    assert (spool.incoming(), spool.pending()) == ([], [])
    for key in spool.check():
        assert (traces / "store" / key).read_bytes() == spool.trace(key).read_bytes()
