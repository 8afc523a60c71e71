# SPDX-License-Identifier: Apache-2.0
"""Firefox, headless, driven over Marionette, the protocol that it speaks by itself: what of browser.py
the tests of the page need."""

import base64
import itertools
import json
import pathlib
import re
import socket
import subprocess

from listening import free_ports
from support import need_program, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Firefox:
    """One window, with a profile of its own."""

    def __init__(self, directory, size=(1280, 800), dark=False):
        need_program("firefox-esr", "firefox-esr")
        self.directory = pathlib.Path(directory)
        self.downloads = self.directory / "downloads"
        profile = self.directory / "profile"
        for path in (self.downloads, profile):
            path.mkdir(parents=True)
        (port,) = free_ports(1)
        prefs = {
            "marionette.port": port, "ui.systemUsesDarkTheme": int(dark), "browser.download.folderList": 2,
            "browser.download.dir": str(self.downloads), "app.update.auto": False,
            "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
            "network.captive-portal-service.enabled": False, "layout.css.prefers-color-scheme.content-override": 0 if dark else 1,
        }  # fmt: skip
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in prefs.items())
        (profile / "user.js").write_text("".join(lines))
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(profile),
             f"--width={size[0]}", f"--height={size[1]}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": str(self.directory), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1"},
        )  # fmt: skip
        self.numbers, self.socket, self.rest = itertools.count(1), None, b""
        try:
            self.socket = wait_until("Firefox listens", lambda: self.connect(port), interval=0.1)
            self.socket.settimeout(120)
            self.receive()
            self.call("WebDriver:NewSession", {"strictFileInteractability": False})
            self.call("WebDriver:SetTimeouts", {"script": 60000})
            self.call("WebDriver:SetWindowRect", {"width": size[0], "height": size[1]})
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.socket:
            self.socket.close()
        self.process.kill()
        self.process.wait()

    @staticmethod
    def connect(port):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            return None

    def receive(self):
        """A message: its length, a colon, JSON."""
        while not (found := re.match(rb"(\d+):", self.rest)):
            self.rest += self.read()
        end = found.end() + int(found[1])
        while len(self.rest) < end:
            self.rest += self.read()
        message, self.rest = self.rest[found.end() : end], self.rest[end:]
        return json.loads(message)

    def read(self):
        data = self.socket.recv(1 << 16)
        assert data, "Firefox has gone"
        return data

    def call(self, command, parameters=None):
        data = json.dumps([0, next(self.numbers), command, parameters or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(data), data))
        _, _, error, result = self.receive()
        assert error is None, error["message"]
        return result.get("value", result) if isinstance(result, dict) else result

    def go(self, url):
        self.call("WebDriver:Navigate", {"url": url})

    def run(self, script, *args):
        """The value that the body of a function returns."""
        return self.call("WebDriver:ExecuteScript",
                         {"script": script, "args": list(args), "sandbox": None})  # fmt: skip

    def find(self, selector):
        found = self.call("WebDriver:FindElement", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        self.call("WebDriver:ElementClick", {"id": self.find(selector)})

    def keys(self, selector, text):
        self.call("WebDriver:ElementSendKeys", {"id": self.find(selector), "text": text})

    def text(self, selector="body"):
        return self.run(
            "const e = document.querySelector(arguments[0]); return e ? e.innerText : ''", selector
        )

    def wait_text(self, text, selector="body"):
        wait_until(f"{selector} says {text!r}", lambda: text in self.text(selector), interval=0.1)

    def screenshot(self, path):
        shot = self.call("WebDriver:TakeScreenshot", {"full": False})
        pathlib.Path(path).write_bytes(base64.b64decode(shot))
