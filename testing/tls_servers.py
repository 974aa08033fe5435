"""Servers of TLS that behave in one way each.

Most are an SSLContext, for `serving(behaviour, tls=context)`. Those that leave TLS are a behaviour.
"""

import socket
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import trustme

from testing import alerts, servers
from testing.certificates import Authority, self_signed, serving_as
from testing.servers import Behaviour

TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def leaf_alone(authority: Authority) -> ssl.SSLContext:
    """Make a server that does not send the intermediate certificate."""
    certificate = authority.ca.create_child_ca().issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.private_key_pem.tempfile() as key, certificate.cert_chain_pems[0].tempfile() as chain:
        context.load_cert_chain(chain, key)
    return context


def limited(authority: Authority, version: str, ciphers: str = "DEFAULT:@SECLEVEL=0") -> ssl.SSLContext:
    """Make a server that speaks this version of TLS and older ones, with these ciphers."""
    context = authority.context("localhost")
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions that the client refuses
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion[version]
    return context


def of_version(authority: Authority, version: str) -> ssl.SSLContext:
    """Make a server that speaks this version of TLS alone, with the cipher that `alerts.leaving` encrypts with."""
    context = authority.context("localhost")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    return context


def asking(authority: Authority, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Make a server, or let this one, request a client certificate, and do without."""
    context = context or authority.context("localhost")
    context.verify_mode = ssl.CERT_OPTIONAL
    authority.ca.configure_trust(context)
    return context


def demanding(authority: Authority, version: str) -> ssl.SSLContext:
    """Make a server that requires a client certificate, in this version of TLS at most."""
    context = asking(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion[version]
    return context


SERVERS: dict[str, Callable[[Authority], ssl.SSLContext]] = {
    "trusted": lambda authority: authority.context("localhost"),
    "chain": lambda authority: serving_as(authority.ca.create_child_ca().issue_cert("localhost")),
    "incomplete chain": leaf_alone,
    "expired": lambda authority: authority.context("localhost", expires=YESTERDAY),
    "not yet valid": lambda authority: authority.context("localhost", begins=TOMORROW),
    "self-signed": lambda _: self_signed("localhost"),
    "wrong name": lambda authority: authority.context("elsewhere"),
    "wildcard of another name": lambda authority: authority.context("*.localhost"),
    "of another authority": lambda _: serving_as(trustme.CA().issue_cert("localhost")),
    "TLS 1.3": lambda authority: limited(authority, "TLSv1_3"),
    "TLS 1.2": lambda authority: limited(authority, "TLSv1_2"),
    "TLS 1.1": lambda authority: limited(authority, "TLSv1_1"),
    "no cipher in common": lambda authority: limited(authority, "TLSv1_2", "AES128-SHA"),
    "client certificate, TLS 1.3": lambda authority: demanding(authority, "TLSv1_3"),
    "client certificate, TLS 1.2": lambda authority: demanding(authority, "TLSv1_2"),
}


def first_flight(context: ssl.SSLContext, connection: socket.socket) -> bytes:
    """Receive a ClientHello, and return the messages that the server answers it with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(connection.recv(65536))
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return outgoing.read()


def shaking_hands(context: ssl.SSLContext, stop: int | None, pause: float) -> Behaviour:
    """Send the first `stop` bytes of the handshake one by one, with a pause in seconds behind each, and no more."""

    def behave(connection: socket.socket) -> None:
        servers.drip(connection, first_flight(context, connection)[:stop], pause)
        servers.wait_for_close(connection)

    return behave


def stopping(authority: Authority, stop: Behaviour) -> Behaviour:
    """Request a client certificate, and stop in the middle of the handshake by this behaviour."""
    context = asking(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def behave(connection: socket.socket) -> None:
        connection.sendall(first_flight(context, connection))
        stop(connection)

    return behave


def answering_in_an_old_version(connection: socket.socket) -> None:
    """Answer with a ServerHello of TLS 1.0, whatever the client offers (RFC 2246, section 7.4.1.3)."""
    connection.recv(65536)
    hello = b"\3\1" + bytes(32) + b"\0" + b"\xc0\x14" + b"\0"  # version, random, no session, cipher, no compression
    connection.sendall(b"\x16\3\1\0" + bytes([len(hello) + 4]) + b"\2\0\0" + bytes([len(hello)]) + hello)
    servers.wait_for_close(connection)


def warning(then: Behaviour) -> Behaviour:
    """Warn that the name is unknown, and go on (RFC 6066, section 3, allows it)."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(bytes((0x15, 3, 3, 0, 2, alerts.WARNING, 112)))
        then(connection)

    return behave


def encrypted(context: ssl.SSLContext, behaviour: Behaviour) -> Behaviour:
    """Behave so behind TLS."""

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            behaviour(secure)

    return behave


GARBLED = b"\x17\3\3\0\x20" + bytes(32)  # a record that no key has encrypted


def answering_without_tls(context: ssl.SSLContext, data: bytes) -> Behaviour:
    """Read the request behind TLS, and send these bytes unencrypted."""

    def behave(connection: socket.socket) -> None:
        with connection.dup() as raw, context.wrap_socket(connection, server_side=True) as secure:
            servers.read_request(secure)
            raw.sendall(data)
            servers.wait_for_close(secure)

    return behave
