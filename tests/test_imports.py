"""The project's packages import one another in one direction, and nothing imports a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.project import ROOT, own_files

# Each folder, and what its modules may import of the project. The modules of build/ import one another by bare names.
MAY_IMPORT = {
    "probe": {"probe"},
    "accountservice": {"accountservice"},
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


def test_tests_holds_tests_alone() -> None:
    modules = [module for module in MODULES if module.is_relative_to(ROOT / "tests")]
    assert [module for module in modules if not re.match(r"test_|conftest|__init__", module.name)] == []


# The modules of the probe, from the entry point down. A module imports only from rows below its own. A star stands for
# the modules of a folder that no other row names, so that a scheme or a condition needs no row of its own.
LAYERS = """
    __main__
    cli fast_path
    settings environment mistakes
    foreign_options
    options
    raw_value url
    parsers process report
    check
    protocols
    protocols.*
    protocols.exchange transport.tls
    transport.connect transport.alerts
    transport.stream transport.resolve transport.trust
    conditions.*
    conditions
    http.excerpt http.request
    http.response http.charsets
    http.signatures target deadline expand
    errors text verdict transport.client_hello renewal licenses http transport
"""
ROWS = [row.split() for row in LAYERS.strip().splitlines()]


def probe_module(file: Path) -> str:
    """Return the name of a module in probe/, as LAYERS has it; "" for the package itself."""
    parts = file.relative_to(ROOT / "probe").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_from_probe(file: Path, known: set[str]) -> Iterator[str]:
    """Return each module of probe/ that this one imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "probe":
            package = (node.module or "").removeprefix("probe").removeprefix(".")
            names = {f"{package}.{name.name}".removeprefix(".") for name in node.names}
            yield from (names & known) or ({package} - {""})


DEPTHS = {name: number for number, row in enumerate(ROWS) for name in row}
FILES = {name: file for file in MODULES if file.is_relative_to(ROOT / "probe") and (name := probe_module(file))}


def row(name: str) -> str:
    """Return the name in LAYERS that is this module's, or stands for it."""
    return name if name in DEPTHS else f"{name.rpartition('.')[0]}.*"


def test_each_module_of_the_probe_has_a_row() -> None:
    assert [f"LAYERS lacks {name}" for name in FILES if row(name) not in DEPTHS] == []
    assert [f"there is no {name}" for name in DEPTHS.keys() - {row(name) for name in FILES}] == []


def test_no_module_of_the_probe_imports_upwards() -> None:
    upwards = [
        f"{name} imports {other}"
        for name, file in FILES.items()
        for other in imported_from_probe(file, set(FILES))
        if DEPTHS[row(other)] <= DEPTHS[row(name)]
    ]
    assert upwards == []
