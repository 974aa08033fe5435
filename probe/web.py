"""One GET over https, by requests, under the same deadline and with the same words as `probe.http1`.

requests brings TLS, verification and the HTTP client. What it does not promise is kept here: its timeouts are not a
total, so what is left of the deadline is set before every read; the connection is made by `probe.http1`, so that every
address gets its share of the time; the reply is read by `probe.http1`, so that the same bytes get the same verdict, and
the same line, over http and over https.
"""

import os
import re
import ssl
from contextlib import suppress
from errno import ECONNRESET, ENOTCONN
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

from probe import alerts, http1
from probe.deadline import Deadline
from probe.errors import CheckFailed, NoReply, ProbeError, os_reason
from probe.reply import Reply
from probe.target import Target
from probe.text import printable, quote
from probe.values import Statuses

PART_LIMIT = 1000  # bytes of the reason and of a field; far more than is shown
SHOWN_FIELDS = (b"content-encoding", b"content-type", b"location")  # those that a line is made of


def fetch(target: Target, deadline: Deadline, expected: Statuses, trusted: ssl.SSLContext) -> Reply:
    """GET the target. Raises CheckFailed, DeadlineExceeded."""
    urllib3.disable_warnings()
    listener = alerts.Listener(trusted)
    trusted.sslsocket_class = _Connection
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
        except NoReply as failure:
            raise CheckFailed(f"{failure}{listener.asked}") from None
        except ProbeError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure of the libraries is one of the check
            if isinstance(error, requests.exceptions.InvalidURL):  # of a host that no resolver finds, such as "."
                http1.addresses(target.host, target.port, deadline)
            deadline.settle()
            causes = _causes(error)
            if _is_of_another_name(causes):
                _look_for_common_name(target, deadline.sooner(http1.LOOK_GRACE), trusted)
            raise _failure(causes, deadline, listener) from None
        fields = {name: response.headers.get(name.decode(), "").encode("latin-1", "replace") for name in SHOWN_FIELDS}
        reason = (response.reason or "").encode("latin-1", "replace")
        return Reply(response.status_code, reason, fields, response.raw.read(decode_content=False))


def _failure(causes: list[BaseException], deadline: Deadline, listener: alerts.Listener) -> CheckFailed:
    """The innermost cause, in the words that http checks use."""
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CheckFailed(f"{NOT_TRUSTED}: {printable(cause.verify_message)}")
        if isinstance(cause, TimeoutError):
            return deadline.exceeded()
        if isinstance(cause, ssl.SSLError):
            return CheckFailed(_tls_reason(cause, deadline, listener))
        if isinstance(cause, OSError) and cause.strerror:
            known = _reset() if cause.errno == ENOTCONN else cause  # the ssl module's way to tell a reset
            where = f" {HANDSHAKE}{listener.asked}" if deadline.doing == HANDSHAKE else ""
            return CheckFailed(f"{os_reason(known)}{where}")
    return CheckFailed(f"no usable reply: {printable(str(causes[-1])) or type(causes[-1]).__name__}")


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it came of, the innermost last: urllib3 wraps errors in others also by their arguments."""
    causes = [error]
    for cause in causes:
        inner = [one for one in (cause.__cause__, cause.__context__, *cause.args) if isinstance(one, BaseException)]
        causes += [one for one in inner if all(one is not known for known in causes)]
    return causes


NOT_TRUSTED = "certificate not trusted"
NAME_MISMATCHES = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
COMMON_NAME_ONLY = "only its common name (CN), which does not count (RFC 9525)"


def _is_of_another_name(causes: list[BaseException]) -> bool:
    return any(
        isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in NAME_MISMATCHES for cause in causes
    )


def _look_for_common_name(target: Target, deadline: Deadline, trusted: ssl.SSLContext) -> None:
    """Raise CheckFailed if the host is a common name of the certificate, which is seen on a second connection."""
    certificate = _certificate(target, deadline, trusted)
    names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    if target.host.lower() in [name.lower() for name in names]:
        missing = "its subjectAltName lacks it" if "subjectAltName" in certificate else "it needs a subjectAltName"
        raise CheckFailed(f"{NOT_TRUSTED}: {quote(target.host)} is {COMMON_NAME_ONLY}; {missing}")


def _certificate(target: Target, deadline: Deadline, trusted: ssl.SSLContext) -> dict[str, Any]:
    """Return the server's certificate, empty if it cannot be seen.

    The name is not verified, all else is: the ssl module shows no other certificate.
    """
    trusted.check_hostname = False
    with suppress(CheckFailed, OSError):
        connection = _connected(target, deadline)
        with trusted.wrap_socket(connection, server_hostname=target.host) as secure:
            return secure.getpeercert() or {}
    return {}


NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)
BROKEN_RECORD = ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "RECORD_LAYER_FAILURE")  # of older and newer OpenSSL
UNENCRYPTED = ("BAD_RECORD_TYPE", "INTERNAL_ERROR", "WRONG_VERSION_NUMBER")  # behind the handshake
HANDSHAKE = "in the TLS handshake"

# What OpenSSL writes around the words of an error: "[SSL] unknown error (_ssl.c:992)".
AROUND = re.compile(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$")


def _tls_reason(error: ssl.SSLError, deadline: Deadline, listener: alerts.Listener) -> str:
    if error.reason in NOT_TLS and deadline.doing == HANDSHAKE:
        return "not a TLS server; ask by a URL with http://"
    if listener.alert:
        return alerts.meaning(listener.alert, listener.asked)
    if listener.alert == alerts.CLOSE_NOTIFY or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"connection closed {deadline.doing or 'without a reply'}{listener.asked}"
    words = error.reason.replace("_", " ").lower() if error.reason else AROUND.sub("", str(error.strerror))
    if error.reason in BROKEN_RECORD or (not deadline.doing and words.upper().replace(" ", "_") in UNENCRYPTED):
        return "TLS failed: a record from the server cannot be decrypted"
    if error.reason == "UNSUPPORTED_PROTOCOL":
        return f"TLS failed: the server {alerts.TOO_OLD}"
    return f"TLS failed: {printable(words)}"


def _reset() -> ConnectionResetError:
    return ConnectionResetError(ECONNRESET, os.strerror(ECONNRESET))


class _Connection(ssl.SSLSocket):
    """A TLS connection on which a reset is no end, whatever OpenSSL makes of it."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive, as over plain TCP. OpenSSL 3.0 tells a reset as an end."""
        piece = super().recv(buflen, flags)
        if not piece and self.version():
            try:
                self.getpeername()
            except OSError:  # ENOTCONN: an end leaves the connection half open, a reset does not
                raise _reset() from None
        return piece


class _StrictResponse(HTTPResponse):
    """A response that is read, and judged, by the reader of the http checks, in time.

    http.client passes over no interim reply but 100, takes a head that was cut off for a whole one, and has limits of
    its own. What is left to it is a reply without peculiarities.
    """

    fp: Any

    def __init__(
        self, deadline: Deadline, expected: Statuses, connection: ssl.SSLSocket, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(connection, *args, **kwargs)
        self._deadline = deadline
        self._expected = expected
        self._connection = connection

    def begin(self) -> None:
        """Read the final reply. Raises CheckFailed where there is none, DeadlineExceeded."""
        if not self._connection.version():  # reset before the handshake, which the ssl module then leaves out
            raise CheckFailed(f"{os_reason(_reset())} {HANDSHAKE}")
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


def _connected(target: Target, deadline: Deadline) -> socket:
    """A connection to the target, for its part of a TLS handshake."""
    try:
        connection = http1.connect(target.host, target.port, deadline)
    except NoReply as failure:
        raise CheckFailed(f"{failure} {HANDSHAKE}") from None
    deadline.doing = HANDSHAKE
    connection.settimeout(deadline.remaining())
    return connection


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
                return _connected(target, deadline)

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
