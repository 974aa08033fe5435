"""The name under which the Python package is distributed: `healthchecker` belongs to another project on PyPI."""

import re
import tomllib
from pathlib import Path

import pytest

from probe.licenses import DISTRIBUTION
from testing.project import ROOT, own_files

# The other project's name as what is installed, with or without extras and a version.
FOREIGN = re.compile(
    r"""\b(?:pipx?3?\ (?:[^|\n]*\ )?(?:install|download|run)|uv\ (?:[^|\n]*\ )?(?:install|add|run)|uvx|poetry\ add)
    \ [^|`\n]*?(?<![\w./-])healthchecker(?![\w./-])""",
    re.VERBOSE,
)

TEXTS = {
    "pip install healthchecker": True,
    "pip install 'healthchecker[service]'": True,
    "python3 -m pip --quiet install --upgrade healthchecker==1.1.1": True,
    "pipx run healthchecker": True,
    "uvx healthchecker": True,
    "pip install .": False,
    "pip install '.[service]'": False,
    "pip install healthchecker-probe": False,
    "pip install ./healthchecker_probe-0.1.0-py3-none-any.whl": False,
    "`pip install .` gives the command `healthchecker`": False,
}


@pytest.mark.parametrize(("text", "foreign"), TEXTS.items(), ids=list(TEXTS))
def test_an_installation_of_the_other_project_is_recognised(text: str, foreign: bool) -> None:
    assert bool(FOREIGN.search(text)) == foreign


def test_no_text_tells_anyone_to_install_the_other_project() -> None:
    texts = {file: file.read_text() for file in own_files() if file != Path(__file__)}
    assert len(texts) > 100
    assert [f"{file}: {found[0]}" for file, text in texts.items() for found in FOREIGN.finditer(text)] == []


def test_the_distribution_has_the_name_that_the_program_looks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION != "healthchecker"
