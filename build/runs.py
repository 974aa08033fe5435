"""The runs of healthchecker that its layout in memory is made for (bootloader/layout.py), and who answers them."""

import os
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import NamedTuple

REPLY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'

# Always the same, for two builds to be the same: which keys of a dictionary are compared depends on the texts that are
# looked up, and a port is part of some. Where builds run at once, any of them may answer.
PORT, TLS_PORT = 27652, 27653

TIMEOUT = "-timeout=1m"  # watched runs take their time


class Runs(NamedTuple):
    """Lists of arguments."""

    ordinary: list[list[str]]
    others: list[list[str]]


class _Answer(socketserver.BaseRequestHandler):
    """Answers one request; a client that goes away is no matter."""

    def handle(self) -> None:
        """Answer."""
        if self.request.recv(4096):
            self.request.sendall(REPLY)


class _Server(socketserver.ThreadingTCPServer):
    """Answers on the loopback interface, by TLS where there is a context for it."""

    daemon_threads = True
    allow_reuse_address = allow_reuse_port = True
    context: ssl.SSLContext | None = None

    def finish_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """Answer a request in its thread."""
        if self.context:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:  # a client that does not trust it
                return
        super().finish_request(request, client_address)


@contextmanager
def _serving(port: int, context: ssl.SSLContext | None = None) -> Iterator[None]:
    """Have a server there, for a while."""
    with _Server(("127.0.0.1", port), _Answer) as server:
        server.context = context
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield
        server.shutdown()


@contextmanager
def runs(certificate: Path, folder: Path) -> Iterator[Runs]:
    """The runs, made in that folder, while somebody answers them, with the certificate of the rehearsal."""
    trusted = f"--cacert={os.path.relpath(certificate, folder)}"  # the same text, wherever the project is
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _serving(PORT), _serving(TLS_PORT, context):
        url = [f"https://127.0.0.1:{TLS_PORT}/health", TIMEOUT]
        yield Runs(
            ordinary=[
                [f"-port={PORT}", TIMEOUT],
                [f"http://127.0.0.1:{PORT}/health", TIMEOUT],
                [f"-port={PORT}", "-v", TIMEOUT],
                [f"-port={PORT}", "-e=204", TIMEOUT],
                ["-port=1", TIMEOUT],
            ],
            others=[["--help"], ["--prot=1"], ["-vp1", TIMEOUT]],
        )
