"""The folder of a release: what is in it belongs together, or there is none."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.release import executable, folder
from tools.release.changelog import ReleaseError, Section

NAME = executable.name()
ARCHITECTURES = [executable.HERE]
DESCRIBED = b"the source"


@pytest.fixture
def bill(binary: Path) -> dict[str, object]:
    """The bill of materials of the executable that was built here."""
    found: dict[str, object] = json.loads(Path(f"{binary}.cdx.json").read_text())
    return found


@pytest.fixture
def section(bill: dict[str, dict[str, dict[str, str]]]) -> Section:
    """What the changelog would have on it."""
    return Section(bill["metadata"]["component"]["version"], "2026-11-24", "- One.")


@pytest.fixture
def glibc(bill: dict[str, list[dict[str, str]]]) -> str:
    """The version of glibc in it."""
    return next(part["version"] for part in bill["components"] if part["name"] == "glibc")


@pytest.fixture
def published(binary: Path, glibc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is published of this architecture, as a build leaves it."""
    place = tmp_path / "published"
    place.mkdir()
    for file in executable.beside(NAME):
        shutil.copy2(binary.parent / file, place)
    write_source(place, glibc)
    for name, value in {"PUBLISHED": place, "FOLDER": tmp_path / "release", "NOTES": tmp_path / "notes.md"}.items():
        monkeypatch.setattr(folder, name, value)
    monkeypatch.setattr(folder, "_uncommitted", list)  # of a tree that somebody works on
    return place


def write_source(place: Path, version: str, content: bytes = DESCRIBED, described: bytes = DESCRIBED) -> None:
    """A source package, as Debian has them: a description with checksums, and a file."""
    description = f"Checksums-Sha256:\n {hashlib.sha256(described).hexdigest()} {len(described)} glibc.orig.tar.xz\n"
    with tarfile.open(place / executable.GLIBC, "w") as tar:
        for name, data in {f"glibc_{version}.dsc": description.encode(), "glibc.orig.tar.xz": content}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def altered(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_it_has_all_that_is_published_with_its_sums(published: Path, section: Section, tmp_path: Path) -> None:
    (published / NAME).chmod(0o644)  # as a workflow's artifact comes back
    assert folder.assemble(section, ARCHITECTURES) == []
    files = {file.name for file in folder.FOLDER.iterdir()}
    assert {*executable.beside(NAME), "healthchecker.1", "glibc-source.tar"} < files
    assert len([name for name in files if name.endswith((".whl", ".tar.gz"))]) == 2
    check = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=folder.FOLDER, capture_output=True, text=True)
    assert check.returncode == 0, check.stderr
    assert len(check.stdout.splitlines()) == len(files) - 1
    assert os.access(folder.FOLDER / NAME, os.X_OK)
    assert (tmp_path / "notes.md").read_text() == "- One.\n"


@pytest.mark.usefixtures("published")
def test_the_wheel_runs_where_it_is(section: Section, tmp_path: Path) -> None:
    folder.assemble(section, ARCHITECTURES)
    (wheel,) = folder.FOLDER.glob("*.whl")
    command = [sys.executable, "-m", "probe", "--licenses"]
    done = subprocess.run(command, env={"PYTHONPATH": str(wheel)}, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith(f"healthchecker-probe {section.version}: MIT\n\nIt brings nothing along")
    assert "Permission is hereby granted" in done.stdout


@pytest.mark.usefixtures("published")
def test_the_source_distribution_has_what_the_build_needs(section: Section) -> None:
    folder.assemble(section, ARCHITECTURES)
    (archive,) = folder.FOLDER.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {
        "Makefile",
        "tools/make-venv",
        "tools/apt-install",
        "requirements.txt",
        "build/pyinstaller.spec",
        "LICENSE",
    } <= names


@pytest.mark.parametrize("missing", [*executable.beside("healthchecker-linux-"), executable.GLIBC])
def test_a_missing_file_is_named(published: Path, section: Section, missing: str) -> None:
    file = missing.replace("healthchecker-linux-", NAME)
    (published / file).unlink()
    with pytest.raises(ReleaseError, match=f"there is no published/{file}; type: make release-executable"):
        folder.assemble(section, ARCHITECTURES)


def test_a_bill_of_another_build_is_refused(published: Path, section: Section) -> None:
    with (published / NAME).open("ab") as file:
        file.write(b"another")
    with pytest.raises(ReleaseError, match=r"cdx.json is on another file"):
        folder.assemble(section, ARCHITECTURES)


@pytest.mark.usefixtures("published")
def test_an_executable_of_another_version_is_refused(section: Section) -> None:
    with pytest.raises(ReleaseError, match=r"cdx.json is on another file"):
        folder.assemble(section._replace(version="99.0.0"), ARCHITECTURES)


def test_licences_of_another_build_are_refused(published: Path, section: Section, glibc: str) -> None:
    altered(published / f"{NAME}.licenses.txt", f"glibc {glibc}: ", "glibc 1.0: ")
    with pytest.raises(ReleaseError, match=rf"licenses.txt does not list glibc {glibc.replace('+', '.')}"):
        folder.assemble(section, ARCHITECTURES)


def test_an_executable_under_another_architectures_name_is_refused(published: Path, section: Section) -> None:
    (other,) = set(executable.MACHINES.values()) - set(ARCHITECTURES)
    for file, alias in zip(executable.beside(NAME), executable.beside(executable.name(other)), strict=True):
        (published / file).rename(published / alias)
    altered(published / f"{executable.name(other)}.cdx.json", NAME, executable.name(other))
    with pytest.raises(ReleaseError, match=f"{executable.name(other)} is an executable for {executable.HERE}"):
        folder.assemble(section, [other])


def test_a_source_of_another_glibc_speaks_against_publishing(published: Path, section: Section, glibc: str) -> None:
    write_source(published, "1.0-1")
    (reservation,) = folder.assemble(section, ARCHITECTURES)
    assert reservation.startswith(f"glibc-source.tar is not the source of the linked glibc {glibc}; ")


def test_a_source_that_is_not_whole_speaks_against_publishing(published: Path, section: Section, glibc: str) -> None:
    write_source(published, glibc, content=b"another")
    (reservation,) = folder.assemble(section, ARCHITECTURES)
    assert reservation == f"glibc-source.tar has not glibc.orig.tar.xz as glibc_{glibc}.dsc describes it"
