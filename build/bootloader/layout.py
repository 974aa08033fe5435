"""Give each block of the snapshot's heap its place, by a profile of some runs.

A page of the file that a process writes to is copied for it, and one that it reads has to be mapped. These page faults
are most of what remains of the start. So what ordinary runs touch lies together: blocks of the heap by the table that
is made here, code, constants and variables by linker_script.py. The idea is that of GraalVM's Native Image ("Improving
Native-Image Startup Performance", CGO 2025).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from memory_profile import UNIT, Touched

BLOCK = struct.Struct("=QQQ")  # struct block of heap.h
HEAD = struct.Struct("=QQQ")  # of struct layout: the count of blocks, the units that ordinary runs write to, the end


class Block(NamedTuple):
    """A block of the heap: its key (heap.c), its place and its size, in units."""

    key: int
    place: int
    size: int


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


def settled(before: bytes, blocks: bytes) -> tuple[bytes, int]:
    """Return struct layout for the blocks recorded with a layout, and for how many of them that had no place.

    Sets that hash by address have another order when the addresses change, so a few blocks are allocated at another
    turn. They take the places of blocks that are no longer allocated. All others keep their places.
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
    return _layout(written, end, placed), len(made.keys() - known.keys())


def no_places() -> bytes:
    """Return struct layout of no blocks."""
    return _layout(0, 1, [])


def _blocks(packed: bytes) -> Iterator[Block]:
    return map(Block._make, BLOCK.iter_unpack(packed))


def _layout(written: int, end: int, blocks: list[Block]) -> bytes:
    return HEAD.pack(len(blocks), written, end) + b"".join(BLOCK.pack(*block) for block in sorted(blocks))
