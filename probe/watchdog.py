"""The last resort against lateness: what ends the process when nothing in it does.

In the frozen program it is a timer of the kernel's, answered in C (build/bootloader/signals.c). It needs no thread and
no interpreter that still runs, so it holds also where a limit on processes leaves the look-up of a name to the only
thread, or a lack of memory the interpreter in a loop. Elsewhere there is no such thing, and `probe.deadline` does what
can be done in Python.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer

# End the process in so many seconds, with that exit status, and that line on standard error; without a line, nothing is
# said from now on, not even on an interrupt.
arm: Callable[[float, int, str], None] | None
try:
    import _watchdog
except ImportError:
    arm = None
else:
    arm = _watchdog.arm


# Docker ends with SIGTERM what is late.
INTERRUPTS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


def hear_interrupts() -> None:
    """Raise KeyboardInterrupt for all of them. The frozen program knows of them by itself."""
    if arm is None:
        for number in INTERRUPTS:
            if signal.getsignal(number) == signal.SIG_DFL:  # nohup has it ignored
                signal.signal(number, signal.default_int_handler)


def ignore_interrupts() -> None:
    """What comes while the verdict is written comes too late to change it. In the frozen program `arm` sees to that."""
    if arm is None:
        for number in signal.valid_signals():
            if signal.getsignal(number) is signal.default_int_handler:
                signal.signal(number, signal.SIG_IGN)


@contextmanager
def limit(seconds: float, status: int) -> Iterator[None]:
    """End the process with that exit status, and without a line, should the context take so many seconds."""
    if arm:
        arm(seconds, status, "")
        yield
        return
    timer = Timer(seconds, os._exit, [status])
    timer.daemon = True
    with suppress(RuntimeError):  # no thread to be had: what is done here is trusted to end
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
