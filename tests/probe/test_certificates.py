"""Which certificates are trusted, and what is said of those that are not."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testing import servers
from testing.certificates import CA, DAY, Signed, named, sign
from testing.program import Healthchecker, Run
from testing.servers import Behaviour, serving
from testing.untrusted import ADDRESS, ALONE, NAME, ROOT, STRANGER, UNTRUSTED, common_name

YESTERDAY = datetime.now(UTC) - DAY
INTERMEDIATE = sign("intermediate", CA, by=ROOT)
LEAF = sign("leaf", NAME, by=INTERMEDIATE)
NOT_TRUSTED = "certificate not trusted: "
NO_ISSUER = f"{NOT_TRUSTED}unable to get local issuer certificate ("
EXPIRED = f"{NOT_TRUSTED}certificate has expired ("
NOT_ITS_NAME = f"{NOT_TRUSTED}Hostname mismatch, certificate is not valid for 'localhost'. ("
TRUSTED: dict[str, tuple[Signed, list[Signed], Signed, str]] = {
    # The server's certificate, what it sends besides, what the file holds, and what is said; "" where it is healthy.
    "leaf": (LEAF, [INTERMEDIATE], LEAF, ""),
    "leaf, sent alone": (LEAF, [], LEAF, ""),
    "intermediate": (LEAF, [INTERMEDIATE], INTERMEDIATE, ""),
    "intermediate, not sent": (LEAF, [], INTERMEDIATE, ""),
    "root": (LEAF, [INTERMEDIATE], ROOT, ""),
    "root, sent as well": (LEAF, [INTERMEDIATE, ROOT], ROOT, ""),
    "self-signed": (ALONE, [], ALONE, ""),
    "root, intermediate not sent": (LEAF, [], ROOT, NO_ISSUER),
    "another leaf of the same issuer": (LEAF, [INTERMEDIATE], sign("other", NAME, by=INTERMEDIATE), NO_ISSUER),
    "unrelated": (LEAF, [INTERMEDIATE], ALONE, NO_ISSUER),
    "of the same name": (ALONE, [], sign("alone", NAME), f"{NOT_TRUSTED}self-signed certificate ("),
    "leaf for another name": (other := sign("leaf", named("elsewhere"), by=INTERMEDIATE), [], other, NOT_ITS_NAME),
    "expired leaf": (old := sign("leaf", NAME, by=INTERMEDIATE, expires=YESTERDAY), [], old, EXPIRED),
    "expired, self-signed": (gone := sign("alone", NAME, expires=YESTERDAY), [], gone, EXPIRED),
    "leaf of an expired intermediate": (
        sign("leaf", NAME, by=(past := sign("intermediate", CA, by=ROOT, expires=YESTERDAY))), [], past, EXPIRED,
    ),
}  # fmt: skip


def against(healthchecker: Healthchecker, tls: ssl.SSLContext, host: str = "localhost") -> Run:
    """Check a server with that side of TLS, with the certificates in trusted.pem trusted."""
    with serving(servers.replying(servers.OK), tls=tls) as port:
        return healthchecker(f"https://{host}:{port}/", "-t=20", "--cacert=trusted.pem")


@pytest.mark.parametrize(("certificate", "chain", "trusted", "words"), TRUSTED.values(), ids=list(TRUSTED))
def test_what_the_file_holds_is_trusted_and_nothing_else(
    healthchecker: Healthchecker, tmp_path: Path, certificate: Signed, chain: list[Signed], trusted: Signed, words: str
) -> None:
    (tmp_path / "trusted.pem").write_bytes(trusted.pem)
    run = against(healthchecker, certificate.context(*chain))
    assert (run.status, run.stdout, run.stderr.count("\n")) == (bool(words), "", bool(words)), run
    assert words in run.stderr


REASONS = {
    "for clients": "unsuitable certificate purpose",
    "not permitted": "permitted subtree violation",
    "excluded": "excluded subtree violation",
    "weak key": "EE certificate key too weak",
    "weak key of the authority": "CA certificate key too weak",
    "SHA-1": "CA signature digest algorithm too weak",
    "path too long": "path length constraint exceeded",
    "signed by a leaf": "invalid CA certificate",
    "root that is not trusted": "self-signed certificate in certificate chain",
    "unknown extension": "unhandled critical extension",
    "signed by another key": "certificate signature failure",
}


@pytest.mark.parametrize("name", UNTRUSTED)
def test_a_certificate_that_is_not_trusted_is_told_by_the_reason(
    healthchecker: Healthchecker, tmp_path: Path, name: str
) -> None:
    certificate, chain = UNTRUSTED[name]()
    (tmp_path / "trusted.pem").write_bytes(ROOT.pem)
    run = against(healthchecker, certificate.context(*chain))
    assert f"/: {NOT_TRUSTED}{REASONS[name]} (" in run.failure()


CN = "' is only its common name (CN), which does not count (RFC 9525); "
ONLY_CN = f"{CN}it needs a subjectAltName ("
LACKING = f"{CN}its subjectAltName lacks it ("
MISMATCH = "Hostname mismatch, certificate is not valid for 'localhost'. ("
COMMON_NAMES: dict[str, tuple[str, Signed, str]] = {
    "name": ("localhost", common_name("localhost"), f"'localhost{ONLY_CN}"),
    "in other letters": ("localhost", common_name("LocalHost"), f"'localhost{ONLY_CN}"),
    "address": ("127.0.0.1", common_name("127.0.0.1"), f"'127.0.0.1{ONLY_CN}"),
    "beside an address": ("localhost", common_name("localhost", ADDRESS), f"'localhost{LACKING}"),
    "beside another name": ("localhost", common_name("localhost", named("elsewhere")), f"'localhost{LACKING}"),
    "another name": ("localhost", common_name("elsewhere"), MISMATCH),
    "part of another name": ("localhost", common_name("localhost.example"), MISMATCH),
    "untrusted": ("localhost", sign("localhost", by=STRANGER), "unable to get local issuer certificate ("),
    "expired": ("localhost", sign("localhost", by=ROOT, expires=YESTERDAY), MISMATCH),
}


@pytest.mark.parametrize(("host", "certificate", "words"), COMMON_NAMES.values(), ids=list(COMMON_NAMES))
def test_a_name_that_is_only_a_common_name_is_refused_and_told(
    healthchecker: Healthchecker, tmp_path: Path, host: str, certificate: Signed, words: str
) -> None:
    (tmp_path / "trusted.pem").write_bytes(ROOT.pem)
    run = against(healthchecker, certificate.context(), host)
    assert f"/: {NOT_TRUSTED}{words}" in run.failure()


@pytest.mark.parametrize("silent", [servers.wait_for_close, servers.closing], ids=["hangs", "closes"])
def test_a_server_that_is_not_there_for_a_second_look_makes_no_line_late(
    healthchecker: Healthchecker, tmp_path: Path, silent: Behaviour
) -> None:
    (tmp_path / "trusted.pem").write_bytes(ROOT.pem)
    context = common_name("localhost").context()
    connections: list[socket.socket] = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) > 1:
            silent(connection)
        else:
            context.wrap_socket(connection, server_side=True)

    with serving(behave) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", "--cacert=trusted.pem")
    assert (run.status, len(connections)) == (1, 2)
    assert f"/: {NOT_TRUSTED}{MISMATCH}" in run.stderr
    assert run.seconds < 15
