"""Servers that end TLS by an alert (RFC 8446, section 6): `refusing` in the handshake, `leaving` behind it."""

import hmac
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from testing.servers import Behaviour, wait_for_close

WARNING, FATAL = 1, 2


def refusing(number: int, level: int = FATAL) -> Behaviour:
    """Answer a ClientHello by this alert."""

    def behave(connection: socket) -> None:
        connection.recv(65536)
        connection.sendall(bytes((0x15, 3, 3, 0, 2, level, number)))

    return behave


def leaving(context: ssl.SSLContext, number: int) -> Behaviour:
    """Shake hands as this context does, read a request, and send this alert, encrypted.

    The context needs the one cipher of `tls_servers.of_version`.
    """
    context.num_tickets = 0  # tickets would come before the alert

    def behave(connection: socket) -> None:
        with tempfile.NamedTemporaryFile() as keys:
            context.keylog_filename = keys.name
            version, sent, asked = _shake_hands(context, connection)
            secrets = _secrets(keys.read().decode())
        if not asked:
            connection.recv(65536)
        connection.sendall(RECORDS[version](secrets, sent, bytes((FATAL, number))))
        wait_for_close(connection)

    return behave


@dataclass(frozen=True)
class Secret:
    """A line of a key log, without its label."""

    client_random: bytes
    value: bytes


def _secrets(log: str) -> dict[str, Secret]:
    lines = [line.split() for line in log.splitlines() if not line.startswith("#")]
    return {label: Secret(bytes.fromhex(random), bytes.fromhex(value)) for label, random, value in lines}


def _shake_hands(context: ssl.SSLContext, connection: socket) -> tuple[str | None, bytes, bool]:
    """Return the version, all bytes that the server sent, and whether the client has sent its request already."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = context.wrap_bio(incoming, outgoing, server_side=True)
    sent = b""
    while True:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
            connection.sendall(outgoing.read())
            return side.version(), sent, bool(incoming.pending)
        piece = outgoing.read()
        connection.sendall(piece)
        sent += piece
        incoming.write(connection.recv(65536))


def _record_of_1_3(secrets: dict[str, Secret], _: bytes, alert: bytes) -> bytes:
    """Encrypt the alert in the first record under the application keys (RFC 8446, sections 5.2 and 7.3)."""
    secret = secrets["SERVER_TRAFFIC_SECRET_0"].value

    def expanded(label: bytes, size: int) -> bytes:
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(hashes.SHA384(), size, info).derive(secret)

    inner = alert + b"\x15"
    header = b"\x17\3\3" + (len(inner) + 16).to_bytes(2, "big")
    return header + AESGCM(expanded(b"key", 32)).encrypt(expanded(b"iv", 12), inner, header)


def _record_of_1_2(secrets: dict[str, Secret], sent: bytes, alert: bytes) -> bytes:
    """Encrypt the alert in the second record: the first one is Finished (RFC 5246, section 6; RFC 5288)."""
    master = secrets["CLIENT_RANDOM"]
    server_random = sent[11:43]  # behind the headers of record and message, and the version
    block = _pseudo_random(master.value, b"key expansion" + server_random + master.client_random, 72)
    key, salt = block[32:64], block[68:]
    sequence = (1).to_bytes(8, "big")
    head = b"\x15\3\3"
    sealed = AESGCM(key).encrypt(salt + sequence, alert, sequence + head + len(alert).to_bytes(2, "big"))
    return head + (8 + len(sealed)).to_bytes(2, "big") + sequence + sealed


def _pseudo_random(secret: bytes, seed: bytes, size: int) -> bytes:
    """Expand the secret by P_SHA384 (RFC 5246, section 5)."""
    output, chained = b"", seed
    while len(output) < size:
        chained = hmac.digest(secret, chained, "sha384")
        output += hmac.digest(secret, chained + seed, "sha384")
    return output[:size]


RECORDS: dict[str | None, Callable[[dict[str, Secret], bytes, bytes], bytes]] = {
    "TLSv1.3": _record_of_1_3,
    "TLSv1.2": _record_of_1_2,
}
