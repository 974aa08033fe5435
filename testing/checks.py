"""Checks that are made and run in this process."""

from time import monotonic

from probe.__main__ import verdict_of
from probe.deadline import Deadline
from probe.http.response import Response
from probe.options import OPTIONS, URL
from probe.protocols import PROTOCOLS
from probe.raw_value import RawValue
from probe.settings import Settings, parse_values

NAMES = {option.name: option.long for option in (*OPTIONS, URL)}


def settings_of(url: str = "", **texts: str) -> Settings:
    """Return the settings of the URL and these options: `settings_of("https://web/", insecure="1")`."""
    given = {"url": url, **texts}
    return parse_values({name: RawValue(text, NAMES[name]) for name, text in given.items() if text})


def fetch(url: str, timeout: float = 20, **texts: str) -> Response:
    """Request the URL within so many seconds. Raises CheckFailed, UsageError."""
    deadline = Deadline(timeout, monotonic())
    check = settings_of(url, **texts).load(deadline)
    return PROTOCOLS[check.request.target.scheme](check.request, check.expected, deadline)


def seconds_of(settings: Settings) -> tuple[float, float]:
    """Run a check that fails. Return the seconds that its line shows, and those that it took."""
    started = monotonic()
    line = verdict_of(settings, started).output
    passed = monotonic() - started
    return int(line.rpartition(" (")[2].partition(" ms)")[0]) / 1000, passed
