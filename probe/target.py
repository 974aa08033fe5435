"""What a check requests: scheme, host, port and path."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """A scheme of URLs."""

    name: str
    default_port: int
    secure: bool = False  # over TLS


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for."""

    scheme: Scheme
    host: str  # a name, or an address without brackets
    port: int
    path: str  # origin-form (RFC 9112, section 3.2.1): ASCII, starts with a slash

    @property
    def authority(self) -> str:
        """The value of the Host header: with the port if it is not the scheme's own (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == self.scheme.default_port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme.name}://{self.authority}{self.path}"
