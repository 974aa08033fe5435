"""The tags that a version's images get."""

import pytest

from release.images import tags


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("1.2.3", ["1.2.3", "1.2", "latest"], id="a release"),
        pytest.param("1.2.3rc1", ["1.2.3rc1"], id="before a release"),
    ],
)
def test_a_version_has_these_tags(version: str, expected: list[str]) -> None:
    assert tags(version) == expected
