"""The HTTP server: granian, embedded in this process, which keeps one process a container and its exit status ours."""

import asyncio
import logging
import os
import resource
import socket
import stat
from contextlib import suppress
from functools import partial
from pathlib import Path

from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from accountservice.app import App
from accountservice.signals import Signals

logger = logging.getLogger(__name__)

ADDRESS = "0.0.0.0"  # noqa: S104 - a container's service is for the network it is put on

# Connections at once. A client that only holds one must not keep the health check out, so there are many; a connection
# costs a few kilobytes, and up to a request's head.
MOST_CONNECTIONS = 4096
RESERVED_FILES = 32  # open files that are not connections
FEWEST_FILES = 64  # that a limit has to allow for, to serve a few clients at once
HEAD_LIMIT = 16 * 1024  # bytes of a request's head; a longer one is answered with 431
HEAD_PATIENCE = 5_000  # milliseconds for a client to send one, also the next one on a connection that is kept

# Seconds from a signal to the process's end: requests in flight are answered in far less, and a client that holds its
# connection open must not hold up the stop.
STOP_LIMIT = 0.8

# Seconds between the end of listening and the server's own stop, which closes connections whose request it has not
# read yet: time to read the requests of those that were just accepted.
ACCEPTED_GRACE = 0.05


class PortTakenError(Exception):
    """The port cannot be listened on; the text says why."""


class LimitError(Exception):
    """The system allows too little; the text says of what."""


async def serve(app: App, port: int, signals: Signals, connections: int) -> None:
    """Serve until SIGTERM or SIGINT, on a port that was claimed, so many connections at once."""
    logger.info("Starting HTTP service at %d", port)
    server = Server(
        app,
        address=ADDRESS,
        port=port,
        http=HTTPModes.http1,
        websockets=False,
        backlog=MOST_CONNECTIONS,
        backpressure=connections,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_PATIENCE, max_buffer_size=HEAD_LIMIT),
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        signals.on_stop = lambda: None  # one is enough
        loop.call_later(ACCEPTED_GRACE, server.stop)
        loop.call_later(STOP_LIMIT, os._exit, 0)
        stop_listening()

    signals.on_stop = partial(loop.call_soon_threadsafe, stop)
    await server.serve()


def affordable_connections() -> int:
    """How many connections the limit on open files allows, which is raised as far as it may be.

    granian takes no more at once. Where it could, it would turn in circles once the limit is met. Raises LimitError.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = most if 0 <= most < MOST_CONNECTIONS + RESERVED_FILES else MOST_CONNECTIONS + RESERVED_FILES
    if limit < FEWEST_FILES:
        raise LimitError(f"{limit} open files are too few; allow {FEWEST_FILES} at least (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return limit - RESERVED_FILES


def stop_listening() -> None:
    """Take no more connections on any socket of this process.

    granian keeps its listening sockets to itself. They are found among the open descriptors; a listening socket that
    is shut down refuses connections and leaves the accepted ones alone (Linux, shutdown(2)).
    """
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as holder:
                    if holder.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        holder.shutdown(socket.SHUT_RD)


def claim(port: int) -> socket.socket:
    """Make sure that nobody listens on the port, nor will another of these services, while the result is open.

    granian sets SO_REUSEPORT, by which two services would share a port in silence. A socket without it is refused
    where anybody listens already; a name in the abstract namespace, which belongs to the network namespace as ports do
    (unix(7)), keeps others from starting at the same time. Raises PortTakenError.
    """
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0accountservice:{port}")
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the past are no reason
            holder.bind((ADDRESS, port))
    except OSError as error:
        name.close()
        raise PortTakenError(f"port {port}: {(error.strerror or str(error)).lower()}") from error
    return name
