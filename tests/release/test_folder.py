"""The folder of a release: what is in it belongs together, or there is none."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from release import executable, folder
from release.changelog import ReleaseError, Section

SECTION = Section("1.0.0", "2026-11-24", "- One.")
NAME = executable.name()


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a build leaves, of an executable that can do no more than tell its version."""
    (tmp_path / NAME).write_text("#!/bin/sh\necho healthchecker 1.0.0\n")
    write_bill(tmp_path, digest=hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest())
    (tmp_path / f"{NAME}.licenses.txt").write_text("licences")
    with tarfile.open(tmp_path / executable.GLIBC, "w") as tar:
        tar.addfile(tarfile.TarInfo("glibc_2.41-12.dsc"), io.BytesIO())
    for name, value in {"DIST": tmp_path, "FOLDER": tmp_path / "release", "NOTES": tmp_path / "notes.md"}.items():
        monkeypatch.setattr(folder, name, value)
    return tmp_path


def write_bill(dist: Path, digest: str, version: str = "1.0.0", glibc: str = "2.41-12") -> None:
    """A bill of materials, as far as it is looked at."""
    whole = {"version": version, "hashes": [{"alg": "SHA-256", "content": digest}]}
    bill = {"metadata": {"component": whole}, "components": [{"name": "glibc", "version": glibc}]}
    (dist / f"{NAME}.cdx.json").write_text(json.dumps(bill))


def test_it_has_all_that_is_published_with_its_sums(dist: Path) -> None:
    folder.assemble(SECTION, [executable.name().rpartition("-")[2]])
    files = {file.name for file in (dist / "release").iterdir()}
    assert {NAME, f"{NAME}.cdx.json", f"{NAME}.licenses.txt", "healthchecker.1", "glibc-source.tar"} < files
    assert len([name for name in files if name.endswith((".whl", ".tar.gz"))]) == 2
    check = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=dist / "release", capture_output=True, text=True)
    assert check.returncode == 0, check.stderr
    assert len(check.stdout.splitlines()) == len(files) - 1
    assert os.access(dist / "release" / NAME, os.X_OK)
    assert (dist / "notes.md").read_text() == "- One.\n"


def test_the_wheel_runs_where_it_is_unpacked(dist: Path, tmp_path: Path) -> None:
    folder.assemble(SECTION, [executable.name().rpartition("-")[2]])
    (wheel,) = (dist / "release").glob("*.whl")
    command = [sys.executable, "-m", "probe", "--version"]
    done = subprocess.run(command, env={"PYTHONPATH": str(wheel)}, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("healthchecker ")


def test_the_source_distribution_has_what_the_build_needs(dist: Path) -> None:
    folder.assemble(SECTION, [executable.name().rpartition("-")[2]])
    (archive,) = (dist / "release").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"Makefile", ".ci/venv", ".ci/packages", "requirements.lock", "build/pyinstaller.spec", "LICENSE"} <= names


def test_a_missing_file_is_named(dist: Path) -> None:
    (dist / f"{NAME}.licenses.txt").unlink()
    with pytest.raises(ReleaseError, match=r"there is no dist/healthchecker-linux-\w+.licenses.txt; type: make"):
        folder.assemble(SECTION, [executable.name().rpartition("-")[2]])


@pytest.mark.parametrize(
    ("bill", "reason"),
    [
        pytest.param({"digest": "0"}, "cdx.json is on another file", id="a bill on other bytes"),
        pytest.param({"version": "0.9.0"}, "cdx.json is on another file", id="a bill of another version"),
    ],
)
def test_what_does_not_belong_together_is_refused(dist: Path, bill: dict[str, str], reason: str) -> None:
    digest = hashlib.sha256((dist / NAME).read_bytes()).hexdigest()
    write_bill(dist, **({"digest": digest} | bill))
    with pytest.raises(ReleaseError, match=reason):
        folder.assemble(SECTION, [executable.name().rpartition("-")[2]])


@pytest.mark.parametrize(("glibc", "missing"), [("2.41-12", 0), ("2.41-12+deb13u1", 1)], ids=["its own", "another"])
def test_a_source_of_another_glibc_speaks_against_publishing(dist: Path, glibc: str, missing: int) -> None:
    write_bill(dist, hashlib.sha256((dist / NAME).read_bytes()).hexdigest(), glibc=glibc)
    reservations = folder.assemble(SECTION, [executable.name().rpartition("-")[2]])
    assert len(reservations) == missing
    assert all(text.startswith(f"glibc-source.tar is not the source of glibc {glibc}") for text in reservations)


def test_an_executable_of_another_version_is_refused(dist: Path) -> None:
    write_bill(dist, hashlib.sha256((dist / NAME).read_bytes()).hexdigest(), version="1.0.1")
    with pytest.raises(ReleaseError, match=r"--version says 'healthchecker 1.0.0\\n', not healthchecker 1.0.1"):
        folder.assemble(SECTION._replace(version="1.0.1"), [executable.name().rpartition("-")[2]])
