"""TLS connections, and why one fails.

The ssl module reports the same event in several ways, which differ between versions of OpenSSL. Its errors become ours
here, with the alert that the server sent.
"""

import os
import re
import socket
import ssl
from contextlib import suppress
from errno import ECONNRESET, ENOTCONN
from typing import Any

from probe.deadline import Deadline
from probe.errors import CheckFailed, NoResponse, os_reason
from probe.text import printable, quote
from probe.transport import alerts
from probe.transport.connect import LOOK_GRACE, open_socket
from probe.transport.stream import Stream, failure

HANDSHAKE = "in the TLS handshake"
NOT_TRUSTED = "certificate not trusted"
NAME_MISMATCHES = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
COMMON_NAME_ONLY = "only its common name (CN), which does not count (RFC 9525)"

# Names of OpenSSL's errors.
NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)
BROKEN_RECORD = ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "RECORD_LAYER_FAILURE")  # of older and newer OpenSSL
UNENCRYPTED = ("BAD_RECORD_TYPE", "INTERNAL_ERROR", "WRONG_VERSION_NUMBER")  # after the handshake

# What OpenSSL writes around the words of an error: "[SSL] unknown error (_ssl.c:992)".
AROUND = re.compile(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$")


class TlsStream(Stream):
    """A connection after its handshake."""

    _connection: ssl.SSLSocket

    def __init__(self, connection: ssl.SSLSocket, listener: alerts.Listener) -> None:
        super().__init__(connection)
        self.alerts = listener

    def _read(self) -> bytes:
        piece = super()._read()
        if not piece and _is_reset(self._connection):  # OpenSSL 3.0 reports a reset as an end
            raise _reset()
        return piece

    def _is_closed(self, error: OSError) -> bool:
        """Whether the server has closed: an alert or any other error of TLS says so too."""
        return not isinstance(error, TimeoutError)

    def _failure(self, error: OSError, deadline: Deadline) -> CheckFailed:
        if isinstance(error, ssl.SSLError):
            return CheckFailed(_tls_reason(error, self.alerts, handshake=False))
        return super()._failure(error, deadline)


def connect(host: str, port: int, context: ssl.SSLContext, deadline: Deadline) -> TlsStream:
    """Return a stream to the host after a handshake with its server. Raises CheckFailed."""
    listener = alerts.Listener(context)
    name = host.rstrip(".")  # a certificate has no final dot
    try:
        connection = _shake_hands(name, _open_socket(host, port, deadline), context, deadline)
    except ssl.SSLCertVerificationError as error:
        deadline.mark_decided()
        if error.verify_code in NAME_MISMATCHES:
            _look_for_common_name(host, port, context, deadline.capped(LOOK_GRACE))
        raise CheckFailed(f"{NOT_TRUSTED}: {printable(error.verify_message)}") from None
    except ssl.SSLError as error:
        raise CheckFailed(_tls_reason(error, listener, handshake=True)) from None
    except TimeoutError as error:
        raise failure(error, deadline) from None
    except OSError as error:
        known = _reset() if error.errno == ENOTCONN else error  # the ssl module's report of a reset
        raise CheckFailed(f"{os_reason(known)} {HANDSHAKE}{listener.hint}") from None
    except ValueError as error:  # the ssl module refuses a name, such as one with a leading dot
        raise CheckFailed(f"no usable reply: {printable(str(error))}") from None
    return TlsStream(connection, listener)


def _open_socket(host: str, port: int, deadline: Deadline) -> socket.socket:
    try:
        return open_socket(host, port, deadline)
    except NoResponse as error:
        raise CheckFailed(f"{error} {HANDSHAKE}") from None


def _shake_hands(name: str, connection: socket.socket, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    """Make the handshake. Raises OSError, ValueError, DeadlineExceeded; then the connection is closed."""
    deadline.phase = HANDSHAKE
    try:
        connection.settimeout(deadline.remaining())
        # Bytes, because a str would go through the idna codec, which refuses a name only after it took the socket.
        secure = context.wrap_socket(connection, server_hostname=name.encode("ascii"))
    except BaseException:
        connection.close()
        raise
    if not secure.version():  # the ssl module leaves out the handshake on a connection that is reset already
        secure.close()
        raise _reset()
    return secure


def _look_for_common_name(host: str, port: int, context: ssl.SSLContext, deadline: Deadline) -> None:
    """Raise CheckFailed if the host is a common name of the certificate, which a second connection shows."""
    certificate = _certificate(host, port, context, deadline)
    names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    if host.lower() in [name.lower() for name in names]:
        missing = "its subjectAltName lacks it" if "subjectAltName" in certificate else "it needs a subjectAltName"
        raise CheckFailed(f"{NOT_TRUSTED}: {quote(host)} is {COMMON_NAME_ONLY}; {missing}")


def _certificate(host: str, port: int, context: ssl.SSLContext, deadline: Deadline) -> dict[str, Any]:
    """Return the server's certificate, empty if it cannot be seen.

    Everything but the name is verified: the ssl module shows no other certificate.
    """
    context.check_hostname = False
    with (
        suppress(CheckFailed, OSError),
        _shake_hands(host, open_socket(host, port, deadline), context, deadline) as secure,
    ):
        return secure.getpeercert() or {}
    return {}


def _tls_reason(error: ssl.SSLError, listener: alerts.Listener, *, handshake: bool) -> str:
    """Return what the error means, in the handshake or after it."""
    if error.reason in NOT_TLS and handshake:
        return "not a TLS server; ask by a URL with http://"
    if listener.alert:
        return alerts.meaning(listener.alert, certificate_requested=listener.certificate_requested)
    if listener.alert == alerts.CLOSE_NOTIFY or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"connection closed {HANDSHAKE if handshake else 'without a reply'}{listener.hint}"
    words = error.reason.replace("_", " ").lower() if error.reason else AROUND.sub("", str(error.strerror))
    if error.reason in BROKEN_RECORD or (not handshake and words.upper().replace(" ", "_") in UNENCRYPTED):
        return "TLS failed: a record from the server cannot be decrypted"
    if error.reason == "UNSUPPORTED_PROTOCOL":
        return f"TLS failed: the server {alerts.TOO_OLD}"
    return f"TLS failed: {printable(words)}"


def _is_reset(connection: ssl.SSLSocket) -> bool:
    """Whether a connection that has ended was reset: an end leaves it half open."""
    try:
        connection.getpeername()
    except OSError:  # ENOTCONN
        return True
    return False


def _reset() -> ConnectionResetError:
    return ConnectionResetError(ECONNRESET, os.strerror(ECONNRESET))
