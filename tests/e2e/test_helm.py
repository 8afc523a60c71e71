# SPDX-License-Identifier: Apache-2.0
"""The chart: helm and Kubernetes take it, and it says what the manifests for kustomize say."""

import json
import os

import helm
import kube
import kubernetes_validate
import pytest
import yaml
from apiserver import ApiServer, Refused
from support import contraced, wait_until

OLDEST = "1.29"
MANY = {
    "image": {"repository": "registry.example/contrace", "tag": "1.2.3"},
    "imagePullSecrets": [{"name": "pull"}],
    "uploadUrl": "s3://traces/prod",
    "env": {"AWS_REGION": "eu-west-1"},
    "extraEnv": [{"name": "LEVEL", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
    "namespaces": ["shop", "pay"],
    "config": {"log": {"level": "debug"}, "storage": {"max_age": "7d"}},
    "serviceAccount": {"annotations": {"iam.example/role": "contrace"}},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-node-critical",
    "podAnnotations": {"team": "platform"},
    "podLabels": {"team": "platform"},
    "shutdownSeconds": 50,
}
VALUES = {"default": {}, "many": MANY, "no-token": {"awsTokenAudience": ""}}


@pytest.fixture(scope="module", params=VALUES)
def objects(request, tmp_path_factory):
    return helm.render(tmp_path_factory.mktemp("helm"), VALUES[request.param])


def daemonset(objects):
    return kube.only(objects, "DaemonSet")["spec"]["template"]


def configuration(objects):
    return yaml.safe_load(kube.config_map(objects, "contrace")["contraced.yaml"])


def test_lint(tmp_path):
    done = helm.helm(tmp_path, "lint", "--strict", helm.CHART)
    assert "0 chart(s) failed" in done.stdout
    assert "WARNING" not in done.stdout and "ERROR" not in done.stdout


def test_kubernetes_takes_what_it_makes(objects):
    assert kube.refused(objects) is None
    for item in objects:
        for version in (OLDEST, ".".join(kubernetes_validate.latest_version().split(".")[:2])):
            kubernetes_validate.validate(item, version, strict=True)


def test_contraced_takes_the_configuration(objects, tmp_path):
    file = tmp_path / "contraced.yaml"
    file.write_text(kube.config_map(objects, "contrace")["contraced.yaml"])
    container = daemonset(objects)["spec"]["containers"][0]
    plain = {
        **container,
        "env": [e for e in container["env"] if "secretKeyRef" not in e.get("valueFrom", {})],
    }
    env = kube.environment(plain, objects, {"spec.nodeName": "node-7"})
    said = contraced("--check-config", "-c", file, env={"PATH": os.environ["PATH"], **env})
    assert said.returncode == 0, said.stdout + said.stderr


def test_it_is_what_kustomize_has(tmp_path):
    """But for names, labels and what each of them must be told."""
    theirs = kube.render("daemonset")
    ours = helm.render(tmp_path, {"uploadUrl": "s3://bucket"})
    a, b = configuration(ours), configuration(theirs)
    a["upload"] = b["upload"] = None
    assert a == b
    one, other = (daemonset(objects)["spec"] for objects in (ours, theirs))
    for key in ("securityContext", "tolerations", "terminationGracePeriodSeconds"):
        assert one[key] == other[key]
    one, other = one["containers"][0], other["containers"][0]
    for key in ("securityContext", "resources", "livenessProbe", "readinessProbe", "args", "ports"):
        assert one[key] == other[key]
    assert kube.only(ours, "ClusterRole")["rules"] == kube.only(theirs, "ClusterRole")["rules"]


def test_rights_in_namespaces_alone(tmp_path):
    objects = helm.render(tmp_path, MANY)
    kinds = [item["kind"] for item in objects]
    assert "ClusterRole" not in kinds and "ClusterRoleBinding" not in kinds
    roles = {i["metadata"]["namespace"] for i in objects if i["kind"] == "Role"}
    assert roles == {"shop", "pay"}
    [job] = configuration(objects)["scrape_configs"]
    assert job["kubernetes_sd_configs"][0]["namespaces"]["names"] == ["shop", "pay"]
    config = configuration(objects)
    assert config["log"] == {"level": "debug"}
    assert config["storage"]["max_age"] == "7d" and config["storage"]["max_bytes"] == "1GiB"


@pytest.mark.parametrize(
    "values",
    [
        {"upload_url": "s3://a"}, {"uploadUrl": "bucket"}, {"namespaces": ["Shop"]},
        {"namespaces": "shop"}, {"image": {"repository": ""}}, {"env": {"A": 1}},
        {"shutdownSeconds": "25s"}, {"config": {"scrape_configs": []}}, {"storage": {"maxBytes": 1}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_wrong_values_are_refused(values, tmp_path):
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values))
    done = helm.helm(
        tmp_path, "template", "contrace", helm.CHART, "--values", file,
        "--kube-version", helm.KUBERNETES, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def allowed(api, path, token):
    try:
        api.request("GET", path, token=token)
    except Refused as refused:
        assert refused.code == 403
        return False
    return True


def test_it_is_installed_and_removed(tmp_path):
    """With a real API server, and the rights that the service account has then."""
    api = ApiServer(tmp_path / "api")
    try:
        for name in ("contrace", "shop", "pay"):
            api.namespace(name)
        config = tmp_path / "kubeconfig"
        config.write_text(api.kubeconfig())
        env = {"KUBECONFIG": str(config)}
        helm.helm(
            tmp_path, "install", "traces", helm.CHART, "--namespace", "contrace",
            "--set", "namespaces={shop}", env=env,
        )  # fmt: skip
        token = api.token("contrace", "traces")
        watch = "/api/v1/namespaces/shop/pods?watch=1&timeoutSeconds=1"
        wait_until("it may see pods of shop", lambda: allowed(api, watch, token))
        for path in ("/api/v1/namespaces/pay/pods", "/api/v1/namespaces/shop/secrets"):
            assert not allowed(api, path, token)
        helm.helm(
            tmp_path, "upgrade", "traces", helm.CHART, "--namespace", "contrace", "--reset-values",
            env=env,
        )  # fmt: skip
        wait_until("it may see all pods", lambda: allowed(api, "/api/v1/pods", token))
        helm.helm(tmp_path, "uninstall", "traces", "--namespace", "contrace", env=env)
        found = api.request("GET", "/apis/apps/v1/namespaces/contrace/daemonsets")
        assert found["items"] == []
    finally:
        api.close()
