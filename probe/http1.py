"""One GET over plain HTTP/1.1 under one deadline: the engine of every http check, and the connections of https.

One request is the whole conversation: it asks the server to close, reads the head of the reply, and takes what little
of a body comes at once.
"""

import socket
from contextlib import suppress
from socket import AF_INET, AF_INET6, MSG_NOSIGNAL, SOCK_STREAM
from typing import Any

from probe import __version__
from probe.deadline import Deadline, within
from probe.errors import CheckFailed, NoReply, os_reason
from probe.protocols import TLS_RECORDS, tell
from probe.reply import Reply, ReplyReader
from probe.target import Target
from probe.text import quote
from probe.tls_hello import client_hello
from probe.values import Statuses

PIECE = 16 * 1024  # bytes per receive

# Seconds that a body may take once the verdict is known; an endless body must not cost the deadline. A server that is
# still writing a short answer must not find the connection broken. An unhealthy line shows the start of the body, which
# often comes in a packet of its own, behind a proxy or from a service that is busy.
BODY_GRACE = 0.1
UNHEALTHY_BODY_GRACE = 0.5

# The most seconds for a second connection that finds better words for a failure.
LOOK_GRACE = 0.3

UNANSWERED = "the service failed, or its port speaks another protocol"

# Known without a look-up (RFC 6761, section 6.3): an empty image has no /etc/hosts, and an unhealthy one no resolver.
LOCALHOST = ("localhost", "localhost.")

# What every request says beside its Host.
FIELDS = {"User-Agent": f"healthchecker/{__version__}", "Accept": "*/*", "Connection": "close"}


def fetch(target: Target, deadline: Deadline, expected: Statuses) -> Reply:
    """GET the target.

    Raises CheckFailed where no reply was to be had, DeadlineExceeded where it did not come in time.
    """
    try:
        with connect(target.host, target.port, deadline) as connection:
            return exchange(connection, request(target), deadline, expected)
    except NoReply as failure:
        deadline.settle()
        raise _explained(failure, target, deadline.sooner(LOOK_GRACE)) from None


def _explained(failure: NoReply, target: Target, deadline: Deadline) -> CheckFailed:
    """The failure and its likely cause. Many servers of https end a plain request without a word."""
    unanswered = CheckFailed(f"{failure}; {UNANSWERED}")
    try:
        with connect(target.host, target.port, deadline) as connection:
            connection.settimeout(deadline.remaining())
            _send(connection, client_hello())
            answer = connection.recv(PIECE)
    except (CheckFailed, OSError):
        return unanswered
    return CheckFailed(tell(answer)) if answer[:1] in TLS_RECORDS else unanswered


def request(target: Target) -> bytes:
    """The request's bytes (RFC 9112, section 2.1)."""
    lines = [f"GET {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in FIELDS.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first of the host's addresses that takes it. Raises NoReply where it is reset at once.

    Each gets an equal share of the time that is left, so that a dead first one does not use up the others'.
    """
    found = addresses(host, port, deadline)
    failures: dict[str, str] = {}
    for index, (family, address) in enumerate(found):
        deadline.doing = f"connecting to {address[0]}"
        try:
            return _connected(family, address, deadline.remaining() / (len(found) - index))
        except TimeoutError as error:
            if error.errno is None and index == len(found) - 1:  # our timeout, not the kernel's
                raise deadline.exceeded() from None
            failures[address[0]] = "connection timed out"
        except ConnectionResetError as error:  # it was made: one that is not would be refused
            raise NoReply(os_reason(error)) from None
        except OSError as error:
            failures[address[0]] = os_reason(error)
    reasons = set(failures.values())
    if len(reasons) == 1:
        raise CheckFailed(reasons.pop())
    raise CheckFailed("; ".join([f"{address}: {reason}" for address, reason in failures.items()]))


def _connected(family: int, address: tuple[Any, ...], timeout: float) -> socket.socket:
    connection = socket.socket(family, SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def addresses(host: str, port: int, deadline: Deadline) -> list[tuple[int, tuple[Any, ...]]]:
    """Each address family and socket address of the host, in the resolver's order; at least one."""
    if host.lower() in LOCALHOST:
        return [(AF_INET, ("127.0.0.1", port)), (AF_INET6, ("::1", port))]
    for family in (AF_INET, AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    # As bytes: a str would go through the idna codec, which knows only IDNA 2003.
    name = host.encode("ascii")
    deadline.doing = f"looking up {quote(host)}"
    try:
        found = within(deadline, lambda: socket.getaddrinfo(name, port, 0, SOCK_STREAM))
    except OSError as error:
        raise CheckFailed(f"cannot look up {quote(host)}: {os_reason(error)}") from None
    return list({entry[4]: (entry[0], entry[4]) for entry in found}.values())


def exchange(connection: socket.socket, data: bytes, deadline: Deadline, expected: Statuses) -> Reply:
    """Send the request, read the reply."""
    deadline.doing = ""
    try:
        connection.settimeout(deadline.remaining())
        _send(connection, data)
        return receive(connection, deadline, expected)
    except TimeoutError as error:
        if error.errno is None:
            raise deadline.exceeded() from None
        raise CheckFailed("connection timed out") from None
    except OSError as error:
        raise CheckFailed(os_reason(error)) from None


def receive(connection: socket.socket, deadline: Deadline, expected: Statuses) -> Reply:
    """Read the reply. Raises CheckFailed, DeadlineExceeded, and what the connection raises."""
    reader = ReplyReader()
    while not reader.decided:
        connection.settimeout(deadline.remaining())
        try:
            piece = connection.recv(PIECE)
        except ConnectionResetError as error:
            raise (CheckFailed if reader.begun else NoReply)(os_reason(error)) from None
        _feed(reader, piece)
    deadline.settle()
    grace = BODY_GRACE if reader.status in expected else UNHEALTHY_BODY_GRACE
    _take_body(connection, reader, deadline.sooner(grace))
    return reader.reply()


def _send(connection: socket.socket, data: bytes) -> None:
    """Send it all, unless the server stops listening: it may have answered before it closed."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data, MSG_NOSIGNAL)


def _take_body(connection: socket.socket, reader: ReplyReader, deadline: Deadline) -> None:
    """What comes of the body; no trouble with it changes the verdict."""
    try:
        while not reader.complete:
            connection.settimeout(deadline.remaining())
            _feed(reader, connection.recv(PIECE))
    except (OSError, CheckFailed):
        pass


def _feed(reader: ReplyReader, piece: bytes) -> None:
    if piece:
        reader.feed(piece)
    else:
        reader.end()
