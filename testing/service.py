"""Run the account service as a process."""

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from accountservice.__main__ import HEADER_TIMEOUT
from testing.servers import free_port
from testing.waiting import PATIENCE, wait_until

HELD_UP = HEADER_TIMEOUT / 1000 - 1  # seconds: a service that waits for a client takes longer, even an idle machine


class Answer(NamedTuple):
    """A response of the service."""

    status: int
    headers: dict[str, str]
    body: bytes


class Service:
    """A running account service: `with Service(folder) as service:` kills it at the end."""

    def __init__(self, folder: Path, *limits: str, **environ: str) -> None:
        """Start it in the folder, behind the beginning of a command that limits it."""
        self.port = free_port()
        self.log = folder / "log"
        settings = {"ACCOUNTSERVICE_PORT": str(self.port), "ACCOUNTSERVICE_DB": str(folder / "accounts.db"), **environ}
        command = [*limits, sys.executable, "-m", "accountservice"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=settings, cwd=folder, stdout=log, stderr=log)

    def listens(self) -> bool:
        """Look whether it accepts a connection."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until_up(self) -> None:
        """Return when it accepts connections."""
        wait_until(f"port {self.port} is open", lambda: self.process.poll() is not None or self.listens())
        assert self.process.poll() is None

    def ask(self, path: str, method: str = "GET") -> Answer:
        """Send a request, and return the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return Answer(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Return the process IDs of the workers, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sorted(int(child) for child in children)

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
