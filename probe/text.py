"""Foreign bytes and long texts made fit for one line of a terminal or a log.

Whatever a server, an argument or a variable says can hold terminal escapes, line breaks, right-to-left overrides or
no valid UTF-8 at all. Everything that is printed passes through here.
"""

LINE_LIMIT = 1000  # bytes, with the line's end: it stays readable in `docker inspect`, which would show 4096

ELLIPSIS = "…"

# How the sign behind credentials is written: plainly, percent-encoded, and as UTS 46 maps to it.
AT_SIGNS = ("@", "%40", "\uff20", "\ufe6b")


def printable(foreign: bytes | str) -> str:
    r"""The text with nothing but printable characters; everything else is shown as \xNN or \uNNNN.

    `str.isprintable` is false for control, format (bidi), surrogate, private and unassigned characters and for every
    separator but the ASCII space. Bytes that are no UTF-8 come as surrogates, and so leave as \xNN.
    """
    text = foreign.decode("utf-8", "surrogateescape") if isinstance(foreign, bytes) else foreign
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else _escaped(c) for c in text])


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, by surrogateescape (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return ascii(character)[1:-1]


def clip(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, cut between characters, the cut marked."""
    data = text.encode()
    if len(data) <= limit:
        return text
    return data[: limit - len(ELLIPSIS.encode())].decode("utf-8", "ignore") + ELLIPSIS


def credentials_end(text: str) -> int:
    """Find where the last at sign of the text ends; 0 where it has none. What stands before may be a password."""
    return max([text.rfind(sign) + len(sign) for sign in AT_SIGNS if sign in text], default=0)


def quote(foreign: bytes | str) -> str:
    """A user's or server's own text, quoted for a message, without what may be credentials."""
    text = printable(foreign)
    end = credentials_end(text)
    return f"'{clip(f'***@{text[end:]}' if end else text, 200)}'"
