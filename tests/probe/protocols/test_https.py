"""https: the session of requests, and real TLS under the same deadline with the same lines as http."""

import os
import re
import select
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
import responses

from probe import __version__
from probe.__main__ import verdict_of
from probe.deadline import Deadline
from probe.errors import CheckFailed, DeadlineExceeded, UsageError
from probe.protocols import exchange, http
from probe.transport import connect, tls, trust
from probe.transport.resolve import Address
from probe.verdict import UNHEALTHY
from testing import servers
from testing.certificates import Authority, sign
from testing.checks import fetch, seconds_of, settings_of
from testing.deadlines import LATE
from testing.responses import RESPONSES
from testing.servers import serving


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(target="probe.protocols.https._Adapter.send") as mocked:
        yield mocked


def test_a_reply_is_status_reason_location_and_body(mock: responses.RequestsMock) -> None:
    mock.get("https://service/health", status=503, body="down", headers={"Location": "/elsewhere"})
    reply = fetch("https://service/health")
    assert (reply.status, reply.reason, reply.location) == (503, b"Service Unavailable", b"/elsewhere")
    assert reply.body == b"down"


def test_the_request_has_the_promised_headers_and_no_others(mock: responses.RequestsMock) -> None:
    mock.get("https://service/", status=200)
    fetch("https://service/")
    sent = dict(mock.calls[0].request.headers)
    expected = {"User-Agent": f"healthchecker/{__version__}", "Accept": "*/*", "Connection": "close"}
    assert sent == {"Host": "service", **expected}


def test_a_redirect_is_not_followed(mock: responses.RequestsMock) -> None:
    mock.get("https://service/", status=302, headers={"Location": "https://service/login"})
    outcome = verdict_of(settings_of("https://service/"), monotonic())
    assert outcome.exit_code == UNHEALTHY
    assert "302 Found to https://service/login, expected 200" in outcome.output
    assert len(mock.calls) == 1


TLS_FAILURES = {
    "plain http": ("HTTP_REQUEST", "not a TLS server; ask by a URL with http://", "TLS failed: http request"),
    "an old version": ("UNSUPPORTED_PROTOCOL", *["TLS failed: the server speaks no TLS 1.2 or newer"] * 2),
    "another": ("DH_KEY_TOO_SMALL", *["TLS failed: dh key too small"] * 2),
    "one without a name": (None, *["TLS failed: unknown error"] * 2),
}


@pytest.mark.parametrize(("reason", "before", "after"), TLS_FAILURES.values(), ids=list(TLS_FAILURES))
def test_an_error_of_tls_is_told_by_its_meaning(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, reason: str | None, before: str, after: str
) -> None:
    error = ssl.SSLError(1, "[SSL] unknown error (_ssl.c:992)")
    error.reason = reason  # type: ignore[assignment]

    def fail(*_: object, **__: object) -> None:
        raise error

    with serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port:
        for place, words in (("ssl.SSLSocket.recv", after), ("ssl.SSLSocket.do_handshake", before)):
            monkeypatch.setattr(place, fail)
            with pytest.raises(CheckFailed, match=f"^{words}$"):
                fetch(f"https://localhost:{port}/", cacert=str(authority.file))


def test_a_handshake_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TimeoutError("The handshake operation timed out")

    monkeypatch.setattr("ssl.SSLSocket.do_handshake", fail)
    told = pytest.raises(DeadlineExceeded, match="^no reply within 20s, still in the TLS handshake$")
    with serving(servers.wait_for_close) as port, told:
        fetch(f"https://localhost:{port}/", insecure="1")


def test_a_name_that_the_ssl_module_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(servers.wait_for_close) as port:
        monkeypatch.setattr(connect, "resolve", lambda *_: [Address(socket.AF_INET, ("127.0.0.1", port))])
        with pytest.raises(CheckFailed, match="^no usable reply: server_hostname cannot be"):
            fetch(f"https://.x:{port}/", insecure="1")


SENDING = {"gone": (ConnectionResetError(), 200), "late": (TimeoutError(), None)}


@pytest.mark.parametrize(("error", "status"), SENDING.values(), ids=list(SENDING))
def test_a_request_that_cannot_be_sent_may_be_answered_already(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, error: OSError, status: int | None
) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(servers.OK)
        servers.wait_for_close(connection)

    sendall = ssl.SSLSocket.sendall

    def send(connection: ssl.SSLSocket, data: bytes) -> None:
        if not connection.server_side:
            raise error
        sendall(connection, data)

    monkeypatch.setattr(ssl.SSLSocket, "sendall", send)
    with serving(answer, tls=authority.context("localhost")) as port:
        url = f"https://localhost:{port}/"
        if status:
            assert fetch(url, cacert=str(authority.file)).status == status
        else:
            with pytest.raises(DeadlineExceeded):
                fetch(url, cacert=str(authority.file))


def test_no_variable_reaches_requests(mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    mock.get("https://service/", status=200)
    fetch("https://service/")
    assert not mock.calls[0].request.req_kwargs["proxies"]  # type: ignore[attr-defined]


def trusted() -> int:
    """How many authorities an ordinary check trusts."""
    return trust.system_store().cert_store_stats()["x509_ca"]


def test_certifi_is_trusted_where_the_system_has_no_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setattr(trust, "TRUST_STORES", (str(tmp_path / "missing"), str(tmp_path / "empty")))
    assert trusted() > 100
    (tmp_path / "empty").write_bytes(authority.file.read_bytes())
    assert trusted() == 1


@pytest.fixture
def store(authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of the system's as Debian has it: a file, and beside it what that consists of, by hashes."""
    name = subprocess.run(
        ["openssl", "x509", "-in", authority.file, "-noout", "-subject_hash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (tmp_path / f"{name}.0").symlink_to(authority.file)
    (tmp_path / "store").write_bytes(authority.file.read_bytes())
    monkeypatch.setattr(trust, "TRUST_STORES", (str(tmp_path / "store"),))
    return tmp_path / "store"


def test_a_certificate_is_looked_up_by_its_hash(store: Path, authority: Authority) -> None:
    assert store.exists()
    assert trusted() == 0  # none is read before it is wanted
    with serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port:
        assert fetch(f"https://localhost:{port}/").status == 200


def test_no_other_certificate_is_trusted_by_its_hash(store: Path, tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    other = Authority(tmp_path / "another")
    with serving(servers.replying(servers.OK), tls=other.context("localhost")) as port:
        with pytest.raises(CheckFailed, match="^certificate not trusted: "):
            fetch(f"https://localhost:{port}/")
        store.write_bytes(store.read_bytes() + other.file.read_bytes())
        assert fetch(f"https://localhost:{port}/").status == 200


def test_a_store_that_is_not_what_the_hashes_lead_to_is_the_one_that_counts(
    store: Path, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "another").mkdir()
    store.write_bytes(Authority(tmp_path / "another").file.read_bytes() + b"\n")
    with (
        serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port,
        pytest.raises(CheckFailed, match="^certificate not trusted: "),
    ):
        fetch(f"https://localhost:{port}/")


def is_looked_up() -> bool:
    """Return whether certificates are looked up one by one, instead of in the bundle."""
    try:
        return trusted() == 0
    except CheckFailed:  # the bundle has been read, and holds none
        return False


def link(folder: Path) -> Path:
    """Return the hashed link of the store's only certificate."""
    return next(folder.glob("????????.0"))


# What makes a folder of hashed names another store than its bundle.
DIFFERENT: dict[str, Callable[[Path], object]] = {
    "a certificate that no hash leads to": lambda folder: link(folder).rename(folder / "away"),
    "a number with none before it": lambda folder: link(folder).rename(folder / "0123abcd.1"),
    "a number that OpenSSL does not ask for": lambda folder: link(folder).rename(folder / "0123abcd.00"),
    "another content of the same size": lambda folder: (folder / "store").write_bytes(
        (folder / "store").read_bytes().swapcase()
    ),
    "a certificate that the bundle lacks": lambda folder: (folder / "0123abcd.0").write_bytes(
        (folder / "store").read_bytes().swapcase()
    ),
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=list(DIFFERENT))
def test_a_folder_is_looked_up_only_where_it_has_what_the_bundle_has(
    store: Path, change: Callable[[Path], object]
) -> None:
    assert is_looked_up()
    change(store.parent)
    assert not is_looked_up()


def test_a_folder_is_looked_up_only_where_all_of_it_can_be_read(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path != store:
            raise PermissionError
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert trusted() == 1


def test_a_system_store_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("x")
    for path, words in ((store, "it holds none"), (tmp_path, "is a directory")):
        monkeypatch.setattr(trust, "TRUST_STORES", (str(path),))
        with pytest.raises(CheckFailed, match=f"^cannot use the certificates in '{path}': {words}$"):
            fetch("https://localhost:1/")


def test_a_server_with_a_trusted_certificate_is_healthy(authority: Authority) -> None:
    with serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port:
        reply = fetch(f"https://localhost:{port}/", cacert=str(authority.file))
    assert (reply.status, reply.body) == (200, b'{"status":"UP"}')


@pytest.mark.parametrize("name", ["straße.example", "STRAẞE.Example", "straße。example"])
def test_the_line_host_and_tls_have_an_international_name_in_one_form(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    encoded = "xn--strae-oqa.example"
    asked: list[object] = []

    def record(connection: socket.socket) -> None:
        asked.extend(re.findall(rb"\r\nHost: (.*):\d+\r\n", servers.read_request(connection)))
        connection.sendall(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")

    def loopback(host: str, port: int, _: Deadline) -> list[Address]:
        asked.append(host)
        return [Address(socket.AF_INET, ("127.0.0.1", port))]

    monkeypatch.setattr(connect, "resolve", loopback)
    context = authority.context(encoded)
    context.sni_callback = lambda _, indicated, __: asked.append(indicated)
    with serving(record, tls=context) as port:
        check = settings_of(f"https://{name}:{port}/", cacert=str(authority.file), timeout="20")
        outcome = verdict_of(check, monotonic())
    assert outcome.output.startswith(f"unhealthy: GET https://{encoded}:{port}/: 503 Down, expected 200")
    assert asked == [encoded, encoded, encoded.encode()]


def test_a_chunked_body_behind_another_coding_is_unchunked(authority: Authority) -> None:
    data = b"HTTP/1.1 503 Down\r\nTransfer-Encoding: identity, chunked\r\n\r\n4\r\ndown\r\n0\r\n\r\n"
    with serving(servers.replying(data), tls=authority.context("localhost")) as port:
        assert fetch(f"https://localhost:{port}/", cacert=str(authority.file)).body == b"down"


def test_interim_replies_are_passed_over(authority: Authority) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    with serving(servers.replying(interim + servers.OK), tls=authority.context("localhost")) as port:
        assert fetch(f"https://localhost:{port}/", cacert=str(authority.file)).status == 200


YESTERDAY = datetime.now(UTC) - timedelta(days=1)
UNTRUSTED = {
    "unknown authority": ("localhost", None, "certificate not trusted: "),
    "wrong name": ("elsewhere", None, "certificate not trusted: "),
    "expired": ("localhost", YESTERDAY, "certificate not trusted: certificate has expired"),
}


@pytest.mark.parametrize(("name", "expires", "words"), UNTRUSTED.values(), ids=list(UNTRUSTED))
def test_a_certificate_that_is_not_trusted_is_refused_unless_insecure(
    authority: Authority, name: str, expires: datetime | None, words: str, request: pytest.FixtureRequest
) -> None:
    known = "" if request.node.callspec.id == "unknown authority" else str(authority.file)
    with serving(servers.replying(servers.OK), tls=authority.context(name, expires=expires)) as port:
        with pytest.raises(CheckFailed, match=f"^{words}"):
            fetch(f"https://localhost:{port}/", cacert=known)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fetch(f"https://localhost:{port}/", insecure="1").status == 200


COMMON_NAMES = {"valid": (None, "'localhost' is only its common name"), "expired": (YESTERDAY, "Hostname mismatch")}


@pytest.mark.parametrize(("expires", "words"), COMMON_NAMES.values(), ids=list(COMMON_NAMES))
def test_a_name_that_is_only_a_common_name_is_told(tmp_path: Path, expires: datetime | None, words: str) -> None:
    certificate = sign("localhost", expires=expires)
    file = tmp_path / "trusted.pem"
    file.write_bytes(certificate.pem)
    with (
        serving(servers.replying(servers.OK), tls=certificate.context()) as port,
        pytest.raises(CheckFailed, match=f"^certificate not trusted: {words}"),
    ):
        fetch(f"https://localhost:{port}/", cacert=str(file))


def test_a_server_without_tls_is_told_apart() -> None:
    def refusing(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        servers.wait_for_close(connection)

    with serving(refusing) as port, pytest.raises(CheckFailed, match="^not a TLS server; ask by"):
        fetch(f"https://127.0.0.1:{port}/")


def test_a_server_that_asks_for_a_proxy_is_none_of_tls() -> None:
    told = pytest.raises(CheckFailed, match="^not a TLS server; ask by a URL with http://$")
    with serving(servers.greeting(b"CONNECT a:443 HTTP/1.1\r\n\r\n")) as port, told:
        fetch(f"https://127.0.0.1:{port}/")


@pytest.mark.parametrize("host", [".", ".x"])
def test_a_host_that_requests_refuses_is_told_as_over_http(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    for scheme in ("http", "https"):
        with pytest.raises(CheckFailed, match=f"^cannot look up '{re.escape(host)}': name or service not known$"):
            fetch(f"{scheme}://{host}/")


IN_THE_HANDSHAKE = "connection reset by peer in the TLS handshake"


@pytest.mark.parametrize("insecure", ["", "1"], ids=["verified", "insecure"])
def test_a_connection_that_is_reset_before_the_handshake_is_told_so(
    monkeypatch: pytest.MonkeyPatch, insecure: str
) -> None:
    connected = connect.open_socket
    made = threading.Event()

    def reset_when_made(connection: socket.socket) -> None:
        made.wait(30)
        reset_at_once(connection)

    def reset_by_now(host: str, port: int, deadline: Deadline) -> socket.socket:
        connection = connected(host, port, deadline)
        made.set()
        while select.select([connection], [], [], 10)[0] and not is_reset(connection):
            pass
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # else the ssl module raises it, and leaves it open
        return connection

    monkeypatch.setattr(tls, "open_socket", reset_by_now)
    with serving(reset_when_made) as port, pytest.raises(CheckFailed) as failed:
        fetch(f"https://127.0.0.1:{port}/", insecure=insecure)
    assert str(failed.value) == IN_THE_HANDSHAKE


def reset_at_once(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def is_reset(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return True
    return False


EARLY_RESETS = {
    "while it connects": ("probe.transport.connect._connected", ConnectionResetError(104, "Connection reset by peer")),
    "in the handshake": ("ssl.SSLContext.wrap_socket", ConnectionResetError(104, "Connection reset by peer")),
    "noticed as its end": ("ssl.SSLContext.wrap_socket", OSError(107, "Transport endpoint is not connected")),
}


@pytest.mark.parametrize(("where", "error"), EARLY_RESETS.values(), ids=list(EARLY_RESETS))
def test_a_reset_up_to_the_handshake_has_one_line(monkeypatch: pytest.MonkeyPatch, where: str, error: OSError) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with serving(servers.wait_for_close) as port:
        monkeypatch.setattr(where, fail)
        with pytest.raises(CheckFailed) as failed:
            fetch(f"https://127.0.0.1:{port}/", insecure="1")
    assert str(failed.value) == IN_THE_HANDSHAKE


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_a_reset_is_told_as_over_http(authority: Authority, reply: bytes) -> None:
    lines = set()
    for scheme, context in (("http", None), ("https", authority.context("localhost"))):
        with serving(servers.resetting(reply), tls=context) as port, pytest.raises(CheckFailed) as failed:
            fetch(f"{scheme}://localhost:{port}/", cacert=str(authority.file) if context else "")
        lines.add(str(failed.value).removesuffix(f"; {http.UNANSWERED}"))
    assert lines == {"connection reset by peer"}


def test_a_refused_connection_has_the_words_of_plain_http() -> None:
    with pytest.raises(CheckFailed, match="^connection refused$"):
        fetch(f"https://127.0.0.1:{servers.free_port()}/")


@pytest.mark.parametrize("silent", ["handshake", "reply", "dripping"])
def test_the_deadline_is_total(authority: Authority, silent: str) -> None:
    behaviour = servers.dripping(b"HTTP/1.1 200 OK" * 50, 0.1) if silent == "dripping" else servers.wait_for_close
    tls = None if silent == "handshake" else authority.context("localhost")
    with serving(behaviour, tls=tls) as port:
        started = monotonic()
        with pytest.raises(DeadlineExceeded, match="^no reply within 500ms"):
            fetch(f"https://localhost:{port}/", timeout=0.5, cacert=str(authority.file))
        assert monotonic() - started < 0.5 + LATE


def test_an_endless_body_does_not_cost_the_deadline(authority: Authority) -> None:
    with serving(servers.holding(b"HTTP/1.1 200 OK\r\n\r\ndata"), tls=authority.context("localhost")) as port:
        started = monotonic()
        assert fetch(f"https://localhost:{port}/", cacert=str(authority.file)).status == 200
    assert monotonic() - started < 10


def test_the_time_in_the_line_is_without_the_wait_for_a_body(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = 4
    monkeypatch.setattr(exchange, "UNHEALTHY_BODY_GRACE", grace)
    with serving(servers.holding(b"HTTP/1.1 404 Not Found\r\n\r\n"), tls=authority.context("localhost")) as port:
        told, passed = seconds_of(settings_of(f"https://localhost:{port}/", cacert=str(authority.file), timeout="60"))
    assert passed >= grace
    assert told < passed - grace / 2


def test_the_time_in_the_line_is_without_a_second_look_at_the_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = 4
    monkeypatch.setattr(tls, "LOOK_GRACE", grace)
    certificate = sign("localhost")
    (tmp_path / "trusted.pem").write_bytes(certificate.pem)
    connections: list[socket.socket] = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) == 1:
            certificate.context().wrap_socket(connection, server_side=True)
        else:
            servers.wait_for_close(connection)

    with serving(behave) as port:
        trusted = str(tmp_path / "trusted.pem")
        told, passed = seconds_of(settings_of(f"https://localhost:{port}/", cacert=trusted, timeout="60"))
    assert passed >= grace
    assert told < passed - grace / 2


@pytest.mark.parametrize("data", [data for data, _ in RESPONSES.values()], ids=list(RESPONSES))
def test_the_same_bytes_get_the_same_line_over_http_and_https(authority: Authority, data: bytes) -> None:
    outcomes = []
    for scheme, context in (("http", None), ("https", authority.context("localhost"))):
        with serving(servers.replying(data), tls=context) as port:
            wanted = settings_of(f"{scheme}://localhost:{port}/", cacert=str(authority.file), timeout="20", verbose="1")
            outcome = verdict_of(wanted, monotonic())
        line = re.sub(r" \(\d+ ms\)", "", outcome.output.replace(f"{scheme}://localhost:{port}", ""))
        line = line.replace(f"; {http.UNANSWERED}", "")  # of a server that is none of TLS
        outcomes.append((outcome.exit_code, line))
    assert outcomes[0] == outcomes[1]


RAW_PATHS = ["/a/../b", "/./x", "/%zz", "/%7e%c3", "/[x]|", "/?", "/a?", "//a", "/a?b=/../c"]


@pytest.mark.parametrize("path", RAW_PATHS)
def test_the_request_is_that_of_plain_http(authority: Authority, path: str) -> None:
    sent: list[bytes] = []
    ports = []
    for scheme, context in (("http", None), ("https", authority.context("localhost"))):
        with serving(servers.recording(sent), tls=context) as port:
            ports.append(str(port).encode())
            verdict_of(settings_of(f"{scheme}://localhost:{port}{path}", cacert=str(authority.file)), monotonic())
    plain, encrypted = (request.split(b"\r\n") for request in sent)
    assert plain[0] == encrypted[0] == f"GET {path} HTTP/1.1".encode()
    assert sorted(line.replace(ports[0], b"") for line in plain) == sorted(
        line.replace(ports[1], b"") for line in encrypted
    )


def test_a_hundred_and_one_headers_are_accepted(authority: Authority) -> None:
    reply = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n"
    with serving(servers.replying(reply), tls=authority.context("localhost")) as port:
        assert fetch(f"https://localhost:{port}/", cacert=str(authority.file)).status == 200


CACERTS = {
    "missing": (None, "cannot read .*: no such file or directory; expected a file of PEM certificates"),
    "empty": ("", "holds no certificate; expected a file of PEM certificates"),
    "no certificate": ("hello", "holds no certificate; expected a file of PEM certificates"),
}


def test_a_file_that_is_too_large_is_a_usage_error_and_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="is too large; expected PEM certificates, 16 MiB at most"):
        fetch("https://service/", cacert=str(tmp_path / "large"))


def test_a_pipe_for_certificates_is_a_usage_error_and_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is not a file; expected a file of PEM certificates"):
        fetch("https://service/", cacert=str(tmp_path / "pipe"))


@pytest.mark.parametrize(("content", "words"), CACERTS.values(), ids=list(CACERTS))
def test_a_file_without_certificates_is_a_usage_error(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=f"--cacert: .*{words}"):
        fetch("https://service/", cacert=str(file))
