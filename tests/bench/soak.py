# SPDX-License-Identifier: Apache-2.0
"""Many captures of a small body by one contraced: do its memory and its descriptors grow?

soak.py [CAPTURES]       100,000 by default; some minutes
"""

import argparse
import signal
import sys
import time

from lab import KIB, Daemon, Lab, Row

TARGETS = 32  # captured side by side, for speed
GROWTH_MAX = 256  # KiB: the allocator's, not a leak, which would be a multiple of the captures


def sample(daemon, done, since):
    """(captures, seconds, RSS, anonymous, descriptors)"""
    seconds = time.monotonic() - since
    return done, seconds, daemon.memory(), daemon.memory("RssAnon"), daemon.descriptors()


def samples(lab, count, every):
    """At the start, on the way and at the end."""
    addresses = [f"127.0.1.{i}:{lab.port}" for i in range(TARGETS)]
    with Daemon(lab, addresses, max_files=200) as d:
        d.wait(TARGETS)
        started, done, result = time.monotonic(), 0, []
        warm_up = max(2000, count // 50)  # until the history is full and every buffer has its size
        while done < warm_up + count:
            if done >= warm_up + len(result) * every:
                result.append(sample(d, done - warm_up, started))
            d.signal(signal.SIGUSR1)
            d.wait(TARGETS)
            done += TARGETS
        time.sleep(0.5)  # what is in flight after the last capture: deletions
        result.append(sample(d, done - warm_up, started))
        return result


def grown(seen):
    """KiB of RSS from the first sample to the last."""
    return (seen[-1][2] - seen[0][2]) / KIB


def measure(lab, options):
    seen = samples(lab, options.soak_captures, options.soak_captures // 2)
    lab.arrivals()
    first, middle, last = seen[0], seen[len(seen) // 2], seen[-1]
    rss = " → ".join(f"{s[2] / KIB:.0f}" for s in (first, middle, last))
    files = " → ".join(str(s[4]) for s in (first, middle, last))
    return [
        Row(
            f"RSS at start, middle, end of {options.soak_captures:,} captures of 4 KiB",
            "no growth",
            f"{rss} KiB ({grown(seen) / last[0] * KIB:.2f} bytes a capture)",
            grown(seen) <= GROWTH_MAX,
        ),
        Row("… open descriptors", "no growth", files, last[4] <= first[4]),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("captures", nargs="?", type=int, default=100_000)
    parser.add_argument("--dir", help="for the traces (default: the system's temporary directory)")
    options = parser.parse_args()
    with Lab(options.dir) as lab:
        seen = samples(lab, options.captures, max(TARGETS, options.captures // 10))
    for n, seconds, rss, anonymous, descriptors in seen:
        print(
            f"{n:8} captures {seconds:7.1f} s  RSS {rss // KIB} KiB  "
            f"anonymous {anonymous // KIB} KiB  {descriptors} descriptors"
        )
    return 1 if grown(seen) > GROWTH_MAX or seen[-1][4] > seen[0][4] else 0


if __name__ == "__main__":
    sys.exit(main())
