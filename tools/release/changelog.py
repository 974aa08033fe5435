"""Read CHANGELOG.md: a section for each version, the newest first, under `## VERSION - YYYY-MM-DD`."""

import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


class ReleaseError(Exception):
    """The tree cannot be released. The text says what would help."""


class Section(NamedTuple):
    """The changes of a version."""

    version: str
    date: str  # YYYY-MM-DD
    text: str  # Markdown, without the heading


def section(version: str, changelog: str) -> Section:
    """Return the section of a version. Raises ReleaseError unless there is exactly one, with an item in it."""
    found = re.findall(rf"^## {re.escape(version)} - (\S+)\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if len(found) > 1:
        raise ReleaseError(f"{CHANGELOG.name} has {len(found)} sections for {version}; make one of them")
    if not found or not _is_date(found[0][0]):
        raise ReleaseError(f"{CHANGELOG.name} has no section for {version}; head one: ## {version} - YYYY-MM-DD")
    day, text = found[0]
    if not re.search(r"^- \S", text, re.MULTILINE):
        raise ReleaseError(f"{CHANGELOG.name} says nothing of {version}; write what changed for its users: - ...")
    return Section(version, day, text.strip())


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def released(tag: str, version: str, changelog: str) -> Section:
    """Return the section of the tag's version. Raises ReleaseError if the tag does not match the tree's version."""
    if tag != f"v{version}":
        raise ReleaseError(f"the tag {tag} is not v{version}, of the version in probe/__init__.py; change one of them")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ReleaseError(f"the version {version} is none of a release; a release has three numbers: 1.2.0")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    if newest and newest[1] != version:
        raise ReleaseError(f"{CHANGELOG.name} begins with {newest[1]}, not with {version}; the newest comes first")
    return section(version, changelog)
