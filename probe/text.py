"""Text for one line of a terminal or a log.

A server, an argument or a variable can hold terminal escapes, line breaks, right-to-left overrides or invalid UTF-8.
Everything that is printed passes through here.
"""

LINE_LIMIT = 1000  # bytes, with the line's end: it stays readable in `docker inspect`, which would show 4096

ELLIPSIS = "…"

# How the sign behind credentials is written: plainly, percent-encoded, and as UTS 46 maps to it.
AT_SIGNS = ("@", "%40", "\uff20", "\ufe6b")


def printable(foreign: bytes | str) -> str:
    r"""Return the text in printable characters: every other one becomes \xNN or \uNNNN.

    `str.isprintable` is false for control, format (bidi), surrogate, private and unassigned characters and for every
    separator but the ASCII space. A byte that is not UTF-8 is a surrogate here and becomes \xNN.
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
    """Return the text in at most `limit` bytes of UTF-8, cut between characters, with an ellipsis for the rest."""
    data = text.encode()
    if len(data) <= limit:
        return text
    return data[: limit - len(ELLIPSIS.encode())].decode("utf-8", "ignore") + ELLIPSIS


def credentials_end(text: str) -> int:
    """Return where the last at sign of the text ends, 0 if it has none. The text before it may be a password."""
    return max([text.rfind(sign) + len(sign) for sign in AT_SIGNS if sign in text], default=0)


def quote(foreign: bytes | str) -> str:
    """Return a user's or server's text, quoted for a message, without what may be credentials."""
    text = printable(foreign)
    end = credentials_end(text)
    return f"'{clip(f'***@{text[end:]}' if end else text, 200)}'"


def is_digits(text: str) -> bool:
    """Whether the text is ASCII digits, at least one: int() takes signs, underscores and other scripts' digits."""
    return text.isascii() and text.isdigit()


def format_duration(seconds: float) -> str:
    """Return a duration as a line shows it: `2s`, `1m30s`, `500ms`, `1.5s`."""
    if seconds < 1:
        return f"{seconds * 1000:.6g}ms"
    minutes, rest = divmod(seconds, 60)
    parts = f"{minutes:.0f}m" if minutes else ""
    return parts + (f"{rest:.6g}s" if rest or not parts else "")
