"""The log: one line of standard error for each message, whatever is in it, and no waiting for who reads it."""

import logging
import os
import select
import sys
from contextlib import suppress
from time import monotonic

from probe.text import clip, printable

LINE_LIMIT = 4096  # bytes: what a pipe that is ready takes at once (POSIX, PIPE_BUF)
REPEATED_AFTER = 60.0  # seconds
MOST_REMEMBERED = 1000  # messages

stream = 2  # where the lines go; for a terminal, an opening of it that does not wait


class StandardError(logging.Handler):
    """Writes a record as a line to standard error; drops it where the other side of a pipe does not read."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        write_line(self.format(record))


class Unrepeated(logging.Filter):
    """Lets a message pass once a minute: a fault that every request meets is told, and does not fill a disk."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it was not told lately."""
        message, now = record.getMessage(), monotonic()
        if now - self._told.get(message, -REPEATED_AFTER) < REPEATED_AFTER:
            return False
        if len(self._told) >= MOST_REMEMBERED:
            self._told.clear()
        self._told[message] = now
        return True

    def forget(self) -> bool:
        """Let every message pass again; whether there were any."""
        told = bool(self._told)
        self._told.clear()
        return told


def start() -> None:
    """Let all messages, also those of libraries, go to standard error."""
    global stream
    if os.isatty(2):  # one that says it is ready takes a part of a line, and waits with the rest
        with suppress(OSError):
            stream = os.open(os.ttyname(2), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    logging.basicConfig(format="%(message)s", level=logging.INFO, handlers=[StandardError()])


def write_line(text: str) -> None:
    """The text as one line on standard error."""
    if sys.stderr is None:  # closed at the start: its number is another file's by now
        return
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    if poll.poll(0):
        try:
            os.write(stream, (clip(printable(text), LINE_LIMIT - 1) + "\n").encode())
        except OSError:  # the reader is gone, or a disk is full: no reason to stop serving
            return
