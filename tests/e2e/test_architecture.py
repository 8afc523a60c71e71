# SPDX-License-Identifier: Apache-2.0
"""The arrows of the house: a lower room never includes a higher one (docs/ARCHITECTURE.md)."""

import re

from support import SRC

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

# Each room with the rooms that it may include besides itself and base/.
MAY_INCLUDE = {
    "base": set(),
    "trace": set(),
    "cli": {
        "trace", "daemon/config", "daemon/net", "daemon/disk", "daemon/spool", "daemon/inspect",
        "daemon/upload",
    },
    "daemon/child": set(),
    "daemon/config": set(),
    "daemon/disk": set(),
    "daemon/net": set(),
    "daemon/capture": {"trace", "daemon/config", "daemon/net"},
    "daemon/spool": {"trace", "daemon/config", "daemon/disk", "daemon/net"},
    "daemon/inspect": {"trace", "daemon/child", "daemon/config", "daemon/net"},
    "daemon/upload": {"trace", "daemon/child", "daemon/config", "daemon/disk", "daemon/net"},
    "daemon/trigger": {"trace", "daemon/config", "daemon/net"},
    "daemon/control": {
        "trace", "daemon/config", "daemon/net", "daemon/capture", "daemon/spool",
        "daemon/inspect", "daemon/upload", "daemon/trigger",
    },
}  # fmt: skip
# The daemon's own files connect the rooms. The command line is the lowest of them.
CONNECTING = "daemon"
ONLY_CONFIG = {"daemon/settings/options.c", "daemon/settings/options.h"}


def sources():
    for top in ("base", "trace", "cli", "daemon"):
        for path in sorted((SRC / top).rglob("*.[ch]")):
            name = str(path.relative_to(SRC))
            yield name, COMMENT.sub(" ", path.read_text())


def room_of(name):
    return name.rsplit("/", 1)[0]


def allowed(name):
    room = room_of(name)
    if name in ONLY_CONFIG:
        return {"base", "daemon", "daemon/config"}
    if room == CONNECTING:
        return {"base", "daemon", *(r for r in MAY_INCLUDE if r != "cli")}
    return {"base", room, *MAY_INCLUDE[room]}


def test_every_file_stands_in_a_room():
    assert {room_of(name) for name, _ in sources()} <= {CONNECTING, *MAY_INCLUDE}


def test_arrows():
    wrong = []
    for name, text in sources():
        for quoted, _ in INCLUDE.findall(text):
            # What is made by the build stands in its directory.
            if quoted in ("", "config.h") or quoted.endswith(".pb-c.h"):
                continue
            if "/" not in quoted:
                wrong.append(f"{name} includes {quoted} without its room")
                continue
            if not (SRC / quoted).exists():
                wrong.append(f"{name} includes {quoted}, which is not there")
            elif room_of(quoted) not in allowed(name):
                wrong.append(f"{name} includes {quoted} of a room it must not know")
    assert not wrong, "\n".join(wrong)


def test_only_main_knows_the_daemon_as_a_whole():
    users = users_of(r'#\s*include\s*"daemon/daemon\.h"')
    assert users == {"daemon/daemon.c", "daemon/main.c"}


def users_of(pattern):
    return {name for name, text in sources() if re.search(pattern, text)}


def test_only_net_speaks_to_libcurl():
    assert {room_of(n) for n in users_of(r"#\s*include\s*<curl/")} == {"daemon/net"}
    assert users_of(r"\bcurl_multi_\w+\s*\(") == {"lib/net/http.c"}
    assert users_of(r"\bcurl_easy_perform\b") == set()


def test_one_file_reads_the_clock():
    assert users_of(r"\bclock_gettime\s*\(") == {"base/clock.c"}
    assert users_of(r"\b(gettimeofday|time)\s*\((NULL|&|0)") == set()


def test_one_file_notices_that_jansson_lacked_memory():
    """It calls a text whole that lacks the name of a member."""
    assert users_of(r"\bjson_(load\w*|dumps|dumpf|dumpfd|dump_\w+)\s*\(") == {"base/jsontext.c"}


def test_nothing_sleeps():
    assert users_of(r"\b(usleep|nanosleep|clock_nanosleep|sleep)\s*\(") == set()


def test_the_framing_knows_nothing_but_base():
    for name, text in sources():
        if room_of(name) == "trace":
            for _, system in INCLUDE.findall(text):
                assert not system.startswith(("curl", "systemd", "yaml", "jansson")), name
