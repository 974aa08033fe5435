"""Which certificates a https check trusts."""

import ssl
from pathlib import Path

from probe.errors import UsageError, os_reason
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


def trust_store() -> str:
    """The system's trusted certificates where there are any, certifi's otherwise."""
    for path in TRUST_STORES:
        try:
            if Path(path).stat().st_size:
                return path
        except OSError:
            continue
    import certifi

    return certifi.where()
