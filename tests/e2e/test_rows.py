# SPDX-License-Identifier: Apache-2.0
"""Rows, from captures to a store and to DuckDB: shipped by the daemon, also after a kill and after a
store was away; made again by `contrace rows`; in the form that docs/rows.schema.json describes."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import time

import jsonschema
import pytest
import s3server
from hostile import healthy, trace
from store import BUCKET, Store
from support import BUILD, SRC, need_program, wait_until
from support import job as job_of
from test_upload_real import reader_of, section_of
from uploads import PREFIX, backlog, clean_env, section, wait_archived

ROWS = ".contrace/rows/"
SCHEMA = json.loads((SRC / "docs" / "rows.schema.json").read_text())
CLOSED = jsonschema.Draft202012Validator({**SCHEMA, "additionalProperties": False})
INSPECT = {"command": str(BUILD / "contrace")}
NEVER = {"interval": "1d"}  # only at the end
OFTEN = {"interval": "1s"}


def parsed(data):
    rows = [json.loads(line) for line in gzip.decompress(data).decode().splitlines()]
    for row in rows:
        CLOSED.validate(row)
    return rows


class Bucket:
    """What is below ROWS in a directory, or in a scripted store."""

    def __init__(self, top=None, store=None):
        self.top, self.store = top, store

    def files(self):
        if self.top:
            found = sorted((self.top / ROWS).rglob("*.jsonl.gz"))
            return {str(p.relative_to(self.top)): p.read_bytes() for p in found}
        names = [n.removeprefix(f"{BUCKET}/{PREFIX}") for n in self.store.stored]
        return {n: self.store.object(PREFIX + n) for n in sorted(names) if n.startswith(ROWS)}

    def rows(self):
        return [row for data in self.files().values() for row in parsed(data)]

    def captures(self):
        """The keys of all captures that have rows, sorted."""
        return sorted(r["key"] for r in self.rows() if r["row_kind"] in ("trace", "profile"))


def waiting(spool):
    """The keys of captures whose rows wait for the next shipment, sorted."""
    lines = [
        line
        for path in (spool.path / "rows/open").iterdir()
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
    rows = [json.loads(line) for line in lines]
    return sorted(r["key"] for r in rows if r["row_kind"] in ("trace", "profile"))


def stable(rows):
    """What stays the same when rows are made again."""
    return sorted(json.dumps({k: v for k, v in r.items() if k != "written"}) for r in rows)


def contrace(*words, env=None):
    return subprocess.run(
        [BUILD / "contrace", *words], capture_output=True, text=True, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.fixture
def target(serve):
    return serve(healthy(trace(2)))


@pytest.fixture
def bucket(tmp_path):
    (tmp_path / "store").mkdir()
    return Bucket(tmp_path / "store")


@pytest.fixture
def shipper(tmp_path, target, daemon, bucket):
    """shipper(…): a contraced that ships to the directory."""

    def start(rows=NEVER, **more):
        upload = {"url": f"file://{bucket.top}", **more.pop("upload", {})}
        labels = {"static_configs": [{"targets": [target.address], "labels": {"version": "v7"}}]}
        return daemon(
            [{**job_of("s"), **labels}], upload=upload, rows=rows, env=clean_env(), **more
        )

    return start


def captured(d, count, before=0):
    """After so many captures more, each in a second of its own."""
    for n in range(before + 1, before + count + 1):
        if n > 1:
            time.sleep(1)
            d.capture_now()
        d.wait_captured(count=n)


def test_from_a_real_service_to_duckdb(goservice, daemon, tmp_path):
    """A real service, a real S3 server, and another machine that has only the bucket."""
    need_program("duckdb", "pip: duckdb-cli")
    server = s3server.S3Server(tmp_path)
    (server.root / BUCKET).mkdir()
    try:
        service = goservice()
        upload = section_of(server, tmp_path)
        job = job_of("shop", service.address)
        job["incident_artifacts"] = ["trace", "mutex"]
        d = daemon([job], upload=upload, rows=NEVER, inspect=INSPECT, env=clean_env())
        d.wait_captured()
        time.sleep(1)
        d.capture_now()
        d.wait_captured(count=3)
        wait_archived(d, 2)
        d.stop()
        assert not d.problems()
        keys = [k for k in d.spool._files("archive") if not k.endswith(".json")]
        assert len(keys) == 3
        listed = reader_of(server).list_objects_v2(Bucket=BUCKET, Prefix=PREFIX + ROWS)["Contents"]
        (name,) = [o["Key"] for o in listed]
        got = reader_of(server).get_object(Bucket=BUCKET, Key=name)
        rows = parsed(got["Body"].read())
        assert got["ContentType"] == "application/gzip"
        assert name.startswith(f"{PREFIX}{ROWS}dt={rows[0]['start'][:10]}/service=shop/")
        assert sorted(r["key"] for r in rows if r["row_kind"] in ("trace", "profile")) == sorted(
            keys
        )
        traced = [r for r in rows if r["row_kind"] == "trace"]
        for row in traced:
            record = d.spool.record(row["key"])
            assert row["label"] == record["label"]
            assert row["sched_p99_ns"] == record["summary"]["scheduler"]["latency"]["p99_ns"]
            assert row["host_cpus"] == os.cpu_count()
        assert {"task", "wait-lock"} <= {r["kind"] for r in rows if r["row_kind"] == "outlier"}

        where = [f"--store={upload['url']}", f"--config.file={config_of(upload, tmp_path)}"]
        done = contrace("fleet", "slow-tasks", "--format=json", *where, env=clean_env())
        assert done.returncode == 0, done.stderr
        tasks = json.loads(done.stdout)
        assert tasks and {t["service"] for t in tasks} == {"shop"}
        done = contrace("list", "--remote", "--json", where[1], env=clean_env())
        assert [json.loads(x)["key"] for x in done.stdout.splitlines()], done.stderr
        assert ROWS not in done.stdout
    finally:
        server.close()


def config_of(upload, directory):
    path = directory / "reader.yaml"
    path.write_text(json.dumps({"upload": upload}))
    return path


def test_rows_are_shipped_at_the_interval(shipper, bucket):
    d = shipper(rows=OFTEN)
    d.wait_captured()
    wait_until("rows are in the store", bucket.files)
    assert bucket.captures() == d.spool.keys()
    captured(d, 1, before=1)
    wait_until("rows of the second are, too", lambda: len(bucket.files()) == 2)
    assert bucket.captures() == d.spool.keys()
    d.stop()
    assert len(bucket.files()) == 2, "nothing new, so nothing to ship"
    assert not d.spool._files("rows/ready")
    assert not d.spool._files("rows/open")


def test_labels_come_with_the_rows(shipper, bucket):
    d = shipper()
    d.wait_captured()
    d.stop()
    assert [r["labels"] for r in bucket.rows()] == [{"version": "v7"}]


def test_off_without_a_store_or_by_the_configuration(shipper, bucket, target, daemon):
    d = shipper(rows={"enabled": False})
    d.wait_captured()
    d.stop()
    assert not bucket.files()
    d = daemon([job_of("s", target.address)], rows=OFTEN)
    d.wait_captured()
    d.stop()
    assert not (d.spool.path / "rows").exists()


def test_traces_that_do_not_stay_here_have_rows(shipper, bucket):
    d = shipper(upload={"keep_local": False})
    captured(d, 2)
    d.stop()
    assert not d.spool.keys()
    assert len(bucket.captures()) == 2


def test_made_again_they_are_the_same(shipper, bucket, tmp_path):
    d = shipper(inspect=INSPECT)
    captured(d, 2)
    d.stop()
    shipped = bucket.rows()
    for where in (f"--storage.path={d.spool.path}", f"--upload.url=file://{bucket.top}"):
        done = contrace("rows", where)
        assert done.returncode == 0, done.stderr
        assert stable(map(json.loads, done.stdout.splitlines())) == stable(shipped)
        out = tmp_path / f"again-{len(where)}"
        done = contrace("rows", where, "--output", str(out))
        assert done.stdout == "2 records, 1 files\n", done.stderr
        (file,) = out.rglob("*.jsonl.gz")
        assert stable(parsed(file.read_bytes())) == stable(shipped)


def test_rows_of_a_part(shipper, tmp_path):
    d = shipper()
    d.wait_captured()
    d.stop()
    where = f"--storage.path={d.spool.path}"
    assert len(contrace("rows", where, "--service=s").stdout.splitlines()) == 1
    assert contrace("rows", where, "--service=other").stdout == ""
    done = contrace("rows", where, "s")
    assert done.returncode == 2
    assert "rows: 's' is not an option" in done.stderr


def test_an_archive_of_before(shipper, bucket, tmp_path):
    """The first start with rows makes them of all that is kept, of each day into its own file."""
    d = shipper(rows={"enabled": False})
    d.wait_captured()
    wait_archived(d)
    d.stop()
    now = time.time()
    time.sleep(1.1)  # or the next capture has the same second
    for days in (1, 2):
        backlog(d.spool, 50, trace(2), service=f"old-{days}", start=now - days * 86400 - 3600)
    d = shipper()
    wait_archived(d, 101)
    wait_until("all have rows", lambda: waiting(d.spool) == d.spool.keys())
    d.stop()
    assert bucket.captures() == d.spool.keys()
    days = {(r["start"][:10], r["service"]) for r in bucket.rows()}
    assert {tuple(part.split("=")[1] for part in n.split("/")[2:4]) for n in bucket.files()} == days


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed(shipper, bucket, moment):
    """Before rows were shipped, or after: the next run ships those that are missing, and no others
    but of the last hour."""
    d = shipper(rows=NEVER if moment == "before" else OFTEN)
    captured(d, 3)
    wait_archived(d, 3)
    if moment == "after":
        wait_until("rows are in the store", lambda: len(bucket.captures()) == 3)
    d.process.send_signal(signal.SIGKILL)
    d.process.wait()
    keys = d.spool.keys()
    d = shipper()
    wait_until("what is kept was read", lambda: d.spool._files("rows/open"))
    d.wait_captured()
    d.stop()
    assert sorted(set(bucket.captures())) == d.spool.keys()
    assert set(keys) < set(bucket.captures())
    assert len({r["id"] for r in bucket.rows()}) == len(set(bucket.captures()))


def test_after_an_orderly_end_nothing_is_there_twice(shipper, bucket):
    for _ in range(3):
        d = shipper()
        d.wait_captured()
        time.sleep(1.1)  # or the next capture has the same second
        d.stop()
    assert bucket.captures() == d.spool.keys()
    assert len(bucket.captures()) == 3


def test_a_store_that_is_away(tmp_path, target, daemon):
    """Rows wait for it, over restarts; traces go first."""
    with Store() as store:
        upload = section(tmp_path, store.endpoint)
        jobs = [job_of("s", target.address)]
        store.close()
        d = daemon(
            jobs, upload=upload, rows=OFTEN, env=clean_env(), glob={"shutdown_timeout": "2s"}
        )
        d.wait_captured()
        wait_until("rows wait", lambda: d.spool._files("rows/ready"))
        d.process.terminate()
        d.process.wait()
        assert d.spool._files("rows/ready")
    with Store() as store:
        upload = section(tmp_path, store.endpoint)
        bucket = Bucket(store=store)
        d = daemon(
            jobs, upload=upload, rows=NEVER, env=clean_env(), storage={"path": str(d.spool.path)}
        )
        d.wait_captured()
        wait_archived(d, 2)
        d.stop()
        assert sorted(set(bucket.captures())) == d.spool.keys()
        names = [n.removeprefix(f"{BUCKET}/{PREFIX}") for n in store.stored]
        first = next(i for i, n in enumerate(names) if n.startswith(ROWS))
        assert names.index(d.spool.keys()[0]) < first, "a trace goes first"
        assert not d.spool._files("rows/ready")


def test_a_directory_that_was_removed(shipper, bucket):
    """It is made again at the next interval, and so are the rows."""
    d = shipper(rows=OFTEN)
    d.wait_captured()
    wait_until("rows are in the store", bucket.files)
    shutil.rmtree(d.spool.path / "rows")
    captured(d, 1, before=1)
    keys = wait_archived(d, 2)
    wait_until("rows of the second are there, too", lambda: set(bucket.captures()) == set(keys))
    (line,) = d.log("rows for the store cannot be written below storage.path", level="warn")
    assert line["msg"].endswith("No such file or directory; they are made from the records later")


def test_a_torn_line_is_left_out(shipper, bucket):
    """As a power failure leaves a file: the rows before and after it stay."""
    d = shipper()
    d.wait_captured()
    wait_until("its rows are written", lambda: d.spool._files("rows/open"))
    d.process.kill()
    d.process.wait()
    (name,) = d.spool._files("rows/open")
    path = d.spool.path / "rows" / "open" / name
    path.write_bytes(path.read_bytes() + b'{"schema":1,"row_kind":"tr')
    d = shipper()
    d.wait_captured()
    d.stop()
    assert sorted(set(bucket.captures())) == d.spool.keys()
