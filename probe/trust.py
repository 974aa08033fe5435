"""Which certificates an https check trusts."""

import ssl
from contextlib import suppress
from pathlib import Path

import certifi

from probe.errors import CheckFailed, UsageError, os_reason
from probe.text import quote

# Where distributions keep the certificates they trust: Debian and Alpine, Fedora and RHEL, SUSE, Alpine and BSD.
TRUST_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def read_certificates(path: str) -> None:
    """Make sure that certificates can be read from the file. Raises UsageError, saying why they cannot."""
    try:
        if not Path(path).is_file() and Path(path).exists():  # a pipe could keep the reader waiting for ever
            raise UsageError(f"{quote(path)} is not a file; expected a file of PEM certificates")
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise UsageError(f"{quote(path)} holds no certificate; expected a file of PEM certificates") from None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {quote(path)}: {reason}; expected a file of PEM certificates") from None


def context(cacert: str, insecure: bool) -> ssl.SSLContext:
    """What a TLS client trusts: the certificates of the file `cacert`, or where that is empty those of the system.

    A system without certificates, such as an empty image, gets the bundle that comes with this program. Raises
    CheckFailed where the system's cannot be used.
    """
    from urllib3.util import create_urllib3_context  # takes long: within the deadline, other than the checks above

    if insecure:
        return create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    trusting = create_urllib3_context()
    store = cacert or _system_store()
    if not store:
        trusting.load_verify_locations(cadata=certifi.contents())
        return trusting
    try:
        trusting.load_verify_locations(cafile=store)
    except OSError as error:
        raise CheckFailed(f"cannot use the certificates in {quote(store)}: {os_reason(error)}") from None
    return trusting


def _system_store() -> str:
    """The file of the system's trusted certificates; "" where there is none."""
    for path in TRUST_STORES:
        with suppress(OSError):
            if Path(path).stat().st_size:
                return path
    return ""
