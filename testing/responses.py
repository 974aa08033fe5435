"""What servers send, as bytes, and what the probe makes of it.

RESPONSES has all of it: responses that are correct, tolerated or wrong, and greetings of other protocols.
"""

Outcome = tuple[int, bytes] | str  # status and body, or how the message begins


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a response with this status line, body and headers, each `NAME: VALUE`."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


CUT = "connection closed in the middle of the reply"

HTTP: dict[str, tuple[bytes, Outcome]] = {
    "ordinary": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok")),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nok", (200, b"ok")),
    "no reason": (b"HTTP/1.1 204\r\n\r\n", (204, b"")),
    "empty reason": (b"HTTP/1.1 503 \r\n\r\nx", (503, b"x")),
    "bare LF": (b"HTTP/1.1 200 OK\nA: b\n\nbody", (200, b"body")),
    "LF and CRLF mixed": (b"HTTP/1.1 200 OK\nA: b\r\n\r\n", (200, b"")),
    "no headers": (b"HTTP/1.1 200 OK\r\n\r\n", (200, b"")),
    "continue first": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (200, b"")),
    "early hints first": (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 No\r\n\r\n", (404, b"")),
    "two interim replies": (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (200, b"")),
    "101 is final": (b"HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (101, b"")),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
        (200, b"ok!"),
    ),
    "chunked and cut": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", (200, b"ok")),
    "chunked badly": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok", (200, b"")),
    "length is a word": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok", (200, b"ok")),
    "length is too large": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nok", (200, b"ok")),
    "header without a colon": (b"HTTP/1.1 200 OK\r\nwhatever\r\n\r\n", (200, b"")),
    "NUL in a header": (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", (200, b"")),
    "redirect to no URL": (b"HTTP/1.1 302 Found\r\nLocation: http://[::1\xff\r\n\r\n", (302, b"")),
    "two lengths": (b"HTTP/1.1 503 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", (503, b"ab")),
    "lengths that differ in one header": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", (200, b"hello")),
    "length that is negative": (b"HTTP/1.1 503 No\r\nContent-Length: -5\r\n\r\nhello", (503, b"hello")),
    "CR in a length": (
        b"HTTP/1.1 503 No\r\nContent-Length: 5\rTransfer-Encoding: chunked\r\n\r\nhello",
        (503, b"hello"),
    ),
    "CR in a place": (b"HTTP/1.1 302 Found\r\nLocation: /a\rb\r\n\r\n", (302, b"")),
    "length that is shorter": (b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nhello", (503, b"he")),
    "compressed and chunked": (
        b"HTTP/1.1 503 No\r\nTransfer-Encoding: gzip, chunked \r\n\r\n2\r\nab\r\n0\r\n\r\n",
        (503, b"ab"),
    ),
    "more codings than are read": (b"HTTP/1.1 503 No\r\nContent-Encoding: a,b,c,d,e,f\r\n\r\nx", (503, b"x")),
    "nothing": (b"", "connection closed without a reply"),
    "only an interim reply": (b"HTTP/1.1 100 Continue\r\n\r\n", CUT),
    "cut in the version": (b"HTT", CUT),
    "cut in the status line": (b"HTTP/1.1 200 OK", CUT),
    "cut in the headers": (b"HTTP/1.1 200 OK\r\nA: b\r\n", CUT),
    "HTTP/2 status line": (b"HTTP/2 200\r\n\r\n", "not an HTTP/1 reply: 'HTTP/2 200'"),
    "lower case": (b"http/1.1 200 OK\r\n\r\n", "not an HTTP/1 reply: 'http/1.1 200 OK'"),
    "garbage": (b"\x00\xff\x1b", r"not an HTTP/1 reply: '\x00\xff\x1b'"),
    "a garbage line": (b"what?\r\nno", "not an HTTP/1 reply: 'what?'"),
    "a long line": (b"a" * 1000, f"not an HTTP/1 reply: '{'a' * 200}'"),
}

HTTP_2 = "the server speaks HTTP/2 only; ask at a port of HTTP/1.1"
NO_STATUS_LINE = "the reply has no status line; the server sends only a body"
EMPTY_LINE = "the reply begins with an empty line, not with a status line"
TLS = "not an HTTP reply but TLS; ask by a URL with https://"
MYSQL = "not an HTTP reply but MySQL; ask at another port"
MQTT = "not an HTTP reply but MQTT; ask at another port"
REDIS = "not an HTTP reply but Redis; ask at another port"
FASTCGI = "not an HTTP reply but FastCGI; ask the web server in front of it"
MAIL = "not an HTTP reply but SMTP or FTP; ask at another port"

# The first bytes of servers of other protocols, and the whole message.
GREETINGS = {
    "TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", TLS),
    "TLS handshake": (b"\x16\x03\x03\x00\x7a\x02", TLS),
    "HTTP/2 settings": (b"\0\0\x18\4\0\0\0\0\0\0\4\0\x40\0\0\0\5\0\x40\0\0\0\6\0\0\x20\0\xfe\3\0\0\0\1", HTTP_2),
    "HTTP/2 settings, none": (b"\0\0\0\4\0\0\0\0\0", HTTP_2),
    "HTTP/2 goaway": (b"\0\0\x08\7\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\1", HTTP_2),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", f"{HTTP_2}: 'PRI * HTTP/2.0'"),
    "FastCGI end of a request": (b"\1\3\0\1\0\x08\0\0" + bytes(8), FASTCGI),
    "FastCGI output": (b"\1\6\0\1\0\x0c\4\0Status: 404\n", FASTCGI),
    "FastCGI error": (b"\1\7\0\1\0\5\0\0Error", FASTCGI),
    "FastCGI unknown type": (b"\1\x0b\0\0\0\x08\0\0" + bytes(8), FASTCGI),
    "MariaDB": (b"d\0\0\0\n5.5.5-10.11.18-MariaDB-0+deb12u1\0\3\0\0\0r_bRQ}E!\0\xfe\xf7", MYSQL),
    "MySQL error": (b"\x17\0\0\0\xff\x10\4Too many connections", MYSQL),
    "PgBouncer": (
        b"E\0\0\0=SFATAL\0C08P01\0Mclient sent partial pkt in startup phase\0\0",
        "not an HTTP reply but PostgreSQL; ask at another port",
    ),
    "AMQP": (b"AMQP\0\0\x09\1", "not an HTTP reply but AMQP; ask at another port"),
    "MQTT 3.1.1": (b" \2\0\1", MQTT),
    "MQTT 5": (b" \3\0\x84\0", MQTT),
    "memcached": (b"ERROR\r\nERROR\r\n", "not an HTTP reply but memcached; ask at another port: 'ERROR'"),
    "Redis": (b"-ERR unknown command\r\n", f"{REDIS}: '-ERR unknown command'"),
    "Redis with a password": (
        b"-NOAUTH Authentication required.\r\n",
        f"{REDIS}: '-NOAUTH Authentication required.'",
    ),
    "Redis, protected": (b"-DENIED Redis is running\r\n", f"{REDIS}: '-DENIED Redis is running'"),
    "SMTP": (b"220 mail.example ESMTP Postfix\r\n", f"{MAIL}: '220 mail.example ESMTP Postfix'"),
    "FTP": (b"220-Welcome\r\n220 Ready\r\n", f"{MAIL}: '220-Welcome'"),
    "SMTP that is busy": (b"421 too busy\r\n", f"{MAIL}: '421 too busy'"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP reply but SSH; ask at another port: 'SSH-2.0-OpenSSH_9.2'"),
    "RTSP": (b"RTSP/1.0 400 Bad\r\n\r\n", "not an HTTP reply but RTSP; ask at another port: 'RTSP/1.0 400 Bad'"),
    "ICY": (b"ICY 200 OK\r\n\r\n", "not an HTTP reply but ICY; ask at another port: 'ICY 200 OK'"),
    "a page": (b"<html></html>", f"{NO_STATUS_LINE}: '<html></html>'"),
    "a page of capitals": (b"<HTML>\n</HTML>", f"{NO_STATUS_LINE}: '<HTML>'"),
    "a document": (b"<!DOCTYPE html>\n", f"{NO_STATUS_LINE}: '<!DOCTYPE html>'"),
    "JSON": (b'{"status":"UP"}', NO_STATUS_LINE + """: '{"status":"UP"}'"""),
    "a list": (b"[]", f"{NO_STATUS_LINE}: '[]'"),
    "an empty line": (b"\r\nHTTP/1.1 200 OK\r\n\r\n", EMPTY_LINE),
    "an empty line, bare": (b"\nHTTP/1.1 200 OK\r\n\r\n", EMPTY_LINE),
    "a greeting with escapes": (b"SSH-\x1b[2J\r\n", "not an HTTP reply but SSH; ask at another port"),
    "a greeting after an interim reply": (
        b"HTTP/1.1 100 C\r\n\r\nSSH-2.0\n",
        "not an HTTP reply but SSH; ask at another port: 'SSH-2.0'",
    ),
}

STATUSES = ("2000", "20", "2", "000", "099", "600", "999", "+20", "-20", "2 0", "abc", "\u0662")
STATUS_LINES = ("HTTP/1.x 200", "HTTP/1.1200", "HTTP/1.1  200", "HTTP/1.1\t200", "HTTP/1.10 200", "HTTP/1.1 200OK")
MALFORMED = {
    **{f"status {code}": f"HTTP/1.1 {code} OK" for code in STATUSES},
    **{f"line {line!r}": line for line in STATUS_LINES},
}

RESPONSES: dict[str, tuple[bytes, Outcome]] = {
    **HTTP,
    **GREETINGS,
    **{name: (f"{line}\r\n\r\n".encode(), "malformed status line 'HTTP/1.") for name, line in MALFORMED.items()},
}
EARLY_HINTS_THEN_OK = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n"
