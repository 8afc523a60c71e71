# SPDX-License-Identifier: Apache-2.0
"""A server of somebody else's on a loopback port, for as long as a test needs it."""

import contextlib
import signal
import socket
import subprocess

from support import wait_until


def free_ports(n):
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [s.getsockname()[1] for s in taken]


class Listening:
    """Started by start(); `port` and `host`, its address, are known before."""

    ended_by = signal.SIGKILL

    def __init__(self, name, ports=1):
        self.name = name
        self.port, *self.more_ports = free_ports(ports)
        self.host = f"127.0.0.1:{self.port}"
        self.log = None

    def start(self, command, log=None, **options):
        if log:
            self.log = open(log, "wb")
            options |= {"stdout": self.log, "stderr": self.log}
        self.process = subprocess.Popen(command, **options)
        wait_until(f"{self.name} listens", self._listens)

    def _listens(self):
        assert self.process.poll() is None, f"{self.name} ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def close(self):
        self.process.send_signal(self.ended_by)
        self.process.wait()
        if self.log:
            self.log.close()
