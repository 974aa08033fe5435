"""The runs of healthchecker that its layout in memory is made for (bootloader/layout.py), and who answers them.

They touch the same parts of the program each time, so that two builds give the same bytes. So none of them names a
file, whose path would be another one in another folder, and none looks up a name, which takes a second thread.
"""

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple

REPLY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'

TIMEOUT = "-timeout=1m"  # watched runs take their time


class Runs(NamedTuple):
    """Lists of arguments."""

    ordinary: list[list[str]]
    others: list[list[str]]


class _Answer(socketserver.BaseRequestHandler):
    """Answers one request."""

    def handle(self) -> None:
        """Answer."""
        if self.request.recv(4096):
            self.request.sendall(REPLY)


class _Server(socketserver.ThreadingTCPServer):
    """Answers on the loopback interface, by TLS where there is a context for it."""

    daemon_threads = True
    context: ssl.SSLContext | None = None

    def finish_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """Answer a request, in its thread."""
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        with suppress(OSError):  # the client has gone
            super().finish_request(request, client_address)


@contextmanager
def _serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server's port."""
    with _Server(("127.0.0.1", 0), _Answer) as server:
        server.context = context
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def profile_runs(certificate: Path) -> Iterator[Runs]:
    """The runs, while there is somebody to answer them; https by that certificate, with its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _serving() as port, _serving(context) as https:
        yield Runs(
            ordinary=[
                [f"-port={port}", TIMEOUT],
                [f"http://127.0.0.1:{port}/health", TIMEOUT],
                [f"-port={port}", "-v", TIMEOUT],
                [f"-port={port}", "-e=204", TIMEOUT],
                ["-port=1", TIMEOUT],
            ],
            others=[["--help"], ["--prot=1"], ["-vp1", TIMEOUT], [f"https://127.0.0.1:{https}/health", "-k", TIMEOUT]],
        )
