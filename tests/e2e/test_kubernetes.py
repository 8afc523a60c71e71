# SPDX-License-Identifier: Apache-2.0
"""The manifests in kubernetes/, as text: Kubernetes takes them, and what they say fits together."""

import copy
import os
import re

import kube
import kubernetes_validate
import pytest
from support import contraced

DIRECTORIES = ["example", "daemonset"]
# The first release in which a sidecar needs no feature gate, and the newest that the schemas know.
OLDEST = "1.29"

FACTS = {
    "metadata.name": "shop-5c9d-x2x7q",
    "metadata.namespace": "shop",
    "metadata.labels['app.kubernetes.io/name']": "shop",
    "spec.nodeName": "node-7",
    "status.hostIP": "10.1.2.3",
}


@pytest.fixture(scope="module", params=DIRECTORIES)
def objects(request):
    return kube.render(request.param)


def workload(objects):
    return next(item for item in objects if item["kind"] in ("Deployment", "DaemonSet"))


def pod_spec(objects):
    return workload(objects)["spec"]["template"]["spec"]


def contraced_of(objects):
    spec = pod_spec(objects)
    containers = spec.get("initContainers", []) + spec["containers"]
    return next(c for c in containers if c["name"] == "contraced")


def setting(objects, key):
    """A scalar of the configuration, by its key."""
    text = kube.config_map(objects, "contrace")["contraced.yaml"]
    return re.search(rf"^ +{key}: *(\S+)$", text, re.M)[1]


def test_the_api_server_takes_them(objects):
    assert kube.refused(objects) is None


def test_the_schemas_have_every_field(objects):
    for item in objects:
        for version in (OLDEST, ".".join(kubernetes_validate.latest_version().split(".")[:2])):
            kubernetes_validate.validate(item, version, strict=True)


def test_what_is_wrong_is_refused():
    """The judges do judge."""
    good = kube.render("example")
    unknown, free = copy.deepcopy(good), copy.deepcopy(good)
    contraced_of(unknown)["restartpolicy"] = "Always"
    assert "unknown field" in kube.refused(unknown)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(workload(unknown), OLDEST, strict=True)
    del contraced_of(free)["securityContext"]["capabilities"]
    assert "unrestricted capabilities" in kube.refused(free)


def test_namespaces_enforce_the_profile(objects):
    labels = kube.only(objects, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_root_is_read_only(objects):
    spec = pod_spec(objects)
    for container in spec.get("initContainers", []) + spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_sidecar_starts_first_and_ends_last():
    spec = pod_spec(kube.render("example"))
    assert [c["name"] for c in spec["initContainers"]] == ["contraced"]
    assert spec["initContainers"][0]["restartPolicy"] == "Always"
    assert "readinessProbe" not in spec["initContainers"][0]


@pytest.mark.parametrize("host", ["10.1.2.3", "fd00:10:244::7"])
def test_contraced_takes_the_configuration(host, objects, tmp_path):
    """With the variables that the pod has. Files that it names need not be there yet."""
    file = tmp_path / "contraced.yaml"
    file.write_text(kube.config_map(objects, "contrace")["contraced.yaml"])
    env = kube.environment(contraced_of(objects), objects, {**FACTS, "status.hostIP": host})
    said = contraced("--check-config", "-c", file, env={"PATH": os.environ["PATH"], **env})
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_pod_outlasts_the_drain(objects):
    drain = int(setting(objects, "shutdown_timeout").removesuffix("s"))
    assert pod_spec(objects)["terminationGracePeriodSeconds"] >= drain + 10


def test_sizes_fit(objects):
    container = contraced_of(objects)
    limits = container["resources"]["limits"]
    volume = next(v for v in pod_spec(objects)["volumes"] if v["name"].endswith("traces"))
    room = kube.size(volume["emptyDir"]["sizeLimit"])
    assert kube.size(limits["ephemeral-storage"]) > room
    assert room >= 2 * kube.size(setting(objects, "max_bytes"))
    # Beside the child that looks into a trace there is room for contraced.
    assert kube.size(limits["memory"]) >= kube.size(setting(objects, "max_memory")) + (64 << 20)


def test_probes_ask_where_it_listens(objects):
    container = contraced_of(objects)
    address, _, port = setting(objects, "listen_address").strip('"').rpartition(":")
    assert address == ""  # the kubelet asks at the pod's address, of whichever family
    named = {p["name"]: p["containerPort"] for p in container["ports"]}
    assert named[container["livenessProbe"]["httpGet"]["port"]] == int(port)
    assert container["livenessProbe"]["httpGet"]["path"] == "/-/healthy"


def test_files_are_mounted(objects):
    """Each file that the configuration or the environment names is below a volume."""
    container = contraced_of(objects)
    mounts = [m["mountPath"] + "/" for m in container["volumeMounts"]]
    env = kube.environment(container, objects, FACTS)
    named = [setting(objects, "bearer_token_file"), setting(objects, "path")]
    for file in [env["AWS_WEB_IDENTITY_TOKEN_FILE"], *named]:
        assert any(file.startswith(mount) for mount in mounts), file
    volumes = {v["name"] for v in pod_spec(objects)["volumes"]}
    assert {m["name"] for m in container["volumeMounts"]} == volumes


def test_token_is_for_the_store(objects):
    volume = next(v["projected"] for v in pod_spec(objects)["volumes"] if "projected" in v)
    tokens = [source["serviceAccountToken"] for source in volume["sources"]]
    assert [token["audience"] for token in tokens] == ["sts.amazonaws.com"]
    # Only the DaemonSet speaks to Kubernetes' API.
    asks = workload(objects)["kind"] == "DaemonSet"
    assert pod_spec(objects)["automountServiceAccountToken"] is asks


def test_rights_are_those_to_see_pods():
    objects = kube.render("daemonset")
    role, binding = kube.only(objects, "ClusterRole"), kube.only(objects, "ClusterRoleBinding")
    [rule] = role["rules"]
    assert rule == {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    [subject] = binding["subjects"]
    account = kube.only(objects, "ServiceAccount")["metadata"]
    assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])
    assert account["name"] == pod_spec(objects)["serviceAccountName"]
    assert not any(item["kind"] in ("Role", "ClusterRole") for item in kube.render("example"))
