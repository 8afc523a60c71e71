# SPDX-License-Identifier: Apache-2.0
"""Commands of the documentation, run as they stand.

A fenced block of `sh` is typed as it stands. In one of `console` a line after `$ ` is typed, with
those after `> ` that belong to it; the lines below are some of what it prints. All other blocks
have another language, and nobody types them. CONTRIBUTING.md says the same.
"""

import dataclasses
import re
import subprocess

from labels import LABELS
from support import SRC

FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
TYPED = ("sh", "console")
MARK = "@@typed@@"


@dataclasses.dataclass
class Block:
    page: str
    language: str
    text: str
    start: int  # of the text, in the page

    def name(self):
        return f"{self.page}: {self.text.splitlines()[0]}"


@dataclasses.dataclass
class Command:
    text: str
    sample: list  # lines that it is said to print
    block: Block


def blocks(page):
    text = (SRC / page).read_text()
    return [Block(page, m[1], m[2], m.start(2)) for m in FENCE.finditer(text)]


def commands(block):
    if block.language == "sh":
        return [Command(block.text, [], block)]
    found = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:] + "\n", [], block))
        elif line.startswith("> ") and not found[-1].sample:
            found[-1].text += line[2:] + "\n"
        else:
            found[-1].sample.append(line)
    return found


# What waits for a person, or for ever, is left again once it works.
PRELUDE = """
set -eo pipefail
serves() {
    local out
    out=$(mktemp)
    BROWSER=true "$@" >"$out" 2>&1 &
    for _ in $(seq 600); do
        grep -q 'listening on' "$out" && { kill $!; return 0; }
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    cat "$out"
    return 1
}
"""


def as_run(text):
    """A command as a script has it: nobody is there to end it, or to wait for what it starts."""
    text = re.sub(r"^((?:\w+=\S+ )*)(go tool trace )", r"\1serves \2", text, flags=re.MULTILINE)
    return re.sub(r" &$", " &\nsleep 3", text, flags=re.MULTILINE)


def session(page_commands, shell, **options):
    """Types the commands in order, with a moment between them. What each has printed, up to the one
    that fails; and a status.

    shell: the words that run bash somewhere.
    """
    script = PRELUDE + "".join(
        f"sleep 1; echo; echo {MARK}\n{as_run(c.text)}" for c in page_commands
    )
    done = subprocess.run(
        [*shell, "bash", "-s"], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False, **options,
    )  # fmt: skip
    return [said.strip("\n") for said in done.stdout.split(f"\n{MARK}\n")[1:]], done.returncode


SHAPE = [
    # An older Go fetches the one that opens the trace.
    (re.compile(r"GOTOOLCHAIN=\S+ (?=go tool trace)"), ""),
    # A trace that has only just come has no label yet.
    (re.compile(rf"\b({'|'.join(LABELS)})\b|(?<=complete)\s+-(?= )"), " LABEL"),
    (re.compile(r"^capturing\b"), "ok"),
    (re.compile(r"\d[\d,.:]*([KMGT]i?B|kB|MB|GB|B|ns|us|µs|ms|s|m|h|d|%|x)?(?![a-z])"), "#"),
    (re.compile(r"#(\s*#)*(\s+(ns|us|µs|ms|s|kB|MB|GB)\b)?"), "#"),
    (re.compile(r"\bevents?|generations?|traces?\b"), lambda m: m[0].rstrip("s")),
    # Not every terminal has arrows.
    (re.compile("←"), "<-"),
    (re.compile("→"), "->"),
    (re.compile(r"\s+"), " "),
]


def shape(line):
    """What stays the same from one run to the next."""
    for pattern, put in SHAPE:
        line = pattern.sub(put, line)
    return line.strip()


def compare(sample, said):
    """The lines of what was said that stand for the sample's; and the first that none stands for."""
    rest = iter(said.splitlines())
    found = []
    for line in sample:
        if line.strip() in ("", "…"):
            found.append(line)
            continue
        wanted = shape(line)
        real = next((r for r in rest if shape(r) == wanted), None)
        if real is None:
            return found, line
        found.append(real)
    return found, None


def rewrite(page, samples):
    """Puts real lines in the place of samples: (command, lines) in the page's order."""
    text = (SRC / page).read_text()
    for block in reversed(blocks(page)):
        of_block = [(c, lines) for c, lines in samples if c.block.start == block.start]
        if block.language != "console" or not of_block:
            continue
        typed = "".join(
            "$ "
            + c.text.rstrip("\n").replace("\n", "\n> ")
            + "\n"
            + "".join(f"{n}\n" for n in lines)
            for c, lines in of_block
        )
        text = text[: block.start] + typed + text[block.start + len(block.text) :]
    (SRC / page).write_text(text)
