"""The first message of a TLS client, which a TLS server answers and another server does not.

The handshake ends there, so nothing in the message has to be secret or random. The ssl module would ask the kernel for
random numbers, and fail if it gets none.
"""


def client_hello() -> bytes:
    """Return a ClientHello of TLS 1.2 (RFC 5246, section 7.4.1.2). A server with only TLS 1.3 answers with an alert."""
    ciphers = b"\xc0\x2b\xc0\x2f\x00\x9c"  # AES-128-GCM with ECDHE-ECDSA, ECDHE-RSA and RSA (RFC 5289, RFC 5288)
    version, random, session, compression = b"\3\3", bytes(32), b"\0", b"\1\0"
    hello = b"\1" + _vector(version + random + session + _vector(ciphers, 2) + compression, 3)
    return b"\x16\3\1" + _vector(hello, 2)  # a record of the handshake (section 6.2.1)


def _vector(data: bytes, size: int) -> bytes:
    """Return a vector: its length in `size` bytes, and the data (RFC 5246, section 4.3)."""
    return len(data).to_bytes(size, "big") + data
