"""Which modules the executable begins with, and what PyInstaller packs behind them: what is needed, and no more."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
from PyInstaller.archive.readers import CArchiveReader, ZlibArchiveReader

from testing.executable import PYZ

# A module that is not in this list has come along unnoticed: see who imports it (.build/pyinstaller/imports.html), and
# add it here, or to EXCLUDED in build/pyinstaller.spec.
ALLOWED = set((Path(__file__).parent / "modules.txt").read_text().split())


@pytest.fixture(scope="module")
def modules(binary: Path) -> ZlibArchiveReader:
    """The PYZ that the snapshot was made from."""
    del binary  # its build leaves it
    return ZlibArchiveReader(str(PYZ))


def test_there_are_only_allowed_modules(modules: ZlibArchiveReader) -> None:
    assert sorted(set(modules.toc) - ALLOWED) == []


def test_nothing_is_packed_but_the_script(binary: Path) -> None:
    assert sorted(CArchiveReader(str(binary)).toc) == ["__main__"]


def test_pyinstallers_own_viewer_lists_it(binary: Path) -> None:
    viewer = str(Path(sys.executable).parent / "pyi-archive_viewer")
    shown = subprocess.run([viewer, "--list", binary], capture_output=True, text=True, check=True)
    assert "'__main__'" in shown.stdout


def test_the_certificates_are_those_of_certifi(modules: ZlibArchiveReader) -> None:
    namespace: dict[str, Callable[[], str]] = {}
    exec(modules.extract("certifi"), namespace)
    assert namespace["contents"]() == certifi.contents()
