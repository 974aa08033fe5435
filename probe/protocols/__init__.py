"""The registry of schemes. Each scheme is one file here: its `SCHEME`, and its `fetch`.

`fetch` takes the request, the expected status and the deadline. It returns a response or raises CheckFailed.
"""

from collections.abc import Callable

from probe.conditions.status import ExpectedStatus
from probe.deadline import Deadline
from probe.http.request import Request
from probe.http.response import Response
from probe.protocols import http, https
from probe.target import Scheme

PROTOCOLS: dict[Scheme, Callable[[Request, ExpectedStatus, Deadline], Response]] = {
    http.SCHEME: http.fetch,
    https.SCHEME: https.fetch,
}

SCHEMES = {scheme.name: scheme for scheme in PROTOCOLS}
