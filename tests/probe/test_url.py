"""What is asked for, from a URL or from host and path."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probe import url as parsers
from probe.errors import UsageError
from testing.arguments import full_width

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
    "http://a/?u=http://b": ("http", "a", 80, "/?u=http://b"),
    # Without a scheme.
    "example:80/health": ("http", "example", 80, "/health"),
    "localhost:8080": ("http", "localhost", 8080, "/"),
    "localhost:8080?a=b": ("http", "localhost", 8080, "/?a=b"),
    "localhost/": ("http", "localhost", 80, "/"),
    "localhost/a?u=http://b": ("http", "localhost", 80, "/a?u=http://b"),
    "localhost:8080//a": ("http", "localhost", 8080, "//a"),
    "[::1]:8080/health": ("http", "::1", 8080, "/health"),
    "[::1]/health": ("http", "::1", 80, "/health"),
    "127.0.0.1:0080/": ("http", "127.0.0.1", 80, "/"),
    "https:8443": ("http", "https", 8443, "/"),
    "bücher.example/": ("http", "xn--bcher-kva.example", 80, "/"),
}


@pytest.mark.parametrize(("url", "parts"), URLS.items(), ids=list(URLS))
def test_a_url_is_taken_apart(url: str, parts: tuple[str, str, int, str]) -> None:
    asked = parsers.parse_url(url)
    assert (asked.scheme.name, asked.host, asked.port, asked.path) == parts


BAD_URLS = {
    "unknown scheme": "ftp://example/",
    "no slashes": "http:example",
    "one slash": "http:/example",
    "no slash and no host": "https:",
    "query alone behind the host": "example?a=b",
    "empty host and a port that is none": ":a/",
    "empty host and an empty port": ":/health",
    "empty port without a scheme": "example:",
    "IPv6 without brackets and without a scheme": "2001:db8::1/health",
    "nothing but colons": ":",
    "known scheme without its colon": "http//example/",
    "dot": ".",
    "number that is no port": "0",
    "number that is no port, and a path": "70000/health",
    "underscore and a path": "_/health",
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

INSTEAD = {
    "8080": "write '--port=8080'",
    "/health": "write '--path=/health'",
    "//example/a": "write '--path=//example/a'",
    "health": "write '--host=health' or '--path=/health'",
    "http": "write '--host=http' or '--path=/http'",
    "localhost": "write '--host=localhost' or 'http://localhost/'",
    "bücher.example": "write '--host=bücher.example' or 'http://bücher.example/'",
    "127.0.0.1": "write '--host=127.0.0.1' or 'http://127.0.0.1/'",
    "::1": "write '--host=::1'",
    "[::1]": "write '--host=::1'",
    ":8080": "write '--port=8080'",
    "8080/health": "write '--port=8080' '--path=/health'",
    "80/": "write '--port=80' '--path=/'",
    "8000:8080": "write '--port=8080'",
    "./health": "write '--path=/health'",
    "../x": "write '--path=/x'",
    ":8080/health": "write '--port=8080' '--path=/health'",
}


@pytest.mark.parametrize(("text", "words"), INSTEAD.items(), ids=list(INSTEAD))
def test_what_is_no_url_is_answered_by_what_to_write(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parsers.parse_url(text)
    assert str(error.value) == f"'{text}' is not a URL to check; {words}"


@given(st.from_regex(r"[a-zäß0-9.:/?#@\[\]${}-]{1,12}", fullmatch=True))
def test_without_a_scheme_it_is_http_or_refused(text: str) -> None:
    assume(not text.lower().startswith(("http:", "https:")))
    try:
        asked = parsers.parse_url(text)
    except UsageError:
        return
    assert str(asked) == str(parsers.parse_url(f"http://{text}"))


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=list(BAD_URLS))
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parsers.parse_url(url)


@pytest.mark.parametrize("sign", ["@", "%40", full_width("@")])
@pytest.mark.parametrize(
    "before", ["http://", "https:///", "ftp://", "", "http:/", "http:", "http//", "https/", "x//", "http:\\\\"]
)
def test_credentials_are_not_repeated(before: str, sign: str) -> None:
    with pytest.raises(UsageError, match="'example' holds credentials") as error:
        parsers.parse_url(f"{before}user:secret{sign}example/")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("delimiter", ["/", "?", "#", "@/", "@ret/"])
def test_no_part_of_a_password_is_repeated(delimiter: str) -> None:
    with pytest.raises(UsageError, match="'example' holds credentials") as error:
        parsers.parse_url(f"http://user:sec{delimiter}ret@example/")
    assert "sec" not in str(error.value)


def test_a_url_in_a_paths_place_is_refused_for_its_credentials() -> None:
    with pytest.raises(UsageError, match="'example' holds credentials"):
        parsers.path("http://user:secret@example/")


BLANKS = {
    "space": (" ", "a space; write it percent-encoded, as %20"),
    "line feed": ("\n", r"the control character \n; write it percent-encoded, as %0A"),
    "DEL": ("\x7f", r"the control character \x7f; write it percent-encoded, as %7F"),
}


@pytest.mark.parametrize(("blank", "words"), BLANKS.values(), ids=list(BLANKS))
def test_a_blank_in_a_url_is_named(blank: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        parsers.parse_url(f"http://example/a{blank}b")
    assert str(error.value).endswith(f" holds {words}")


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
def test_the_host_header_has_a_port_that_is_not_the_schemes_own(url: str, authority: str) -> None:
    assert parsers.parse_url(url).authority == authority


@pytest.mark.parametrize("text", ["127.0.0.1", "localhost", "::1", "[::1]", "my_service", "a.b.", "xn--p1ai"])
def test_a_name_or_an_address_is_a_host(text: str) -> None:
    assert parsers.host(text) == text.strip("[]")


INTERNATIONAL = {
    "straße.example": "xn--strae-oqa.example",
    "STRAẞE.Example": "xn--strae-oqa.example",
    "faß.de": "xn--fa-hia.de",
    "βόλος.example": "xn--nxasmm1c.example",
    "bücher.example.": "xn--bcher-kva.example.",
    "Bücher。example": "xn--bcher-kva.example",
    "my_service.bücher": "my_service.xn--bcher-kva",
    "ab--cd.bücher": "ab--cd.xn--bcher-kva",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    full_width("localhost"): "localhost",
    full_width("127.0.0.1"): "127.0.0.1",
}


@pytest.mark.parametrize(("name", "encoded"), INTERNATIONAL.items(), ids=list(INTERNATIONAL))
def test_an_international_name_is_encoded_by_idna_2008(name: str, encoded: str) -> None:
    assert parsers.host(name) == encoded


NOT_INTERNATIONAL = {
    "emoji": "💩.example",
    "symbol": "☃.example",
    "underscore beside other letters": "my_bücher.example",
    "hyphen in front": "-ü.example",
    "empty label": "ä..example",
    "empty label in front": ".ä",
    "long label": "ä" * 60,
    "nothing behind the mapping": "\xad",
    "blank": "bü cher",
    "two directions": "a\u05d0.example",
    "joiner": "\u200d.example",
    "bytes that are no UTF-8": "a\udcff",
}


@pytest.mark.parametrize("name", NOT_INTERNATIONAL.values(), ids=list(NOT_INTERNATIONAL))
def test_what_idna_2008_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not an international host name; expected labels of letters, digits and"):
        parsers.host(name)


NO_HOSTS = {
    "blank in an ASCII label": "ü.a b",
    "port": full_width("ab:80"),
    "brackets": full_width("[::1]"),
    "long name": "ä." * 100,
}


@pytest.mark.parametrize("name", NO_HOSTS.values(), ids=list(NO_HOSTS))
def test_an_encoded_name_is_held_to_the_characters_and_the_length_of_a_host(name: str) -> None:
    with pytest.raises(UsageError, match="is not a host; expected a name, an IPv4 or an IPv6 address"):
        parsers.host(name)


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "a:b", "[a]", "[", "::g", "a\nb", "a@b", "http://a", "a:80"])
def test_no_host_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(UsageError, match="is not a host; expected a name, an IPv4 or an IPv6 address"):
        parsers.host(text)


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
def test_a_path_is_encoded_and_gets_its_slash(text: str, path: str) -> None:
    assert parsers.path(text) == path


@given(st.text(st.characters(codec="utf-8")))
def test_no_path_reaches_the_wire_raw(text: str) -> None:
    try:
        path = parsers.path(text)
    except UsageError as error:
        assert "write it percent-encoded" in str(error) or "credentials" in str(error)  # noqa: PT017 - one of the two
    else:
        assert path.startswith("/")
        assert all("!" <= character <= "~" for character in path)
