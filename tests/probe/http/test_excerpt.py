"""Bodies as the line shows them: any bytes give a short printable text, and what people send is readable."""

import gzip
import html
import re
import tracemalloc
import zlib
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.http import charsets, excerpt
from probe.http.response import BODY_LIMIT
from probe.text import LINE_LIMIT
from testing import servers
from testing.certificates import Authority
from testing.program import Healthchecker
from testing.servers import serving

JSON = b'{"status":"DOWN"}'
PAGE = (
    b"<!DOCTYPE html>\r\n<html><head><title>503 Service Unavailable</title>\r\n"
    b"<style>\r\nbody { width: 35em; }\r\n</style>"
    b'<script>if (a</b/ && b>c) { alert("</p>") }</script></head>\r\n<body><!-- a > b --><h1>Down&nbsp;for&#32;now</h1>'
    b"<p class='x'>Try &lt;later&gt;, Fran\xc3\xa7ois &amp; Co.</p></body></html>"
)
SHOWN_PAGE = "503 Service Unavailable Down for now Try <later>, François & Co."


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


BROKEN = bytearray(gzip.compress(b"all is down, really", 0))
BROKEN[-8:] = b"checksum"
LONG = gzip.compress(b"".join(b"%d bottles, " % number for number in range(500)))

# The headers of the response, its body, and what is shown.
BODIES: dict[str, tuple[bytes, bytes, str]] = {
    "JSON": (b"Content-Type: application/json", JSON, JSON.decode()),
    "lines": (b"Content-Type: text/plain", b"\n  a\r\n\tb \n", "a b"),
    "escapes": (b"Content-Type: text/plain", b"\x1b[2J\xff\0", r"\x1b[2J\xff\x00"),
    "gzip": (b"Content-Encoding: gzip", gzip.compress(JSON), JSON.decode()),
    "x-gzip in capitals": (b"Content-Encoding: X-GZIP", gzip.compress(JSON), JSON.decode()),
    "deflate": (b"content-encoding: deflate", zlib.compress(JSON), JSON.decode()),
    "deflate without a header": (b"Content-Encoding: deflate", raw_deflate(JSON), JSON.decode()),
    "identity": (b"Content-Encoding: identity", JSON, JSON.decode()),
    "no coding": (b"Content-Encoding:", JSON, JSON.decode()),
    "gzip, cut": (b"Content-Encoding: gzip", LONG[:200], "0 bottles, 1 bottles, 2 bottles, "),
    "gzip, broken": (b"Content-Encoding: gzip", bytes(BROKEN), "all is down, really"),
    "gzip, broken in the middle": (b"Content-Encoding: gzip", LONG[:400] + bytes(400), "0 bottles, 1 bottles, "),
    "gzip of escapes": (b"Content-Encoding: gzip", gzip.compress(b"\x1b[31m"), r"\x1b[31m"),
    "gzip that is none": (b"Content-Encoding: gzip", JSON, "(gzip, 17 bytes)"),
    "Brotli": (b"Content-Encoding: br", bytes(1234), "(br, 1234 bytes)"),
    "two codings": (b"Content-Encoding: gzip, zstd", b"\x28\xb5\x2f\xfd", "(gzip, zstd, 4 bytes)"),
    "a coding of escapes": (b"Content-Encoding: \x1b", b"x", r"(\x1b, 1 bytes)"),
    "an unknown coding of nothing": (b"Content-Encoding: br\r\nContent-Length: 0", b"", ""),
    "HTML": (b"Content-Type: text/html; charset=utf-8", PAGE, SHOWN_PAGE),
    "XHTML": (b"Content-Type: application/xhtml+xml", PAGE, SHOWN_PAGE),
    "HTML without a type": (b"Server: a", b"\n" + PAGE, SHOWN_PAGE),
    "HTML in gzip": (b"Content-Type: text/html\r\nContent-Encoding: gzip", gzip.compress(PAGE), SHOWN_PAGE),
    "HTML that is shown as it is": (b"Content-Type: text/plain", b"<b>a</b>", "<b>a</b>"),
    "HTML of one long style sheet": (
        b"Content-Type: text/html",
        b"<STYLE\n>" + b"a{b:c}\n" * 8000 + b"</Style>down",
        "down",
    ),
    "HTML cut in a tag": (b"Content-Type: text/html", b"<p>down<p class=", "down"),
    "HTML cut in a comment": (b"Content-Type: text/html", b"down<!-- really", "down"),
    "HTML cut in a style sheet": (b"Content-Type: text/html", b"down<style>a{b:c}</", "down"),
    "HTML cut behind a bracket": (b"Content-Type: text/html", b"down <", "down <"),
    "HTML with loose ends": (
        b"Content-Type: text/html",
        b"1 < 2 & 3 > 2 &unknown; &; &#; &#x; &#xg;",
        "1 < 2 & 3 > 2 &unknown; &; &#; &#x; &#xg;",
    ),
    "HTML with numbers of characters": (
        b"Content-Type: text/html",
        b"&#65;&#x42;&#X43;&#150;&#0;&#xd800;&#x110000;&#999999999999999;",
        "ABC\u2013\\x00\ufffd\ufffd&#999999999999999;",
    ),
    "Latin-1": (b"Content-Type: text/plain; charset=ISO-8859-1", b"d\xe9faut", "défaut"),
    "Windows-1252": (b'Content-Type: text/plain;charset="windows-1252"', b"\x80 5 \x96 d\xe9faut", "€ 5 \u2013 défaut"),
    "UTF-16": (
        b"Content-Type: text/plain; charset=utf-16",
        "down \N{PILE OF POO}".encode("utf-16-le"),
        "down \N{PILE OF POO}",
    ),
    "UTF-16, big end first": (b"Content-Type: text/plain; charset=utf-16be", "défaut".encode("utf-16-be"), "défaut"),
    "UTF-16 by its mark": (b"Content-Type: text/plain", b"\xfe\xff" + "défaut".encode("utf-16-be"), "défaut"),
    "UTF-16 by the other mark": (b"Content-Type: text/plain", "défaut".encode("utf-16"), "défaut"),
    "UTF-16 of halves": (b"Content-Type: text/plain; charset=utf-16le", b"\x3d\xd8a\0\x3d\xdcb", "\ufffda\ufffd"),
    "UTF-8 by its mark": (b"Content-Type: text/plain; charset=latin1", b"\xef\xbb\xbfd\xc3\xa9faut", "défaut"),
    "Cyrillic": (b"Content-Type: text/plain; charset=windows-1251", "сбой".encode("cp1251"), "сбой"),
    "Cyrillic of old": (b"Content-Type: text/plain; charset=KOI8-R", "сбой".encode("koi8-r"), "сбой"),
    "Latin-9": (b"Content-Type: text/plain; charset=iso_8859-15", b"5 \xa4", "5 €"),
    "a byte without a character": (b"Content-Type: text/plain; charset=windows-1253", b"a\xffb", "a\ufffdb"),
    "a page that says UTF-16 and is not": (b"Content-Type: text/html", b"<meta charset=utf-16>d\xc3\xa9faut", "défaut"),
    "an unknown charset": (b"Content-Type: text/plain; charset=x-mine; a=b", b"d\xe9faut \xc3\xa9", r"d\xe9faut é"),
    "the charset of a page": (b"Content-Type: text/html", b"<meta charset='iso-8859-1'>d\xe9faut", "défaut"),
    "the charset of an old page": (
        b"Content-Type: text/html",
        b'<META HTTP-EQUIV=x CONTENT="text/html; CHARSET=ISO-8859-1">d\xe9faut',
        "défaut",
    ),
    "the charset of no page": (b"Content-Type: text/plain", b"charset=latin1 d\xe9faut", r"charset=latin1 d\xe9faut"),
}


def headers(head: bytes) -> dict[bytes, bytes]:
    lines = [line.partition(b":") for line in head.split(b"\r\n")]
    return {name.lower(): value.strip() for name, _, value in lines}


@pytest.mark.parametrize(("head", "body", "shown"), BODIES.values(), ids=list(BODIES))
def test_a_body_is_shown_as_text(head: bytes, body: bytes, shown: str) -> None:
    said = excerpt.excerpt(body, headers(head))
    assert said.startswith(shown.rstrip()) if shown.endswith(" ") else said == shown


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("head", "body", "shown"), BODIES.values(), ids=list(BODIES))
def test_the_line_shows_a_body_as_text(
    healthchecker: Healthchecker, authority: Authority, head: bytes, body: bytes, shown: str, scheme: str
) -> None:
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(servers.replying(b"HTTP/1.1 503 No\r\n%b\r\n\r\n%b" % (head, body)), tls=tls) as port:
        run = healthchecker(f"{scheme}://127.0.0.1:{port}/", "-k", "-t=20")
    assert (run.status, run.stdout) == (1, "")
    said = re.sub(r"^unhealthy: GET \S+: 503 No, expected 200 \(\d+ ms\)(?:: )?", "", run.stderr).removesuffix("\n")
    assert said.startswith(shown.rstrip()) if shown.endswith(" ") else said == shown


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_line_shows_a_body_that_comes_behind_the_head(
    healthchecker: Healthchecker, authority: Authority, scheme: str
) -> None:
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    late = servers.in_two(b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\n", b"down", 0.15)
    with serving(late, tls=tls) as port:
        for _ in range(20):  # where the machine is busy, the server may be later than that
            run = healthchecker(f"{scheme}://127.0.0.1:{port}/", "-k", "-t=20")
            if run.stderr.endswith(": down\n"):
                return
    pytest.fail(run.stderr)


HEADS = st.builds(
    lambda coding, media_type: {b"content-encoding": coding, b"content-type": media_type},
    st.sampled_from([b"", b"gzip", b"deflate", b"br"]) | st.binary(max_size=20),
    st.sampled_from([b"", b"text/html", b"text/html; charset=utf-16", b"charset=latin1"]) | st.binary(max_size=40),
)
MARKUP = st.lists(
    st.sampled_from(
        [
            b"<",
            b"</",
            b">",
            b"<!--",
            b"-->",
            b"<style>",
            b"</style",
            b"<script",
            b"&",
            b"&#x",
            b";",
            b"a b",
            b"\xff",
            b"\xfe",
        ]
    )
).map(b"".join)
PACKED = st.builds(lambda pack, data: pack(data), st.sampled_from([gzip.compress, zlib.compress, raw_deflate]), MARKUP)


@given(st.binary() | MARKUP | PACKED, HEADS)
def test_any_bytes_give_a_short_printable_text(body: bytes, head: dict[bytes, bytes]) -> None:
    said = excerpt.excerpt(body, head)
    assert said.isprintable()
    assert len(said) <= LINE_LIMIT * len("\\U0010ffff")


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_stream_that_was_cut_shows_what_had_come(data: bytes, length: int) -> None:
    said = excerpt.excerpt(gzip.compress(data)[:length], {b"content-encoding": b"gzip"})
    whole = excerpt.excerpt(data, {})
    assert whole.startswith(said) or said == f"(gzip, {min(length, len(gzip.compress(data)))} bytes)"


@given(st.text())
def test_what_is_escaped_for_html_is_shown_as_it_was(text: str) -> None:
    page = html.escape(text).encode("utf-8", "surrogatepass")
    assert excerpt.excerpt(page, {b"content-type": b"text/html"}) == excerpt.excerpt(
        text.encode("utf-8", "surrogatepass"), {b"content-type": b"text/plain"}
    )


@given(st.text())
def test_utf_16_is_decoded(text: str) -> None:
    said = excerpt.excerpt(text.encode("utf-16-le"), {b"content-type": b"text/plain; charset=utf-16le"})
    assert said == excerpt.excerpt(text.encode(), {})


def test_latin_1_is_decoded_as_browsers_do() -> None:
    data = bytes(range(256))
    truth = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data]
    assert "".join(map(chr, range(128))) + charsets.upper_half("iso-8859-1") == "".join(truth)


BOMBS = {
    "gzip": (gzip.compress(bytes(1 << 30), 1), {b"content-encoding": b"gzip"}),
    "deflate": (zlib.compress(b"<p>" * (1 << 26), 1), {b"content-encoding": b"deflate", b"content-type": b"text/html"}),
    "brackets": (b"<" * BODY_LIMIT, {b"content-type": b"text/html"}),
    "ends": (b"<style>" + b"</" * BODY_LIMIT, {b"content-type": b"text/html"}),
    "references": (b"&#" * BODY_LIMIT, {b"content-type": b"text/html"}),
    "comments": (b"<!--" * BODY_LIMIT, {b"content-type": b"text/html"}),
    "wide characters": ("<鬱".encode("utf-16-le") * BODY_LIMIT, {b"content-type": b"text/html; charset=utf-16"}),
    "empty tags": (b"<p>" * BODY_LIMIT, {b"content-type": b"text/html"}),
}


@pytest.mark.parametrize(("body", "head"), BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_takes_no_time_and_no_memory(body: bytes, head: dict[bytes, bytes]) -> None:
    started = monotonic()
    tracemalloc.start()
    excerpt.excerpt(body[:BODY_LIMIT], head)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20
    assert monotonic() - started < 5


@pytest.mark.parametrize("name", charsets.SINGLE_BYTE)
def test_a_charset_is_that_of_pythons_codec(name: str) -> None:
    codec = {"ibm866": "cp866"}.get(name, name.replace("windows-", "cp"))
    assert charsets.upper_half(name) == bytes(range(0x80, 0x100)).decode(codec, "replace")
