"""The fenced blocks of the documentation, and how each is tried: the comment directly above a block says so.

    <!-- runs -->                      a test runs the commands
    <!-- runs: docker -->              the same, on an engine that has the images of this project
    <!-- runs: docker, with WHAT -->   the same, with another image, or with `compose`
    <!-- run by FILE -->               that file of the project has the same commands, and runs them
    <!-- file: NAME -->                the block is a file for the commands below it, or a unit of systemd
    <!-- from FILE -->                 an excerpt of that file of the project
    <!-- not run here: REASON -->

A block of the language text is what is printed, and needs no comment. Directly behind commands that run it is all that
they print, and where commands run it stands nowhere else.
"""

import re
import textwrap
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

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
    "not run": r"not run here: (\S+(?: \S+){2,})",  # no reason has fewer than three words
}

LIKE_A_FENCE = r"[ \t>*+\d.-]*(?:```|~~~)"  # in a list or a quote, too
TEXT = rf"(?:(?!{LIKE_A_FENCE}).*\n)*"
FENCE = re.compile(
    rf"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>{TEXT})(?P=indent)```$"
    rf"(?:\n\s*^(?P=indent)```text\n(?P<printed>{TEXT})(?P=indent)```$)?",
    re.MULTILINE,
)
STRAY = re.compile(rf"^{LIKE_A_FENCE}|<pre\b", re.MULTILINE)
PROMPT = re.compile(r"^[ \t>]*\$ ", re.MULTILINE)  # commands stand without one, and for themselves
MARK = re.compile(r"^ *<!-- (.*) -->\n\Z", re.MULTILINE)
ONE_SESSION = "<!-- one session -->\n"


def called(page: Path) -> str:
    """The page's name from the project's folder, where it is one of the project's."""
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


def place(page: Path, line: int) -> str:
    """Where that line is, for people."""
    return f"{called(page)}:{line}"


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
        return place(self.page, self.line)


class Session(NamedTuple):
    """Blocks that are tried in one shell, from top to bottom."""

    name: str
    blocks: list[Block]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page but those that are only printed."""
    text = page.read_text()
    return [_block(page, text, found) for found in FENCE.finditer(text) if found["language"] != "text"]


def strays(page: Path) -> list[str]:
    """The places of lines that look like a block's, or a command's, and are of no block that is looked at."""
    text = page.read_text()
    outside = FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines = [_line(outside, found) for found in STRAY.finditer(outside)]
    lines += [_line(text, found) for found in PROMPT.finditer(text)]
    return [place(page, line) for line in sorted(lines)]


def apart(page: Path) -> list[str]:
    """The places of what is printed that does not stand directly behind commands, where a section has some that run."""
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
    """Those of its blocks that are of these kinds: a session for each section, or one where the page says so."""
    found = [block for block in blocks(page) if block.kind in kinds]
    if ONE_SESSION in page.read_text():
        return [Session(called(page), found)]
    return [
        Session(f"{called(page)}: {section}", list(part))
        for section, part in groupby(found, lambda block: block.section)
    ]


def unused(session: Session) -> list[str]:
    """The places of files behind which no command of the session stands; systemd's are tried by themselves."""
    last = max((at for at, block in enumerate(session.blocks) if block.kind != "file"), default=-1)
    behind = [block for block in session.blocks[last + 1 :] if block.language != "ini"]
    return [block.place for block in behind]


def commands(block: Block) -> list[str]:
    """Its lines, without comments."""
    lines = (re.sub(r"(^|\s+)#.*", "", line) for line in block.text.splitlines())
    return [line.strip() for line in lines if line.strip()]
