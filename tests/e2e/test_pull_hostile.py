# SPDX-License-Identifier: Apache-2.0
"""`contrace list` and `contrace pull` before a store that breaks, lies, or means harm. Whatever it
does: a file under a trace's name is whole and has its hash, nothing is written elsewhere, the
status tells whether all came, the terminal gets no control character, and it ends in time."""

import dataclasses
import hashlib
import json
import time

import pytest
import storefaults as faults
from store import BUCKET, Store
from support import BUILD, need, run
from uploads import PREFIX, clean_env, record_of, section, together

CONTRACE = BUILD / "contrace"
TRACE, RECORD = r"\.trace$", r"\d\.json$"
LISTING = f"^/{BUCKET}/?$"
PATIENCE = 60
BODY = b"go 1.26 trace\0\0\0" + bytes(range(256)) * 2000
NEAR_ENOUGH = 4 << 20  # bytes on disk of which nobody must hear after a download that was refused


def key_at(i):
    when = time.gmtime(time.time() - 100 + i)
    return f"checkout/web-1/{time.strftime('%Y%m%d/%H%M%S', when)}-7.trace"


def keep(store, key, body=BODY, record=True):
    """An object as contraced would have put it, and its record."""
    digest = hashlib.sha256(body).hexdigest()
    service, host, _, _ = key.split("/")
    told = {"service": service, "host": host, "pid": 7, "reason": "schedule", "seconds": 2.0,
            "bytes": len(body), "sha256": digest, "complete": True}  # fmt: skip
    name = f"{BUCKET}/{PREFIX}{key}"
    store.objects[name] = (body, {"x-amz-meta-sha256": digest})
    if record:
        text = json.dumps(told).encode()
        store.objects[f"{BUCKET}/{PREFIX}{record_of(key)}"] = (
            text, {"x-amz-meta-sha256": hashlib.sha256(text).hexdigest()},
        )  # fmt: skip
    return key


def other_bytes(x):
    """As long as it should be, and something else."""
    x.read_body()
    body, headers = x.store.objects[x.store.object_name(x.request)]
    changed = body[:-1] + bytes([body[-1] ^ 1])
    x.answer("200 OK", changed, *[f"{k}: {v}" for k, v in headers.items()])


def cut(announced):
    """Half of the object, by its Content-Length or by the end of the connection."""

    def behave(x):
        body, headers = x.store.objects[x.store.object_name(x.request)]
        x.close = True
        more = [f"Content-Length: {len(body)}"] if announced else []
        x.head("200 OK", *more, *[f"{k}: {v}" for k, v in headers.items()])
        x.raw(body[: len(body) // 2])
        x.cut()

    return behave


def reset_half(x):
    body, headers = x.store.objects[x.store.object_name(x.request)]
    x.head("200 OK", f"Content-Length: {len(body)}", *[f"{k}: {v}" for k, v in headers.items()])
    x.raw(body[: len(body) // 2])
    time.sleep(0.1)
    x.reset()


def endless(x):
    """More than was ever kept, without an end."""
    x.close = True
    x.head("200 OK")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        x.raw(b"x" * (1 << 16))


def half(x):
    x.read_body()
    body, _ = x.store.objects[x.store.object_name(x.request)]
    x.answer("206 Partial Content", body[: len(body) // 2], f"Content-Range: bytes 0-9/{len(body)}")


@dataclasses.dataclass
class Case:
    behaviour: object
    match: str
    times: int = None
    command: tuple = ("pull", "--last=1")
    good: bool = False  # it all comes in the end
    asked: int = 30  # requests at most
    words: str = ""


def of_trace(behaviour, **more):
    return Case(behaviour, TRACE, **more)


def of_list(behaviour, **more):
    return Case(behaviour, LISTING, command=("list", "--remote"), **more)


def pages(*contents, more=False, token="t"):
    """A listing with these objects."""
    text = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size>"
        "<LastModified>2026-03-14T09:26:53.000Z</LastModified></Contents>"
        for key, size in contents
    )
    end = f"<NextContinuationToken>{token}</NextContinuationToken>" if more and token else ""
    return faults.document(
        "200 OK",
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{end}{text}"
        "</ListBucketResult>".encode(),
    )


EVIL = [
    PREFIX + "../../../../../../tmp/contrace-evil.trace", "/etc/contrace-evil.trace",
    PREFIX + "checkout/../../evil/20260314/092653-7.trace",
    PREFIX + "checkout/web-1/20260314/../092653-7.trace",
    PREFIX + "checkout/web%1b%5b31m/20260314/092653-7.trace",
    "other/checkout/web-1/20260314/092653-7.trace", PREFIX, PREFIX + "x" * 900 + ".trace",
]  # fmt: skip

CASES = {
    # the trace
    "trace-other-bytes": of_trace(other_bytes),
    "trace-cut": of_trace(cut(True)),
    "trace-cut-unannounced": of_trace(cut(False)),
    "trace-reset": of_trace(reset_half),
    "trace-endless": of_trace(endless),
    "trace-206": of_trace(half),
    "trace-missing": of_trace(faults.error("404 Not Found", "NoSuchKey")),
    "trace-denied": of_trace(faults.error("403 Forbidden", "AccessDenied"), words="AccessDenied"),
    "trace-hang": of_trace(faults.hang()),
    "trace-gzip": of_trace(
        faults.document("200 OK", faults.gzip.compress(BODY), "Content-Encoding: gzip")
    ),
    "trace-redirect": of_trace(faults.redirect("302 Found", "http://127.0.0.1:1/")),
    "trace-empty": of_trace(faults.ok()),
    "trace-503-once": of_trace(faults.error("503 Slow Down", "SlowDown"), times=1, good=True),
    "trace-reset-once": of_trace(reset_half, times=1, good=True),
    "trace-503": of_trace(faults.error("503 Slow Down", "SlowDown"), words="SlowDown"),
    # the record
    "record-garbage": Case(faults.ok(body=b"{\"sha256\": \x00"), RECORD, good=True),
    "record-large": Case(faults.large("200 OK", 10), RECORD),
    "record-503-once": Case(
        faults.error("503 Slow Down", "SlowDown"), RECORD, times=1, good=True
    ),
    # the listing
    "list-garbage": of_list(faults.document("200 OK", faults.GARBAGE)),
    "list-bomb": of_list(faults.document("200 OK", faults.BOMB)),
    "list-external": of_list(faults.document("200 OK", faults.FOREIGN)),
    "list-html": of_list(faults.document("200 OK", b"<html><body>hello</body></html>")),
    "list-cut": of_list(faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<ListBuck")),
    "list-endless-token": of_list(pages(more=True)),
    "list-no-token": of_list(pages(more=True, token="")),
    "list-denied": of_list(faults.error("403 Forbidden", "AccessDenied"), words="AccessDenied"),
    "list-no-bucket": of_list(faults.error("404 Not Found", "NoSuchBucket"), words="bucket"),
    "list-large": of_list(faults.large("200 OK", 10)),
    "list-hang": of_list(faults.hang()),
    "list-503-once": of_list(faults.error("503 Slow Down", "SlowDown"), times=1, good=True),
}  # fmt: skip


def contrace(store, directory, *argv, **more):
    need(CONTRACE.exists(), f"no contrace in {BUILD}")
    config = directory / "contraced.yaml"
    config.write_text(json.dumps({
        "storage": {"path": str(directory / "no-spool")},
        "upload": section(directory, store.endpoint, stall_timeout="5s", **more),
    }))  # fmt: skip
    began = time.monotonic()
    done = run(
        CONTRACE, argv[0], f"--config.file={config}", *argv[1:], env=clean_env(), check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert time.monotonic() - began < PATIENCE - 10
    assert done.returncode in (0, 1), (done.returncode, done.stderr)
    assert all(c >= " " or c == "\n" for c in done.stdout + done.stderr), "control characters"
    return done


def files_of(out):
    return {str(p.relative_to(out)): p for p in out.rglob("*") if p.is_file()}


def play(name, directory):
    case = CASES[name]
    directory.mkdir()
    out = directory / "out"
    out.mkdir()
    with Store() as store:
        key = keep(store, key_at(0))
        rule = store.play(case.behaviour, case.times, match=case.match)
        more = ("-o", out) if case.command[0] == "pull" else ()
        done = contrace(store, directory, *case.command, *more)
        said = f"{name}: {done.returncode}, {len(store.requests)} requests: {done.stderr.strip()}"
        assert rule.played
        assert (done.returncode == 0) == case.good, said
        assert case.good or done.stderr.strip(), "not a word"
        assert case.words in done.stderr, said
        assert len(store.requests) <= case.asked, said
        found = files_of(out)
        assert set(found) <= {key, record_of(key)}, f"{said}: {sorted(found)}"
        for path in found.values():
            assert path.stat().st_size < NEAR_ENOUGH
        if key in found:
            assert found[key].read_bytes() == BODY, "a wrong file under the trace's name"
        if case.good and case.command[0] == "pull":
            assert set(found) == {key, record_of(key)}
            assert done.stdout.strip().endswith(key)
        if case.good and case.command[0] == "list":
            assert key in done.stdout
        rule.stop()
        if case.command[0] == "pull":  # again, it comes
            done = contrace(store, directory, *case.command, "-o", out)
            assert done.returncode == 0, done.stderr
            assert set(files_of(out)) == {key, record_of(key)}
            assert (out / key).read_bytes() == BODY
    return said


@pytest.fixture(scope="module")
def plays(request, tmp_path_factory):
    top = tmp_path_factory.mktemp("pull")
    with together(request, "test_fault", lambda name: play(name, top / name)) as futures:
        yield futures


@pytest.mark.parametrize("name", CASES)
def test_fault(name, plays):
    print(plays[name].result())


def test_names_that_mean_harm(tmp_path):
    """What is no key is not shown, and never a path."""
    good = key_at(0)
    with Store() as store:
        keep(store, good)
        store.play(pages(*[(name, 10) for name in EVIL], (PREFIX + good, len(BODY))),
                   match=LISTING)  # fmt: skip
        listed = contrace(store, tmp_path, "list", "--remote", "--json")
        keys = [json.loads(line)["key"] for line in listed.stdout.splitlines()]
        assert keys == [good], listed
        out = tmp_path / "out"
        out.mkdir()
        done = contrace(store, tmp_path, "pull", "--last=100", "-o", out)
        assert done.returncode == 0, done.stderr
        assert set(files_of(out)) == {good, record_of(good)}
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("key", [
    "../../etc/passwd.trace", "/etc/passwd.trace", "a/../b/20260314/092653-7.trace", "x", "",
    "a/b/20260314/092653-7.trace/../../../../x.trace",
])  # fmt: skip
def test_what_is_no_key_is_not_pulled(key, tmp_path):
    with Store() as store:
        store.verify = False
        need(CONTRACE.exists(), f"no contrace in {BUILD}")
        done = run(
            CONTRACE, "pull", "--upload.url=s3://traces/x", key, "-o", tmp_path, check=False,
            env=clean_env(), timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode in (1, 2) and done.stderr
        assert not list(tmp_path.iterdir())
        assert not store.requests


def test_a_link_in_the_way_is_not_followed(tmp_path):
    """Somebody else may write to the directory that traces are pulled into."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "victim").write_bytes(b"precious")
    out = tmp_path / "out"
    with Store() as store:
        key = keep(store, key_at(0))
        path = out / key
        path.parent.mkdir(parents=True)
        path.with_name(f".{path.name}.part").symlink_to(elsewhere / "victim")
        contrace(store, tmp_path, "pull", key, "-o", out)
        assert (elsewhere / "victim").read_bytes() == b"precious"
        assert not path.is_symlink()
