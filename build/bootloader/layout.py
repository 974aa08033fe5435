"""Finds out what a program should look like in memory, by watching some runs of it.

A page of the file that a process writes to is copied for it, and one that it reads has to be mapped: these page faults
are most of what is left of the start. So what ordinary runs touch comes to lie together: blocks of the heap by heap.c,
which is given a list of them, variables, code and constants by the linker, which is given a script. The idea is that of
GraalVM's Native Image ("Improving Native-Image Startup Performance", CGO 2025).

The runs are watched by lackey, a tool of valgrind's that prints each access to memory. If watching fails, the
executable is correct but slower.
"""

import re
import struct
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import fdopen, pipe
from pathlib import Path
from shutil import which
from signal import SIGKILL
from threading import Timer
from typing import NamedTuple

from debian import BuildError

UNIT = 16  # bytes: heap.c counts in it
BLOCK = struct.Struct("=QQQ")  # struct block
HEAD = struct.Struct("=QQQ")  # of struct layout: the count of blocks, the units that ordinary runs write to, the end

CHUNK = 1 << 20  # bytes
LONGEST = 600.0  # seconds: a run that is watched takes some, more on a busy machine, or an emulated one
FEWEST = 1000  # different lines of a run: fewer lines mean that valgrind did not run it


class Touched(NamedTuple):
    """The units of memory that some runs wrote to, read, and executed, by number."""

    written: set[int]
    read: set[int]
    executed: set[int]

    @property
    def all(self) -> set[int]:
        """Whatever was done with them."""
        return self.written | self.read | self.executed


NOTHING = Touched(set(), set(), set())


class Unwatched(Exception):
    """The runs of a program cannot be watched here."""


def watch(program: Path, runs: list[list[str]]) -> Touched:
    """What the program touches in any of the runs, each a list of arguments, in its folder.

    Raises Unwatched, and BuildError where a run does not end.
    """
    if which("valgrind") is None:
        raise Unwatched("valgrind is not installed (make packages installs it)")
    with ThreadPoolExecutor(2) as pool:
        lines = set().union(*pool.map(lambda arguments: _trace(program, arguments), runs))
    found = Touched(set(), set(), set())
    kinds = {b"I ": found.executed, b" S": found.written, b" L": found.read, b" M": found.written}
    for line in lines:
        if (units := kinds.get(line[:2])) is not None:
            address, _, size = line[3:].partition(b",")
            first = int(address, 16)
            units.update(range(first // UNIT, (first + int(size) - 1) // UNIT + 1))
    return found


def _trace(program: Path, arguments: list[str]) -> set[bytes]:
    """The different lines that lackey prints of a run. Raises Unwatched, and BuildError where the run does not end."""
    reading, writing = pipe()
    # Debian's command is a shell script, by which the program would get the folder as PWD.
    command = which("valgrind.bin") or "valgrind"
    valgrind = [command, "--tool=lackey", "--trace-mem=yes", f"--log-fd={writing}"]
    lines: set[bytes] = set()
    with fdopen(reading, "rb", buffering=0) as trace:
        with fdopen(writing, "wb", buffering=0):
            running = subprocess.Popen(
                [*valgrind, f"./{program.name}", *arguments],
                cwd=program.parent,
                env={},
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        limit = Timer(LONGEST, running.kill)
        limit.start()
        rest = b""
        while chunk := trace.read(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            lines.update(whole)
        limit.cancel()
    if running.wait() == -SIGKILL:
        raise BuildError(f"the program did not end within {LONGEST:g} seconds: {' '.join(arguments)}")
    if len(lines) < FEWEST:
        raise Unwatched("valgrind does not run a program here")
    return lines


class Block(NamedTuple):
    """A block of the heap: by what heap.c knows it, and where it lies, in units."""

    key: int
    place: int
    size: int


class Section(NamedTuple):
    """A part of an object file that was linked."""

    address: int
    size: int
    name: str
    file: str
    output: str  # the section of the executable that it is in

    @property
    def pattern(self) -> str:
        """How a linker script names it."""
        library = re.fullmatch(r".*?([^/]+\.a)\((.*)\)", self.file)
        return f"*{library[1]}:{library[2]}({self.name})" if library else f"*/{Path(self.file).name}({self.name})"


INPUT = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$", re.MULTILINE)
OF_ONE_PROCESSOR = re.compile(r"libc\.a\(.*(sse|avx|evex|erms|rtm)")
OUTPUT = re.compile(r"^(\.\S+)", re.MULTILINE)


def sections(link_map: str) -> list[Section]:
    """The sections that a linker's map lists, in the order of their addresses."""
    joined = re.sub(r"^ (\.\S+)\n\s+", r" \1 ", link_map, flags=re.MULTILINE)  # a long name has a line of its own
    found = []
    output = ""
    for line in joined.splitlines():
        if started := OUTPUT.match(line):
            output = started[1]
        elif (part := INPUT.match(line)) and int(part[2], 16) and int(part[3], 16):
            found.append(Section(int(part[2], 16), int(part[3], 16), part[1], part[4], output))
    return sorted(found)


class Script(NamedTuple):
    """What is given to the linker."""

    variables: str  # of the snapshot, in layout.ld
    order: str  # of all else


def script(linked: list[Section], touched: Touched) -> Script:
    """Have what is touched lie together, in the order that it had."""
    written = [section for section in _with(linked, touched.written) if section.output == ".variables"]
    others = [section for section in _with(linked, touched.all) if _movable(section)]

    def patterns(output: str) -> str:
        return "".join(f"    {section.pattern}\n" for section in others if section.output == output)

    return Script(
        variables="".join(f"{section.pattern}\n" for section in written if section.name != ".snapshot_data"),
        order=f"""
SECTIONS {{ .text_first : ALIGN(CONSTANT(COMMONPAGESIZE)) {{
{patterns(".text")}  }} }} INSERT AFTER .text;
SECTIONS {{ .rodata_first : ALIGN(CONSTANT(COMMONPAGESIZE)) {{
{patterns(".rodata")}  }} }} INSERT BEFORE .rodata;
SECTIONS {{ .data_first : {{
{patterns(".data")}  }} }} INSERT AFTER .data;
SECTIONS {{ .bss_first (NOLOAD) : {{
{patterns(".bss")}  }} }} INSERT BEFORE .bss;
""",
    )


def _with(linked: list[Section], units: set[int]) -> list[Section]:
    """The sections that have one of the units in them."""
    starts = [section.address for section in linked]
    found = set()
    for unit in units:
        index = bisect_right(starts, unit * UNIT + UNIT - 1) - 1
        if index >= 0 and linked[index].address + linked[index].size > unit * UNIT:
            found.add(linked[index])
    return sorted(found)


def _movable(section: Section) -> bool:
    """Whether it may lie elsewhere: what the linker merges may not, nor may what starts the program (seal.c).

    Nor may what the C library has for one kind of processor, or two machines would make two programs.
    """
    merged = section.name.startswith((".rodata.str", ".rodata.cst")) or section.name == "COMMON"
    return not merged and "seal.o" not in section.file and not OF_ONE_PROCESSOR.search(section.file)


def places(blocks: bytes, heap: int, ordinary: Touched, others: Touched) -> bytes:
    """Return struct layout (heap.h) for the blocks of a heap that was watched and begins at that address.

    First those that ordinary runs write to, then those that they read, those that other runs write to, and the rest.
    """
    groups = (ordinary.written, ordinary.read, others.written)

    def group_of(block: Block) -> int:
        first = heap // UNIT + block.place
        units = range(first, first + block.size)
        return next((number for number, group in enumerate(groups) if not group.isdisjoint(units)), len(groups))

    ordered = sorted((group_of(block), block.place, block) for block in _blocks(blocks))
    end = 1  # heap.c never gives away the first unit
    written = 0
    placed = []
    for group, _, block in ordered:
        placed.append(block._replace(place=end))
        end += block.size
        if group == 0:
            written = end
    return _layout(written, end, placed)


def settled(before: bytes, blocks: bytes) -> tuple[bytes, bool]:
    """Return struct layout for the blocks that were recorded by a layout, and whether that had foreseen them all.

    Sets of what is hashed by its address have another order where the addresses are others, and so a few blocks are
    made at another turn. They take the places of those that are no longer made; all others stay where they are.
    """
    _, written, end = HEAD.unpack_from(before)
    known = {(block.key, block.size): block for block in _blocks(before[HEAD.size :])}
    made = {(block.key, block.size): block for block in _blocks(blocks)}
    free: dict[int, list[int]] = {}
    for named, block in known.items():
        if named not in made:
            free.setdefault(block.size, []).append(block.place)
    placed = []
    for named, block in made.items():
        if named in known:
            placed.append(known[named])
        elif free.get(block.size):
            placed.append(block._replace(place=free[block.size].pop()))
        else:
            placed.append(block._replace(place=end))
            end += block.size
    return _layout(written, end, placed), made.keys() <= known.keys()


def no_places() -> bytes:
    """Return struct layout of no blocks."""
    return _layout(0, 1, [])


def _blocks(packed: bytes) -> Iterator[Block]:
    return map(Block._make, BLOCK.iter_unpack(packed))


def _layout(written: int, end: int, blocks: list[Block]) -> bytes:
    return HEAD.pack(len(blocks), written, end) + b"".join(BLOCK.pack(*block) for block in sorted(blocks))
