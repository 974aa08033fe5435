"""The verdict: an exit status and the one line that says why.

Such as: unhealthy: GET http://127.0.0.1:6767/health: 503 Service Unavailable, expected 200 (3 ms): {"status":"DOWN"}
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from probe import check, watchdog
from probe.check import Check
from probe.deadline import Deadline
from probe.errors import CheckFailed, DeadlineExceeded, UsageError
from probe.excerpt import excerpt
from probe.reply import Reply
from probe.text import LINE_LIMIT, clip, printable

HEALTHY = 0
UNHEALTHY = 1  # and every other failure: Docker reserves 2 (Dockerfile reference, HEALTHCHECK)

STDOUT = 1
STDERR = 2

WRITE_GRACE = 0.1  # seconds for a reader to make room for the output in a full pipe
WATCH_GRACE = 0.05  # seconds for the deadline to be noticed where it is waited for, and can be told more of

# Bytes of the line that each part may take, so that a long one does not push the others out; the body gets the rest.
TARGET_LIMIT = 300
REASON_LIMIT = 100
LOCATION_LIMIT = 200
EXPECTED_LIMIT = 100


@dataclass(slots=True)
class Verdict:
    """How the program ends: its exit status and its output, whole lines or nothing."""

    status: int
    output: str  # for standard output where the status is 0, for standard error otherwise

    def emit(self, streams: frozenset[int]) -> None:
        """Write the output to its stream, where that is one of those open at the start.

        A reader that is gone is no news, and one that does not read is not waited for: then the process ends here.
        """
        stream = STDOUT if self.status == HEALTHY else STDERR
        if not self.output or stream not in streams:
            return
        with watchdog.limit(WRITE_GRACE, self.status), suppress(OSError):
            _write(stream, self.output.encode())


INTERRUPTED = Verdict(UNHEALTHY, "interrupted\n")


def conclude(answer: Callable[[], Verdict]) -> int:
    """Come to a verdict and write its output; its exit status. No exception of the answer's gets out."""
    streams = open_streams()
    try:
        verdict = answer()
    except KeyboardInterrupt:
        verdict = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - no traceback, ever
        verdict = broken(error)
    watchdog.ignore_interrupts()
    verdict.emit(streams)
    return verdict.status


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]


def open_streams() -> frozenset[int]:
    """Which of the output streams are open. Asked first: a socket opened later may get a closed stream's number."""
    streams = set()
    for stream in (STDOUT, STDERR):
        try:
            os.fstat(stream)
        except OSError:
            continue
        streams.add(stream)
    return frozenset(streams)


def reach(wanted: Check, started: float) -> Verdict:
    """Make the check. Its deadline counts from `started`, a time on the monotonic clock."""
    deadline = Deadline(wanted.timeout, started)
    watch(wanted, deadline)
    try:
        reply = check.fetch(wanted, deadline)
    except UsageError as error:
        return misused(error)
    except CheckFailed as error:
        return failed(wanted, error, deadline.took())
    return replied(wanted, reply, deadline.took())


def watch(wanted: Check, deadline: Deadline) -> None:
    """Have the watchdog end the check, should it not end by itself."""
    if watchdog.arm:
        late = failed(wanted, deadline.exceeded(), wanted.timeout)
        watchdog.arm(max(0, wanted.timeout - deadline.elapsed()) + WATCH_GRACE, late.status, late.output)


def replied(wanted: Check, reply: Reply, elapsed: float) -> Verdict:
    """The verdict on a reply that came after `elapsed` seconds."""
    came = f"{reply.status} {clip(printable(reply.reason.strip()), REASON_LIMIT)}".rstrip()
    took = f" ({_milliseconds(elapsed)})"
    if reply.status in wanted.expected:
        return Verdict(HEALTHY, _line(f"healthy: {_asked(wanted)}: {came}{took}") if wanted.verbose else "")
    if reply.location and 300 <= reply.status <= 399:
        came += f" to {clip(printable(reply.location), LOCATION_LIMIT)}"
    expected = clip(printable(str(wanted.expected)), EXPECTED_LIMIT)
    body = excerpt(reply.body, reply.fields)
    line = f"unhealthy: {_asked(wanted)}: {came}, expected {expected}{took}"
    return Verdict(UNHEALTHY, _line(f"{line}: {body}" if body else line))


def failed(wanted: Check, error: CheckFailed, elapsed: float) -> Verdict:
    """The verdict where no reply was to be had."""
    took = "" if isinstance(error, DeadlineExceeded) else f" ({_milliseconds(elapsed)})"
    return Verdict(UNHEALTHY, _line(f"unhealthy: {_asked(wanted)}: {error}{took}"))


def misused(error: UsageError) -> Verdict:
    """The end of a run whose arguments or environment are wrong."""
    return Verdict(UNHEALTHY, _line(f"usage error: {error}"))


def broken(error: BaseException) -> Verdict:
    """The end of a run that met something nobody foresaw: a fault of this program."""
    return Verdict(UNHEALTHY, _line(f"internal error: {type(error).__name__}: {printable(str(error))}".rstrip(": ")))


def _asked(wanted: Check) -> str:
    return f"GET {clip(str(wanted.target), TARGET_LIMIT)}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _line(text: str) -> str:
    return clip(text, LINE_LIMIT - 1) + "\n"
