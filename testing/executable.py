"""The executable in surroundings that the tests make, and how it has to come out in all of them."""

import subprocess
from collections.abc import Callable
from typing import NamedTuple

from testing.program import PATIENCE

Start = Callable[[list[str]], subprocess.CompletedProcess[bytes]]


class Case(NamedTuple):
    """One run: its arguments, and how it has to end."""

    arguments: list[str]
    status: int
    stdout: str = ""  # how it begins
    stderr: str = ""  # what it contains


def assert_all_come_out_right(cases: dict[str, Case], start: Start) -> None:
    """Every case, started by `start` with its arguments, ends as it has to, and says no more than one line."""
    for name, case in cases.items():
        done = start(case.arguments)
        outcome = (name, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert done.returncode == case.status, outcome
        assert done.stdout.decode().startswith(case.stdout), outcome
        assert case.stderr in done.stderr.decode(), outcome
        assert done.stderr.count(b"\n") == case.status, outcome


def start(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run to the end, with an empty environment unless another is given."""
    settings: dict[str, object] = {"env": {}, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE}
    return subprocess.run(command, **(settings | options))  # type: ignore[call-overload, no-any-return]
