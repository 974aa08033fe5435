"""The ClientHello that is written by hand: a server of any version of TLS answers it, by a handshake or by an alert."""

import ssl
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from probe.http.signatures import TLS_RECORDS
from probe.transport.client_hello import client_hello
from testing.certificates import Authority, sign
from testing.tls_servers import limited

HANDSHAKE, ALERT = TLS_RECORDS[1], TLS_RECORDS[0]
SERVERS: dict[str, tuple[Callable[[Authority], ssl.SSLContext], bytes]] = {
    "TLS 1.2": (lambda _: sign("localhost", key=rsa.generate_private_key(65537, 2048)).context(), HANDSHAKE),
    "TLS 1.3 alone": (lambda authority: alone(authority, ssl.TLSVersion.TLSv1_3), ALERT),
    "TLS 1.1": (lambda authority: limited(authority, "TLSv1_1"), ALERT),
    "no cipher in common": (lambda authority: limited(authority, "TLSv1_2", "AES256-SHA"), ALERT),
}


def alone(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that speaks no older version."""
    context = authority.context("localhost")
    context.minimum_version = version
    return context


@pytest.mark.parametrize(("make", "kind"), SERVERS.values(), ids=list(SERVERS))
def test_a_server_of_tls_answers(
    authority: Authority, make: Callable[[Authority], ssl.SSLContext], kind: bytes
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = make(authority).wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(client_hello())
    with pytest.raises(ssl.SSLError):  # it waits for more, or refuses
        side.do_handshake()
    assert outgoing.read()[:1] == kind
