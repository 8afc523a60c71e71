# SPDX-License-Identifier: Apache-2.0
"""contrace status, capture, suspend and resume: with a real contraced, and with servers that answer
whatever they like."""

import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading

import pytest
from hostile import answer, gated, healthy
from support import BUILD, KEY, PATIENCE, SUSPENDED, job, need, need_root, run, wait_until
from test_cli import contrace
from test_cli import on_terminal as run_on_terminal
from test_config_cli import default_file
from test_inspect import ROOMY
from test_suspend import wait_suspended

KEY_OF_ONE = "s/h/20261121/192651-1.trace"
HOSTILE = "\x1b]0;owned\x07\x1b[31mred\u202e\r\nforged"


@pytest.fixture
def steered(daemon, tmp_path):
    """steered(jobs, …) starts contraced with a socket, and asks it by contrace: (daemon, ask)."""

    def start(jobs, web=None, **more):
        sock = tmp_path / "contraced.sock"
        d = daemon(jobs, web=web or {"listen_address": f"unix:{sock}"}, **more)
        wait_until("the socket is there", sock.exists) if not web else None

        def ask(*argv, **kwargs):
            return contrace(argv[0], f"--address=unix:{sock}", *argv[1:], **kwargs)

        return d, ask

    return start


@pytest.mark.parametrize("words", ["status", "status --json", "suspend", "resume", "capture --all"])
def test_nobody_reads_it(serve, steered, tmp_path, words):
    """It does what it was told, and then ends by SIGPIPE, without a word."""
    d, ask = steered([job("good", serve(healthy()).address)])
    d.wait_captured()
    reader, writer = os.pipe()
    os.close(reader)
    try:
        argv = [BUILD / "contrace", *words.split(), f"--address=unix:{tmp_path}/contraced.sock"]
        done = subprocess.run(argv, stdout=writer, stderr=subprocess.PIPE, check=False,
                              timeout=PATIENCE)  # fmt: skip
    finally:
        os.close(writer)
    said = [line for line in done.stderr.splitlines() if line.startswith(b"contrace: ")]
    assert (done.returncode, said) == (-signal.SIGPIPE, [])
    assert words != "suspend" or "suspended" in ask("status").stdout


def test_status(serve, steered, tmp_path):
    good, bad = serve(healthy()), serve(answer("404 Not Found"))
    d, ask = steered([job("good", good.address), job("bad", bad.address)])
    d.wait_captured()
    wait_until("both have been tried", lambda: d.log("404"))
    done = ask("status")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("contraced  ") and lines[0].endswith(", ready")
    assert f"pid {d.pid}, up " in lines[0]
    assert f"config     {d.config}, loaded " in done.stdout
    assert "targets    2, 1 failing\n" in done.stdout
    assert "captures   0 in flight, 1 ok, 1 " in done.stdout
    assert f"spool      {d.spool.path}, 1 trace, " in done.stdout
    assert "upload     off\n" in done.stdout
    assert "suspended" not in done.stdout
    table = [line.split() for line in lines[lines.index("") + 1 :]]
    assert table[0] == ["STATE", "SERVICE", "HOST", "LAST", "NEXT", "LABEL", "P99", "SIZE",
                        "TARGET"]  # fmt: skip
    rows = {row[1]: row for row in table[1:] if len(row) == len(table[0])}
    assert rows["good"][0] == "ok" and rows["good"][-1] == good.address
    assert rows["bad"][3] == "-", "no trace was taken"
    assert "404" in done.stdout.split("bad")[1], "why it fails"
    d.stop()


def test_status_as_json(serve, steered):
    s = serve(healthy())
    d, ask = steered([job("a", s.address), job("b", s.address)])
    d.wait_captured(count=2)
    done = json.loads(ask("status", "--json").stdout)
    assert done["ready"] is True and done["reasons"] == []
    assert done["status"]["pid"] == d.pid
    assert [t["service"] for t in done["targets"]] == ["a", "b"]
    assert done["total"] == 2
    only = json.loads(ask("status", "--json", "--service=b").stdout)
    assert [t["service"] for t in only["targets"]] == ["b"]
    assert json.loads(ask("status", "--json", "--state=timeout").stdout)["targets"] == []
    first = ask("status", "--limit=1")
    assert "and 1 more" in first.stdout
    d.stop()


def test_many_targets_by_pages(steered):
    """All of them, each once."""
    addresses = [f"127.0.0.1:{p}" for p in range(20000, 20450)]
    d, ask = steered([job("s", *addresses)], glob={"scrape_interval": "300d"})
    done = json.loads(ask("status", "--json").stdout)
    assert sorted(t["address"] for t in done["targets"]) == addresses
    assert len(json.loads(ask("status", "--json", "-n", "201").stdout)["targets"]) == 201
    d.signal(signal.SIGTERM)
    d.wait_exit()


def on_terminal(argv, columns, **env):
    return run_on_terminal([BUILD / "contrace", *argv], env, columns)[1]


def strip(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text).replace("\r", "")


def test_status_on_terminals(serve, steered):
    """No line is longer than the terminal, colours only there, and not with NO_COLOR."""
    s = serve(answer("404 Not Found"))
    d, ask = steered([job("a-service-with-quite-a-long-name", s.address)])
    wait_until("it has been tried", lambda: d.log("404"))
    argv = ["status", f"--address=unix:{d.directory / 'contraced.sock'}"]
    for columns in (80, 120, 200):
        out = on_terminal(argv, columns)
        plain = strip(out).split("\n")
        # A path and the like have no place to break.
        assert all(len(x) <= columns for x in plain if str(d.directory) not in x), out
        assert "\x1b[31m" in out
    assert "\x1b[" not in on_terminal(argv, 120, NO_COLOR="1")
    assert "\x1b[" not in on_terminal(argv, 120, TERM="dumb")
    assert "\x1b" not in ask("status").stdout
    d.stop()


def test_status_when_not_ready(serve, steered):
    """A contraced that drains is not ready, and says why."""
    gate = threading.Event()
    s = serve(gated(gate))
    d, ask = steered([job("s", s.address)])
    wait_until("a capture has begun", lambda: s.requests)
    d.signal(signal.SIGTERM)
    d.wait_log("SIGTERM: stopping")
    done = ask("status")
    # Either it still answers, and says that it stops, or it has closed its socket.
    assert done.returncode == 1
    assert "not ready" in done.stdout or "no contraced answers" in done.stderr
    gate.set()
    d.wait_exit()


def test_watch(serve, steered):
    s = serve(healthy())
    d, ask = steered([job("s", s.address)])
    argv = [BUILD / "contrace", "status", "-w", f"--address=unix:{d.directory / 'contraced.sock'}"]
    watching = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    seen = 0
    while seen < 2:
        seen += watching.stdout.readline().startswith("contraced ")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == -signal.SIGINT
    watching.stdout.close()
    d.stop()


def test_capture(serve, steered):
    s, other = serve(healthy()), serve(healthy())
    d, ask = steered([job("s", s.address), job("other", other.address)])
    d.wait_captured(count=2)
    done = ask("capture", s.address, "--reason=before the deploy")
    assert done.returncode == 0, done.stderr
    (key,) = done.stdout.split()
    assert KEY.fullmatch(key)
    assert d.spool.record(key)["reason"] == "api:before the deploy"
    assert done.stderr == ""
    assert len(other.requests) == 1
    d.stop()


def test_capture_of_many(serve, steered):
    servers = [serve(healthy()) for _ in range(3)]
    jobs = [job("ab", *[s.address for s in servers[:2]]), job("c", servers[2].address)]
    d, ask = steered(jobs)
    d.wait_captured(count=3)
    assert len(ask("capture", "--service=ab").stdout.split()) == 2
    assert len(ask("capture", "--job=c").stdout.split()) == 1
    done = ask("capture", "--all", "--json", "--seconds=0.1")
    captures = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(captures) == 3 and done.returncode == 0
    assert {c["outcome"] for c in captures} == {"ok"}
    assert {d.spool.record(c["key"])["seconds"] for c in captures} == {0.1}
    assert [len(s.requests) for s in servers] == [3, 3, 3]
    d.stop()


def test_capture_with_its_label(goservice, steered):
    """The label is waited for, in JSON and on a terminal."""
    service = goservice()
    d, ask = steered([job("s", service.address)], inspect={"max_memory": ROOMY})
    d.wait_captured()
    done = ask("capture", "--all", "--json")
    capture = json.loads(done.stdout)
    assert capture["label"] == d.spool.record(capture["key"])["label"]
    assert capture["scheduler_latency_p99_seconds"] >= 0
    sock = f"--address=unix:{d.directory / 'contraced.sock'}"
    out = strip(on_terminal(["capture", "--all", sock, "--seconds=1"], 100))
    assert "s: capturing" in out or "all targets: capturing" in out
    assert " s of 1 s" in out
    assert f": {capture['label']}" in out or ", healthy" in out or ", idle" in out
    d.stop()


def test_a_capture_is_labelled_when_it_is_done(goservice, steered, tmp_path):
    """Also where nobody looks on: what comes next in a script finds the label."""
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\nsleep 1\nexec {BUILD}/contrace "$@"\n')
    slow.chmod(0o755)
    inspect = {"command": str(slow), "max_memory": ROOMY}
    d, ask = steered([job("s", goservice().address)], inspect=inspect)
    d.wait_captured()
    done = ask("capture", "--all", "--seconds=0.5")
    assert (done.returncode, done.stderr) == (0, "")
    listed = contrace("list", "--json", "-n1", f"--storage.path={d.spool.path}")
    newest = json.loads(listed.stdout)
    assert newest["key"] == done.stdout.strip() and newest["label"]
    d.stop()


def test_the_spool_of_the_contraced_that_runs(serve, steered, tmp_path):
    """Without a configuration `list` and `pull` look where it says, as `status` does."""
    need(not default_file().exists(), f"this machine has a {default_file()}")
    d, ask = steered([job("s", serve(healthy()).address)])
    d.wait_captured()
    d.idle()
    here = {"CONTRACE_ADDRESS": f"unix:{d.directory / 'contraced.sock'}"}
    done = contrace("list", "--json", env=here)
    assert [json.loads(x)["key"] for x in done.stdout.splitlines()] == d.spool.keys(), done
    done = contrace("pull", "--last=1", "-o", tmp_path / "out", env=here)
    assert done.returncode == 0, done.stderr
    done = contrace("list", f"--storage.path={tmp_path}/none", env=here)
    assert done.returncode == 1 and f"there is no {tmp_path}/none; --storage.path" in done.stderr
    spool = d.spool.path.rename(tmp_path / "away")
    done = contrace("list", env=here)
    where = f"where the contraced at unix:{d.directory / 'contraced.sock'} keeps its traces"
    assert done.returncode == 1 and where in done.stderr
    spool.rename(d.spool.path)
    d.stop()


def test_a_contraced_that_hangs_is_told_of(tmp_path):
    """Its traces are not where they are looked for then."""
    need(not default_file().exists(), f"this machine has a {default_file()}")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "s"))
        s.listen()
        done = contrace("list", env=clean(CONTRACE_ADDRESS=f"unix:{tmp_path}/s"))
    assert f"contraced at unix:{tmp_path}/s does not answer" in done.stderr, done


def test_words_that_are_not_options(steered, serve):
    d, ask = steered([job("s", serve(healthy()).address)])
    for argv in (["status", "http://h:1"], ["suspend", "s"], ["resume", "s"], ["list", "s"]):
        done = contrace(*argv)
        assert (done.returncode, done.stdout) == (2, ""), argv
        assert f"{argv[0]}: '{argv[1]}' is not an option; " in done.stderr
    d.stop()


def test_status_of_nobody(steered, serve):
    d, ask = steered([job("s", serve(healthy()).address)])
    d.wait_captured()
    done = ask("status", "--service=typo")
    assert done.returncode == 0
    assert done.stdout.endswith(
        "\nno target of these; without --service, --job and --state there is 1\n"
    )
    d.stop()


def test_capture_of_one_among_many(goservice, steered):
    """Its label is found although a page of targets does not reach to it."""
    many = [f"127.0.0.1:{p}" for p in range(20000, 21100)]
    d, ask = steered([job("a", *many), job("s", (service := goservice()).address)],
                     glob={"scrape_interval": "300d"}, inspect={"max_memory": ROOMY})  # fmt: skip
    captures = []

    def labelled():
        """Which a slow machine may not do in the ten seconds that are waited for it."""
        (line,) = ask("capture", service.address, "--json").stdout.splitlines()
        captures.append(json.loads(line))
        return "label" in captures[-1]

    wait_until("its label is found", labelled)
    key = captures[-1]["key"]
    wait_until("its record has it", lambda: "label" in d.spool.record(key))
    assert captures[-1]["label"] == d.spool.record(key)["label"]
    d.signal(signal.SIGTERM)
    d.wait_exit()


def test_capture_that_fails(serve, steered):
    good, bad = serve(healthy()), serve(answer("404 Not Found"))
    d, ask = steered([job("good", good.address), job("bad", bad.address)])
    d.wait_captured()
    done = ask("capture", "--all")
    assert done.returncode == 1
    assert len(done.stdout.split()) == 1
    assert "contrace: bad " in done.stderr and "404" in done.stderr
    done = ask("capture", "--service=bad")
    assert done.returncode == 1 and done.stdout == "" and "404" in done.stderr
    done = ask("capture", "--service=bad", "--json")
    assert done.returncode == 1 and json.loads(done.stdout).get("key") is None
    d.stop()


def test_capture_of_nobody(serve, steered):
    s = serve(healthy())
    d, ask = steered([job("s", s.address)])
    d.wait_captured()
    done = ask("capture", "--service=t")
    assert done.returncode == 1 and done.stdout == ""
    assert "`t`" in done.stderr and "s" in done.stderr
    assert ask("capture", "http://127.0.0.1:1/debug/pprof/trace").returncode == 1
    assert ask("capture", s.address, "--seconds=99").returncode == 1
    for argv in (["capture"], ["capture", "a", "b"], ["capture", "--all", "--job=x"],
                 ["capture", "a", "--seconds=soon"]):  # fmt: skip
        assert ask(*argv).returncode == 2, argv
    assert len(s.requests) == 1
    d.stop()


def test_capture_too_often(serve, steered):
    """The allowance: when to try again is said."""
    s = serve(healthy())
    d, ask = steered([job("s", s.address)], glob={"seconds": 5, "scrape_timeout": "30s"})
    d.wait_captured()
    for _ in range(20):
        done = ask("capture", "--all")
        if done.returncode:
            break
    assert done.returncode == 1
    assert "again in " in done.stderr
    d.stop()


def test_capture_without_waiting(serve, steered):
    gate = threading.Event()
    s = serve(healthy(), gated(gate))
    d, ask = steered([job("s", s.address)])
    d.wait_captured()
    done = ask("capture", "--all", "--no-wait")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 asked for\n")
    gate.set()
    d.wait_captured(count=2)
    d.stop()


def test_capture_interrupted(serve, steered):
    """The capture goes on; contrace ends by the signal."""
    gate = threading.Event()
    s = serve(healthy(), gated(gate))
    d, ask = steered([job("s", s.address)])
    d.wait_captured()
    argv = [BUILD / "contrace", "capture", "--all",
            f"--address=unix:{d.directory / 'contraced.sock'}"]  # fmt: skip
    capturing = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    wait_until("it has begun", lambda: len(s.requests) == 2)
    capturing.send_signal(signal.SIGINT)
    assert "goes on" in capturing.communicate(timeout=60)[1]
    assert capturing.returncode == -signal.SIGINT
    gate.set()
    d.wait_captured(count=2)
    d.stop()


def test_suspend_and_resume(serve, steered):
    s = serve(healthy())
    d, ask = steered([job("s", s.address)])
    d.wait_captured()
    done = ask("suspend", "--reason=load test")
    assert (done.returncode, done.stdout) == (0, "suspended:\n  by api: load test\n")
    assert wait_suspended(d, "the API (load test): suspended, no scheduled captures")
    assert "suspended  by api for 0s: load test\n" in ask("status").stdout
    assert ask("capture", "--all").returncode == 0, "captures that are asked for still work"
    assert ask("resume").stdout == "resumed\n"
    assert "suspended" not in ask("status").stdout
    assert json.loads(ask("suspend", "--json").stdout) == {"suspended": True, "causes": ["api"]}
    assert json.loads(ask("resume", "--json").stdout) == {"suspended": False, "causes": []}
    assert ask("suspend", "now").returncode == 2
    d.stop()


def test_resume_says_what_still_holds(serve, steered, tmp_path):
    """The operator's wish ends, by whichever way it came; the flag file stays."""
    s = serve(healthy())
    d, ask = steered([job("s", s.address)])
    d.wait_captured()
    d.signal(signal.SIGUSR2)
    wait_suspended(d, "SIGUSR2")
    assert "by signal" in ask("status").stdout
    assert ask("resume").stdout == "resumed\n"
    text = json.loads(d.config.read_text())
    flag = tmp_path / "flag"
    flag.touch()
    d.write_config(None, text=json.dumps({**text, "suspend": {"flag_file": str(flag)}}))
    d.signal(signal.SIGHUP)
    wait_suspended(d, "is there")
    ask("suspend")
    done = ask("resume")
    assert done.returncode == 0
    assert done.stdout == f"still suspended:\n  by flag_file: {flag}; remove the file\n"
    assert len(d.log(message_id=SUSPENDED)) == 5
    d.stop()


def clean(**more):
    return {"CONTRACE_ADDRESS": "", "CONTRACE_TOKEN_FILE": "", **more}


def test_nobody_answers(tmp_path):
    for address, words in [
        (f"unix:{tmp_path}/none.sock", "none.sock"),
        ("127.0.0.1:1", "127.0.0.1:1: Connection refused"),
        ("unix:@nobody-listens-there", "unix:@nobody-listens-there"),
    ]:
        for argv in (["status"], ["capture", "--all"], ["suspend"], ["resume"]):
            done = contrace(argv[0], f"--address={address}", *argv[1:], env=clean())
            assert done.returncode == 1 and done.stdout == "", done
            assert "no contraced answers at " in done.stderr and words in done.stderr
            assert "Is it running" in done.stderr
    for address in ("", "unix:", "http://a:b@c", "http://a/path", "ftp://a", "a:99999"):
        done = contrace("status", f"--address={address}", env=clean())
        assert done.returncode == 2 and "expected" in done.stderr, (address, done)


def test_which_address(serve, daemon, tmp_path):
    """--address, the environment, a configuration; of several addresses a socket that answers."""
    sock, gone = tmp_path / "contraced.sock", tmp_path / "gone.sock"
    token = tmp_path / "token"
    token.write_text("let-me-in\n")
    token.chmod(0o600)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    d = daemon([job("s", serve(healthy()).address)],
               web={"listen_address": f"unix:{sock}, 127.0.0.1:{port}",
                    "bearer_token_file": str(token)})  # fmt: skip
    wait_until("the socket is there", sock.exists)

    def status(*argv, **env):
        return contrace("status", *argv, env=clean(**env))

    assert status(f"--address=unix:{sock}").returncode == 0
    assert status(CONTRACE_ADDRESS=f"unix:{sock}").returncode == 0
    assert status(f"--config.file={d.config}").returncode == 0
    assert status(f"--config.file={d.config}", CONTRACE_ADDRESS="unix:/nowhere").returncode == 0
    # TCP wants the token, which is never quoted.
    for where in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"):
        done = status(f"--address={where}")
        assert done.returncode == 1 and "wants a token" in done.stderr
        assert status(f"--address={where}", f"--token-file={token}").returncode == 0
        assert status(f"--address={where}", CONTRACE_TOKEN_FILE=str(token)).returncode == 0
    other = tmp_path / "other"
    other.write_text("let-me-out\n")
    other.chmod(0o600)
    done = status(f"--address=127.0.0.1:{port}", f"--token-file={other}")
    assert done.returncode == 1 and "refuses the token" in done.stderr
    assert "let-me" not in done.stderr
    other.chmod(0o646)
    assert "secret file" in status(f"--address=127.0.0.1:{port}", f"--token-file={other}").stderr
    # A socket that nobody answers gives way, with the token of the configuration.
    text = json.loads(d.config.read_text())
    elsewhere = tmp_path / "elsewhere.yaml"
    text["web"]["listen_address"] = f"unix:{gone}, 127.0.0.1:{port}"
    elsewhere.write_text(json.dumps(text))
    assert status(f"--config.file={elsewhere}").returncode == 0
    text["web"]["listen_address"] = f"unix:{gone}, 127.0.0.1:1"
    elsewhere.write_text(json.dumps(text))
    done = status(f"--config.file={elsewhere}")
    assert f"nor at unix:{gone} (No such file or directory)" in done.stderr
    text["web"]["listen_address"] = "off"
    elsewhere.write_text(json.dumps(text))
    assert "web.listen_address is off" in status(f"--config.file={elsewhere}").stderr
    assert status(f"--config.file={tmp_path / 'none.yaml'}").returncode == 1
    d.stop()


def test_socket_of_others(serve, steered, tmp_path):
    """Who may not use the socket is told so."""
    need_root()
    d, ask = steered([job("s", serve(healthy()).address)])
    sock = d.directory / "contraced.sock"
    for p in (tmp_path, *tmp_path.parents):
        if p.stat().st_uid == 0 and p != pathlib.Path("/tmp") and p != pathlib.Path("/"):
            p.chmod(p.stat().st_mode | 0o011)
    d.config.chmod(0o644)
    # The build may lie below a home that others may not enter.
    for program in "contrace", "contrace-remote":
        shutil.copy2(BUILD / program, tmp_path)
    done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               tmp_path / "contrace", "status",
               f"--config.file={d.config}", check=False)  # fmt: skip
    assert done.returncode == 1
    assert f"unix:{sock}" in done.stderr
    d.stop()


class Scripted(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP on a unix socket: {path: (status, body, headers)}, bytes as they are, or an event
    that an answer waits for and that never comes."""

    daemon_threads = True

    def __init__(self, path, answers):
        self.answers, self.asked = answers, []
        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return ""

    def log_message(self, *args):
        pass

    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append((self.command, self.path, self.rfile.read(size)))
        found = self.server.answers.get(self.path.split("?")[0], (404, "", {}))
        if isinstance(found, threading.Event):
            found.wait()
            found = b""
        if isinstance(found, bytes):
            self.wfile.write(found)
            self.close_connection = True
            return
        status, body, *more = found
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (more[0] if more else {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET


@pytest.fixture
def scripted(tmp_path):
    servers = []

    def start(answers):
        server = Scripted(tmp_path / f"s{len(servers)}", answers)
        servers.append(server)
        return server, f"--address=unix:{server.server_address}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_contraced_that_goes_before_the_label(scripted):
    """What it took is told all the same, and was taken."""
    capture = {"service": "s", "target": "t", "outcome": "ok", "key": KEY_OF_ONE, "bytes": 5}
    server, where = scripted({
        "/api/v1/capture": (200, {"captures": [capture]}),
        "/api/v1/status": b"",
    })  # fmt: skip
    for argv, told in [(["--json"], json.dumps(capture, separators=(",", ":"))), ([], KEY_OF_ONE)]:
        done = contrace("capture", "--all", *argv, where)
        assert (done.returncode, done.stdout) == (0, told + "\n"), done
        assert "is that contraced?" in done.stderr
    assert {path for _, path, _ in server.asked} == {"/api/v1/capture", "/api/v1/status"}


def test_the_wait_for_a_label_interrupted(scripted):
    """What was taken is printed before the signal ends contrace."""
    capture = {"service": "s", "target": "t", "outcome": "ok", "key": KEY_OF_ONE, "bytes": 5}
    asked = threading.Event()
    server, where = scripted({
        "/api/v1/capture": (200, {"captures": [capture]}), "/api/v1/status": asked,
    })  # fmt: skip
    capturing = subprocess.Popen([BUILD / "contrace", "capture", "--all", "--json", where],
                                 stdout=subprocess.PIPE, text=True)  # fmt: skip
    wait_until("it waits for the label", lambda: len(server.asked) == 2)
    capturing.send_signal(signal.SIGINT)
    assert json.loads(capturing.communicate(timeout=60)[0]) == capture
    assert capturing.returncode == -signal.SIGINT
    asked.set()


def test_what_is_said_of_other_artifacts(scripted):
    """By the URL that was asked; without it, as of an older contraced, their name stands behind the
    target's URL, which is that of its traces. An empty profile is no failure, but told."""
    one = {"service": "s", "target": "http://t/trace", "key": None, "bytes": 0}
    key = KEY_OF_ONE.replace(".trace", ".mutex.pb.gz")
    captures = [
        {**one, "artifact": "mutex", "outcome": "missing", "text": "404; set profiles_path"},
        {**one, "artifact": "mutex", "outcome": "empty", "text": "no waits", "key": key},
        {**one, "artifact": "trace", "outcome": "busy", "text": ""},
        {**one, "artifact": "heap", "url": "http://t/heap", "outcome": "closed", "text": r'"\x1f"'},
    ]
    _, where = scripted({"/api/v1/capture": (200, {
        "captures": captures, "limited": [{**one, "artifact": "mutex", "retry_after_seconds": 3}],
        "placeless": [{**one, "artifact": "mutex"}],
    })})  # fmt: skip
    done = contrace("capture", "--all", where)
    assert (done.returncode, done.stdout) == (1, key + "\n")
    assert done.stderr.splitlines() == [
        "contrace: s http://t/trace: mutex: missing: 404; set profiles_path",
        "s http://t/trace: mutex: empty: no waits",
        "contrace: s http://t/trace: busy",
        r'contrace: s http://t/heap: closed: "\x1f"',
        "contrace: s http://t/trace: mutex: captured too often; try again in 4 s",
        "contrace: s http://t/trace: mutex: it is not known where: its `path` does not end in "
        "/trace, so profiles_path must say it",
    ]


def test_what_an_incident_under_way_lacks(scripted):
    artifact = {
        "artifact": "trace",
        "state": "ended",
        "outcome": "ok",
        "text": "",
        "key": KEY_OF_ONE,
    }
    incident = {"joined": True, "added": [], "lacks": ["heap", HOSTILE, "cpu"], "limit": "max_traced",
                "incident": "s/h/20261121/150405-1", "artifacts": [artifact]}  # fmt: skip
    _, where = scripted({"/api/v1/capture": (200, {"incidents": [incident]})})
    done = contrace("capture", "--all", "--incident", where)
    assert (done.returncode, done.stdout) == (0, KEY_OF_ONE + "\n")
    assert "the incident was under way and goes without heap, cpu: max_traced\n" in done.stderr


def assert_plain(done):
    for text in (done.stdout, done.stderr):
        assert all(c == "\n" or " " <= c <= "~" or c == "…" for c in text), repr(text)
    assert len(done.stderr) < 5000


def test_hostile_answers(scripted):
    """Nothing of it reaches the terminal as it is."""
    nasty = {"version": HOSTILE, "host": HOSTILE, "pid": -5, "start": HOSTILE, "now": 7,
             "config": {"file": HOSTILE}, "suspended": {"causes": [
                 {"cause": HOSTILE, "text": HOSTILE * 1000, "since": "never"}, 7, None]},
             "targets": 3, "captures": {"by_result": {HOSTILE: 3, "ok": "many"}},
             "spool": {"path": HOSTILE, "total_bytes": 2**62, "free_bytes": 1e300},
             "upload": {"to": HOSTILE, "failing": True, "breaker": HOSTILE},
             "inspections": []}  # fmt: skip
    target = {"state": HOSTILE, "service": HOSTILE, "host": HOSTILE, "address": HOSTILE,
              "failures": 2**40, "next": HOSTILE,
              "last": {"label": HOSTILE, "text": HOSTILE, "bytes": 2**63 - 1,
                       "scheduler_latency_p99_seconds": 1e308}}  # fmt: skip
    server, where = scripted({
        "/api/v1/status": (200, nasty),
        "/-/ready": (503, HOSTILE.encode() * 100),
        "/api/v1/targets": (200, {"targets": [target, 5, None, []], "total": -1, "after": None}),
        "/api/v1/capture": (200, {"captures": [
            {"service": HOSTILE, "target": HOSTILE, "outcome": HOSTILE, "text": HOSTILE},
            {"key": HOSTILE}, 3], "limited": [HOSTILE, {"service": HOSTILE}],
            "placeless": [HOSTILE, 7, {"target": HOSTILE}]}),
        "/api/v1/suspend": (200, {"suspended": True, "causes": 5}),
        "/api/v1/resume": (403, {"error": HOSTILE * 100}),
    })  # fmt: skip
    for argv in (["status"], ["status", "--json"], ["capture", "--all"], ["suspend"], ["resume"],
                 ["capture", "--all", "--json", "--no-wait"]):  # fmt: skip
        done = contrace(argv[0], where, *argv[1:])
        assert_plain(done)
        assert done.returncode in (0, 1), done
    assert contrace("status", where).returncode == 1


def test_answers_that_are_none(scripted):
    """Each says what is wrong, and with whom."""
    cases = [
        ((200, b"[1,2]"), "no JSON object"),
        ((200, b"<html>"), "no JSON object"),
        ((200, b""), "no JSON object"),
        ((404, b""), "is not contraced"),
        ((500, b""), "status 500"),
        ((500, {"error": "the disk is gone"}), "the disk is gone"),
        ((429, {"error": "too often"}, {"Retry-After": "42"}), "too often; try again in 42 s"),
        ((429, {"error": "too often; ask again in 7 s"}, {"Retry-After": "7"}), "often; ask again in 7 s\n"),
        ((429, b"", {"Retry-After": "soon"}), "status 429"),
        ((401, b""), "wants a token"),
        ((403, {"error": "the name is wrong"}), "the name is wrong"),
        ((503, {"error": "stopping"}), "stopping"),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), "status 302"),
        ((200, b'{"a":' * 100000), "no JSON object"),
        ((200, b'{"error": "' + b"x" * (17 << 20) + b'"}'), "longer than 16 MiB"),
        (b"SSH-2.0-OpenSSH\r\n", "cannot be used"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "cannot be used"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n", "cannot be used"),
    ]  # fmt: skip
    for found, words in cases:
        _, where = scripted({"/api/v1/suspend": found})
        done = contrace("suspend", where)
        assert done.returncode == 1, (found, done)
        assert words in done.stderr, (str(found)[:80], done.stderr)
        assert_plain(done)


def test_a_cursor_without_end(scripted):
    """Pages that never end, end."""
    page = {"targets": [{"service": "s"}], "total": 10**9, "after": "again"}
    server, where = scripted({
        "/api/v1/status": (200, {}), "/-/ready": (200, b"ready"), "/api/v1/targets": (200, page),
    })  # fmt: skip
    done = contrace("status", where, "-n", "50")
    assert done.returncode == 0
    assert "and 999999950 more" in done.stdout
    asked = [path for _, path, _ in server.asked if path.startswith("/api/v1/targets")]
    assert len(asked) == 50 and asked[1] == "/api/v1/targets?limit=49&after=again"
    empty = {"targets": [], "total": 3, "after": "again"}
    server.answers["/api/v1/targets"] = (200, empty)
    assert contrace("status", where).returncode == 0


def test_what_is_asked(scripted):
    server, where = scripted({
        "/api/v1/capture": (202, {"captures": [{"target": "t"}]}),
        "/api/v1/status": (200, {}), "/-/ready": (200, b""),
        "/api/v1/targets": (200, {"targets": []}),
        "/api/v1/suspend": (200, {"suspended": False}),
    })  # fmt: skip
    assert contrace("capture", where, "http://a:1/b?c", "--seconds=0.5", "--reason=é",
                    "--no-wait").returncode == 0  # fmt: skip
    assert contrace("suspend", where).returncode == 0
    assert contrace("status", where, "--service=a b&c=ü/").returncode == 0
    asked = {path.split("?")[0]: (method, path, body) for method, path, body in server.asked}
    assert json.loads(asked["/api/v1/capture"][2]) == {
        "wait": False, "target": "http://a:1/b?c", "seconds": 0.5, "reason": "é"}  # fmt: skip
    assert asked["/api/v1/suspend"] == ("POST", "/api/v1/suspend", b"")
    assert asked["/api/v1/targets"][1] == (
        "/api/v1/targets?limit=200&service=a%20b%26c%3D%C3%BC%2F"
    )
