# SPDX-License-Identifier: Apache-2.0
"""Memory is short for a moment: contraced --once ends all the same, and what it says holds.

By itself the test takes a sample of the moments, with a seed that it prints; CONTRACE_SHORT_MEMORY
says how many, and 0 means each.
"""

import os
import random
import shutil
import subprocess

import pytest
from allocations import Allocations
from hostile import healthy
from support import CONTRACED, Spool, config_text, job

SAMPLE = int(os.environ.get("CONTRACE_SHORT_MEMORY", "40"))
SEED = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
PATIENCE = 20

pytestmark = pytest.mark.usefixtures("not_sanitized")


def once(allocations, directory, target):
    """Its exit status; it may not be ended by a signal, and must end."""
    (directory / "store").mkdir(parents=True)
    text = config_text(
        [job("s", target.address, seconds=0.02, scrape_timeout="2s")],
        {"path": f"{directory}/spool"},
        upload={"url": f"file://{directory}/store"},
        inspect={"enabled": False},
        web={"listen_address": "off"},
    )
    (directory / "c.yaml").write_text(text)
    done = subprocess.run(
        [str(CONTRACED), "--once", f"--config.file={directory}/c.yaml"],
        env=allocations.env(), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), (
        f"{done.returncode}: {done.stderr}\nshort at {allocations.place()}\n"
        f"ended at {allocations.end()}"
    )
    assert ": ;" not in done.stderr, f"an error without words: {done.stderr}"
    return done.returncode


@pytest.mark.parametrize("count", [1, 5])
def test_once_ends(count, serve, tmp_path):
    target, allocations = serve(healthy()), Allocations(tmp_path, "contraced")
    allocations.arm(at_loop=True)
    assert once(allocations, tmp_path / "whole", target) == 0
    total, _ = allocations.disarm()
    print(f"{count} at a time of {total} allocations; seed {SEED} (CONTRACE_SEED)")
    moments = range(total)
    if 0 < SAMPLE < total:
        moments = sorted(random.Random(SEED).sample(moments, SAMPLE))
    for moment in moments:
        allocations.arm(moment, count, at_loop=True)
        place = tmp_path / f"{moment}"
        status = once(allocations, place, target)
        kept = Spool(place / "spool").keys()
        assert status == 1 or len(kept) == 1, f"{moment}: success without a trace"
        shutil.rmtree(place)
