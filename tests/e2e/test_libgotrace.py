# SPDX-License-Identifier: Apache-2.0
"""libgotrace as another program uses it: installed, found by pkg-config, linked, run."""

import os
import re
import shutil
import subprocess

import pytest
from support import BUILD, SRC, need_program

pytestmark = pytest.mark.reading

PROGRAM = """#include <gotrace.h>
#include <stdio.h>

int main(void) {
    const struct gotrace_event *event;
    struct gotrace *trace;
    size_t n = 0;
    int r = gotrace_open_fd(NULL, 0, &trace);

    while (r >= 0 && (r = gotrace_next(trace, &event)) > 0)
        n++;
    printf("%u %zu %s\\n", gotrace_version(trace), n, gotrace_last_error(trace).text);
    gotrace_close(trace);
    return r < 0;
}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    top = tmp_path_factory.mktemp("install")
    subprocess.run(
        ["make", "-s", "-C", BUILD, "install", f"DESTDIR={top}"],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return top


def find(installed, name):
    (path,) = installed.rglob(name)
    return path


def sanitized():
    return "-fsanitize=address" in (BUILD / "Makefile").read_text()


def test_shows_nothing_but_its_header(installed):
    names = subprocess.run(
        ["nm", "-D", "--defined-only", find(installed, "libgotrace.so.0")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    symbols = {line.split()[-1] for line in names.splitlines()}
    declared = re.findall(
        r"GOTRACE_API[^;(]*?(gotrace_\w+)\(", (SRC / "trace/gotrace.h").read_text()
    )
    if not sanitized():
        assert symbols == set(declared)
    dynamic = subprocess.run(
        ["readelf", "-d", find(installed, "libgotrace.so.0")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    assert "Library soname: [libgotrace.so.0]" in dynamic


def test_another_program(installed, tmp_path):
    need_program("pkg-config", "pkgconf")
    if sanitized():
        pytest.skip("a plain program does not load a sanitized library")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    env = dict(
        os.environ,
        PKG_CONFIG_PATH=str(find(installed, "libgotrace.pc").parent),
        PKG_CONFIG_SYSROOT_DIR=str(installed),
    )
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libgotrace"],
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split()
    (tmp_path / "main.c").write_text(PROGRAM)
    subprocess.run(
        [compiler, "-Wall", "-Werror", "main.c", "-o", "main", *flags],
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    env["LD_LIBRARY_PATH"] = str(find(installed, "libgotrace.so").parent)
    run = subprocess.run(
        [tmp_path / "main"],
        input=b"go 1.26 trace\0\0\0",
        env=env,
        stdout=subprocess.PIPE,
        timeout=10,
    )
    assert (run.returncode, run.stdout) == (0, b"26 1 \n")
    run = subprocess.run(
        [tmp_path / "main"], input=b"<html>", env=env, stdout=subprocess.PIPE, timeout=10
    )
    assert (run.returncode, run.stdout) == (1, b"0 0 not a Go execution trace\n")
