# SPDX-License-Identifier: Apache-2.0
"""The suites run where no packet can leave the machine: scripts/offline."""

import errno
import os
import pwd
import socket

import pytest
from support import SRC, need, run


def test_nothing_but_loopback():
    need(os.environ.get("CONTRACE_OFFLINE"), "not run by scripts/offline, as scripts/check does")
    assert [name for _, name in socket.if_nameindex()] == ["lo"]


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")],
)
def test_no_way_out(family, address):
    """To addresses that RFC 5737 and RFC 3849 set aside, should there be a way after all."""
    need(os.environ.get("CONTRACE_OFFLINE"), "not run by scripts/offline, as scripts/check does")
    with socket.socket(family, socket.SOCK_DGRAM) as s, pytest.raises(OSError) as refused:
        s.connect((address, 53))
    assert refused.value.errno in (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def test_user_and_environment_stay(monkeypatch):
    """What runs offline is who it was before, with the same PATH and HOME."""
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("SAYS", "a b")
    monkeypatch.setenv("USER", pwd.getpwuid(os.geteuid()).pw_name)
    script = 'id -u; echo "$HOME $SAYS"; echo "$PATH"; echo "$USER"'
    done = run(SRC / "scripts/offline", "sh", "-c", script, check=False)
    need(done.returncode == 0, f"no network of its own can be made here: {done.stderr.strip()}")
    assert done.stdout.splitlines() == [
        str(os.geteuid()), "/nowhere a b", os.environ["PATH"], os.environ["USER"],
    ]  # fmt: skip
