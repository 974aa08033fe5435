"""What is asked: scheme, host, port and path, from a URL or from the single options.

Nothing from the arguments reaches the wire or the resolver as it stands: the path is percent-encoded, a host is held
to the characters of names and addresses.
"""

from dataclasses import dataclass
from socket import AF_INET6, inet_pton

import idna

from probe import values
from probe.errors import UsageError
from probe.text import credentials_end, quote

SCHEME_PORTS = {"http": 80, "https": 443}

# RFC 3986, section 3.2.2, without sub-delims and percent-encoding, which no resolver takes; with the underscore, which
# Docker's service names have.
HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
LONGEST_HOST = 253  # RFC 1035, section 2.3.4, less the length octets

# RFC 3986, section 3.3 (pchar), "/" and "?"; "%" stands for an encoding the user has already made, and the brackets
# and the bar are what every client sends as they are.
PATH_CHARACTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%[]|")


@dataclass(slots=True)
class Target:
    """One thing to GET."""

    scheme: str  # "http" or "https"
    host: str  # a name, or an address without brackets
    port: int
    path: str  # origin-form (RFC 9112, section 3.2.1): ASCII, starts with a slash

    @property
    def authority(self) -> str:
        """The value of the Host field: with the port only where it is not the scheme's own (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEME_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def from_url(url: str) -> Target:
    """Parse an http or https URL; a missing port is the scheme's own, a missing path is `/`.

    Without a scheme it is http, where a port or a path follows the host. Raises UsageError.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEME_PORTS:
        _require_host(url)
        scheme, rest = "http", url
    authority = _authority(rest)
    _refuse_blanks(url)
    try:
        host_text, port_text = _split_port(authority)
        number = SCHEME_PORTS[scheme] if port_text is None else values.port(port_text)
        return Target(scheme, host(host_text), number, path(rest[len(authority) :] or "/"))
    except UsageError as error:
        _refuse_credentials(url)  # a password with a slash: a part of it was taken for the port
        refused = url if values.holds_link(url) else error.refused
        raise UsageError(f"in {quote(url)} {error}", refused) from None


def _authority(rest: str) -> str:
    """The part before path, query and fragment. Raises UsageError where it holds a secret."""
    authority = _before_path(rest)
    if credentials_end(authority):  # said first, and without the URL
        _refuse_credentials(rest)
    return authority


def _before_path(rest: str) -> str:
    """Cut a URL without its scheme behind the authority (RFC 3986, section 3.2)."""
    for delimiter in "/?#":
        rest = rest.partition(delimiter)[0]
    return rest


def _refuse_credentials(text: str) -> None:
    """Refuse a text with an at sign, and do not repeat what stands before the last one. Raises UsageError."""
    if end := credentials_end(text):
        raise UsageError(f"the URL for {quote(_before_path(text[end:]))} holds credentials; leave them out")


def _require_host(url: str) -> None:
    """Refuse a text without a known scheme, unless a port or a path follows its host. Raises UsageError."""
    authority = _authority(url)
    behind = url[len(authority) :]
    known = authority.removesuffix(":").lower() in SCHEME_PORTS
    slashes = behind.startswith("//")
    if known or slashes:
        _authority(behind.lstrip("/"))  # no credentials are repeated, whatever the scheme
    if sum((known, slashes, authority.endswith(":"))) > 1:  # a scheme, mistyped or unknown
        raise _no_url(url)
    if proposed := _instead(url, authority, behind):
        raise UsageError(f"{quote(url)} is not a URL to check; write {proposed}")
    if not (":" in authority or (authority.strip("-._") and behind.startswith("/"))):
        raise _no_url(url)


def _no_url(text: str) -> UsageError:
    return values.refusal(text, "a URL to check", "http://HOST[:PORT][PATH] or https://...")


def _instead(url: str, authority: str, behind: str) -> str:
    """The options to write for a port, a path or both, or for a host alone; "" for any other text."""
    if not authority.strip(".") and behind.startswith("/"):
        return quote(f"--path={behind}")
    before, _, number = authority.rpartition(":")
    if values.digits(number) and (not before or values.digits(before)):  # both as Docker publishes a port
        values.port(number)
        port = quote(f"--port={number}")
        return f"{port} {quote(f'--path={behind}')}" if behind else port
    try:
        bare = host(url)
    except UsageError:
        return ""
    if not any(character.isalnum() for character in bare):
        return ""
    if ":" in bare:
        return quote(f"--host={bare}")
    alternative = f"http://{url}/" if "." in url or url.lower() == "localhost" else f"--path=/{url}"
    return f"{quote(f'--host={url}')} or {quote(alternative)}"


def _split_port(authority: str) -> tuple[str, str | None]:
    """The host and, where there is a colon behind it, the text of the port."""
    if authority.startswith("["):
        host_text, bracket, port_text = authority[1:].partition("]")
        if not bracket or port_text[:1] not in ("", ":"):
            raise UsageError(f"{quote(authority)} is not a host and port; expected [ADDRESS]:PORT")
        return f"[{host_text}]", port_text[1:] if port_text else None
    if authority.count(":") > 1:
        raise UsageError(f"{quote(authority)} is not a host and port; an IPv6 address is written in brackets")
    host_text, colon, port_text = authority.partition(":")
    return host_text, port_text if colon else None


def host(text: str) -> str:
    """A host name, an IPv4 address or an IPv6 address, with or without brackets."""
    bracketed = text.startswith("[") and text.endswith("]")
    bare = text[1:-1] if bracketed else text
    if bracketed or ":" in bare:
        try:
            inet_pton(AF_INET6, bare)
        except (OSError, ValueError):
            raise _no_host(text) from None
        return bare
    if not bare.isascii():
        bare = _to_ascii(bare)
    if not 0 < len(bare) <= LONGEST_HOST or not HOST_CHARACTERS.issuperset(bare):
        raise _no_host(text)
    return bare


def _to_ascii(name: str) -> str:
    """Encode an international name as the resolver knows it (RFC 5891, section 4, behind the mapping of UTS 46).

    ASCII labels stay as they are: the underscore of Docker's service names is none of IDNA's.
    """
    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
        labels = mapped.removesuffix(".").split(".")
        encoded = [label if label and label.isascii() else idna.alabel(label).decode() for label in labels]
    except idna.IDNAError:
        raise values.refusal(
            name,
            "an international host name",
            "labels of letters, digits and hyphens as in IDNA 2008, at most 63 bytes each",
        ) from None
    return ".".join(encoded) + ("." if mapped.endswith(".") else "")


def _no_host(text: str) -> UsageError:
    return values.refusal(text, "a host", "a name, an IPv4 or an IPv6 address")


def path(text: str) -> str:
    """Path and query as they go on the wire: a leading slash, no fragment, all else percent-encoded UTF-8.

    Raises UsageError for white space and control characters, which are a mistake in every case, and for credentials.
    """
    if text[:1] not in ("/", "?", "#"):  # a URL in its place
        _refuse_credentials(text.partition("://")[2])
    _refuse_blanks(text)
    text = text.partition("#")[0]
    if not text.startswith("/"):
        text = "/" + text
    data = text.encode("utf-8", "surrogateescape")
    if PATH_CHARACTERS.issuperset(data):
        return text
    return "".join([chr(byte) if byte in PATH_CHARACTERS else f"%{byte:02X}" for byte in data])


def _refuse_blanks(text: str) -> None:
    for character in text:
        if character <= " " or character == "\x7f":
            raise UsageError(
                f"{quote(text)} holds {_blank_name(character)}; write it percent-encoded, as %{ord(character):02X}"
            )


def _blank_name(character: str) -> str:
    return "a space" if character == " " else f"the control character {ascii(character)[1:-1]}"
