"""The runs of healthchecker that its layout in memory is made for (bootloader/layout.py), and who answers them.

They touch the same parts of the program each time, so that two builds give the same bytes. No run has a second thread,
as https has: threads take turns in one order or another.
"""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def runs() -> Iterator[Runs]:
    """The runs, while there is somebody to answer them."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Answer) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        port = server.server_address[1]
        yield Runs(
            ordinary=[
                [f"-port={port}", TIMEOUT],
                [f"http://127.0.0.1:{port}/health", TIMEOUT],
                [f"-port={port}", "-v", TIMEOUT],
                [f"-port={port}", "-e=204", TIMEOUT],
                ["-port=1", TIMEOUT],
            ],
            others=[["--help"], ["--prot=1"], ["-vp1", TIMEOUT]],
        )
        server.shutdown()
