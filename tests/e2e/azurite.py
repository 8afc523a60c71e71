# SPDX-License-Identifier: Apache-2.0
"""Azure's own emulator of the Blob service, which verifies signatures, and with oauth=True what tokens
say, over TLS alone: Azurite, in memory.

One on the PATH is taken, else its npm package is installed once and kept under ~/.cache/contrace.
"""

import shutil
import subprocess

import storefaults
from listening import Listening
from support import alone_in_cache, need

VERSION = "3.37.0"

# Published: the same for all emulators.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def binary():
    """The path of azurite-blob; skips the test where it cannot be had."""
    found = shutil.which("azurite-blob")
    if found:
        return found
    with alone_in_cache(f"azurite-{VERSION}") as directory:
        return installed(directory)


def installed(directory):
    program = directory / "node_modules" / ".bin" / "azurite-blob"
    if program.exists():
        return str(program)
    if not shutil.which("npm"):
        need(False, "no azurite-blob on the PATH, and no npm to install it with")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--omit=dev", f"azurite@{VERSION}"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not program.exists():
        shutil.rmtree(directory, ignore_errors=True)
        need(False, f"azurite cannot be installed by npm: {done.stderr.strip()[-300:]}")
    return str(program)


class Azurite(Listening):
    """The Blob service on a loopback port."""

    def __init__(self, directory, oauth=False):
        super().__init__("Azurite")
        program = binary()
        more = []
        self.authority = None  # the file of the CA
        if oauth:
            authority = storefaults.Authority(directory)
            authority.context("azurite")
            self.authority = authority.file
            more = ["--oauth", "basic", "--cert", directory / "azurite.pem",
                    "--key", directory / "azurite.key"]  # fmt: skip
        self.start(
            [program, "--inMemoryPersistence", "--silent", "--disableTelemetry",
             "--blobHost", "127.0.0.1", "--blobPort", str(self.port), *more],
            log=directory / "azurite.log", cwd=directory,
        )  # fmt: skip
