"""What is packed into the executable: what the program needs, and no more."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
from PyInstaller.archive.readers import CArchiveReader, ZlibArchiveReader

# A module that is not in this list has come along unnoticed: see who imports it (.build/pyinstaller/imports.html), and
# add it here, or to EXCLUDED in build/pyinstaller.spec.
ALLOWED = set((Path(__file__).parent / "modules.txt").read_text().split())


@pytest.fixture(scope="module")
def modules(binary: Path) -> ZlibArchiveReader:
    """The archive's PYZ."""
    return CArchiveReader(str(binary)).open_embedded_archive("PYZ.pyz")


def test_only_allowed_modules_are_packed(modules: ZlibArchiveReader) -> None:
    assert sorted(set(modules.toc) - ALLOWED) == []


def test_nothing_is_packed_but_the_script_and_the_modules(binary: Path) -> None:
    assert sorted(CArchiveReader(str(binary)).toc) == ["PYZ.pyz", "__main__"]


def test_pyinstallers_own_viewer_lists_it(binary: Path) -> None:
    viewer = str(Path(sys.executable).parent / "pyi-archive_viewer")
    shown = subprocess.run([viewer, "--list", "--recursive", binary], capture_output=True, text=True, check=True)
    for name in ("__main__", "PYZ.pyz", "probe.cli", "requests"):
        assert f"'{name}'" in shown.stdout


def test_the_certificates_are_those_of_certifi(modules: ZlibArchiveReader) -> None:
    namespace: dict[str, Callable[[], str]] = {}
    exec(modules.extract("certifi"), namespace)
    assert namespace["contents"]() == certifi.contents()
