"""The entries of docs/troubleshooting.md."""

import re
from dataclasses import dataclass

from testing.project import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()


@dataclass(frozen=True)
class Entry:
    """The lines under one heading, and why no test brings them about, if so."""

    lines: str
    reason: str


def entry(text: str) -> Entry:
    """Read an entry from the text below its heading."""
    lines = "".join(re.findall(r"(?<!stands for others -->\n)^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    reason = re.search(r"^<!-- not brought about here: (.+) -->\n```text$", text, re.MULTILINE)
    return Entry(lines, reason[1] if reason else "")


ENTRIES = {
    title: entry(text)
    for section in PAGE.split("\n## ")
    for title, _, text in [part.partition("\n") for part in section.split("\n### ")[1:]]
}
LINES = "".join(found.lines for found in ENTRIES.values())
