"""The signatures of other protocols: the first bytes that their servers send."""

from probe.text import clip, printable

GREETING_LIMIT = 200  # bytes of a greeting that are read, at most to the end of its first line

TLS_RECORDS = (b"\x15", b"\x16")  # an alert or a handshake message (RFC 8446, section 5.1)

# The words for a response that begins with one of the patterns. In a pattern, ? stands for any byte.
NOT_HTTP = {
    "TLS; ask by a URL with https://": TLS_RECORDS,
    "FastCGI; ask the web server in front of it": (
        b"\1\3\0",
        b"\1\6\0",
        b"\1\7\0",
        b"\1\x0b\0",
    ),  # version, record type
    "MySQL; ask at another port": (b"??\0\0\x0a", b"??\0\0\xff"),  # length, sequence, version of the protocol or error
    "PostgreSQL; ask at another port": (b"E\0\0??S",),  # an error: its length, and the severity
    "AMQP; ask at another port": (b"AMQP",),  # the server's own version (AMQP 0-9-1, section 4.2.2)
    "MQTT; ask at another port": (b" \2\0", b" \3\0"),  # CONNACK of MQTT 3.1.1 and 5 (section 3.2 of both)
    "memcached; ask at another port": (b"ERROR\r\n",),
    "Redis; ask at another port": (b"-ERR ", b"-NOAUTH ", b"-DENIED "),
    "SMTP or FTP; ask at another port": (b"220 ", b"220-", b"421 "),  # RFC 5321, section 4.2; RFC 959, section 4.2
    "SSH; ask at another port": (b"SSH-",),  # RFC 4253, section 4.2
    "RTSP; ask at another port": (b"RTSP/",),
    "ICY; ask at another port": (b"ICY ",),  # SHOUTcast
}
GREETINGS = {
    # A SETTINGS or GOAWAY frame of the whole connection, or a client's preface (RFC 9113, sections 3.4 and 4.1).
    "the server speaks HTTP/2 only; ask at a port of HTTP/1.1": (
        *(b"\0??\4\0\0\0\0\0", b"\0??\7\0\0\0\0\0", b"PRI * HTTP/2"),
    ),
    "the reply begins with an empty line, not with a status line": (b"\r\n", b"\n"),
    "the reply has no status line; the server sends only a body": (b"<!", b"<h", b"<H", b"{", b"["),  # as HTTP/0.9 did
    **{f"not an HTTP reply but {protocol}": patterns for protocol, patterns in NOT_HTTP.items()},
}


def is_whole(greeting: bytearray) -> bool:
    """Whether more bytes would not change what `describe` returns."""
    if len(greeting) >= GREETING_LIMIT or b"\n" in greeting:
        return True
    # A control byte makes the text unreadable. A CR may belong to the end of the line, other bytes to UTF-8.
    hidden = any(byte < 0x20 and byte != 0x0D for byte in greeting)
    return hidden and _is_known(greeting)


def _is_known(greeting: bytearray) -> bool:
    """Whether a pattern matches, and no earlier one can match with more bytes."""
    for pattern in [pattern for patterns in GREETINGS.values() for pattern in patterns]:
        if _begins(greeting, pattern[: len(greeting)]):
            return len(greeting) >= len(pattern)
    return False


def describe(greeting: bytes) -> str:
    """Return which protocol begins with these bytes, and the bytes if they are readable."""
    line = greeting[:GREETING_LIMIT]
    line = line[: line.find(b"\n") + 1 or GREETING_LIMIT]
    known = [words for words, patterns in GREETINGS.items() if any(_begins(line, pattern) for pattern in patterns)]
    shown = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    if known and not (shown and shown.isprintable()):
        return known[0]
    return f"{known[0] if known else 'not an HTTP/1 reply'}: '{clip(printable(shown), 200)}'"


def is_tls(data: bytes) -> bool:
    """Whether the data begins with a record of TLS."""
    return data[:1] in TLS_RECORDS


def _begins(data: bytes | bytearray, pattern: bytes) -> bool:
    return len(data) >= len(pattern) and all(
        expected in (byte, ord("?")) for expected, byte in zip(pattern, data, strict=False)
    )
