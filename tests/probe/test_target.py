"""What is asked for, from a URL or from host and path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import target
from probe.errors import UsageError

URLS = {
    "http://example": ("http", "example", 80, "/"),
    "http://example/": ("http", "example", 80, "/"),
    "http://example:6767/health": ("http", "example", 6767, "/health"),
    "HTTPS://Example/a?b=c": ("https", "Example", 443, "/a?b=c"),
    "https://example:80": ("https", "example", 80, "/"),
    "http://example?x=1": ("http", "example", 80, "/?x=1"),
    "http://example/a#b": ("http", "example", 80, "/a"),
    "http://example#b": ("http", "example", 80, "/"),
    "http://[::1]:8080/x": ("http", "::1", 8080, "/x"),
    "http://[::1]": ("http", "::1", 80, "/"),
    "http://my_service.stack/": ("http", "my_service.stack", 80, "/"),
    "http://example/ä": ("http", "example", 80, "/%C3%A4"),
    "http://example/@a:b": ("http", "example", 80, "/@a:b"),
    "http://bücher.example/": ("http", "xn--bcher-kva.example", 80, "/"),
}


@pytest.mark.parametrize(("url", "parts"), URLS.items(), ids=list(URLS))
def test_a_url_is_taken_apart(url: str, parts: tuple[str, str, int, str]) -> None:
    asked = target.from_url(url)
    assert (asked.scheme, asked.host, asked.port, asked.path) == parts


BAD_URLS = {
    "unknown scheme": "ftp://example/",
    "no scheme": "example:80/health",
    "no slashes": "http:example",
    "empty": "",
    "lone dash": "-",
    "credentials": "http://user:secret@example/",
    "carriage return": "http://example/\rx",
    "line feed in the host": "http://exa\nmple/",
    "space": "http://example/a b",
    "space in the host": "http://exam ple/",
    "NUL": "http://example/\0",
    "empty host": "http:///health",
    "empty host and a port": "http://:80/",
    "port 0": "http://example:0/",
    "port too large": "http://example:65536/",
    "port that is a word": "http://example:http/",
    "empty port": "http://example:/",
    "two colons": "http://example:80:80/",
    "bracket without an end": "http://[::1/",
    "brackets around no address": "http://[example]/",
    "text behind the bracket": "http://[::1]x:80/",
    "backslash": "http://example\\/",
    "percent in the host": "http://ex%61mple/",
    "long host": f"http://{'a' * 254}/",
    "host that is no international name": "http://ä..example/",
    "zone": "http://[fe80::1%25eth0]/",
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=list(BAD_URLS))
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        target.from_url(url)


def test_credentials_are_not_repeated() -> None:
    with pytest.raises(UsageError, match="'example' holds credentials") as error:
        target.from_url("http://user:secret@example/")
    assert "secret" not in str(error.value)


AUTHORITIES = {
    "http://example/": "example",
    "http://example:80/": "example",
    "http://example:443/": "example:443",
    "https://example:443/": "example",
    "https://example:80/": "example:80",
    "http://[::1]/": "[::1]",
    "http://[::1]:6767/": "[::1]:6767",
}


@pytest.mark.parametrize(("url", "authority"), AUTHORITIES.items(), ids=list(AUTHORITIES))
def test_the_host_field_has_a_port_that_is_not_the_schemes_own(url: str, authority: str) -> None:
    assert target.from_url(url).authority == authority


@pytest.mark.parametrize("text", ["127.0.0.1", "localhost", "::1", "[::1]", "my_service", "a.b.", "xn--p1ai"])
def test_hosts(text: str) -> None:
    assert target.host(text) == text.strip("[]")


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "a:b", "[a]", "[", "::g", "a\nb", "a@b", "http://a", "a:80"])
def test_no_host_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UsageError, match="is not a host; expected a name, an IPv4 or an IPv6 address"):
        target.host(text)


PATHS = {
    "": "/",
    "health": "/health",
    "/health": "/health",
    "//a": "//a",
    "/a?b=c&d": "/a?b=c&d",
    "?b": "/?b",
    "/a#b": "/a",
    "#b": "/",
    "/a%20b": "/a%20b",
    '/"<>\\^`{}': "/%22%3C%3E%5C%5E%60%7B%7D",
    "/é": "/%C3%A9",
    "/\udcff": "/%FF",
    "-foo": "/-foo",
}


@pytest.mark.parametrize(("text", "path"), PATHS.items(), ids=list(PATHS.values()))
def test_paths(text: str, path: str) -> None:
    assert target.path(text) == path


@given(st.text(st.characters(codec="utf-8")))
def test_no_path_reaches_the_wire_raw(text: str) -> None:
    try:
        path = target.path(text)
    except UsageError as error:
        assert "write it percent-encoded" in str(error)  # noqa: PT017 - one of the two
    else:
        assert path.startswith("/")
        assert all("!" <= character <= "~" for character in path)
