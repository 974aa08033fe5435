"""The runs of healthchecker that its layout in memory is made for (bootloader/layout.py), and who answers them.

They touch the same memory each time, for two builds to be the same. So the port is always the same: which keys of a
dictionary are compared depends on the texts that are looked up, and a port is part of some. Where builds run at once,
any of them may answer. And none has a second thread, as https has: threads take turns in one order or another.
"""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import NamedTuple

REPLY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'

PORT = 27652
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
    daemon_threads = True
    allow_reuse_address = allow_reuse_port = True


@contextmanager
def runs() -> Iterator[Runs]:
    """The runs, while there is somebody to answer them."""
    with _Server(("127.0.0.1", PORT), _Answer) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
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
        server.shutdown()
