"""Which tags may be released, and what is said of them."""

import re

import pytest

from probe import __version__
from tools.release import changelog
from tools.release.changelog import ReleaseError, Section, released, section

CHANGELOG = """# Changelog

## 1.0.0 - 2026-11-24

- One.

### More

- Two.

## 0.9.0 - 2026-11-01

- Old.
"""


def test_the_notes_are_the_section_of_the_version_and_no_other() -> None:
    assert released("v1.0.0", "1.0.0", CHANGELOG) == Section("1.0.0", "2026-11-24", "- One.\n\n### More\n\n- Two.")
    assert section("0.9.0", CHANGELOG).text == "- Old."


NOT_THERE = "has no section for 1.1.0; head one: ## 1.1.0 - YYYY-MM-DD"
HEADING = "## 1.1.0 - 2026-12-01\n\n"


@pytest.mark.parametrize(
    ("changelog", "reason"),
    [
        pytest.param("", NOT_THERE, id="no section"),
        pytest.param("## 1.1.0\n\n- One.\n", NOT_THERE, id="no date"),
        pytest.param("## 1.1.0 - 2026-99-99\n\n- One.\n", NOT_THERE, id="no such date"),
        pytest.param(HEADING, "says nothing of 1.1.0", id="an empty section"),
        pytest.param(f"{HEADING}### Added\n\n<!-- soon -->\n", "says nothing of 1.1.0", id="no item"),
        pytest.param(f"{HEADING}- One.\n\n" * 2, "has 2 sections for 1.1.0", id="two sections"),
        pytest.param(f"## Unreleased\n\n{HEADING}- One.\n", "begins with Unreleased", id="not the first"),
    ],
)
def test_a_changelog_is_refused_with_the_reason(changelog: str, reason: str) -> None:
    with pytest.raises(ReleaseError, match=re.escape(reason)):
        released("v1.1.0", "1.1.0", f"# Changelog\n\n{changelog}")


@pytest.mark.parametrize(
    ("tag", "version", "reason"),
    [
        pytest.param("v1.0.1", "1.0.0", "the tag v1.0.1 is not v1.0.0", id="another version"),
        pytest.param("1.0.0", "1.0.0", "the tag 1.0.0 is not v1.0.0", id="no v"),
        pytest.param("v100", "1.0.0", "the tag v100 is not v1.0.0", id="dots are dots"),
        pytest.param("v1.0.0rc1", "1.0.0rc1", "the version 1.0.0rc1 is none of a release", id="before a release"),
    ],
)
def test_a_tag_is_refused_with_the_reason(tag: str, version: str, reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        released(tag, version, CHANGELOG)


def test_the_version_of_this_tree_has_its_section() -> None:
    assert section(__version__, changelog.CHANGELOG.read_text()).text
