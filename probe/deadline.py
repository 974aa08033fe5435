"""One deadline for a whole check, on the monotonic clock.

A socket gets what is left of it before each operation. A call that takes no timeout (a look-up by the C library, a TLS
handshake, a file) runs in a second thread. The first thread waits for it until the deadline. Then the process ends
without it.
"""

import _thread  # threading.Thread.start has no timeout: it waits for a thread that may get no memory to begin
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Self, TypeVar

from probe.errors import DeadlineExceeded
from probe.text import format_duration

Result = TypeVar("Result")


@dataclass(slots=True)
class Deadline:
    """A point on the monotonic clock, `timeout` seconds after `started`."""

    timeout: float
    started: float
    watched: bool = False  # the process ends at the deadline by itself
    phase: str = ""  # completes "no reply within 2s, still ..."; empty once the request is sent
    decided_after: float | None = None  # seconds

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return monotonic() - self.started

    def mark_decided(self) -> None:
        """Note that the outcome is known. What follows only finds words for it. The first call counts."""
        if self.decided_after is None:
            self.decided_after = self.elapsed()

    def took(self) -> float:
        """Return the seconds until the outcome was known, or until now."""
        return self.elapsed() if self.decided_after is None else self.decided_after

    def remaining(self) -> float:
        """Return the seconds left, more than 0. Raises DeadlineExceeded if there are none."""
        left = self.timeout - self.elapsed()
        if left <= 0:
            raise self.timeout_error()
        return left

    def timeout_error(self) -> DeadlineExceeded:
        """Return the error that says which phase took too long."""
        still = f", still {self.phase}" if self.phase else ""
        return DeadlineExceeded(f"no reply within {format_duration(self.timeout)}{still}")

    def capped(self, seconds: float) -> Self:
        """Return an earlier deadline, in `seconds` or in half of the time left: the rest is for printing the line."""
        now = monotonic()
        return type(self)(min(seconds, (self.timeout - (now - self.started)) / 2), now)


def run_limited(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """Return the call's result. The watchdog limits it if there is one, `run_before` if not."""
    return call() if deadline.watched else run_before(deadline, call)


def run_before(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """Return the call's result or raise its exception. Raises DeadlineExceeded if neither comes in time.

    A late call goes on in its thread until the process ends. If no thread can be started (a limit on processes), the
    call runs in this one, and only the watchdog can end it. A late result is still an error.
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    finished = _thread.allocate_lock()
    finished.acquire()

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
            errors.append(error)
        finished.release()

    try:
        _thread.start_new_thread(work, ())
    except RuntimeError:
        result = call()
        deadline.remaining()
        return result
    if not finished.acquire(timeout=deadline.remaining()):
        raise deadline.timeout_error()
    if errors:
        raise errors[0]
    return results[0]
