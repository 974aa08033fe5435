"""The HTTP server: one thread, and one epoll(7) for all connections.

An answer is there as soon as its request is, so that a connection only ever waits for its client: to send a request, or
to take the answers. Those that let it wait too long are given up, and where there are too many, whoever waits longest.
"""

import errno
import logging
import os
import resource
import select
import socket
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from accountservice.app import App
from accountservice.connection import Connection, Heads
from accountservice.signals import Signals

logger = logging.getLogger(__name__)

ADDRESS = "0.0.0.0"  # noqa: S104 - a container's service is for the network it is put on

# Connections at once. A client that only holds one must not keep the health check out, so there are many; a connection
# costs a kilobyte or two.
MOST_CONNECTIONS = 4096
RESERVED_FILES = 32  # open files that are not connections
FEWEST_FILES = 64  # that a limit has to allow for, to serve a few clients at once

READ_SIZE = 16 * 1024  # bytes at once, of one connection
SEND_BUFFER = 32 * 1024  # bytes of answers that the kernel keeps for a client that does not take them
TAKEN_AT_ONCE = 64  # connections, before those that are there are served again
PATIENCE = 5.0  # seconds for a client to send its next request, and to take its answers
SWEEP = 1.0  # seconds between two looks for those that have not

# Seconds from a signal to the process's end: a request that was read is answered, and a client that holds its
# connection open must not hold up the stop.
STOP_LIMIT = 0.8

# Seconds between the end of listening and the end of the connections: time to read the requests of those that were
# just accepted.
ACCEPTED_GRACE = 0.05


class PortTakenError(Exception):
    """The port cannot be listened on; the text says why."""


class LimitError(Exception):
    """The system allows too little; the text says of what."""


class Client:
    """A connection with its socket, what of its replies is not sent, and since when it waits."""

    def __init__(self, connected: socket.socket, connection: Connection, since: float) -> None:
        self.socket = connected
        self.number = connected.fileno()
        self.connection = connection
        self.unsent = b""
        self.since = since


class Server:
    """Serves an application on a socket, so many clients at once, until it is told to stop."""

    def __init__(self, app: App, listener: socket.socket, most: int) -> None:
        """Listen. Raises PortTakenError."""
        self._app = app
        self._listener = listener
        self._most = most
        self._stopping = False
        self._stop = os.eventfd(0)
        self._heads = Heads()
        self._now = self._swept = time.monotonic()  # when this turn began, and when it was last looked for who waits
        self._clients: OrderedDict[int, Client] = OrderedDict()  # who waits longest comes first
        self._more: list[Client] = []  # whose next request is there already
        self._epoll = select.epoll()
        with taking(listener.getsockname()[1]):
            listener.setblocking(False)
            # Both hold for what it accepts (tcp(7)).
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            listener.listen(MOST_CONNECTIONS)
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        self._epoll.register(self._stop, select.EPOLLIN)

    def stop(self) -> None:
        """Let `run` end. May be called from any thread, and more than once."""
        os.eventfd_write(self._stop, 1)

    def run(self) -> None:
        """Serve until `stop` is called; answer what was asked until then, and close all connections."""
        while not self._stopping:
            self._turn(SWEEP)
        self._accept(self._most - len(self._clients))
        self._listener.close()
        stopped = time.monotonic()
        while (left := stopped + ACCEPTED_GRACE - time.monotonic()) > 0:
            self._turn(left)
        for client in list(self._clients.values()):
            if not client.unsent:
                self._close(client)
        while self._clients and (left := stopped + STOP_LIMIT - time.monotonic()) > 0:
            self._turn(left)

    def _turn(self, patience: float) -> None:
        """Answer one request of each client that has one, and take new ones; wait so many seconds for any."""
        more, self._more = self._more, []
        coming = False
        ready = self._epoll.poll(0 if more else patience)
        self._now = time.monotonic()
        for number, _ in ready:
            client = self._clients.get(number)
            if client is not None:
                if client.unsent:
                    self._send(client, client.unsent)
                elif not client.connection.more:
                    self._receive(client)
            elif number == self._stop:
                self._epoll.unregister(number)
                self._stopping = True
            else:
                coming = True
        for client in more:
            if self._clients.get(client.number) is client:
                self._answer(client, b"")
        if coming and not self._stopping:  # last, since it may take the place of who was to be served just now
            self._accept(min(TAKEN_AT_ONCE, self._most // 2))
        if self._now >= self._swept + SWEEP:
            self._sweep()

    def _sweep(self) -> None:
        self._swept = self._now
        self._heads = Heads()
        while self._clients and (client := self._longest_waiting()).since < self._now - PATIENCE:
            self._close(client)

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                connected, _address = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE) and self._clients:
                    self._close(self._longest_waiting())
                return
            connected.setblocking(False)
            if len(self._clients) >= self._most:
                self._close(self._longest_waiting())
            client = Client(connected, Connection(self._app), self._now)
            self._clients[client.number] = client
            self._epoll.register(client.number, select.EPOLLIN)

    def _longest_waiting(self) -> Client:
        return next(iter(self._clients.values()))

    def _receive(self, client: Client) -> None:
        try:
            data = client.socket.recv(READ_SIZE)
        except BlockingIOError:  # the event was another's, who was closed meanwhile and had the same number
            return
        except OSError:
            data = b""
        if not data:
            self._close(client)
        elif not client.connection.closing:
            self._answer(client, data)

    def _answer(self, client: Client, data: bytes) -> None:
        connection = client.connection
        reply = connection.receive(data, self._heads, self._stopping)
        if reply:
            client.since = self._now
            self._clients.move_to_end(client.number)
            self._send(client, reply)
        if connection.more and not client.unsent:
            self._more.append(client)

    def _send(self, client: Client, data: bytes) -> None:
        """Send what the client takes now; until it has taken the rest, nothing of it is read."""
        try:
            sent = client.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(client)
            return
        if sent < len(data):
            if not client.unsent:
                self._epoll.modify(client.number, select.EPOLLOUT)
            client.unsent = data[sent:]
            return
        if client.unsent:
            self._epoll.modify(client.number, select.EPOLLIN)
            client.unsent = b""
            if client.connection.more:
                self._more.append(client)
        if client.connection.closing:
            # What is closed with something unread is reset, and the reply perhaps with it: RFC 9112, section 9.6.
            with suppress(OSError):  # it is gone already, and the next event will say so
                client.socket.shutdown(socket.SHUT_WR)

    def _close(self, client: Client) -> None:
        del self._clients[client.number]
        client.socket.close()


def serve(app: App, listener: socket.socket, signals: Signals, most: int) -> None:
    """Serve until SIGTERM or SIGINT, on a claimed socket, so many connections at once. Raises PortTakenError."""
    server = Server(app, listener, most)
    logger.info("Starting HTTP service at %d", listener.getsockname()[1])
    signals.on_stop = server.stop
    server.run()


def affordable_connections() -> int:
    """How many connections the limit on open files allows, which is raised as far as it may be.

    Raises LimitError.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = most if 0 <= most < MOST_CONNECTIONS + RESERVED_FILES else MOST_CONNECTIONS + RESERVED_FILES
    if limit < FEWEST_FILES:
        raise LimitError(f"{limit} open files are too few; allow {FEWEST_FILES} at least (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return limit - RESERVED_FILES


@contextmanager
def claim(port: int) -> Iterator[socket.socket]:
    """A socket bound to the port, where nobody listens, nor another of these services is about to.

    Two can bind it before either listens, and where both try at the same moment, Linux refuses both. So there is a name
    in the abstract namespace, too, which belongs to the network namespace as ports do (unix(7)). Raises PortTakenError.
    """
    with socket.socket(socket.AF_UNIX) as name, socket.socket() as listener:
        with taking(port):
            name.bind(f"\0accountservice:{port}")
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the past are no reason
            listener.bind((ADDRESS, port))
        yield listener


@contextmanager
def taking(port: int) -> Iterator[None]:
    """Raises PortTakenError for what the system says."""
    try:
        yield
    except OSError as error:
        raise PortTakenError(f"port {port}: {(error.strerror or str(error)).lower()}") from error
