"""The process: its environment, streams, interrupts, watchdog and end. No other module ends it.

The watchdog ends the process if the check does not. In the executable it is a timer of the kernel with a handler in C
(build/bootloader/). It needs no thread and no running interpreter, so it also works under a limit on processes or
without memory. Outside the executable there is none, and `probe.deadline` does what Python can.
"""

import os
import posix
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import NoReturn

from probe.deadline import Deadline
from probe.errors import os_reason
from probe.verdict import HEALTHY, UNHEALTHY, Verdict

STDOUT = 1
STDERR = 2

WRITE_GRACE = 0.1  # seconds for a reader to make room in a full pipe
WATCH_GRACE = 0.05  # seconds for the check to end by itself, with a line that says more

# Docker sends SIGTERM to a check that is late.
INTERRUPTS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)

# arm(seconds, exit_code, line) ends the process after that time, with the line on standard error. Without a line, the
# process prints nothing from now on, not even for an interrupt.
arm: Callable[[float, int, str], None] | None
try:
    import _watchdog
except ImportError:
    arm = None
else:
    arm = _watchdog.arm


def take_environment() -> dict[bytes, bytes]:
    """Return the environment, and empty it: no variable may change what a library or a C function does."""
    environ = posix.environ.copy()  # os.environb would take a fifth of a check's instructions for the same
    posix.environ.clear()
    for name in environ:
        try:
            os.unsetenv(name)
        except OSError:  # an empty name can be inherited, but not unset
            continue
    return environ


def open_streams() -> frozenset[int]:
    """Return the output streams that are open. Call it first: a socket may get the number of a closed one."""
    streams = set()
    for stream in (STDOUT, STDERR):
        try:
            os.fstat(stream)
        except OSError:
            continue
        streams.add(stream)
    return frozenset(streams)


def catch_interrupts() -> None:
    """Raise KeyboardInterrupt for the first interrupt, and ignore the others. The executable handles them in C."""
    if arm is None:
        for number in INTERRUPTS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # nohup has it ignored
                signal.signal(number, interrupt)


def interrupt(*_: object) -> NoReturn:
    """Handle the first interrupt. A second one would interrupt the handling of the first."""
    ignore_interrupts()
    raise KeyboardInterrupt


def ignore_interrupts() -> None:
    """Ignore every interrupt: the verdict is known. The executable does so when the watchdog is armed for writing."""
    if arm is None:
        for number in INTERRUPTS:
            if signal.getsignal(number) is interrupt:
                signal.signal(number, ignore)


def ignore(*_: object) -> None:
    """Handle a later interrupt. With SIG_IGN in its place, Python would print a line for one that is pending."""


def arm_watchdog(deadline: Deadline, verdict: Verdict) -> None:
    """End the process with that verdict soon after the deadline, if there is a watchdog."""
    if arm:
        deadline.watched = True
        arm(max(0, deadline.timeout - deadline.elapsed()) + WATCH_GRACE, verdict.exit_code, verdict.output)


def emit(verdict: Verdict, streams: frozenset[int]) -> None:
    """Write the verdict's output to its stream, if that was open at the start.

    Ignore a closed pipe. If the reader stalls, end the process.
    """
    stream = STDOUT if verdict.exit_code == HEALTHY else STDERR
    if verdict.output and stream in streams:
        with _limit(WRITE_GRACE, verdict.exit_code), suppress(OSError):
            _write(stream, verdict.output.encode())


def page(text: str, name: str) -> Verdict:
    """Write a long text to standard output, at the reader's pace. Return the verdict for what is left to print."""
    data = text.encode()
    try:
        while data:
            select.select([], [STDOUT], [])
            data = data[os.write(STDOUT, data) :]
    except BrokenPipeError:
        pass
    except OSError as error:
        return Verdict(UNHEALTHY, f"cannot write {name}: {os_reason(error)}\n")
    return Verdict(HEALTHY, "")


def finish(verdict: Verdict, streams: frozenset[int]) -> NoReturn:
    """Write the verdict's output and end the process.

    The process ends without clean-up. A late look-up or handshake may still run in a thread, and must not delay it.
    """
    emit(verdict, streams)
    os._exit(verdict.exit_code)


@contextmanager
def _limit(seconds: float, exit_code: int) -> Iterator[None]:
    """End the process with that exit code, without a line, if the context takes longer."""
    if arm:
        arm(seconds, exit_code, "")
        yield
        return
    timer = Timer(seconds, os._exit, [exit_code])
    timer.daemon = True
    with suppress(RuntimeError):  # without a thread there is no limit
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]
