# SPDX-License-Identifier: Apache-2.0
"""A pod as a node would run it, by runc: containers that share one network and nothing else.

What each container may do comes from its manifest: user, read-only root, privileges, memory limit,
volumes. The seccomp filter is the one that container engines apply by default, of Debian's package
golang-github-containers-common. Needs root.
"""

import contextlib
import json
import pathlib
import platform
import signal
import subprocess
import sys
import time

import kube
from support import HERE, PATIENCE, need, need_program, need_root, run, tmpfs, wait_until

PROFILE = pathlib.Path("/usr/share/containers/seccomp.json")
MACHINE = platform.machine()
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(MACHINE, MACHINE)


def check_host():
    """Skip or fail unless this host can run a pod."""
    need_root()
    need_program("runc", "runc")
    need_program("ip", "iproute2")
    need(PROFILE.exists(), f"no {PROFILE} (Debian: golang-github-containers-common)")


def default_filter():
    """RuntimeDefault for a container without capabilities, as runtimes read it."""
    profile = json.loads(PROFILE.read_text())
    rules = []
    for rule in profile["syscalls"]:
        only, but = rule.get("includes") or {}, rule.get("excludes") or {}
        if only.get("caps") or ARCH not in only.get("arches", [ARCH]):
            continue
        if ARCH in but.get("arches", []):
            continue
        fields = ("names", "action", "errnoRet", "args")
        rules.append({f: rule[f] for f in fields if rule.get(f) is not None})
    name = f"SCMP_ARCH_{MACHINE.upper()}"
    own = next(a for a in profile["archMap"] if a["architecture"] == name)
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": [own["architecture"], *own["subArchitectures"]],
        "syscalls": rules,
    }


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


class Container:
    """One of a pod's containers, running."""

    def __init__(self, pod, spec, root, entrypoint, env):
        self.pod, self.name = pod, f"{pod.name}-{spec['name']}"
        bundle = pod.directory / spec["name"]
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(self._oci(spec, root, entrypoint, env)))
        self.log = open(bundle / "log", "w+b")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", sys.executable, HERE / "unchroot.py",
             "runc", "run", "--bundle", bundle, "--pid-file", bundle / "pid", self.name],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        pid = wait_until(f"{self.name} runs", lambda: self._pid(bundle / "pid"))
        self.proc = pathlib.Path(f"/proc/{pid}")

    def _pid(self, file):
        assert self.process.poll() is None, self.text()
        return file.exists() and file.read_text()

    def _oci(self, spec, root, entrypoint, env):
        """What the kubelet and the engine make of a manifest."""
        asked = spec["securityContext"]
        assert asked["capabilities"] == {"drop": ["ALL"]}
        assert asked["seccompProfile"] == {"type": "RuntimeDefault"}
        oci = json.loads(self.pod.blank)
        user = asked["runAsUser"]
        oci["process"].update(
            terminal=False,
            user={"uid": user, "gid": asked.get("runAsGroup", user)},
            args=entrypoint + spec["args"],
            env=[f"{name}={value}" for name, value in env.items()],
            noNewPrivileges=not asked["allowPrivilegeEscalation"],
            capabilities={},
        )
        oci["process"].pop("rlimits")
        oci["root"] = {"path": str(root), "readonly": asked["readOnlyRootFilesystem"]}
        oci["hostname"] = self.pod.name
        for mount in spec.get("volumeMounts", []):
            options = ["rbind", "nosuid", "nodev", "ro" if mount.get("readOnly") else "rw"]
            oci["mounts"].append(
                {"destination": mount["mountPath"], "type": "bind", "options": options,
                 "source": str(self.pod.volumes / mount["name"])}
            )  # fmt: skip
        linux = oci["linux"]
        for namespace in linux["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = f"/proc/{self.pod.holder.pid}/ns/net"
        limit = kube.size(spec["resources"]["limits"]["memory"])
        linux["resources"]["memory"] = {"limit": limit}
        linux["seccomp"] = default_filter()
        return oci

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def lines(self):
        """Its log, for a container that logs JSON."""
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

    def status(self):
        """/proc/PID/status as a dictionary."""
        text = (self.proc / "status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def root_options(self):
        for line in (self.proc / "mountinfo").read_text().splitlines():
            fields = line.split()
            if fields[4] == "/":
                return fields[5].split(",")
        return []

    def kill(self, number):
        run("runc", "kill", self.name, signal.Signals(number).name.removeprefix("SIG"))

    def stop(self, grace):
        """SIGTERM; its exit status, and how long it took."""
        began = time.monotonic()
        self.kill(signal.SIGTERM)
        status = self.process.wait(grace)
        return status, time.monotonic() - began

    def execute(self, *argv):
        """As `kubectl exec`: a program of the image, beside the one that runs."""
        return run("runc", "exec", self.name, *argv)

    def remove(self):
        run("runc", "delete", "--force", self.name, check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.log.close()


class Pod:
    """Containers, and what they share. Use as a context manager."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.volumes = self.directory / "volumes"
        self.containers = []
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        blank = self.directory / "blank"
        blank.mkdir(parents=True)
        run("runc", "spec", cwd=blank)
        self.blank = (blank / "config.json").read_text()
        # The node keeps secrets in memory, and contraced looks at that.
        self.stack.enter_context(tmpfs(self.volumes, "mode=0755,size=512m"))
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-euc", "ip link set lo up; echo up; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.stack.callback(end, self.holder)
        assert self.holder.stdout.readline() == "up\n"
        return self

    def __exit__(self, *_):
        for container in reversed(self.containers):
            container.remove()
        self.stack.close()

    def volume(self, name, files=None):
        """A ConfigMap or Secret with these files, without any an emptyDir; root's, as on a node."""
        directory = self.volumes / name
        directory.mkdir()
        directory.chmod(0o777 if files is None else 0o755)
        for file, text in (files or {}).items():
            (directory / file).write_text(text)
            (directory / file).chmod(0o644)
        return directory

    def inside(self, *argv):
        """A command for a program of this machine that sees the pod's network."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *map(str, argv)]

    def beside(self, *argv):
        """Runs such a program until the pod is gone; it has said a line when this returns."""
        process = subprocess.Popen(
            self.inside(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.stack.callback(end, process)
        assert process.stdout.readline()

    def run(self, spec, root, entrypoint, env):
        self.containers.append(Container(self, spec, root, entrypoint, env))
        return self.containers[-1]
