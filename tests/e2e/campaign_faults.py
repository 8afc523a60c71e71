# SPDX-License-Identifier: Apache-2.0
"""System calls fail, from a capture to the deletion of the oldest trace: nothing that was acknowledged
is lost, nothing is torn, no cap is passed, and contraced recovers by itself and ends on SIGTERM.

Run by scripts/fault-sweep, which names a file for the results of all points in CONTRACE_FAULTS and goes on where
it ended. The tests take a sample: test_faults.py.
"""

import collections
import json
import os
import pathlib
import random

import faults
from straced import can_trace  # noqa: F401 (a fixture)

SEED = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
TOGETHER = 3


def known(path):
    """The results that are there: {point: result}."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {faults.point_of(result): result for result in lines}


def test_faults(tmp_path):
    scene = faults.Scene(tmp_path)
    every = faults.points(scene)
    scene.daemon.stop()
    scene.close()
    path = pathlib.Path(os.environ["CONTRACE_FAULTS"])
    results = known(path)
    # In no order, so that what is there of it by now stands for all.
    chosen = [point for point in every if point not in results]
    random.Random(SEED).shuffle(chosen)

    def report(result):
        results[faults.point_of(result)] = result
        with path.open("a") as out:
            out.write(json.dumps(result) + "\n")

    faults.play_all(tmp_path / "all", chosen, TOGETHER, report)
    reached = collections.Counter(r["error"] for r in results.values() if r.get("reached"))
    print(f"{len(results)} of {len(every)} points, reached: {dict(reached)}")
    faults.assert_right(results.values(), SEED)
    assert sum(reached.values()) >= len(results) / 2
