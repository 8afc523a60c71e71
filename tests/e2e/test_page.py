# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: before a made-up endpoint (mockadmin.py) for what takes long
to come by, and before contraced with a real Go service.

CONTRACE_SCREENSHOT, a file: test_screenshot writes the picture there that is docs/status.png.
"""

import json
import os
import re
import time
import urllib.request

import pastday
import pytest
from gotools import build
from hostile import healthy
from mockadmin import MockAdmin, policy, rfc3339, status_page
from onpage import complaints, drawn, free_port, look, opened
from store import Store
from support import BUILD, PATIENCE, SRC, SUSPENDED, job, wait_until
from uploads import section

EVIL = "<img src=x onerror=\"document.title='owned'\">"


def test_nothing_from_elsewhere():
    page = status_page()
    assert page.count("<script") == page.count("<style") == 1
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                 "new Function", " style=", "://", " onclick", " onload"):  # fmt: skip
        own = page.replace("-t http://127.0.0.1:6060", "").replace(
            "= 'https://ui.perfetto.dev'", ""
        )
        assert word not in own, word


def test_overview(browser, mock):
    m = mock(targets=12, captures=1200)
    assert opened(browser, m.url) == 1200 or drawn(browser) > 1100
    text = browser.text()
    for word in ("web-1", "0.1.0", "up 5 d", "12 all answer", "of 48 GiB", "3 waiting, 9 MiB",
                 "checkout", "worst first", "lock-contention"):  # fmt: skip
        assert word in text, word
    assert browser.text(".row .chip") not in ("healthy", "idle"), "the worst goes first"
    assert browser.run("return document.title") == "web-1 – contrace"
    assert complaints(browser) == []


# Of the first time line: {colour: the columns that it is in}.
INK = """
    const c = document.querySelector('.row canvas'), found = {};
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    const hex = (v) => v.toString(16).padStart(2, '0');
    for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) {
        const colour = '#' + hex(d[i]) + hex(d[i + 1]) + hex(d[i + 2]);
        (found[colour] = found[colour] || {})[i / 4 % c.width] = true;
    }
    for (const k in found) found[k] = Object.keys(found[k]).map(Number);
    return found;
"""


@pytest.mark.parametrize(("scheme", "lock"), [("light", "#820e93"), ("dark", "#ff6bbd")])
def test_marks_have_the_labels_colour(browser, mock, scheme, lock):
    look(browser, scheme=scheme)
    m = mock(targets=1, captures=40)
    for c in m.world.captures:
        c["label"] = "lock-contention"
    m.world.refresh(m.world.targets[0])
    opened(browser, m.url)
    assert len(browser.run(INK)[lock]) > 40
    for c in m.world.captures:
        c["label"] = "idle"
    opened(browser, m.url + "?again")
    assert lock not in browser.run(INK)


def test_pointing_and_keys(browser, mock):
    m = mock(targets=1, captures=50)
    opened(browser, m.url + "#range=6h")
    newest = m.world.captures[0]
    browser.run("document.querySelector('.row canvas').focus()")
    canvas = ".row canvas"
    browser.keys(canvas, "\ue010")  # End
    assert browser.run("return !document.getElementById('tip').hidden")
    assert newest["label"] in browser.text("#tip")
    last = browser.run("return document.querySelector('.row canvas').ariaValueText")
    browser.keys(canvas, "\ue012")  # left
    assert browser.run("return document.querySelector('.row canvas').ariaValueText") != last
    browser.keys(canvas, "\ue014\ue007")  # right, Enter
    browser.wait_text(newest["key"], "dialog")
    browser.keys("dialog button", "\ue00c")  # Escape
    assert browser.run("return !document.querySelector('dialog').open")
    assert complaints(browser) == []


def test_filter_range_and_labels(browser, mock):
    m = mock(targets=12, captures=1200)
    opened(browser, m.url)
    browser.keys("#filter", "payments")
    services = "return [...document.querySelectorAll('.row b')].map(e => e.innerText)"
    wait_until("the filter works", lambda: browser.run(services) == ["payments"] * 2)
    assert "filter=payments" in browser.run("return location.hash")
    browser.keys("#filter", "zzz")
    browser.wait_text("Nothing matches", "#empty")
    browser.click("#empty button")
    wait_until("all are there", lambda: len(browser.run(services)) == 12)
    browser.run("[...document.querySelectorAll('.ranges button')][0].click()")
    wait_until("one hour", lambda: drawn(browser) < 200)
    browser.run("document.querySelector('.legend button').click()")
    wait_until("those with the label", lambda: 0 < len(browser.run(services)) < 12)


def test_details_and_download(browser, mock):
    m = mock(targets=1, captures=3)
    m.world.captures[0]["label"] = "lock-contention"
    opened(browser, m.url)
    browser.click(".row .chip")
    browser.wait_text("waiting share", "dialog")
    for word in ("68.1 %", "5.17 ms", "score 0.87", "go tool trace checkout-web-1-", "sha256"):
        assert word in browser.text("dialog"), word
    browser.click("dialog a.main")
    wait_until("the trace is there", lambda: list(browser.downloads.glob("*.trace")))
    assert complaints(browser) == []


def test_details_of_one_that_is_well(browser, mock):
    """It says what is known, and no more."""
    m = mock(targets=1, captures=1)
    m.world.captures[0]["label"] = "healthy"
    opened(browser, m.url)
    browser.click(".row .chip")
    browser.wait_text("No rule matched.", "dialog")
    assert "no rule matched, which does not say that all is well" in browser.text("dialog")
    assert complaints(browser) == []


def test_other_artifacts(browser, mock):
    """Rows tell of traces; beside that, what else there is of the target can be fetched."""
    m = mock(targets=3, captures=30)
    m.world.targets.sort(key=lambda t: t["service"])
    key = "shop/web-1/20261121/192651-4711.mutex.pb.gz"
    last = {"key": key, "captured": rfc3339(time.time() - 60)}
    trace = {"artifact": "trace", "state": "ok", "last": m.world.targets[0]["last"]}
    of = ({"state": "ok", "last": last}, {"state": "missing", "last": None},
          {"state": "new", "last": None})  # fmt: skip
    for target, mutex in zip(m.world.targets, of, strict=True):
        target["artifacts"] = [trace, {"artifact": "mutex", **mutex}]
    before = opened(browser, m.url)
    assert before == 30
    said = browser.run(
        "return [...document.querySelectorAll('.row .last')].map(e => e.textContent)"
    )
    assert sorted(s.rsplit(" · ", 1)[1] for s in said) == [
        "mutex",
        "mutex: missing",
        "no mutex yet",
    ]
    href, name = browser.run(
        "const a = document.querySelector('.row .last a'); return [a.getAttribute('href'), a.download]"
    )
    assert (href, name) == (f"/api/v1/captures/{key}", key.replace("/", "-"))
    asked = [q for _, path, q in m.world.asked if path == "/api/v1/captures"]
    assert asked and all(q["artifact"] == "trace" for q in asked)
    assert complaints(browser) == []


def test_another_artifact_that_fails(browser, mock):
    """A row says so, with the reason, where its traces are well; else what is wrong with these."""
    m = mock(targets=3, captures=30)
    well, ill, once = m.world.targets
    mutex = {"artifact": "mutex", "state": "not_a_profile", "failures": 7,
             "last": {"key": None, "text": "the answer is HTML"}}  # fmt: skip
    well.update(state="ok", failures=0, artifacts=[mutex])
    ill.update(state="refused", failures=3, artifacts=[mutex])
    once.update(state="timeout", failures=1, last={"key": None, "text": "nothing came"})
    opened(browser, m.url)
    said = browser.run(
        "return [...document.querySelectorAll('.row .state.bad')].map(e => e.textContent)"
    )
    assert len(said) == 3
    assert any(s == "▲ timeout: nothing came" for s in said), said
    assert any(s == "▲ mutex: not_a_profile, 7 in a row: the answer is HTML" for s in said), said
    assert any(s.startswith("▲ refused, 3 in a row") for s in said), said


def test_hostile_names_stay_text(browser, mock):
    m = mock(targets=2, captures=20)
    for t in m.world.targets:
        t.update(service=EVIL, host=EVIL, job=EVIL, address=EVIL, state=EVIL, failures=3)
    for c in m.world.captures[:10]:
        c["label"] = EVIL
    m.world.causes = [{"cause": EVIL, "since": EVIL, "text": EVIL}]
    m.world.ready, m.world.reasons = False, EVIL
    m.world.upload["state"] = EVIL
    opened(browser, m.url)
    assert EVIL in browser.text("#rows") and EVIL in browser.text("#banners")
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert browser.run("return document.title") != "owned"
    # The reply 503 of /-/ready is told by the browser itself.
    assert [x for x in complaints(browser) if "503" not in x["message"]] == []


def test_odd_replies(browser, mock):
    """A server of another version may leave out what this page knows, or say null."""
    m = mock(targets=2, captures=4)
    nothing = dict.fromkeys(m.world.status())
    m.world.status = lambda: nothing
    for t in m.world.targets:
        for name in list(t):
            t[name] = None
    for c in m.world.captures:
        c.update(bytes=None, label=None, scheduler_latency_p99_seconds=None, state=None)
    opened(browser, m.url)
    assert "no label" in browser.text("#rows")
    assert complaints(browser) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"causes": [{"cause": "flag_file", "since": "2026-01-01T00:00:00Z", "text": "/run/x"}]},
         ["Scheduled captures are suspended", "flag file", "/run/x"]),
        ({"ready": False, "reasons": "the spool refuses room\nstopping"},
         ["Not ready:", "the spool refuses room; stopping"]),
        ({"upload": {"state": "parked"}}, ["somebody must act"]),
        ({"upload": None}, ["off", "traces stay on this machine"]),
        ({"inspects": False}, ["Traces are not inspected", "inspect.enabled"]),
    ],
)  # fmt: skip
def test_states(browser, mock, state, words):
    m = mock(targets=2, captures=10)
    vars(m.world).update(state)
    opened(browser, m.url)
    for word in words:
        assert word in browser.text(), word


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (0, ["No targets yet", "scrape_configs"]),
        (2, ["No captures in the last 24h", "next is due"]),
    ],
)
def test_empty(browser, mock, targets, words):
    m = mock(targets=targets, captures=0)
    opened(browser, m.url)
    for word in words:
        browser.wait_text(word, "#empty")
    assert complaints(browser) == []


def test_suspend_and_capture(browser, mock):
    m = mock(targets=2, captures=10)
    opened(browser, m.url)
    browser.click("#suspend")
    browser.wait_text("Scheduled captures are suspended")
    browser.click("#suspend")
    wait_until("it is resumed", lambda: browser.text("#suspend") == "Suspend")
    assert "suspended" not in browser.text("#banners")
    browser.click(".row .acts button")
    browser.wait_text("lock-contention · p99 3 ms", "#notes")
    posts = [(path, body) for method, path, body in m.world.asked if method == "POST"]
    assert posts[:2] == [("/api/v1/suspend", {}), ("/api/v1/resume", {})]
    path, body = posts[2]
    assert path == "/api/v1/capture" and set(body) == {"target", "wait", "reason"}


def test_token(browser, mock):
    m = mock(targets=2, captures=10)
    m.world.token = "sesame"
    browser.go(m.url)
    browser.wait_text("asks for a token")
    browser.keys("#token", "wrong\ue007")
    browser.wait_text("not the right one")
    browser.run("document.getElementById('token').value = ''")
    browser.keys("#token", "sesame\ue007")
    assert drawn(browser) == 10
    assert "token" not in browser.text("#banners")
    browser.go(m.url)
    assert drawn(browser) == 10, "it is kept in this tab"
    browser.click(".row .chip")
    browser.wait_text("sha256", "dialog")
    before = set(browser.downloads.iterdir())
    browser.click("dialog a.main")
    wait_until("a download that needs the token",
               lambda: [x for x in set(browser.downloads.iterdir()) - before
                        if x.suffix == ".trace"])  # fmt: skip


def test_gone_and_back(browser, mock):
    m = mock(targets=2, captures=10)
    opened(browser, m.url)
    port = m.server.server_port
    m.__exit__()
    browser.wait_text("contraced has not answered since")
    assert browser.run("return document.querySelector('#suspend').disabled")
    with MockAdmin(m.world, port):
        wait_until("it is there again", lambda: "not answered" not in browser.text("#banners"))


def test_hidden_page_asks_less(browser, mock):
    m = mock(targets=2, captures=10)
    opened(browser, m.url)
    seen = """
        const property = {value: arguments[0], configurable: true};
        Object.defineProperty(document, 'visibilityState', property);
        document.dispatchEvent(new Event('visibilitychange'));
    """
    browser.run(seen, "hidden")
    asked = m.world.count("/api/v1/status")
    time.sleep(12)  # two polls and more of a page that is seen
    assert m.world.count("/api/v1/status") <= asked + 1
    browser.run(seen, "visible")
    wait_until("it asks at once", lambda: m.world.count("/api/v1/status") > asked + 1, timeout=5)


def test_label_that_comes_late(browser, mock):
    """The last trace gets its label, though no counter tells that anything changed."""
    m = mock(targets=1, captures=5)
    newest, target = m.world.captures[0], m.world.targets[0]
    newest["label"] = newest["scheduler_latency_p99_seconds"] = None
    m.world.refresh(target)
    opened(browser, m.url)
    assert browser.text(".row .chip") == "no label"
    target["last"].update(label="lock-contention", scheduler_latency_p99_seconds=0.003)
    wait_until("the label is there", lambda: browser.text(".row .chip") == "lock-contention")


FIRST_DRAWN = "return performance.getEntriesByName('contrace-drawn')[0].startTime"


def test_ten_thousand_captures(browser, mock, capsys):
    m = mock(targets=12, captures=10000)

    def pages():
        return [q for method, path, q in m.world.asked if path == "/api/v1/captures"]

    count = opened(browser, m.url + "#range=all")
    assert count == len(m.world.captures)
    assert len(pages()) == 10
    first = browser.run(FIRST_DRAWN)
    # Nothing has happened: nothing is asked again but the state.
    asked = m.world.count("/api/v1/status")
    wait_until("two polls", lambda: m.world.count("/api/v1/status") > asked + 1)
    assert len(pages()) == 10
    frame = browser.run(
        """
        const c = document.querySelector('.row canvas'), b = c.getBoundingClientRect();
        const begin = performance.now();
        for (let i = 0; i < 100; i++) {
            const at = {clientX: b.left + 60 + i * 4, clientY: b.top + 9};
            c.dispatchEvent(new PointerEvent('pointermove', at));
        }
        return (performance.now() - begin) / 100;
        """
    )
    with capsys.disabled():
        print(f"\n10,000 captures: drawn {first:.0f} ms after the page was asked for;"
              f" {frame:.1f} ms for a move of the pointer")  # fmt: skip
    assert complaints(browser) == []


def test_no_more_than_the_range(browser, mock):
    """A day is shown first; a longer range asks for what is older, not for all again."""
    m = mock(targets=12, captures=10000)
    opened(browser, m.url)
    day = [q for _, path, q in m.world.asked if path == "/api/v1/captures"]
    assert len(day) == 4 and all("since" in q for q in day)
    browser.run("[...document.querySelectorAll('.ranges button')].pop().click()")
    wait_until("all are drawn", lambda: drawn(browser) == len(m.world.captures))
    everything = [q for _, path, q in m.world.asked if path == "/api/v1/captures"]
    assert len(everything) <= 12


def test_thousands_of_targets(browser, mock):
    m = mock(targets=2500, captures=5000)
    m.world.targets[1234].update(state="timeout", failures=5)
    opened(browser, m.url)
    rows = "return document.querySelectorAll('.row').length"
    assert 0 < browser.run(rows) < 40
    browser.wait_text("▲ timeout, 5 in a row", ".row")
    browser.run("scrollTo(0, document.body.scrollHeight)")
    last = "return !!document.querySelector('.row[aria-rowindex=\"2501\"]')"
    wait_until("the last is there", lambda: browser.run(last))
    assert browser.run(rows) < 40


CONTRAST = """
    const linear = (v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const light = (c) => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
    const rgb = (s) => s.match(/[\\d.]+/g).map(Number);
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] === 1) return c;
        }
        return [255, 255, 255];
    };
    const poor = [];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || !e.offsetParent || e.disabled || /SCRIPT|OPTION/.test(e.tagName)) continue;
        const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) poor.push([e.className, e.textContent.slice(0, 30), ratio.toFixed(2)]);
    }
    return poor;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser, mock, scheme):
    """WCAG AA, in both themes, with every banner there."""
    look(browser, scheme=scheme)
    m = mock(targets=6, captures=60)
    m.world.ready, m.world.reasons = False, "a reason"
    m.world.causes = [{"cause": "api", "since": rfc3339(time.time()), "text": ""}]
    m.world.targets[0].update(state="timeout", failures=5)
    opened(browser, m.url)
    assert browser.run(CONTRAST) == []
    browser.click(".row .chip")
    browser.wait_text("sha256", "dialog")
    assert browser.run(CONTRAST) == []


@pytest.mark.parametrize("width", [400, 640, 901, 1280, 2000])
def test_widths(browser, mock, width):
    look(browser, width=width)
    m = mock(targets=6, captures=600)
    opened(browser, m.url)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    out = browser.run(
        """
        const all = [...document.querySelectorAll('button, input, select, canvas, .tile')];
        return all.filter((e) => {
            const b = e.getBoundingClientRect();
            return e.offsetParent && (b.left < 0 || b.right > innerWidth || b.width < 8);
        }).map((e) => e.outerHTML.slice(0, 60));
        """
    )
    assert out == []


def test_everything_has_a_name(browser, mock):
    m = mock(targets=6, captures=60)
    opened(browser, m.url)
    browser.click(".row .chip")
    browser.wait_text("sha256", "dialog")
    tree = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    nameless = [
        n["role"]["value"]
        for n in tree
        if not n["ignored"]
        and n["role"]["value"] in ("button", "link", "slider", "combobox", "searchbox", "dialog")
        and not n.get("name", {}).get("value")
    ]
    assert nameless == []


def trigger(rule="busy", state="ok", **more):
    return {"rule": rule, "state": state, "service": "checkout", "address": "10.0.0.1:6060",
            "text": "runnable: 3, the limit is 10", "over": 0, "for": 2, "fired": None,
            "poll": {"result": "ok", "text": ""}, **more}  # fmt: skip


def test_rules(browser, mock):
    """A small table, if there are rules."""
    m = mock(targets=2, captures=10)
    opened(browser, m.url)
    assert browser.run("return document.getElementById('rules').hidden")
    m.world.triggers = [
        trigger(),
        trigger("<i>odd</i>", "pending", over=1),
        trigger("slow", "poll_failing", poll={"result": "missing", "text": "HTTP status 404"}),
    ]
    opened(browser, m.url)
    rows = browser.run(
        "return Array.from(document.querySelectorAll('#rules-rows tr')).map((r) => r.innerText)"
    )
    assert [row.split("\t")[:2] for row in rows] == [
        ["ok", "busy"], ["pending 1 of 2", "<i>odd</i>"], ["poll_failing", "slow"]]  # fmt: skip
    assert "missing: HTTP status 404" in rows[2] and "runnable: 3" in rows[0]
    m.world.triggers = [trigger(f"r{i}", "fired" if i == 77 else "ok") for i in range(100)]
    opened(browser, m.url)
    assert browser.run("return document.querySelectorAll('#rules-rows tr').length") == 1
    assert "100 rules at targets" in browser.text("#rules-more")


def test_incidents(browser, mock):
    """A panel, if there are any, with a link to each file; and a mark above a capture of one."""
    m = mock(targets=1, captures=10)
    opened(browser, m.url)
    assert browser.run("return document.getElementById('incidents').hidden")
    accent = "#0b5cad"
    assert accent not in browser.run(INK)
    capture = m.world.captures[0]
    capture["incident"] = capture["key"].removesuffix(".trace")
    heap = f"{capture['incident']}.heap.pb.gz"
    m.world.incidents = [{
        "incident": capture["incident"], "service": EVIL, "host": "web-1", "reason": "trigger:slow",
        "trigger": {"rule": "slow", "value": 0.25, "threshold": 0.1, "unit": "share"},
        "start": capture["start"], "ended": capture["start"], "artifacts": [
            {"artifact": "trace", "state": "ended", "outcome": "ok", "text": "", "key": capture["key"]},
            {"artifact": "heap", "state": "ended", "outcome": "ok", "text": "", "key": heap},
            {"artifact": "block", "state": "ended", "outcome": "missing", "text": "404", "key": None}],
    }]  # fmt: skip
    opened(browser, m.url)
    (row,) = browser.run(
        "return Array.from(document.querySelectorAll('#incidents-rows tr')).map((r) => r.innerText)"
    )
    cells = row.split("\t")
    assert EVIL in cells[1] and cells[2] == "trigger:slow: 0.25 share, the limit is 0.1"
    assert cells[3:] == ["trace · heap", "block: missing"]
    paths = browser.run(
        "return Array.from(document.querySelectorAll('#incidents a')).map((a) => a.getAttribute('href'))"
    )
    assert paths == [f"/api/v1/captures/{capture['key']}", f"/api/v1/captures/{heap}"]
    assert accent in browser.run(INK), "a flag"
    browser.run("document.querySelector('#incidents a').focus()")
    assert browser.run("return document.activeElement.textContent") == "trace"
    assert complaints(browser) == []


def test_real(browser, real):
    d, url = real()
    d.wait_captured()
    assert opened(browser, url) == 1
    for word in ("example", "1 all answer", "upload", "off"):
        assert word.lower() in browser.text().lower(), word
    wait_until("the inspected one has its label",
               lambda: browser.text(".row .chip") not in ("", "no label"))  # fmt: skip
    before = set(d.spool.keys())
    browser.click(".row .acts button")
    (key,) = wait_until("another was captured", lambda: set(d.spool.keys()) - before)
    wait_until("the page has it", lambda: drawn(browser) == len(before) + 1)
    browser.wait_text(key, "#notes")
    wait_until("it has its label", lambda: " · p99 " in browser.text("#notes"))
    label = d.spool.record(key)["label"]
    assert label in browser.text("#notes") and label in browser.text("#legend")
    assert d.spool.record(key)["reason"].startswith("api")

    browser.click("#notes button.link")
    browser.wait_text(d.spool.record(key)["sha256"], "dialog")
    browser.click("dialog a.main")
    name = key.replace("/", "-")
    path = wait_until("it is downloaded", lambda: list(browser.downloads.glob(name)))[0]
    assert path.read_bytes() == d.spool.trace(key).read_bytes()
    browser.keys("dialog button", "\ue00c")
    assert complaints(browser) == []


def test_real_time_line(browser, real):
    """The mark of a capture stands where its time is."""
    d, url = real()
    d.wait_captured()
    opened(browser, url + "#range=1h")
    wait_until("it has its label", lambda: browser.text(".row .chip") not in ("", "no label"))
    width = browser.run("return document.querySelector('.row canvas').width")
    script = browser.run("return document.querySelector('script').textContent")
    colours = set(re.findall(r"\['[\w -]+', '(#[0-9a-f]{6})', '#[0-9a-f]{6}', ", script))
    assert len(colours) > 5
    ink = {c: x for c, x in browser.run(INK).items() if c in colours}
    assert ink, "no mark has the colour of a label"
    for columns in ink.values():
        assert min(columns) > width - 24, "a minute old at most, so at the right end"


def test_real_suspension(browser, real):
    d, url = real()
    opened(browser, url)
    browser.click("#suspend")
    browser.wait_text("Scheduled captures are suspended: ".strip(), "#banners")
    d.wait_log(message_id=SUSPENDED)
    browser.click("#suspend")
    wait_until("it is resumed", lambda: "suspended" not in browser.text("#banners"))
    assert complaints(browser) == []


def test_real_token(browser, real, tmp_path):
    token = tmp_path / "token"
    token.write_text("sesame\n")
    token.chmod(0o600)
    d, url = real(web={"bearer_token_file": str(token)})
    d.wait_captured()
    browser.go(url)
    browser.wait_text("asks for a token")
    browser.keys("#token", "wrong\ue007")
    browser.wait_text("not the right one")
    browser.run("document.getElementById('token').value = ''")
    browser.keys("#token", "sesame\ue007")
    assert drawn(browser) == 1
    (key,) = d.spool.keys()
    browser.click(".row .chip")
    browser.wait_text(key, "dialog")
    browser.click("dialog a.main")
    name = key.replace("/", "-")
    path = wait_until("it is downloaded", lambda: list(browser.downloads.glob(name)))[0]
    assert path.read_bytes() == d.spool.trace(key).read_bytes()
    assert [x for x in complaints(browser) if "401" not in x["message"]] == []


def test_real_killed(browser, real):
    d, url = real()
    d.wait_captured()
    opened(browser, url)
    d.process.kill()
    browser.wait_text("contraced has not answered since", "#banners")
    assert "example" in browser.text("#rows"), "what was known stays"


def test_real_hostile_names(browser, real, goservice):
    address = goservice().address
    jobs = [{**job(EVIL, address), "static_configs": [
        {"targets": [address], "labels": {"service": EVIL, "x": EVIL}}]}]  # fmt: skip
    d, url = real(jobs=jobs)
    d.wait_captured()
    assert opened(browser, url) == 1
    assert EVIL in browser.text("#rows")
    assert browser.run("return document.querySelectorAll('.row').length") == 1, "its history is its"
    browser.click(".row .chip")
    browser.wait_text(EVIL, "dialog")
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert browser.run("return document.title") != "owned"
    assert complaints(browser) == []


def test_real_policy(browser, real):
    """The server's policy is the one that the made-up endpoint stands in with."""
    _, url = real()
    with urllib.request.urlopen(url, timeout=PATIENCE) as reply:
        said = reply.headers["Content-Security-Policy"]
        page = reply.read().decode()
    assert page == status_page()
    ours = dict(x.strip().split(" ", 1) for x in policy(page).split(";"))
    theirs = dict(x.strip().split(" ", 1) for x in said.split(";"))
    for name in ("default-src", "script-src", "style-src", "connect-src"):
        assert theirs[name] == ours[name], name


def test_real_ten_thousand_captures(browser, real, tmp_path, capsys):
    """The same as before the made-up one, on files."""
    archive = tmp_path / "spool/archive"
    now = int(time.time())
    for n in range(10000):
        at = time.strftime("%Y%m%d/%H%M%S", time.gmtime(now - 60 * n))
        path = archive / f"s{n % 12}" / "h" / f"{at}-7.trace"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"go 1.26 trace\0\0\0")
        p99 = {"summary": {"scheduler": {"latency": {"p99_ns": 1000 * (n % 977 + 1)}}}}
        path.with_suffix(".json").write_text(json.dumps({"label": "healthy", **p99}))
    d, url = real(storage={"max_age": "30d", "max_files": 20000})
    d.wait_captured()
    d.wait_log("inspected ")
    times = []
    for _ in range(2):
        assert opened(browser, url + "?" + str(len(times)) + "#range=all") == 10001
        times.append(browser.run(FIRST_DRAWN))
    assert "no label" not in browser.text("#legend")
    with capsys.disabled():
        print(f"\n10,000 captures of contraced: drawn {times[0]:.0f} ms after the page was asked"
              f" for, {times[1]:.0f} ms the second time")  # fmt: skip


# Makes a picture and tests nothing, so it is only there when it is asked for.
if os.environ.get("CONTRACE_SCREENSHOT"):

    def test_screenshot(browser, daemon, serve, tmp_path):
        binary = tmp_path / "ills"
        build(SRC / "examples/ills", binary)
        now = pastday.tell(tmp_path / "spool", binary, tmp_path)
        jobs = [job(service, serve(healthy(trace)).address) for service, trace in now.items()]
        port = free_port()
        with Store() as store:
            d = daemon(
                jobs, {"max_bytes": "512MiB"},
                {"scrape_interval": f"{pastday.INTERVAL}s", "seconds": pastday.SECONDS,
                 "scrape_timeout": "20s", "host": pastday.HOST},
                inspect={"command": str(BUILD / "contrace")},
                upload=section(tmp_path, store.endpoint),
                web={"listen_address": f"127.0.0.1:{port}"},
            )  # fmt: skip
            look(browser, height=860)
            opened(browser, f"http://127.0.0.1:{port}/")
            # As it looks to whoever comes by, and not in its first seconds: a round and more is over.
            time.sleep(pastday.INTERVAL * 1.2)
            wait_until("nothing is under way", lambda: not d.spool.incoming())
            wait_until("all is uploaded", lambda: not d.spool.pending())
            time.sleep(6)
            browser.screenshot(os.environ["CONTRACE_SCREENSHOT"])
