# SPDX-License-Identifier: Apache-2.0
"""Prometheus's own judge of metrics, rules and expressions, and a scrape of a daemon's endpoint.

Programs on the PATH are taken, else those in Debian's packages, which are unpacked once and kept under
~/.cache/contrace; nothing is installed.
"""

import functools
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

from support import need

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def _download(name, directory):
    """promtool is a package of its own from Debian 13 on, and part of prometheus before."""
    for attempt in range(2):
        for package in name, "prometheus":
            done = subprocess.run(
                ["apt-get", "download", "-q", package],
                cwd=directory, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            if done.returncode == 0:
                return next(directory.glob(f"{package}_*.deb"))
        if attempt == 0:  # perhaps there are no lists yet
            subprocess.run(
                ["apt-get", "update", "-q"], capture_output=True, check=False, timeout=300
            )
    need(False, f"no {name} on the PATH (Debian: prometheus), and it cannot be downloaded")


@functools.cache
def program(name):
    """The path of promtool or prometheus; skips the test where it cannot be had."""
    found = shutil.which(name)
    if found:
        return found
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    kept = caches / "contrace" / "prometheus-debian" / name
    if not kept.exists():
        need(shutil.which("apt-get"), f"no {name} on the PATH")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            scratch = pathlib.Path(scratch)
            package = _download(name, scratch)
            subprocess.run(["dpkg", "-x", str(package), str(scratch / "tree")], check=True)
            (scratch / "tree/usr/bin" / name).rename(kept)
    return str(kept)


def run(*args, text=None):
    """promtool's exit status and all that it says."""
    done = subprocess.run(
        [program("promtool"), *map(str, args)], input=text, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class Family:
    def __init__(self, name, kind, help_text):
        self.name, self.type, self.help = name, kind, help_text
        self.samples = {}  # (name, ((label, value), …)) → number

    def labels(self):
        """The names of all labels but those that the type brings."""
        return {l for _, labels in self.samples for l, _ in labels} - {"le"}


def parse(text):
    """The families of a scrape by name. Strict in what this format needs."""
    families, family = {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, help_text = line[7:].split(" ", 1)
            assert name not in families, f"{name} is there twice"
            family = families[name] = Family(name, None, help_text)
        elif line.startswith("# TYPE "):
            name, family.type = line[7:].split(" ")
            assert name == family.name
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            key = name, tuple(LABEL.findall(labels or ""))
            rest = name.removeprefix(family.name)
            assert rest == "" or (family.type == "histogram" and rest in SUFFIXES), line
            assert key not in family.samples, f"{line} is there twice"
            family.samples[key] = float(value)
    return families


SUFFIXES = ("_bucket", "_sum", "_count")


class Scrape:
    def __init__(self, path):
        connection = _UnixConnection(path)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        self.text = answer.read().decode()
        self.status, self.type = answer.status, answer.getheader("Content-Type")
        connection.close()
        assert self.status == 200, self.text
        self.families = parse(self.text)

    def __call__(self, name, **labels):
        """The number of one series."""
        family = self.families.get(name)
        if not family:
            for suffix in SUFFIXES:
                family = family or self.families.get(name.removesuffix(suffix))
        wanted = set(labels.items())
        found = [v for (n, l), v in family.samples.items() if n == name and set(l) == wanted]
        assert len(found) == 1, f"{len(found)} of {name}{labels}"
        return found[0]
