"""Assemble dist/release: the executables with their bills and licences, the packages, and SHA256SUMS."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.release.changelog import ReleaseError, Section
from tools.release.executable import GLIBC, HERE, MACHINES, PUBLISHED, beside, name, run

FOLDER = ROOT / "dist" / "release"
NOTES = ROOT / "dist" / "release-notes.md"
SUMS = "SHA256SUMS"  # as sha256sum --check reads it

ELF_MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine, in elf.h


def assemble(section: Section, architectures: list[str]) -> list[str]:
    """Fill the folder and write the release notes. Return the reasons not to publish it.

    Raises ReleaseError if something is missing or wrong.
    """
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(parents=True)
    for file in [*(file for each in architectures for file in beside(name(each))), GLIBC]:
        if not (PUBLISHED / file).exists():
            raise ReleaseError(f"there is no {PUBLISHED.name}/{file}; type: make release-executable")
        shutil.copy2(PUBLISHED / file, FOLDER)
    shutil.copy2(ROOT / "docs" / "healthchecker.1", FOLDER)
    bills = [_bill(FOLDER / name(architecture), section.version) for architecture in architectures]
    _packages()
    files = sorted(FOLDER.iterdir())
    (FOLDER / SUMS).write_text("".join(f"{_digest(file)}  {file.name}\n" for file in files))
    NOTES.write_text(section.text + "\n")
    return [*_missing_source(bills), *_uncommitted()]


def _bill(executable: Path, version: str) -> dict[str, Any]:
    """Return the bill of materials. Raises ReleaseError if it or the licences belong to another executable."""
    executable.chmod(0o755)  # artifacts of a workflow lose the mode
    bill: dict[str, Any] = json.loads(Path(f"{executable}.cdx.json").read_text())
    whole = bill["metadata"]["component"]
    listed = (whole["name"], whole["version"], whole["hashes"][0]["content"])
    if listed != (executable.name, version, _digest(executable)):
        raise ReleaseError(f"{executable.name}.cdx.json is on another file; type: make release-executable")
    machine = _architecture(executable)
    if executable.name != name(machine or "none"):
        raise ReleaseError(f"{executable.name} is an executable for {machine or 'another machine'}")
    licenses = Path(f"{executable}.licenses.txt").read_text()
    for part in bill["components"]:
        if f"\n{part['name']} {part['version']}: " not in licenses:
            raise ReleaseError(f"{executable.name}.licenses.txt does not list {part['name']} {part['version']}")
    if machine == HERE and _shown(executable) != [f"healthchecker {version}\n", licenses]:
        raise ReleaseError(f"{executable.name} does not say that it is healthchecker {version}, with these licences")
    return bill


def _architecture(executable: Path) -> str | None:
    """Return the executable's architecture by its ELF header, as Docker names it."""
    with executable.open("rb") as file:
        header = file.read(20)
    return MACHINES.get(ELF_MACHINES.get(int.from_bytes(header[18:20], "little"), ""))


def _shown(executable: Path) -> list[str]:
    """Return what the executable prints about itself."""
    texts = ("--version", "--licenses")
    return [subprocess.run([executable, text], capture_output=True, text=True, check=False).stdout for text in texts]


def _missing_source(bills: list[dict[str, Any]]) -> Iterator[str]:
    """Check that the source is complete and is that of the linked glibc: Debian's archive can lag behind."""
    with tarfile.open(FOLDER / GLIBC) as tar:
        names = tar.getnames()
        descriptions = [file for file in names if file.endswith(".dsc")]
        for description in descriptions:
            text = _member(tar, description).decode()
            listed = re.findall(
                r"^ ([0-9a-f]{64}) \d+ (\S+)$", text, re.MULTILINE
            )  # Checksums-Sha256, deb-src-control(5)
            for digest, file in listed:
                if file not in names or hashlib.sha256(_member(tar, file)).hexdigest() != digest:
                    yield f"{GLIBC} has not {file} as {description} describes it"
            if not listed:
                yield f"{GLIBC} has a {description} that describes nothing"
    versions = {part["version"] for bill in bills for part in bill["components"] if part["name"] == "glibc"}
    for version in sorted(versions):
        if f"glibc_{version}.dsc" not in names:
            yield f"{GLIBC} is not the source of the linked glibc {version}; Debian may offer that some hours later"


def _member(tar: tarfile.TarFile, file: str) -> bytes:
    content = tar.extractfile(file)
    return content.read() if content else b""


def _uncommitted() -> Iterator[str]:
    """Check that all files are committed: the source distribution holds the others too."""
    status = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False)
    if changed := [line[3:] for line in status.stdout.splitlines()]:
        yield f"there is something that is in no commit: {', '.join(changed[:5])}"


def _packages() -> None:
    """Build the source distribution and the wheel. Raises ReleaseError."""
    hatchling = str(Path(sys.executable).parent / "hatchling")
    run([hatchling, "build", "--directory", str(FOLDER)], ROOT)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def show() -> None:
    """List what would be published."""
    print(f"{FOLDER.relative_to(ROOT)}/")
    for file in sorted(FOLDER.iterdir()):
        print(f"  {file.stat().st_size:>12,}  {file.name}")
    print(f"{NOTES.relative_to(ROOT)}, of {NOTES.stat().st_size:,} bytes, begins: {NOTES.read_text().splitlines()[0]}")
