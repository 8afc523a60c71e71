# SPDX-License-Identifier: Apache-2.0
"""The labels that the rules have, as the one table of them tells: trace/findings/code.h."""

import pathlib
import re

SRC = pathlib.Path(__file__).resolve().parents[2]

TABLE = (SRC / "trace/findings/code.h").read_text()
# The code of each rule with the name of its file, a cause before its consequence.
RULES = {code: name for name, code in re.findall(r'^    CODE\((\w+), "([a-z-]+)"\)', TABLE, re.M)}
NOT_INSPECTED = re.search(r'#define CODE_NOT_INSPECTED "([a-z-]+)"', TABLE)[1]
WELL = ["healthy", "idle"]
LABELS = [*RULES, *WELL]
