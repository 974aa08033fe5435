"""Run the probe as users do."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from testing.project import ROOT

PATIENCE = 30.0  # seconds until a process that does not end is a failure, on a busy machine
AMPLE = "20s"  # a check's timeout where it is to end before it, on such a machine


class Run(NamedTuple):
    """How a process ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float


Healthchecker = Callable[..., Run]


def runner(command: list[str], folder: Path) -> Healthchecker:
    """A function that runs the command in the folder with arguments and, as keywords, the environment.

    Unless a test names a timeout, a check has an ample one.
    """

    def run(*arguments: str | bytes, **environ: str) -> Run:
        started = time.monotonic()
        done = subprocess.run(
            [*command, *arguments],
            env={"HEALTHCHECKER_TIMEOUT": AMPLE, **environ},
            cwd=folder,
            capture_output=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)

    return run


def in_network(resolver: str, command: list[str], folder: Path) -> Healthchecker:
    """Return a function that runs the command in a network of its own, as `runner` does in this one."""
    entering = ["unshare", "--net", "--mount", sys.executable, "-m", "testing.network", resolver]
    run = runner([*entering, *command], folder)
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return lambda *arguments, **environ: run(*arguments, **path, **environ)


def wait_for_connection(pid: int) -> None:
    """Return when the process has a TCP socket. It has another one before, when Python looks up the user's folder."""
    process = Path(f"/proc/{pid}")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with suppress(OSError):  # a descriptor that was closed meanwhile
            found = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
            lines = [line for table in (process / "net").glob("tcp*") for line in table.read_text().splitlines()]
            if found & {f"socket:[{line.split()[9]}]" for line in lines}:  # the inode (proc_pid_net(5))
                return
        signal.sigtimedwait([], 0.01)
    pytest.fail("the process made no connection")


def wait_until_caught(pid: int, number: int) -> None:
    """Return when the process has a handler for the signal."""
    for _ in range(3000):
        status = Path(f"/proc/{pid}/status").read_text()
        caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
        if caught and int(caught[1], 16) >> (number - 1) & 1:
            return
        signal.sigtimedwait([], 0.01)
    pytest.fail("no handler was set")
