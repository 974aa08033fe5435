"""The addresses of a host."""

import socket
from functools import partial
from socket import AF_INET, AF_INET6, SOCK_STREAM
from typing import Any, NamedTuple

from probe.deadline import Deadline, run_before
from probe.errors import CheckFailed, os_reason
from probe.text import quote

# These need no resolver (RFC 6761, section 6.3). An empty image has no /etc/hosts.
LOCALHOST = ("localhost", "localhost.")


class Address(NamedTuple):
    """A socket address and its family."""

    family: int
    address: tuple[Any, ...]


def resolve(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Return the addresses of the host in the resolver's order, at least one. Raises CheckFailed."""
    if host.lower() in LOCALHOST:
        return [Address(AF_INET, ("127.0.0.1", port)), Address(AF_INET6, ("::1", port))]
    for family in (AF_INET, AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [Address(family, (host, port))]
    # Bytes, because a str would go through the idna codec, which implements only IDNA 2003.
    look_up = partial(socket.getaddrinfo, host.encode("ascii"), port, 0, SOCK_STREAM)
    deadline.phase = f"looking up {quote(host)}"
    try:
        found = run_before(deadline, look_up)
    except OSError as error:
        raise CheckFailed(f"cannot look up {quote(host)}: {os_reason(error)}") from None
    return list({entry[4]: Address(entry[0], entry[4]) for entry in found}.values())
