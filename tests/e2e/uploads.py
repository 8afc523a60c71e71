# SPDX-License-Identifier: Apache-2.0
"""What tests of uploads share: the configuration for a store, a backlog made by script, and what
must be true of whatever was uploaded."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import time

from asking import FOREIGN
from store import ACCESS_KEY, BUCKET, REGION, SECRET_KEY
from support import wait_until

PREFIX = "prod/"
TOGETHER = 16  # cases that run at a time: they mostly wait


@contextlib.contextmanager
def together(request, test, play):
    """play(name) for each case `name` of this test that was asked for, TOGETHER at a time; the
    future of each. For a fixture of the module."""
    names = [
        item.callspec.params["name"]
        for item in request.session.items
        if getattr(item, "originalname", "") == test and item.path == request.node.path
    ]
    pool = concurrent.futures.ThreadPoolExecutor(TOGETHER)
    yield {name: pool.submit(play, name) for name in names}
    pool.shutdown(cancel_futures=True)


def clean_env(**more):
    """The environment without anybody's credentials."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return {**env, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **more}


def secret_file(path, text, mode=0o600):
    path = pathlib.Path(path)
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    path.chmod(mode)
    return str(path)


def key_files(directory, access=ACCESS_KEY, secret=SECRET_KEY):
    """The two members of `upload` that name the keys."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    return {
        "access_key_file": secret_file(directory / "access-key", access),
        "secret_key_file": secret_file(directory / "secret-key", secret),
    }


def section(directory, endpoint, **more):
    """`upload` for a store of tests, with the keys in files."""
    return {
        "url": f"s3://{BUCKET}/{PREFIX}",
        "endpoint": endpoint,
        "region": REGION,
        **key_files(directory),
        **more,
    }


def record_of(key):
    return key.removesuffix(".trace") + ".json"


def backlog(spool, count, body, service="old", start=None):
    """Makes `count` traces in pending/, a second apart, the newest last. Returns their keys."""
    start = int(start if start is not None else time.time() - 2 * count)
    digest = hashlib.sha256(body).hexdigest()
    keys, made = [], set()
    for i in range(count):
        when = time.gmtime(start + i)
        key = f"{service}/host-1/{time.strftime('%Y%m%d/%H%M%S', when)}-4711.trace"
        path = spool.path / "pending" / key
        if path.parent not in made:
            for directory in (path.parent, path.parent.parent, path.parent.parent.parent):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.add(path.parent)
        record = {
            "service": service, "host": "host-1", "pid": 4711, "target": "http://127.0.0.1:6060",
            "job": service, "labels": {}, "reason": "schedule",
            "start": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", when), "seconds": 2,
            "bytes": len(body), "sha256": digest, "go_version": "go1.26", "complete": True,
            "contraced": "test",
        }  # fmt: skip
        path.with_suffix(".json").write_text(json.dumps(record) + "\n")
        path.write_bytes(body)
        keys.append(key)
    return keys


def pending_keys(spool):
    return [name for name in spool.pending() if name.endswith(".trace")]


def place_of(spool, key):
    """Where a trace stands."""
    for part in ("pending", "archive"):
        if (spool.path / part / key).exists():
            return part
    return None


def arrived(store, key):
    return store.object(PREFIX + key) is not None and store.object(PREFIX + record_of(key))


def assert_same(store, spool, key):
    """The store has what the archive has, with its record and meta data that agree."""
    trace = spool.trace(key).read_bytes()
    assert store.object(PREFIX + key) == trace, f"{key} has other bytes in the store"
    record = spool.trace(key).with_suffix(".json").read_bytes()
    assert store.object(PREFIX + record_of(key)) == record, f"the record of {key} is another"
    meta, told = store.meta(PREFIX + key), json.loads(record)
    assert meta["sha256"] == told["sha256"] == hashlib.sha256(trace).hexdigest()
    for name in ("service", "host", "reason"):
        assert meta[name] == told[name], name
    for objects in (store.stored[f"{BUCKET}/{PREFIX}{key}"],
                    store.stored[f"{BUCKET}/{PREFIX}{record_of(key)}"]):  # fmt: skip
        assert len(set(objects)) == 1, "one key had different bytes"


def wait_archived(d, count=1, **more):
    """Until so many traces are in archive/ and nothing is pending; their keys."""
    wait_until(
        f"{count} traces are in archive/ and none is pending",
        lambda: len(d.spool.keys()) >= count and not d.spool.pending(), **more,
    )  # fmt: skip
    return d.spool.keys()
