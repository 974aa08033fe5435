"""A stream ends with the deadline, whichever way the bytes go."""

import socket
from collections.abc import Callable
from time import monotonic

import pytest

from probe.deadline import Deadline
from probe.errors import DeadlineExceeded
from probe.transport.stream import Stream

MORE_THAN_A_SOCKET_BUFFERS = bytes(64 << 20)

WAYS: dict[str, Callable[[Stream, Deadline], object]] = {
    "receive": lambda stream, deadline: stream.receive(deadline),
    "send": lambda stream, deadline: stream.send(MORE_THAN_A_SOCKET_BUFFERS, deadline),
}


@pytest.mark.parametrize("use", WAYS.values(), ids=list(WAYS))
def test_a_peer_that_does_nothing_is_given_up_at_the_deadline(use: Callable[[Stream, Deadline], object]) -> None:
    near, far = socket.socketpair()
    with far, Stream(near) as stream, pytest.raises(DeadlineExceeded, match="^no reply within 200ms$"):
        use(stream, Deadline(0.2, monotonic()))
