# SPDX-License-Identifier: Apache-2.0
"""axe-core, which looks for what keeps people out of a page: its npm package, installed once and kept
under ~/.cache/contrace."""

import shutil
import subprocess

from support import alone_in_cache, need

VERSION = "4.14.1"

RUN = """
    const found = await axe.run(document, {resultTypes: ['violations']});
    return found.violations.map((v) => [v.id, v.help, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120))]);
"""


def script():
    """Its source; skips the test where it cannot be had."""
    with alone_in_cache(f"axe-core-{VERSION}") as directory:
        return installed(directory).read_text()


def installed(directory):
    path = directory / "node_modules/axe-core/axe.min.js"
    if path.exists():
        return path
    need(shutil.which("npm"), "no npm to install axe-core with")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"axe-core@{VERSION}"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not path.exists():
        shutil.rmtree(directory, ignore_errors=True)
        need(False, f"axe-core cannot be installed by npm: {done.stderr.strip()[-300:]}")
    return path


def violations(browser):
    """What it finds on the page that is shown: rule, words and elements."""
    browser.run(script())
    return browser.run(f"return (async () => {{ {RUN} }})()")
