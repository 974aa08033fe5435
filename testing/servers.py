"""Servers that behave in one way each.

A behaviour takes one connection: `with serving(replying(OK)) as port:` runs a server that answers each request with OK.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'


@contextmanager
def serving(behaviour: Behaviour, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a server with this behaviour, behind TLS if given, and yield its port.

    It serves one connection after another, and closes all of them at the end.
    """
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
            with suppress(OSError):  # the client may close at any moment
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
    """Return a port where nothing listens, and which the system assigns to no other process until this one ends.

    A server can still listen on it, with SO_REUSEADDR (socket(7)).
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        holder.detach()  # bound until the process ends
    return port


def read_request(connection: socket.socket) -> bytes:
    """Read a request up to the end of its headers."""
    request = b""
    while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
        request += piece
    return request


def replying(response: bytes) -> Behaviour:
    """Read the request, send these bytes, close."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response)

    return behave


def recording(requests: list[bytes]) -> Behaviour:
    """Append each request to the list, and answer with OK."""

    def behave(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(OK)

    return behave


def holding(response: bytes) -> Behaviour:
    """Read the request, send these bytes, keep the connection open."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response)
        wait_for_close(connection)

    return behave


def in_two(first: bytes, second: bytes, pause: float) -> Behaviour:
    """Read the request, send the first bytes, and the second ones after a pause in seconds."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(first)
        threading.Event().wait(pause)
        connection.sendall(second)
        wait_for_close(connection)

    return behave


def dripping(response: bytes, pause: float) -> Behaviour:
    """Read the request, send these bytes one by one, with a pause in seconds behind each."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        drip(connection, response, pause)

    return behave


def drip(connection: socket.socket, data: bytes, pause: float) -> None:
    """Send byte by byte, with a pause in seconds behind each."""
    stop = threading.Event()
    for byte in data:
        connection.sendall(bytes([byte]))
        stop.wait(pause)


def repeating(piece: bytes, pause: float) -> Behaviour:
    """Read the request, send the same piece for ever, with a pause in seconds behind each."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        stop = threading.Event()
        while True:
            connection.sendall(piece)
            stop.wait(pause)

    return behave


def greeting(greeting: bytes) -> Behaviour:
    """Send these bytes at once, as SSH does, and ignore the request."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(greeting)
        wait_for_close(connection)

    return behave


def closing(connection: socket.socket) -> None:
    """Receive some bytes, and close."""
    connection.recv(65536)


def breaking_off(connection: socket.socket) -> None:
    """Receive some bytes, and reset the connection."""
    connection.recv(65536)
    reset(connection)


def reset(connection: socket.socket) -> None:
    """Close the connection with a reset: SO_LINGER with a timeout of 0 (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answering_tls(answer: bytes, otherwise: Behaviour) -> Behaviour:
    """Send these bytes to a client that begins with TLS, and behave otherwise to all others."""

    def behave(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            connection.sendall(answer)
            wait_for_close(connection)
        else:
            otherwise(connection)

    return behave


def flooding(start: bytes, piece: bytes) -> Behaviour:
    """Read the request, send the start, and then the same piece for ever, without a pause."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(piece)

    return behave


def resetting(response: bytes) -> Behaviour:
    """Read the request, send these bytes, reset the connection."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response)
        reset(connection)

    return behave


def wait_for_close(connection: socket.socket) -> None:
    """Return when the client has closed."""
    while connection.recv(65536):
        pass
