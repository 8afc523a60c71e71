# SPDX-License-Identifier: Apache-2.0
"""What the status page shows of one capture: its time line, its slowest, what is unusual, its
incident, and the ways out of the page."""

import gzip
import http.server
import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import axe
import pytest
from browser import Browser
from firefox import Firefox
from onpage import complaints, look, opened
from storefaults import Authority
from support import BUILD, SRC, wait_until

CONTRACE = BUILD / "contrace"
TIMELINE = "dialog .moments"
# How many pixels of the panel's time line are drawn, of each lane.
LANE_INK = """
    const c = document.querySelector('dialog .moments'), scale = window.devicePixelRatio;
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    const count = ([top, height]) => {
        let n = 0;
        for (let y = top * scale; y < (top + height) * scale; y++)
            for (let x = 70 * scale; x < c.width - 10 * scale; x++) n += d[(y * c.width + x) * 4 + 3] > 200;
        return n;
    };
    return {marks: count([0, 20]), run: count([26, 54]), wait: count([88, 34]), gc: count([130, 9])};
"""


def panel(browser, m):
    opened(browser, m.url)
    browser.click(".row .chip")
    browser.wait_text("sha256", "dialog")


def readout(browser):
    return browser.text("dialog .readout")


def test_time_line(browser, mock):
    """It is drawn, tells what it points at, and goes by keyboard."""
    panel(browser, mock(targets=1, captures=3))
    wait_until(
        "it is drawn", lambda: browser.run("return document.querySelector('dialog .moments')")
    )
    ink = browser.run(LANE_INK)
    assert all(n > 20 for n in ink.values()), ink
    for word in ("run on a P", "collector marks", "world stopped", "frozen"):
        assert word in browser.text("dialog .key")
    browser.run(f"document.querySelector('{TIMELINE}').focus()")
    browser.keys(TIMELINE, "\ue011")  # Home
    assert readout(browser).startswith("0 ns: 1 of 4 Ps run"), readout(browser)
    browser.keys(TIMELINE, "\ue014" * 2)  # right, twice
    assert readout(browser).startswith("20 ms: 3 of 4 Ps run"), readout(browser)
    said = browser.run(f"return document.querySelector('{TIMELINE}').ariaValueText")
    assert said == readout(browser)
    browser.keys(TIMELINE, "\ue00e" * 8)  # by ten, and not to another capture
    assert "GC marks 100 %" in readout(browser), readout(browser)
    assert complaints(browser) == []


def test_slowest(browser, mock):
    """Each is in the list and on the time line; either chooses it."""
    panel(browser, mock(targets=1, captures=3))
    wait_until("it is drawn", lambda: browser.text("dialog .key"))
    rows = browser.run(
        "return [...document.querySelectorAll('.slowest li')].map((e) => e.innerText)"
    )
    assert len(rows) == 2, "0.9 µs is not slow"
    assert (
        "312 ms" in rows[0]
        and "task “pay”" in rows[0]
        and "network 280 ms, sync 20 ms, running 12 ms" in rows[0]
    )
    assert "wait for a lock" in rows[1] and "main.(*ledger).balance, ills/lock.go:23" in rows[1]
    pressed = "return [...document.querySelectorAll('.slow')].map((e) => e.ariaPressed)"
    browser.keys(".slow", "\ue007")  # Enter
    assert browser.run(pressed) == ["true", "false"]
    assert readout(browser).startswith("task “pay”: 312 ms from 400 ms on")
    # A click on the other's mark, which begins at 900 of 2000 ms.
    browser.run("document.querySelector('.sheet').parentElement.scrollTop = 0")
    browser.cdp(
        "Runtime.evaluate", expression="document.querySelector('.moments').scrollIntoView()"
    )
    left, top, width = browser.run(
        f"const b = document.querySelector('{TIMELINE}').getBoundingClientRect(); return [b.left, b.top, b.width]"
    )
    at = {"x": left + 62 + (width - 70) * 0.455, "y": top + 4, "button": "left", "clickCount": 1}
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.cdp("Input.dispatchMouseEvent", type=kind, **at)
    assert browser.run(pressed) == ["false", "true"]
    assert complaints(browser) == []


def test_no_view(browser, mock):
    """What cannot be made is said, with the reason, and the rest is there."""
    m = mock(targets=1, captures=3)
    m.world.views["timeline"] = "no view `timeline`: the trace <b>cannot</b> be read"
    m.world.views["sched"] = "no view `sched`: it took too long"
    panel(browser, m)
    browser.wait_text("No time line: no view `timeline`: the trace <b>cannot</b> be read", "dialog")
    assert "Slowest" in browser.text("dialog") and "sha256" in browser.text("dialog")
    browser.run(
        "[...document.querySelectorAll('dialog button')].find((b) => b.textContent === 'sched').click()"
    )
    browser.wait_text("it took too long", "dialog #notes")


def test_usual(browser, mock):
    m = mock(targets=1, captures=30)
    for i, c in enumerate(m.world.captures):
        c["label"] = "lock-contention" if i == 0 else "healthy"
    m.world.refresh(m.world.targets[0])
    panel(browser, m)
    browser.wait_text("The 20 captures of web-1 before this one: mostly healthy (20).", "dialog")
    assert "goroutines\t80\t1\u202f200\t↑ 12.2" in browser.text("dialog table")
    asked = [p for _, p, _ in m.world.asked if p.endswith(".json")]
    assert len(asked) == 21


def test_incident(browser, mock):
    """What else belongs to it can be had, and its other traces looked at."""
    m = mock(targets=1, captures=4)
    first, second = m.world.captures[1], m.world.captures[0]
    for c in (first, second):
        c["incident"] = first["key"].removesuffix(".trace")
    for c in m.world.captures:
        c["artifact"] = "trace"
    panel(browser, m)
    browser.wait_text("(this one)", "dialog")
    hrefs = "return [...document.querySelectorAll('dialog .artifacts a')].map((a) => a.getAttribute('href'))"
    assert browser.run(hrefs) == [f"/api/v1/captures/{c['key']}" for c in (first, second)]
    browser.click("dialog .artifacts button")
    browser.wait_text(f"contrace explain {first['key'].replace('/', '-')}", "dialog")
    assert complaints(browser) == []


@pytest.mark.parametrize(
    ("back", "pressed"), [(1800, "1h"), (9000, "6h"), (70000, "24h"), (300000, "24h")]
)
def test_first_range(browser, mock, back, pressed):
    """It is that of what is kept, up to a day; a choice stays."""
    m = mock(targets=1, captures=10, interval=back / 10)
    shown = "return document.querySelector('.ranges [aria-pressed=true]').textContent"
    opened(browser, m.url)
    assert browser.run(shown) == pressed
    opened(browser, m.url + "?again#range=7d")
    assert browser.run(shown) == "7d"


def test_plot(browser, mock):
    """What the label rests on, in the place of the latency."""
    m = mock(targets=1, captures=20)
    for i, c in enumerate(m.world.captures):
        c.update(severity=40.0 if i < 10 else 0, scheduler_latency_p99_seconds=56e-6)
    low = """
        const c = document.querySelector('.row canvas'), d = c.getContext('2d').getImageData(60, 54, c.width - 60, 5).data;
        let n = 0;
        for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
        return n;
    """
    opened(browser, m.url)
    latency = browser.run(low)
    browser.run(
        "const s = document.getElementById('plot'); s.value = 'lost'; s.dispatchEvent(new Event('change'))"
    )
    wait_until("what lost nothing is drawn lowest", lambda: browser.run(low) > latency + 20)
    assert "plot=lost" in browser.run("return location.hash")
    assert "lost to it in each second" in browser.text(".foot")
    browser.keys(".row canvas", "\ue010")
    assert "lost 40 s/s" in browser.text("#tip")


def test_flag_of_a_rule(browser, mock):
    m = mock(targets=1, captures=10)
    target = m.world.targets[0]
    m.world.triggers = [{
        "rule": "slow", "state": "fired", "service": target["service"], "target": target["target"],
        "address": target["address"], "text": "share: 3.2 %", "over": 2, "for": 2, "incident": None,
        "fired": m.world.captures[3]["start"], "poll": None}]  # fmt: skip
    opened(browser, m.url)
    box = browser.run(
        "const b = document.querySelector('.row canvas').getBoundingClientRect(); return [b.left, b.top, b.width]"
    )
    told = []
    for x in range(50, int(box[2]), 4):
        browser.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + x, y=box[1] + 30)
        told.append(browser.text("#tip"))
    assert any("rule slow fired: share: 3.2 %" in t for t in told)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_axe(browser, mock, width, scheme):
    """It finds nothing, with and without the panel, with 10,000 captures, on a phone's width."""
    look(browser, width=width, scheme=scheme)
    m = mock(targets=12, captures=10000)
    m.world.causes = [{"cause": "api", "since": m.world.captures[0]["start"], "text": ""}]
    m.world.captures[0]["incident"] = m.world.captures[0]["key"].removesuffix(".trace")
    opened(browser, m.url)
    assert axe.violations(browser) == []
    browser.click(".row .chip")
    browser.wait_text("sha256", "dialog")
    browser.wait_text("before this one", "dialog")
    assert axe.violations(browser) == []
    wide = browser.run("return document.querySelector('dialog').scrollWidth")
    assert wide <= width


def test_by_keyboard(browser, mock):
    """From the row to a chosen mark and back, with no pointer."""
    opened(browser, mock(targets=1, captures=5).url + "#range=6h")
    browser.keys(".row canvas", "\ue010\ue007")  # End, Enter
    wait_until("it is drawn", lambda: browser.text("dialog .key"))
    seen = []
    for _ in range(30):
        browser.cdp(
            "Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9
        )
        seen.append(
            browser.run("const e = document.activeElement; return e.className || e.textContent")
        )
        if "slow" in seen:
            break
    assert "moments" in seen and "perfetto" in seen and "slow" in seen, seen
    browser.cdp(
        "Input.dispatchKeyEvent",
        type="keyDown",
        key="Escape",
        code="Escape",
        windowsVirtualKeyCode=27,
    )
    assert browser.run("return !document.querySelector('dialog').open")
    assert browser.run("return document.activeElement.tagName") == "CANVAS", "where it came from"


RECEIVER = b"""<!doctype html><title>a stand-in</title><script>
addEventListener('message', async (e) => {
  if (e.data === 'PING') { e.source.postMessage('PONG', e.origin); return; }
  const {buffer, title, fileName} = e.data.perfetto;
  await fetch('/got?' + new URLSearchParams({title, fileName, origin: e.origin}), {method: 'POST', body: buffer});
});
</script>"""


class Stand(http.server.BaseHTTPRequestHandler):
    """In the place of ui.perfetto.dev, with the handshake that its documentation has."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.pages += self.path == "/"  # and no icon
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(RECEIVER)))
        self.end_headers()
        self.wfile.write(RECEIVER)

    def do_POST(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((query, data))
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def stand(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    server.pages, server.got = 0, []
    context = Authority(tmp_path).context("perfetto", "DNS:ui.perfetto.dev")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_perfetto(stand, mock, tmp_path):
    """Its page gets the file by its handshake, on a click and not before."""
    m = mock(targets=1, captures=3)
    rules = (
        f"MAP ui.perfetto.dev:443 127.0.0.1:{stand.server_port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    )
    more = [f"--host-resolver-rules={rules}", "--ignore-certificate-errors"]
    with Browser(tmp_path / "browser", more=more) as browser:
        panel(browser, m)
        wait_until("it is drawn", lambda: browser.text("dialog .key"))
        assert stand.pages == 0
        browser.click("dialog button.perfetto")
        ((query, data),) = wait_until("the file is there", lambda: stand.got)
        assert data == m.world.views["perfetto"]
        assert query["fileName"].endswith(".pftrace") and query["title"].startswith(
            "checkout on web-1, "
        )
        assert query["origin"] == m.url.rstrip("/")
        assert stand.pages == 1
        wait_until(
            "the button is as before",
            lambda: browser.text("dialog button.perfetto") == "Open in Perfetto",
        )
        assert complaints(browser) == []


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def test_real_panel(browser, real, tmp_path):
    """All of it, from a real trace: the time line and files are those of contrace."""
    d, url = real()
    d.wait_captured()
    opened(browser, url)
    wait_until("it has its label", lambda: browser.text(".row .chip") not in ("", "no label"))
    browser.click(".row .chip")
    wait_until("it is drawn", lambda: browser.text("dialog .key"))
    ink = browser.run(LANE_INK)
    assert ink["run"] > 20 and ink["wait"] > 20, ink
    (key,) = d.spool.keys()
    trace = d.spool.trace(key)
    _, headers, body = get(f"{url}api/v1/captures/{key}?view=timeline")
    assert headers["Content-Type"] == "application/json" and not headers["Content-Disposition"]
    run = [CONTRACE, "timeline", "--json", "--lines=250", "-"]
    with trace.open("rb") as f:
        ours = subprocess.run(run, stdin=f, capture_output=True, check=True).stdout
    assert json.loads(body) == json.loads(ours)
    stem, made = key.replace("/", "-").removesuffix(".trace"), {}
    for view, end in (("perfetto", ".pftrace"), ("sched", ".sched.pb.gz")):
        browser.click(f"dialog button[data-view={view}]")
        file = browser.downloads / (stem + end)
        wait_until(f"{view} is downloaded", file.exists)
        made[file.name] = file.read_bytes()
    out = tmp_path / "ours.pftrace"
    subprocess.run([CONTRACE, "timeline", "-o", out, trace], check=True, capture_output=True)
    assert made[f"{stem}.pftrace"] == out.read_bytes()
    profile = subprocess.run(
        [CONTRACE, "pprof", "--sched", "--labels", trace], check=True, capture_output=True
    ).stdout
    assert gzip.decompress(made[f"{stem}.sched.pb.gz"]) == gzip.decompress(profile)
    assert complaints(browser) == []


def test_views_of_the_api(real):
    """What is no view, no trace, or gone is an error that says so."""
    d, url = real()
    d.wait_captured()
    (key,) = d.spool.keys()
    captures = f"{url}api/v1/captures/"
    assert get(f"{captures}{key}?view=flame")[0] == 400
    assert b"there is timeline, perfetto, sched" in get(f"{captures}{key}?view=flame")[2]
    gone = f"{key.rsplit('/', 1)[0]}/000000-1.trace"
    assert get(f"{captures}{gone}?view=timeline")[0] == 404
    assert get(f"{captures}{key.replace('.trace', '.heap.pb.gz')}?view=timeline")[0] == 400
    path = d.spool.trace(key)
    path.write_bytes(b"go 1.99 trace\0\0\0")
    status, _, body = get(f"{captures}{key}?view=timeline")
    assert status == 422 and "not read" in json.loads(body)["error"]
    path.write_bytes(b"no trace at all")
    status, _, body = get(f"{captures}{key}?view=perfetto")
    assert status == 422 and "contrace verify" in json.loads(body)["error"]
    wait_until("nothing is left", lambda: not d.spool.incoming())


@pytest.mark.parametrize("width", [1280, 500])
def test_firefox(mock, tmp_path, width):
    """The same in another browser: rows, panel, time line, keys, with 10,000 captures."""
    m = mock(targets=12, captures=10000)
    with Firefox(tmp_path / "firefox", size=(width, 900)) as firefox:
        opened(firefox, m.url)
        assert "12 all answer" in firefox.text() and "lock-contention" in firefox.text(".legend")
        assert firefox.run("return document.documentElement.scrollWidth <= innerWidth")
        firefox.keys(".row canvas", "\ue010")  # End
        assert firefox.text("#tip")
        firefox.keys(".row canvas", "\ue007")  # Enter
        wait_until("it is drawn", lambda: firefox.text("dialog .key"))
        ink = firefox.run(LANE_INK)
        assert all(n > 20 for n in ink.values()), ink
        firefox.keys(TIMELINE, "\ue011\ue014")  # Home, right
        assert readout(firefox).startswith("10 ms: 2 of 4 Ps run")
        firefox.keys(".slow", "\ue007")
        assert readout(firefox).startswith("task “pay”")
        firefox.wait_text("before this one", "dialog")
        assert firefox.run("return document.querySelector('dialog').scrollWidth <= innerWidth")
        firefox.click("dialog a.main")
        wait_until("the trace is there", lambda: list(firefox.downloads.glob("*.trace")))
        assert axe.violations(firefox) == []


def test_usual_is_that_of_explain():
    """The page's table has the rows of contrace's."""
    rows = re.findall(
        r'\{"([\w.]+)",\s*"([^"]+)",\s*USUAL_(\w+),\s*(true|false),\s*(true|false),\s*([^}]+)\}',
        (SRC / "cli/explain/usual.c").read_text(),
    )
    page = re.findall(
        r"\['([\w.]+)', '([^']+)', '(\w+)', (true|false), (true|false), ([^\]]+)\]",
        (SRC / "daemon/control/page/usual.js").read_text(),
    )
    assert len(rows) == 24
    assert [(path, words, form.lower(), *more) for path, words, form, *more in rows] == page
