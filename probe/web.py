"""One GET over https, by requests, under the same deadline and with the same words as `probe.http1`.

requests brings TLS, verification and the HTTP client. What it does not promise is kept here: its timeouts are not a
total, so what is left of the deadline is set before every read; the connection is made by `probe.http1`, so that every
address gets its share of the time; the reply is read by `probe.http1`, so that the same bytes get the same verdict, and
the same line, over http and over https.
"""

import ssl
from functools import partial
from http.client import HTTPResponse
from io import BytesIO
from socket import socket
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util import SKIP_HEADER

from probe import http1
from probe.deadline import Deadline
from probe.errors import CheckFailed, ProbeError, os_reason
from probe.reply import Reply
from probe.target import Target
from probe.text import printable
from probe.values import Statuses

PART_LIMIT = 1000  # bytes of the reason and of a field; far more than is shown
SHOWN_FIELDS = (b"content-encoding", b"content-type", b"location")  # those that a line is made of


def fetch(target: Target, deadline: Deadline, expected: Statuses, trusted: ssl.SSLContext) -> Reply:
    """GET the target. Raises CheckFailed, DeadlineExceeded."""
    urllib3.disable_warnings()
    with _Session() as session:
        session.trust_env = False  # no proxy, no .netrc, no CA-bundle variable
        session.mount("https://", _Adapter(target, deadline, expected, trusted))
        session.headers = {"Host": target.authority, **http1.FIELDS, "Accept-Encoding": SKIP_HEADER}
        try:
            response = session.get(
                str(target),
                verify=trusted.verify_mode != ssl.CERT_NONE,
                allow_redirects=False,
                stream=True,
                timeout=deadline.remaining(),
            )
        except ProbeError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure of the libraries is one of the check
            raise _failure(error, deadline) from None
        fields = {name: response.headers.get(name.decode(), "").encode("latin-1", "replace") for name in SHOWN_FIELDS}
        reason = (response.reason or "").encode("latin-1", "replace")
        return Reply(response.status_code, reason, fields, response.raw.read(decode_content=False))


def _failure(error: BaseException, deadline: Deadline) -> CheckFailed:
    """The innermost cause, in the words that http checks use."""
    causes = _causes(error)
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CheckFailed(f"certificate not trusted: {printable(cause.verify_message)}")
        if isinstance(cause, TimeoutError):
            return deadline.exceeded()
        if isinstance(cause, ssl.SSLError):
            return CheckFailed(_tls_reason(cause, deadline))
        if isinstance(cause, OSError) and cause.strerror:
            return CheckFailed(os_reason(cause))
    return CheckFailed(f"no usable reply: {printable(str(causes[-1])) or type(causes[-1]).__name__}")


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it came of, the innermost last: urllib3 wraps errors in others also by their arguments."""
    causes = [error]
    for cause in causes:
        inner = [one for one in (cause.__cause__, cause.__context__, *cause.args) if isinstance(one, BaseException)]
        causes += [one for one in inner if all(one is not known for known in causes)]
    return causes


NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
HANDSHAKE = "in the TLS handshake"

# What OpenSSL's words for an alert or a failure mean to a user, by their end.
TLS_REASONS = {
    "ALERT_CERTIFICATE_REQUIRED": "the server demands a client certificate, and none is ever sent",
    "ALERT_HANDSHAKE_FAILURE": (
        "the server refuses the handshake: no cipher in common, or it demands a client certificate"
    ),
    "ALERT_PROTOCOL_VERSION": "the server speaks no TLS 1.2 or newer",
    "UNSUPPORTED_PROTOCOL": "the server speaks no TLS 1.2 or newer",
}


def _tls_reason(error: ssl.SSLError, deadline: Deadline) -> str:
    if error.reason in NOT_TLS and deadline.doing == HANDSHAKE:
        return "not a TLS server; ask by a URL with http://"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "connection closed in the TLS handshake"
    words = error.reason or str(error)
    for end, meaning in TLS_REASONS.items():
        if words.endswith(end):
            return f"TLS failed: {meaning}"
    return f"TLS failed: {printable(words.replace('_', ' ').lower())}"


class _StrictResponse(HTTPResponse):
    """A response that is read, and judged, by the reader of the http checks, in time.

    http.client passes over no interim reply but 100, takes a head that was cut off for a whole one, and has limits of
    its own. What is left to it is a reply without peculiarities.
    """

    fp: Any

    def __init__(self, deadline: Deadline, expected: Statuses, connection: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connection, *args, **kwargs)
        self._deadline = deadline
        self._expected = expected
        self._connection = connection

    def begin(self) -> None:
        """Read the final reply. Raises CheckFailed where there is none, DeadlineExceeded."""
        self._deadline.doing = ""
        reply = http1.receive(self._connection, self._deadline, self._expected)
        self.fp.close()
        self.fp = BytesIO(_plain(reply))
        super().begin()


def _plain(reply: Reply) -> bytes:
    """A reply that says only what http.client has to know, with as much of the body as has come."""
    lines = [b"HTTP/1.1 %d %b" % (reply.status, reply.reason[:PART_LIMIT].strip()), b"Connection: close"]
    lines += [name + b": " + reply.fields.get(name, b"")[:PART_LIMIT] for name in SHOWN_FIELDS]
    lines.append(b"Content-Length: %d" % len(reply.body))
    return b"\r\n".join([*lines, b"", reply.body])


class _Session(requests.Session):
    """A session that does not even look where a redirect points: what it cannot parse there would be an error."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """No redirect is ever followed."""
        return


class _Adapter(HTTPAdapter):
    """requests' transport with connections, responses and trust of ours."""

    def __init__(self, target: Target, deadline: Deadline, expected: Statuses, context: ssl.SSLContext) -> None:
        class Connection(HTTPSConnection):
            response_class: Any = staticmethod(partial(_StrictResponse, deadline, expected))

            def _new_conn(self) -> socket:
                connection = http1.connect(self.host.strip("[]"), self.port, deadline)
                deadline.doing = HANDSHAKE
                connection.settimeout(deadline.remaining())
                return socket(connection.family, connection.type, connection.proto, connection.detach())

            def send(self, data: Any) -> None:
                try:
                    super().send(data)
                except TimeoutError:
                    raise
                except OSError:  # the server no longer listens: it may have answered before it closed
                    pass

            def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
                # The path as it was given: on its way here two libraries have normalised it.
                super().putrequest(method, target.path, *args, **kwargs)

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        self._pool = Pool
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does it, with our connections and our context for https."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}

    def cert_verify(self, *args: object) -> None:
        """The context knows all there is to know; requests would want a file of certificates."""
