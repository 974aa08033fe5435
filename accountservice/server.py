"""The HTTP server: granian, embedded in this process, which keeps one process a container and its exit status ours."""

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

from granian.constants import HTTPModes
from granian.server.embed import Server

from accountservice.app import App

logger = logging.getLogger(__name__)

ADDRESS = "0.0.0.0"  # noqa: S104 - a container's service is for the network it is put on

# Seconds from a signal to the process's end: requests in flight are answered in far less, and a client that holds its
# connection open must not hold up the stop.
STOP_LIMIT = 0.8

# Seconds between the end of listening and the server's own stop, which closes connections whose request it has not
# read yet: time to read the requests of those that were just accepted.
ACCEPTED_GRACE = 0.05


class PortTakenError(Exception):
    """The port cannot be listened on; the text says why."""


async def serve(app: App, port: int) -> None:
    """Serve until SIGTERM or SIGINT, on a port that was claimed."""
    logger.info("Starting HTTP service at %d", port)
    server = Server(app, address=ADDRESS, port=port, http=HTTPModes.http1, websockets=False, log_enabled=False)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stop_listening()
        loop.call_later(ACCEPTED_GRACE, server.stop)
        loop.call_later(STOP_LIMIT, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()


def stop_listening() -> None:
    """Take no more connections on any socket of this process.

    granian keeps its listening sockets to itself. They are found among the open descriptors; a listening socket that
    is shut down refuses connections and leaves the accepted ones alone (Linux, shutdown(2)).
    """
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as holder:
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
