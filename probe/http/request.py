"""The request of a check."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from probe import __version__
from probe.target import Target

COMMON_HEADERS = {"User-Agent": f"healthchecker/{__version__}", "Accept": "*/*", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the target."""

    target: Target
    method: str = "GET"
    insecure: bool = False  # trust every server
    trusted: ssl.SSLContext | None = None  # the certificates to trust; None for the system's

    @property
    def headers(self) -> dict[str, str]:
        """Every header, in the order in which it is sent."""
        return {"Host": self.target.authority, **COMMON_HEADERS}


def encode(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a request without a body (RFC 9112, section 2.1)."""
    lines = [f"{method} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
