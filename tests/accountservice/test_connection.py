"""What is said on a connection, without one: bytes in, bytes out."""

import re

import pytest

from accountservice.app import App
from accountservice.connection import HEAD_LIMIT, Connection, Heads
from accountservice.request import Request, read
from accountservice.store import Store


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    store = Store(str(tmp_path_factory.mktemp("connection") / "accounts.db"))
    store.seed()
    return App(store, "10.0.0.1", testability=False)


def said(app: App, data: bytes, cut: int | None = None, last: bool = False) -> tuple[list[tuple[int, str]], bool]:
    """The replies' statuses and connection options, and whether they were the last ones."""
    connection = Connection(app)
    heads = Heads()
    replies = b""
    for piece in [data] if cut is None else [data[:cut], data[cut:]]:
        if not connection.closing:
            replies += connection.receive(piece, heads, last)
        while connection.more:
            replies += connection.receive(b"", heads, last)
    found = re.findall(rb"HTTP/1.1 (\d+) [^\r]+\r\n((?:[a-z-]+: [^\r]+\r\n)+)\r\n", replies)
    return [(int(status), option(fields.decode())) for status, fields in found], connection.closing


def option(fields: str) -> str:
    found = re.search("^connection: (.+)\r$", fields, re.MULTILINE)
    return found[1] if found else ""


ACCOUNT = b"GET /accounts/10042 HTTP/1.1\r\nHost: a\r\n"
KEPT = ([(200, "")], False)
LAST = ([(200, "close")], True)
REFUSED = ([(400, "close")], True)
EXCHANGES = {
    "kept": (ACCOUNT + b"\r\n", KEPT),
    "two at once": (2 * (ACCOUNT + b"\r\n"), ([(200, ""), (200, "")], False)),
    "to be closed": (ACCOUNT + b"Connection: close\r\n\r\n", LAST),
    "more behind the last": (ACCOUNT + b"Connection: close\r\n\r\n" + ACCOUNT + b"\r\n", LAST),
    "HTTP/1.0": (b"GET /accounts/10042 HTTP/1.0\r\n\r\n", LAST),
    "HTTP/1.0, kept": (b"GET /accounts/10042 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                       ([(200, "keep-alive")], False)),
    "a body is not read": (b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n" + ACCOUNT + b"\r\n",
                           ([(405, "close")], True)),
    "a body in chunks": (ACCOUNT + b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n", LAST),
    "an empty body": (b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", KEPT),
    "another protocol": (ACCOUNT + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", LAST),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", ([(404, "close")], True)),
    "a whole URL": (b"GET http://a:80/accounts/10042?x HTTP/1.1\r\nHost: a:80\r\n\r\n", KEPT),
    "two lengths": (ACCOUNT + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", REFUSED),
    "length and chunks": (ACCOUNT + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED),
    "a space before the colon": (ACCOUNT + b"A : b\r\n\r\n", REFUSED),
    "a folded line": (ACCOUNT + b"A: b\r\n c\r\n\r\n", REFUSED),
    "line feeds alone": (b"GET /health HTTP/1.1\nHost: a\n\n\r\n\r\n", REFUSED),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", REFUSED),
    "two hosts": (ACCOUNT + b"host: b\r\n\r\n", REFUSED),
    "HTTP/2": (b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n", REFUSED),
    "RTSP": (b"GET /health RTSP/1.0\r\nHost: a\r\n\r\n", REFUSED),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", REFUSED),
    "no method": (b"/health\r\n\r\n", REFUSED),
    "empty lines": (b"\r\n\r\n", REFUSED),
    "a head of all that is allowed": (ACCOUNT + b"A: " + b"b" * (HEAD_LIMIT - len(ACCOUNT) - 7) + b"\r\n\r\n", KEPT),
    "a head of one byte more": (ACCOUNT + b"A: " + b"b" * (HEAD_LIMIT - len(ACCOUNT) - 6) + b"\r\n\r\n",
                                ([(431, "close")], True)),
    "a head without an end": (ACCOUNT, ([], False)),
    "nothing": (b"", ([], False)),
}  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), EXCHANGES.values(), ids=list(EXCHANGES))
def test_a_request_is_answered(app: App, data: bytes, expected: tuple[list[tuple[int, str]], bool]) -> None:
    assert said(app, data) == expected


@pytest.mark.parametrize(("data", "expected"), EXCHANGES.values(), ids=list(EXCHANGES))
def test_it_does_not_matter_in_what_pieces_it_comes(
    app: App, data: bytes, expected: tuple[list[tuple[int, str]], bool]
) -> None:
    cuts = range(1, min(len(data), 200))
    assert [cut for cut in cuts if said(app, data, cut) != expected] == []


def test_the_last_answer_says_so(app: App) -> None:
    assert said(app, 2 * (ACCOUNT + b"\r\n"), last=True) == LAST


def test_a_head_of_replies_has_its_fields() -> None:
    assert re.fullmatch(
        rb"HTTP/1.1 405 Method Not Allowed\r\n"
        rb"date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n"
        rb"content-length: 0\r\nallow: GET, HEAD\r\nconnection: close\r\n\r\n",
        Heads()[405, 0, "close"],
    )


TARGETS = {
    b"/a%20b": "/a b",
    b"/a?b?c": "/a",
    b"/%FF": "/�",
    b"*": "*",
    b"http://a": "/",
    b"http://a/b?c": "/b",
}


@pytest.mark.parametrize(("target", "path"), TARGETS.items(), ids=[target.decode() for target in TARGETS])
def test_a_target_has_a_path(target: bytes, path: str) -> None:
    method = b"OPTIONS" if target == b"*" else b"GET"
    assert read(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n") == Request(method, path, "1.1", last=False)
