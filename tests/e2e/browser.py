# SPDX-License-Identifier: Apache-2.0
"""A real browser: Debian's Chromium, headless, driven over ChromeDriver's HTTP (W3C WebDriver)."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import urllib.error
import urllib.request

from support import need_program, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-proxy-server", "--hide-scrollbars",
]  # fmt: skip


class Browser:
    """One window, a profile of its own, and a directory for what it downloads."""

    def __init__(self, directory, size=(1280, 800), dark=False, more=()):
        need_program("chromium", "chromium")
        need_program("chromedriver", "chromium-driver")
        self.directory = pathlib.Path(directory)
        self.downloads = self.directory / "downloads"
        self.downloads.mkdir(parents=True)
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        started = re.compile(r"started successfully on port (\d+)")
        port = next(found[1] for found in map(started.search, self.driver.stdout) if found)
        self.root = f"http://127.0.0.1:{port}"
        flags = [*FLAGS, f"--user-data-dir={self.directory / 'profile'}",
                 f"--window-size={size[0]},{size[1]}"]  # fmt: skip
        flags += more
        if dark:
            flags.append("--force-dark-mode")
        options = {
            "binary": shutil.which("chromium"), "args": flags,
            "prefs": {"download.default_directory": str(self.downloads)},
        }  # fmt: skip
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.base = ""
        try:
            reply = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        except BaseException:
            self.__exit__()
            raise
        self.base = f"/session/{reply['sessionId']}"
        self.call("POST", "/timeouts", {"script": 60000})

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            if self.base:
                self.call("DELETE", "", None)
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()

    def call(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(
            self.root + self.base + path, data, {"Content-Type": "application/json"}, method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as e:
            raise AssertionError(json.load(e)["value"]["message"]) from None

    def go(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *args):
        """The value that the body of a function returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def cdp(self, command, **params):
        """The Chrome DevTools protocol: what WebDriver has no word for."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click")

    def keys(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def text(self, selector="body"):
        return self.run(
            "const e = document.querySelector(arguments[0]); return e ? e.innerText : ''", selector
        )

    def wait_text(self, text, selector="body"):
        wait_until(f"{selector} says {text!r}", lambda: text in self.text(selector), interval=0.1)

    def console(self):
        """What was said on the console since the last call, of any level."""
        return self.call("POST", "/se/log", {"type": "browser"})

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("GET", "/screenshot")))
