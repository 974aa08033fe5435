"""Plain http against real sockets: what is sent, what is made of what comes, and when it ends."""

import itertools
import socket
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe import __version__
from probe.__main__ import verdict_of
from probe.deadline import Deadline
from probe.errors import CheckFailed
from probe.http.request import Request
from probe.parsers import statuses
from probe.protocols import exchange, http
from probe.protocols.http import SCHEME
from probe.target import Target
from probe.text import LINE_LIMIT
from probe.transport import connect
from probe.transport.resolve import resolve
from probe.transport.stream import Stream
from probe.verdict import HEALTHY, UNHEALTHY
from testing import network, servers
from testing.checks import seconds_of, settings_of
from testing.deadlines import raises_in_time
from testing.servers import Behaviour, serving

EXPECTED = statuses("200")


def fetch(port: int, host: str = "127.0.0.1", timeout: float = 10, path: str = "/health") -> Any:
    return http.fetch(Request(Target(SCHEME, host, port, path)), EXPECTED, Deadline(timeout, monotonic()))


def test_the_request_is_the_promised_one() -> None:
    requests: list[bytes] = []
    with serving(servers.recording(requests)) as port:
        fetch(port, path="/a?b=c")
    assert requests == [
        f"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: healthchecker/{__version__}\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize(
    "behaviour",
    [
        servers.replying(servers.OK),
        servers.holding(servers.OK),
        servers.dripping(servers.OK, 0.001),
        servers.replying(b"HTTP/1.1 103 Early Hints\r\n\r\n" + servers.OK),
    ],
    ids=["whole", "kept open", "byte by byte", "interim first"],
)
def test_an_ordinary_reply_is_read_with_its_body(behaviour: servers.Behaviour) -> None:
    with serving(behaviour) as port:
        reply = fetch(port)
    assert (reply.status, reply.reason) == (200, b"OK")
    assert reply.body.startswith(b'{"status"')


def test_a_server_that_writes_its_short_answer_in_parts_finds_no_broken_connection() -> None:
    outcome: list[object] = []
    done = threading.Event()

    def behave(connection: socket.socket) -> None:
        servers.read_request(connection)
        try:
            for part in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"01234", b"56789"):
                connection.sendall(part)
            outcome.append(connection.recv(10))
        except OSError as error:
            outcome.append(error)
        done.set()

    with serving(behave) as port:
        assert fetch(port).body == b"0123456789"
        assert done.wait(10)
    assert outcome == [b""]


def test_an_endless_body_does_not_cost_the_deadline() -> None:
    with serving(servers.holding(b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n")) as port:
        started = monotonic()
        assert fetch(port, timeout=30).status == 200
    assert monotonic() - started < 10


def test_the_body_of_an_unhealthy_reply_may_come_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_GRACE", 0)
    monkeypatch.setattr(exchange, "UNHEALTHY_BODY_GRACE", 20)
    with serving(servers.in_two(b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\n", b"down", 0.15)) as port:
        assert fetch(port, timeout=60).body == b"down"


def test_the_body_of_a_healthy_reply_is_not_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "UNHEALTHY_BODY_GRACE", 20)
    with serving(servers.holding(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")) as port:
        started = monotonic()
        assert fetch(port, timeout=60).status == 200
    assert monotonic() - started < 10


def test_a_greeting_without_an_end_is_not_waited_for_to_the_deadline() -> None:
    with serving(servers.greeting(b"\x16\x03\x03")) as port:
        started = monotonic()
        with pytest.raises(CheckFailed, match="^not an HTTP reply but TLS"):
            fetch(port, timeout=60)
    assert monotonic() - started < 10


def test_a_response_sent_before_the_request_was_read_counts() -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        servers.wait_for_close(connection)

    with serving(behave) as port:
        assert fetch(port, path="/" + "a" * 1_000_000).status == 414


SILENT = {
    "says nothing": servers.wait_for_close,
    "stops in the status line": servers.holding(b"HTTP/1.1 2"),
    "stops in the headers": servers.holding(b"HTTP/1.1 200 OK\r\nA: b\r\n"),
    "drips the status line": servers.dripping(b"HTTP/1.1 200 OK" * 50, 0.1),
    "drips the headers": servers.dripping(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1000, 0.1),
    "interim replies for ever": servers.repeating(b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
}


@pytest.mark.parametrize("behaviour", SILENT.values(), ids=list(SILENT))
def test_the_deadline_holds_for_a_server_that_does_not_respond(behaviour: servers.Behaviour) -> None:
    with serving(behaviour) as port:
        raises_in_time(lambda timeout: fetch(port, timeout=timeout))


def test_the_deadline_holds_for_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: release.wait(30))
    raises_in_time(lambda timeout: fetch(80, host="somewhere", timeout=timeout), ", still looking up 'somewhere'")
    release.set()


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port that neither takes nor refuses a connection, at every address."""
    with network.full_port("0.0.0.0") as port:
        yield port


def test_the_deadline_holds_for_a_port_that_drops_packets(full_port: int) -> None:
    raises_in_time(lambda timeout: fetch(full_port, timeout=timeout), ", still connecting to 127.0.0.1")


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Make every name resolve to these addresses."""
    entries = [
        (socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host, port in addresses
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: entries)


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(servers.replying(servers.OK), address="::1") as port:
        resolving(monkeypatch, ("127.0.0.1", port), ("::1", port))
        assert fetch(port, host="name").status == 200


def test_a_dead_address_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch, full_port: int) -> None:
    with serving(servers.replying(servers.OK)) as port:
        resolving(monkeypatch, ("127.0.0.1", full_port), ("127.0.0.1", port))
        assert fetch(port, host="name", timeout=2).status == 200


def test_ten_dead_addresses_end_at_the_deadline(monkeypatch: pytest.MonkeyPatch, full_port: int) -> None:
    resolving(monkeypatch, *[(f"127.0.0.{number}", full_port) for number in range(1, 11)])
    raises_in_time(lambda timeout: fetch(full_port, host="name", timeout=timeout), ", still connecting to 127.0.0.10")


def test_addresses_that_fail_for_different_reasons_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, full_port: int
) -> None:
    resolving(monkeypatch, ("127.0.0.1", full_port), ("127.0.0.2", servers.free_port()))
    with pytest.raises(CheckFailed, match=r"^127\.0\.0\.1: connection timed out; 127\.0\.0\.2: connection refused$"):
        fetch(1, host="name", timeout=2)  # each address has half of it


def test_the_resolver_is_asked_for_the_name_and_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def answer(*question: object) -> list[object]:
        asked.append(question)
        address = ("127.0.0.1", 1)
        return [(socket.AF_INET, kind, 6, "", address) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert resolve("name", 80, Deadline(10, monotonic())) == [(socket.AF_INET, ("127.0.0.1", 1))]
    assert asked == [(b"name", 80, 0, socket.SOCK_STREAM)]


LOOPBACK = [(socket.AF_INET, ("127.0.0.1", 80)), (socket.AF_INET6, ("::1", 80))]
KNOWN = {
    "localhost": LOOPBACK,
    "LocalHost": LOOPBACK,
    "localhost.": LOOPBACK,
    "127.0.0.1": LOOPBACK[:1],
    "::1": LOOPBACK[1:],
}


@pytest.mark.parametrize(("host", "addresses"), KNOWN.items(), ids=list(KNOWN))
def test_no_resolver_is_asked_for_what_is_known(monkeypatch: pytest.MonkeyPatch, host: str, addresses: object) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert resolve(host, 80, Deadline(10, monotonic())) == addresses


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "127.0.0.1")])
def test_a_server_is_reached_by_its_name_and_in_both_families(host: str, address: str) -> None:
    with serving(servers.replying(servers.OK), address=address) as port:
        assert fetch(port, host=host).status == 200


def test_a_refused_connection_is_said() -> None:
    with pytest.raises(CheckFailed, match="^connection refused$"):
        fetch(servers.free_port())


def test_an_unknown_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(CheckFailed, match="^cannot look up 'nowhere': name or service not known$"):
        fetch(80, host="nowhere")


TLS = "not an HTTP reply but TLS; ask by a URL with https://"
OTHERWISE = "; the service failed, or its port speaks another protocol"
CLOSED = f"connection closed without a reply{OTHERWISE}"
RESET = f"connection reset by peer{OTHERWISE}"
ALERT = b"\x15\3\3\0\2\2\x28"


def hanging_up(answer: Behaviour) -> Behaviour:
    """Closes every other connection, the first one to begin with, and behaves so on the others."""
    behaviours = itertools.cycle((servers.closing, answer))

    def behave(connection: socket.socket) -> None:
        next(behaviours)(connection)

    return behave


UNANSWERED = {
    "closes, and answers TLS by an alert": (servers.answering_tls(ALERT, servers.closing), TLS),
    "closes, and answers TLS by a handshake": (servers.answering_tls(b"\x16", servers.closing), TLS),
    "breaks off, and answers TLS": (servers.answering_tls(ALERT, servers.breaking_off), TLS),
    "breaks off after the request, and answers TLS": (servers.answering_tls(ALERT, servers.resetting(b"")), TLS),
    "closes": (servers.closing, CLOSED),
    "breaks off": (servers.breaking_off, RESET),
    "closes, and answers TLS by something else": (servers.answering_tls(servers.OK, servers.closing), CLOSED),
    "closes, and then breaks off": (hanging_up(servers.breaking_off), CLOSED),
    "closes, and then says nothing": (hanging_up(servers.wait_for_close), CLOSED),
}


@pytest.mark.parametrize(("behaviour", "words"), UNANSWERED.values(), ids=list(UNANSWERED))
def test_a_server_that_does_not_answer_is_asked_whether_it_speaks_tls(behaviour: Behaviour, words: str) -> None:
    with serving(behaviour) as port:
        started = monotonic()
        with pytest.raises(CheckFailed) as failed:
            fetch(port, timeout=30)
        assert monotonic() - started < 10
    assert str(failed.value) == words


def test_a_connection_that_is_reset_at_once_is_one_without_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(*_: object) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(connect, "_connected", reset)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(CheckFailed) as failed:
            fetch(1, host=host)
        assert str(failed.value) == RESET


def test_a_server_that_is_gone_when_it_is_asked_again_did_not_answer() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once() -> None:
        connection, _ = listener.accept()
        listener.close()
        servers.closing(connection)
        connection.close()

    thread = threading.Thread(target=answer_once)
    thread.start()
    with pytest.raises(CheckFailed) as failed:
        fetch(listener.getsockname()[1])
    thread.join(10)
    assert str(failed.value) == CLOSED


GRACE = 4  # seconds
SLOW_ENDS = {
    "a second look": hanging_up(servers.wait_for_close),
    "the body": servers.holding(b"HTTP/1.1 404 Not Found\r\n\r\n"),
    "the end of a greeting": servers.greeting(b"hello"),
}


@pytest.mark.parametrize("behaviour", SLOW_ENDS.values(), ids=list(SLOW_ENDS))
def test_the_time_in_the_line_ends_when_the_outcome_is_known(
    monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    monkeypatch.setattr(http, "LOOK_GRACE", GRACE)
    monkeypatch.setattr(exchange, "UNHEALTHY_BODY_GRACE", GRACE)
    with serving(behaviour) as port:
        told, passed = seconds_of(settings_of(port=str(port), timeout="60"))
    assert passed >= GRACE
    assert told < passed - GRACE / 2


ANSWERED = {
    "another protocol": (servers.replying(b"HELLO\r\n"), "not an HTTP/1 reply: 'HELLO'"),
    "the start of a reply": (servers.replying(b"HTTP/1.1"), "connection closed in the middle of the reply"),
    "an interim reply": (
        servers.replying(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "connection closed in the middle of the reply",
    ),
    "a reply that is broken off": (servers.resetting(b"HTTP/1.1 2"), "connection reset by peer"),
}


@pytest.mark.parametrize(("behaviour", "words"), ANSWERED.values(), ids=list(ANSWERED))
def test_a_server_that_answers_is_not_asked_again(behaviour: Behaviour, words: str) -> None:
    connections: list[socket.socket] = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        behaviour(connection)

    with serving(behave) as port, pytest.raises(CheckFailed, match=f"^{words}$"):
        fetch(port)
    assert len(connections) == 1


class Scripted:
    """A connection on which something goes wrong."""

    def __init__(self, sending: OSError | None = None, receiving: OSError | bytes = b"") -> None:
        self.sending = sending
        self.receiving = receiving

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def sendall(self, data: bytes) -> None:
        assert data == b"request"
        if self.sending:
            raise self.sending

    def recv(self, _: int) -> bytes:
        if isinstance(self.receiving, OSError):
            raise self.receiving
        return self.receiving


def exchanged(connection: Any) -> Any:
    deadline = Deadline(10, monotonic())
    deadline.phase = "connecting"
    try:
        return exchange.exchange(Stream(connection), b"request", EXPECTED, deadline)
    finally:
        assert deadline.phase == ""


@pytest.mark.parametrize("gone", [BrokenPipeError(), ConnectionResetError()], ids=["pipe", "reset"])
def test_a_response_counts_though_the_request_cannot_be_sent(gone: OSError) -> None:
    assert exchanged(Scripted(gone, servers.OK)).status == 200


TROUBLES = {
    "the kernel gives up": (Scripted(receiving=TimeoutError(110, "Connection timed out")), "connection timed out"),
    "our time is up": (Scripted(receiving=TimeoutError("timed out")), "no reply within 10s"),
    "no way there": (Scripted(receiving=OSError(113, "No route to host")), "no route to host"),
    "nothing can be sent": (Scripted(OSError(105, "No buffer space available")), "no buffer space available"),
    "an error without a number": (Scripted(OSError("No such luck")), "no such luck"),
    "an error without words": (Scripted(OSError()), "OSError"),
}


@pytest.mark.parametrize(("connection", "words"), TROUBLES.values(), ids=list(TROUBLES))
def test_an_error_of_the_connection_has_its_words(connection: Scripted, words: str) -> None:
    with pytest.raises(CheckFailed, match=f"^{words}$"):
        exchanged(connection)


@settings(max_examples=150)
@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 " + tail))
def test_any_bytes_from_a_server_give_a_verdict(data: bytes) -> None:
    with serving(servers.replying(data)) as port:
        verdict = verdict_of(settings_of(port=str(port), verbose="1"), monotonic())
    assert verdict.exit_code in (HEALTHY, UNHEALTHY)
    line = verdict.output.removesuffix("\n")
    assert line.startswith("healthy: " if verdict.exit_code == HEALTHY else "unhealthy: ")
    assert line.isprintable()
    assert len(verdict.output.encode()) <= LINE_LIMIT
