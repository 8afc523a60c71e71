# SPDX-License-Identifier: Apache-2.0
"""A real S3 server that verifies signatures: versitygw, over a directory.

One on the PATH is taken, else its Go module is built once and kept under ~/.cache/contrace.
"""

import os
import shutil
import subprocess

from listening import Listening
from support import GO_ENV, alone_in_cache, go_version, need

MODULE = "github.com/versity/versitygw/cmd/versitygw"
VERSION = "v1.8.0"

ACCESS_KEY = "contrace-test"
SECRET_KEY = "not/a+secret=that-matters"
REGION = "eu-test-1"


def binary():
    """The path of versitygw; skips the test where it cannot be had."""
    found = shutil.which("versitygw")
    if found:
        return found
    with alone_in_cache(f"versitygw-{VERSION}") as directory:
        return built(directory)


def built(directory):
    program = directory / "versitygw"
    if program.exists():
        return str(program)
    need(
        go_version() >= (1, 22),
        "no Go that has or fetches the reference toolchain to build versitygw",
    )
    # Its module may ask for a newer Go than the one that is here: that is fetched.
    env = {**os.environ, **GO_ENV, "GOBIN": str(directory), "GOTOOLCHAIN": "auto"}
    done = subprocess.run(
        ["go", "install", f"{MODULE}@{VERSION}"],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    need(
        done.returncode == 0,
        "versitygw cannot be built: " + (done.stderr.strip().splitlines() or ["go failed"])[-1],
    )
    return str(program)


class S3Server(Listening):
    """versitygw on a loopback port. `root` holds a directory for each bucket."""

    def __init__(self, directory, region=REGION):
        super().__init__("the S3 server")
        program = binary()
        self.root = directory / "s3"
        self.root.mkdir()
        self.start(
            [program, "--quiet", "--keep-alive", "--port", self.host, "--access", ACCESS_KEY, "--secret",
             SECRET_KEY, "--region", region, "posix", str(self.root)],
            log=directory / "s3.log",
        )  # fmt: skip
