# SPDX-License-Identifier: Apache-2.0
"""A sample of scripts/fault-sweep: system calls that fail, from a capture to the deletion of the oldest
trace. Always the deletions, whose failures must not add up to a pause; and some others, with a seed.
"""

import os
import random

import faults
from straced import can_trace  # noqa: F401 (a fixture)

SEED = int(os.environ.get("CONTRACE_SEED", random.SystemRandom().randrange(2**32)))
SAMPLE = 20

# Of the disk threads. The first calls of these names are those of the deletion; one after another
# they come to all traces that are kept.
DELETIONS = [
    ("disk", *point)
    for point in (
        ("EIO", "once", "unlinkat", 1),
        ("EIO", "once", "unlinkat", 1),
        ("EMFILE", "once", "openat", 1),
        ("EINTR", "once", "unlinkat", 2),
        ("EIO", "for-good", "unlinkat", 1),
        ("ENOSPC", "for-good", "fsync", 1),
        ("EMFILE", "once", "openat", 1),
    )
]


def play(directory, points, workers):
    directory.mkdir()
    results = []
    faults.play_all(directory, points, workers, results.append)
    assert len(results) == len(points)
    faults.assert_right(results, SEED)
    return results


def test_deletions_that_fail(tmp_path):
    results = play(tmp_path / "all", DELETIONS, 1)
    assert all(result["reached"] for result in results)


def test_loop_that_fails(tmp_path):
    """At every of its timers while a capture is in flight: it says so and ends, and does not crash."""
    points = [("loop", "EINTR", "for-good", "timerfd_settime", n) for n in range(1, 6)]
    play(tmp_path / "all", points, 1)


def test_sample(tmp_path):
    scene = faults.Scene(tmp_path)
    every = faults.points(scene)
    scene.daemon.stop()
    scene.close()
    play(tmp_path / "all", random.Random(SEED).sample(every, SAMPLE), 2)
