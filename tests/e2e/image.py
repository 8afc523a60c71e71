# SPDX-License-Identifier: Apache-2.0
"""The image of kubernetes/Containerfile, built by buildah on this machine, without a registry.

Debian comes from the tree that nspawn.py keeps; with what a build needs it becomes an image of its
own, once. Images are kept under ~/.cache/contrace. Needs root.
"""

import contextlib
import fcntl
import hashlib
import json
import pathlib
import resource
import shutil
import tempfile

import kube
import nspawn
from support import SRC, need_program, run

DATE = "1700000000"  # of every file, SOURCE_DATE_EPOCH
BUILDING = 600  # seconds; compiling takes one or two minutes on a busy machine


class Images:
    """The store of images. One test run at a time has it."""

    def __init__(self):
        nspawn.check_host()  # for its tree
        need_program("buildah", "buildah")
        self.directory = kube.cache() / "images"
        self.directory.mkdir(exist_ok=True)
        self.run_directory = tempfile.mkdtemp(prefix="contrace-images-")
        self.lock = open(self.directory / "lock", "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lock.close()
        shutil.rmtree(self.run_directory, ignore_errors=True)

    def buildah(self, *argv, check=True):
        where = ["--root", self.directory, "--runroot", self.run_directory]
        done = run("buildah", "--storage-driver", "overlay", *where, *argv, check=False,
                   timeout=BUILDING)  # fmt: skip
        assert done.returncode == 0 or not check, (done.stdout + done.stderr)[-4000:]
        return done

    def has(self, name):
        return self.buildah("inspect", "--type", "image", name, check=False).returncode == 0

    def forget(self, *beginnings):
        """Removes images that others are about to replace."""
        images = self.buildah("images", "--format", "{{.Name}}:{{.Tag}}").stdout.split()
        for image in images:
            if image.startswith(beginnings):
                self.buildah("rmi", "--force", image, check=False)

    def debian(self):
        """The base, with nothing of ours."""
        tree = nspawn.base_tree()
        name = f"localhost/{tree.name}"
        if not self.has(name):
            self.forget(f"localhost/{nspawn.suite()}-", "localhost/contrace-tools:")
            container = self.buildah("from", "scratch").stdout.strip()
            self.buildah("add", "--quiet", container, tree, "/")
            self.buildah("commit", "--quiet", "--rm", container, name)
        return name

    def build(self, name, file, context, *more):
        # Newer versions would raise these limits, which not every root may do.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limits = [f"--ulimit=nofile={files}:{files}", "--ulimit=nproc=16384:16384"]
        self.buildah("build", "--quiet", "--isolation", "chroot", "--network", "host", *limits,
                     "--build-arg", f"SOURCE_DATE_EPOCH={DATE}", "--timestamp", DATE,
                     "-f", SRC / file, "-t", name, *more, context)  # fmt: skip
        return name

    def from_base(self, name, base, *more):
        return self.build(
            name, "kubernetes/Containerfile", SRC, "--build-arg", f"BASE={base}", *more
        )

    def tools(self):
        """The base with what a build needs: what the first stage leaves."""
        wanted = run(SRC / "scripts/install-deps", "list").stdout.split()
        base = self.debian()
        key = hashlib.sha256(" ".join([base, *wanted]).encode()).hexdigest()[:12]
        name = f"localhost/contrace-tools:{key}"
        if not self.has(name):
            self.forget("localhost/contrace-tools:")
            self.from_base(name, base, "--target", "tools")
        return name

    def contrace(self):
        """The image, freshly built from this tree."""
        name = self.from_base("localhost/contrace:test", self.tools())
        self.buildah("rmi", "--prune", check=False)  # the one of the last time
        return name

    def goservice(self, directory):
        """An image of the example service, which stands in the directory."""
        file = "examples/goservice/Containerfile"
        return self.build("localhost/goservice:test", file, directory)

    def facts(self, name):
        """Its configuration, such as the user, and the digests of its layers."""
        document = json.loads(self.buildah("inspect", "--type", "image", name).stdout)
        return document["OCIv1"]

    def earlier_layers(self, layers):
        """The digests that this very tree had when it was built before; the first time, these."""
        file = self.directory / f"layers-{source_key()}-{self.tools().rpartition(':')[2]}"
        if not file.exists():
            file.write_text(json.dumps(layers))
        return json.loads(file.read_text())

    @contextlib.contextmanager
    def mounted(self, name):
        """The image's root as a directory."""
        container = self.buildah("from", "--pull-never", name).stdout.strip()
        try:
            yield pathlib.Path(self.buildah("mount", container).stdout.strip())
        finally:
            self.buildah("rm", container, check=False)


def source_key():
    """A hash of all that the image is made of."""
    lines = (SRC / ".dockerignore").read_text().splitlines()
    left_out = {line for line in lines if line and line[0] not in "#!"}
    tops = [path for path in SRC.iterdir() if path.name not in left_out]
    tops += [SRC / "kubernetes/Containerfile", SRC / "kubernetes/image-root"]
    files = [f for top in tops for f in ([top] if top.is_file() else sorted(top.rglob("*")))]
    total = hashlib.sha256()
    for file in sorted(f for f in files if f.is_file() and "__pycache__" not in f.parts):
        total.update(f"{file.relative_to(SRC)} {file.stat().st_mode & 0o111}\n".encode())
        total.update(file.read_bytes())
    return total.hexdigest()[:16]
