"""The folder of a release, dist/release: the executables with what belongs to them, the packages, and SHA256SUMS."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from release.changelog import ReleaseError, Section
from release.executable import DIST, GLIBC, ROOT, beside, name

FOLDER = DIST / "release"
NOTES = DIST / "release-notes.md"
SUMS = "SHA256SUMS"  # as sha256sum --check reads it


def assemble(section: Section, architectures: list[str]) -> list[str]:
    """Fill the folder anew, and write the notes beside it; what speaks against publishing it.

    Raises ReleaseError where something is missing or wrong.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for file in [*(file for each in architectures for file in beside(name(each))), GLIBC]:
        if not (DIST / file).exists():
            raise ReleaseError(f"there is no dist/{file}; type: make release-executable")
        shutil.copy2(DIST / file, FOLDER)
    shutil.copy2(ROOT / "docs" / "healthchecker.1", FOLDER)
    for architecture in architectures:
        _require_consistent(FOLDER / name(architecture), section.version)
    reservations = [text for each in architectures for text in _missing_source(FOLDER / name(each))]
    _packages()
    files = sorted(FOLDER.iterdir())
    (FOLDER / SUMS).write_text("".join(f"{_digest(file)}  {file.name}\n" for file in files))
    NOTES.write_text(section.text + "\n")
    return reservations


def _require_consistent(executable: Path, version: str) -> None:
    """Raises ReleaseError where the bill of materials is on another file, or the executable of another version."""
    executable.chmod(0o755)  # artifacts of a workflow have lost it
    whole = json.loads(Path(f"{executable}.cdx.json").read_text())["metadata"]["component"]
    if whole["version"] != version or whole["hashes"][0]["content"] != _digest(executable):
        raise ReleaseError(f"{executable.name}.cdx.json is on another file; type: make release-executable")
    if executable.name == name():
        shown = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False).stdout
        if shown != f"healthchecker {version}\n":
            raise ReleaseError(f"{executable.name} --version says {shown!r}, not healthchecker {version}")


def _missing_source(executable: Path) -> Iterator[str]:
    """A line where the source beside the executable is not that of its glibc: the archive of Debian may lag behind."""
    bill = json.loads(Path(f"{executable}.cdx.json").read_text())
    (glibc,) = (part["version"] for part in bill["components"] if part["name"] == "glibc")
    with tarfile.open(FOLDER / GLIBC) as tar:
        if f"glibc_{glibc}.dsc" not in tar.getnames():
            yield f"{GLIBC} is not the source of glibc {glibc}, which is in {executable.name}, as the licence asks"


def _packages() -> None:
    """The source distribution and the wheel."""
    hatchling = [sys.executable, "-m", "hatchling", "build", "--directory", str(FOLDER)]
    done = subprocess.run(hatchling, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"hatchling: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def show() -> None:
    """Print what would be published."""
    print(f"{FOLDER.relative_to(ROOT)}/")
    for file in sorted(FOLDER.iterdir()):
        print(f"  {file.stat().st_size:>12,}  {file.name}")
    print(f"{NOTES.relative_to(ROOT)}, of {NOTES.stat().st_size:,} bytes, begins: {NOTES.read_text().splitlines()[0]}")
