# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: built from the tree, installed into a Debian, used, upgraded, purged.

The tests are the steps of one machine's life, in this order.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
from nspawn import Container
from support import SRC, need, need_program, wait_until
from typed import blocks, commands, compare

PACKAGES = {"contrace", "contraced", "libgotrace0", "libgotrace-dev"}
REPOSITORY = "/srv/packages"
TARGETS = "/etc/contrace/targets"
CONFIG = "/etc/contrace/contraced.yaml"
GOSERVICE = """\
[Service]
Type=exec
DynamicUser=yes
ExecStart=/usr/local/bin/goservice -listen 127.0.0.1:6060
"""
# What apt and dpkg remember of any package, and what every machine writes down as it runs.
PASSING = (
    "/srv", "/var/cache/apt", "/var/cache/debconf", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd", "/var/log",
)  # fmt: skip
# The archive of accounts before the last change.
BACKUPS = {"/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-"}


def run(*argv, cwd, timeout=600, **env):
    """Run a program to its end; its output, which is shown if it fails."""
    clean = {k: v for k, v in os.environ.items() if "MAKE" not in k and "FLAGS" not in k}
    done = subprocess.run(
        [str(a) for a in argv], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=timeout, check=False, env={**clean, **env},
    )  # fmt: skip
    assert done.returncode == 0, f"{argv[0]}: exit {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


def copy_source(target):
    """The tree without anything that a build has made in it."""
    listed = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=SRC)
    for name in filter(None, listed.split("\0")):
        if (SRC / name).exists():  # a file may be deleted and not committed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SRC / name, target / name)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A directory with what dpkg-buildpackage makes of the tree."""
    need_program("git", "git")
    need_program("dpkg-buildpackage", "dpkg-dev")
    need((SRC / "debian").is_dir() and (SRC / ".git").exists(), "packages need a git checkout")
    top = tmp_path_factory.mktemp("package")
    source = top / "contrace"
    copy_source(source)
    command = ["dpkg-checkbuilddeps", "-Pnocheck"]
    lacking = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    need(lacking.returncode == 0, lacking.stderr.strip())
    # The unit tests have their own steps in the check.
    run(
        "dpkg-buildpackage", "-us", "-uc", "-b", "-Pnocheck", cwd=source,
        DEB_BUILD_OPTIONS="nocheck parallel=2",
    )  # fmt: skip
    shutil.rmtree(source)
    return top


def names(directory):
    return {path.name.split("_")[0] for path in directory.glob("*.deb")}


def test_version_is_that_of_the_program():
    news = re.search(r"^contrace \(([^)]+)\)", (SRC / "debian/changelog").read_text())
    assert f"AC_INIT([contrace], [{news[1]}]" in (SRC / "configure.ac").read_text()


def test_packages_are_complete(packages):
    made = names(packages)
    assert {name for name in made if not name.endswith("-dbgsym")} == PACKAGES


def test_lintian_is_silent(packages):
    need_program("lintian", "lintian")
    (changes,) = packages.glob("*.changes")
    # An override's tag may be one of another Debian's lintian.
    said = run(
        "lintian", "--allow-root", "--fail-on=error,warning,info", "--display-info",
        "--suppress-tags=alien-tag", changes, cwd=packages,
    )  # fmt: skip
    assert said == ""


class Machine(Container):
    """A Debian whose only source of packages is a directory."""

    def offer(self, directory):
        """Packages in a host's directory can be installed from now on."""
        (directory / "Packages").write_text(
            subprocess.run(
                ["dpkg-scanpackages", "--multiversion", "."],
                cwd=directory, capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
        self.put(directory, REPOSITORY)
        self.apt("update")

    def apt(self, *argv):
        return self.run(
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", *argv, timeout=300
        ).stdout

    def show(self, name):
        return self.run("systemctl", "show", "contraced", "--value", "-p", name).stdout.strip()

    def listed(self):
        lines = self.run("contrace", "list", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def files(self):
        """Every file with its type, mode, owner and, below /etc, its content's hash."""
        prune = " -o ".join(f"-path {path}" for path in PASSING)
        there = self.sh(
            rf"find / -xdev \( {prune} \) -prune -o -printf '%p\t%y %m %U:%G %l\n'"
            r"; find /etc -type f -exec sha256sum {} + | sed 's/\([^ ]*\)  \(.*\)/\2#\t\1/'"
        )
        return dict(line.split("\t") for line in there.splitlines())


@pytest.fixture(scope="module")
def machine(packages, goservice_binary):
    with Machine() as m:
        m.write("/etc/apt/sources.list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")
        m.put(goservice_binary, "/usr/local/bin/goservice")
        m.write("/etc/systemd/system/goservice.service", GOSERVICE)
        m.run("systemctl", "daemon-reload")
        m.offer(packages)
        m.before = m.files()
        m.apt("install", *PACKAGES)
        yield m


def test_runs_when_installed(machine):
    installed = (SRC / "debian/tests/installed").read_bytes()
    machine.run("sh", "-s", stdin=installed)
    assert machine.show("StatusText").startswith("0 targets")
    said = machine.run("journalctl", "-q", "-p", "warning", "-u", "contraced", "--no-pager").stdout
    assert said == ""


def test_group_may_reach_the_socket(machine):
    look = ("ls", "-d", "/run/contrace/.")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534")
    machine.run(*nobody, "--groups=contrace", *look)
    assert "ready" in machine.run(*nobody, "--groups=contrace", "contrace", "status").stdout
    assert machine.run(*nobody, "--clear-groups", *look, check=False).returncode != 0


def test_target_is_captured(machine):
    """As the configuration that is installed says: a file in a directory, and nothing else."""
    machine.run("systemctl", "start", "goservice")
    targets = [{"targets": ["127.0.0.1:6060"], "labels": {"service": "checkout"}}]
    machine.write(f"{TARGETS}/checkout.json", json.dumps(targets))
    (trace,) = wait_until("a trace is listed", machine.listed)
    assert trace["key"].startswith("checkout/")
    label = wait_until("it has a label", lambda: machine.listed()[0].get("label"))
    assert label, "contrace was not found by contraced"


def test_readme_as_typed(machine):
    """What it says to type where the packages are installed."""
    machine.write("/usr/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    machine.run("rm", f"{TARGETS}/checkout.json")
    (block,) = [b for b in blocks("README.md") if "sudo contrace list" in b.text]
    target, listing = commands(block)
    machine.run("bash", "-euc", target.text)
    wait_until("the target is there", lambda: machine.show("StatusText").startswith("1 target "))
    said = machine.run("bash", "-euc", listing.text).stdout
    machine.run("rm", "/usr/bin/sudo")
    _, missing = compare(listing.sample, said.replace("contrace-test", "web-1"))
    assert missing is None, said


def test_traces_from_before_the_group_could_read(machine):
    """0.1.0 kept them for its user alone. An upgrade from it opens them for the group."""
    state = "/var/lib/contrace"
    machine.sh(f"chmod -R go-rwx {state}/archive")
    machine.run("/var/lib/dpkg/info/contraced.postinst", "configure", "0.1.0")
    member = ("setpriv", "--reuid=65534", "--regid=65534", "--groups=contrace")
    assert machine.run(*member, "contrace", "list").stdout.startswith("AGE")
    assert machine.sh(f"stat -c %a {state}/lock") == "600"


def test_docs_are_installed(machine):
    """All that the pages link to, in the places where they link to it."""
    doc = "/usr/share/doc/contraced"
    for page in ("README.md", "NEWS.md", *(f"docs/{p.name}" for p in (SRC / "docs").iterdir())):
        machine.run("test", "-e", f"{doc}/{page}")


def test_library_is_found(machine):
    assert "libgotrace.so.0 " in machine.run("ldconfig", "-p").stdout
    header = machine.run("cat", "/usr/include/gotrace.h").stdout
    assert header == (SRC / "trace/gotrace.h").read_text()


def newer(packages, directory):
    """The same packages with the version that comes next, their defaults changed."""
    for deb in sorted(packages.glob("*.deb")):
        if deb.name.split("_")[0] not in PACKAGES:
            continue
        tree = directory / "tree"
        run("dpkg-deb", "--raw-extract", deb, tree, cwd=directory)
        control = tree / "DEBIAN/control"
        version = re.search(r"^Version: (.*)$", control.read_text(), re.MULTILINE)[1]
        text = control.read_text().replace(f"Version: {version}", f"Version: {version}+1")
        control.write_text(text.replace(f"(= {version})", f"(= {version}+1)"))
        if (tree / CONFIG[1:]).exists():
            with open(tree / CONFIG[1:], "a", encoding="utf-8") as config:
                config.write("# One line more.\n")
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, directory, cwd=directory)
        shutil.rmtree(tree)
    return directory


def test_upgrade_keeps_configuration(machine, packages, tmp_path):
    changed = machine.run("cat", CONFIG).stdout.replace("max_age: 7d", "max_age: 14d")
    machine.write(CONFIG, changed, 0o640)
    machine.run("chgrp", "contrace", CONFIG)
    pid = machine.show("MainPID")
    machine.offer(newer(packages, tmp_path))
    # Both sides have changed the file; noninteractive, dpkg would ask nobody.
    machine.apt("-o", "Dpkg::Options::=--force-confold", "dist-upgrade")
    version = machine.sh("dpkg-query -W -f '${Version}' contraced")
    assert version.endswith("+1")
    assert machine.run("cat", CONFIG).stdout == changed
    assert machine.sh(f"stat -c '%a %U %G' {CONFIG}") == "640 root contrace"
    assert machine.show("ActiveState") == "active"
    assert machine.show("MainPID") != pid
    wait_until("the target is there", lambda: machine.show("StatusText").startswith("1 target "))
    assert machine.listed()


def test_remove_keeps_traces(machine):
    machine.apt("remove", "contraced")
    assert machine.run("systemctl", "is-active", "contraced", check=False).returncode != 0
    assert machine.sh("ls /var/lib/contrace/archive/checkout")
    assert machine.run("cat", CONFIG).stdout.startswith("#")
    machine.apt("install", "contraced")
    assert machine.show("ActiveState") == "active"


def test_purge_leaves_nothing(machine):
    machine.apt("purge", *PACKAGES)
    machine.run("systemctl", "stop", "goservice")
    after = machine.files()
    changed = {
        path for path in machine.before.keys() | after.keys()
        if machine.before.get(path) != after.get(path)
    }  # fmt: skip
    assert {path.rstrip("#") for path in changed} <= BACKUPS
    assert machine.sh("find /run /var/lib/systemd /var/lib/dpkg -name '*contrace*'") == ""
    assert "contrace" not in machine.sh("cat /etc/passwd /etc/group /etc/shadow /etc/gshadow")
