# SPDX-License-Identifier: Apache-2.0
"""What a build says to the person who runs it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

from support import need

SRC = pathlib.Path(os.environ.get("CONTRACE_SRC_DIR", pathlib.Path(__file__).parents[2]))

PACKAGES = {
    "libcurl": "libcurl4-openssl-dev",
    "yaml-0.1": "libyaml-dev",
    "libsystemd": "libsystemd-dev",
    "jansson": "libjansson-dev",
    "expat": "libexpat1-dev",
    "libcrypto": "libssl-dev",
}


def configure(where, **env):
    return subprocess.run(
        [SRC / "configure"],
        cwd=where,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_missing_libraries_are_named_with_their_packages(tmp_path):
    """All that is missing is said at once, each library with the Debian package that has it."""
    result = configure(tmp_path, PKG_CONFIG_LIBDIR=str(tmp_path), PKG_CONFIG_PATH="")
    assert result.returncode != 0
    for library, package in PACKAGES.items():
        assert any(
            library in line and f"(Debian: {package})" in line
            for line in result.stderr.splitlines()
        ), (library, result.stderr)
    assert "scripts/install-deps" in result.stderr


def test_missing_unit_tests_are_named(tmp_path):
    """Without cmocka neither configure nor make check pass over what they leave out."""
    blind = tmp_path / "pkg-config"
    blind.write_text('#!/bin/sh\ncase " $* " in *cmocka*) exit 1 ;; esac\nexec pkg-config "$@"\n')
    blind.chmod(0o755)
    done = configure(tmp_path, PKG_CONFIG=str(blind))
    assert done.returncode == 0, done.stderr
    assert re.search(r"unit tests +NO: .* cmocka .*libcmocka-dev", done.stdout + done.stderr)
    checked = subprocess.run(
        ["make", "-C", tmp_path, "-j2", "check-local", "TESTS="],  # builds all of it
        capture_output=True, text=True, timeout=3600, check=True,
    )  # fmt: skip
    n = len(list((SRC / "tests/unit").glob("test_*.c")))
    assert f"NOT RUN: the unit tests ({n} programs): " in checked.stdout
    assert "libcmocka-dev" in checked.stdout
    summary = checked.stdout.index("Testsuite summary")
    assert checked.stdout.index("NOT RUN") > summary


def test_hanging_unit_test_ends():
    """It says which it is, and how a slow machine gives it more time."""
    program = pathlib.Path(os.environ["CONTRACE_BUILD_DIR"]) / "tests/unit/test_inspector"
    need(program.exists(), "the unit tests are not built: make check TESTS=")
    env = {**os.environ, "CONTRACE_SRC_DIR": str(SRC), "CONTRACE_TEST_LIMIT": "1"}
    done = subprocess.run([program], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGALRM  # two children that hang are waited for, 1 s each
    assert done.stderr.startswith("test_inspector: the test above hangs, or ")
    assert "CONTRACE_TEST_LIMIT=SECONDS" in done.stderr


def test_coverage_by_room(tmp_path):
    """Files of code alone, each with the room that it lies in."""
    gcov = subprocess.run(["gcov", "--version"], capture_output=True).returncode == 0
    need(gcov and shutil.which("gcc"), "no gcc with its gcov")
    (tmp_path / "base").mkdir()
    (tmp_path / "lib/net").mkdir(parents=True)
    (tmp_path / "trace").mkdir()
    (tmp_path / "cli").mkdir()
    (tmp_path / "base/one.h").write_text("static inline int one(void)\n{\n    return 1;\n}\n")
    (tmp_path / "base/never.c").write_text(
        "int never(void);\nint never(void)\n{\n    return 0;\n}\n"
    )
    (tmp_path / "lib/net/main.c").write_text(
        '#include "base/one.h"\nint main(int n, char **v)\n{\n    (void)v;\n'
        "    if (n > 1)\n        return 2;\n    return one() - 1;\n}\n"
    )
    for source in ("base/never", "lib/net/main"):
        subprocess.run(
            ["gcc", "--coverage", "-O0", "-I.", "-c", f"{source}.c", "-o", f"{source}.o"],
            cwd=tmp_path, check=True,
        )  # fmt: skip
    objects = ["base/never.o", "lib/net/main.o"]
    subprocess.run(["gcc", "--coverage", *objects, "-o", "program"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "program"], check=True)
    said = subprocess.run(
        [SRC / "scripts/coverage", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in said.splitlines()]
    assert [row[0] for row in rows] == ["base", "lib/net", "all"]
    assert rows[0][1:4] == ["0", "of", "2"]
    assert rows[1][1:4] == ["3", "of", "4"]
    assert rows[2][1:4] == ["3", "of", "6"]


def test_hardening_is_in_the_program():
    """The flags that configure found are in the binary: position-independent, relro, bind-now, no executable stack."""
    binary = pathlib.Path(os.environ["CONTRACE_BUILD_DIR"]) / "contraced"
    elf = subprocess.run(
        ["readelf", "-Wldh", binary], capture_output=True, text=True, check=True
    ).stdout
    assert "DYN (Position-Independent Executable" in elf
    assert "GNU_RELRO" in elf
    assert "BIND_NOW" in elf or "FLAGS_1" in elf and "NOW" in elf
    stack = next(line for line in elf.splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack


def test_staged_install(tmp_path):
    """make install DESTDIR= puts everything below it, the unit with its paths filled in."""
    build = os.environ["CONTRACE_BUILD_DIR"]
    subprocess.run(
        ["make", "-s", "-C", build, "install", f"DESTDIR={tmp_path}"],
        check=True,
        capture_output=True,
        timeout=300,
    )
    installed = {path.name: path for path in tmp_path.rglob("*") if path.is_file()}
    for name in (
        "contraced",
        "contraced.service",
        "contraced.8",
        "contraced.yaml.5",
        "contraced.yaml",
    ):
        assert name in installed, sorted(installed)
    assert installed["contrace-remote"].parent.name == "contrace"
    unit = installed["contraced.service"].read_text()
    program = "/" + str(installed["contraced"].relative_to(tmp_path))
    assert f"ExecStart={program}" in unit
    assert not re.search(r"@\w+dir@", unit), unit
