# SPDX-License-Identifier: Apache-2.0
"""From kill(SIGUSR1) to the request at the target."""

import random
import signal
import time

from lab import Daemon, Row, boot_us, median, quantile


def measure(lab, options):
    delays = []
    with Daemon(lab) as d:
        d.wait()
        lab.arrivals()
        for _ in range(options.signals):
            time.sleep(random.uniform(0.005, 0.05))
            sent = boot_us()
            d.signal(signal.SIGUSR1)
            d.wait()
            ((_, arrived),) = lab.arrivals()
            delays.append((arrived - sent) / 1e3)
    return [
        Row.at_most(
            f"SIGUSR1 to the request, p99 of {len(delays)}",
            5,
            quantile(delays, 0.99),
            "ms",
            2,
            f" (median {median(delays):.2f}, max {max(delays):.2f})",
        )
    ]
