"""Servers whose certificates are not trusted where ROOT is: one for each reason."""

import ipaddress
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from testing.certificates import CA, Signed, named, sign
from testing.waiting import PATIENCE

NAME = named("localhost")
ROOT = sign("root", CA)
ALONE = sign("alone", NAME)


def weak() -> rsa.RSAPrivateKey:
    """Make a key that is too short."""
    return rsa.generate_private_key(65537, 1024)


def by_sha1(signed: Signed, by: Signed) -> Signed:
    """Sign the certificate again with SHA-1, by openssl: cryptography does not."""
    with tempfile.TemporaryDirectory() as folder:
        pem, authority = Path(folder, "pem"), Path(folder, "authority")
        pem.write_bytes(signed.pem)
        authority.write_bytes(by.pem + by.key_pem)
        options: list[str | Path] = ["-in", pem, "-CA", authority, "-CAkey", authority, "-sha1", "-set_serial", "1"]
        done = subprocess.run(["openssl", "x509", *options], check=True, capture_output=True, timeout=PATIENCE)
    return Signed(x509.load_pem_x509_certificate(done.stdout), signed.key)


Chain = tuple[Signed, list[Signed]]  # a server's certificate, and those that it sends behind it


def issued(by: Signed, key: rsa.RSAPrivateKey | None = None) -> Chain:
    """Make a certificate that is signed by this one."""
    return sign("leaf", NAME, by=by, key=key), [by]


def limited(permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None) -> Signed:
    """Make an authority that may sign for some names only."""
    return sign("limited", CA, x509.NameConstraints(permitted, excluded), by=ROOT)


def path_too_long() -> Chain:
    """Make a certificate two levels below an authority that allows one."""
    first = sign("first", x509.BasicConstraints(ca=True, path_length=0), by=ROOT)
    second = sign("second", CA, by=first)
    return sign("leaf", NAME, by=second), [second, first]


ELSEWHERE = x509.DNSName("elsewhere")
CLIENTS_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
STRANGER = sign("stranger", CA)


def common_name(name: str, *extensions: x509.ExtensionType) -> Signed:
    """Make a certificate with this common name, signed by ROOT."""
    return sign(name, *extensions, by=ROOT)


ADDRESS = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])

UNTRUSTED: dict[str, Callable[[], Chain]] = {
    "for clients": lambda: (sign("leaf", NAME, CLIENTS_ONLY, by=ROOT), []),
    "not permitted": lambda: issued(limited(permitted=[ELSEWHERE])),
    "excluded": lambda: issued(limited(excluded=[x509.DNSName("localhost")])),
    "weak key": lambda: issued(ROOT, weak()),
    "weak key of the authority": lambda: issued(sign("weak", CA, by=ROOT, key=weak())),
    "SHA-1": lambda: (by_sha1(ALONE, ROOT), []),
    "path too long": path_too_long,
    "signed by a leaf": lambda: issued(sign("no authority", NAME, by=ROOT)),
    "root that is not trusted": lambda: issued(STRANGER),
    "unknown extension": lambda: (sign("leaf", NAME, UNKNOWN, by=ROOT), []),
    "signed by another key": lambda: issued(Signed(ROOT.certificate, STRANGER.key)),
}
