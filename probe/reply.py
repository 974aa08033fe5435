"""A reply to one GET, read from bytes that come in pieces of any size. No input or output here.

Strict where it decides, bounded everywhere. What decides is the status line of the final reply and that its header
section ends; fields decide nothing, so they are not judged, only searched for where a redirect points, how long the
body is and what it is. A verdict never depends on how the bytes were cut into pieces.
"""

from dataclasses import dataclass

from probe import protocols
from probe.errors import CheckFailed, NoReply
from probe.text import clip, printable
from probe.values import digits, is_status

HEAD_LIMIT = 64 * 1024  # bytes up to the end of the final header section, 1xx replies included; servers' own is 8 to 64
BODY_LIMIT = 64 * 1024  # bytes read of a body: a line shows a few hundred, the rest is read to part in peace

NO_BODY = frozenset((101, 204, 304))  # RFC 9110, section 6.4.1
VERSION = b"HTTP/1."

# The header fields that a check looks at.
KNOWN_FIELDS = frozenset((b"content-encoding", b"content-length", b"content-type", b"location", b"transfer-encoding"))


@dataclass(slots=True)
class Reply:
    """What came back."""

    status: int  # 100 to 599
    reason: bytes  # raw; may be empty
    fields: dict[bytes, bytes]  # raw, by their names in lower case, each as it was last given
    body: bytes  # raw, without chunk headers; as much as had come

    @property
    def location(self) -> bytes:
        """Where a redirect points (RFC 9110, section 10.2.2); empty where that is not said."""
        return self.fields.get(b"location", b"")


class ReplyReader:
    """Feed it pieces, then `end` it or not; when `decided`, `reply` gives the reply or raises CheckFailed."""

    def __init__(self) -> None:
        self.decided = False
        self.status = 0  # 0 until the status line is read
        self._data = bytearray()  # the reply at hand; replies that were passed over are gone
        self._passed = 0  # bytes of replies that were passed over
        self._searched = 0  # the end of the head is not before here
        self._reason = b""
        self._fields: dict[bytes, bytes] = {}
        self._failure = ""
        self._foreign = False  # the reply at hand is none of HTTP/1; what it says of itself is still read
        self._ended = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._data += piece
        while not self.decided and self._advance():
            pass

    def end(self) -> None:
        """The other side has closed."""
        self._ended = True
        if not self.decided:
            cut = "connection closed in the middle of the reply"
            self._fail(cut if self.begun else "connection closed without a reply")

    @property
    def begun(self) -> bool:
        """Whether any of a reply has come, where none is decided."""
        return bool(self._data or self._passed)

    @property
    def complete(self) -> bool:
        """Decided, and nothing more is to come, or nothing more is wanted."""
        if not self.decided:
            return False
        if self._foreign:
            return self._ended or protocols.is_whole(self._data)
        if self._ended or self._failure or self.status in NO_BODY or len(self._data) > BODY_LIMIT:
            return True
        if _chunked(self._fields):
            return dechunk(bytes(self._data))[1]
        return len(self._data) >= _length(self._fields)

    def reply(self) -> Reply:
        """The final reply, with as much of the body as was fed. Raises CheckFailed where there is none."""
        if self._failure:
            raise (CheckFailed if self.begun else NoReply)(self._failure)
        if self._foreign:
            raise CheckFailed(protocols.tell(bytes(self._data)))
        body = bytes(self._data[:BODY_LIMIT])
        if self.status in NO_BODY:
            body = b""
        elif _chunked(self._fields):
            body = dechunk(body)[0]
        else:
            body = body[: _length(self._fields)]
        return Reply(self.status, self._reason, self._fields, body)

    def _advance(self) -> bool:
        """One step: the status line, then the end of the header section. False where more bytes are needed."""
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
            self._fields = _fields(bytes(self._data[:blank]))
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
        well_formed = digits(line[7:8].decode("latin-1")) and line[8:9] == b" " and line[12:13] in (b"", b" ")
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
    """Where the header section ends, behind its blank line; 0 where it does not. A bare LF ends a line too."""
    with_return = data.find(b"\n\r\n", start)
    without = data.find(b"\n\n", start)
    if without >= 0 and (with_return < 0 or without < with_return):
        return without + 2
    return with_return + 3 if with_return >= 0 else 0


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The known ones of the header fields, by their names in lower case, each as it was last given."""
    fields = {}
    for line in head.split(b"\n")[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in KNOWN_FIELDS:  # others could be as many, and named as unluckily, as the server likes
            fields[name] = value.replace(b"\r", b" ").strip()  # RFC 9112, section 2.2: a bare CR is a space
    return fields


def _chunked(fields: dict[bytes, bytes]) -> bool:
    return fields.get(b"transfer-encoding", b"").lower().endswith(b"chunked")


def _length(fields: dict[bytes, bytes]) -> int:
    """How long the body says it is; more than is ever read where that is not said (RFC 9112, section 6.3)."""
    length = fields.get(b"content-length", b"").decode("latin-1")
    return int(length) if digits(length) and len(length) < 20 else BODY_LIMIT + 1


def dechunk(data: bytes) -> tuple[bytes, bool]:
    """The content of a chunked body as far as it goes, and whether it has come to its end (RFC 9112, section 7.1)."""
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
