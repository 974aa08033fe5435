"""A check in this process, whole or in steps: from options or arguments to a response or its failure."""

from collections.abc import Iterable
from time import monotonic

from probe import cli, report
from probe.__main__ import verdict_of
from probe.check import Check, Outcome
from probe.deadline import Deadline
from probe.errors import CheckFailed, UsageError
from probe.http.response import Response, ResponseReader
from probe.options import OPTIONS, URL
from probe.protocols import PROTOCOLS
from probe.raw_value import RawValue
from probe.settings import Settings, parse_values
from probe.verdict import Verdict

NAMES = {option.name: option.long for option in (*OPTIONS, URL)}


def settings_of(url: str = "", **texts: str) -> Settings:
    """Return the settings of the URL and these options: `settings_of("https://web/", insecure="1")`."""
    given = {"url": url, **texts}
    return parse_values({name: RawValue(text, NAMES[name]) for name, text in given.items() if text})


def parse(arguments: list[str], environ: dict[bytes, bytes]) -> Settings | Verdict:
    """Return the settings that click makes of the arguments, or the verdict on a mistake, the help or the version."""
    try:
        return cli.parse(arguments, environ)
    except UsageError as error:
        return report.usage_error(error)


def read(pieces: Iterable[bytes]) -> Response | CheckFailed:
    """Return the response in these pieces, which the server sends before it closes, or its failure."""
    reader = ResponseReader()
    for piece in pieces:
        if piece and not reader.complete:
            reader.feed(piece)
    reader.feed(b"")
    try:
        return reader.response()
    except CheckFailed as error:
        return error


def judged(check: Check, response: Response) -> Verdict:
    """Return the verdict on a response."""
    unmet = tuple(filter(None, (condition.unmet(response) for condition in check.conditions)))
    return report.report(check, Outcome(response, unmet, None, 0.001))


def fetch(url: str, timeout: float = 20, **texts: str) -> Response:
    """Request the URL within `timeout` seconds. Raises CheckFailed, UsageError."""
    deadline = Deadline(timeout, monotonic())
    check = settings_of(url, **texts).load(deadline)
    return PROTOCOLS[check.request.target.scheme](check.request, check.expected, deadline)


def seconds_of(settings: Settings) -> tuple[float, float]:
    """Run a check that fails. Return the seconds that its line shows, and those that it took."""
    started = monotonic()
    line = verdict_of(settings, started).output
    passed = monotonic() - started
    return int(line.rpartition(" (")[2].partition(" ms)")[0]) / 1000, passed
