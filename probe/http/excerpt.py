"""The start of a body as one line of text: decompressed, decoded, and HTML without its markup.

Any server can send any bytes. No bytes raise an error here, and BODY_LIMIT bounds time and memory. That is why HTML is
parsed here. html.parser takes quadratic time for unclosed tags, half a minute for BODY_LIMIT of them, and raises
AssertionError for some declarations. html.unescape replaces references without a semicolon too, as in `?a=b&copy=c`.
"""

import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

from probe.http import charsets
from probe.http.charsets import WINDOWS_1252
from probe.http.response import BODY_LIMIT
from probe.text import LINE_LIMIT, clip, printable

CODING_LIMIT = 50  # bytes of the name of an unknown coding
META_LIMIT = 1024  # bytes of a page that may name its charset (HTML, section 4.2.5.4)
REFERENCE_LIMIT = 10  # digits of a character's number must be fewer

MARKS = {b"utf-16": BOM_UTF16_LE, b"utf-16le": BOM_UTF16_LE, b"utf-16be": BOM_UTF16_BE}  # Encoding, section 4.2
REPLACEMENT = "\ufffd"  # for a code without a character
DIGITS = "0123456789abcdef"
HIDDEN = ("script", "style", "template")  # elements whose content is not shown
REFERENCES = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "copy": "©", "reg": "®", "middot": "·",
    "bull": "•", "hellip": "…", "ndash": "\u2013", "mdash": "—", "laquo": "«", "raquo": "»", "lsquo": "\u2018",
    "rsquo": "\u2019", "ldquo": "“", "rdquo": "”",
}  # fmt: skip


def excerpt(body: bytes, headers: dict[bytes, bytes]) -> str:
    """Return the start of a body with these headers, in printable characters; "" for an empty one."""
    coding = headers.get(b"content-encoding", b"").lower() or b"identity"
    content = body if coding == b"identity" else _decompress(body, coding)
    if body and not content:
        return f"({clip(printable(coding), CODING_LIMIT)}, {len(body)} bytes)"
    media_type = headers.get(b"content-type", b"").lower()
    if _is_html(media_type, content):
        declared = _charset(content[:META_LIMIT].lower())
        # A page whose declaration can be read as ASCII is not in UTF-16 (HTML, section 13.2.3.2).
        charset = _charset(media_type) or (b"" if declared.startswith(b"utf-16") else declared)
        text = _without_markup(_decode(content, charset))
    else:
        text = _decode(content[: 2 * LINE_LIMIT], _charset(media_type))
    return printable(" ".join(text[:LINE_LIMIT].split()))


def _decompress(data: bytes, coding: bytes) -> bytes:
    """Decode gzip or deflate as far as the data is sound, up to BODY_LIMIT; b"" if it is neither.

    RFC 9110, section 8.4.1. Many servers send deflate without the header of zlib.
    """
    if coding in (b"gzip", b"x-gzip"):
        return _inflate(data, 31)
    if coding == b"deflate":
        return _inflate(data, 15) or _inflate(data, -15)
    return b""


def _inflate(data: bytes, window: int) -> bytes:
    """Decode the longest sound part of the data, found by halving: an error discards the output of its piece."""
    content = b""
    sound, broken = 0, len(data) + 1
    length = len(data)
    while sound < length:
        try:
            content = zlib.decompressobj(window).decompress(data[:length], BODY_LIMIT)
            sound = length
        except zlib.error:
            broken = length
        length = (sound + broken) // 2
    return content


def _is_html(media_type: bytes, content: bytes) -> bool:
    if media_type:
        return media_type.startswith((b"text/html", b"application/xhtml"))
    return content[:100].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _charset(declaration: bytes) -> bytes:
    """Return the charset that a media type, or the head of a page, declares; b"" if it declares none."""
    named = declaration.partition(b"charset=")[2][:CODING_LIMIT].lstrip(b" \"'")
    for end in (b'"', b"'", b";", b">", b" "):
        named = named.partition(end)[0]
    return named


def _decode(data: bytes, charset: bytes) -> str:
    """Decode by the byte order mark, else by the charset, else by UTF-8."""
    if data.startswith(BOM_UTF8):
        return data.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return _utf_16(data)
    if mark := MARKS.get(charset.replace(b"_", b"-")):
        return _utf_16(mark + data)
    if characters := charsets.upper_half(charset.decode("latin-1")):
        return data.decode("latin-1").translate(dict(enumerate(characters, 0x80)))
    return data.decode("utf-8", "surrogateescape")


def _utf_16(data: bytes) -> str:
    """Decode by the byte order mark, without a unit that was cut in the middle."""
    return data[: len(data) // 2 * 2].decode("utf-16", "replace")


def _without_markup(page: str) -> str:
    """Return the text of a page, as much as a line shows: no tags, comments, scripts or style sheets."""
    texts: list[str] = []
    size = position = 0
    while position < len(page) and size < LINE_LIMIT:
        markup = _find_markup(page, position)
        text = " ".join(page[position : min(markup, position + LINE_LIMIT)].split())
        if text:
            texts.append(text)
            size += len(text)
        position = _skip_markup(page, markup)
    return _dereference(" ".join(texts))


def _find_markup(page: str, position: int) -> int:
    """Return where the next tag or comment begins, or the page ends. A < before anything else is text."""
    while (position := page.find("<", position)) >= 0:
        follows = page[position + 1 : position + 2]
        if "a" <= follows.lower() <= "z" or follows in ("/", "!", "?"):
            return position
        position += 1
    return len(page)


def _skip_markup(page: str, start: int) -> int:
    """Return where the tag, the comment or the hidden element ends, or the page does."""
    if page.startswith("<!--", start):
        return _behind(page, "-->", start + 2)
    words = page[start + 1 : start + 20].replace(">", " ").lower().split()
    if words and (name := words[0]) in HIDDEN:
        start = _behind(page, "</", start)
        while page[start : start + len(name)].lower() != name and start < len(page):
            start = _behind(page, "</", start)
    return _behind(page, ">", start)


def _behind(page: str, mark: str, position: int) -> int:
    found = page.find(mark, position)
    return found + len(mark) if found >= 0 else len(page)


def _dereference(text: str) -> str:
    """Replace the known character references (HTML, section 13.5) by their characters."""
    first, *rest = text.split("&")
    for part in rest:
        name, semicolon, behind = part.partition(";")
        character = _character(name) if semicolon else ""
        first += character + behind if character else f"&{part}"
    return first


def _character(name: str) -> str:
    """Return the character that a reference names; "" if it names none."""
    if not name.startswith("#"):
        return REFERENCES.get(name, "")
    base, number = (16, name[2:]) if name[1:2] in ("x", "X") else (10, name[1:])
    if not 0 < len(number) < REFERENCE_LIMIT or not all(digit in DIGITS[:base] for digit in number.lower()):
        return ""
    code = int(number, base)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return REPLACEMENT
    return WINDOWS_1252[code - 0x80] if 0x80 <= code <= 0xFF else chr(code)
