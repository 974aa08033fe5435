"""The project's packages import one another in one direction, and nothing imports a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.project import ROOT, own_files

# Each folder, and what its modules may import of the project. The modules of build/ import one another by bare names.
MAY_IMPORT = {
    "probe": {"probe"},
    "accountservice": {"accountservice", "probe"},
    "build": {"probe"},
    "tools": {"tools", "probe"},
    "demo": {"demo", "tools"},
    "testing": {"testing", "tools", "accountservice", "probe"},
    "bench": {"bench", "testing", "tools"},
    "tests": {"testing", "bench", "demo", "tools", "accountservice", "probe"},
}
MODULES = [file for file in own_files() if file.suffix in (".py", ".spec")]


def imported(module: Path) -> Iterator[str]:
    """Return the first name of each import, at the top of the module or in a function."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield module.relative_to(ROOT).parts[0] if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("folder", sorted({module.relative_to(ROOT).parts[0] for module in MODULES}))
def test_a_folder_imports_what_it_may(folder: str) -> None:
    refused = MAY_IMPORT.keys() - MAY_IMPORT[folder]
    modules = [module for module in MODULES if module.is_relative_to(ROOT / folder)]
    assert [f"{module} imports {name}" for module in modules for name in imported(module) if name in refused] == []
