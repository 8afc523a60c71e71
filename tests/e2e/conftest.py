# SPDX-License-Identifier: Apache-2.0
import importlib.util
import os
import pathlib
import signal
import subprocess
import tempfile

import pytest
from browser import Browser
from endpoint import Endpoint
from hostile import Server
from mockadmin import MockAdmin, World
from onpage import free_port, look
from programs import (  # noqa: F401
    gosum,
    mix,
    programs,
    table,
    textual,
    traced,
    traceevents,
)
from support import (
    BUILD,
    CONTRACED,
    GO_ENV,
    ROOT_LATER,
    SRC,
    Daemon,
    GoService,
    go_version,
    job,
    need,
)


def pytest_configure(config):
    """One word for all, in place of an error of each file."""
    about = "what a trace shows: the reader, its numbers, labels"
    config.addinivalue_line("markers", f"reading: {about}")
    wanted = ("azure", "botocore", "jsonschema", "kubernetes_validate", "yaml")
    missing = [name for name in wanted if not importlib.util.find_spec(name)]
    if missing:
        pytest.exit(
            f"no Python package {', '.join(missing)}: run scripts/test-tools python, then"
            " PATH=$(scripts/test-tools path):$PATH, or scripts/check e2e, which does both",
            returncode=2,
        )


ASKED_FOR_MORE = (
    "CONTRACE_CHAOS_SECONDS",
    "CONTRACE_HEALTHY_SECONDS",
    "CONTRACE_KILL_SWEEP",
    "FINDINGS_RUNS",
)
LIMIT = int(os.environ.get("CONTRACE_TEST_LIMIT") or 900)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs fails, and shows where; a limit that no test comes near to by itself."""

    def give_up(*_):
        signal.alarm(60)  # and what it leaves to its fixtures does not hang for ever, either
        pytest.fail(f"not at its end after {LIMIT} s (CONTRACE_TEST_LIMIT)")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(0 if any(map(os.environ.get, ASKED_FOR_MORE)) else LIMIT)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """An ordinary user's tests that need root are listed, and run as root by the check."""
    report = yield
    listed = os.environ.get("CONTRACE_ROOT_TESTS")
    if report.skipped and listed and ROOT_LATER in str(report.longrepr):
        with open(listed, "a", encoding="utf-8") as out:
            out.write(f"{item.nodeid}\n")
    return report


@pytest.fixture(scope="session")
def not_sanitized():
    """What the sanitizers put in the place of malloc is first of all, and does not return NULL."""
    symbols = subprocess.run(["nm", str(CONTRACED)], capture_output=True, text=True, check=False)
    if "__asan_init" in symbols.stdout:
        pytest.skip("nothing is preloaded into a build with sanitizers")


@pytest.fixture
def endpoint():
    """In a directory whose path is short."""
    with tempfile.TemporaryDirectory(prefix="contrace-") as directory:
        yield Endpoint(pathlib.Path(directory))


@pytest.fixture
def serve():
    """serve(behaviour, …) starts a scripted server that ends with the test."""
    servers = []

    def start(*args, **kwargs):
        servers.append(Server(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def daemon(tmp_path):
    """daemon(jobs, …) starts contraced in a directory of its own; it ends with the test."""
    daemons = []

    def start(*args, directory=None, **kwargs):
        daemons.append(Daemon(directory or tmp_path, *args, **kwargs))
        return daemons[-1]

    yield start
    for d in daemons:
        d.__exit__(True)


@pytest.fixture(scope="session")
def goservice_binary(tmp_path_factory):
    need(
        go_version() >= (1, 22),
        "no Go that has or fetches the reference toolchain to build the example service",
    )
    binary = tmp_path_factory.mktemp("goservice") / "goservice"
    subprocess.run(
        ["go", "build", "-trimpath", "-o", str(binary), "."],
        cwd=SRC / "examples/goservice", check=True, timeout=600,
        env={**os.environ, **GO_ENV, "CGO_ENABLED": "0"},
    )  # fmt: skip
    return binary


@pytest.fixture
def goservice(goservice_binary, tmp_path):
    """goservice(arguments…) runs the example service until the test ends."""
    running = []

    def start(*args, env=None):
        directory = tmp_path / f"service{len(running)}"
        directory.mkdir()
        running.append(GoService(goservice_binary, directory, *args, env=env))
        return running[-1]

    yield start
    for service in running:
        service.__exit__()


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as b:
        yield b


@pytest.fixture
def browser(window):
    """An empty tab of the size and theme that tests take for granted; no complaints are left."""
    look(window)
    window.go("about:blank")
    window.console()
    yield window
    window.go("about:blank")


@pytest.fixture
def mock():
    mocks = []

    def start(**kwargs):
        mocks.append(MockAdmin(World(**kwargs)))
        return mocks[-1]

    yield start
    for m in mocks:
        m.__exit__()


@pytest.fixture
def real(daemon, goservice, tmp_path):
    """real() starts contraced with an endpoint and the example service as a target."""

    def start(web=None, jobs=None, storage=None):
        port = free_port()
        jobs = jobs or [job("example", goservice().address)]
        web = {"listen_address": f"127.0.0.1:{port}", **(web or {})}
        inspect = {"command": str(BUILD / "contrace")}
        return daemon(jobs, storage, inspect=inspect, web=web), f"http://127.0.0.1:{port}/"

    return start
