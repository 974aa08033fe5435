"""The links and the paths of the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

from testing.blocks import PAGES, called
from testing.project import ROOT


def anchors(page: Path) -> set[str]:
    """The names by which GitHub lets headings be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[called(page) for page in PAGES])
def test_every_link_to_a_file_of_the_project_finds_it(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or target == "../../releases":  # GitHub's, beside the branch's files
            continue
        assert (page.parent / path).exists(), target
        if anchor:
            assert anchor in anchors(page.parent / path if path else page), target


NAMED = re.compile(r"`((?:accountservice|bench|build|demo|docs|probe|testing|tests|tools)/[\w./-]+)`")
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]


@pytest.mark.parametrize("page", PRESENT, ids=[called(page) for page in PRESENT])
def test_every_path_of_the_project_exists(page: Path) -> None:
    assert [path for path in NAMED.findall(page.read_text()) if not (ROOT / path).exists()] == []
