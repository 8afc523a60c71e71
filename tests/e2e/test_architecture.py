# SPDX-License-Identifier: Apache-2.0
"""The arrows of the house: a lower folder never includes a higher one, and nothing forms a circle
(docs/ARCHITECTURE.md)."""

import collections
import functools
import re

from support import SRC

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

# Each folder with the folders that it may include besides itself and base/.
MAY_INCLUDE = {
    "base": set(),
    "trace": set(),
    "trace/common": {"trace"},
    "trace/stack": {"trace", "trace/common"},
    "trace/reader": {"trace", "trace/common"},
    "trace/summary": {"trace", "trace/common", "trace/reader", "trace/stack"},
    "trace/findings": {"trace", "trace/stack", "trace/summary"},
    "trace/profile": {"trace", "trace/common"},
    "trace/goroutines": {"trace", "trace/common", "trace/summary"},
    "lib/value": set(),
    "trace/schedtrace": set(),
    "trace/timeline": {"trace", "trace/common"},
    "trace/export": {"trace", "trace/common", "trace/timeline"},
    "trace/trees": {"trace", "trace/common", "trace/summary"},
    "trace/blockers": {
        "trace", "trace/common", "trace/goroutines", "trace/profile", "trace/summary",
    },
    "trace/anonymise": {"trace", "trace/common", "trace/reader", "trace/stack", "trace/summary"},
    "lib/yaml": set(),
    "lib/net": set(),
    "lib/process": set(),
    "lib/record": {"trace/findings"},
    "lib/relabel": set(),
    "lib/config/keys": {"lib/net", "lib/yaml"},
    "lib/config": {
        "trace/findings", "lib/config/keys", "lib/net", "lib/record", "lib/relabel", "lib/value",
        "lib/yaml",
    },
    "lib/rows": {"lib/record"},
    "lib/spool/disk": {"lib/record"},
    "lib/spool/core": {"lib/record", "lib/spool/disk"},
    "lib/spool": {"lib/record", "lib/spool/core", "lib/spool/disk"},
    "lib/store/interface": {"lib/config", "lib/net"},
    "lib/store/credential": {"lib/net"},
    "lib/store/identity": {"lib/config", "lib/net", "lib/process", "lib/store/credential"},
    "lib/store/dialect": {
        "lib/config", "lib/net", "lib/store/credential", "lib/store/identity",
        "lib/store/interface",
    },
    "lib/store/http": {
        "lib/config", "lib/net", "lib/store/dialect", "lib/store/identity", "lib/store/interface",
    },
    "lib/store/file": {"lib/config", "lib/store/interface"},
    "lib/store": {
        "lib/config", "lib/store/dialect", "lib/store/file", "lib/store/http",
        "lib/store/interface",
    },
    "daemon/outcome": {"trace/findings", "lib/record"},
    "daemon/source/kube": {"lib/net"},
    "daemon/source": {
        "daemon/source/kube", "lib/config", "lib/net", "lib/record", "lib/relabel", "lib/yaml",
    },
    "daemon/trigger/rule": {"lib/config", "trace/findings"},
    "daemon/trigger": {"lib/config", "daemon/trigger/rule"},
    "daemon/artifact": {"trace", "lib/record", "daemon/outcome"},
    "daemon/context": {"trace/findings"},
    "daemon/capture": {
        "lib/config", "lib/net", "lib/record", "lib/spool", "daemon/artifact", "daemon/context",
        "daemon/outcome",
    },
    "daemon/order": {
        "lib/config", "lib/record", "daemon/artifact", "daemon/capture", "daemon/outcome",
    },
    "daemon/watch": {
        "lib/config", "lib/net", "lib/value", "daemon/capture", "daemon/trigger/rule",
    },
    "daemon/push": {
        "lib/record", "lib/spool", "daemon/artifact", "daemon/capture", "daemon/order", "daemon/outcome",
    },
    "daemon/label": {
        "trace/findings", "lib/config", "lib/process", "lib/record", "lib/spool", "daemon/artifact",
        "daemon/capture", "daemon/outcome",
    },
    "daemon/view": {"lib/process"},
    "daemon/extract": {"daemon/view"},
    "daemon/ship": {
        "lib/record", "lib/spool", "lib/store/http", "lib/store/interface", "daemon/artifact",
        "daemon/outcome",
    },
    "daemon/rows": {
        "lib/record", "lib/rows", "lib/spool", "lib/store/interface", "daemon/ship",
    },
    "daemon/control": {
        "lib/config", "lib/net", "lib/spool", "lib/store/http", "lib/store/interface",
        "daemon/artifact", "daemon/capture", "daemon/outcome", "daemon/ship", "daemon/trigger",
        "daemon/watch",
    },
    "daemon/api": {
        "lib/config", "lib/spool", "daemon/artifact", "daemon/capture", "daemon/control",
        "daemon/extract", "daemon/order", "daemon/outcome", "daemon/push", "daemon/ship",
        "daemon/trigger", "daemon/view", "daemon/watch", "lib/record",
    },
    "daemon": {
        "lib/config", "lib/net", "lib/process", "lib/spool", "lib/store", "lib/store/credential",
        "lib/store/interface", "lib/yaml", "daemon/api", "daemon/artifact", "daemon/capture", "daemon/control",
        "daemon/extract", "daemon/label", "daemon/order", "daemon/outcome", "daemon/push", "daemon/rows",
        "daemon/ship",
        "daemon/source", "daemon/trigger", "daemon/view", "daemon/watch",
    },
    "cli/common": {"lib/process"},
    "cli/read": {
        "trace", "trace/findings", "trace/goroutines", "trace/profile", "trace/summary", "lib/process",
        "lib/record", "lib/value",
        "cli/common",
    },
    "cli/advise": {"trace/findings", "cli/common", "cli/find", "cli/read"},
    "cli/explain": {
        "trace/findings", "trace/summary", "lib/record", "cli/common", "cli/find", "cli/read",
    },
    "cli/compare": {"trace", "trace/summary", "trace/findings", "lib/value", "cli/common", "cli/read"},
    "cli/sched": {"trace/schedtrace", "cli/common"},
    "cli/timeline": {
        "trace", "trace/export", "trace/summary", "trace/timeline", "cli/common", "cli/read",
    },
    "cli/anonymise": {"trace/anonymise", "cli/common", "cli/read"},
    "cli/cause": {"trace", "trace/blockers", "trace/trees", "cli/common", "cli/read"},
    "cli/find": {
        "trace/findings", "lib/config", "lib/net", "lib/record", "lib/store", "lib/store/http",
        "lib/store/interface", "cli/ask", "cli/common",
    },
    "cli/fleet": {"lib/net", "lib/record", "lib/rows", "lib/store/interface", "cli/common", "cli/find"},
    "cli/ask": {"lib/config", "lib/net", "lib/yaml", "cli/common"},
    "cli": {"lib/store/credential", "cli/common"},
}  # fmt: skip
FOLDER_MOST = 40  # files: more are too many to see


@functools.cache
def sources():
    """Path and text without comments of all that is built, but of what is generated."""
    found = {}
    for top in ("base", "lib", "trace", "daemon", "cli"):
        for path in sorted((SRC / top).rglob("*.[ch]")):
            if not path.name.endswith((".pb-c.c", ".pb-c.h")):
                found[str(path.relative_to(SRC))] = COMMENT.sub(" ", path.read_text())
    return found


def room_of(name):
    return name.rsplit("/", 1)[0]


def stem_of(name):
    """A header NAME_….h without a source that includes NAME.h is the inside of NAME."""
    stem = name[:-2]
    if name.endswith(".c") or stem + ".c" in sources():
        return stem
    for cut in range(len(stem) - 1, stem.rfind("/"), -1):
        outer = stem[:cut]
        if stem[cut] == "_" and outer + ".c" in sources():
            return outer if f'"{outer}.h"' in sources()[name] else stem
    return stem


def circles(edges):
    """What is reachable from each other, as lines of names."""
    reached = {}
    for start in edges:
        seen, todo = set(), [start]
        while todo:
            new = edges.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        reached[start] = seen
    return {
        " ".join(sorted(b for b in reached[a] if a in reached.get(b, set())))
        for a in edges
        if a in reached[a]
    }


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {"b c"}
    assert circles({"a": {"b"}, "b": {"c"}}) == set()


def test_every_file_stands_in_a_folder_that_is_constrained():
    assert {room_of(name) for name in sources()} == set(MAY_INCLUDE)


def test_folders_form_no_circle():
    assert not circles(MAY_INCLUDE)


def test_folders_are_seen_at_a_glance():
    count = collections.Counter(room_of(name) for name in sources())
    assert not {room: n for room, n in count.items() if n > FOLDER_MOST}


def test_the_daemons_root():
    root = {stem_of(name) for name in sources() if room_of(name) == "daemon"}
    inside = {"api", "config", "events", "signals", "state", "stop", "triggers", "uploads",
              "views"}  # fmt: skip
    names = {"artifactrules", "confinement", "daemon", "main", "options", "part", "parts", "probe"}
    names |= {f"daemon_{name}" for name in inside}
    assert root == {f"daemon/{name}" for name in names}


def test_arrows():
    wrong = []
    for name, text in sources().items():
        for quoted, _ in INCLUDE.findall(text):
            # What is made by the build stands in its directory.
            if quoted in ("", "config.h") or quoted.endswith(".pb-c.h"):
                continue
            if "/" not in quoted:
                wrong.append(f"{name} includes {quoted} without its folder")
            elif quoted not in sources():
                wrong.append(f"{name} includes {quoted}, which is not there")
            elif room_of(quoted) not in {"base", room_of(name), *MAY_INCLUDE[room_of(name)]}:
                wrong.append(f"{name} includes {quoted} of a folder that it must not know")
    assert not wrong, "\n".join(wrong)


def test_files_include_each_other_in_no_circle():
    edges = collections.defaultdict(set)
    for name, text in sources().items():
        for quoted, _ in INCLUDE.findall(text):
            if quoted in sources() and stem_of(quoted) != stem_of(name):
                edges[stem_of(name)].add(stem_of(quoted))
    assert not circles(edges)


DEFINED = re.compile(r"^([a-z_][^;={}#]*?\b(\w+))\([^;{}]*\)\n\{", re.MULTILINE)
STATIC = re.compile(r"^[^;={}#\n]*\bstatic\b[^;={}#]*?\b(\w+)\(", re.MULTILINE)
ATTRIBUTE_OR_TEXT = re.compile(r'__attribute__\(\((?:[^()]|\([^()]*\))*\)\)|"(?:\\.|[^"\\\n])*"')
USED = re.compile(r"(?<![.\w])(?<!->)(?<!struct )(?<!enum )[a-z]\w+\b")


def test_files_call_each_other_in_no_circle():
    code = {n: ATTRIBUTE_OR_TEXT.sub("", t) for n, t in sources().items() if n.endswith(".c")}
    owner = {}
    for name, text in code.items():
        for head, function in DEFINED.findall(text):
            if "static" not in head.split() and function != "main":
                assert owner.setdefault(function, name) == name, f"{function} is there twice"
    edges = {}
    for name, text in code.items():
        used = set(USED.findall(text)) - set(STATIC.findall(text))
        edges[name[:-2]] = {owner[u][:-2] for u in used if u in owner and owner[u] != name}
    assert sum(map(len, edges.values())) > 1000  # they were found
    assert not circles(edges)


def test_only_main_knows_the_daemon_as_a_whole():
    users = users_of(r'#\s*include\s*"daemon/daemon\.h"')
    assert users == {"daemon/daemon.c", "daemon/main.c"}


def test_only_the_spool_itself_sees_all_its_layers():
    users = users_of(r'#\s*include\s*"lib/spool/spool_state\.h"')
    assert users == {"lib/spool/spool.c"}


def users_of(pattern):
    return {name for name, text in sources().items() if re.search(pattern, text)}


def test_only_net_speaks_to_libcurl():
    assert {room_of(n) for n in users_of(r"#\s*include\s*<curl/")} == {"lib/net"}
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


def test_what_reads_traces_knows_no_library():
    for name, text in sources().items():
        if room_of(name).split("/")[0] == "trace":
            for _, system in INCLUDE.findall(text):
                assert not system.startswith(("curl", "systemd", "yaml", "jansson")), name
