"""Prove that a check ends at its deadline, on a machine that may be busy.

A server that misbehaves would hold a check for ever, or for several times its timeout. A bound of seconds proves that
it does not. `make budgets` measures how late the line is in milliseconds.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from probe.errors import DeadlineExceeded
from probe.text import format_duration
from testing.program import Run

TIMEOUTS = (0.6, 3.0, 9.0)  # seconds, tried in turn
LATE = 4.0  # seconds that a check may take beyond its timeout, the start of a process included


def at_its_timeout(check: Callable[[float], str], line: str) -> None:
    """Assert that a check ends at its timeout with this line, in which TIMEOUT stands for the timeout.

    The line may name a phase. On a busy machine a check may reach the phase or end too late: it gets another try with
    a longer timeout.
    """
    found = []
    for timeout in TIMEOUTS:
        started = monotonic()
        said = check(timeout)
        seconds = monotonic() - started
        assert seconds >= timeout
        if said == line.replace("TIMEOUT", format_duration(timeout)) and seconds < timeout + LATE:
            return
        found.append((said, seconds))
    pytest.fail(f"expected {line!r}, and got {found}")


def ends_in_time(run: Callable[[str], Run], url: str, phase: str = "") -> None:
    """Assert that a process that checks the URL ends at its timeout, in this phase."""

    def check(timeout: float) -> str:
        return run(f"{timeout}s").failure()

    at_its_timeout(check, f"unhealthy: GET {url}: no reply within TIMEOUT{phase}\n")


def raises_in_time(fetch: Callable[[float], object], phase: str = "") -> None:
    """Assert that a check in this process ends at its timeout, in this phase."""

    def check(timeout: float) -> str:
        with pytest.raises(DeadlineExceeded) as raised:
            fetch(timeout)
        return str(raised.value)

    at_its_timeout(check, f"no reply within TIMEOUT{phase}")


@contextmanager
def busy() -> Iterator[None]:
    """Keep all cores busy: run two processes for each."""
    loop = [sys.executable, "-c", "while True: pass"]
    workers = [subprocess.Popen(loop) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
