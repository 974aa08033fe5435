"""What is said on a client's connection: the heads of requests in, their answers out, in their order. No I/O here."""

from email.utils import formatdate
from http import HTTPStatus

from accountservice import request
from accountservice.app import App

HEAD_LIMIT = 16 * 1024  # bytes of a request's head; a longer one is answered with 431
HEAD_END = b"\r\n\r\n"


class Connection:
    """A connection's state: what has come that is not answered, and whether anything more will be."""

    def __init__(self, app: App) -> None:
        self.closing = False  # no more is answered
        self.more = False  # a request is there that is not answered
        self._app = app
        self._unread = b""

    def receive(self, data: bytes, heads: "Heads", last: bool = False) -> bytes:
        """The reply to one request, if this data ends one; `last` if it should be the last one.

        Another one may be there then already: so that nobody takes more than his turn, it is for another call.
        """
        data = self._unread + data
        end = data.find(HEAD_END, 0, HEAD_LIMIT) + len(HEAD_END)
        if end >= len(HEAD_END):
            reply = self._reply(data[:end], heads, last)
            data = data[end:]
        elif len(data) >= HEAD_LIMIT:
            reply = self._refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, heads)
        elif data and not data[:1].isalpha() and data[:1] != b"\r":  # TLS, or something else that waits for an answer
            reply = self._refusal(HTTPStatus.BAD_REQUEST, heads)
        else:
            reply = b""
        self._unread = b"" if self.closing else data
        self.more = bool(self._unread) and (HEAD_END in self._unread or len(self._unread) >= HEAD_LIMIT)
        return reply

    def _reply(self, head: bytes, heads: "Heads", last: bool) -> bytes:
        asked = request.read(head)
        if asked is None:
            return self._refusal(HTTPStatus.BAD_REQUEST, heads)
        method, path, version, no_more = asked
        status, body = self._app.answer(method, path)
        if last or no_more:
            self.closing = True
            option = "close"
        else:
            option = "keep-alive" if version == "1.0" else ""
        reply = heads[status, len(body), option]
        return reply if method == b"HEAD" else reply + body

    def _refusal(self, status: HTTPStatus, heads: "Heads") -> bytes:
        self.closing = True
        return heads[status, 0, "close"]


class Heads(dict[tuple[int, int, str], bytes]):
    """The heads of replies of one second, by status, length of the body, and connection option, each written once."""

    def __init__(self) -> None:
        self._date = formatdate(usegmt=True)

    def __missing__(self, key: tuple[int, int, str]) -> bytes:
        status, length, option = key
        fields = {
            "date": self._date,
            "content-length": length,
            "content-type": "application/json" if length else "",
            "allow": "GET, HEAD" if status == HTTPStatus.METHOD_NOT_ALLOWED else "",  # RFC 9110, section 15.5.6
            "connection": option,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "")
        self[key] = head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode()
        return head
