# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for a thread of a store whose call was cancelled: contraced ends in order."""

import os

from support import BUILD, Daemon, job, need


def test_thread_of_a_store_outlives_the_exit(not_sanitized, tmp_path):
    """It was just asked whether it may be written to, and hashes what it writes."""
    late = BUILD / "tests/support/latehash.so"
    need(late.exists(), f"no {late}: make check builds it")
    (tmp_path / "store").mkdir()
    with Daemon(
        tmp_path / "d", [job("s", "127.0.0.1:9")], args=["--once"], wait=False,
        upload={"url": f"file://{tmp_path}/store"}, env={**os.environ, "LD_PRELOAD": str(late)},
    ) as d:  # fmt: skip
        status = d.wait_exit()
    assert status == 1, (status, d.lines)
    assert d.other == ["hashed at the very end"]
