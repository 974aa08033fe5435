"""Install the Debian packages that targets of the Makefile need and that are missing.

    python -m tools.packages [PURPOSE...]

A package is missing if its command is not on PATH. If no command is listed for it here, dpkg is asked. Without a
purpose the packages of all purposes are installed. tools/apt-install does the rest.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec

from tools import ROOT

# The command of a package. It may come from elsewhere.
COMMANDS = {
    "busybox": "busybox",
    "curl": "curl",
    "golang-go": "go",
    "iproute2": "ip",
    "mandoc": "mandoc",
    "musl-tools": "musl-gcc",
    "nodejs": "node",
    "openssl": "openssl",
    "shellcheck": "shellcheck",
    "strace": "strace",
    "systemd": "systemd-analyze",
    "valgrind": "valgrind",
    "wget": "wget",
    "wrk": "wrk",
}

SOURCE = ["openssl", "strace"]
BUDGETS = ["busybox", "ca-certificates", "curl", "musl-tools", "strace", "valgrind"]
PURPOSES = {
    "source": SOURCE,
    "test": [*SOURCE, "iproute2", "mandoc", "musl-tools", "systemd", "valgrind"],
    "lint": ["shellcheck"],
    "budgets": BUDGETS,
    "bench": [*BUDGETS, "golang-github-coreos-bbolt-dev", "golang-github-gorilla-mux-dev", "golang-go", "nodejs",
              "wget", "wrk"],
}  # fmt: skip
MAKING = ["set-up", "build"]  # what is needed for these depends on the Python that runs this program


def missing(purpose: str) -> list[str]:
    """List the packages of a purpose that are not installed."""
    if purpose == "set-up":
        return [] if find_spec("ensurepip") and find_spec("venv") else ["python3-venv"]
    if purpose == "build":
        command = [sys.executable, "build/bootloader/toolchain.py", "--missing"]
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return [package for package in PURPOSES[purpose] if not is_installed(package)]


def is_installed(package: str) -> bool:
    """Whether the package's command is on PATH, or dpkg knows the package."""
    if package in COMMANDS:
        return shutil.which(COMMANDS[package]) is not None
    if not shutil.which("dpkg-query"):
        return False
    return subprocess.run(["dpkg-query", "--show", package], capture_output=True, check=False).returncode == 0


def install(purposes: Iterable[str]) -> None:
    """Replace this process by tools/apt-install with the packages that are missing."""
    packages = dict.fromkeys(package for purpose in purposes for package in missing(purpose))
    program = str(ROOT / "tools" / "apt-install")
    os.execv(program, [program, *packages])


def main() -> None:
    """Install the packages of the purposes that are named, or of all."""
    purposes = sys.argv[1:] or [*MAKING, *PURPOSES]
    if set(purposes) - {*MAKING, *PURPOSES}:
        sys.exit(f"usage: python -m tools.packages [{'|'.join([*MAKING, *PURPOSES])}]...")
    install(purposes)


if __name__ == "__main__":
    main()
