#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many small files in one, as tests/support/txtar.h says.

txtar.py INTO ARCHIVE…      unpacks them into a directory, as seeds for a fuzzer
"""

import pathlib
import re
import sys

HEADER = re.compile(rb"^-- (.+) --\n", re.MULTILINE)


def files(archive):
    """The files by their names."""
    _, *rest = HEADER.split(pathlib.Path(archive).read_bytes())
    return {name.decode(): data for name, data in zip(rest[::2], rest[1::2], strict=True)}


def main():
    into = pathlib.Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    for archive in sys.argv[2:]:
        for name, data in files(archive).items():
            (into / name).write_bytes(data)


if __name__ == "__main__":
    main()
