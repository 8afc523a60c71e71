# SPDX-License-Identifier: Apache-2.0
"""Memory is short for a moment: contraced --once ends all the same, and what it says holds."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import pytest
from hostile import healthy
from support import BUILD, CONTRACED, Spool, config_text, job, need, run

HERE = pathlib.Path(__file__).parent
# Moments; 0: each. Only when asked for: libraries may crash at exit after their allocations failed.
SAMPLE = os.environ.get("CONTRACE_SHORT_MEMORY")
PATIENCE = 20


@pytest.fixture(scope="module")
def shortage(tmp_path_factory):
    """The library to preload."""
    if SAMPLE is None:
        pytest.skip("CONTRACE_SHORT_MEMORY says how many moments to try")
    if "-fsanitize=address" in (BUILD / "Makefile").read_text():
        pytest.skip("the sanitizers have an allocator of their own")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    need(compiler, "no C compiler")
    library = tmp_path_factory.mktemp("shortage") / "shortmem.so"
    run(compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "shortmem.c")
    return library


def once(library, directory, target, **shortage):
    """Its exit status, and what it said; it may not be killed by a signal, and must end."""
    (directory / "store").mkdir(parents=True)
    text = config_text(
        [job("s", target.address, seconds=0.02, scrape_timeout="2s")],
        {"path": f"{directory}/spool"},
        upload={"url": f"file://{directory}/store"},
        inspect={"enabled": False},
        web={"listen_address": "off"},
    )
    (directory / "c.yaml").write_text(text)
    env = dict(os.environ, LD_PRELOAD=str(library), **{k: str(v) for k, v in shortage.items()})
    argv = [str(CONTRACED), "--once", f"--config.file={directory}/c.yaml"]
    done = subprocess.run(
        argv, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode in (0, 1), f"{shortage}: {done.returncode}: {done.stderr}"
    return done


@pytest.mark.parametrize("count", [1, 5])
def test_once_ends(count, shortage, serve, tmp_path):
    target = serve(healthy())
    whole = once(shortage, tmp_path / "whole", target, SHORT_REPORT=1)
    total = int(re.search(r"allocations: (\d+)", whole.stderr).group(1))
    seed = int(os.environ.get("CONTRACE_SEED", time.time_ns() % 1_000_000))
    print(f"CONTRACE_SEED={seed}, {total} allocations")
    moments = range(total)
    if int(SAMPLE) > 0:
        moments = sorted(random.Random(seed).sample(moments, min(int(SAMPLE), total)))
    for moment in moments:
        place = tmp_path / f"{moment}"
        done = once(shortage, place, target, SHORT_FROM=moment, SHORT_COUNT=count)
        kept = Spool(place / "spool").keys()
        assert done.returncode == 1 or len(kept) == 1, f"{moment}: success without a trace"
        shutil.rmtree(place)
