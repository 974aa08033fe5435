"""The second stage's loader: runs the program from the archive that PyInstaller appended to this executable.

PyInstaller's own bootloader and import hooks unpack what they need, or look for it beside the executable as well. Here
the archive is read once, where it lies, into memory; every import is answered from there, and from nowhere else. So
nothing is written, no file beside the executable can slip into the program, and an update that replaces the executable
meanwhile changes nothing.

The executable is the launcher, an ELF program, and behind it, as an ELF section of its own, PyInstaller's archive: a
CArchive, with the script and a PYZ in it, whose modules are marshalled and compressed one by one. A seal (seal.c) says
where the archive lies, and lets damage be noticed before any of it is run.
"""

import sys
import zlib
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec
from _struct import Struct
from marshal import loads

from probe import verdict
from probe.errors import os_reason
from probe.text import quote
from probe.verdict import UNHEALTHY, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from types import CodeType, ModuleType
    from typing import BinaryIO

# The seal of seal.h: behind its name the file's size, the archive's offset and size, the CRC-32 of the file, taken with
# zeros for all of these, and the file's last bytes.
SEAL_NAME = b"the seal of this file\0\0\0"
SEAL = Struct("=QQQQ16s")
HEAD = 64 * 1024  # bytes of the file in which it lies
PIECE = 256 * 1024  # bytes read at once for the checksum

# PyInstaller's formats: PyInstaller/archive/writers.py, the same since version 5.
COOKIE_MAGIC = b"MEI\014\013\012\013\016"
COOKIE = Struct("!8sIIII64s")  # magic, archive's length, table's offset and length, Python version, library's name
ENTRY = Struct("!IIIIBc")  # entry's length, offset, stored length, length, compressed?, kind; the name follows
SCRIPT = b"s"
PYZ = b"z"
PYZ_MAGIC = b"PYZ\0"
PYZ_HEADER = Struct("!4s4sI")  # magic, bytecode's magic number, table's offset
PACKAGE = 1  # the kind of a PYZ entry that is a package


class Unusable(Exception):
    """This executable cannot be read, or is not as it was built."""


def run(path: str, checksum: int) -> "int | None":
    """Run the archive's script, which ends the process; the exit status where the archive cannot be used.

    `path` is where the executable lies; the kernel's own link to it, which holds also when the path does not, comes
    first. `checksum` is from the seal of the executable that runs: the path may lead to another one by now.
    """
    try:
        modules, script = _parts(_read(checksum, "/proc/self/exe", path))
    except Unusable as error:
        reason = f"internal error: {error}\n"
        return verdict.conclude(lambda: Verdict(UNHEALTHY, reason))
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Importer(modules)]
    sys.path_hooks.clear()
    sys.warnoptions.append("ignore")  # nothing but the verdict's line belongs on standard error
    exec(script, sys.modules["__main__"].__dict__)
    return None


class Importer:
    """Finds and loads the modules of a PYZ, held in memory (Python's language reference, 5.3 and 5.4)."""

    def __init__(self, pyz: "memoryview") -> None:
        magic, _, table = PYZ_HEADER.unpack_from(pyz)
        if magic != PYZ_MAGIC:
            raise Unusable("the modules in this executable are of an unknown format")
        self._pyz = pyz
        self._table: dict[str, tuple[int, int, int]] = dict(loads(pyz[table:]))  # name: kind, offset, length

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":  # noqa: ARG002
        """Where the module comes from; None where it is not in the archive."""
        entry = self._table.get(name)
        return ModuleSpec(name, self, is_package=entry[0] == PACKAGE) if entry else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code in it."""
        _, offset, length = self._table[module.__name__]
        exec(loads(zlib.decompress(self._pyz[offset : offset + length])), module.__dict__)


def _read(checksum: int, *paths: str) -> memoryview:
    """The archive of this executable, from the first of the paths that leads to it."""
    reason = ""
    for path in paths:
        try:
            with open(path, "rb", buffering=0) as executable:
                return _sealed(executable, checksum)
        except OSError as error:
            reason = os_reason(error)
    raise Unusable(f"cannot read this executable, {quote(paths[-1])}: {reason}; its file must be readable")


def _sealed(executable: "FileIO", checksum: int) -> memoryview:
    """The executable's archive. Raises Unusable where the executable is not as it was sealed."""
    head = executable.read(HEAD)
    at = head.find(SEAL_NAME) + len(SEAL_NAME)
    if checksum != _checksum(executable, head, at):
        raise Unusable("this executable is damaged; copy it again")
    _, archive, archive_size, _, _ = SEAL.unpack_from(head, at)
    executable.seek(archive)
    return memoryview(executable.read(archive_size))


def _checksum(executable: "BinaryIO | FileIO", head: bytes, at: int) -> int:
    """CRC-32 of the file, whose first bytes are `head`, with zeros for the seal `at` there."""
    checksum = zlib.crc32(head[:at] + bytes(SEAL.size) + head[at + SEAL.size :])
    executable.seek(len(head))
    while piece := executable.read(PIECE):
        checksum = zlib.crc32(piece, checksum)
    return checksum


def _parts(archive: memoryview) -> "tuple[memoryview, CodeType]":
    """The archive's PYZ, and the code of its script."""
    _, _, table, size, _, _ = COOKIE.unpack_from(archive, len(archive) - COOKIE.size)
    parts: dict[bytes, bytes | memoryview] = {}
    at = table
    while at < table + size:
        length, offset, stored, _, compressed, kind = ENTRY.unpack_from(archive, at)
        data = archive[offset : offset + stored]
        parts[kind] = zlib.decompress(data) if compressed else data
        at += length
    return memoryview(parts[PYZ]), loads(parts[SCRIPT])


def seal(path: str) -> None:
    """Seal an executable that PyInstaller has just built."""
    with open(path, "r+b") as executable:
        content = executable.read()
        end = content.rindex(COOKIE_MAGIC) + COOKIE.size
        _, length, *_ = COOKIE.unpack_from(content, end - COOKIE.size)
        at = content.index(SEAL_NAME, 0, HEAD) + len(SEAL_NAME)
        checksum = _checksum(executable, content[:HEAD], at)
        executable.seek(at)
        executable.write(SEAL.pack(len(content), end - length, length, checksum, content[-16:]))
