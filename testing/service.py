"""Run the account service as a process."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from accountservice import server
from testing.servers import free_port
from testing.waiting import PATIENCE

HELD_UP = server.PATIENCE - 1  # seconds: a service that waits for a client takes longer, even an idle machine


class Answer(NamedTuple):
    """A response of the service."""

    status: int
    fields: dict[str, str]
    body: bytes


def connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """Return a connection to the process, as soon as it accepts one."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except OSError:
            time.sleep(0.01)
    pytest.fail(f"nothing listens on port {port}")


class Service:
    """A running account service: `with Service(folder) as service:` kills it at the end."""

    errors: int | None = None  # where standard error goes, if not to the log

    def __init__(self, folder: Path, *limits: str, **environ: str) -> None:
        """Start it in the folder, behind the beginning of a command that limits it."""
        self.port = free_port()
        self.log = folder / "log"
        settings = {"ACCOUNTSERVICE_PORT": str(self.port), "ACCOUNTSERVICE_DB": str(folder / "accounts.db"), **environ}
        command = [*limits, sys.executable, "-m", "accountservice"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=settings, cwd=folder, stdout=log, stderr=self.errors or log)

    def wait_until_up(self) -> None:
        """Return when it accepts connections."""
        connected(self.port, self.process).close()

    def ask(self, path: str, method: str = "GET") -> Answer:
        """Send a request, and return the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return Answer(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
