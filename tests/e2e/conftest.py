# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

import pytest
from hostile import Server
from support import GO_ENV, SRC, Daemon, GoService, go_version, need


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
    need(go_version() >= (1, 22), "no Go 1.22 or newer on the PATH to build the example service")
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
