"""Missing Debian packages are installed at once, or one line says what to type."""

import shutil
import subprocess
from pathlib import Path

import pytest

from testing.project import ROOT

PACKAGES = "gcc libssl-dev"
INSTALL = f"apt-get install --yes --no-install-recommends {PACKAGES}"

ROOT_USER = {"id": "echo 0"}
USER = {"id": "echo 1000"}
APT = {"apt-get": "exit 0"}
MISSING = "set-up: missing Debian packages (make packages names those of all targets)"
NO_SUDO = f"{MISSING}; type as root: apt-get update && {INSTALL}"
SUDO = f"{MISSING}; type: sudo apt-get update && sudo {INSTALL}"
NO_APT = f"set-up: missing what Debian has in the packages {PACKAGES}; install it and try again"
FAILED = f"set-up: could not install Debian packages; to see why, type as root: apt-get update && {INSTALL}"

SIZE = "After this operation, 212 MB of additional disk space will be used."
COMING = f"set-up: installing the Debian packages {PACKAGES}"

# The commands of the surroundings, as lines of shell; then the exit status, and what is printed.
SURROUNDINGS: dict[str, tuple[dict[str, str], int, str, str]] = {
    "a user": (USER | APT, 1, "", NO_SUDO),
    "a user whose sudo asks for a password": (USER | APT | {"sudo": "exit 1"}, 1, "", SUDO),
    "a user whose sudo asks for none": (USER | APT | {"sudo": 'shift; exec "$@"'}, 0, COMING, ""),
    "another system": (ROOT_USER, 1, "", NO_APT),
    "root": (ROOT_USER | APT, 0, COMING, ""),
    "root, told a size": (
        ROOT_USER | {"apt-get": f"echo '{SIZE}'"}, 0, f"{COMING}: 212 MB, one to five minutes for each GB", "",
    ),
    "root, without the package": (ROOT_USER | {"apt-get": "exit 100"}, 1, COMING, FAILED),
}  # fmt: skip


def apt_install(folder: Path, commands: dict[str, str], *packages: str) -> "subprocess.CompletedProcess[str]":
    """Run the script where there are only these commands and the shell's own tools."""
    for name in ("env", "sed", "sh", "true"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    command = [str(ROOT / "tools" / "apt-install"), *packages]
    return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("commands", "status", "stdout", "stderr"), SURROUNDINGS.values(), ids=list(SURROUNDINGS)
)  # fmt: skip
def test_it_installs_them_or_says_what_to_type(
    tmp_path: Path, commands: dict[str, str], status: int, stdout: str, stderr: str
) -> None:
    done = apt_install(tmp_path, commands, *PACKAGES.split())
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (status, stdout, stderr)


def test_apt_is_not_asked_to_recommend_or_to_confirm(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = apt_install(tmp_path, ROOT_USER | {"apt-get": f'echo "$@" >>{log}'}, "gcc")
    assert done.returncode == 0
    assert log.read_text().splitlines()[-1] == "--no-install-recommends install --yes gcc"


def test_nothing_is_said_where_nothing_is_missing(tmp_path: Path) -> None:
    done = apt_install(tmp_path, {})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
