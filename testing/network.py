"""Run one command in a network with loopback only, an empty /etc, and a name server that behaves in one way.

    unshare --net --mount python -m testing.network RESOLVER COMMAND...

RESOLVER is one of RESOLVERS. The exit code is the command's. FULL_PORT accepts no connection, at any address.
`program.in_network` calls this.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from testing.project import ROOT

FULL_PORT = 8080
TRUNCATED = 0x0200  # the client has to use TCP, which is refused

Resolver = Callable[[bytes], bytes | None]


def answered(query: bytes, code: int = 0, *addresses: str) -> bytes:
    """Answer a query (RFC 1035, section 4.1) by a response code, and by addresses if it is about IPv4."""
    question = query[12 : query.index(b"\0", 12) + 5]
    wants_ipv4 = question[-4:-2] == b"\0\x01"
    records = [
        b"\xc0\x0c\0\x01\0\x01" + struct.pack(">IH", 60, 4) + socket.inet_aton(address)
        for address in addresses
        if wants_ipv4
    ]
    header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0)
    return header + question + b"".join(records)


RESOLVERS: dict[str, Resolver | None] = {
    "absent": None,
    "silent": lambda _: None,
    "failing": lambda query: answered(query, 2),
    "unknowing": lambda query: answered(query, 3),
    "without addresses": answered,
    "garbled": lambda query: query[:2] + b"\xff" * 40,
    "cut short": lambda query: answered(query, TRUNCATED),
    "ten addresses": lambda query: answered(query, 0, *[f"127.0.0.{number}" for number in range(1, 11)]),
}


def main(resolver: str, *command: str) -> int:
    """Run the command. Return its exit code."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/etc"], check=True)
    raise_loopback()
    with full_port("0.0.0.0", FULL_PORT), ExitStack() as stack:
        behave = RESOLVERS[resolver]
        if behave:
            Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
            server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind(("127.0.0.1", 53))
            threading.Thread(target=answer, args=(server, behave), daemon=True).start()
        return subprocess.run(command, check=False).returncode


ENTER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from testing.network import raise_loopback
raise_loopback()
os.execvp(sys.argv[2], sys.argv[2:])
"""


def apart() -> list[str]:
    """Return the beginning of a command that gets all ports for itself, or nothing if the system does not allow it."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *user, "--net", sys.executable, "-c", ENTER, str(ROOT)]
    allowed = subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return command if allowed else []


def raise_loopback() -> None:
    """Bring the loopback interface up (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        flags = struct.pack("16sH", b"lo", 1)  # IFF_UP
        fcntl.ioctl(handle, 0x8914, flags)  # SIOCSIFFLAGS


def answer(server: socket.socket, behave: Resolver) -> None:
    """Answer each query as the resolver does."""
    while True:
        query, client = server.recvfrom(4096)
        reply = behave(query)
        if reply is not None:
            server.sendto(reply, client)


@contextmanager
def full_port(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Yield a port that neither accepts nor refuses a connection: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, port), backlog=0))
        number: int = listener.getsockname()[1]
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", number))
        yield number


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))
