"""One GET over https, by requests, under the same deadline and with the same words as `probe.http1`.

requests brings TLS, verification and the HTTP client. What it does not promise is kept here: its timeouts are not a
total, so the request runs in a thread that is not waited for beyond the deadline; the connection is made by
`probe.http1`, so that every address gets its share of the time; http.client passes over 100 replies only.
"""

import ssl
from contextlib import suppress
from http.client import HTTPResponse, parse_headers
from pathlib import Path
from socket import socket
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util import SKIP_HEADER

from probe import http1
from probe.check import Check
from probe.deadline import Deadline, within
from probe.errors import CheckFailed, ProbeError, UsageError, os_reason
from probe.reply import BODY_LIMIT, Reply
from probe.text import printable, quote

# Where distributions keep the certificates they trust: Debian and Alpine, Fedora and RHEL, SUSE, Alpine and BSD.
TRUST_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def readable_certificates(path: str) -> str:
    """The path again, if certificates can be read from it. Raises UsageError, saying why they cannot."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise UsageError(f"{quote(path)} holds no certificate; expected a file of PEM certificates") from None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {quote(path)}: {reason}; expected a file of PEM certificates") from None
    return path


def trust_store() -> str:
    """The system's trusted certificates where there are any, certifi's otherwise."""
    for path in TRUST_STORES:
        try:
            if Path(path).stat().st_size:
                return path
        except OSError:
            continue
    return certifi.where()


def fetch(check: Check, deadline: Deadline) -> Reply:
    """GET the check's target. Raises CheckFailed, DeadlineExceeded."""
    return within(deadline, "", lambda: _fetch(check, deadline))


def _fetch(check: Check, deadline: Deadline) -> Reply:
    urllib3.disable_warnings()
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc, no CA-bundle variable
        session.mount("https://", _Adapter(deadline))
        session.headers = {**http1.FIELDS, "Accept-Encoding": SKIP_HEADER}
        try:
            response = session.get(
                str(check.target),
                verify=False if check.insecure else check.cacert or trust_store(),
                allow_redirects=False,
                stream=True,
                timeout=deadline.remaining(),
            )
            location = response.headers.get("Location", "").encode("latin-1", "replace")
            reason = (response.reason or "").encode("latin-1", "replace")
            body = _body(response, deadline)
            return Reply(_status(response), reason, location, body)
        except ProbeError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure of the libraries is one of the check
            raise _failure(error, deadline) from None


def _status(response: requests.Response) -> int:
    if 100 <= response.status_code <= 599:
        return response.status_code
    raise CheckFailed(f"malformed status line: the status is {response.status_code}")


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    """What comes of the body within the grace that http checks allow too; the response is closed behind it."""
    pieces: list[bytes] = []

    def read() -> None:
        with response:
            while sum(map(len, pieces)) < BODY_LIMIT:
                piece = response.raw.read1(http1.PIECE, decode_content=False)
                if not piece:
                    break
                pieces.append(piece)

    # No trouble with the body changes the verdict.
    with suppress(Exception):
        within(deadline.sooner(http1.BODY_GRACE), "", read)
    return b"".join(pieces)


def _failure(error: BaseException, deadline: Deadline) -> CheckFailed:
    """The innermost cause, in the words that http checks use."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and cause not in causes:
        causes.append(cause)
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CheckFailed(f"certificate not trusted: {printable(cause.verify_message)}")
        if isinstance(cause, TimeoutError):
            return deadline.exceeded()
        if isinstance(cause, ssl.SSLError):
            return CheckFailed(_tls_reason(cause))
        if isinstance(cause, OSError) and cause.strerror:
            return CheckFailed(os_reason(cause))
    return CheckFailed(f"no usable reply: {printable(str(causes[-1])) or type(causes[-1]).__name__}")


def _tls_reason(error: ssl.SSLError) -> str:
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return "not a TLS server; ask by a URL with http://"
    if isinstance(error, ssl.SSLEOFError):
        return "connection closed in the TLS handshake"
    return f"TLS failed: {printable((error.reason or str(error)).replace('_', ' ').lower())}"


class _FinalResponse(HTTPResponse):
    """A response whose status is the final one: every 1xx but 101 is passed over (RFC 9110, section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200 or status == 101:
                return version, status, reason
            parse_headers(self.fp)


class _Adapter(HTTPAdapter):
    """requests' transport with connections and responses of ours."""

    def __init__(self, deadline: Deadline) -> None:
        class Connection(HTTPSConnection):
            response_class = _FinalResponse

            def _new_conn(self) -> socket:
                connection = http1.connect(self.host.strip("[]"), self.port, deadline)
                connection.settimeout(deadline.remaining())
                return socket(connection.family, connection.type, connection.proto, connection.detach())

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        self._pool = Pool
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does it, with our connections for https."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}
