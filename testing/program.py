"""Run the probe as a process, as users do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testing.project import ROOT
from testing.servers import serving, wait_for_close
from testing.waiting import PATIENCE, wait_for_connection

AMPLE = "20s"  # a timeout that no check reaches on a busy machine, unless it waits for one


@dataclass(frozen=True)
class Run:
    """How a process ended: its exit code, what it printed, and how long it took."""

    status: int
    stdout: str
    stderr: str
    seconds: float

    def failure(self) -> str:
        """Return the one line of a check that failed: exit code 1, and nothing else printed."""
        assert (self.status, self.stdout, self.stderr.count("\n")) == (1, "", 1), self
        return self.stderr


Healthchecker = Callable[..., Run]


def runner(command: list[str], folder: Path) -> Healthchecker:
    """Return a function that runs the command in the folder: `run("-port=80", HEALTHCHECKER_TIMEOUT="1s")`.

    Keywords are the whole environment. The timeout is AMPLE unless they name another.
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


@contextmanager
def waiting(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a check that has sent its request and waits for the response. It is killed at the end."""
    with serving(wait_for_close) as port:
        check = [*command, f"-port={port}", "-t=30"]
        with subprocess.Popen(check, env={}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_for_connection(process.pid)
                yield process
            finally:
                process.kill()
