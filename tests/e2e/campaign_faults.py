# SPDX-License-Identifier: Apache-2.0
"""System calls fail, from a capture to the deletion of the oldest trace: nothing that was acknowledged
is lost, nothing is torn, no cap is passed, and contraced recovers by itself and ends on SIGTERM.

Run by scripts/fault-sweep, which names a file for the results of all points in CONTRACE_FAULTS and goes on where
it ended. Without that a sample is taken, with a seed that it prints.
"""

import collections
import json
import os
import pathlib
import random

import faults
from test_kill_sweep import can_trace  # noqa: F401 (a fixture)

SEED = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
SAMPLE = 36
TOGETHER = 3
POINT = ("group", "error", "mode", "name", "number")


def known(path):
    """The results that are there: {point: result}."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {tuple(r[k] for k in POINT): r for r in lines}


def test_faults(tmp_path):
    scene = faults.Scene(tmp_path)
    every = faults.points(scene)
    scene.daemon.stop()
    scene.close()
    path = os.environ.get("CONTRACE_FAULTS")
    results = known(pathlib.Path(path)) if path else {}
    if path:
        # In no order, so that what is there of it by now stands for all.
        chosen = [point for point in every if point not in results]
        random.Random(SEED).shuffle(chosen)
    else:
        chosen = random.Random(SEED).sample(every, SAMPLE)

    def report(result):
        results[tuple(result[k] for k in POINT)] = result
        if path:
            with open(path, "a") as out:
                out.write(json.dumps(result) + "\n")

    faults.play_all(tmp_path / "all", chosen, TOGETHER, report)
    wrong = [r for r in results.values() if "fault" in r]
    reached = collections.Counter(r["error"] for r in results.values() if r.get("reached"))
    print(f"{len(results)} of {len(every)} points, reached: {dict(reached)}, wrong: {len(wrong)}; "
          f"seed {SEED} (CONTRACE_SEED)")  # fmt: skip
    for r in wrong:
        print(*(r[k] for k in POINT), r["fault"], *r.get("log", [])[-12:], sep="\n    ")
    assert not wrong
    assert sum(reached.values()) >= len(results) / 2
