# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for a thread of a store whose call was cancelled: contraced ends in order."""

import os
import resource
import subprocess

from support import BUILD, CONTRACED, Daemon, job, need


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


def test_too_few_descriptors(not_sanitized, tmp_path):
    """Whatever it is that cannot be opened: contraced starts, or says what is short."""
    config = tmp_path / "c.yaml"
    config.write_text(
        f"storage: {{path: {tmp_path}/spool}}\nweb: {{listen_address: '127.0.0.1:0'}}\n"
        "scrape_configs:\n- job_name: s\n  static_configs: [{targets: ['127.0.0.1:9']}]\n"
    )
    ends = set()
    for n in range(8, 30):
        with subprocess.Popen(
            [CONTRACED, f"--config.file={config}"], stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)),
        ) as p:  # fmt: skip
            lines = []
            for line in p.stderr:
                lines.append(line)
                if "cannot capture" in line:
                    p.kill()
        last = lines[-1]
        assert "cannot capture" in last or "cannot start: Too many open files" in last, (n, lines)
        ends.add("cannot start" in last)
    assert ends == {True, False}
