"""The line of an outcome, and of a run that has none.

Example: unhealthy: GET http://127.0.0.1:6767/health: 503 Service Unavailable, expected 200 (3 ms): {"status":"DOWN"}
"""

from probe.check import Check, Outcome
from probe.deadline import Deadline
from probe.errors import DeadlineExceeded, UsageError
from probe.http.excerpt import excerpt
from probe.http.response import Response
from probe.text import LINE_LIMIT, clip, printable
from probe.verdict import HEALTHY, UNHEALTHY, Verdict

# Bytes of the line for each part, so that a long part does not displace the others. The body gets the rest.
TARGET_LIMIT = 300
REASON_LIMIT = 100
LOCATION_LIMIT = 200

QUIET = Verdict(HEALTHY, "")
INTERRUPTED = Verdict(UNHEALTHY, "interrupted\n")


def report(check: Check, outcome: Outcome) -> Verdict:
    """Return the verdict on a check."""
    if outcome.healthy and not check.verbose:
        return QUIET
    target = f"{check.request.method} {clip(str(check.request.target), TARGET_LIMIT)}"
    took = f" ({outcome.elapsed * 1000:.0f} ms)"
    if outcome.response is None:
        shown = "" if isinstance(outcome.failure, DeadlineExceeded) else took
        return Verdict(UNHEALTHY, _line(f"unhealthy: {target}: {outcome.failure}{shown}"))
    status = _status(outcome.response)
    if outcome.healthy:
        return Verdict(HEALTHY, _line(f"healthy: {target}: {status}{took}"))
    found = ", ".join([status + _location(outcome.response), *outcome.unmet])
    body = excerpt(outcome.response.body, outcome.response.headers)
    return Verdict(UNHEALTHY, _line(f"unhealthy: {target}: {found}{took}{': ' if body else ''}{body}"))


def timed_out(check: Check, deadline: Deadline) -> Verdict:
    """Return the verdict on a check that has not ended at its deadline."""
    return report(check, Outcome(None, (), deadline.timeout_error(), deadline.timeout))


def usage_error(error: UsageError) -> Verdict:
    """Return the verdict on wrong arguments or a wrong environment."""
    return Verdict(UNHEALTHY, _line(f"usage error: {error}"))


def internal_error(error: BaseException) -> Verdict:
    """Return the verdict on an error that is a fault of this program."""
    return Verdict(UNHEALTHY, _line(f"internal error: {type(error).__name__}: {printable(str(error))}".rstrip(": ")))


def _status(response: Response) -> str:
    return f"{response.status} {clip(printable(response.reason.strip()), REASON_LIMIT)}".rstrip()


def _location(response: Response) -> str:
    if not response.location or not 300 <= response.status <= 399:
        return ""
    return f" to {clip(printable(response.location), LOCATION_LIMIT)}"


def _line(text: str) -> str:
    return clip(text, LINE_LIMIT - 1) + "\n"
