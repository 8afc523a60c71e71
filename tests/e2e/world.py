# SPDX-License-Identifier: Apache-2.0
"""A small world of one's own: a thread in network and mount namespaces that nobody else sees, where
well-known addresses and names lead to servers of the test. Needs root."""

import contextlib
import ctypes
import os
import pathlib
import subprocess
import threading

from support import need, need_root

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
CA_FILES = ("/etc/ssl/certs/ca-certificates.crt",)

_libc = ctypes.CDLL(None, use_errno=True)


def _call(what, result):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def _mount(source, target, flags):
    _call(f"mount {target}", _libc.mount(os.fsencode(source), os.fsencode(target), None, flags, 0))


def _enter(directory, addresses, names, authority):
    _call("unshare", _libc.unshare(CLONE_NEWNET | CLONE_NEWNS))
    _mount("none", "/", MS_REC | MS_PRIVATE)
    commands = [["link", "set", "lo", "up"]]
    commands += [["addr", "add", address, "dev", "lo"] for address in addresses]
    for command in commands:
        subprocess.run(["ip", *command], check=True, capture_output=True)
    hosts = pathlib.Path(directory) / "hosts"
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names.items())]
    hosts.write_text("\n".join(lines) + "\n")
    _mount(hosts, "/etc/hosts", MS_BIND)
    for path in CA_FILES if authority else ():
        if os.path.exists(path):
            _mount(authority, path, MS_BIND)


def inside(function, directory, addresses=(), names=None, authority=None):
    """Calls function() in such a world: with these addresses on its loopback, these names in its
    /etc/hosts and this file for the CAs that everybody trusts. Servers and processes that it starts
    live there. Returns what it returns, raises what it raises."""
    need_root()
    outcome = {}

    def body():
        try:
            try:
                _enter(directory, addresses, names or {}, authority)
            except (OSError, subprocess.CalledProcessError) as e:
                outcome["missing"] = str(e)
                return
            outcome["value"] = function()
        except BaseException as e:  # for the thread that waits
            outcome["raised"] = e

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    need("missing" not in outcome, f"no namespaces here: {outcome.get('missing')}")
    with contextlib.suppress(KeyError):
        raise outcome["raised"]
    return outcome["value"]
