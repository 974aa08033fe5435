"""Parsers of what names a target: a URL, a host, a path.

The resolver and the server get no text of an argument unchecked. A host has only the characters of names and
addresses. A path is percent-encoded. Each parser raises UsageError.
"""

from socket import AF_INET6, inet_pton

import idna

from probe.errors import UsageError
from probe.parsers import holds_link, port, refusal
from probe.protocols import SCHEMES, http
from probe.target import Target
from probe.text import credentials_end, is_digits, quote

# RFC 3986, section 3.2.2, without sub-delims and percent-encoding, which no resolver takes; with the underscore, which
# Docker's service names have.
HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
LONGEST_HOST = 253  # RFC 1035, section 2.3.4, less the length octets

# RFC 3986, section 3.3 (pchar), "/" and "?"; "%" stands for an encoding the user has already made, and the brackets
# and the bar are what every client sends as they are.
PATH_CHARACTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%[]|")


FORMS = "http://HOST[:PORT][PATH] or https://..."


def parse_url(url: str) -> Target:
    """Parse a URL. A missing port is the scheme's own, a missing path is `/`.

    Without a scheme it is http, if a port or a path follows the host. Raises UsageError.
    """
    name, separator, rest = url.partition("://")
    scheme = SCHEMES.get(name.lower()) if separator else None
    if scheme is None:
        _require_host(url)
        scheme, rest = http.SCHEME, url
    authority = _authority(rest)
    _refuse_blanks(url)
    try:
        host_text, port_text = _split_port(authority)
        number = scheme.default_port if port_text is None else port(port_text)
        return Target(scheme, host(host_text), number, path(rest[len(authority) :] or "/"))
    except UsageError as error:
        _refuse_credentials(url)  # a password with a slash: a part of it was taken for the port
        refused = url if holds_link(url) else error.refused
        raise UsageError(f"in {quote(url)} {error}", refused) from None


def _authority(rest: str) -> str:
    """Return the part before path, query and fragment. Raises UsageError if it has credentials."""
    authority = _before_path(rest)
    if credentials_end(authority):  # said first, and without the URL
        _refuse_credentials(rest)
    return authority


def _require_host(url: str) -> None:
    """Raise UsageError for a text without a known scheme, unless a port or a path follows its host."""
    authority = _authority(url)
    behind = url[len(authority) :]
    known = authority.removesuffix(":").lower() in SCHEMES
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
    return refusal(text, "a URL to check", FORMS)


def _instead(url: str, authority: str, behind: str) -> str:
    """Return the options to write for a port, a path or both, or for a host alone; "" for any other text."""
    if not authority.strip(".") and behind.startswith("/"):
        return quote(f"--path={behind}")
    before, _, number = authority.rpartition(":")
    if is_digits(number) and (not before or is_digits(before)):  # both as Docker publishes a port
        port(number)
        proposed = quote(f"--port={number}")
        return f"{proposed} {quote(f'--path={behind}')}" if behind else proposed
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
    """Return the host and, if a colon follows it, the text of the port."""
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
    """Parse a host name, an IPv4 address or an IPv6 address, with or without brackets."""
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
    """Encode an international name for the resolver (RFC 5891, section 4, after the mapping of UTS 46).

    ASCII labels stay as they are: IDNA refuses the underscore of Docker's service names.
    """
    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
        labels = mapped.removesuffix(".").split(".")
        encoded = [label if label and label.isascii() else idna.alabel(label).decode() for label in labels]
    except idna.IDNAError:
        raise refusal(
            name,
            "an international host name",
            "labels of letters, digits and hyphens as in IDNA 2008, at most 63 bytes each",
        ) from None
    return ".".join(encoded) + ("." if mapped.endswith(".") else "")


def _no_host(text: str) -> UsageError:
    return refusal(text, "a host", "a name, an IPv4 or an IPv6 address")


def path(text: str) -> str:
    """Parse a path with its query: add the leading slash, cut the fragment, percent-encode the rest as UTF-8.

    Raises UsageError for white space and control characters, which are always a mistake, and for credentials.
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
    """Raise UsageError for white space and control characters."""
    for character in text:
        if character <= " " or character == "\x7f":
            raise UsageError(
                f"{quote(text)} holds {_blank_name(character)}; write it percent-encoded, as %{ord(character):02X}"
            )


def _blank_name(character: str) -> str:
    return "a space" if character == " " else f"the control character {ascii(character)[1:-1]}"


def _before_path(rest: str) -> str:
    """Cut a URL without its scheme behind the authority (RFC 3986, section 3.2)."""
    for delimiter in "/?#":
        rest = rest.partition(delimiter)[0]
    return rest


def _refuse_credentials(text: str) -> None:
    """Raise UsageError for a text with an at sign, without what is before the last one."""
    if end := credentials_end(text):
        raise UsageError(f"the URL for {quote(_before_path(text[end:]))} holds credentials; leave them out")
