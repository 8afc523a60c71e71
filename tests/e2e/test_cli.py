# SPDX-License-Identifier: Apache-2.0
"""contrace list and pull: a spool on disk, a real S3 server, and what may go wrong between."""

import collections
import contextlib
import fcntl
import grp
import hashlib
import http.server
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest
import s3server
from hostile import healthy
from support import BUILD, PATIENCE, SRC, job, need, run, tmpfs, wait_until

CONTRACE = BUILD / "contrace"
REMOTE = BUILD / "contrace-remote"
NOW = int(time.time())
BUCKET = "traces"


def key_of(service, host, when, pid=7):
    return f"{service}/{host}/{time.strftime('%Y%m%d/%H%M%S', time.gmtime(when))}-{pid}.trace"


def record_of(key, data, **more):
    service, host, _, rest = key.split("/")
    return {
        "service": service, "host": host, "pid": int(rest[:-6].split("-")[1]),
        "reason": "schedule", "seconds": 2.0, "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), "go_version": "1.26", "complete": True, **more,
    }  # fmt: skip


def put(top, key, data=b"go 1.26 trace\0\0\0 and more", record=True, **more):
    """A trace and its record below a directory: a part of a spool, or a bucket's prefix."""
    path = pathlib.Path(top) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if record:
        path.with_suffix(".json").write_text(json.dumps(record_of(key, data, **more)))
    return key


def contrace(*argv, env=None, timeout=PATIENCE, **more):
    need(CONTRACE.exists(), f"no contrace in {BUILD}")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    clean |= {"AWS_EC2_METADATA_DISABLED": "true", **(env or {})}
    return run(CONTRACE, *argv, env=clean, timeout=timeout, check=False, **more)


def keys_of(done):
    return [json.loads(line)["key"] for line in done.stdout.splitlines()]


def files_below(path):
    return sorted(str(p.relative_to(path)) for p in pathlib.Path(path).rglob("*") if p.is_file())


@pytest.fixture
def spool(tmp_path):
    """A spool of two services and three hosts, as contraced leaves it."""
    top = tmp_path / "spool"
    for part in ("incoming", "pending", "archive"):
        (top / part).mkdir(parents=True)
    put(top / "pending", key_of("checkout", "web-1", NOW - 60), b"a" * 1000)
    put(top / "archive", key_of("checkout", "web-1", NOW - 3600), b"b" * 5000)
    put(
        top / "archive",
        key_of("checkout", "web-2", NOW - 120),
        b"c" * 300,
        reason="signal",
        label="lock-contention",
    )
    put(top / "archive", key_of("search", "db", NOW - 90000, 12), b"d" * 40, complete=False,
        truncated={"received": 50, "by": "reset"})  # fmt: skip
    return top


class Store:
    """A bucket of the S3 server and a configuration that leads to it."""

    def __init__(self, server, directory):
        self.server = server
        self.top = server.root / BUCKET / "prod"
        self.top.mkdir(parents=True)
        self.env = {
            "AWS_ACCESS_KEY_ID": s3server.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": s3server.SECRET_KEY,
        }
        self.config = directory / "contrace.yaml"
        self.write(f"http://{server.host}", directory / "nospool")

    def write(self, endpoint, spool):
        self.config.write_text(json.dumps({
            "storage": {"path": str(spool)},
            "upload": {"url": f"s3://{BUCKET}/prod", "endpoint": endpoint,
                       "region": s3server.REGION},
        }))  # fmt: skip

    def run(self, command, *argv, **more):
        return contrace(command, f"--config.file={self.config}", *argv, env=self.env, **more)


@pytest.fixture
def store(tmp_path):
    server = s3server.S3Server(tmp_path)
    yield Store(server, tmp_path)
    server.close()


def test_help_and_usage():
    done = contrace("--help")
    assert done.returncode == 0 and "list" in done.stdout and "pull" in done.stdout
    assert re.fullmatch(r"contrace \d+\.\d+\.\d+\n", contrace("--version").stdout)
    for command in re.findall(r"^  ([a-z]+) ", done.stdout, re.MULTILINE):
        done = contrace(command, "--help")
        assert done.returncode == 0 and f"Usage: contrace {command}" in done.stdout
        assert all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout
    for wrong in ([], ["nonsense"], ["list", "--nonsense"], ["list", "word"], ["pull"],
                  ["list", "--since=soon"], ["list", "--sort=colour"], ["list", "--limit=0"],
                  ["pull", "--last=1", "a/b/20261121/000000-1.trace"], ["pull", "../../etc/passwd"],
                  ["list", "--local", "--remote"], ["list", "--since=1h", "--until=2h"],
                  ["pull", "--artifact=mutex", "a/b/20261121/000000-1"],
                  ["pull", "--concurrency=65", "--last=1"]):  # fmt: skip
        done = contrace(*wrong)
        assert done.returncode == 2, (wrong, done)
        assert done.stderr and not done.stdout, (wrong, done)


def test_lists_the_spool(spool):
    done = contrace("list", f"--storage.path={spool}")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        "AGE", "SERVICE", "HOST", "PID", "REASON", "SIZE", "WHERE", "STATE", "LABEL", "KEY",
    ]  # fmt: skip
    assert len({line.index(k) for line, k in zip(lines, ["KEY", "checkout/", "checkout/",
                "checkout/", "search/"])}) == 1  # fmt: skip
    assert [line.split()[7] for line in lines[1:]] == ["complete"] * 3 + ["truncated"]
    assert [line.split()[6] for line in lines[1:]] == ["pending"] + ["archive"] * 3
    assert "\033" not in done.stdout


def test_selects_and_sorts(spool):
    def listed(*argv):
        done = contrace("list", "--json", f"--storage.path={spool}", *argv)
        assert done.returncode == 0, done.stderr
        return [k.split("/")[1] for k in keys_of(done)]

    assert listed() == ["web-1", "web-2", "web-1", "db"]
    assert listed("--reverse") == ["db", "web-1", "web-2", "web-1"]
    assert listed("--service=checkout") == ["web-1", "web-2", "web-1"]
    assert listed("--service=[cs]*", "--host=*b*") == ["web-1", "web-2", "web-1", "db"]
    assert listed("--host=web-?", "--since=30m") == ["web-1", "web-2"]
    assert listed("--until=30m") == ["web-1", "db"]
    assert listed("--reason=signal") == ["web-2"]
    assert listed("--reason=s*", "--limit=2") == ["web-1", "web-2"]
    assert listed("--label=lock-contention") == listed("--label=*-*") == ["web-2"]
    assert listed("--label=healthy") == []
    assert listed("--sort=label", "-n1") == ["web-2"]
    assert listed("--sort=size") == ["web-1", "web-1", "web-2", "db"]
    assert listed("--sort=host") == ["db", "web-1", "web-1", "web-2"]
    assert listed("--sort=state", "--limit=1") == ["db"]
    assert listed("--sort=reason", "--reverse", "-n1") == ["web-2"]
    assert listed("--sort=AGE") == listed("--reverse")
    for title in (
        contrace("list", "--long", f"--storage.path={spool}").stdout.split("\n")[0].split()
    ):
        assert listed(f"--sort={title}") == listed(f"--sort={title.lower()}")
    day = time.strftime("%Y-%m-%d", time.gmtime(NOW - 90000))
    assert listed(f"--since={day}", f"--until={day}", "--service=search") == ["db"]


def test_what_fits_nothing(spool):
    """A slip of the pen is told from there being no such trace."""
    where = f"--storage.path={spool}"
    for command in (["list", where], ["pull", where, "--last=1"]):
        done = contrace(*command, "--label=lock-contension")
        assert (done.returncode, done.stdout) == (2, "")
        assert "--label=lock-contension: expected " in done.stderr
        assert " lock-contention, " in done.stderr
        assert " healthy, idle, not-inspected, or a pattern" in done.stderr
        done = contrace(*command, "--service=chekout", "--label=l*")
        assert done.stderr.endswith(
            f"contrace: without --service and --label there are 4 in {spool}\n"
        )
    # A pull takes traces, so it counts nothing else.
    (path,) = (spool / "archive").rglob("checkout/web-1/*/*.trace")
    path.with_suffix(".mutex.pb.gz").write_bytes(b"x")
    done = contrace("pull", where, "--last=1", "--service=chekout")
    assert done.stderr.endswith(f"contrace: without --service there are 4 in {spool}\n")
    done = contrace("pull", where, "--last=1", "--artifact=block")
    assert done.stderr.endswith(f"contrace: without --artifact there are 4 in {spool}\n")
    path.with_suffix(".mutex.pb.gz").unlink()
    done = contrace("list", where, "--label=x*")
    assert done.returncode == 0
    assert done.stderr == f"no traces\ncontrace: without --label there are 4 in {spool}\n"
    assert contrace("list", where, "--json", "--label=not-inspected").stderr == ""


def test_json_of_a_trace(spool):
    done = contrace("list", "--json", f"--storage.path={spool}", "--service=search")
    entry = json.loads(done.stdout)
    assert entry["pid"] == 12 and entry["size"] == 40 and entry["where"] == ["archive"]
    assert entry["complete"] is False and entry["truncated_by"] == "reset"
    assert entry["sha256"] == hashlib.sha256(b"d" * 40).hexdigest()


def test_a_daemons_spool_is_read_beside_it(daemon, serve, tmp_path):
    """Listing and pulling take no lock and leave no trace in the spool."""
    server = serve(healthy())
    d = daemon([job("checkout", server.address)])
    d.wait_captured()
    d.idle()
    before = files_below(d.spool.path)
    listed = contrace("list", "--json", f"--config.file={d.config}")
    assert keys_of(listed) == d.spool.keys(), listed
    pulled = contrace("pull", "--last=1", f"--config.file={d.config}", "-o", tmp_path / "out")
    assert pulled.returncode == 0, pulled.stderr
    path = pathlib.Path(pulled.stdout.strip())
    assert path.read_bytes() == d.spool.trace(d.spool.keys()[0]).read_bytes()
    assert files_below(d.spool.path) == before
    d.stop()


def test_json_is_ascii(spool):
    """What turns a terminal's lines round, or talks to it, is escaped; programs read the same."""
    odd = "\x1b[2J\x9b31m\u202egnp.exe\u2066\u200f ü"
    put(spool / "archive", key_of("checkout", "web-1", NOW), reason=odd)
    done = contrace("list", "--json", f"--storage.path={spool}")
    assert done.stdout.isascii() and "\x1b" not in done.stdout
    assert odd in [json.loads(line).get("reason") for line in done.stdout.splitlines()]
    table = contrace("list", f"--storage.path={spool}").stdout
    assert table.isascii() and "\x1b" not in table


def test_foreign_things_in_the_spool_are_no_traces(spool):
    top = spool / "archive"
    day = top / "checkout/web-1/20261121"
    day.mkdir(parents=True, exist_ok=True)
    (day / "010101-1.trace").symlink_to("/etc/passwd")
    (day / "notes.trace").write_text("x")
    (day / "020202-2.trace").mkdir()
    (top / "loop").symlink_to(top)
    (top / "checkout" / "file").write_text("x")
    done = contrace("list", "--json", f"--storage.path={spool}")
    assert done.returncode == 0 and len(keys_of(done)) == 4
    done = contrace("pull", f"--storage.path={spool}", "-o", spool.parent / "out",
                    "checkout/web-1/20261121/010101-1.trace")  # fmt: skip
    assert done.returncode == 1 and "no such trace" in done.stderr
    assert files_below(spool.parent / "out") == []


def test_a_spool_that_is_not_there_or_not_readable(tmp_path, spool):
    done = contrace("list", f"--storage.path={tmp_path}/none")
    assert done.returncode == 1 and "there is no" in done.stderr
    if os.geteuid() == 0:
        need(shutil.which("setpriv"), "no setpriv")
        other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    else:
        other = []
    program = tmp_path / "contrace"
    shutil.copy(CONTRACE, program)
    shutil.copy(REMOTE, tmp_path)
    for path in [tmp_path, *tmp_path.parents]:
        with contextlib.suppress(PermissionError):
            path.chmod(path.stat().st_mode | 0o111)
    spool.chmod(0o700 if other else 0)
    done = run(*other, program, "list", f"--storage.path={spool}", check=False)
    spool.chmod(0o700)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr and "sudo" in done.stderr
    assert "group" not in done.stderr and "--remote" not in done.stderr  # neither would help
    if other:
        group = grp.getgrgid(4).gr_name
        os.chown(spool, 0, 4)
        spool.chmod(0o750)
        done = run(*other, program, "list", f"--storage.path={spool}", check=False)
        assert f"or become a member of the group {group}\n" in done.stderr
    config = tmp_path / "c.yaml"
    config.write_text("storage: {path: /nowhere}\n")
    config.chmod(0)
    if other:
        done = run(*other, program, "list", f"--config.file={config}", check=False)
        assert done.returncode == 1 and "--upload.url" in done.stderr and "sudo" in done.stderr


def test_without_the_other_program(tmp_path):
    """What reads traces does without it; what needs it says so."""
    program = tmp_path / "contrace"
    shutil.copy(CONTRACE, program)
    done = run(program, "list", "--help", check=False)
    if done.returncode != 0:  # none is installed either
        assert done.returncode == 1 and done.stderr.startswith("contrace: list: cannot run /")
        assert done.stderr.endswith("/contrace/contrace-remote: No such file or directory\n")
    assert run(program, "verify", "--help").returncode == 0
    assert "list" in run(program, "--help").stdout


def test_the_other_program_is_found_beside_a_link(tmp_path, spool):
    link = tmp_path / "contrace"
    link.symlink_to(CONTRACE)
    done = run(link, "list", "--json", f"--storage.path={spool}")
    assert keys_of(done) == keys_of(contrace("list", "--json", f"--storage.path={spool}"))


def test_the_other_program_alone():
    for argv in ([], ["summary"], ["--help"]):
        done = run(REMOTE, *argv, check=False)
        assert done.returncode == 2 and "try 'contrace --help'" in done.stderr


def test_reading_a_trace_needs_few_libraries():
    """Its start costs as much as reading a small trace otherwise."""
    need(shutil.which("readelf"), "no readelf on the PATH (Debian: binutils)")
    needed = re.findall(r"NEEDED.*\[(\w+)", run("readelf", "-d", CONTRACE).stdout)
    assert not {"libcurl", "libsystemd", "libcrypto", "libyaml", "libexpat"} & set(needed)


def test_pulls_from_the_spool(spool, tmp_path):
    out = tmp_path / "out"
    argv = ["pull", "--last=3", f"--storage.path={spool}", "-o", out]
    done = contrace(*argv)
    assert done.returncode == 0, done.stderr
    keys = keys_of(contrace("list", "--json", "--limit=3", f"--storage.path={spool}"))
    assert done.stdout.splitlines() == [f"{out}/{k}" for k in keys]
    assert len(done.stderr.splitlines()) == 3
    assert files_below(out) == sorted(k[:-6] + s for k in keys for s in (".json", ".trace"))
    for k in keys:
        data = (out / k).read_bytes()
        record = json.loads((out / k).with_suffix(".json").read_text())
        assert hashlib.sha256(data).hexdigest() == record["sha256"]
    again = contrace(*argv)
    assert again.returncode == 0 and again.stderr.count("already here") == 3
    assert again.stdout == done.stdout


def test_paths_are_words_for_a_shell(spool, tmp_path):
    put(spool / "archive", key_of("-odd", "-h", NOW))
    done = contrace("pull", "--last=2", f"--storage.path={spool}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    odd, plain = done.stdout.splitlines()
    assert odd.startswith("./-odd/") and plain.startswith("checkout/")
    assert (tmp_path / odd).exists() and (tmp_path / plain).exists()
    flat = contrace("pull", "--last=1", "--flat", f"--storage.path={spool}", cwd=tmp_path)
    assert flat.stdout.strip() == "./" + key_of("-odd", "-h", NOW).replace("/", "_")


def test_another_file_is_not_replaced(spool, tmp_path):
    key = key_of("checkout", "web-1", NOW - 60)
    argv = ["pull", key[:-6], f"--storage.path={spool}", "-o", tmp_path]
    (tmp_path / key).parent.mkdir(parents=True)
    (tmp_path / key).write_text("mine")
    done = contrace(*argv)
    assert done.returncode == 1 and "--force" in done.stderr and done.stdout == ""
    assert (tmp_path / key).read_text() == "mine"
    done = contrace(*argv, "--force")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / key).read_bytes() == b"a" * 1000


def test_damage_in_the_spool_is_seen(spool, tmp_path):
    key = key_of("checkout", "web-1", NOW - 60)
    (spool / "pending" / key).write_bytes(b"a" * 999 + b"b")
    done = contrace("pull", key, f"--storage.path={spool}", "-o", tmp_path / "out")
    assert done.returncode == 1 and key in done.stderr and "hash" in done.stderr
    assert done.stdout == "" and files_below(tmp_path / "out") == []


def test_an_endless_record_in_the_spool(spool, tmp_path):
    """The trace comes without it, and it is said that nothing tells its hash."""
    key = key_of("checkout", "web-1", NOW - 60)
    (spool / "pending" / key).with_suffix(".json").write_text(json.dumps({"labels": "x" * 300_000}))
    done = contrace("pull", key, f"--storage.path={spool}", "-o", tmp_path / "out")
    assert done.returncode == 0 and "it is not verified" in done.stderr
    assert files_below(tmp_path / "out") == [key]


def test_a_left_over_of_a_killed_pull_is_replaced(spool, tmp_path):
    key = key_of("checkout", "web-1", NOW - 60)
    part = tmp_path / "out" / key
    part = part.with_name("." + part.name + ".part")
    part.parent.mkdir(parents=True)
    part.write_text("half")
    done = contrace("pull", key, f"--storage.path={spool}", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert not part.exists()


def fill(store, services=("checkout", "search"), hosts=5, count=250, step=60, **more):
    keys = []
    for service in services:
        for h in range(hosts):
            for i in range(count):
                keys.append(key_of(service, f"web-{h}", NOW - step * i - h))
                put(store.top, keys[-1], **more)
    return keys


def test_pages_of_a_store(store):
    """2,500 traces, 5,000 objects: five pages of S3."""
    keys = fill(store)
    put(store.top, ".contrace/probe-web-1", record=False)
    put(store.top, "checkout/web-1/20261121/notes.txt", record=False)
    done = store.run("list", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(keys_of(done)) == sorted(keys)
    assert json.loads(done.stdout.splitlines()[0])["where"] == ["remote"]
    newest = sorted(keys, key=lambda k: k.split("/")[2:], reverse=True)
    done = store.run("list", "--json", "--limit=7")
    assert [k.split("/")[3][:6] for k in keys_of(done)] == [k.split("/")[3][:6] for k in newest[:7]]
    expected = [k for k in newest if k.startswith("checkout/web-3/")][:60]
    day, clock = expected[-1].split("/")[2:]
    since = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}Z"
    done = store.run("list", "--json", "--service=checkout", "--host=web-3", f"--since={since}")
    assert sorted(keys_of(done)) == sorted(expected)


def test_last_picks_the_newest_across_hosts(store, tmp_path):
    fill(store, hosts=3, count=4, step=3600)
    wanted = [put(store.top, key_of("search", "web-9", NOW + i)) for i in (1, 2)]
    done = store.run("pull", "--last=2", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{tmp_path}/out/{k}" for k in reversed(wanted)]


def test_pulls_in_parallel_and_skips_what_is_here(store, tmp_path):
    keys = [key_of("checkout", "web-1", NOW - i) for i in range(40)]
    for i, key in enumerate(keys):
        put(store.top, key, os.urandom(50_000 + i))
    out = tmp_path / "out"
    done = store.run("pull", "--concurrency=8", "-o", out, *keys)
    assert done.returncode == 0, done.stderr
    for key in keys:
        assert (out / key).read_bytes() == (store.top / key).read_bytes()
        assert (out / key).with_suffix(".json").exists()
    (out / keys[3]).unlink()
    done = store.run("pull", "-o", out, *keys)
    assert done.returncode == 0 and done.stderr.count("already here") == 39, done.stderr


def test_a_corrupted_object_is_refused(store, tmp_path):
    good, bad = (key_of("checkout", "web-1", NOW - i) for i in (0, 1))
    put(store.top, good)
    put(store.top, bad, b"x" * 10_000)
    (store.top / bad).write_bytes(b"x" * 9_999 + b"y")
    done = store.run("pull", good, bad, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert bad in done.stderr and "hash" in done.stderr
    assert done.stdout.splitlines() == [f"{tmp_path}/out/{good}"]
    assert files_below(tmp_path / "out") == [good[:-6] + ".json", good]


def test_an_object_without_a_record_comes_unverified(store, tmp_path):
    key = put(store.top, key_of("checkout", "web-1", NOW), record=False)
    done = store.run("pull", key, "-o", tmp_path / "out")
    assert done.returncode == 0 and "not verified" in done.stderr
    assert files_below(tmp_path / "out") == [key]


def test_spool_and_store_are_merged(store, spool, tmp_path):
    store.write(f"http://{store.server.host}", spool)
    both = key_of("checkout", "web-1", NOW - 3600)
    shutil.copytree(spool / "archive", store.top, dirs_exist_ok=True)
    alone = put(store.top, key_of("checkout", "web-7", NOW - 5), b"far" * 100, reason="api")
    done = store.run("list", "--json")
    assert done.returncode == 0, done.stderr
    where = {e["key"]: e["where"] for e in map(json.loads, done.stdout.splitlines())}
    assert where[both] == ["archive", "remote"] and where[alone] == ["remote"]
    assert where[key_of("checkout", "web-1", NOW - 60)] == ["pending"]
    assert len(where) == 5
    assert len(keys_of(store.run("list", "--json", "--local"))) == 4
    assert len(keys_of(store.run("list", "--json", "--remote"))) == 4
    assert keys_of(store.run("list", "--json", "--reason=api")) == [alone]
    assert "reason" not in json.loads(store.run("list", "--json", "--host=web-7").stdout)
    long = json.loads(store.run("list", "--json", "--long", "--host=web-7").stdout)
    assert long["reason"] == "api"
    # What is damaged here is had from there.
    (spool / "archive" / both).write_bytes(b"bad")
    done = store.run("pull", both, "-o", tmp_path / "out")
    assert done.returncode == 0 and "the store is asked" in done.stderr, done.stderr
    assert (tmp_path / "out" / both).read_bytes() == b"b" * 5000


def test_what_a_daemon_uploaded(store, daemon, serve, tmp_path):
    """Found from elsewhere; its hash is in the object's meta data, too."""
    upload = json.loads(store.config.read_text())["upload"]
    d = daemon([job("checkout", serve(healthy()).address)], upload=upload,
               env={**os.environ, **store.env})  # fmt: skip
    wait_until("the trace is uploaded and archived", d.spool.keys)
    (key,) = d.spool.keys()
    data = d.spool.trace(key).read_bytes()
    both = json.loads(contrace("list", "--json", "-c", d.config, env=store.env).stdout)
    assert both["where"] == ["archive", "remote"] and both["key"] == key
    d.stop()
    (entry,) = [json.loads(x) for x in store.run("list", "--json", "--long").stdout.splitlines()]
    assert (entry["key"], entry["size"], entry["where"]) == (key, len(data), ["remote"])
    assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    (store.top / key).with_suffix(".json").unlink()
    done = store.run("pull", "--last=1", "-o", tmp_path / "out")
    assert done.returncode == 0 and "not verified" not in done.stderr, done.stderr
    assert (tmp_path / "out" / key).read_bytes() == data
    (store.top / key).write_bytes(data[:-1] + b"!")
    done = store.run("pull", key, "-o", tmp_path / "out2")
    assert done.returncode == 1 and "hash" in done.stderr, done
    assert files_below(tmp_path / "out2") == []


def test_what_is_in_neither(store, spool, tmp_path):
    store.write(f"http://{store.server.host}", spool)
    done = store.run("pull", "checkout/web-1/20200101/000000-1.trace", "-o", tmp_path / "out")
    assert done.returncode == 1 and "nor in the store" in done.stderr
    assert files_below(tmp_path / "out") == []


def test_a_broken_store_leaves_the_local_list(store, spool):
    store.write("http://127.0.0.1:1", spool)
    done = store.run("list", "--json")
    assert done.returncode == 1 and len(keys_of(done)) == 4
    assert "cannot be listed" in done.stderr
    store.env["AWS_SECRET_ACCESS_KEY"] = "wrong"
    store.write(f"http://{store.server.host}", spool)
    done = store.run("list", "--json")
    assert done.returncode == 1 and len(keys_of(done)) == 4, done
    assert "wrong" not in done.stderr
    done = contrace("list", "--json", f"--storage.path={spool}", "--upload.url=gopher://x")
    assert done.returncode == 1 and "upload.url" in done.stderr and len(keys_of(done)) == 4


def test_keys_of_the_store_are_not_trusted(store, tmp_path):
    """Only what is a key becomes a path."""
    fake = [
        "checkout/web-1/20261121/000000-1.trace.trace", "checkout/..x/20261121/000000.trace",
        "checkout/web-1/20261399/000000-1.trace", "checkout/web 1/20261121/000000-1.trace",
        "x/checkout/web-1/20261121/000000-1.trace",
    ]  # fmt: skip
    for key in fake:
        put(store.top, key, record=False)
    good = put(store.top, key_of("checkout", "web-1", NOW))
    done = store.run("pull", "--last=100", "-o", tmp_path / "out")
    odd = "checkout/..x/20261121/000000.trace"
    assert done.returncode == 0, done.stderr
    assert set(files_below(tmp_path / "out")) == {good, good[:-6] + ".json", odd}
    for key in ("../../x/20261121/000000-1.trace", "/etc/passwd", "a/../20261121/000000-1.trace"):
        assert store.run("pull", key, "-o", tmp_path / "out").returncode == 2


def test_a_symbolic_link_is_not_followed_out_of_the_directory(spool, tmp_path):
    key = key_of("checkout", "web-1", NOW - 60)
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/checkout").symlink_to(tmp_path / "elsewhere")
    done = contrace("pull", key, f"--storage.path={spool}", "-o", tmp_path / "out")
    assert done.returncode == 1 and files_below(tmp_path / "elsewhere") == []


def test_a_directory_as_the_store(tmp_path):
    top = tmp_path / "mnt"
    keys = [put(top, key_of("checkout", f"web-{i}", NOW - i)) for i in range(3)]
    url = f"--upload.url=file://{top}"
    assert keys_of(contrace("list", "--json", "--remote", url)) == keys
    done = contrace("pull", "--last=2", "--remote", url, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{tmp_path}/out/{k}" for k in keys[:2]]


class Flaky(http.server.BaseHTTPRequestHandler):
    """Serves a directory; answers by the server's script as long as that has something."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        trouble = self.server.script.pop(0) if self.server.script else None
        if self.server.hanging and self.path.endswith(".trace"):
            trouble = "hang"
        path = pathlib.Path(self.server.top + self.path)
        if trouble == 503 or not path.exists():
            self.send_response(503 if trouble else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if trouble in ("cut", "hang") else data)
        if trouble == "hang":
            self.server.gate.wait(PATIENCE)
            self.close_connection = True
        if trouble == "cut":
            self.close_connection = True
            self.connection.shutdown(2)

    def log_message(self, *args):
        pass


@pytest.fixture
def flaky(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    server.top, server.script, server.asked = str(tmp_path / "web"), [], []
    server.gate, server.hanging = threading.Event(), False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()


def test_passing_trouble_is_sat_out(flaky, tmp_path):
    """An overloaded store, and a download that breaks off: the same again, from the beginning."""
    key = put(flaky.top, key_of("checkout", "web-1", NOW), os.urandom(300_000))
    url = f"--upload.url=http://127.0.0.1:{flaky.server_address[1]}/"
    flaky.script[:] = [503, None, "cut", 503]
    done = contrace("pull", key, "--remote", url, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / key).read_bytes() == (pathlib.Path(flaky.top) / key).read_bytes()
    assert len(flaky.asked) == 5
    # There is an end to it.
    flaky.script[:] = [503] * 100
    done = contrace("pull", key, "--remote", url, "-o", tmp_path / "out2")
    assert done.returncode == 1 and key in done.stderr and done.stdout == ""
    assert files_below(tmp_path / "out2") == []
    # What is not there is not there the next time.
    flaky.script.clear()
    flaky.asked.clear()
    done = contrace("pull", key_of("checkout", "web-2", NOW), "--remote", url, "-o", tmp_path)
    assert done.returncode == 1 and "no such trace" in done.stderr
    assert len(flaky.asked) == 2, flaky.asked
    # Such a store cannot be listed, and says so.
    done = contrace("list", "--remote", url)
    assert done.returncode == 1 and "no listings" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_pull_that_is_killed_leaves_no_half_file(flaky, tmp_path, number):
    """SIGKILL leaves hidden files, which the next pull replaces; the others nothing."""
    keys = [put(flaky.top, key_of("checkout", "web-1", NOW - i), os.urandom(3_000_000))
            for i in range(8)]  # fmt: skip
    url = f"--upload.url=http://127.0.0.1:{flaky.server_address[1]}/"
    out = tmp_path / "out"
    done = contrace("pull", keys[0], "--remote", url, "-o", out)
    assert done.returncode == 0, done.stderr
    flaky.hanging = True
    argv = [CONTRACE, "pull", "--remote", url, "-o", out, *keys[1:]]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def written():
        return [p for p in out.rglob(".*.trace.part") if p.stat().st_size > 1_000_000]

    wait_until("four downloads are half done", lambda: len(written()) == 4)
    process.send_signal(number)
    assert process.communicate(timeout=PATIENCE)[0] == b""
    assert process.returncode == -number
    assert len(list(out.rglob(".*"))) == (4 if number == signal.SIGKILL else 0)
    assert [f for f in files_below(out) if "/." not in f] == [keys[0][:-6] + ".json", keys[0]]
    flaky.hanging = False
    flaky.gate.set()
    done = contrace("pull", "--remote", url, "-o", out, *keys)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("already here") == 1
    assert len(files_below(out)) == 16 and not list(out.rglob(".*"))


def test_a_full_disk(spool, tmp_path):
    with tmpfs(tmp_path / "small", "size=64k") as small:
        put(spool / "archive", key_of("big", "h", NOW), os.urandom(200_000))
        done = contrace("pull", "--last=2", "--concurrency=1", f"--storage.path={spool}",
                        "-o", small / "out")  # fmt: skip
        assert done.returncode == 1 and "No space left" in done.stderr
        assert [k for k in files_below(small) if "big" in k] == []
        assert done.stdout.splitlines() == [
            f"{small}/out/{key_of('checkout', 'web-1', NOW - 60)}"
        ]  # fmt: skip


def test_the_libraries_have_no_name_twice():
    """The linker would silently take the first."""
    need(shutil.which("nm"), "no nm on the PATH (Debian: binutils)")
    archives = [BUILD / f"lib{name}.a" for name in ("contrace", "contraced", "gotrace", "base")]
    need(all(a.exists() for a in archives), f"no libraries in {BUILD}")
    names = re.findall(r" [TDBR] (\w+)", run("nm", "--defined-only", *archives).stdout)
    assert not [n for n, count in collections.Counter(names).items() if count > 1]


TRACE = SRC / "tests/fuzz/corpus/summary/mix-go1.26.8"


@pytest.mark.parametrize(
    "words",
    [
        "--help", "list --help", "summary --help", "summary TRACE", "summary --json TRACE TRACE",
        "summary TRACE TRACE", "goroutines TRACE", "goroutines --json TRACE",
        "check --fail-if=bytes<1 TRACE", "diff --all TRACE TRACE", "diff --json TRACE TRACE",
        "timeline TRACE", "timeline --json TRACE", "timeline -o - TRACE",
        "goroutines --at=end TRACE", "tasks TRACE", "tasks --json TRACE", "blockers TRACE",
        "pprof --sched TRACE", "verify TRACE", "list SPOOL", "list --json SPOOL",
        "pull -n 2 SPOOL -o OUT", "schedtrace LOG", "schedtrace --json LOG", "schedtrace -f LOG",
    ],
)  # fmt: skip
def test_nobody_reads_it(spool, tmp_path, words):
    """As cat does: it ends by SIGPIPE and says nothing."""
    stands_for = {
        "TRACE": [TRACE], "SPOOL": ["--local", f"--storage.path={spool}"], "OUT": [tmp_path / "out"],
        "LOG": [SRC / "tests/fuzz/corpus/schedlog/old-go"],
    }  # fmt: skip
    argv = [part for word in words.split() for part in stands_for.get(word, [word])]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([CONTRACE, *argv], stdout=writer, stderr=subprocess.PIPE, check=False,
                              timeout=PATIENCE)  # fmt: skip
    finally:
        os.close(writer)
    said = done.stderr.decode()
    if words.startswith("pull"):
        said = "".join(line for line in said.splitlines(True) if " from the spool" not in line)
        assert len(files_below(tmp_path / "out")) == 4  # traces and records are whole all the same
    assert (done.returncode, said) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize("words", ["summary TRACE", "list SPOOL", "list --json SPOOL"])
def test_nowhere_to_print(spool, words):
    """What is printed does not go into another file that got the number."""
    stands_for = {"TRACE": f'"{TRACE}"', "SPOOL": f'--local --storage.path="{spool}"'}
    line = " ".join(stands_for.get(word, word) for word in words.split())
    done = run("sh", "-c", f'exec "{CONTRACE}" {line} >&-', check=False, timeout=PATIENCE)
    said = "contrace: cannot write to standard output: Bad file descriptor\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_reader_who_has_enough(tmp_path):
    """More than a pipe holds: it fails somewhere within the listing."""
    for i in range(1000):
        put(tmp_path / "archive", key_of("checkout", "web-1", NOW - i))
    for form in ("--json", "--long"):
        done = run("bash", "-c", f'"{CONTRACE}" list {form} --local --storage.path="{tmp_path}" | '
                   'head -1; echo "${PIPESTATUS[0]}"', timeout=PATIENCE)  # fmt: skip
        assert (len(done.stdout.splitlines()), done.stderr) == (2, "")
        assert done.stdout.splitlines()[1] == str(128 + signal.SIGPIPE)


def on_terminal(argv, env, columns=80):
    """Its output on a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(argv, stdout=slave, stderr=slave, stdin=slave,
                               env={**os.environ, "TERM": "xterm", **env})  # fmt: skip
    os.close(slave)
    text = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 4096):
            text += piece
    os.close(master)
    return process.wait(PATIENCE), text.decode()


def test_the_table_fits_the_terminal(spool):
    argv = [CONTRACE, "list", f"--storage.path={spool}"]
    for columns in (60, 80, 100, 120):
        status, text = on_terminal(argv, {"NO_COLOR": "1"}, columns)
        assert status == 0 and "\033" not in text
        assert all(len(line.rstrip("\r")) <= columns for line in text.split("\n")), text
    _, text = on_terminal(argv, {})
    assert "\033[1m" in text


def test_the_bar(store, tmp_path):
    keys = [put(store.top, key_of("checkout", "web-1", NOW - i), os.urandom(5_000_000))
            for i in range(6)]  # fmt: skip
    argv = [CONTRACE, "pull", f"-c{store.config}", "--last=6", "-o", tmp_path / "out"]
    status, text = on_terminal(argv, store.env)
    assert status == 0 and "6 pulled" in text
    assert all(k in text for k in keys)
