"""Certificates: `Authority` issues ordinary ones, `sign` makes any, and each has its SSLContext for a server."""

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

CA = x509.BasicConstraints(ca=True, path_length=None)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def context(self, *chain: "Signed") -> ssl.SSLContext:
        """Make a server with this certificate, which sends the chain behind it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # for keys that the client refuses
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.key_pem + b"".join(one.pem for one in (self, *chain)))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def sign(
    name: str,
    *extensions: x509.ExtensionType,
    by: Signed | None = None,
    key: Key | None = None,
    expires: datetime | None = None,
) -> Signed:
    """Make a certificate with this common name and these extensions, signed by another one or by itself.

    It is valid from two days ago until tomorrow, unless it expires at another time.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(expires or now + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=not isinstance(extension, x509.SubjectAlternativeName))
    return Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


def named(*names: str) -> x509.SubjectAlternativeName:
    """Make the extension subjectAltName with these names."""
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


def self_signed(name: str) -> ssl.SSLContext:
    """Make a server with a self-signed certificate for the name."""
    return sign(name, named(name)).context()


def serving_as(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Make a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


class Authority:
    """A certificate authority, with its certificate in `file`."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def context(self, *names: str, begins: datetime | None = None, expires: datetime | None = None) -> ssl.SSLContext:
        """Make a server whose certificate has these names, valid between these times."""
        return serving_as(self.ca.issue_cert(*names, not_before=begins, not_after=expires))
