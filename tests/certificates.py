"""Certificates of an authority that the tests make."""

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def context(self, *names: str, expires: datetime | None = None) -> ssl.SSLContext:
        """The TLS side of a server with these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, not_after=expires).configure_cert(context)
        return context
