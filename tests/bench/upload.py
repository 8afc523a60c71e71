# SPDX-License-Identifier: Apache-2.0
"""A backlog uploaded to a local S3 server, beside rclone and s5cmd with the same files.

The server is versitygw, which verifies every signature. All upload the same tree: traces and their
records, two objects a trace. contraced also settles each: a rename into archive/ that is made
durable. A row counts a process from its start to its end: wall time, CPU in user and system mode,
peak memory. rclone and s5cmd are run with as many transfers at once as contraced, and again as they
are set up by themselves. Take turns: each round runs all of them, on a bucket of its own.

rclone and s5cmd are taken from the PATH, s5cmd also from ~/.cache/contrace/s5cmd-v2.3.0.
"""

import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from lab import BUILD, KIB, MIB, SRC, Row, median

sys.path.insert(0, str(SRC / "tests" / "e2e"))

from s3server import ACCESS_KEY, REGION, SECRET_KEY, S3Server  # noqa: E402

SIZES = [(1000, MIB), (10000, 64 * KIB)]
CONCURRENCY = 4
CPU_SHARE = 0.5  # of the leanest peer's
BYTES_A_FILE = 200

CONFIG = """\
global: {{shutdown_timeout: 1h}}
scrape_configs:
  - {{job_name: bench, static_configs: [{{targets: ["127.0.0.1:1"]}}]}}
storage: {{path: {spool}, max_bytes: 8GiB, max_files: 30000, max_age: 0s, min_free: 0%}}
upload:
  url: s3://{bucket}
  endpoint: http://{host}
  region: {region}
  concurrency: {concurrency}
"""


def environment():
    """Nothing of the caller's own set-up for AWS, and no proxy."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def make_tree(directory, count, size):
    """`count` traces with records, as a spool's pending/ holds them."""
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    block = os.urandom(size)
    for i in range(count):
        at = start + datetime.timedelta(seconds=i)
        key = f"bench/host/{at:%Y%m%d}/{at:%H%M%S}-1.trace"
        data = b"go 1.26 trace\0\0\0" + i.to_bytes(8, "big") + block[24:]
        path = directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        record = {
            "service": "bench", "host": "host", "pid": 1, "job": "bench", "reason": "schedule",
            "start": f"{at:%Y-%m-%dT%H:%M:%S}.000Z", "seconds": 2, "bytes": size,
            "sha256": hashlib.sha256(data).hexdigest(), "complete": True,
        }  # fmt: skip
        path.with_suffix(".json").write_text(json.dumps(record) + "\n")


def link_tree(source, target):
    """The same files once more, without their bytes."""
    shutil.copytree(source, target, copy_function=os.link)


def watch(pid, seen):
    """The highest resident memory of a process. getrusage(2) would count who started it, too."""
    with contextlib.suppress(OSError, StopIteration):
        while True:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
            seen["memory"] = int(line.split()[1]) * KIB
            time.sleep(0.1)


def timed(command, **more):
    """Wall, CPU, peak memory of a process."""
    seen = {"memory": 0}
    begin = time.monotonic()
    process = subprocess.Popen(
        [str(c) for c in command], env=environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip
    watcher = threading.Thread(target=watch, args=(process.pid, seen), daemon=True)
    watcher.start()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = status
    watcher.join()
    return {
        **seen,
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "status": os.waitstatus_to_exitcode(status),
        "said": said,
    }


def contraced(work, tree, bucket, server, concurrency):
    spool = work / "spool"
    spool.mkdir(mode=0o750)
    for name in ("incoming", "archive"):
        (spool / name).mkdir(mode=0o750)
    link_tree(tree, spool / "pending")
    config = work / "contraced.yaml"
    config.write_text(
        CONFIG.format(
            spool=spool, bucket=bucket, host=server.host, region=REGION, concurrency=concurrency
        )
    )
    # The only target cannot be reached: what --once does is to upload what waits, and to leave.
    seen = timed([BUILD / "contraced", "--once", "-c", config, "--log.format=text"])
    left = sum(1 for _ in (spool / "pending").rglob("*.trace"))
    if left:
        raise SystemExit(f"contraced left {left} traces in pending/:\n{seen['said'][-2000:]}")
    return seen


def rclone(tree, bucket, server, transfers):
    remote = f":s3,provider=Other,env_auth,endpoint='http://{server.host}',region={REGION}:{bucket}"
    more = [f"--transfers={transfers}"] if transfers else []
    return timed(["rclone", "--config=/dev/null", "copy", *more, tree, remote])


def s5cmd(program, tree, bucket, server, transfers):
    more = [f"--numworkers={transfers}"] if transfers else []
    return timed(
        [program, "--endpoint-url", f"http://{server.host}", *more, "cp", f"{tree}/",
         f"s3://{bucket}/"]
    )  # fmt: skip


def find_s5cmd():
    kept = pathlib.Path.home() / ".cache/contrace/s5cmd-v2.3.0/s5cmd"
    return shutil.which("s5cmd") or (str(kept) if kept.exists() else None)


def peers():
    """(name, function) of those that are here."""
    found = []
    if shutil.which("rclone"):
        found.append((f"rclone ×{CONCURRENCY}", lambda t, b, s: rclone(t, b, s, CONCURRENCY)))
    program = find_s5cmd()
    if program:
        found.append(
            (f"s5cmd ×{CONCURRENCY}", lambda t, b, s: s5cmd(program, t, b, s, CONCURRENCY))
        )
        found.append(("s5cmd", lambda t, b, s: s5cmd(program, t, b, s, None)))
    return found


def objects(server, bucket):
    return sum(1 for f in (server.root / bucket).rglob("*") if f.suffix in (".trace", ".json"))


def round_of(work, tree, count, server, number):
    """One run of each: name → what was seen."""
    seen = {}
    runs = [
        ("contraced", lambda t, b, s: contraced(work, t, b, s, CONCURRENCY)),
        *peers(),
    ]
    for i, (name, run) in enumerate(runs):
        bucket = f"bench{number}-{i}"
        (server.root / bucket).mkdir()
        seen[name] = run(tree, bucket, server)
        there = objects(server, bucket)
        if there != 2 * count:
            raise SystemExit(
                f"{name} brought {there} of {2 * count} objects:\n{seen[name]['said'][-2000:]}"
            )
        shutil.rmtree(server.root / bucket)
        shutil.rmtree(work / "spool", ignore_errors=True)
    return seen


def waiting_memory(work, server):
    """Bytes that one waiting file costs: the resident memory of a start with 20,000 of them."""
    memory = []
    for count in (0, 20000):
        spool = pathlib.Path(tempfile.mkdtemp(dir=work))
        for name in ("incoming", "archive", "pending"):
            (spool / name).mkdir(mode=0o750)
        tree = spool / "pending"
        for i in range(count):
            at = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=i)
            path = tree / f"bench/host/{at:%Y%m%d}/{at:%H%M%S}-1.trace"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            config = work / "waiting.yaml"
            config.write_text(
                CONFIG.format(
                    spool=spool, bucket="none", region=REGION, concurrency=1,
                    host=f"127.0.0.1:{silent.getsockname()[1]}",
                )
            )  # fmt: skip
            process = subprocess.Popen(
                [BUILD / "contraced", "-c", config, "--log.format=text", "--web.listen-address=off"],
                env=environment(),
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(3)
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            memory.append(
                next(int(x.split()[1]) for x in status.splitlines() if x.startswith("RssAnon"))
            )
            process.kill()
            process.wait()
        shutil.rmtree(spool)
    return (memory[1] - memory[0]) * KIB / 20000


def rows_of(label, seen):
    """`seen`: name → list of runs."""
    middle = {
        n: {k: median([s[k] for s in r]) for k in ("wall", "cpu", "memory")}
        for n, r in seen.items()
    }
    own = middle.pop("contraced")
    rows = []
    for what, unit in (("wall", "s"), ("cpu", "s of CPU"), ("memory", "MiB peak")):
        scale = MIB if what == "memory" else 1
        others = ", ".join(f"{n} {m[what] / scale:.1f}" for n, m in middle.items())
        best = min((m[what] for m in middle.values()), default=None)
        demanded, ok = "", None
        if best and what == "wall":
            demanded, ok = f"≤ {best:.1f}, the fastest's", own[what] <= best
        elif best and what == "cpu":
            demanded, ok = (
                f"≤ {CPU_SHARE * best:.1f}, half of the leanest's",
                own[what] <= CPU_SHARE * best,
            )
        rows.append(Row(f"{label}: {unit}", demanded, f"{own[what] / scale:.1f}; {others}", ok))
    return rows, own["memory"]


def measure(lab, options):
    rows, memory = [], []
    work = pathlib.Path(tempfile.mkdtemp(prefix="upload-", dir=lab.dir))
    server = S3Server(work)
    try:
        for count, size in SIZES:
            tree = work / f"tree-{size}"
            make_tree(tree, count, size)
            seen = {}
            for number in range(options.upload_rounds):
                for name, run in round_of(work, tree, count, server, number).items():
                    seen.setdefault(name, []).append(run)
            shutil.rmtree(tree)
            label = f"upload {count:,} × {size // KIB} KiB"
            more, peak = rows_of(label, seen)
            rows += more
            memory.append(peak)
        rows.append(
            Row.at_most(
                "upload: memory a waiting file", BYTES_A_FILE, waiting_memory(work, server), "B", 0
            )
        )
    finally:
        server.close()
    return rows
