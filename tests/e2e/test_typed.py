# SPDX-License-Identifier: Apache-2.0
"""Every command of README.md and docs/ that a user would type works as it stands, in order.

CONTRACE_SAMPLES=write puts what was really printed in the place of the samples in the pages;
scripts/samples does that.
"""

import os
import subprocess

import pytest
from gotools import build
from support import BUILD, REFERENCE, SRC, need, need_program, need_root, run
from test_package import copy_source
from typed import TYPED, blocks, commands, compare, rewrite, session

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (SRC / "docs").glob("*.md"))]
WRITE = os.environ.get("CONTRACE_SAMPLES") == "write"

# Blocks that are typed and not run here, by the line that they begin with, and why.
ELSEWHERE = {
    "scripts/check": "it runs this test",
    "sudo apt build-dep ./": "test_package.py builds the packages and installs them",
    '$ echo \'[{"targets"': "test_package.py does it, where the packages are installed",
    "autoreconf -fi": "scripts/check does it before this test, and test_systemd.py installs",
    "mkdir -p build/fuzz": "it builds for minutes; the seeds are replayed by `make check`",
    "sudo contraced --check-config": "test_systemd.py does it, under a real systemd",
    "$ systemctl status contraced": "test_systemd.py does it, under a real systemd",
    "sudo contraced --check-config\nsudo systemctl restart": "test_systemd.py does it",
    "sudo env AWS_CONFIG_FILE": "test_systemd.py does it, before a store and an STS",
    "journalctl -u contraced -p warning": "test_systemd.py does it, under a real systemd",
    "$ contrace check --fail-if": "test_compare.py types it where such traces are",
    "$ contrace diff before": "test_compare.py types it",
    "contrace diff \\\n": "test_compare.py types it",
    "contrace diff a.trace": "test_compare.py types it",
    "contrace pull --last=20": "test_tasks.py looks in many files; TRACES.md types such a pull",
    "$ contrace explain shop/vm/": "test_explain.py asks for a key of its own",
    "$ GODEBUG=schedtrace=1000": "test_schedtrace.py follows such a pipe",
    "$ contrace advise": "test_advise.py asks for advice where it is known",
    "openssl rand": "test_anonymise.py makes copies with one key",
    "$ contrace fleet": "test_fleet.py asks every question, and test_rows.py a store",
    "$ contrace rows": "test_rows.py makes rows again, and looks for them in a store",
    "make bench": "it takes ten minutes, and a quiet machine",
    "GOTOOLCHAIN=": "it fetches a toolchain, and no test asks the network",
    "$ curl -H 'Content-Type: application/json' localhost:7465/api/v1/alerts": "test_alerts.py",
}


def where_else(block):
    return next((why for start, why in ELSEWHERE.items() if block.text.startswith(start)), None)


def typed_here(page):
    chosen = [b for b in blocks(page) if b.language in TYPED and not where_else(b)]
    return [c for b in chosen for c in commands(b)]


def test_every_block_says_what_it_is():
    nameless = [b.name() for page in PAGES for b in blocks(page) if not b.language]
    assert not nameless, "no language: " + ", ".join(nameless)


def test_nothing_is_left_out_without_need():
    """A reason goes with its block."""
    starts = [b.text for page in PAGES for b in blocks(page) if b.language in TYPED]
    unused = [s for s in ELSEWHERE if not any(text.startswith(s) for text in starts)]
    assert not unused


@pytest.fixture(scope="module")
def away():
    """The words that run a program where its ports and its /var are its own."""
    need_program("unshare", "util-linux")
    words = [
        "unshare",
        "--net",
        "--uts",
        "--mount",
        "--kill-child",
        "--fork",
        "--pid",
        "--mount-proc",
    ]
    if os.geteuid() != 0:
        words.insert(1, "--map-root-user")
    words += [
        "sh",
        "-euc",
        'ip link set lo up; hostname web-1; mount -t tmpfs tmpfs /run; exec "$@"',
        "sh",
    ]
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:  # not every machine lets ordinary users make name spaces
        need_root()
    need(tried.returncode == 0, f"no name space of its own: {tried.stderr.strip()}")
    return words


@pytest.fixture
def clone(tmp_path):
    """The tree as a user has it, and a home."""
    need_program("git", "git")
    need((SRC / ".git").exists(), "a clone needs a git checkout")
    copy_source(tmp_path / "contrace")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.curlrc").write_text("silent\nshow-error\n")  # as on a terminal
    return tmp_path


def type_page(page, clone, away, path=None):
    """What its commands printed."""
    wanted = typed_here(page)
    cache = subprocess.run(
        ["go", "env", "GOCACHE", "GOMODCACHE"], capture_output=True, text=True, check=True
    ).stdout.split()
    env = {
        **os.environ, "HOME": str(clone / "home"), "GOCACHE": cache[0], "GOMODCACHE": cache[1],
        "GOPROXY": "off", "GOTOOLCHAIN": REFERENCE, "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    for name in ("CONTRACE_SRC_DIR", "CONTRACE_BUILD_DIR", "MAKEFLAGS", "MAKELEVEL"):
        env.pop(name, None)
    if path:
        env["PATH"] = f"{path}:{env['PATH']}"
    said, status = session(wanted, away, cwd=clone / "contrace", env=env, timeout=900)
    assert status == 0, f"{page}: exit {status}: {wanted[len(said) - 1].text}{said[-1]}"
    return list(zip(wanted, said, strict=True))


def run_page(page, clone, away, path=None):
    samples = []
    for command, text in type_page(page, clone, away, path):
        text = as_on_the_page(text, clone)
        lines, missing = compare(command.sample, text)
        assert missing is None, (
            f"{page}: `{command.text.strip()}` prints no\n{missing}\nbut\n{text}"
        )
        samples.append((command, lines))
    if WRITE:
        rewrite(page, samples)


def as_on_the_page(text, clone):
    """Where it was run is nobody's business."""
    text = text.replace(str(clone / "home"), "/home/alice").replace(str(clone / "contrace"), "…")
    return text


def test_readme(clone, away):
    run_page("README.md", clone, away)


@pytest.mark.parametrize(
    ("users", "fetched", "said"),
    [
        ("1.26.3", None, "open it with: go tool trace '"),
        ("1.27rc1", None, "open it with: go tool trace '"),
        ("1.24.1", None, "open it with: GOTOOLCHAIN=go1.26.0 go tool trace '"),
        ("1.19.8", None, "https://go.dev/dl"),
        (None, None, "this takes Go 1.26 or newer, which is not installed here"),
        ("1.19.8", "1.26.8", "go' tool trace '"),
        (None, "1.26.8", "go' tool trace '"),
    ],
)
def test_quickstart_says_which_go_opens_a_trace(tmp_path, users, fetched, said):
    trace = tmp_path / "a.trace"
    trace.write_bytes(b"go 1.26 trace\0\0\0")
    for place, version in (("path", users), ("build", fetched)):
        (tmp_path / place).mkdir()
        go = tmp_path / place / "go"
        go.write_text(f"#!/bin/sh\necho go{version}\n" if version else "#!/bin/sh\nexit 127\n")
        go.chmod(0o755)
    text = (SRC / "scripts/quickstart").read_text()
    functions = text[text.index("\nat_least()") : text.index("\n# Output of a build")]
    script = f"{functions}\nbuild={tmp_path}/build users_path={tmp_path}/path:$PATH\nopener {trace}"
    out = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, check=True
    ).stdout
    assert said in out


ON_TRACES = {  # what is asked of the reader's own traces and profiles, and as which files
    "docs/ANONYMISE.md": ("checkout.trace", "checkout.mutex.pb.gz"),
    "docs/BLOCKERS.md": (),
    "docs/GOROUTINES.md": (),
    "docs/TASKS.md": ("shop.trace",),
    "docs/TIMELINE.md": ("throttled.trace", "checkout.trace"),
}


@pytest.mark.parametrize("page", ON_TRACES)
def test_on_traces(page, clone, away, tmp_path):
    """The samples are of other traces: so each command says what its sample begins with."""
    path = clone / "bin"
    path.mkdir()
    for name in ("contrace", "contrace-remote"):
        (path / name).symlink_to(BUILD / name)
    if ON_TRACES[page]:
        build(SRC / "tests/support/spans", tmp_path / "spans")
        trace = subprocess.run([tmp_path / "spans"], stdout=subprocess.PIPE, check=True).stdout
        (tmp_path / "spans.trace").write_bytes(trace)
        for name in ON_TRACES[page]:
            file = clone / "contrace" / name
            if name.endswith(".trace"):
                file.write_bytes(trace)
            else:
                run(path / "contrace", "pprof", "--sync", "-o", file, tmp_path / "spans.trace")
    for command, text in type_page(page, clone, away, path):
        for line in command.sample[:1]:
            assert line in text.splitlines(), command.text


BESIDE = ("docs/API.md", "docs/STEERING.md", "docs/TRACES.md", "docs/UPLOADS.md")


@pytest.fixture
def beside(clone, away, goservice_binary):
    """A service on port 6060 with contraced beside it, as the pages take for granted."""
    bin_directory = clone / "bin"
    bin_directory.mkdir()
    for name in ("contraced", "contrace", "contrace-remote"):
        (bin_directory / name).symlink_to(BUILD / name)
    start = clone / "beside"
    start.write_text(
        "mount -t tmpfs tmpfs /var/lib; mkdir /run/contrace\n"
        f"{goservice_binary} -listen 127.0.0.1:6060 >/dev/null 2>&1 &\n"
        'sleep 1; contraced -t checkout=http://127.0.0.1:6060 >"$HOME/log" 2>&1 &\n'
        'for _ in $(seq 300); do grep -q captured "$HOME/log" && break; sleep 0.1; done\n'
        'sleep 1; exec "$@"\n'
    )
    return [*away, "sh", "-eu", str(start)], bin_directory


@pytest.mark.parametrize("page", BESIDE)
def test_beside_a_service(page, clone, beside):
    shell, path = beside
    run_page(page, clone, shell, path)


def test_every_page_is_run():
    pages = {page for page in PAGES if typed_here(page)}
    assert pages == {"README.md", *BESIDE, *ON_TRACES}
