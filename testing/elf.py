"""The program headers of an ELF file (elf(5))."""

import struct
from pathlib import Path

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK = 1, 2, 3, 0x6474E551
PF_X, PF_W = 1, 2


def segments(binary: Path) -> dict[int, list[int]]:
    """Return the flags of the program headers, by their type."""
    data = binary.read_bytes()
    assert data.startswith(b"\x7fELF\x02\x01")
    (offset,) = struct.unpack_from("<Q", data, 0x20)
    size, count = struct.unpack_from("<HH", data, 0x36)
    found: dict[int, list[int]] = {}
    for index in range(count):
        kind, flags = struct.unpack_from("<II", data, offset + size * index)
        found.setdefault(kind, []).append(flags)
    return found
