"""Servers that misbehave in one way each: a behaviour is what is done with one connection."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'


@contextmanager
def serving(behaviour: Behaviour, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server with that behaviour. Connections are served one after another, and none outlives it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            with suppress(OSError):  # the probe may leave at any moment
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True)
                    connections.append(connection)
                with connection:
                    behaviour(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        thread.join(10)


def free_port() -> int:
    """Return a port where nothing listens, and which the system gives to no one else until the tests end.

    A server that is told its number can listen on it, with SO_REUSEADDR (socket(7)).
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        holder.detach()  # bound until the process ends
    return port


def read_request(connection: socket.socket) -> bytes:
    """The request's head."""
    request = b""
    while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
        request += piece
    return request


def replying(reply: bytes) -> Behaviour:
    """Reads the request, sends these bytes, closes."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)

    return behave


def recording(requests: list[bytes]) -> Behaviour:
    """Keeps the head of each request, and answers that all is well."""

    def behave(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(OK)

    return behave


def holding(reply: bytes) -> Behaviour:
    """Reads the request, sends these bytes, and keeps the connection open."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)
        wait_for_close(connection)

    return behave


def in_two(first: bytes, second: bytes, pause: float) -> Behaviour:
    """Reads the request, sends the first bytes and, so many seconds later, the second ones."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(first)
        threading.Event().wait(pause)
        connection.sendall(second)
        wait_for_close(connection)

    return behave


def dripping(reply: bytes, pause: float) -> Behaviour:
    """Reads the request and sends these bytes one by one, so many seconds apart."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        drip(connection, reply, pause)

    return behave


def drip(connection: socket.socket, data: bytes, pause: float) -> None:
    """Send byte by byte, so many seconds apart."""
    stop = threading.Event()
    for byte in data:
        connection.sendall(bytes([byte]))
        stop.wait(pause)


def repeating(piece: bytes, pause: float) -> Behaviour:
    """Reads the request and sends the same piece for ever, so many seconds apart."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        stop = threading.Event()
        while True:
            connection.sendall(piece)
            stop.wait(pause)

    return behave


def greeting(greeting: bytes) -> Behaviour:
    """Speaks first, as SSH does, and hears nothing."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(greeting)
        wait_for_close(connection)

    return behave


def closing(connection: socket.socket) -> None:
    """Hears something, whatever it is, and leaves."""
    connection.recv(65536)


def breaking_off(connection: socket.socket) -> None:
    """Hears something, whatever it is, and breaks the connection off."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def answering_tls(answer: bytes, otherwise: Behaviour) -> Behaviour:
    """Sends these bytes to whoever begins as a client of TLS, and behaves otherwise to all others."""

    def behave(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            connection.sendall(answer)
            wait_for_close(connection)
        else:
            otherwise(connection)

    return behave


def flooding(start: bytes, piece: bytes) -> Behaviour:
    """Reads the request, sends the start, and then the same piece for ever, as fast as it is taken."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(piece)

    return behave


def resetting(reply: bytes) -> Behaviour:
    """Reads the request, sends these bytes, and breaks the connection off."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    return behave


def shaking_hands(context: ssl.SSLContext, stop: int | None, pause: float) -> Behaviour:
    """Sends the first `stop` bytes of its part of a TLS handshake, one by one, so many seconds apart, and no more."""

    def behave(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(connection.recv(65536))
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
        drip(connection, outgoing.read()[:stop], pause)
        wait_for_close(connection)

    return behave


def wait_for_close(connection: socket.socket) -> None:
    """Return when the other side has closed."""
    while connection.recv(65536):
        pass
