"""TLS as a client has to do it: who is spoken to, in which version, and what is said where that fails."""

import subprocess
from pathlib import Path

import pytest

from testing import servers
from testing.certificates import Authority
from testing.program import Healthchecker
from testing.servers import serving
from testing.tls_servers import SERVERS, answering_in_an_old_version
from testing.waiting import PATIENCE

WANTED = "it wants a client certificate, and none is ever sent ("
NO_CERTIFICATE = f"TLS failed: the server sent alert 116 (certificate_required): {WANTED}"
REFUSED = "TLS failed: the server sent alert 40 (handshake_failure): no cipher in common ("
NO_CERTIFICATE_1_2 = f"TLS failed: the server sent alert 40 (handshake_failure): {WANTED}"
TOO_OLD = "TLS failed: the server sent alert 70 (protocol_version): it speaks no TLS 1.2 or newer ("
NOT_TRUSTED = "certificate not trusted: "


# What is said of a server, and what with --insecure; nothing where it is healthy.
SAID = {
    "trusted": ("", ""),
    "chain": ("", ""),
    "incomplete chain": (f"{NOT_TRUSTED}unable to get local issuer certificate", ""),
    "expired": (f"{NOT_TRUSTED}certificate has expired", ""),
    "not yet valid": (f"{NOT_TRUSTED}certificate is not yet valid", ""),
    "self-signed": (f"{NOT_TRUSTED}self-signed certificate", ""),
    "wrong name": (f"{NOT_TRUSTED}Hostname mismatch, certificate is not valid for 'localhost'.", ""),
    "wildcard of another name": (f"{NOT_TRUSTED}Hostname mismatch, certificate is not valid for 'localhost'.", ""),
    "of another authority": (f"{NOT_TRUSTED}unable to get local issuer certificate", ""),
    "TLS 1.3": ("", ""),
    "TLS 1.2": ("", ""),
    "TLS 1.1": (TOO_OLD, TOO_OLD),
    "no cipher in common": (REFUSED, REFUSED),
    "client certificate, TLS 1.3": (NO_CERTIFICATE, NO_CERTIFICATE),
    "client certificate, TLS 1.2": (NO_CERTIFICATE_1_2, NO_CERTIFICATE_1_2),
}


@pytest.mark.parametrize("name", SERVERS)
def test_servers(healthchecker: Healthchecker, authority: Authority, name: str) -> None:
    words, insecure_words = SAID[name]
    with serving(servers.replying(servers.OK), tls=SERVERS[name](authority)) as port:
        for trust, expected in ((f"--cacert={authority.file}", words), ("--insecure", insecure_words)):
            run = healthchecker(f"https://localhost:{port}/", "-t=20", trust)
            assert (run.status, run.stdout, run.stderr.count("\n")) == (bool(expected), "", bool(expected)), run
            assert not expected or f"/: {expected}" in run.stderr


def test_a_server_that_answers_in_an_old_version_is_told(healthchecker: Healthchecker) -> None:
    with serving(answering_in_an_old_version) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20")
    assert "/: TLS failed: the server speaks no TLS 1.2 or newer (" in run.failure()


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
