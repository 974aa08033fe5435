"""The fenced blocks of the documentation. The comment directly above a block says how it is tested.

    <!-- runs -->                      a test runs the commands
    <!-- runs: docker -->              a test runs them on an engine with the images of this project
    <!-- runs: docker, with WHAT -->   the same, with another image or with `compose`
    <!-- run by FILE -->               this file of the project contains the same commands, and runs them
    <!-- file: NAME -->                the block is a file for the commands below it, or a systemd unit
    <!-- from FILE -->                 the block is an excerpt of this file of the project
    <!-- not run here: REASON -->

A block of the language text is output, and needs no comment. It stands directly behind the commands that print it, and
is all that they print. A section whose commands run has no other output.
"""

import re
import textwrap
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from testing.project import ROOT

PAGES = [
    page
    for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "bench", ROOT / "build" / "bootloader")
    for page in sorted(folder.glob("*.md"))
]

KINDS = {
    "runs": r"runs",
    "docker": r"runs: docker(?:, with (\S+))?",
    "run by": r"run by (\S+)",
    "file": r"file: (\S+)",
    "from": r"from (\S+)",
    "not run": r"not run here: (\S+(?: \S+){2,})",  # a reason has three words at least
}

LIKE_A_FENCE = r"[ \t>*+\d.-]*(?:```|~~~)"  # in a list or a quote, too
TEXT = rf"(?:(?!{LIKE_A_FENCE}).*\n)*"
FENCE = re.compile(
    rf"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>{TEXT})(?P=indent)```$"
    rf"(?:\n\s*^(?P=indent)```text\n(?P<printed>{TEXT})(?P=indent)```$)?",
    re.MULTILINE,
)
STRAY = re.compile(rf"^{LIKE_A_FENCE}|<pre\b", re.MULTILINE)
PROMPT = re.compile(r"^[ \t>]*\$ ", re.MULTILINE)  # the documentation shows commands without a prompt
MARK = re.compile(r"^ *<!-- (.*) -->\n\Z", re.MULTILINE)
ONE_SESSION = "<!-- one session -->\n"


def called(page: Path) -> str:
    """Return the path of a page in the project, or the name of another page."""
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


def place(page: Path, line: int) -> str:
    """Return the line's place as PAGE:LINE."""
    return f"{called(page)}:{line}"


@dataclass(frozen=True)
class Block:
    """A block, and its place in the page."""

    page: Path
    line: int  # of its fence
    section: str
    language: str
    kind: str  # of KINDS, or empty without a comment
    argument: str
    text: str
    printed: str | None

    @property
    def place(self) -> str:
        """The block's place as PAGE:LINE."""
        return place(self.page, self.line)


@dataclass(frozen=True)
class Session:
    """Blocks that run in one shell, from top to bottom."""

    name: str
    blocks: list[Block]


def blocks(page: Path) -> list[Block]:
    """Return all blocks of a page but output."""
    text = page.read_text()
    return [_block(page, text, found) for found in FENCE.finditer(text) if found["language"] != "text"]


def strays(page: Path) -> list[str]:
    """Return the places of lines that look like a fence or a command, and belong to no block."""
    text = page.read_text()
    outside = FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines = [_line(outside, found) for found in STRAY.finditer(outside)]
    lines += [_line(text, found) for found in PROMPT.finditer(text)]
    return [place(page, line) for line in sorted(lines)]


def apart(page: Path) -> list[str]:
    """Return the places of output that stands apart from commands, in sections whose commands run."""
    text = page.read_text()
    running = {block.section for block in blocks(page) if block.kind in ("runs", "docker")}
    printed = [_block(page, text, found) for found in FENCE.finditer(text) if found["language"] == "text"]
    return [block.place for block in printed if block.section in running]


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    before = text[: found.start()]
    mark = MARK.search(before)
    kind, argument = _kind(mark[1] if mark else "")
    sections = re.findall(r"^## (.*)$", before, re.MULTILINE)
    return Block(
        page,
        _line(text, found),
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
    """Return the blocks of these kinds: a session for each section, or one if the page says `one session`."""
    found = [block for block in blocks(page) if block.kind in kinds]
    if ONE_SESSION in page.read_text():
        return [Session(called(page), found)]
    return [
        Session(f"{called(page)}: {section}", list(part))
        for section, part in groupby(found, lambda block: block.section)
    ]


def unused(session: Session) -> list[str]:
    """Return the places of files without a command below them. Units of systemd need none."""
    last = max((at for at, block in enumerate(session.blocks) if block.kind != "file"), default=-1)
    behind = [block for block in session.blocks[last + 1 :] if block.language != "ini"]
    return [block.place for block in behind]


def commands(block: Block) -> list[str]:
    """Return the lines of a block, without comments."""
    lines = (re.sub(r"(^|\s+)#.*", "", line) for line in block.text.splitlines())
    return [line.strip() for line in lines if line.strip()]
