# SPDX-License-Identifier: Apache-2.0
"""A machine with a real systemd for tests: this Debian in systemd-nspawn, thrown away afterwards.

debootstrap makes the tree once; it is kept under ~/.cache/contrace and never written to again. Each
Container boots it below an overlay on a tmpfs of its own. The mounts stand in a mount namespace
that only the container has, and it goes down when its parent does: tests that are killed leave
nothing but an empty directory and cgroup. It works without systemd as the host's PID 1, and needs
root and a cgroup2 mount, be it beside version 1 hierarchies.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from support import BUILD, HERE, need, need_root, wait_until

SYSTEM = ("systemd", "dbus")  # dbus for logind
PROGRAMS = ("contraced", "contrace", "libexec/contrace-remote", "contrace-remote")

# The container's supervisor: own cgroup ($3), overlay over the tree ($1) below $2, then
# systemd-nspawn, which keeps the process id. nspawn refuses a tree that is in use; each overlay
# counts as another one.
SUPERVISE = """
set -eu
echo $$ > "$3/cgroup.procs"
mount -t tmpfs -o mode=0755 tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
exec systemd-nspawn --quiet --boot --directory="$2/root" --machine="$4" \\
    --hostname=contrace-test --keep-unit --register=no --private-network --link-journal=no \\
    --resolv-conf=off --timezone=off --console=read-only
"""


def cgroup_base():
    """The cgroup2 directory of this process, or None."""
    own = "/"
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            own = line[3:]
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        if source.startswith("cgroup2 "):
            base = pathlib.Path(fields.split()[4] + own)
            if base.is_dir() and os.access(base, os.W_OK):
                return base
    return None


def check_host():
    """Skip or fail unless this host can build and boot the tree."""
    need_root()
    for program in ("debootstrap", "systemd-nspawn", "nsenter", "setpriv", "unshare"):
        need(shutil.which(program), f"{program} is not installed")
    need(cgroup_base(), "no cgroup2 hierarchy that can be written to")
    mount = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(mount, capture_output=True, check=False)
    need(done.returncode == 0, "root may not mount here")


def suite():
    """The release that runs here: what was built here runs there."""
    release = platform.freedesktop_os_release()
    need("VERSION_CODENAME" in release, "this system has no release that debootstrap knows")
    return release["VERSION_CODENAME"]


def mirror():
    """Where this machine takes its own packages from; None: debootstrap's own choice."""
    form = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")
    start = f"{suite()} main "
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), None)


def libraries():
    """The packages that have the libraries of contraced and contrace."""
    built = [BUILD / name for name in PROGRAMS if (BUILD / name).exists()]
    need(built, f"nothing is built in {BUILD}")
    said = subprocess.run(["ldd", *built], capture_output=True, text=True, check=True).stdout
    paths = [pathlib.Path(path) for path in set(re.findall(r"=> (/\S+)", said))]
    # By the last two parts: where /lib is a link, the package may have either of the two paths.
    files = [f"*/{path.parent.name}/{path.name}" for path in paths]
    owners = subprocess.run(
        ["dpkg-query", "-S", *files], capture_output=True, text=True, check=False
    )
    found = {line.split(":")[0] for line in owners.stdout.splitlines() if "diversion" not in line}
    return sorted(found)


def base_tree():
    """The bootstrapped tree's path. The first call on a machine makes it: a minute or two."""
    packages = (*SYSTEM, *libraries())
    key = hashlib.sha256(" ".join((suite(), *packages)).encode()).hexdigest()[:12]
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    cache = pathlib.Path(caches) / "contrace"
    cache.mkdir(parents=True, exist_ok=True)
    tree = cache / f"{suite()}-{key}"
    with open(tree.with_name(f"{tree.name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs do not make it twice
        if not tree.is_dir():
            bootstrap(tree, packages)
    return tree


def bootstrap(tree, packages):
    partial = tree.with_name(tree.name + ".partial")
    log = tree.with_name(tree.name + ".log")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    include = f"--include={','.join(packages)}"
    source = os.environ.get("CONTRACE_DEBIAN_MIRROR") or mirror()
    command = ["debootstrap", "--variant=minbase", include, suite(), partial]
    if source:
        command.append(source)
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    need(
        done.returncode == 0,
        f"debootstrap failed; is {source or 'its mirror'} reachable? See {log}",
    )
    for waste in (partial / "var/cache/apt/archives").glob("*.deb"):
        waste.unlink()
    for passing in ("etc/hostname", "etc/resolv.conf"):  # debootstrap copies the host's
        (partial / passing).unlink(missing_ok=True)
    partial.rename(tree)


class Container:
    """A booted machine. Use as a context manager."""

    def __init__(self):
        self.name = f"contrace-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        self.directory = None  # the mount point; empty as the host sees it
        self.cgroup = None
        self.console = None
        self.supervisor = None
        self.leader = None  # the container's PID 1, as the host counts

    def __enter__(self):
        check_host()
        tree = base_tree()
        try:
            self._boot(tree)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _boot(self, tree):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="contrace-nspawn-"))
        self.cgroup = cgroup_base() / self.name
        self.cgroup.mkdir()
        self.console = tempfile.TemporaryFile()
        self.supervisor = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", "unshare", "--mount", "--propagation=private",
             sys.executable, HERE / "unchroot.py", "sh", "-c", SUPERVISE, "sh", tree, self.directory, self.cgroup, self.name],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
            start_new_session=True, env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        self.leader = wait_until("the container has a process 1", self._find_leader, 30)
        wait_until("systemd is up", self._is_up, 90)

    def _find_leader(self):
        if self.supervisor.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended:\n{self.console_text()}")
        pid = self.supervisor.pid
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                # The last id is the one in the innermost namespace.
                if status.split("NSpid:")[1].split("\n")[0].split()[-1] == "1":
                    return int(child)
        return None

    def _is_up(self):
        if self.supervisor.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended:\n{self.console_text()}")
        # While the leader has not changed its root yet, this fails or speaks to nobody.
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def console_text(self):
        self.console.seek(0)
        return self.console.read().decode(errors="replace")

    def run(self, *argv, check=True, stdin=b"", timeout=60):
        """Run a program inside as root, output as text.

        check: fail unless it exits 0, and show what it said.
        """
        # --root: where this runs in a chroot, that of the mount namespace is not the machine's.
        command = [
            "nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "--",
            "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=",
            *map(str, argv),
        ]  # fmt: skip
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout, check=False
        )
        done.stdout = done.stdout.decode(errors="replace")
        done.stderr = done.stderr.decode(errors="replace")
        if check and done.returncode != 0:
            said = (done.stdout + done.stderr).strip()
            raise AssertionError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{said}")
        return done

    def sh(self, script, **options):
        """Run a shell script inside; its output without white space at the ends."""
        return self.run("sh", "-euc", script, **options).stdout.strip()

    def write(self, path, text, mode=0o644):
        """Write a file inside, as a new one renamed into place; make its directory if need be."""
        script = 'mkdir -p "${1%/*}/"; cat > "$1.new"; chmod "$2" "$1.new"; mv "$1.new" "$1"'
        data = text.encode() if isinstance(text, str) else text
        self.run("sh", "-euc", script, "sh", path, f"{mode:o}", stdin=data)

    def put(self, source, target):
        """Copy a file to the path target, or what is in a directory into target; root owns it."""
        source = pathlib.Path(source)
        if not source.is_dir():
            self.write(target, source.read_bytes(), source.stat().st_mode & 0o777)
            return
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                for entry in source.iterdir():
                    tar.add(entry, entry.name, filter=root_owns)
            archive.seek(0)
            self.run("mkdir", "-p", target)
            # --keep-directory-symlink: /lib and /bin are symbolic links and must stay so.
            self.run("tar", "-x", "--keep-directory-symlink", "-C", target, stdin=archive.read())

    def stop(self):
        """Shut down, by force after a while, and clear up. May be called twice."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.terminate()  # nspawn asks the leader for an orderly halt
            try:
                self.supervisor.wait(45)
            except subprocess.TimeoutExpired:
                self._kill()
        if self.console:
            self.console.close()
            self.console = None
        if self.cgroup:
            remove_cgroup(self.cgroup)
            self.cgroup = None
        if self.directory:
            self.directory.rmdir()
            self.directory = None
        # nspawn leaves this empty directory where the host's /run is not a tmpfs.
        with contextlib.suppress(OSError):
            os.rmdir(f"/run/systemd/nspawn/propagate/{self.name}")

    def _kill(self):
        for pid in (self.leader, self.supervisor.pid):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.supervisor.wait()


def root_owns(member):
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def remove_cgroup(top):
    """Remove a cgroup and those below it, once their last processes are gone."""

    def removed():
        for directory, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        return not top.exists()

    wait_until(f"{top} is empty", removed, 10)
