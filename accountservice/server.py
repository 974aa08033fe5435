"""The HTTP server: granian, embedded in this process, which keeps one process a container and its exit status ours."""

import asyncio
import logging
import os
import signal
import socket

from granian.constants import HTTPModes
from granian.server.embed import Server

from accountservice.app import App

logger = logging.getLogger(__name__)

ADDRESS = "0.0.0.0"  # noqa: S104 - a container's service is for the network it is put on

# Seconds from a signal to the process's end: requests in flight are answered in far less, and a client that holds its
# connection open must not hold up the stop.
STOP_LIMIT = 0.8


class PortTakenError(Exception):
    """The port cannot be listened on; the text says why."""


async def serve(app: App, port: int) -> None:
    """Serve until SIGTERM or SIGINT, on a port that was claimed."""
    logger.info("Starting HTTP service at %d", port)
    server = Server(app, address=ADDRESS, port=port, http=HTTPModes.http1, websockets=False, log_enabled=False)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.stop()
        loop.call_later(STOP_LIMIT, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()


def claim(port: int) -> None:
    """Make sure that nobody listens on the port.

    granian sets SO_REUSEPORT, by which two services would share a port in silence; a socket without it is refused.
    Raises PortTakenError.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the past are no reason
        try:
            holder.bind((ADDRESS, port))
        except OSError as error:
            raise PortTakenError(f"port {port}: {(error.strerror or str(error)).lower()}") from error
