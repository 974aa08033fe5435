"""TCP connections to the first address that accepts one."""

import socket

from probe.deadline import Deadline
from probe.errors import CheckFailed, NoResponse, os_reason
from probe.transport.resolve import Address, resolve
from probe.transport.stream import Stream, failure

LOOK_GRACE = 0.3  # seconds for a second connection, which looks for the cause of a failure


def connect(host: str, port: int, deadline: Deadline) -> Stream:
    """Return a stream to the host. Raises CheckFailed, NoResponse if the connection is reset at once."""
    return Stream(open_socket(host, port, deadline))


def open_socket(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a socket that is connected to the first of the host's addresses that accepts.

    Each address gets an equal share of the time that is left, so that a dead one does not use up the others' time.
    Raises CheckFailed, NoResponse if the connection is reset at once.
    """
    addresses = resolve(host, port, deadline)
    failures: dict[str, str] = {}
    for index, address in enumerate(addresses):
        name = address.address[0]
        deadline.phase = f"connecting to {name}"
        try:
            return _connected(address, deadline.remaining() / (len(addresses) - index))
        except TimeoutError as error:
            if error.errno is None and index == len(addresses) - 1:
                raise failure(error, deadline) from None
            failures[name] = "connection timed out"
        except ConnectionResetError as error:  # the server accepted: it refuses with another error
            raise NoResponse(os_reason(error)) from None
        except OSError as error:
            failures[name] = os_reason(error)
    reasons = set(failures.values())
    if len(reasons) == 1:
        raise CheckFailed(reasons.pop())
    raise CheckFailed("; ".join([f"{name}: {reason}" for name, reason in failures.items()]))


def _connected(address: Address, timeout: float) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(address.address)
    except BaseException:
        connection.close()
        raise
    return connection
