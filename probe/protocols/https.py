"""https: one GET by requests, over the transport and with the response reader that http uses.

requests gives the session. An adapter of ours replaces its own transport (requests' documentation, "Transport
Adapters"), for three reasons. The timeouts of requests are not a total. Each address of a host must get its share of
the time. The same bytes must give the same outcome, and the same line, over http and https.
"""

import ssl
from functools import partial
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from probe.conditions.status import ExpectedStatus
from probe.deadline import Deadline, run_limited
from probe.errors import CheckFailed, NoResponse
from probe.http.request import Request, encode
from probe.http.response import Response
from probe.protocols.exchange import exchange
from probe.target import Scheme
from probe.transport import tls, trust

SCHEME = Scheme("https", 443, secure=True)


def fetch(request: Request, expected: ExpectedStatus, deadline: Deadline) -> Response:
    """GET the target over TLS. Raises CheckFailed if there is no response in time."""
    trust.prepare(deadline)
    return run_limited(deadline, partial(_get, request, expected, deadline))


def _get(request: Request, expected: ExpectedStatus, deadline: Deadline) -> Response:
    with _Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        session.mount("https://", _Adapter(request, _context(request), expected, deadline))
        received = session.send(_prepared(request), allow_redirects=False, stream=True)
        headers = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in received.headers.items()}
        body = received.raw.read(decode_content=False)
        return Response(received.status_code, received.reason.encode("latin-1"), headers, body)


def _context(request: Request) -> ssl.SSLContext:
    """Return what the request trusts, ready for a connection. Raises CheckFailed."""
    if request.insecure:
        return trust.any_certificate()
    return request.trusted or trust.system_store()


def _prepared(request: Request) -> requests.PreparedRequest:
    """Return the request for a session, with the path and the host as they are.

    `PreparedRequest.prepare_url` would normalise the path. It would refuse hosts that only a resolver can judge.
    """
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = str(request.target)
    prepared.headers = CaseInsensitiveDict(request.headers)
    return prepared


class _Session(requests.Session):
    """A session that does not look where a redirect points: requests fails on a Location that it cannot parse."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Find no redirect to follow."""
        return


class _Adapter(HTTPAdapter):
    """The transport of a session: one exchange over TLS, under the deadline of the check."""

    def __init__(self, request: Request, context: ssl.SSLContext, expected: ExpectedStatus, deadline: Deadline) -> None:
        super().__init__()
        self._request = request
        self._context = context
        self._expected = expected
        self._deadline = deadline

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send the request, read the response. Raises CheckFailed."""
        target = self._request.target
        data = encode(self._request.method, target.path, request.headers)
        with tls.connect(target.host, target.port, self._context, self._deadline) as stream:
            try:
                response = exchange(stream, data, self._expected, self._deadline)
            except NoResponse as failure:
                raise CheckFailed(f"{failure}{stream.alerts.hint}") from None
        # urllib3 gets only the body: it would apply the length and the codings too, and fail on some.
        raw = HTTPResponse(
            body=BytesIO(response.body),
            status=response.status,
            reason=response.reason.decode("latin-1"),
            preload_content=False,
        )
        built = self.build_response(request, raw)
        built.headers.update({name.decode(): value.decode("latin-1") for name, value in response.headers.items()})
        return built
