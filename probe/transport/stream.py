"""A connection under a deadline. Every error of the operating system becomes a CheckFailed here."""

import socket
from types import TracebackType
from typing import Self

from probe.deadline import Deadline
from probe.errors import CheckFailed, NoResponse, os_reason

PIECE = 16 * 1024  # bytes for each read


class Stream:
    """A connected TCP socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = False  # whether anything was

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all the data, unless the server has closed: it may have answered before. Raises CheckFailed."""
        try:
            self._connection.settimeout(deadline.remaining())
            self._connection.sendall(data)
        except OSError as error:
            if not self._is_closed(error):
                raise self._failure(error, deadline) from None

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises NoResponse if the connection is reset before the first byte, CheckFailed for any other error.
        """
        try:
            self._connection.settimeout(deadline.remaining())
            piece = self._read()
        except OSError as error:
            raise self._failure(error, deadline) from None
        if piece:
            self._received = True
        return piece

    def _read(self) -> bytes:
        return self._connection.recv(PIECE)

    def _is_closed(self, error: OSError) -> bool:
        """Whether the server has closed, which an error of sending says."""
        return isinstance(error, BrokenPipeError | ConnectionResetError)

    def _failure(self, error: OSError, deadline: Deadline) -> CheckFailed:
        if isinstance(error, ConnectionResetError) and not self._received:
            return NoResponse(os_reason(error))
        return failure(error, deadline)


def failure(error: OSError, deadline: Deadline) -> CheckFailed:
    """Return the failure that the error is. A timeout without a number is ours, one with a number is the kernel's."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return deadline.timeout_error()
    return CheckFailed(os_reason(error))
