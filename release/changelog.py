"""CHANGELOG.md: a section for each version, the newest first, headed `## VERSION - YYYY-MM-DD`."""

import re
from pathlib import Path
from typing import NamedTuple

CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"


class ReleaseError(Exception):
    """The tree cannot be released as it is; the text says what would help."""


class Section(NamedTuple):
    """What changed with a version."""

    version: str
    date: str  # YYYY-MM-DD
    text: str  # Markdown, without the heading


def section(version: str, changelog: str) -> Section:
    """The version's section. Raises ReleaseError where there is none, or nothing in it."""
    heading = re.compile(rf"^## {re.escape(version)} - (\d{{4}}-\d\d-\d\d)$", re.MULTILINE)
    found = heading.search(changelog)
    if not found:
        raise ReleaseError(f"{CHANGELOG.name} has no section for {version}; head one: ## {version} - YYYY-MM-DD")
    text = re.split(r"^## ", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not text:
        raise ReleaseError(f"{CHANGELOG.name} says nothing of {version}; write what changed for its users")
    return Section(version, found[1], text)


def released(tag: str, version: str, changelog: str) -> Section:
    """The section of the tag's version. Raises ReleaseError where the tag is not that of the tree's version."""
    if tag != f"v{version}":
        raise ReleaseError(f"the tag {tag} is not v{version}, of the version in probe/__init__.py; change one of them")
    return section(version, changelog)
