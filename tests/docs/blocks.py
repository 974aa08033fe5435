"""The fenced blocks of the documentation, and how each is tried: the comment directly above a block says so.

    <!-- runs -->                      a test runs the commands
    <!-- runs: docker -->              the same, on an engine that has the images of this project
    <!-- runs: docker, with WHAT -->   the same, with another image, or with `compose`
    <!-- run by FILE -->               that file of the project has the same commands, and runs them
    <!-- file: NAME -->                the block is a file for the commands below it
    <!-- from FILE -->                 an excerpt of that file of the project
    <!-- not run here: REASON -->

A block of the language text is what is printed, and needs no comment. Directly behind commands that run it is all that
they print.
"""

import re
import textwrap
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from tests.docs.messages import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

KINDS = {
    "runs": r"runs",
    "docker": r"runs: docker(?:, with (\S+))?",
    "run by": r"run by (\S+)",
    "file": r"file: (\S+)",
    "from": r"from (\S+)",
    "not run": r"not run here: (.+)",
}

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$"
    r"(?:\n\s*^(?P=indent)```text\n(?P<printed>.*?)^(?P=indent)```$)?",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"^ *<!-- (.*) -->\n\Z", re.MULTILINE)
ONE_SESSION = "<!-- one session -->\n"


class Block(NamedTuple):
    """A block, and what stands around it."""

    page: Path
    line: int  # of its fence
    section: str
    language: str
    kind: str  # of KINDS, or nothing where no comment says it
    argument: str
    text: str
    printed: str | None

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.page.name}:{self.line}"


class Session(NamedTuple):
    """Blocks that are tried in one shell, from top to bottom."""

    name: str
    blocks: list[Block]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page but those that are only printed."""
    text = page.read_text()
    return [_block(page, text[: found.start()], found) for found in FENCE.finditer(text) if found["language"] != "text"]


def _block(page: Path, before: str, found: re.Match[str]) -> Block:
    mark = MARK.search(before)
    kind, argument = _kind(mark[1] if mark else "")
    sections = re.findall(r"^## (.*)$", before, re.MULTILINE)
    return Block(
        page,
        before.count("\n") + 1,
        sections[-1] if sections else "",
        found["language"],
        kind,
        argument,
        textwrap.dedent(found["text"]),
        None if found["printed"] is None else textwrap.dedent(found["printed"]),
    )


def _kind(mark: str) -> tuple[str, str]:
    for kind, pattern in KINDS.items():
        if found := re.fullmatch(pattern, mark):
            return kind, "".join(filter(None, found.groups()))
    return "", ""


def sessions(page: Path, *kinds: str) -> list[Session]:
    """Those of its blocks that are of these kinds: a session for each section, or one where the page says so."""
    found = [block for block in blocks(page) if block.kind in kinds]
    if ONE_SESSION in page.read_text():
        return [Session(page.name, found)]
    return [
        Session(f"{page.name}: {section}", list(part)) for section, part in groupby(found, lambda block: block.section)
    ]


def commands(block: Block) -> list[str]:
    """Its lines, without comments."""
    lines = (re.sub(r"(^|\s+)#.*", "", line) for line in block.text.splitlines())
    return [line.strip() for line in lines if line.strip()]
