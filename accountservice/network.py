"""The address that a host is reached at."""

import fcntl
import socket
import struct

SIOCGIFADDR = 0x8915  # netdevice(7): an interface's IPv4 address
LOOPBACK = "127.0.0.1"


def own_address() -> str:
    """Return the host's first IPv4 address in the order of its interfaces; the loopback address if it has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(handle, SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:  # an interface without an IPv4 address
                continue
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                return address
    return LOOPBACK
