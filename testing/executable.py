"""Run the executable in surroundings that a test makes, in which every case has to end as it says."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testing.project import ROOT
from testing.waiting import PATIENCE

PYZ = ROOT / ".build" / "pyinstaller" / "BareModules-00.pyz"  # the modules that the snapshot was made from

# $0 is the folder. The mounts are those of a namespace of its own.
ENTER = """
mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec chroot --userspec=65534:65534 "$0" "$@"
"""

Start = Callable[[list[str]], subprocess.CompletedProcess[bytes]]


@dataclass(frozen=True)
class Case:
    """A run: its arguments, and how it has to end."""

    arguments: list[str]
    status: int
    stdout: str = ""  # how it begins
    stderr: str = ""  # what it contains


def assert_all_come_out_right(cases: dict[str, Case], start: Start) -> None:
    """Assert that each case, started by `start`, ends as it has to, and prints one line at most."""
    for name, case in cases.items():
        done = start(case.arguments)
        outcome = (name, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert done.returncode == case.status, outcome
        assert done.stdout.decode().startswith(case.stdout), outcome
        assert case.stderr in done.stderr.decode(), outcome
        assert done.stderr.count(b"\n") == case.status, outcome


def start(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, with an empty environment unless `env` is given."""
    settings: dict[str, object] = {"env": {}, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE}
    return subprocess.run(command, **(settings | options))  # type: ignore[call-overload, no-any-return]


def inside(folder: Path) -> list[str]:
    """Run a command as an unprivileged user, with the folder as its read-only root. It takes root."""
    return ["unshare", "--mount", "sh", "-c", ENTER, str(folder)]


def damaged(binary: Path, copy: Path, data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a copy of the program with this data as its file."""
    copy.unlink(missing_ok=True)
    copy.write_bytes(data)
    shutil.copymode(binary, copy)
    return start([str(copy), *arguments])
