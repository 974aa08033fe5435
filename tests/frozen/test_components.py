"""What the executable says of itself: what was linked, of which version, under which licence."""

import hashlib
import importlib.metadata
import json
import sys
from pathlib import Path

import components
import pytest
import toolchain
from commands import BuildError
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from debian import source
from PyInstaller.archive.readers import ZlibArchiveReader

from testing.executable import PYZ
from testing.program import Healthchecker, runner

LIBRARIES = {
    "CPython": toolchain.PYTHON_PACKAGE,
    "OpenSSL": "libssl-dev",
    "zlib": "zlib1g-dev",
    "glibc": "libc6-dev",
}


@pytest.fixture(scope="module")
def bill(binary: Path) -> str:
    """The bill of materials, beside the executable."""
    return Path(f"{binary}.cdx.json").read_text()


@pytest.fixture
def healthchecker(binary: Path, tmp_path: Path) -> Healthchecker:
    """The executable alone."""
    return runner([str(binary)], tmp_path)


def listed(bill: str) -> dict[str, str]:
    """The components' versions by name."""
    return {component["name"]: component["version"] for component in json.loads(bill)["components"]}


def test_the_bill_of_materials_is_valid_cyclonedx(bill: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None


def test_the_bill_is_on_these_bytes(bill: str, binary: Path) -> None:
    whole = json.loads(bill)["metadata"]["component"]
    assert whole["name"] == binary.name
    assert whole["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(binary.read_bytes()).hexdigest()}]


@pytest.mark.parametrize(("name", "package"), LIBRARIES.items(), ids=list(LIBRARIES))
def test_what_is_linked_statically_is_in_the_bill_with_debians_version(bill: str, name: str, package: str) -> None:
    assert listed(bill)[name] == source(package)[1]


def test_the_bill_has_each_python_package_with_a_module_in_the_snapshot_and_no_other(bill: str) -> None:
    modules = ZlibArchiveReader(str(PYZ)).toc
    packages = importlib.metadata.packages_distributions()
    packed = {packages[name][0] for name in modules if name in packages} - {"healthchecker-probe"}
    assert packed == {name for name in listed(bill) if name not in LIBRARIES and name != "libgcc"}
    assert {name: importlib.metadata.version(name) for name in packed}.items() <= listed(bill).items()


def test_the_executable_shows_the_licences_of_all_of_it(bill: str, healthchecker: Healthchecker, binary: Path) -> None:
    shown = healthchecker("--licenses")
    assert (shown.status, shown.stderr) == (0, "")
    assert shown.stdout == Path(f"{binary}.licenses.txt").read_text()
    for name, version in listed(bill).items():
        assert f"\n{name} {version}: " in shown.stdout
        assert f"\n{name} {version}\n====" in shown.stdout


TEXTS = {
    "of OpenSSL and requests": "Apache License",
    "of glibc": "GNU LESSER GENERAL PUBLIC LICENSE",
    "of libgcc": "GCC RUNTIME LIBRARY EXCEPTION",
    "of certifi, in full": "Exhibit A - Source Code Form License Notice",
    "of what CPython has of others": "Dan Bernstein's SipHash24 algorithm",
    **({"of CPython's allocator": "Leijen"} if sys.version_info >= (3, 13) else {}),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_the_licence_is_there(text: str, binary: Path) -> None:
    assert text.lower() in Path(f"{binary}.licenses.txt").read_text().lower()


def test_what_is_linked_under_unknown_terms_stops_the_build() -> None:
    with pytest.raises(BuildError, match="^the licence of Debian's source package dpkg is not in components.py$"):
        components.linked([Path("/usr/bin/dpkg")], Path("/nonexistent"))
