"""The warm-up of healthchecker before its snapshot is taken (bootloader/recorder.py): checks, help, mistakes, https.

It needs no server. For http, the response waits in a socket. For https, the server runs in the same process and makes a
step after each of the client's. The arguments are its certificate, which no client trusts, and the healthy response.
"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import socketpair
from time import monotonic

import certifi

# urllib3 looks for IPv6 when it is imported. Only probe.transport makes connections, so nothing depends on the result.
# Without the look, the snapshot is the same on any machine.
socket.has_ipv6 = False
import urllib3.util.connection  # noqa: E402

socket.has_ipv6 = urllib3.util.connection.HAS_IPV6 = True

from probe import fast_path, process, report  # noqa: E402
from probe.__main__ import run  # noqa: E402
from probe.check import Check, Outcome  # noqa: E402
from probe.check import run as run_check  # noqa: E402
from probe.deadline import Deadline  # noqa: E402
from probe.errors import CheckFailed  # noqa: E402
from probe.protocols import http, https  # noqa: E402
from probe.transport import connect, tls, trust  # noqa: E402
from probe.transport.resolve import Address, resolve  # noqa: E402
from probe.transport.stream import Stream  # noqa: E402

# Python would print lines of its own for an exception that nothing can catch, such as in a thread without memory.
sys.unraisablehook = id

ROUNDS = 10  # of two warm-ups: CPython 3.11 and later specialise an instruction after 8 to 16 runs of it

CERTIFICATE, RESPONSE = sys.argv[1:]

HEALTHY = Path(RESPONSE).read_bytes()
UNHEALTHY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown"


STREAMS = frozenset((process.STDOUT, process.STDERR))


def deadline() -> Deadline:
    """Return a deadline that is far away."""
    return Deadline(3600.0, monotonic(), watched=True)


def parsed(arguments: list[str]) -> Check:
    """Return the check of ordinary arguments."""
    settings = fast_path.parse(arguments, {})
    if settings is None:
        raise RuntimeError("these arguments are not ordinary")
    return settings.load(deadline())


def connecting() -> None:
    """Make a connection to a socket that needs no network."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel chooses a name
        listener.listen()
        connect._connected(Address(socket.AF_UNIX, listener.getsockname()), 3600.0).close()
    resolve("127.0.0.1", 80, deadline())


def reporting(check: Check) -> None:
    """Make a check and write its line, with a time that is the same in each recording."""
    outcome = run_check(check, deadline())
    process.emit(report.report(check, replace(outcome, elapsed=0.001)), STREAMS)


def checking(arguments: list[str], response: bytes) -> None:
    """Make a check over http, without a connection."""
    ours, theirs = socketpair()
    theirs.send(response)
    check = parsed(arguments)
    process.arm_watchdog(deadline(), report.timed_out(check, deadline()))
    with instead(http, "connect", lambda *_: Stream(ours)):
        reporting(check)
    report.report(check, Outcome(None, (), CheckFailed("connection refused"), 0.001))
    theirs.close()


class Stepping(ssl.SSLSocket):
    """The client's side of a connection. It lets the server do what it can instead of waiting for it."""

    server: ssl.SSLSocket

    def do_handshake(self, block: bool = False) -> None:  # noqa: ARG002
        """Finish the handshake with the server, which then sends its response."""
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
    """Replace a value of a module for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def checking_over_tls(*options: str) -> None:
    """Make a check over https, without a connection."""
    ours, theirs = socketpair()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(CERTIFICATE)
    theirs.setblocking(False)
    Stepping.server = serving.wrap_socket(theirs, server_side=True, do_handshake_on_connect=False)
    check = parsed(["https://127.0.0.1/health", "-t=1h", *options])
    context = https._context(check.request)
    context.sslsocket_class = Stepping
    with instead(https, "_context", lambda _: context), instead(tls, "open_socket", lambda *_: ours):
        reporting(check)
    context.sslsocket_class = ssl.SSLSocket  # the context of the bundle is kept
    Stepping.server.close()


@contextmanager
def without_errors() -> Iterator[None]:
    """Redirect standard error to standard output, which is /dev/null."""
    before = os.dup(process.STDERR)
    os.dup2(process.STDOUT, process.STDERR)
    yield
    os.dup2(before, process.STDERR)
    os.close(before)


def warm_up(step: Callable[[], None]) -> None:
    """Run each path as often as CPython needs to specialise its instructions."""
    with without_errors(), instead(trust, "TRUST_STORES", ()):  # the certificates of this machine do not matter
        _warm_up(step)
    vars(certifi).pop("DATA", None)  # probe.transport.trust keeps the parsed bundle


def _warm_up(step: Callable[[], None]) -> None:
    for _ in range(ROUNDS):
        step()
        for arguments in (["--help"], ["--version"], ["-prot=1"], ["--port"], ["-vp0"]):
            process.emit(run(arguments, {}, monotonic()), STREAMS)
        for options in ((), ("-k",), (f"--cacert={CERTIFICATE}",)):
            checking_over_tls(*options)
    for _ in range(ROUNDS):  # last, because CPython's cache of attributes has room for few
        step()
        connecting()
        for arguments in (["-port=6767", "-t=1h"], ["http://127.0.0.1:6767/health", "-t=1h", "-v"]):
            for response in (HEALTHY, HEALTHY, UNHEALTHY):
                checking(arguments, response)
