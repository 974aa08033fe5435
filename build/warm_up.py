"""What healthchecker does before its snapshot is taken (bootloader/recorder.py): checks, help, mistakes, https.

Nobody is asked: what would come from a server lies ready in a socket. For https the server is in the same process,
takes a step when the client has taken one, and has a certificate that nobody trusts: the only argument.
"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from socket import socketpair
from time import monotonic

import certifi

# urllib3 looks when it is imported whether this machine has IPv6. Nothing here depends on that, for probe.http1 makes
# all connections; so it does not look, and the snapshot is the same on any machine.
socket.has_ipv6 = False
import urllib3.util.connection  # noqa: E402

socket.has_ipv6 = urllib3.util.connection.HAS_IPV6 = True

from probe import hot, http1, trust, verdict, web  # noqa: E402
from probe.__main__ import run  # noqa: E402
from probe.check import Check  # noqa: E402
from probe.deadline import Deadline  # noqa: E402
from probe.errors import CheckFailed  # noqa: E402

# Python would tell of an exception that nobody can catch, such as of a thread that gets no memory, in lines of its own.
sys.unraisablehook = id

ROUNDS = 10  # of two warm-ups: CPython 3.11 and later specialise an instruction after 8 to 16 runs of it

HEALTHY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"UP"}'
UNHEALTHY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown"

CERTIFICATE = sys.argv[1]


def deadline() -> Deadline:
    """One that is far off."""
    return Deadline(3600.0, monotonic())


def parsed(arguments: list[str]) -> Check:
    """The check that ordinary arguments ask for."""
    wanted = hot.parse(arguments, {})
    if wanted is None:
        raise RuntimeError("these are not ordinary")
    return wanted


def connecting() -> None:
    """Make a connection, to a socket that needs no network."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel chooses a name
        listener.listen()
        http1._connected(socket.AF_UNIX, listener.getsockname(), 3600.0).close()
    http1.addresses("127.0.0.1", 80, deadline())


def asking(arguments: list[str], reply: bytes) -> None:
    """Go through a check, but for the making of the connection."""
    ours, theirs = socketpair()
    theirs.send(reply)
    wanted = parsed(arguments)
    verdict.watch(wanted, deadline())
    got = http1.exchange(ours, http1.request(wanted.target), deadline(), wanted.expected)
    verdict.conclude(lambda: verdict.replied(wanted, got, 0.001))
    verdict.failed(wanted, CheckFailed("connection refused"), 0.001)
    ours.close()
    theirs.close()


class Stepping(web._Connection):
    """A client's side that has the server do what it can whenever it would wait."""

    server: ssl.SSLSocket

    def do_handshake(self, block: bool = False) -> None:  # noqa: ARG002
        """Come to an end with the server, which then answers at once."""
        before = self.gettimeout()
        self.settimeout(0.0)
        done = 0
        while done < 2:
            done = 0
            for shake in (super().do_handshake, self.server.do_handshake):
                with suppress(ssl.SSLWantReadError):
                    shake()
                    done += 1
        self.server.sendall(HEALTHY)
        self.settimeout(before)


@contextmanager
def instead(module: object, name: str, value: object) -> Iterator[None]:
    """Have another value in the place of one of a module's, for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def asking_by_tls(trusting: Callable[[], ssl.SSLContext]) -> None:
    """Go through a check over https."""
    ours, theirs = socketpair()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(CERTIFICATE)
    theirs.setblocking(False)
    Stepping.server = serving.wrap_socket(theirs, server_side=True, do_handshake_on_connect=False)
    with instead(trust, "TRUST_STORES", ()):  # those of this machine are no matter
        context = trusting()
    wanted = parsed(["https://127.0.0.1/health", "-t=1h"])
    with (
        suppress(CheckFailed),
        instead(http1, "connect", lambda *_: ours),
        instead(web, "_Connection", Stepping),
    ):
        got = web.fetch(wanted.target, deadline(), wanted.expected, context)
        verdict.conclude(lambda: verdict.replied(wanted, got, 0.001))
    context.sslsocket_class = web._Connection  # the bundle's context is kept
    Stepping.server.close()


@contextmanager
def without_errors() -> Iterator[None]:
    """Have standard error lead where standard output does, to /dev/null."""
    before = os.dup(verdict.STDERR)
    os.dup2(verdict.STDOUT, verdict.STDERR)
    yield
    os.dup2(before, verdict.STDERR)
    os.close(before)


def warm_up(step: Callable[[], None]) -> None:
    """Do each as often as it takes to become quick."""
    with without_errors():
        _warm_up(step)
    vars(certifi).pop("contents", None)  # all of it has been read, and trust keeps it


def _warm_up(step: Callable[[], None]) -> None:
    for _ in range(ROUNDS):
        step()
        for arguments in (["--help"], ["--version"], ["-prot=1"], ["--port"], ["-vp0"]):
            run(arguments, monotonic())
        for trusting in (trust.systems, trust.any_certificate, partial(trust.these, CERTIFICATE)):
            asking_by_tls(trusting)
    for _ in range(ROUNDS):  # last: what has room for few (CPython's cache of attributes) is theirs
        step()
        connecting()
        for arguments in (["-port=6767", "-t=1h"], ["http://127.0.0.1:6767/health", "-t=1h", "-v"]):
            for reply in (HEALTHY, HEALTHY, UNHEALTHY):
                asking(arguments, reply)
