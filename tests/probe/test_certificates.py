"""Which certificates are trusted, and what is said of those that are not."""

import ipaddress
import socket
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from testing import servers
from testing.certificates import CA, DAY, Signed, named, sign
from testing.program import PATIENCE, Healthchecker
from testing.servers import Behaviour, serving

NAME = named("localhost")
YESTERDAY = datetime.now(UTC) - DAY
ROOT = sign("root", CA)
INTERMEDIATE = sign("intermediate", CA, by=ROOT)
LEAF = sign("leaf", NAME, by=INTERMEDIATE)
ALONE = sign("alone", NAME)
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


@pytest.mark.parametrize(("certificate", "chain", "trusted", "words"), TRUSTED.values(), ids=list(TRUSTED))
def test_what_the_file_holds_is_trusted_and_nothing_else(
    healthchecker: Healthchecker, tmp_path: Path, certificate: Signed, chain: list[Signed], trusted: Signed, words: str
) -> None:
    (tmp_path / "trusted.pem").write_bytes(trusted.pem)
    with serving(servers.replying(servers.OK), tls=certificate.context(*chain)) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", "--cacert=trusted.pem")
    assert (run.status, run.stdout, run.stderr.count("\n")) == (bool(words), "", bool(words)), run
    assert words in run.stderr


def weak() -> rsa.RSAPrivateKey:
    """A key that is too short."""
    return rsa.generate_private_key(65537, 1024)


def by_sha1(signed: Signed, by: Signed) -> Signed:
    """The certificate, signed once more, with a digest that cryptography no longer signs."""
    with tempfile.TemporaryDirectory() as folder:
        pem, authority = Path(folder, "pem"), Path(folder, "authority")
        pem.write_bytes(signed.pem)
        authority.write_bytes(by.pem + by.key_pem)
        options: list[str | Path] = ["-in", pem, "-CA", authority, "-CAkey", authority, "-sha1", "-set_serial", "1"]
        done = subprocess.run(["openssl", "x509", *options], check=True, capture_output=True, timeout=PATIENCE)
    return Signed(x509.load_pem_x509_certificate(done.stdout), signed.key)


Server = tuple[Signed, list[Signed]]  # its certificate, and what it sends besides


def issued(by: Signed, key: rsa.RSAPrivateKey | None = None) -> Server:
    """A server whose certificate is signed by this one."""
    return sign("leaf", NAME, by=by, key=key), [by]


def limited(permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None) -> Signed:
    """An authority that may sign for some names only."""
    return sign("limited", CA, x509.NameConstraints(permitted, excluded), by=ROOT)


def path_too_long() -> Server:
    """A server whose certificate is two authorities away from one that allows none between."""
    first = sign("first", x509.BasicConstraints(ca=True, path_length=0), by=ROOT)
    second = sign("second", CA, by=first)
    return sign("leaf", NAME, by=second), [second, first]


ELSEWHERE = x509.DNSName("elsewhere")
CLIENTS_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
STRANGER = sign("stranger", CA)
REASONS: dict[str, tuple[Callable[[], Server], str]] = {
    # How the server's certificate is made, and what is said of it where the root is trusted.
    "for clients": (lambda: (sign("leaf", NAME, CLIENTS_ONLY, by=ROOT), []), "unsuitable certificate purpose"),
    "not permitted": (lambda: issued(limited(permitted=[ELSEWHERE])), "permitted subtree violation"),
    "excluded": (lambda: issued(limited(excluded=[x509.DNSName("localhost")])), "excluded subtree violation"),
    "weak key": (lambda: issued(ROOT, weak()), "EE certificate key too weak"),
    "weak key of the authority": (lambda: issued(sign("weak", CA, by=ROOT, key=weak())), "CA certificate key too weak"),
    "SHA-1": (lambda: (by_sha1(ALONE, ROOT), []), "CA signature digest algorithm too weak"),
    "path too long": (path_too_long, "path length constraint exceeded"),
    "signed by a leaf": (lambda: issued(sign("no authority", NAME, by=ROOT)), "invalid CA certificate"),
    "root that is not trusted": (lambda: issued(STRANGER), "self-signed certificate in certificate chain"),
    "unknown extension": (lambda: (sign("leaf", NAME, UNKNOWN, by=ROOT), []), "unhandled critical extension"),
    "signed by another key": (
        lambda: issued(Signed(ROOT.certificate, STRANGER.key)),
        "certificate signature failure",
    ),
}


@pytest.mark.parametrize(("make", "reason"), REASONS.values(), ids=list(REASONS))
def test_a_certificate_that_is_not_trusted_is_told_by_the_reason(
    healthchecker: Healthchecker, tmp_path: Path, make: Callable[[], Server], reason: str
) -> None:
    certificate, chain = make()
    (tmp_path / "trusted.pem").write_bytes(ROOT.pem)
    with serving(servers.replying(servers.OK), tls=certificate.context(*chain)) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", "--cacert=trusted.pem")
    assert (run.status, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert f"/: {NOT_TRUSTED}{reason} (" in run.stderr


def common_name(name: str, *extensions: x509.ExtensionType) -> Signed:
    """A certificate with that common name."""
    return sign(name, *extensions, by=ROOT)


ADDRESS = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
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
    with serving(servers.replying(servers.OK), tls=certificate.context()) as port:
        run = healthchecker(f"https://{host}:{port}/", "-t=20", "--cacert=trusted.pem")
    assert (run.status, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert f"/: {NOT_TRUSTED}{words}" in run.stderr


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
