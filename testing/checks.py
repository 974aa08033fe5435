"""Checks that are made and run in this process."""

from time import monotonic

from probe import check
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
