"""The response to one request, read from bytes that come in pieces of any size.

The reader is strict where it decides, and bounded everywhere. Two things decide: the status line of the final response,
and the end of its header section. Headers decide nothing, so they are not judged. The reader only looks for those that
say where a redirect points, how long the body is, and what it is. The cuts between the pieces never change the result.
"""

from dataclasses import dataclass

from probe.errors import CheckFailed, NoResponse
from probe.http import signatures
from probe.text import clip, is_digits, printable

HEAD_LIMIT = 64 * 1024  # bytes to the end of the final header section, with 1xx responses; servers limit it to 8 to 64
BODY_LIMIT = 64 * 1024  # bytes of a body; a line shows a few hundred, and a server must not find a broken connection

NO_BODY = frozenset((101, 204, 304))  # RFC 9110, section 6.4.1
VERSION = b"HTTP/1."

# The headers that a check uses. Others could be as many, and named as badly for a dict, as the server likes.
KNOWN_HEADERS = frozenset((b"content-encoding", b"content-length", b"content-type", b"location", b"transfer-encoding"))


@dataclass(frozen=True, slots=True)
class Response:
    """A final response."""

    status: int  # 100 to 599
    reason: bytes  # raw; may be empty
    headers: dict[bytes, bytes]  # the known ones, raw, by name in lower case; the last one of a name counts
    body: bytes  # raw, without chunk headers; as much as arrived

    @property
    def location(self) -> bytes:
        """Where a redirect points (RFC 9110, section 10.2.2); empty if the header is missing."""
        return self.headers.get(b"location", b"")


class ResponseReader:
    """A reader of one response. Feed it pieces until it is `decided`, then call `response`."""

    def __init__(self) -> None:
        self.decided = False
        self.status = 0  # 0 until the status line is read
        self._data = bytearray()  # of the current response; interim responses are dropped
        self._passed = 0  # bytes of interim responses
        self._searched = 0  # the end of the head is not before here
        self._reason = b""
        self._headers: dict[bytes, bytes] = {}
        self._failure = ""
        self._foreign = False  # not HTTP/1; the reader still collects its first line
        self._ended = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; b"" says that the server has closed."""
        if not piece:
            self._end()
        self._data += piece
        while not self.decided and self._advance():
            pass

    def _end(self) -> None:
        self._ended = True
        if not self.decided:
            cut = "connection closed in the middle of the reply"
            self._fail(cut if self._begun else "connection closed without a reply")

    @property
    def _begun(self) -> bool:
        """Whether a byte has arrived, as long as nothing is decided."""
        return bool(self._data or self._passed)

    @property
    def complete(self) -> bool:
        """Whether it is decided, and more bytes would change nothing."""
        if not self.decided:
            return False
        if self._foreign:
            return self._ended or signatures.is_whole(self._data)
        if self._ended or self._failure or self.status in NO_BODY or len(self._data) > BODY_LIMIT:
            return True
        if _chunked(self._headers):
            return dechunk(bytes(self._data))[1]
        return len(self._data) >= _length(self._headers)

    def response(self) -> Response:
        """Return the final response with the body as far as it was fed. Raises NoResponse, CheckFailed without one."""
        if self._failure:
            raise (CheckFailed if self._begun else NoResponse)(self._failure)
        if self._foreign:
            raise CheckFailed(signatures.describe(bytes(self._data)))
        body = bytes(self._data[:BODY_LIMIT])
        if self.status in NO_BODY:
            body = b""
        elif _chunked(self._headers):
            body = dechunk(body)[0]
        else:
            body = body[: _length(self._headers)]
        return Response(self.status, self._reason, self._headers, body)

    def _advance(self) -> bool:
        """Read the status line, then the end of the header section. Return False if that needs more bytes."""
        if not self.status:
            return self._read_status_line()
        blank = _blank_line(self._data, self._searched)
        if self._passed + (blank or len(self._data)) > HEAD_LIMIT:
            self._fail(f"the reply's header section is over {HEAD_LIMIT // 1024} KiB")
        elif not blank:
            self._searched = max(0, len(self._data) - 2)
            return False
        elif self.status < 200 and self.status != 101:  # RFC 9110, section 15.2: interim; 101 is final
            self._passed += blank
            self.status = self._searched = 0
            del self._data[:blank]
        else:
            self._headers = _headers(bytes(self._data[:blank]))
            del self._data[:blank]
            self.decided = True
        return True

    def _read_status_line(self) -> bool:
        data = self._data
        if data[: len(VERSION)] != VERSION[: len(data)]:
            self._foreign = self.decided = True
            return True
        newline = data.find(b"\n", self._searched)
        if self._passed + (newline if newline >= 0 else len(data)) > HEAD_LIMIT:
            self._fail(f"the reply's status line is over {HEAD_LIMIT // 1024} KiB")
            return True
        if newline < 0:
            self._searched = len(data)
            return False
        line = bytes(data[:newline]).removesuffix(b"\r")
        # RFC 9112, section 4: HTTP-version SP status-code SP [reason-phrase]. The last space is often left out.
        code = line[9:12].decode("latin-1")
        well_formed = is_digits(line[7:8].decode("latin-1")) and line[8:9] == b" " and line[12:13] in (b"", b" ")
        if well_formed and is_status(code):
            self.status = int(code)
            self._reason = line[13:]
            self._searched = newline
            return True
        self._fail(f"malformed status line '{clip(printable(line), 200)}'")
        return True

    def _fail(self, why: str) -> None:
        self._failure = why
        self.decided = True


def _blank_line(data: bytearray, start: int) -> int:
    """Return where the header section ends, after its blank line; 0 if it does not. A bare LF ends a line too."""
    with_return = data.find(b"\n\r\n", start)
    without = data.find(b"\n\n", start)
    if without >= 0 and (with_return < 0 or without < with_return):
        return without + 2
    return with_return + 3 if with_return >= 0 else 0


def _headers(head: bytes) -> dict[bytes, bytes]:
    """Return the known headers."""
    headers = {}
    for line in head.split(b"\n")[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in KNOWN_HEADERS:
            headers[name] = value.replace(b"\r", b" ").strip()  # RFC 9112, section 2.2: a bare CR is a space
    return headers


def _chunked(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")


def _length(headers: dict[bytes, bytes]) -> int:
    """Return the length of the body, more than is ever read if it is unknown (RFC 9112, section 6.3)."""
    length = headers.get(b"content-length", b"").decode("latin-1")
    return int(length) if is_digits(length) and len(length) < 20 else BODY_LIMIT + 1


def dechunk(data: bytes) -> tuple[bytes, bool]:
    """Return the content of a chunked body, and whether its end has arrived (RFC 9112, section 7.1)."""
    content = bytearray()
    position = 0
    while True:
        newline = data.find(b"\n", position)
        size = data[position:newline].partition(b";")[0].strip()
        if newline < 0 or not 0 < len(size) <= 8 or not all(digit in b"0123456789abcdefABCDEF" for digit in size):
            return bytes(content), False
        length = int(size, 16)
        if length == 0:
            return bytes(content), True
        start = newline + 1
        content += data[start : start + length]
        position = data.find(b"\n", start + length) + 1
        if position == 0:
            return bytes(content), False


def is_status(text: str) -> bool:
    """Whether the text is a status code, 100 to 599: three digits, so a leading zero counts (RFC 9110, section 15)."""
    return len(text) == 3 and is_digits(text) and "100" <= text <= "599"
