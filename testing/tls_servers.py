"""Servers of TLS that behave in one way each: the TLS side for `serving(..., tls=...)`, or a behaviour of their own."""

import socket
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import trustme

from testing import alerts, servers
from testing.certificates import Authority, self_signed, serving_as
from testing.servers import Behaviour

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


def context(authority: Authority, version: str) -> ssl.SSLContext:
    """A server of that version, with the one cipher for whose keys the alerts are encrypted."""
    side = authority.context("localhost")
    side.minimum_version = side.maximum_version = ssl.TLSVersion[version]
    side.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    return side


def asking_in(authority: Authority, version: str) -> ssl.SSLContext:
    """Make such a server ask for a client certificate, and do without."""
    side = context(authority, version)
    side.verify_mode = ssl.CERT_OPTIONAL
    return side


GARBLED = b"\x17\3\3\0\x20" + bytes(32)  # a record that no key has encrypted


def stopping(authority: Authority, stop: Behaviour) -> Behaviour:
    """Asks for a client certificate, and stops in the middle of the handshake."""
    side = asking(authority)
    side.maximum_version = ssl.TLSVersion.TLSv1_2

    def behave(connection: socket.socket) -> None:
        alerts.begin(side, connection)
        stop(connection)

    return behave


def asking(authority: Authority) -> ssl.SSLContext:
    """A server that asks for a client certificate, and does without."""
    side = authority.context("localhost")
    side.verify_mode = ssl.CERT_OPTIONAL
    authority.ca.configure_trust(side)
    return side


def warning(authority: Authority, reply: bytes) -> Behaviour:
    """Warns that it does not know the name, goes on (RFC 6066, section 3, allows it), and sends these bytes."""
    side = context(authority, "TLSv1_2")

    def behave(connection: socket.socket) -> None:
        connection.sendall(bytes((0x15, 3, 3, 0, 2, alerts.WARNING, 112)))
        raw = connection.dup()
        with raw, side.wrap_socket(connection, server_side=True) as secure:
            servers.read_request(secure)
            (secure if reply.startswith(b"HTTP") else raw).sendall(reply)
            servers.wait_for_close(secure)

    return behave


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
    "client certificate, TLS 1.3": lambda authority: demanding(authority, ssl.TLSVersion.TLSv1_3),
    "client certificate, TLS 1.2": lambda authority: demanding(authority, ssl.TLSVersion.TLSv1_2),
}
