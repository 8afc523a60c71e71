# SPDX-License-Identifier: Apache-2.0
"""A store asked as contraced asks it, by the program tests/support/store."""

import os
import subprocess

from support import BUILD

STORE = BUILD / "tests" / "support" / "store"
ENDS = ["done", "retry", "parked", "refused", "changed", "missing", "local"]
# Credentials of whoever runs the tests have no business here.
FOREIGN = ("AWS_", "GOOGLE_", "GCE_", "CLOUDSDK_", "AZURE_", "IDENTITY_", "MSI_")


class Answer:
    def __init__(self, process):
        self.listed = [line.split(" ", 2)[2] for line in process.stdout.splitlines()]
        words = process.stderr.splitlines()[-1].split(" ", 4)
        assert process.returncode < len(ENDS), process.stderr
        self.end, size, sha256, pause, self.text = words
        assert self.end == ENDS[process.returncode]
        self.size, self.sha256, self.pause = int(size), sha256, int(pause)


def ask(section, *words, env=()):
    """store.ask({"url": …}, "put", path, key, "sha256=…")"""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    process = subprocess.run(
        [STORE, *(f"{name}={value}" for name, value in section.items()), *map(str, words)],
        capture_output=True, text=True, timeout=120, check=False, env={**clean, "HOME": "/nonexistent", **dict(env)},
    )  # fmt: skip
    return Answer(process)


def secret(path, text):
    """A file that only its owner may read. Its path."""
    path.write_text(text)
    path.chmod(0o600)
    return path
