"""Signals, where Python's own handlers would come too late.

Those run in the main thread, between two steps of Python. The main thread of this service can be inside LMDB when a
signal comes, and stay there. It may wait while another process writes, and SIGTERM is to end that: a thread of its own
hears it, through the pipe in which CPython's handler, in C, leaves the signals' numbers (signal.set_wakeup_fd). Or it
touches a page of the store that is gone, for LMDB maps its file into memory, and one that was cut short or damaged
shows as SIGBUS, again and again, or as a SIGABRT of LMDB's own: for that a function is called at once, in the middle of
LMDB.
"""

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from accountservice import log

STOPS = (signal.SIGTERM, signal.SIGINT)
CRASHES = (signal.SIGBUS, signal.SIGABRT, signal.SIGSEGV)


class Signals:
    """What the process does on a signal: a stop is as `on_stop` says, a crash is one line and exit status 1."""

    def __init__(self) -> None:
        """Listen from now on. As a container's first process it would otherwise not hear a SIGTERM at all."""
        self.on_stop: Callable[[], object] = partial(os._exit, 0)
        self._numbers, self._wakeup = os.pipe()
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(self._wakeup)
        for number in STOPS:
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._listen, daemon=True).start()
        # What is not safe in a handler of other signals is so here: LMDB is what has been interrupted, not the
        # interpreter, whose lock this thread either has or can take.
        self._crash = ctypes.CFUNCTYPE(None, ctypes.c_int)(crash)
        for number in CRASHES:
            ctypes.CDLL(None).signal(number, self._crash)

    def _listen(self) -> None:
        while number := os.read(self._numbers, 1):
            if number[0] in STOPS:
                self.on_stop()


def crash(number: int) -> NoReturn:
    """End the process at a page of the store that is not there, or not as LMDB has to have it."""
    name = signal.Signals(number).name
    log.write_line(f"Ended by {name}: the store's file, or its lock file, is damaged, or was cut short while in use")
    os._exit(1)
