"""Checks that are made and run in this process."""

from time import monotonic

from probe import check, verdict
from probe.check import Check
from probe.deadline import Deadline
from probe.options import Given
from probe.reply import Reply


def check_of(url: str = "", **texts: str) -> Check:
    """Return the check that the URL and these options ask for: `check_of("https://web/", insecure="1")`."""
    given = {"url": url, **texts}
    return check.build({name: Given(text, f"--{name}") for name, text in given.items() if text})


def fetch(url: str, timeout: float = 20, **texts: str) -> Reply:
    """Ask for the URL, for so many seconds, and return the response."""
    return check.fetch(check_of(url, **texts), Deadline(timeout, monotonic()))


def seconds_of(asked: Check) -> tuple[float, float]:
    """Run a check that fails. Return the seconds that its line tells, and those that it took."""
    started = monotonic()
    line = verdict.reach(asked, started).output
    passed = monotonic() - started
    return int(line.rpartition(" (")[2].partition(" ms)")[0]) / 1000, passed
