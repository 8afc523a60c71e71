# SPDX-License-Identifier: Apache-2.0
"""The status page in a browser: what its tests share, beside the fixtures of conftest.py."""

import socket

from support import wait_until


def look(browser, width=1280, height=800, scheme="light"):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                deviceScaleFactor=1, mobile=False)  # fmt: skip
    browser.cdp("Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip


def drawn(browser):
    """Waits until what there is has been drawn; how many captures that are."""
    return int(wait_until("the page is drawn",
                          lambda: browser.run("return document.body.dataset.drawn")))  # fmt: skip


def opened(browser, url):
    browser.go(url)
    return drawn(browser)


def complaints(browser):
    """Errors, and breaches of the policy, on the console."""
    return [x for x in browser.console() if x["level"] in ("SEVERE", "WARNING")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
