"""http: one GET over TCP."""

from probe.conditions.status import ExpectedStatus
from probe.deadline import Deadline
from probe.errors import CheckFailed, NoResponse
from probe.http import signatures
from probe.http.request import Request, encode
from probe.http.response import Response
from probe.protocols.exchange import exchange
from probe.target import Scheme, Target
from probe.transport.client_hello import client_hello
from probe.transport.connect import LOOK_GRACE, connect

SCHEME = Scheme("http", 80)

UNANSWERED = "the service failed, or its port speaks another protocol"


def fetch(request: Request, expected: ExpectedStatus, deadline: Deadline) -> Response:
    """GET the target. Raises CheckFailed if there is no response in time."""
    target = request.target
    try:
        with connect(target.host, target.port, deadline) as stream:
            return exchange(stream, encode(request.method, target.path, request.headers), expected, deadline)
    except NoResponse as failure:
        deadline.mark_decided()
        raise _explained(failure, target, deadline.capped(LOOK_GRACE)) from None


def _explained(failure: NoResponse, target: Target, deadline: Deadline) -> CheckFailed:
    """Return the failure with its likely cause. Many TLS servers close the connection on a plain request."""
    try:
        with connect(target.host, target.port, deadline) as stream:
            stream.send(client_hello(), deadline)
            answer = stream.receive(deadline)
    except CheckFailed:
        answer = b""
    if signatures.is_tls(answer):
        return CheckFailed(signatures.describe(answer))
    return CheckFailed(f"{failure}; {UNANSWERED}")
