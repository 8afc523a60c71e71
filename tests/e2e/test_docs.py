# SPDX-License-Identifier: Apache-2.0
"""What the documentation names is there: pages, headings, files, functions, constants and values."""

import os
import re
import subprocess

import pytest
from support import BUILD, SRC

DOCS = sorted(f"docs/{path.name}" for path in (SRC / "docs").glob("*.md"))
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "NEWS.md",
    "kubernetes/README.md",
    "go/flight/README.md",
    *DOCS,
]
MAP = "docs/ARCHITECTURE.md"
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = ("base", "lib", "trace", "daemon", "cli", "tests")


def read(page):
    return (SRC / page).read_text()


def prose(page):
    return FENCE.sub("", read(page))


# The landing page.


def rendered(text):
    """What a reader sees: no addresses of links, no fences, no rules of tables."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^```.*$|^\|[-|: ]+\|$", "", text, flags=re.MULTILINE)
    return re.sub(r"[|*#`]", " ", text)


def test_landing_page_is_short():
    assert len(rendered(read("README.md")).split()) <= 1200


def test_index_has_every_page():
    linked = {link.split("#")[0] for link in LINK.findall(prose("docs/README.md"))}
    pages = {page.removeprefix("docs/") for page in DOCS} - {"README.md"}
    assert pages <= linked


# Links.


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    words = re.sub(r"`|\*|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(page):
    return {slug(h) for h in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)}


def links(page):
    """Files of the tree that a page links to, each with its anchor or an empty string."""
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        yield target, anchor


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    wrong = []
    for target, anchor in links(page):
        if not (SRC / target).exists():
            wrong.append(f"{target} is not there")
        elif anchor and anchor not in anchors(target):
            wrong.append(f"{target} has no heading #{anchor}")
    assert not wrong


def test_installed_with_all_that_it_links_to(tmp_path):
    """`make install` has the landing page, all pages, and what they link to but for the source."""
    clean = {k: v for k, v in os.environ.items() if "MAKE" not in k and k != "MFLAGS"}
    subprocess.run(
        ["make", "-C", BUILD, "install-nobase_dist_docDATA", f"DESTDIR={tmp_path}"],
        check=True, capture_output=True, env=clean,
    )  # fmt: skip
    (readme,) = (path for path in tmp_path.rglob("README.md") if path.parent.name == "contrace")
    source = (*(f"{room}/" for room in CODE), "examples/", "systemd/")
    wanted = {*DOCS, "README.md"}
    for page in sorted(wanted):
        wanted |= {target for target, _ in links(page) if not target.startswith(source)}
    assert not [target for target in sorted(wanted) if not (readme.parent / target).exists()]


# Names.


def code_files():
    for top in CODE:
        for path in sorted((SRC / top).rglob("*")):
            if path.suffix in (".c", ".h", ".py", ".go", ".sh", ".html", ".css", ".js"):
                yield str(path.relative_to(SRC)), path.read_text(errors="replace")


@pytest.fixture(scope="module")
def code():
    return dict(code_files())


@pytest.fixture(scope="module")
def words(code):
    """Every word of the code, and its files; keys of the configuration and metrics are among them."""
    stems = {path.rsplit("/", 1)[1].split(".")[0] for path in code}
    return stems | {word for text in code.values() for word in re.findall(r"\w+", text)}


@pytest.fixture(scope="module")
def files():
    out = subprocess.run(
        ["find", ".", "-name", ".git", "-prune", "-o", "-name", "build", "-prune", "-o", "-print"],
        cwd=SRC, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [name.removeprefix("./") for name in out.splitlines()]


def spans(page):
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


NAME = re.compile(r"(?:struct |enum )?(\w*[a-z0-9]_\w+|[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:\(\))?$")
FILE = re.compile(r"[\w./-]+\.(?:c|h|py|sh|in|md|yaml|json|svg|png|html|proto)$")
# Files that are no part of the tree, and names that are not ours.
FOREIGN_FILES = re.compile(
    r"^/|^alertmanager|^notification|^bad\.yaml|^targets|^contraced\.yaml$|^INDEX\.md$"
)
FOREIGN = {
    "docs/CREDENTIALS.md": {"quota_project_id"},
    "docs/ERRORS.md": {"no_new_privs", "root_squash", "DD_PROFILING_EXECUTION_TRACE_ENABLED"},
    "docs/FINDINGS.md": {"epoll_wait", "nr_throttled"},
    "docs/OPERATIONS.md": {"container_cpu_cfs_throttled_periods_total"},
    "docs/PERFORMANCE.md": {"RWF_DONTCACHE"},
    "docs/TRIGGERS.md": {"go_gc_duration_seconds"},
    "docs/TRACES.md": {"process_cpu", "profiling_config"},
}


@pytest.mark.parametrize("page", [*DOCS, "CONTRIBUTING.md"])
def test_names_are_in_the_code(page, words):
    named = {m[1] for m in map(NAME.match, spans(page)) if m}
    unknown = {name for name in named if not {name, f"{name}_ns"} & words}
    unknown = {name for name in unknown if not name.endswith("_")}
    assert unknown <= FOREIGN.get(page, set()), unknown


@pytest.mark.parametrize("page", [*DOCS, "CONTRIBUTING.md"])
def test_files_are_there(page, files):
    named = {span for span in spans(page) if FILE.match(span) and not FOREIGN_FILES.match(span)}
    named = {name for name in named if "NAME" not in name}
    there = tuple(f"/{name}" for name in files)
    missing = [name for name in named if not any(t.endswith(f"/{name}") for t in there)]
    assert not missing


# The map of the code.


def tables(page):
    """The cells of each row of each table, and the headings of the table."""
    head = None
    for line in prose(page).splitlines():
        if not line.startswith("|"):
            head = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if head is None:
            head = cells
        elif not re.fullmatch(r"[-|: ]+", line):
            yield head, cells


def ticked(cell):
    return re.findall(r"`([^`]+)`", cell)


def rooms():
    for head, cells in tables(MAP):
        if head[:2] == ["folder", "files"]:
            (room,) = ticked(cells[0])
            yield room, cells[1]


def test_rooms_have_their_files(files, words):
    """A word of a room's row is a file there, a family of files, or at least a name in the code."""
    wrong = []
    for room, cell in rooms():
        for name in ticked(cell):
            if not re.fullmatch(r"\w+\*?", name):
                continue
            stem = re.compile(re.escape(room + name).replace(r"\*", r"\w*") + r"\.[ch]")
            if not any(stem.fullmatch(f) for f in files) and name not in words:
                wrong.append(f"{room}{name}")
    assert not wrong


def test_every_file_has_its_place_on_the_map(files):
    """So that the map stays one: a file of a room is named in its row."""
    wrong = []
    for room, cell in rooms():
        names = [n.removesuffix(".h").removesuffix(".c") for n in ticked(cell)]
        known = [re.compile(re.escape(n).replace(r"\*", r"\w*")) for n in names]
        for name in files:
            stem = re.fullmatch(re.escape(room) + r"(\w+)\.c", name)
            if stem and not any(k.fullmatch(stem[1]) for k in known):
                wrong.append(name)
    assert not wrong


def of_name(code, name):
    """The texts of the files of that name; a test's is not meant."""
    return [t for path, t in code.items() if path.endswith(f"/{name}") and path[:5] != "tests"]


def defines(text, name):
    """A function or constant is made in this file, not only used."""
    function = rf"^(?:static |const |unsigned |struct |enum )*\w+[ *]+(?:\w+ )*\**{name}\("
    return re.search(rf"{function}|^#define {name}\b|^\s+{name} = ", text, re.MULTILINE)


def test_functions_are_where_the_map_says(code):
    wrong = []
    seen = 0
    for head, cells in tables(MAP):
        if "function" not in head or "where" not in head:
            continue
        where = [n for n in ticked(cells[head.index("where")]) if n.endswith(".c")]
        for name in ticked(cells[head.index("function")]):
            seen += 1
            texts = [t for n in where for t in of_name(code, n)] if where else code.values()
            if not any(defines(t, name) for t in texts):
                wrong.append(f"{name} is not in {' or '.join(where) or 'the code'}")
    assert seen > 30
    assert not wrong


UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "s": 1, "": 1, "each": 1}


def value_of(code, name, where):
    """The number that a constant is defined as, or None."""
    texts = of_name(code, where) if where else code.values()
    for text in texts:
        found = re.search(rf"^#define {name} (.+)$|^\s+{name} = (.+?),", text, re.MULTILINE)
        if found:
            return number(code, re.sub(r"/\*.*", "", found[1] or found[2]))
    return None


def number(code, expression):
    expression = re.sub(r"\((?:size_t|uint64_t|usec|unsigned|int64_t)\)", "", expression)
    expression = re.sub(r"(?<=\d)(?:u?ll|ul|u|l)\b", "", expression, flags=re.IGNORECASE)
    expression = re.sub(r"USEC_PER_SEC|\bSEC\b|SECOND", "1", expression)
    for other in set(re.findall(r"[A-Z_]{3,}", expression)):
        value = value_of(code, other, None)
        if value is None:
            return None
        expression = re.sub(rf"\b{other}\b", str(value), expression)
    return eval(expression) if re.fullmatch(r"[\d\s()<+*/-]+", expression) else None


def values_of(cell):
    """ "64 KiB, 32 KiB" as numbers, as far as they are."""
    for part in re.split(r"[,;]", cell):
        found = re.match(r"\s*(?:at most )?(\d+) ?([KMG]iB|B|s|each|)\b", part)
        yield int(found[1]) * UNITS[found[2]] if found else None


def attributed(cell):
    """Constants of a cell, each with the file that is named behind it, or None."""
    found = []
    for name in ticked(cell):
        if name.endswith((".c", ".h")):
            found[-1] = (found[-1][0], name)
        else:
            found.append((name, None))
    return found


def test_constants_are_what_the_map_says(code):
    wrong = []
    compared = 0
    for head, cells in tables(MAP):
        if head != ["what", "constant", "value"]:
            continue
        constants = attributed(cells[1])
        values = list(values_of(cells[2]))
        for name, where in constants:
            if where and not any(defines(text, name) for text in of_name(code, where)):
                wrong.append(f"{name} is not in {where}")
        if len(constants) not in (1, len(values)):
            continue
        for (name, where), value in zip(constants, values, strict=False):
            real = value_of(code, name, where)
            compared += value is not None and real is not None
            if value is not None and real is not None and value != real:
                wrong.append(f"{name} is {real}, not {value}")
    assert not wrong
    assert compared > 30


def test_events_of_the_log():
    """LOGS.md has every MESSAGE_ID."""
    ids = re.findall(r'#define MESSAGE_ID_\w+ "(\w+)"', read("base/log.h"))
    text = read("docs/LOGS.md")
    assert len(ids) > 10
    assert not [i for i in ids if f"`…{i[-4:]}`" not in text and f"`{i}`" not in text]
