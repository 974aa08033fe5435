"""TLS as a client has to do it: who is spoken to, in which version, and what is said where that fails."""

import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from testing import servers
from testing.certificates import Authority, self_signed, serving_as
from testing.program import PATIENCE, Healthchecker
from testing.servers import serving

TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def leaf_alone(authority: Authority) -> ssl.SSLContext:
    """A server that does not send the certificate that its own is signed by."""
    certificate = authority.ca.create_child_ca().issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.private_key_pem.tempfile() as key, certificate.cert_chain_pems[0].tempfile() as chain:
        context.load_cert_chain(chain, key)
    return context


def demanding(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that wants the client's certificate."""
    context = authority.context("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(context)
    context.maximum_version = version
    return context


def limited(authority: Authority, version: str, ciphers: str = "DEFAULT:@SECLEVEL=0") -> ssl.SSLContext:
    """A server that speaks no newer version."""
    context = authority.context("localhost")
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions that are to be refused
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion[version]
    return context


def answering_in_an_old_version(connection: socket.socket) -> None:
    """Goes on with the handshake in TLS 1.0, whatever the client offers (ServerHello: RFC 2246, section 7.4.1.3)."""
    connection.recv(65536)
    hello = b"\3\1" + bytes(32) + b"\0" + b"\xc0\x14" + b"\0"  # version, random, no session, cipher, no compression
    connection.sendall(b"\x16\3\1\0" + bytes([len(hello) + 4]) + b"\2\0\0" + bytes([len(hello)]) + hello)
    servers.wait_for_close(connection)


WANTED = "it wants a client certificate, and none is ever sent ("
NO_CERTIFICATE = f"TLS failed: the server sent alert 116 (certificate_required): {WANTED}"
REFUSED = "TLS failed: the server sent alert 40 (handshake_failure): no cipher in common ("
NO_CERTIFICATE_1_2 = f"TLS failed: the server sent alert 40 (handshake_failure): {WANTED}"
TOO_OLD = "TLS failed: the server sent alert 70 (protocol_version): it speaks no TLS 1.2 or newer ("
NOT_TRUSTED = "certificate not trusted: "
SERVERS: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str, str]] = {
    # How it is made, what is said of it, and what with --insecure; nothing where it is healthy.
    "trusted": (lambda authority: authority.context("localhost"), "", ""),
    "chain": (lambda authority: serving_as(authority.ca.create_child_ca().issue_cert("localhost")), "", ""),
    "incomplete chain": (leaf_alone, f"{NOT_TRUSTED}unable to get local issuer certificate", ""),
    "expired": (
        lambda authority: authority.context("localhost", expires=YESTERDAY),
        f"{NOT_TRUSTED}certificate has expired",
        "",
    ),
    "not yet valid": (
        lambda authority: authority.context("localhost", begins=TOMORROW),
        f"{NOT_TRUSTED}certificate is not yet valid",
        "",
    ),
    "self-signed": (lambda _: self_signed("localhost"), f"{NOT_TRUSTED}self-signed certificate", ""),
    "wrong name": (
        lambda authority: authority.context("elsewhere"),
        f"{NOT_TRUSTED}Hostname mismatch, certificate is not valid for 'localhost'.",
        "",
    ),
    "wildcard of another name": (
        lambda authority: authority.context("*.localhost"),
        f"{NOT_TRUSTED}Hostname mismatch, certificate is not valid for 'localhost'.",
        "",
    ),
    "of another authority": (
        lambda _: serving_as(trustme.CA().issue_cert("localhost")),
        f"{NOT_TRUSTED}unable to get local issuer certificate",
        "",
    ),
    "TLS 1.3": (lambda authority: limited(authority, "TLSv1_3"), "", ""),
    "TLS 1.2": (lambda authority: limited(authority, "TLSv1_2"), "", ""),
    "TLS 1.1": (lambda authority: limited(authority, "TLSv1_1"), TOO_OLD, TOO_OLD),
    "no cipher in common": (
        lambda authority: limited(authority, "TLSv1_2", "AES128-SHA"),
        REFUSED,
        REFUSED,
    ),
    "client certificate, TLS 1.3": (
        lambda authority: demanding(authority, ssl.TLSVersion.TLSv1_3),
        NO_CERTIFICATE,
        NO_CERTIFICATE,
    ),
    "client certificate, TLS 1.2": (
        lambda authority: demanding(authority, ssl.TLSVersion.TLSv1_2),
        NO_CERTIFICATE_1_2,
        NO_CERTIFICATE_1_2,
    ),
}


@pytest.mark.parametrize(("make", "words", "insecure_words"), SERVERS.values(), ids=list(SERVERS))
def test_servers(
    healthchecker: Healthchecker,
    authority: Authority,
    make: Callable[[Authority], ssl.SSLContext],
    words: str,
    insecure_words: str,
) -> None:
    with serving(servers.replying(servers.OK), tls=make(authority)) as port:
        for trust, expected in ((f"--cacert={authority.file}", words), ("--insecure", insecure_words)):
            run = healthchecker(f"https://localhost:{port}/", "-t=20", trust)
            assert (run.status, run.stdout, run.stderr.count("\n")) == (bool(expected), "", bool(expected)), run
            assert not expected or f"/: {expected}" in run.stderr


def test_a_server_that_answers_in_an_old_version_is_told(healthchecker: Healthchecker) -> None:
    with serving(answering_in_an_old_version) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20")
    assert (run.status, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "/: TLS failed: the server speaks no TLS 1.2 or newer (" in run.stderr


@pytest.mark.parametrize(("host", "name"), [("localhost", "localhost"), ("127.0.0.1", None)])
def test_the_name_that_is_asked_for_is_told(
    healthchecker: Healthchecker, authority: Authority, host: str, name: str | None
) -> None:
    told: list[str | None] = []
    context = authority.context("localhost", "127.0.0.1")
    context.sni_callback = lambda _socket, asked, _context: told.append(asked)
    with serving(servers.replying(servers.OK), tls=context) as port:
        assert healthchecker(f"https://{host}:{port}/", "-t=20", f"--cacert={authority.file}").status == 0
    assert told == [name]


def test_a_renegotiation_changes_nothing(command: list[str], authority: Authority, tmp_path: Path) -> None:
    """OpenSSL's test server begins the handshake anew where it is given an R, and then says what it is given."""
    certificate = authority.ca.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    port = servers.free_port()
    options = ["-accept", str(port), "-cert", str(tmp_path / "server.pem"), "-tls1_2", "-naccept", "1"]
    server = subprocess.Popen(
        ["openssl", "s_server", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert server.stdin
    assert server.stdout
    try:
        while b"ACCEPT" not in server.stdout.readline():
            pass
        check = subprocess.Popen(
            [*command, f"https://localhost:{port}/", "-t=20", f"--cacert={authority.file}", "-v"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        while b"Connection: close" not in server.stdout.readline():
            pass
        server.stdin.write(b"R\n")
        server.stdin.flush()
        while b"SSL_do_handshake -> 1" not in server.stdout.readline():
            pass
        server.stdin.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        server.stdin.flush()
        said, _ = check.communicate(timeout=PATIENCE)
    finally:
        server.kill()
        server.communicate()
    assert (check.returncode, said[:9]) == (0, b"healthy: ")
