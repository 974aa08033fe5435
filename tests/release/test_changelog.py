"""Which tags may be released, and what is said of them."""

import pytest

from probe import __version__
from release import changelog
from release.changelog import ReleaseError, Section, released

CHANGELOG = """# Changelog

## Unreleased

- Not yet.

## 1.1.0 - 2026-12-01

## 1.0.0 - 2026-11-24

- One.

### More

- Two.

## 0.9.0 - 2026-11-01

- Old.
"""


def test_the_notes_are_the_section_of_the_version_and_no_other() -> None:
    assert released("v1.0.0", "1.0.0", CHANGELOG) == Section("1.0.0", "2026-11-24", "- One.\n\n### More\n\n- Two.")
    assert released("v0.9.0", "0.9.0", CHANGELOG).text == "- Old."


@pytest.mark.parametrize(
    ("tag", "version", "reason"),
    [
        pytest.param("v1.0.1", "1.0.0", "the tag v1.0.1 is not v1.0.0", id="another version"),
        pytest.param("1.0.0", "1.0.0", "the tag 1.0.0 is not v1.0.0", id="no v"),
        pytest.param("v1.0", "1.0", "has no section for 1.0; head one: ## 1.0 - YYYY-MM-DD", id="no section"),
        pytest.param("v100", "1.0.0", "the tag v100 is not v1.0.0", id="dots are dots"),
        pytest.param("v1.1.0", "1.1.0", "says nothing of 1.1.0", id="an empty section"),
    ],
)
def test_a_tag_is_refused_with_the_reason(tag: str, version: str, reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        released(tag, version, CHANGELOG)


def test_this_tree_can_be_released() -> None:
    assert released(f"v{__version__}", __version__, changelog.CHANGELOG.read_text()).text
