# SPDX-License-Identifier: Apache-2.0
"""Everything at once, drawn from a seed: captures, reloads, and a store that does something wrong
with every third request. When it is well again all traces that were captured are in it and in
archive/, each key with one content only.

CONTRACE_CHAOS_SECONDS makes it longer, CONTRACE_SEED repeats one (as far as threads let it).
"""

import os
import random
import signal
import time

import storefaults as faults
from hostile import Server, healthy, trace
from store import BUCKET, Store
from support import job, wait_until
from uploads import PREFIX, assert_same, clean_env, section, wait_archived

SECONDS = float(os.environ.get("CONTRACE_CHAOS_SECONDS", "10"))
TARGETS = 4


def confirms_unasked(x):
    """200 for a body that it has not asked for yet. Of a small one, which comes unasked, nobody
    could know that."""
    (faults.confirms_before_the_body if x.expects else type(x).serve)(x)


# Trouble that passes and does not last: nobody must act, and none is put aside.
WRONG = [
    faults.status("429 Too Many Requests"),
    faults.error("500 Internal Server Error", "InternalError"),
    faults.error("409 Conflict", "OperationAborted"),
    faults.error("400 Bad Request", "IncompleteBody"),
    faults.error("400 Bad Request", "BadDigest"),
    faults.error("400 Bad Request", "RequestTimeout"),
    faults.retry_after("1"),
    faults.decides_before_the_body("503 Slow Down", "SlowDown"),
    confirms_unasked,
    faults.reset_at_head,
    faults.reset_in_body(1000),
    faults.reset_after_body(keep=True),
    faults.reset_after_body(keep=False),
    faults.reset_in_answer(b"HTTP/1.1 200 OK\r\nDa", keep=True),
    faults.closed_at_head,
    faults.closed_after_body,
    faults.raw(b"HTTP/1.1 2", keep=True),
    faults.raw(b"HTTP/1.1 200 OK\r\nDate: Sat, 14"),
    faults.raw(b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n<Error>"),
    faults.document("503 Oops", faults.GARBAGE),
    faults.document("500 Oops", faults.BOMB),
    faults.large("500 Oops", 1),
    faults.many_headers(10_000),
    faults.refuses_expect,
    faults.never_asks,
    faults.closing,
    faults.slow(0.5),
    faults.interim("103 Early Hints\r\nLink: </x>"),
]


def test_chaos(tmp_path, daemon):
    seed = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed} (CONTRACE_SEED)")
    rng = random.Random(seed)
    targets = [Server(healthy(trace(2, rng.choice([200, 5000, 2 << 20])))) for _ in range(TARGETS)]
    jobs = [job(f"s{i}", t.address) for i, t in enumerate(targets)]
    with Store() as store:
        upload = section(tmp_path, store.endpoint, stall_timeout="5s")

        def sometimes(x):
            (rng.choice(WRONG) if rng.random() < 0.33 else type(x).serve)(x)

        d = daemon(
            jobs, {"max_bytes": "8GiB"}, upload=upload, env=clean_env(), log={"level": "info"}
        )
        d.wait_captured(count=TARGETS)
        wait_archived(d, TARGETS)
        before = d.memory()
        rule = store.play(sometimes)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            d.capture_now()
            time.sleep(rng.uniform(0.1, 0.6))
            if rng.random() < 0.2:
                change = {"concurrency": rng.randint(1, 8), "keep_local": True}
                d.write_config(jobs, upload={**upload, **change}, log={"level": "info"})
                d.signal(signal.SIGHUP)
        assert d.alive()
        rule.stop()
        d.write_config(jobs, upload=upload, log={"level": "info"})
        d.signal(signal.SIGHUP)
        wait_until("the captures have ended", lambda: not d.spool.incoming())
        captured = {line["key"] for line in d.log(message_id="0c5f3f1c6d0b4e3f9a53a4b4d2c5e101")}
        wait_archived(d, len(captured))
        after = d.memory()
        assert captured <= set(d.spool.keys())
        for key in d.spool.keys():
            assert_same(store, d.spool, key)
        puts = [len(n) for name, n in store.stored.items() if "/.contrace/" not in name]
        print(
            f"{len(captured)} traces, {len(store.requests)} requests, {rule.played} of them with "
            f"chance, {sum(puts) - len(puts)} PUTs repeated; memory {before} KiB, then {after} KiB"
        )
        assert not [line for line in d.problems() if line["level"] == "error"]
        assert not store.refusals
        d.stop()
        d.spool.check()
    assert all(name.startswith(f"{BUCKET}/{PREFIX}") for name in store.objects)
    for target in targets:
        target.close()
