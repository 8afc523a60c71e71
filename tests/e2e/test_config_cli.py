# SPDX-License-Identifier: Apache-2.0
"""The command line, and what --check-config says. (tests/unit/fixtures has the bad configurations
by the dozen.)"""

import pathlib
import re

import pytest
import txtar
from support import BUILD, SRC, contraced

OPTIONS = (
    "--config.file", "--target", "--storage.path", "--upload.url", "--web.listen-address",
    "--interval", "--seconds", "--once", "--check-config", "--log.level", "--log.format",
    "--version", "--help",
)  # fmt: skip

BAD = """\
global:
  scrape_intervall: 1m
  seconds: two
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: ["ftp://x"]
"""


def check(path):
    return contraced("--check-config", f"--config.file={path}")


def test_good(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['h:80']}]\n")
    done = check(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: good\n", "")


def test_the_annotated_example_is_good():
    path = SRC / "conf" / "contraced.yaml"
    done = check(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: good\n", "")


def test_bad(tmp_path):
    """All errors of the file, in order, each with its place, the line and a caret."""
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    done = check(path)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == (
        f"{path}:2:3: unknown key `scrape_intervall` in global; did you mean `scrape_interval`?"
    )
    assert lines[1].endswith("  scrape_intervall: ...")
    assert lines[2].rstrip()[-1] == "^"
    assert lines[1].index("scrape_intervall") == lines[2].index("^")
    places = [re.match(re.escape(str(path)) + r":(\d+):(\d+): ", line) for line in lines]
    assert [p.groups() for p in places if p] == [("2", "3"), ("3", "12"), ("7", "19")]


def test_files_of_targets_are_read(tmp_path):
    """As promtool does: a fault in one is an error, that there is none yet is not."""
    path, found = tmp_path / "good.yaml", tmp_path / "typo.json"
    path.write_text(
        "scrape_configs:\n- job_name: a\n"
        f"  file_sd_configs: [{{files: ['{tmp_path}/*.json', '{tmp_path}/*.yml']}}]\n"
    )
    found.write_text('[{"targets": ["h:80"],\n  "label": {}}]\n')
    done = check(path)
    assert (done.returncode, done.stdout) == (1, "")
    warning, fault, *rest = done.stderr.splitlines()
    assert warning.endswith(f"file_sd {tmp_path}/*.yml matches no file: its targets come with one")
    assert fault.startswith(f"{found}:2:3: unknown key `label` in a group of targets; did you mean")
    assert rest == ['  "label": ...', "  ^"]

    found.write_text('[{"targets": ["h:80"]}]')
    done = check(path)
    assert (done.returncode, done.stdout) == (0, f"{path}: good\n")


@pytest.mark.parametrize(
    "topic, name",
    [
        ("keys", "unknown-far"), ("keys", "duplicate-key"), ("rules", "timeout-long"),
        ("upload", "upload-values"), ("upload-url", "upload-url-user"),
    ],
)  # fmt: skip
def test_bad_as_the_fixtures_say(topic, name, tmp_path):
    """Through the program itself: the same text as config_load's."""
    fixtures = txtar.files(SRC / "tests" / "unit" / "fixtures" / "config" / f"{topic}.txtar")
    path = tmp_path / f"{name}.yaml"
    path.write_bytes(fixtures[f"{name}.yaml"])
    done = check(path)
    assert done.returncode == 1
    assert done.stderr.replace(f"{tmp_path}/", "") == fixtures[f"{name}.expected"].decode()


def test_missing_file(tmp_path):
    done = check(tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{tmp_path}/none.yaml: cannot be read: No such file or directory\n"


def test_a_file_that_cannot_be_one(tmp_path):
    assert check(tmp_path).returncode == 1
    path = tmp_path / "binary.yaml"
    path.write_bytes(bytes(range(256)))
    done = check(path)
    assert done.returncode == 1 and done.stderr.startswith(f"{path}:")


def test_nothing_to_capture():
    if default_file().exists():
        pytest.skip(f"this machine has a {default_file()}")
    done = contraced()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"nothing to capture: there is no {default_file()};" in done.stderr
    assert "--target=URL" in done.stderr


def default_file():
    found = re.search(r"read this file \(([^)]+)\)", contraced("--help").stdout)
    return pathlib.Path(found[1])


def test_no_target_in_the_file(tmp_path):
    path = tmp_path / "none.yaml"
    path.write_text("global: {scrape_interval: 5m}\n")
    done = check(path)
    assert done.returncode == 1
    assert "no targets" in done.stderr or "nothing to capture" in done.stderr


def test_help():
    done = contraced("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in OPTIONS:
        assert option in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version():
    done = contraced("--version")
    version = re.search(r'PACKAGE_VERSION "([^"]+)"', (BUILD / "config.h").read_text())[1]
    assert (done.returncode, done.stdout, done.stderr) == (0, f"contraced {version}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-such-option"], "no-such-option"),
        (["--once=yes"], "once"),
        (["http://127.0.0.1:6060"], "--target=http://127.0.0.1:6060"),
        (["--target"], "requires an argument"),
        (["--interval=soon", "-t", "http://h:1"], "--interval=soon: expected a duration"),
        (["--interval=\x1b[2J\n"], "--interval=?[2J?: expected a duration"),
        (["--interval=http://u:canary@h"], "--interval=(not shown): expected"),
        (["--log.level=\x9b1m", "-t", "http://h:1"], "--log.level=?"),
        (["--interval=0s", "-t", "http://h:1"], "--interval=0s"),
        (["--seconds=-1", "-t", "http://h:1"], "--seconds=-1"),
        (["--log.level=loud", "-t", "http://h:1"], "error, warn, info or debug"),
        (["--log.format=xml", "-t", "http://h:1"], "text, json, journal"),
        (["--storage.path=", "-t", "http://h:1"], "--storage.path"),
    ],
)
def test_usage_errors(arguments, words):
    done = contraced(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    "target",
    ["127.0.0.1:6060", "ftp://h:1", "http://", "http://h:99999", "unix:", "=http://h:1", ""],
)
def test_bad_targets(target, tmp_path):
    done = contraced("--once", f"--target={target}", f"--storage.path={tmp_path}/spool")
    assert done.returncode == 1
    assert f"--target={target}: " in done.stderr
    assert not (tmp_path / "spool").exists()


def test_options_are_checked_together(tmp_path):
    done = contraced("-t", "http://h:1", "--interval=10s", "--check-config")
    assert done.returncode == 1
    assert "max_duty_cycle" in done.stderr
    done = contraced("-t", "http://h:1", "--interval=10m", "--seconds=1.5", "--check-config")
    assert done.returncode == 0, done.stderr


def test_options_win_over_the_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['127.0.0.1:1']}]\n"
        "storage: {path: /nonexistent/by-file}\n"
    )
    done = contraced("--once", f"-c{path}", f"--storage.path={tmp_path}/spool", "--log.format=json")
    assert done.returncode == 1
    assert f"traces in {tmp_path}/spool" in done.stderr


def test_storage_without_a_parent(tmp_path):
    done = contraced("--once", "-t", "http://127.0.0.1:1", f"--storage.path={tmp_path}/a/b")
    assert done.returncode == 1
    why = f"cannot use {tmp_path}/a/b for traces: its parent directory does not exist"
    assert why in done.stderr
