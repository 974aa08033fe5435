"""The certificates that a check over TLS trusts."""

import os
import re
import ssl
from contextlib import suppress
from functools import cache
from pathlib import Path

import certifi
from urllib3.util import create_urllib3_context

from probe.deadline import Deadline
from probe.errors import CheckFailed, UsageError, os_reason
from probe.renewal import renew
from probe.text import quote

# The certificates that distributions trust: Debian and Alpine, Fedora and RHEL, SUSE, Alpine and BSD.
TRUST_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

HASHED = re.compile(r"[0-9a-f]{8}\.(0|[1-9]\d?)")
END = b"-----END CERTIFICATE-----\n"

LARGEST_FILE = 16 << 20  # bytes; the certificates of all public authorities are a quarter of a MiB


def prepare(deadline: Deadline) -> None:
    """Get ready for TLS: renew what its modules must not share with another process."""
    deadline.phase = "getting ready for TLS"
    renew()


def from_file(path: str) -> ssl.SSLContext:
    """Trust the certificates in the file and no others. Raises UsageError if it has none or cannot be read."""
    trusting = _context(ssl.CERT_REQUIRED)
    try:
        if not Path(path).is_file() and Path(path).exists():  # a pipe could block for ever
            raise UsageError(f"{quote(path)} is not a file; expected a file of PEM certificates")
        if Path(path).stat().st_size > LARGEST_FILE:
            raise UsageError(f"{quote(path)} is too large; expected PEM certificates, {LARGEST_FILE >> 20} MiB at most")
        trusting.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise UsageError(f"{quote(path)} holds no certificate; expected a file of PEM certificates") from None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {quote(path)}: {reason}; expected a file of PEM certificates", path) from None
    return trusting


def system_store() -> ssl.SSLContext:
    """Trust what the system trusts. In an empty image, which has no certificates, trust the bundle of this program.

    Raises CheckFailed if the system's certificates cannot be used.
    """
    store = _find_store()
    if not store:
        return _bundled()
    trusting = _context(ssl.CERT_REQUIRED)
    try:
        if folder := _hashed_folder(store):
            trusting.load_verify_locations(capath=folder)
        else:
            trusting.load_verify_locations(cafile=store)
    except ssl.SSLError:
        raise CheckFailed(f"cannot use the certificates in {quote(store)}: it holds none") from None
    except OSError as error:
        raise CheckFailed(f"cannot use the certificates in {quote(store)}: {os_reason(error)}") from None
    return trusting


@cache
def _bundled() -> ssl.SSLContext:
    """Trust the bundle of this program. The executable starts with the parsed bundle."""
    trusting = _context(ssl.CERT_REQUIRED)
    trusting.load_verify_locations(cadata=certifi.contents())
    return trusting


def _hashed_folder(store: str) -> str:
    """Return the store's folder if OpenSSL can look up the same certificates in it, else "".

    Debian and Alpine also keep each certificate in a file of its own, named by a hash of its subject
    (openssl-rehash(1)). To look up one takes a fraction of the time of parsing them all. The store is a concatenation
    of those files. If it is not, or if one of them cannot be read, only the store counts.
    """
    with suppress(OSError):
        folder = Path(store).parent
        bundle = Path(store).read_bytes()
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries if HASHED.fullmatch(entry.name) and entry.is_file()}
        hashed = {(folder / name).read_bytes() for name in names if _is_looked_up(name, names)}
        if hashed == {piece + END for piece in bundle.split(END) if piece}:
            return str(folder)
    return ""


def _is_looked_up(name: str, names: set[str]) -> bool:
    """Whether OpenSSL reaches this number: for each hash it starts with 0, and stops at the first missing one."""
    subject, _, number = name.partition(".")
    return all(f"{subject}.{before}" in names for before in range(int(number)))


def any_certificate() -> ssl.SSLContext:
    """Trust every server."""
    return _context(ssl.CERT_NONE)


def _context(verify_mode: ssl.VerifyMode) -> ssl.SSLContext:
    """Return a context that trusts no certificate yet. Raises CheckFailed if TLS gets no random numbers.

    A trusted certificate needs no issuer (X509_V_FLAG_PARTIAL_CHAIN). The flags are the same with every Python: from
    3.13 on, urllib3 would add VERIFY_X509_STRICT.
    """
    try:
        context = create_urllib3_context(cert_reqs=verify_mode, verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
    except ssl.SSLError:
        _require_random_numbers()
        raise
    context.set_alpn_protocols(["http/1.1"])
    return context


def _require_random_numbers() -> None:
    """Raise CheckFailed if the kernel refuses random numbers: OpenSSL has no message for it."""
    try:
        os.getrandom(1, os.GRND_NONBLOCK)
    except OSError as error:
        raise CheckFailed(
            f"TLS gets no random numbers: getrandom: {os_reason(error)}; allow this system call (seccomp)"
        ) from None


def _find_store() -> str:
    """Return the file of the system's trusted certificates; "" if there is none."""
    for path in TRUST_STORES:
        with suppress(OSError):
            if Path(path).stat().st_size:
                return path
    return ""
