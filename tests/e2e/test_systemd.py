# SPDX-License-Identifier: Apache-2.0
"""contraced under a real systemd, by the unit that is shipped.

Environment: CONTRACE_BUILD_DIR, a configured and built tree; CONTRACE_SRC_DIR, the source, by
default the one that this file belongs to.
"""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time

import pytest
import s3server
from nspawn import Container
from support import GO_ENV, need, need_root, wait_until
from typed import TYPED, blocks, commands, compare

HERE = pathlib.Path(__file__).resolve()
SRC = pathlib.Path(os.environ.get("CONTRACE_SRC_DIR") or HERE.parents[2]).resolve()
STATE = "/var/lib/contrace"
SOCKET = "unix:/run/go-by-socket/pprof.sock"
STOP_LIMIT = 30  # TimeoutStopSec of the unit

# base/log.h: these never change.
CAPTURED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e101"
RELOADED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e106"
RELOAD_FAILED = "0c5f3f1c6d0b4e3f9a53a4b4d2c5e107"

# One process for each address: a process has one tracer, and contraced would find it busy.
GOSERVICE_UNIT = """\
[Service]
Type=exec
DynamicUser=yes
RuntimeDirectory=%N
UMask=0000
ExecStart=/usr/local/bin/goservice -listen {address}
"""

# A long interval: after the first captures there are those that a test asks for.
GOOD = f"""\
global:
  scrape_interval: 1h
  seconds: 0.3
scrape_configs:
  - job_name: by-port
    incident_artifacts: [trace]
    static_configs:
      - targets: ["127.0.0.1:6060"]
  - job_name: by-socket
    incident_artifacts: [trace]
    static_configs:
      - targets: ["{SOCKET}"]
"""
# By name, so that the look-up has to work inside the sandbox.
ONE_MORE = (
    GOOD
    + """\
  - job_name: late
    incident_artifacts: [trace]
    static_configs:
      - targets: ["checkout.test:6060"]
"""
)
# The keys are root's, and reach the daemon as systemd hands out credentials.
UPLOADING = (
    GOOD
    + """\
upload:
  url: s3://traces/prod
  endpoint: http://127.0.0.1:7070
  region: %s
  access_key_file: ${CREDENTIALS_DIRECTORY:-/etc/contrace}/access
  secret_key_file: ${CREDENTIALS_DIRECTORY:-/etc/contrace}/secret
"""
    % s3server.REGION
)
KEYS = """\
[Service]
LoadCredential=access:/etc/contrace/access
LoadCredential=secret:/etc/contrace/secret
"""
BOTH = {"by-port", "by-socket"}
BAD = GOOD.replace("scrape_interval", "scrape_intervall")


@pytest.fixture(scope="module")
def offline_unit(tmp_path_factory):
    """The unit with its paths filled in; a program that exists stands for contraced."""
    need(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    need_root()  # it makes directories below /run
    text = (SRC / "systemd/contraced.service.in").read_text()
    text = text.replace("@sbindir@/contraced", "/bin/true").replace("@sysconfdir@", "/etc")
    assert not re.search(r"@\w+@", text)
    path = tmp_path_factory.mktemp("unit") / "contraced.service"
    path.write_text(text)
    return path


def analyze(*argv):
    command = ["systemd-analyze", "--no-pager", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_unit_exposure(offline_unit):
    said = analyze("security", "--offline=true", offline_unit).stdout
    found = re.search(r"Overall exposure level for contraced\.service: ([0-9.]+)", said)
    assert found, said
    assert float(found[1]) <= 1.5, said


def test_unit_verifies(offline_unit):
    # --man=no: the manual need not be installed here.
    done = analyze("verify", "--man=no", offline_unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def goservice(tmp_path_factory):
    need(shutil.which("go"), "no go on the PATH to build the example service")
    binary = tmp_path_factory.mktemp("goservice") / "goservice"
    subprocess.run(
        ["go", "build", "-trimpath", "-o", binary, "."],
        cwd=SRC / "examples/goservice", check=True, timeout=600,
        env={**os.environ, "CGO_ENABLED": "0", **GO_ENV},
    )  # fmt: skip
    return binary


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A directory as `make install` fills it."""
    build = os.environ.get("CONTRACE_BUILD_DIR")
    need(build, "CONTRACE_BUILD_DIR is not set")
    need((pathlib.Path(build) / "contraced").exists(), f"no contraced in {build}")
    root = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        ["make", "-C", build, "install", f"DESTDIR={root}"],
        capture_output=True, text=True, check=False, timeout=600,
        env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return root


class Machine(Container):
    """A container with contraced and the example service in it."""

    config = None  # where contraced's configuration stands
    broken = False  # it did not come up once: there is no use in waiting for it again

    def install(self, root, goservice):
        self.put(root, "/")
        self.put(goservice, "/usr/local/bin/goservice")
        for unit, address in (("go-by-port", "127.0.0.1:6060"), ("go-by-socket", SOCKET)):
            text = GOSERVICE_UNIT.format(address=address)
            self.write(f"/etc/systemd/system/{unit}.service", text)
        self.write("/etc/hosts", "127.0.0.1 localhost checkout.test\n")
        self.run("systemd-sysusers")
        self.run("systemd-tmpfiles", "--create")
        self.run("systemctl", "daemon-reload")
        # The unit says which file it reads; it depends on configure's --sysconfdir.
        command = self.show("ExecStart")
        found = re.search(r"--config\.file=(\S+)", command)
        assert found, command
        self.config = found[1]
        self.write(self.config, GOOD)

    def show(self, *properties, unit="contraced"):
        """The value of a unit's property, or a dictionary of several."""
        said = self.run("systemctl", "show", unit, "-p", ",".join(properties)).stdout
        values = dict(line.split("=", 1) for line in said.splitlines())
        return values if len(properties) > 1 else values[properties[0]]

    def journal(self, **fields):
        """Entries of contraced's journal with these fields, as dictionaries."""
        said = self.run("journalctl", "-u", "contraced", "-o", "json", "--no-pager",
                        *(f"{name}={value}" for name, value in fields.items()))  # fmt: skip
        return [json.loads(line) for line in said.stdout.splitlines()]

    def count(self, message_id):
        return len(self.journal(MESSAGE_ID=message_id))

    def kept(self):
        """The keys in the archive."""
        said = self.sh(f"cd {STATE}/archive 2>/dev/null && find . -type f -name '*.trace' || true")
        return {line.removeprefix("./") for line in said.splitlines()}

    def record(self, key):
        path = f"{STATE}/archive/{key.removesuffix('.trace')}.json"
        return json.loads(self.run("cat", path).stdout)

    def pid(self):
        return int(self.show("MainPID"))

    def restart(self):
        """Restart contraced and wait for both first captures, so that none is in flight."""
        self.run("systemctl", "stop", "contraced")
        before = self.kept()  # now, as a capture in flight is let finish
        self.run("systemctl", "start", "contraced")
        wait_until(
            "a capture of each target is kept", lambda: services(self.kept() - before) >= BOTH
        )


def services(keys):
    return {key.split("/")[0] for key in keys}


@pytest.fixture(scope="module")
def machine(installed, goservice):
    with Machine() as m:
        m.install(installed, goservice)
        m.run("systemctl", "start", "go-by-port", "go-by-socket")
        yield m


@pytest.fixture
def running(machine):
    """The machine with contraced up, as shipped, on the good configuration."""
    assert not machine.broken, "contraced did not come up in an earlier test"
    machine.broken = True
    machine.write(machine.config, GOOD)
    machine.run("rm", "-rf", "/etc/systemd/system/contraced.service.d")
    machine.run("systemctl", "daemon-reload")
    machine.restart()
    machine.broken = False
    return machine


def drop_in(machine, text):
    machine.write("/etc/systemd/system/contraced.service.d/test.conf", text)
    machine.run("systemctl", "daemon-reload")


def test_enabled_and_active(running):
    running.run("systemctl", "enable", "--now", "contraced")
    state = running.show("ActiveState", "SubState", "Type", "UnitFileState", "NRestarts")
    assert state == {
        "ActiveState": "active", "SubState": "running", "Type": "notify",
        "UnitFileState": "enabled", "NRestarts": "0",
    }  # fmt: skip
    assert running.sh("systemctl --failed --no-legend") == ""


def test_status_text(running):
    wanted = (r"\b2 targets\b", r"last capture", r"\d ?([kmg]i?)?b\b")

    def complete():
        text = running.show("StatusText")
        return all(re.search(pattern, text, re.IGNORECASE) for pattern in wanted)

    wait_until("StatusText has targets, last capture and bytes kept", complete)


def test_traces_are_of_the_group(running):
    """A member of the group lists and fetches them, changes nothing, and nobody else sees them."""
    assert running.sh(f"stat -c '%a %U %G' {STATE}") == "750 contrace contrace"
    assert running.sh(f"find {STATE}/archive -printf '%u %g\n' | sort -u") == "contrace contrace"
    nobody = ("setpriv", "--reuid=65534", "--regid=65534")
    member = (*nobody, "--groups=contrace")
    contrace = "/usr/local/bin/contrace"
    listed = running.run(*member, contrace, "list", "--json").stdout.splitlines()
    assert {json.loads(line)["key"] for line in listed} == running.kept()
    into = running.sh("mktemp -d && chmod 777 /tmp/tmp.*").split()[0]
    fetched = running.run(*member, contrace, "pull", "--last=1", "-o", into).stdout.strip()
    assert running.sh(f"head -c 5 {fetched}") == "go 1."
    written = running.run(*member, "touch", f"{STATE}/archive/x", check=False)
    assert "Permission denied" in written.stderr
    refused = running.run(*nobody, "--clear-groups", contrace, "list", check=False)
    assert refused.returncode == 1 and refused.stdout == ""
    assert f"{STATE} cannot be read" in refused.stderr
    assert "sudo" in refused.stderr and "group contrace" in refused.stderr


def test_state_of_a_dynamic_user_is_taken_over(running):
    """The unit of 0.1.0 had a DynamicUser=, whose state only root could reach."""
    running.run("systemctl", "stop", "contraced")
    before = running.kept()
    running.sh(
        "mkdir -m 700 -p /var/lib/private; mv /var/lib/contrace /var/lib/private/;"
        " ln -s private/contrace /var/lib/contrace; chown -R 61200 /var/lib/private/contrace"
    )
    running.restart()
    assert before < running.kept()
    assert running.sh(f"stat -c '%F %a %U %G' {STATE}") == "directory 750 contrace contrace"
    assert running.sh(f"find {STATE}/archive -printf '%u\n' | sort -u") == "contrace"


def test_traces_are_traces(running):
    for key in sorted(running.kept()):
        path = shlex.quote(f"{STATE}/archive/{key}")
        assert running.sh(f"head -c 16 {path}").startswith("go 1.")
        record = running.record(key)
        assert running.sh(f"sha256sum < {path}").split()[0] == record["sha256"]
        assert int(running.sh(f"stat -c %s {path}")) == record["bytes"]


def test_traces_are_inspected(running):
    """The child confines itself inside the unit's own sandbox, with Landlock where there is any."""

    def labelled():
        records = [running.record(key) for key in running.kept()]
        return records and all("label" in record for record in records) and records

    for record in wait_until("each trace has a label", labelled):
        assert "not_inspected" not in record, record["not_inspected"]
        findings = record["summary"]["findings"]
        assert record["label"] in ("healthy", "idle") or findings[0]["code"] == record["label"]


def test_confined(running):
    """Inside the unit's own sandbox contraced writes to its files only, where there is Landlock."""
    said = [e["MESSAGE"] for e in running.journal() if e["MESSAGE"].startswith("confined: ")][-1]
    assert "system calls are filtered" in said
    assert f"files are written below {STATE} only" in said or "this kernel has none" in said


def test_reload(running):
    pid = running.pid()
    before = running.count(RELOADED)
    running.write(running.config, ONE_MORE)
    running.run("systemctl", "reload", "contraced")
    wait_until("the reload is in the journal", lambda: running.count(RELOADED) > before)
    wait_until("the status has the new target", lambda: "3 targets" in running.show("StatusText"))
    wait_until("the new target is captured", lambda: "late" in services(running.kept()))
    assert running.show("SubState") == "running"
    assert running.pid() == pid


@pytest.mark.parametrize("page", ["docs/INSTALL.md", "docs/LOGS.md"])
def test_as_typed(running, page):
    """What the pages say to type where contraced is a service."""
    path = "export PATH=/usr/local/sbin:/usr/local/bin:$PATH\n"
    running.write("/usr/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    chosen = [b for b in blocks(page) if b.language in TYPED and "autoreconf" not in b.text]
    assert chosen
    for command in [c for b in chosen for c in commands(b)]:
        said = running.sh(path + "set -e; cd /\n" + command.text)
        _, missing = compare(command.sample, said)
        assert missing is None, said
    running.run("rm", "/usr/bin/sudo")


def test_bad_reload_changes_nothing(running):
    pid = running.pid()
    before = running.count(RELOAD_FAILED)
    running.write(running.config, BAD)
    running.run("systemctl", "reload", "contraced")
    wait_until("the failure is in the journal", lambda: running.count(RELOAD_FAILED) > before)
    # The error itself is there too, with its place in the file.
    said = "\n".join(str(entry["MESSAGE"]) for entry in running.journal())
    assert re.search(rf"{re.escape(running.config)}:2:\d+: .*scrape_intervall", said)
    assert running.show("SubState") == "running"
    assert running.pid() == pid
    assert "2 targets" in running.show("StatusText")


def test_usr1_captures(running):
    before = running.kept()
    running.run("systemctl", "kill", "-s", "USR1", "contraced")
    wait_until("one new capture of each target", lambda: services(running.kept() - before) >= BOTH)
    new = running.kept() - before
    assert len(new) == 2
    assert {running.record(key)["reason"] for key in new} == {"signal"}


def test_steered_by_contrace(running):
    """The default socket is found; a token is not needed."""
    status = json.loads(running.run("/usr/local/bin/contrace", "status", "--json").stdout)
    assert status["ready"] and status["status"]["pid"] == running.pid()
    said = running.run("/usr/local/bin/contrace", "capture", "--all", "--seconds=0.2").stdout
    assert services(said.split()) == BOTH and set(said.split()) <= running.kept()
    running.run("/usr/local/bin/contrace", "suspend")
    wait_until("the status says it",
               lambda: running.show("StatusText").startswith("suspended (api), 2"))  # fmt: skip
    assert running.run("/usr/local/bin/contrace", "resume").stdout == "resumed\n"


def test_flag_file_and_pressure(running):
    """Both are seen from within the sandbox, and the file outlives a restart."""
    text = GOOD + "suspend: {cpu_pressure: 100%}\n"
    running.write(running.config, text)
    running.run("systemctl", "reload", "contraced")
    running.run("touch", "/run/contrace/suspend")
    try:

        def suspended():
            return running.show("StatusText").startswith("suspended (flag_file), 2")

        wait_until("the status says it", suspended)
        before = running.kept()
        running.run("systemctl", "restart", "contraced")
        wait_until("the status says it after the restart", suspended)
        time.sleep(3)  # first captures would come at once
        assert running.kept() == before
    finally:
        running.run("rm", "-f", "/run/contrace/suspend")
    wait_until("it goes on", lambda: running.show("StatusText").startswith("2 targets"))
    said = [str(entry["MESSAGE"]) for entry in running.journal()]
    assert not any("suspend.cpu_pressure has no effect" in line for line in said)


def test_journal_fields(running):
    entries = running.journal(MESSAGE_ID=CAPTURED)
    assert entries
    for entry in entries:
        assert entry["KEY"].startswith(entry["SERVICE"] + "/")
        assert entry["TARGET"]
        assert entry["MESSAGE"]
        assert entry["_SYSTEMD_UNIT"] == "contraced.service"
    assert {entry["KEY"] for entry in entries} >= running.kept()
    targets = {entry["SERVICE"]: entry["TARGET"] for entry in entries}
    assert "127.0.0.1:6060" in targets["by-port"]
    assert SOCKET.removeprefix("unix:") in targets["by-socket"]


def test_sandbox_is_in_force(running):
    pid = running.pid()
    lines = running.sh(f"cat /proc/{pid}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    # Not root, and not nobody either: a user of its own.
    assert status["Uid"].split() == [running.sh("id -u contrace")] * 4
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    for namespace in ("mnt", "user", "ipc", "uts"):
        own = running.sh(f"readlink /proc/{pid}/ns/{namespace}")
        assert own != running.sh(f"readlink /proc/1/ns/{namespace}"), namespace
    # As root in the daemon's view of the file system: all is read-only but its own directories.
    inside = f"nsenter --target {pid} --mount --wd=/ --"
    for directory in ("/", "/usr", "/etc", "/var", "/var/lib/private"):
        refused = running.run("sh", "-c", f"{inside} touch {directory}/written", check=False)
        assert "Read-only file system" in refused.stderr, directory
    running.sh(f"{inside} sh -c 'touch {STATE}/written && rm {STATE}/written'")
    assert running.sh(f"{inside} ls -A /home /root") == "/home:\n\n/root:"
    assert running.sh(f"{inside} ls -A /tmp") == ""
    assert running.sh(f"grep 'Max core file size' /proc/{pid}/limits").split()[4:6] == ["0", "0"]


def test_uploads(running):
    running.put(s3server.binary(), "/usr/local/bin/versitygw")
    running.write("/etc/contrace/access", s3server.ACCESS_KEY + "\n", 0o600)
    running.write("/etc/contrace/secret", s3server.SECRET_KEY + "\n", 0o600)
    running.run("mkdir", "-p", "/srv/s3/traces")
    running.run(
        "systemd-run", "--unit=s3", "--collect", "/usr/local/bin/versitygw", "--quiet",
        "--port", "127.0.0.1:7070", "--access", s3server.ACCESS_KEY, "--secret",
        s3server.SECRET_KEY, "--region", s3server.REGION, "posix", "/srv/s3",
    )  # fmt: skip
    try:
        drop_in(running, KEYS)
        running.write(running.config, UPLOADING)
        running.restart()
        keys = running.kept()
        uploaded = running.sh("cd /srv/s3/traces/prod && find . -name '*.trace'").splitlines()
        assert {key.removeprefix("./") for key in uploaded} <= keys
        assert services(key.removeprefix("./") for key in uploaded) >= BOTH
        entries = [e["MESSAGE"] for e in running.journal()]
        assert any("uploads to s3://traces/prod" in e and "work" in e for e in entries)
        assert not any(s3server.SECRET_KEY in e for e in entries)
        listed = running.sh(f"/usr/local/bin/contrace list --config.file={running.config} --json")
        assert {json.loads(line)["key"] for line in listed.splitlines()} == keys
    finally:
        running.run("systemctl", "stop", "s3", check=False)


def in_its_network(machine, *argv):
    """The words that run a program of this machine where the container's loopback is."""
    return ["nsenter", f"--target={machine.leader}", "--net", *map(str, argv)]


@contextlib.contextmanager
def moto(machine, port):
    """S3 and STS, which give out a role to whoever asks, with a bucket called traces."""
    need(shutil.which("moto_server"), "no moto_server: scripts/test-tools python")
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        in_its_network(machine, "moto_server", "-H", "127.0.0.1", "-p", port),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    create = ["curl", "-sf", "-o", "/dev/null", "-X", "PUT", f"{url}/traces"]
    try:
        wait_until("moto has made the bucket", lambda: subprocess.run(
            in_its_network(machine, *create), check=False).returncode == 0)  # fmt: skip
        yield url
    finally:
        server.terminate()
        server.wait()


def test_role_of_a_profile(running):
    """The example of docs/CREDENTIALS.md as it stands there, with moto in AWS's place."""
    page = [b for b in blocks("docs/CREDENTIALS.md") if b.language in (*TYPED, "ini", "yaml")]
    files = {m[1]: b.text for b in page if (m := re.match(r"# (/etc/[^\s,]+)", b.text))}
    config, keys, override, more = (files[name] for name in (
        "/etc/contrace/aws-config", "/etc/contrace/aws-credentials",
        "/etc/systemd/system/contraced.service.d/override.conf", "/etc/contrace/contraced.yaml",
    ))  # fmt: skip
    typed = [b.text for b in page if b.language in TYPED]
    assert len(files) == 4 and len(typed) == 2
    path = "export PATH=/usr/local/sbin:/usr/local/bin:$PATH\nset -e; cd /\n"
    running.write("/usr/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    running.write("/etc/contrace/aws-config", config)
    running.write("/etc/contrace/aws-credentials", keys, 0o600)
    with moto(running, 7071) as url:
        drop_in(running, override + f"Environment=AWS_ENDPOINT_URL={url}\n")
        running.write(running.config, GOOD + more)
        running.sh(path + typed[0])
        role = "the role arn:aws:iam::111122223333:role/contrace (profile prod)"
        store = f"uploads to s3://traces/prod (eu-west-1, {url})"
        probe = wait_until("uploads are tried", lambda: [
            e["MESSAGE"] for e in running.journal() if e["MESSAGE"].startswith(store)
        ])  # fmt: skip
        said = [e["MESSAGE"] for e in running.journal()]
        assert probe[0].startswith(f"{store} work"), said
        assert [e for e in said if f"credentials come from {role}" in e], said
        wait_until("a trace arrived", lambda: " done" in running.sh(
            path + "contrace status | grep '^upload'"))  # fmt: skip
        listed = running.run("sh", "-c", f"export AWS_ENDPOINT_URL={url}\n{path}{typed[1]}")
        assert role in listed.stderr and ".trace" in listed.stdout
    running.run("rm", "/usr/bin/sudo")


def test_watchdog_is_fed(running):
    drop_in(running, "[Service]\nWatchdogSec=3s\n")
    running.restart()
    pid = running.pid()
    time.sleep(8)
    assert running.pid() == pid
    assert running.show("ActiveState", "NRestarts") == {"ActiveState": "active", "NRestarts": "0"}


def test_watchdog_bites(running):
    drop_in(running, "[Service]\nWatchdogSec=3s\nRestartSec=100ms\n")
    running.restart()
    pid = running.pid()
    running.run("systemctl", "kill", "-s", "STOP", "--kill-whom=main", "contraced")

    def restarted():
        now = running.show("SubState", "NRestarts")
        return now == {"SubState": "running", "NRestarts": "1"} and running.pid() != pid

    wait_until("systemd has restarted the daemon", restarted, 25)
    # What systemd itself says of a unit stands under UNIT=.
    assert "Watchdog timeout" in running.sh("journalctl --no-pager UNIT=contraced.service")
    # It works again, on the spool that the killed one left.
    before = running.kept()
    running.run("systemctl", "kill", "-s", "USR1", "contraced")
    wait_until("a new capture after the restart", lambda: running.kept() - before)


def test_restarts_without_limit(running):
    # systemd's own limit is five starts in ten seconds.
    running.write(running.config, BAD)
    drop_in(running, "[Service]\nRestartSec=100ms\n")
    running.run("systemctl", "restart", "contraced", check=False)
    wait_until("the seventh restart", lambda: int(running.show("NRestarts")) >= 7)
    # As soon as the file is mended it runs.
    running.write(running.config, GOOD)
    wait_until("contraced is active", lambda: running.show("ActiveState") == "active")


def test_stop(running):
    # A capture is in flight: it may end, and the unit is still down in time.
    running.run("systemctl", "kill", "-s", "USR1", "contraced")
    began = time.monotonic()
    running.run("systemctl", "stop", "contraced")
    assert time.monotonic() - began < STOP_LIMIT
    ended = running.show("ActiveState", "Result", "ExecMainStatus")
    assert ended == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    assert running.sh(f"ls -A {STATE}/incoming") == ""
