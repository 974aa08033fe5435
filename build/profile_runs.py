"""The runs of healthchecker that its layout in memory is made for (bootloader/layout.py), and the servers for them.

They touch the same memory each time, so that two builds give the same bytes. So none of them names a file, whose path
depends on the folder, and none looks up a name, which takes a second thread.
"""

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple

TIMEOUT = "-timeout=1m"  # watched runs are slow


class ProfileRuns(NamedTuple):
    """Lists of arguments."""

    ordinary: list[list[str]]
    others: list[list[str]]


class _Server(socketserver.ThreadingTCPServer):
    """Give each request the response, on the loopback interface; over TLS if there is a context for it."""

    daemon_threads = True

    def __init__(self, response: bytes, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.response = response
        self.context = context

    def finish_request(self, request, *_: object) -> None:  # type: ignore[no-untyped-def]
        """Respond to a request, in its thread."""
        with suppress(OSError):  # the client has closed the connection
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            if request.recv(4096):
                request.sendall(self.response)


@contextmanager
def _serving(server: _Server) -> Iterator[int]:
    """Run the server; yields its port."""
    with server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def profile_runs(certificate: Path, response: Path) -> Iterator[ProfileRuns]:
    """Yield the runs, and serve them the response; over TLS with that certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    healthy = response.read_bytes()
    with _serving(_Server(healthy)) as port, _serving(_Server(healthy, context)) as https:
        yield ProfileRuns(
            ordinary=[
                [f"-port={port}", TIMEOUT],
                [f"http://127.0.0.1:{port}/health", TIMEOUT],
                [f"-port={port}", "-v", TIMEOUT],
                [f"-port={port}", "-e=204", TIMEOUT],
                ["-port=1", TIMEOUT],
            ],
            others=[["--help"], ["--prot=1"], ["-vp1", TIMEOUT], [f"https://127.0.0.1:{https}/health", "-k", TIMEOUT]],
        )
