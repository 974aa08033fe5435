"""Whatever a server sends: the right verdict, one clean line, and no more memory than for an ordinary answer."""

import gzip
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.errors import UsageError
from probe.http.request import Request, encode
from probe.protocols import http
from probe.target import Target
from probe.url import host, path
from testing import servers
from testing.certificates import Authority
from testing.program import Healthchecker, runner
from testing.responses import EARLY_HINTS_THEN_OK, RESPONSES, Outcome
from testing.servers import serving


def outcome_of(line: str) -> str:
    """What a line says of the reply, without what differs from run to run."""
    return re.sub(r"^\w+: GET \S+: | \(\d+ ms\)", "", line)


@pytest.mark.parametrize(("data", "outcome"), RESPONSES.values(), ids=list(RESPONSES))
def test_the_executable_says_of_a_reply_what_the_parser_makes_of_it(
    binary: Path, tmp_path: Path, data: bytes, outcome: Outcome
) -> None:
    with serving(servers.replying(data)) as port:
        run = runner([str(binary)], tmp_path)(f"-port={port}", "-v", "-t=20")
    healthy = not isinstance(outcome, str) and outcome[0] == 200
    assert run.status == (0 if healthy else 1)
    said = outcome_of(run.stdout + run.stderr)
    assert said.startswith(outcome if isinstance(outcome, str) else str(outcome[0]))
    assert said.count("\n") == 1


DELIVERIES = {
    "whole": servers.replying,
    "by the byte": lambda data: servers.dripping(data, 0),
    "with garbage behind": lambda data: servers.replying(data + b"\x00\xff\x1b[31mHTTP/1.1 500 No\r\n\r\n" * 100),
    "left open": servers.holding,
    "broken off": servers.resetting,
}


@pytest.mark.parametrize("status", ["200 OK", "503 Unavailable"])
def test_the_delivery_does_not_change_the_verdict(healthchecker: Healthchecker, status: str) -> None:
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nok" % status.encode()
    said = set()
    for deliver in DELIVERIES.values():
        with serving(deliver(data)) as port:
            run = healthchecker(f"-port={port}", "-v", "-t=20")
        said.add((run.status, outcome_of(run.stdout + run.stderr)))
    words = f"{status}\n" if status == "200 OK" else f"{status}, expected 200: ok\n"
    assert said == {(int(status != "200 OK"), words)}


def test_a_reply_cut_off_anywhere_in_its_head_is_unhealthy(binary: Path, tmp_path: Path) -> None:
    for length in range(len(EARLY_HINTS_THEN_OK)):
        with serving(servers.replying(EARLY_HINTS_THEN_OK[:length])) as port:
            run = runner([str(binary)], tmp_path)(f"-port={port}", "-t=20")
        assert (run.status, run.stderr.count("connection closed")) == (1, 1), length


WRONG_SCHEME = {
    "TLS alert to plain": (
        "http",
        servers.replying(b"\x15\x03\x03\x00\x02\x02\x0a"),
        "not an HTTP reply but TLS; ask by a URL with https://",
    ),
    "TLS handshake to plain": (
        "http",
        servers.greeting(b"\x16\x03\x03\x00\x7a\x02"),
        "not an HTTP reply but TLS; ask by a URL with https://",
    ),
    "TLS that closes on plain": (
        "http",
        servers.answering_tls(b"\x15\x03\x03\x00\x02\x02\x28", servers.closing),
        "not an HTTP reply but TLS; ask by a URL with https:// (",
    ),
    "TLS that breaks off on plain": (
        "http",
        servers.answering_tls(b"\x16\x03\x03\x00\x7a\x02", servers.breaking_off),
        "not an HTTP reply but TLS; ask by a URL with https:// (",
    ),
    "what closes on everything": (
        "http",
        servers.closing,
        f"connection closed without a reply; {http.UNANSWERED} (",
    ),
    "what breaks off on everything": (
        "http",
        servers.breaking_off,
        f"connection reset by peer; {http.UNANSWERED} (",
    ),
    "plain to TLS": (
        "https",
        servers.greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "not a TLS server; ask by a URL with http://",
    ),
    "SSH to plain": (
        "http",
        servers.greeting(b"SSH-2.0-x\r\n"),
        "not an HTTP reply but SSH; ask at another port: 'SSH-2.0-x'",
    ),
    "SSH to TLS": ("https", servers.greeting(b"SSH-2.0-OpenSSH_9.2\r\n"), "not a TLS server; "),
    "nothing to TLS": ("https", servers.closing, "connection closed in the TLS handshake ("),
    "what breaks off on TLS": ("https", servers.breaking_off, "connection reset by peer in the TLS handshake ("),
}


@pytest.mark.parametrize(("scheme", "behaviour", "words"), WRONG_SCHEME.values(), ids=list(WRONG_SCHEME))
def test_a_server_of_another_kind_is_told_apart(
    healthchecker: Healthchecker, scheme: str, behaviour: servers.Behaviour, words: str
) -> None:
    with serving(behaviour) as port:
        run = healthchecker(f"{scheme}://127.0.0.1:{port}/", "-t=20")
    assert f": {words}" in run.failure()


def test_a_second_look_that_is_not_answered_makes_no_line_late(healthchecker: Healthchecker) -> None:
    """The server hangs for all but the first connection, which it closes."""
    connections: list[socket.socket] = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        (servers.closing if len(connections) == 1 else servers.wait_for_close)(connection)

    with serving(behave) as port:
        run = healthchecker(f"-port={port}", "-t=5")
    assert (run.status, len(connections)) == (1, 2)
    assert "/health: connection closed without a reply; the service failed, or " in run.stderr


OK_HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "status line": (b"HTTP/1.1 200 ", b"a" * 65536, "the reply's status line is over 64 KiB"),
    "headers": (OK_HEAD, b"A: b\r\n" * 10000, "the reply's header section is over 64 KiB"),
    "one header": (OK_HEAD + b"A: ", b"b" * 65536, "the reply's header section is over 64 KiB"),
    "interim replies": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 4000, " is over 64 KiB"),
    "banner": (b"", b"\x00" * 65536, r"not an HTTP/1 reply: '\x00"),
    "body": (b"HTTP/1.1 500 No\r\n\r\n", b"c" * 65536, "500 No, expected 200"),
    "chunks": (CHUNKED, b"1\r\nd\r\n" * 10000, "500 No, expected 200"),
    "one chunk": (
        CHUNKED + b"7fffffff\r\n", b"d" * 65536, "500 No, expected 200",
    ),
    "chunk size": (CHUNKED, b"1" * 65536, "500 No, expected 200"),
    "chunk extension": (CHUNKED + b"1;", b"x" * 65536, "500 No, expected 200"),
    "trailers": (
        CHUNKED + b"1\r\nd\r\n0\r\n", b"A: b\r\n" * 10000, "500 No, expected 200",
    ),
    "compressed body": (
        b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3",
        b"\0" * 65536, "500 No, expected 200",
    ),
    "compressed bomb": (
        b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1 << 27), 1)[:65536],
        b"\0" * 65536, "500 No, expected 200",
    ),
    "page of wide characters": (
        b"HTTP/1.1 500 No\r\nContent-Type: text/html; charset=utf-16\r\n\r\n",
        "<\N{PILE OF POO}鬱".encode("utf-16-le") * 8192, "500 No, expected 200",
    ),
    "page": (b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\n\r\n", b"<p> < " * 10000, "500 No, expected 200"),
}  # fmt: skip
MORE_MEMORY = 2 * 1024 * 1024  # bytes beyond an ordinary check's


def peak(command: list[str], *arguments: str) -> tuple[int, str]:
    """The most memory that a run had in use, in bytes, and its line."""
    process = subprocess.Popen([*command, *arguments], env={}, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    line = process.stderr.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    process.stderr.close()
    return usage.ru_maxrss * 1024, line


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("start", "piece", "words"), FLOODS.values(), ids=list(FLOODS))
def test_a_flood_takes_no_memory_and_no_time(
    command: list[str], authority: Authority, start: bytes, piece: bytes, words: str, scheme: str
) -> None:
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(servers.replying(b"HTTP/1.1 500 No\r\n\r\n"), tls=tls) as port:
        ordinary, _ = peak(command, f"{scheme}://127.0.0.1:{port}", "-k", "-t=20")
    with serving(servers.flooding(start, piece), tls=tls) as port:
        flooded, line = peak(command, f"{scheme}://127.0.0.1:{port}", "-k", "-t=20")
    assert words in line
    assert line.count("\n") == 1
    assert len(line.encode()) <= 1000
    assert flooded <= ordinary + MORE_MEMORY


FOREIGN = {
    "escapes": b"\x1b[2J\x1b]0;title\x07\x9b31m",
    "line breaks": "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h".encode(),
    "bidi": "\u202e\u202a\u2066\u2069\u200f\u061c".encode(),
    "invisible": "\u200b\u00ad\ufeff\u2060\U000e0041".encode(),
    "no UTF-8": b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf5",
    "NUL": b"a\x00b",
    "1 MB": b"\x1b" * 1_000_000,
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("where", ["reason", "location", "body", "banner", "status line"])
@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=list(FOREIGN))
def test_nothing_of_a_servers_reaches_the_terminal_raw(
    healthchecker: Healthchecker, authority: Authority, foreign: bytes, where: str, scheme: str
) -> None:
    reply = {
        "reason": b"HTTP/1.1 503 x%b\r\n\r\n",
        "location": b"HTTP/1.1 302 Found\r\nLocation: x%b\r\n\r\n",
        "body": b"HTTP/1.1 503 No\r\n\r\nx%b",
        "banner": b"x%b\r\n",
        "status line": b"HTTP/1.1 x%b\r\n\r\n",
    }[where] % foreign
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(servers.replying(reply), tls=tls) as port:
        run = healthchecker(f"{scheme}://127.0.0.1:{port}/", "-k", "-t=20")
    assert (run.status, run.stdout) == (1, "")
    assert run.stderr.removesuffix("\n").isprintable()
    assert run.stderr.endswith("\n")
    assert len(run.stderr.encode()) <= 1000


RAW = [
    *("\r\nX: y", "\n", "\r", " ", "\t", "\0", "\x1b[31m", "\x7f", "ü", "\u202e", "\udcff"),
    *("#f", "%0d%0a", "\\", '"<>^`{}'),
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*RAW, "/", "?", "a", "%"]) | st.characters(), max_size=6).map("".join))
def test_nothing_of_a_path_reaches_the_wire_raw(text: str) -> None:
    try:
        asked = path(text)
    except UsageError:
        return
    line, *headers = encode("GET", asked, Request(Target(http.SCHEME, "a", 80, asked)).headers).split(b"\r\n")
    assert re.fullmatch(rb"GET /[!-~]* HTTP/1\.1", line)
    names = [header.partition(b":")[0] for header in headers]
    assert names == [b"Host", b"User-Agent", b"Accept", b"Connection", b"", b""]
    assert path(asked) == asked


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*RAW, ".", "-", "a", ":", "[", "]"]) | st.characters(), max_size=6).map("".join))
def test_nothing_of_a_host_reaches_the_wire_or_the_resolver_raw(text: str) -> None:
    try:
        asked = host(text)
    except UsageError:
        return
    assert re.fullmatch(r"[A-Za-z0-9._:-]+", asked)


@pytest.mark.parametrize("option", ["--path=/a", "--host=a", "http://a", "http://127.0.0.1/"])
@pytest.mark.parametrize("raw", [raw for raw in RAW if "\0" not in raw], ids=ascii)
def test_arguments_reach_the_terminal_clean(healthchecker: Healthchecker, option: str, raw: str) -> None:
    run = healthchecker(option + raw, "-t=1ms", **({} if "://" in option else {"HEALTHCHECKER_PORT": "1"}))
    assert (run.status, run.stdout, run.stderr[-1:]) == (1, "", "\n")
    assert run.stderr[:-1].isprintable()
