# SPDX-License-Identifier: Apache-2.0
"""Memory and descriptors over many captures of a small body. `soak.py --count 100000` runs it alone."""

import argparse
import signal
import time

from lab import KIB, Daemon, Lab, Row

TARGETS = 32  # captured side by side, for speed
GROWTH_MAX = 256  # KiB: the allocator's, not a leak, which would be a multiple of the captures


def samples(lab, count, every):
    """(captures, seconds, RSS, anonymous, descriptors) at the start, on the way and at the end."""
    addresses = [f"127.0.1.{i}:{lab.port}" for i in range(TARGETS)]
    with Daemon(lab, addresses, max_files=200) as d:
        d.wait(TARGETS)
        started, done, result = time.monotonic(), 0, []
        warm_up = max(2000, count // 50)  # until the history is full and every buffer has its size
        while done < warm_up + count:
            if done >= warm_up + len(result) * every:
                result.append((done - warm_up, time.monotonic() - started, d.memory(), d.memory("RssAnon"),
                               d.descriptors()))
            d.signal(signal.SIGUSR1)
            d.wait(TARGETS)
            done += TARGETS
        time.sleep(0.5)  # what is in flight after the last capture: deletions
        result.append((done - warm_up, time.monotonic() - started, d.memory(), d.memory("RssAnon"),
                       d.descriptors()))
        return result


def measure(lab, options):
    seen = samples(lab, options.soak_captures, options.soak_captures // 2)
    lab.arrivals()
    first, middle, last = seen[0], seen[len(seen) // 2], seen[-1]
    grown = (last[2] - first[2]) / KIB
    rss = " → ".join(f"{s[2] / KIB:.0f}" for s in (first, middle, last))
    files = " → ".join(str(s[4]) for s in (first, middle, last))
    return [Row(f"RSS at start, middle, end of {options.soak_captures:,} captures of 4 KiB", "no growth",
                f"{rss} KiB ({grown / last[0] * KIB:.2f} bytes a capture)", grown <= GROWTH_MAX),
            Row("… open descriptors", "no growth", files, last[4] <= first[4])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--dir", help="for the traces (default: the system's temporary directory)")
    options = parser.parse_args()
    with Lab(options.dir) as lab:
        for n, seconds, rss, anonymous, descriptors in samples(lab, options.count, options.count // 10):
            print(f"{n:8} captures {seconds:7.1f} s  RSS {rss // KIB} KiB  anonymous {anonymous // KIB} KiB  "
                  f"{descriptors} descriptors", flush=True)


if __name__ == "__main__":
    main()
