"""One wall-clock deadline for a whole check, on the monotonic clock.

Sockets are given what is left of it before each operation. What cannot be given a timeout (the C library's look-up of
names, a TLS handshake, a file) runs in a second thread. The first one waits no longer than the deadline: the process
then ends without it.
"""

import _thread  # threading.Thread.start has no timeout: it waits for a thread that may get no memory to begin
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Self, TypeVar

from probe.errors import DeadlineExceeded
from probe.values import show_duration

Result = TypeVar("Result")


@dataclass(slots=True)
class Deadline:
    """A point on the monotonic clock, `timeout` seconds after `started`."""

    timeout: float
    started: float
    doing: str = ""  # until the reply is waited for; completes "no reply within 2s, still ..."
    known: float | None = None  # seconds until the outcome was known

    def elapsed(self) -> float:
        """Seconds since the start."""
        return monotonic() - self.started

    def settle(self) -> None:
        """Note that the outcome is known: what follows only finds words for it. The first note counts."""
        if self.known is None:
            self.known = self.elapsed()

    def took(self) -> float:
        """Return the seconds until the outcome was known, or until now."""
        return self.elapsed() if self.known is None else self.known

    def remaining(self) -> float:
        """Seconds left, more than 0. Raises DeadlineExceeded where there are none."""
        left = self.timeout - self.elapsed()
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceeded:
        """The error that says so, with what is being done."""
        still = f", still {self.doing}" if self.doing else ""
        return DeadlineExceeded(f"no reply within {show_duration(self.timeout)}{still}")

    def sooner(self, seconds: float) -> Self:
        """The deadline in so many seconds, or in half of the time that is left: a verdict still has to be told."""
        now = monotonic()
        return type(self)(min(seconds, (self.timeout - (now - self.started)) / 2), now)


def within(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """The call's result, or its exception; DeadlineExceeded where neither came in time.

    A call that is late goes on in its thread until the process ends. Where no thread can be had (a limit on
    processes), the call is made in this one, and only the watchdog ends it; but late it is not taken for one in time.
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
        raise deadline.exceeded()
    if errors:
        raise errors[0]
    return results[0]
