"""How a check is held to its deadline on a machine that may have other things to do.

A server that misbehaves would hold a check for ever, or for several times its timeout. A bound of seconds proves that
it does not. How late the line is in milliseconds is a budget: `make budgets`.
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
    """See a check end at the timeout that it is given, with this line, which has TIMEOUT in the place of that.

    The line may name a phase. A check that is slow to reach it, or that ends late, on a busy machine, is tried again
    with more time.
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


def ends_in_time(run: Callable[[str], Run], url: str, doing: str = "") -> None:
    """See a process that checks the URL end at its timeout, in the phase that is named."""

    def check(timeout: float) -> str:
        ran = run(f"{timeout}s")
        assert (ran.status, ran.stdout) == (1, "")
        return ran.stderr

    at_its_timeout(check, f"unhealthy: GET {url}: no reply within TIMEOUT{doing}\n")


def raises_in_time(fetch: Callable[[float], object], doing: str = "") -> None:
    """See a check in this process end at its timeout, in the phase that is named."""

    def check(timeout: float) -> str:
        with pytest.raises(DeadlineExceeded) as raised:
            fetch(timeout)
        return str(raised.value)

    at_its_timeout(check, f"no reply within TIMEOUT{doing}")


@contextmanager
def busy() -> Iterator[None]:
    """Keep more processes at work than there are cores."""
    loop = [sys.executable, "-c", "while True: pass"]
    workers = [subprocess.Popen(loop) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
