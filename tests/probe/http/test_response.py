"""Replies, whole and in pieces: the verdict is the same however the bytes were cut."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.errors import CheckFailed
from probe.http.response import BODY_LIMIT, HEAD_LIMIT, Response, ResponseReader, dechunk
from probe.http.signatures import GREETING_LIMIT
from testing import checks
from testing.responses import CUT, EARLY_HINTS_THEN_OK, GREETINGS, RESPONSES, Outcome


def read(pieces: Iterable[bytes]) -> Outcome:
    """Return the status and the body, or the text of the failure."""
    outcome = checks.read(pieces)
    return str(outcome) if isinstance(outcome, CheckFailed) else (outcome.status, outcome.body)


def one_by_one(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


@pytest.mark.parametrize("cut", [lambda data: [data], one_by_one], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("data", "outcome"), RESPONSES.values(), ids=list(RESPONSES))
def test_each_response_is_read_as_the_table_says(
    data: bytes, outcome: Outcome, cut: Callable[[bytes], list[bytes]]
) -> None:
    read_as = read(cut(data))
    if isinstance(outcome, str):
        assert isinstance(read_as, str)
        assert read_as.startswith(outcome)
    else:
        assert read_as == outcome


@pytest.mark.parametrize("cut", [lambda data: [data], one_by_one], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("data", "line"), GREETINGS.values(), ids=list(GREETINGS))
def test_a_server_of_another_protocol_is_told_by_its_first_bytes(
    data: bytes, line: str, cut: Callable[[bytes], list[bytes]]
) -> None:
    assert read(cut(data)) == line


HEADERS = {
    "a colon in the value": (b"Location: http://a:1/", b"http://a:1/"),
    "no space": (b"location:/a", b"/a"),
    "a bare CR, which is a space": (b"Location: /a\rb", b"/a b"),  # RFC 9112, section 2.2
}


@pytest.mark.parametrize(("line", "value"), HEADERS.values(), ids=list(HEADERS))
def test_a_header_begins_behind_the_first_colon(line: bytes, value: bytes) -> None:
    response = checks.read([b"HTTP/1.1 302 Found\r\n" + line + b"\r\n\r\n"])
    assert isinstance(response, Response)
    assert response.headers == {b"location": value}


WITHOUT_AN_END = {
    "HTTP/2": b"\0\0\0\4\0\0\0\0\0",
    "TLS": b"\x15\3\3",
    "FastCGI": b"\1\x0b\0\0\0\x08\0\0",
    "MySQL that refuses": b"E\0\0\0\xffj\x04Host",
    "PostgreSQL": b"E\0\0\0=SFATAL",
    "MQTT": b" \2\0\5",
    "a whole line": b"HELLO\n",
    "a long line": b"a" * GREETING_LIMIT,
}


@pytest.mark.parametrize("data", WITHOUT_AN_END.values(), ids=list(WITHOUT_AN_END))
def test_a_greeting_is_not_waited_for_once_its_line_is_certain(data: bytes) -> None:
    reader = ResponseReader()
    reader.feed(data)
    assert reader.complete


@pytest.mark.parametrize("data", [b" \2\0", b"SSH-2.0", b"SSH-2.0\r", b"SSH-\xc3", b"\0\0\0\4", b"\0hello"])
def test_a_greeting_is_waited_for_while_its_line_may_change(data: bytes) -> None:
    reader = ResponseReader()
    reader.feed(data)
    assert not reader.complete


@pytest.mark.parametrize("length", range(len(EARLY_HINTS_THEN_OK)))
def test_a_reply_cut_off_in_its_head_is_none(length: int) -> None:
    assert read([EARLY_HINTS_THEN_OK[:length]]) == (CUT if length else "connection closed without a reply")


@given(st.binary(max_size=100))
def test_what_follows_the_head_does_not_change_the_status(rest: bytes) -> None:
    assert read([EARLY_HINTS_THEN_OK + rest])[0] == 200


STARTS = st.sampled_from([data for data, _ in RESPONSES.values()])


@given(st.binary(max_size=300) | STARTS | st.builds(bytes.__add__, STARTS, st.binary(max_size=300)), st.data())
def test_the_cutting_does_not_change_the_outcome(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(data)), max_size=10)) | {0, len(data)})
    assert read([data[start:end] for start, end in pairwise(cuts) if start < end]) == read([data])


@given(st.sampled_from(list(WITHOUT_AN_END.values())), st.integers(1, 9), st.binary(max_size=250))
def test_a_greeting_that_is_complete_has_its_last_word(start: bytes, length: int, rest: bytes) -> None:
    data = start[:length] + rest
    assert read(one_by_one(data)) == read([data])


ENDLESS = {
    "status line": (b"HTTP/1.1 200 ", b"a"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nA: ", b"b"),
    "interim replies": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize(("start", "piece"), ENDLESS.values(), ids=list(ENDLESS))
def test_an_endless_head_is_given_up_at_its_bound(start: bytes, piece: bytes) -> None:
    reader = ResponseReader()
    if start:
        reader.feed(start)
    fed = 0
    while not reader.decided:
        reader.feed(piece * (1024 // len(piece)))
        fed += 1024
        assert fed < HEAD_LIMIT + 4096
    with pytest.raises(CheckFailed, match="is over 64 KiB"):
        reader.response()


def test_a_head_over_the_bound_is_refused_also_where_it_comes_whole() -> None:
    assert "over 64 KiB" in str(read([b"HTTP/1.1 200 OK\r\nA: " + b"b" * HEAD_LIMIT + b"\r\n\r\n"]))


def test_a_long_body_is_complete_at_its_bound() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * (BODY_LIMIT + 1))
    assert reader.complete
    assert len(reader.response().body) == BODY_LIMIT


COMPLETE = {
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\ncontent-length:  2 \r\n\r\nok",
    "last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", COMPLETE.values(), ids=list(COMPLETE))
def test_a_body_that_says_where_it_ends_is_not_waited_for_beyond(data: bytes) -> None:
    reader = ResponseReader()
    reader.feed(data[:-3])
    reader.feed(data[-3:])
    assert reader.complete


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_chunks_are_put_together(chunks: list[bytes]) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    assert dechunk(body + b"0\r\n\r\n") == (b"".join(chunks), True)
    assert dechunk(body) == (b"".join(chunks), False)


CHUNKED = {
    "capital": (b"A\r\n0123456789\r\n0\r\n\r\n", (b"0123456789", True)),
    "eight digits": (b"00000002\r\nok\r\n0\r\n\r\n", (b"ok", True)),
    "nine digits": (b"000000002\r\nok\r\n0\r\n\r\n", (b"", False)),
    "no digit": (b"\r\nok\r\n0\r\n\r\n", (b"", False)),
    "another letter": (b"X\r\nok\r\n0\r\n\r\n", (b"", False)),
    "a size without an end": (b"11", (b"", False)),
}


@pytest.mark.parametrize(("data", "content"), CHUNKED.values(), ids=list(CHUNKED))
def test_the_size_of_a_chunk(data: bytes, content: tuple[bytes, bool]) -> None:
    assert dechunk(data) == content


@given(st.binary())
def test_no_bytes_break_the_unchunking(data: bytes) -> None:
    content, _ = dechunk(data)
    assert len(content) <= len(data)
