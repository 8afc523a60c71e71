# SPDX-License-Identifier: Apache-2.0
"""What a build says to the person who runs it."""

import os
import pathlib
import re
import subprocess

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
        ["make", "-C", tmp_path, "check-local", "TESTS="],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    n = len(list((SRC / "tests/unit").glob("test_*.c")))
    assert f"NOT RUN: the unit tests ({n} programs): " in checked.stdout
    assert "libcmocka-dev" in checked.stdout
    summary = checked.stdout.index("Testsuite summary")
    assert checked.stdout.index("NOT RUN") > summary


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
