#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many captures of a small body by one contraced: do its memory and its descriptors grow?

    soak.py [CAPTURES]       100,000 by default; some minutes

Environment: CONTRACE_BUILD_DIR as for the tests. Prints a line for each tenth of the way, and exits
1 if the resident set grew by more than 512 KiB since the first tenth, or a descriptor is left over.
The spool is in /dev/shm, as it is not the disk that is tried here.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from hostile import Server, healthy, trace  # noqa: E402
from support import Daemon, job, wait_until  # noqa: E402

TARGETS = 100
GROWTH_KIB = 512


def capture_all(d, times):
    for _ in range(times):
        mark = d.mark()
        d.capture_now()
        d.wait_captured(after=mark, count=TARGETS)
        wait_until("incoming/ is empty", lambda: not any((d.spool.path / "incoming").iterdir()))
        del d.lines[:]


def soak(directory, captures):
    server = Server(healthy(trace(2)))
    targets = [f"127.0.2.{i}:{server.port}" for i in range(TARGETS)]
    tenth = max(1, captures // TARGETS // 10)
    began = time.monotonic()
    with Daemon(directory, [job("s", *targets)], {"max_files": 1000}, log={"level": "info"}) as d:
        d.wait_captured(count=TARGETS)
        first = None
        for i in range(1, 11):
            capture_all(d, tenth)
            fds, rss = d.idle(), d.status("VmRSS")
            first = first or (fds, rss)
            print(f"{i * tenth * TARGETS:>8} captures  {time.monotonic() - began:6.0f} s  "
                  f"RSS {rss} KiB  {len(fds or [])} descriptors", flush=True)  # fmt: skip
        d.wait_idle(first[0])
        d.stop()
    server.close()
    return rss - first[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("captures", nargs="?", type=int, default=100_000)
    shm = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as directory:
        growth = soak(directory, parser.parse_args().captures)
    print(f"RSS grew by {growth} KiB since the first tenth")
    return growth > GROWTH_KIB


if __name__ == "__main__":
    sys.exit(main())
