"""The tags that a version's images get."""

from tools.release.images import tags


def test_a_version_has_its_own_tag_that_of_its_minor_and_that_of_the_newest() -> None:
    assert tags("1.2.3") == ["1.2.3", "1.2", "latest"]
