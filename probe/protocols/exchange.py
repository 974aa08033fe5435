"""One request and its response over a stream, the same for every scheme of HTTP."""

from probe.conditions.status import ExpectedStatus
from probe.deadline import Deadline
from probe.errors import CheckFailed
from probe.http.response import Response, ResponseReader
from probe.transport.stream import Stream

# Seconds that a body may take after the head. An endless body must not use up the deadline. A server that still writes
# a short body must not find the connection broken. An unhealthy line shows the start of the body, which a proxy or a
# busy service often sends in a packet of its own.
BODY_GRACE = 0.1
UNHEALTHY_BODY_GRACE = 0.5


def exchange(stream: Stream, request: bytes, expected: ExpectedStatus, deadline: Deadline) -> Response:
    """Send the request and read the response.

    Raises NoResponse if the server ends the connection without a response, and CheckFailed.
    """
    deadline.phase = ""
    stream.send(request, deadline)
    reader = ResponseReader()
    while not reader.decided:
        reader.feed(stream.receive(deadline))
    deadline.mark_decided()
    grace = BODY_GRACE if reader.status in expected else UNHEALTHY_BODY_GRACE
    _read_body(stream, reader, deadline.capped(grace))
    return reader.response()


def _read_body(stream: Stream, reader: ResponseReader, deadline: Deadline) -> None:
    """Read what arrives of the body in time. A failure here does not change the outcome."""
    try:
        while not reader.complete:
            reader.feed(stream.receive(deadline))
    except CheckFailed:
        return
