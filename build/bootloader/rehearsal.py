"""Run before the snapshot is taken: ordinary checks against nobody.

The interpreter learns as it runs: where the attributes of a type are found, which operands an instruction mostly meets.
What it has learnt is part of its memory, so the snapshot holds it, and no check has to learn it again.
"""

from _socket import socketpair
from time import monotonic

from probe import hot, http1, verdict
from probe.deadline import Deadline
from probe.errors import CheckFailed

ROUNDS = 20  # CPython 3.11 and later specialise an instruction after 8 to 16 runs of it
REPLIES = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"UP"}',
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown",
)


def run() -> None:
    """Go through all of a check but the connection's making and the output's writing."""
    for _ in range(ROUNDS):
        wanted = hot.parse(["-port=6767", "-t=1h"], {})  # the watchdog is not to bite before the snapshot is written
        if wanted is None:
            raise RuntimeError("this is no ordinary check")
        for reply in REPLIES:
            ours, theirs = socketpair()
            theirs.send(reply)
            deadline = Deadline(wanted.timeout, monotonic())
            verdict.watch(wanted, deadline)
            answer = http1.exchange(ours, http1.request(wanted.target), deadline, wanted.expected)
            verdict.replied(wanted, answer, 0.001)
            ours.close()
            theirs.close()
        verdict.failed(wanted, CheckFailed("connection refused"), 0.001)
