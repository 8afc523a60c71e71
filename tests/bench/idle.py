# SPDX-License-Identifier: Apache-2.0
"""What contraced costs between two captures of its one target, with the unit's watchdog."""

import os
import signal
import socket
import threading
import time

from lab import MIB, Daemon, Row

WATCHDOG = 120  # seconds, as in the unit


class Manager:
    """Takes the messages that systemd would get."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.fed = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            self.fed += b"WATCHDOG=1" in self.socket.recv(4096)


def measure(lab, options):
    manager = Manager(lab.dir / "notify")
    environment = {
        "NOTIFY_SOCKET": str(lab.dir / "notify"),
        "WATCHDOG_USEC": str(WATCHDOG * 1000000),
    }
    os.environ.pop("WATCHDOG_PID", None)
    with Daemon(lab, environment=environment, size=MIB) as d:
        d.wait()
        for _ in range(10):
            d.signal(signal.SIGUSR1)
            d.wait()
        time.sleep(2)
        woken, cpu, fed = d.switches(), d.cpu(), manager.fed
        time.sleep(options.idle_seconds)
        minutes = options.idle_seconds / 60
        woken, cpu, fed = d.switches() - woken, d.cpu() - cpu, manager.fed - fed
        shared = d.memory("VmRSS") - d.memory("RssAnon")
        return [
            Row.at_most(
                "idle, one target: RSS",
                12,
                d.memory() / MIB,
                "MiB",
                note=f" ({shared / MIB:.1f} of it pages of files: program and libraries)",
            ),
            Row(
                "… its own share of that (PSS); private",
                "",
                f"{d.memory('Pss') / MIB:.1f} MiB; "
                f"{(d.memory('Private_Dirty') + d.memory('Private_Clean')) / MIB:.1f} MiB",
            ),
            Row.at_most(
                "… wake-ups of any thread",
                2,
                woken / minutes,
                "a minute",
                note=f" ({woken} in {options.idle_seconds} s, watchdog of {WATCHDOG} s fed "
                f"{fed} times, {cpu * 1e3:.2f} ms CPU)",
            ),
        ]
