"""The entries of docs/troubleshooting.md."""

import re
from typing import NamedTuple

from testing.project import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()


class Entry(NamedTuple):
    """What stands under one heading: the lines, and why they are not brought about here, if they are not."""

    lines: str
    reason: str


def entry(text: str) -> Entry:
    """Take the entry from what stands under its heading."""
    lines = "".join(re.findall(r"(?<!stands for others -->\n)^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    reason = re.search(r"^<!-- not brought about here: (.+) -->\n```text$", text, re.MULTILINE)
    return Entry(lines, reason[1] if reason else "")


ENTRIES = {
    title: entry(text)
    for section in PAGE.split("\n## ")
    for title, _, text in [part.partition("\n") for part in section.split("\n### ")[1:]]
}
LINES = "".join(found.lines for found in ENTRIES.values())
