"""A target asks for the Debian packages of its purpose that are missing, and for no others."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from testing.project import ROOT
from tools import packages

TEST = ["openssl", "strace", "iproute2", "mandoc", "musl-tools", "systemd", "valgrind"]

# The purposes, the commands on PATH, and the packages that are asked for.
CASES: dict[str, tuple[list[str], list[str], list[str]]] = {
    "none there": (["test", "lint"], [], [*TEST, "shellcheck"]),
    "some there": (["test"], ["ip", "musl-gcc", "openssl"], ["strace", "mandoc", "systemd", "valgrind"]),
    "all there": (["source"], ["openssl", "strace"], []),
    "each once": (["source", "test"], ["valgrind"], TEST[:-1]),
    "no dpkg": (["budgets"], ["busybox", "curl", "musl-gcc", "strace", "valgrind"], ["ca-certificates"]),
}  # fmt: skip


def asked(folder: Path, purposes: list[str], commands: dict[str, str]) -> list[str]:
    """The packages that a user without sudo is told to install, where there are only these commands."""
    needed = {"apt-get": "exit 0", "id": "echo 1000"}
    for name, line in (needed | commands).items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "tools.packages", *purposes],
        cwd=ROOT, env={"PATH": str(folder)}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == 0:
        assert (done.stdout, done.stderr) == ("", "")
        return []
    (line,) = done.stderr.splitlines()
    return line.partition(" --no-install-recommends ")[2].split()


@pytest.mark.parametrize(("purposes", "commands", "missing"), CASES.values(), ids=list(CASES))
def test_what_is_missing_is_asked_for(
    tmp_path: Path, purposes: list[str], commands: list[str], missing: list[str]
) -> None:
    assert asked(tmp_path, purposes, dict.fromkeys(commands, "exit 0")) == missing


@pytest.mark.parametrize(("status", "missing"), [(0, []), (1, ["ca-certificates"])], ids=["known", "unknown"])
def test_a_package_without_a_command_is_looked_up_in_dpkg(tmp_path: Path, status: int, missing: list[str]) -> None:
    commands = dict.fromkeys(["busybox", "curl", "musl-gcc", "strace", "valgrind"], "exit 0")
    assert asked(tmp_path, ["budgets"], commands | {"dpkg-query": f"exit {status}"}) == missing


def test_without_a_purpose_all_packages_are_asked_for(tmp_path: Path) -> None:
    assert set(asked(tmp_path, [], {})) >= {package for names in packages.PURPOSES.values() for package in names}


def test_an_unknown_purpose_is_a_mistake() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.packages", "x"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("usage: python -m tools.packages [set-up|build|")


def test_the_makefile_names_purposes_that_there_are() -> None:
    named = re.findall(r"^\t@\$\(packages\) (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(named) > 4
    assert {purpose for line in named for purpose in line.split()} <= {*packages.MAKING, *packages.PURPOSES}
