# SPDX-License-Identifier: Apache-2.0
"""A real API server of Kubernetes over a real etcd, without anything that runs pods: what a scheduler and
kubelets would say of them, tests say in their place.

Both are built once from their Go modules (tests/support/apiserver) and kept under ~/.cache/contrace.
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

from listening import free_ports
from support import GO_ENV, SRC, alone_in_cache, go_version, need, wait_until

SOURCE = SRC / "tests/support/apiserver"
VERSION = "v1.34.2"
PACKAGES = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "etcd": "go.etcd.io/etcd/server/v3",
}
# Else it says that it is of no version at all.
FLAGS = f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}"
ADMIN = "admin-token-of-the-test"
STARTS_WITHIN = 180


def programs():
    """The directory with both; skips the test where they cannot be had."""
    sources = b"".join((SOURCE / name).read_bytes() for name in ("go.mod", "go.sum"))
    key = hashlib.sha256(sources).hexdigest()[:12]
    with alone_in_cache(f"apiserver-{key}") as directory:
        for name, package in PACKAGES.items():
            build(directory / name, package)
        return directory


def build(program, package):
    if program.exists():
        return
    need(
        go_version() >= (1, 24),
        "no Go that has or fetches the reference toolchain to build kube-apiserver",
    )
    env = {**os.environ, **GO_ENV, "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    fresh = program.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-ldflags", FLAGS, "-o", fresh, package],
        cwd=SOURCE, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stderr.strip().splitlines() or ["go failed"]
    need(done.returncode == 0, f"{program.name} cannot be built: {said[-1]}")
    fresh.rename(program)


class Refused(Exception):
    """An answer that is none of success."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text[:500]}")
        self.code = code


class ApiServer:
    """kube-apiserver, its client for whom everything is allowed, and its etcd."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.programs = programs()
        self.port, self.etcd_port, self.peer_port = free_ports(3)
        self.url = f"https://127.0.0.1:{self.port}"
        self.processes, self.logs = {}, []
        key = self.directory / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self.directory / "tokens.csv").write_text(f"{ADMIN},admin,admin,system:masters\n")
        self.ca_file = self.directory / "certs/apiserver.crt"
        self.start_etcd()
        self.start()

    def _run(self, name, *arguments):
        log = open(self.directory / f"{name}.log", "ab")
        self.logs.append(log)
        self.processes[name] = subprocess.Popen(
            [self.programs / name, *arguments], stdout=log, stderr=log, cwd=self.directory,
            env={"PATH": "/nowhere", "HOME": str(self.directory)},
        )  # fmt: skip

    def start_etcd(self):
        at, peers = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        self._run(
            "etcd", "--data-dir", self.directory / "etcd", "--listen-client-urls", at,
            "--advertise-client-urls", at, "--listen-peer-urls", peers,
            "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}",
            "--unsafe-no-fsync",
        )  # fmt: skip

    def start(self):
        self._run(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            f"--cert-dir={self.directory}/certs", f"--secure-port={self.port}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self.directory}/sa.key",
            f"--service-account-key-file={self.directory}/sa.key",
            f"--token-auth-file={self.directory}/tokens.csv", "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition,Priority",
            "--profiling=false",
        )  # fmt: skip
        wait_until("the API server is ready", self._ready, STARTS_WITHIN, interval=0.2)

    def _ready(self):
        process = self.processes["kube-apiserver"]
        assert process.poll() is None, f"kube-apiserver ended: see {self.directory}"
        try:
            return self.request("GET", "/readyz") is not None
        except (OSError, Refused):
            return False

    def stop(self, name="kube-apiserver"):
        process = self.processes.pop(name, None)
        if process:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def close(self):
        for name in list(self.processes):
            self.stop(name)
        for log in self.logs:
            log.close()

    def request(self, method, path, body=None, kind="application/json", token=ADMIN):
        request = urllib.request.Request(
            self.url + path, method=method, data=json.dumps(body).encode() if body else None
        )
        request.add_header("Authorization", f"Bearer {token}")
        if body:
            request.add_header("Content-Type", kind)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise Refused(refusal.code, refusal.read().decode(errors="replace")) from None
        return json.loads(text) if text.startswith("{") else text

    def post(self, path, body):
        return self.request("POST", path, body)

    def namespace(self, name):
        with contextlib.suppress(Refused):
            self.post("/api/v1/namespaces", {"metadata": {"name": name}})

    def create(self, pod, **status):
        """A pod, and what its kubelet says of it at once."""
        at = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
        made = self.post(at, pod)
        if status:
            self.status(pod, **status)
        return made

    def status(self, pod, **status):
        metadata = pod["metadata"]
        at = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self.request("PATCH", at, {"status": status}, "application/merge-patch+json")

    def delete(self, pod):
        """At once, as a kubelet ends it."""
        metadata = pod["metadata"]
        at = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self.request("DELETE", at, {"gracePeriodSeconds": 0})

    def service_account(self, namespace, name):
        with contextlib.suppress(Refused):
            self.post(
                f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}}
            )

    def token(self, namespace, name):
        """As the kubelet projects it into a pod of this service account."""
        at = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        return self.post(at, {"spec": {"expirationSeconds": 3600}})["status"]["token"]

    def kubeconfig(self):
        """For clients of Kubernetes, who may do everything."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file)}
        context = {"cluster": "test", "user": "admin"}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": ADMIN}}],
                "contexts": [{"name": "test", "context": context}],
                "current-context": "test",
            }
        )

    def compact(self):
        """Lets etcd forget everything but the newest state."""
        everything = base64.b64encode(b"\0").decode()
        found = self._etcd("/v3/kv/range", {"key": everything, "range_end": everything, "limit": 1})
        self._etcd("/v3/kv/compaction", {"revision": found["header"]["revision"]})

    def _etcd(self, path, body):
        at = f"http://127.0.0.1:{self.etcd_port}{path}"
        with urllib.request.urlopen(at, data=json.dumps(body).encode(), timeout=30) as answer:
            return json.loads(answer.read())


def pod(name, namespace="shop", node="node-1", annotations=None, labels=None, ports=(), owner=None):
    """What somebody who deploys says of a pod, and the scheduler."""
    metadata = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    if labels:
        metadata["labels"] = labels
    if owner:
        kind, of = owner
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": kind, "name": of, "uid": f"uid-of-{of}",
             "controller": True}
        ]  # fmt: skip
    declared = [{"containerPort": number, "name": called} for called, number in dict(ports).items()]
    container = {"name": "web", "image": "registry.example/web:1", "ports": declared}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": node, "containers": [container]},
    }


def running(ip="127.0.0.1"):
    """What the kubelet says of a pod that runs."""
    return {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": "127.0.0.1"}


class Link:
    """A port that leads to another until it is cut."""

    def __init__(self, port):
        self.to = port
        self.listener = None
        self.pairs = []
        self.connections = 0
        self.port = free_ports(1)[0]
        self.mend()

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to), timeout=30)
            except OSError:
                if listener.fileno() < 0:
                    return
                continue
            near.settimeout(None)
            far.settimeout(None)
            self.connections += 1
            self.pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def drop(self):
        """Cuts what is connected; new connections come through."""
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.pairs = []

    def cut(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()
