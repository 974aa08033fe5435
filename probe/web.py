"""One GET over https, by requests, under the same deadline and with the same words as `probe.http1`.

requests brings TLS, verification and the HTTP client. What it does not promise is kept here: its timeouts are not a
total, so what is left of the deadline is set before every read; the connection is made by `probe.http1`, so that every
address gets its share of the time; the head of the reply is read by `probe.reply`, so that the same bytes get the same
verdict over http and over https.
"""

import ssl
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, BytesIO, RawIOBase
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
from probe.reply import BODY_LIMIT, Reply, ReplyReader
from probe.target import Target
from probe.text import printable

REASON_LIMIT = 1000  # bytes; far more than is shown


def fetch(target: Target, deadline: Deadline, trusted: ssl.SSLContext) -> Reply:
    """GET the target. Raises CheckFailed, DeadlineExceeded."""
    urllib3.disable_warnings()
    with _Session() as session:
        session.trust_env = False  # no proxy, no .netrc, no CA-bundle variable
        session.mount("https://", _Adapter(target, deadline, trusted))
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
        location = response.headers.get("Location", "").encode("latin-1", "replace")
        reason = (response.reason or "").encode("latin-1", "replace")
        return Reply(response.status_code, reason, {b"location": location}, _body(response))


def _body(response: requests.Response) -> bytes:
    """What comes of the body; no trouble with it changes the verdict. The response is closed behind it."""
    body = b""
    with suppress(Exception), response:
        while len(body) < BODY_LIMIT and (piece := response.raw.read1(http1.PIECE, decode_content=False)):
            body += piece
    return body


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
    """A response whose head is read, and judged, by the reader of the http checks, in time.

    http.client passes over no interim reply but 100, takes a head that was cut off for a whole one, and has limits of
    its own. What is left to it is the body.
    """

    fp: Any

    def __init__(self, deadline: Deadline, connection: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connection, *args, **kwargs)
        self._deadline = deadline
        self._connection = connection

    def begin(self) -> None:
        """Read the head of the final reply. Raises CheckFailed where there is none, DeadlineExceeded."""
        self._deadline.doing = ""
        timed = _TimedStream(self._connection, self.fp, self._deadline)
        stream = BufferedReader(timed)
        self.fp = BufferedReader(BytesIO(_digest(_read_head(stream))))
        super().begin()
        self.fp = stream
        timed.deadline = self._deadline.sooner(http1.BODY_GRACE)


class _TimedStream(RawIOBase):
    """A socket's stream that has what is left of the deadline for each read."""

    def __init__(self, connection: socket, stream: BufferedReader, deadline: Deadline) -> None:
        self.deadline = deadline
        self._connection = connection
        self._stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What comes next. Raises DeadlineExceeded, TimeoutError."""
        self._connection.settimeout(self.deadline.remaining())
        return self._stream.readinto1(buffer)

    def close(self) -> None:
        """Let the socket go."""
        self._stream.close()
        super().close()


def _read_head(stream: "BufferedReader[_TimedStream]") -> Reply:
    """The reply as its head tells it; the body is left in the stream."""
    reader = ReplyReader()
    while not reader.decided:
        waiting = stream.peek(1)
        piece = stream.read(waiting.find(b"\n") + 1 or len(waiting))  # not beyond a line
        if piece:
            reader.feed(piece)
        else:
            reader.end()
    return reader.reply()


def _digest(reply: Reply) -> bytes:
    """A head that says of the reply only what http.client has to know."""
    lines = [b"HTTP/1.1 %d %b" % (reply.status, reply.reason[:REASON_LIMIT].strip()), b"Connection: close"]
    lines.append(b"Location: " + reply.location)
    if reply.chunked:  # http.client knows it by this one word
        lines.append(b"Transfer-Encoding: chunked")
    elif reply.length <= BODY_LIMIT:  # urllib3 refuses a length that is none
        lines.append(b"Content-Length: %d" % reply.length)
    return b"\r\n".join([*lines, b"", b""])


class _Session(requests.Session):
    """A session that does not even look where a redirect points: what it cannot parse there would be an error."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """No redirect is ever followed."""
        return


class _Adapter(HTTPAdapter):
    """requests' transport with connections, responses and trust of ours."""

    def __init__(self, target: Target, deadline: Deadline, context: ssl.SSLContext) -> None:
        class Connection(HTTPSConnection):
            response_class: Any = staticmethod(partial(_StrictResponse, deadline))

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
