"""The places of blocks: no two overlap, and the heap takes each only for the block that it is meant for."""

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import launcher
import layout
import pytest
import toolchain
from hypothesis import given
from hypothesis import strategies as st
from layout import BLOCK, HEAD, Block
from memory_profile import UNIT, Touched

HEAP = 4 << 20  # bytes
STEPS = 3000  # of a recording
KINDS = ["malloc", "malloc", "align", "free", "free", "realloc", "step"]

HEAP_IN_C = f"""
asm(".pushsection .heap, \\"aw\\", @nobits\\n"
    ".balign 4096\\n"
    ".globl heap_start, heap_end\\n"
    "heap_start: .skip {HEAP}\\n"
    "heap_end: .popsection");
"""


def described(packed: bytes) -> tuple[int, int, list[Block]]:
    """What a struct layout says: the units written to, the end, the blocks."""
    count, written, end = HEAD.unpack_from(packed)
    blocks = [Block._make(block) for block in BLOCK.iter_unpack(packed[HEAD.size :])]
    assert len(blocks) == count
    return written, end, blocks


def assert_fits(packed: bytes) -> None:
    """No two blocks overlap or have the same key, and all lie before the end, in the order of their keys."""
    _, end, blocks = described(packed)
    by_place = sorted(blocks, key=lambda block: block.place)
    assert all(before.place + before.size <= after.place for before, after in pairwise(by_place))
    assert all(block.place >= 1 and block.place + block.size <= end for block in blocks)
    assert all(before.key < after.key for before, after in pairwise(blocks))


def pack(blocks: list[Block]) -> bytes:
    return b"".join(BLOCK.pack(*block) for block in blocks)


@st.composite
def recorded(draw: st.DrawFn) -> bytes:
    """Blocks as a recording lists them: apart from one another, each with a key of its own."""
    sizes = draw(st.dictionaries(st.integers(1, 60), st.integers(1, 4), max_size=40))
    place = 1
    blocks = []
    for key, size in sizes.items():
        place += draw(st.integers(0, 2))
        blocks.append(Block(key, place, size))
        place += size
    return pack(blocks)


touched = st.builds(Touched, *[st.sets(st.integers(0, 200))] * 3)


@given(recorded(), touched, touched)
def test_no_two_places_overlap(blocks: bytes, ordinary: Touched, others: Touched) -> None:
    packed = layout.places(blocks, 0, ordinary, others)
    assert_fits(packed)
    wanted = {block.key: block for block in map(Block._make, BLOCK.iter_unpack(blocks))}
    written, _, placed = described(packed)
    assert {block.key: block.size for block in placed} == {key: block.size for key, block in wanted.items()}
    for block in placed:
        before = wanted[block.key]
        units = range(before.place, before.place + before.size)
        assert (block.place < written) == (not ordinary.written.isdisjoint(units))


@given(recorded(), touched, touched, st.lists(recorded(), min_size=1, max_size=4))
def test_no_two_places_overlap_after_other_recordings(
    blocks: bytes, ordinary: Touched, others: Touched, recordings: list[bytes]
) -> None:
    packed = layout.places(blocks, 0, ordinary, others)
    for recording in recordings:
        made = {block.key: block for block in map(Block._make, BLOCK.iter_unpack(recording))}
        before = {block.key: block for block in described(packed)[2]}
        packed, missing = layout.settled(packed, recording)
        assert_fits(packed)
        _, _, placed = described(packed)
        assert {block.key: block.size for block in placed} == {key: block.size for key, block in made.items()}
        same = {key for key, block in made.items() if key in before and before[key].size == block.size}
        assert all(block == before[block.key] for block in placed if block.key in same)
        assert missing == len(made.keys() - same)


class Heap:
    """heap.c in this process, which records; each block is filled, and has to stay as it is until it is freed."""

    def __init__(self, library: Path, packed: bytes) -> None:
        self.library = ctypes.CDLL(str(library))
        self.start = ctypes.addressof(ctypes.c_char.in_dll(self.library, "heap_start"))
        self.live: list[tuple[int, bytes]] = []
        self.filled = 0
        self.library.start_recording(packed)

    def call(self, name: str, *arguments: int) -> int:
        """Call a function of malloc's family."""
        function = getattr(self.library, f"__wrap_{name}")
        function.restype = ctypes.c_size_t
        return int(function(*map(ctypes.c_size_t, arguments)))

    def add(self, address: int, size: int, known: bytes = b"") -> None:
        """A block that was made has to have the known bytes and zeros; fill it."""
        assert address % UNIT == 0
        assert self.start < address <= self.start + HEAP - size
        whole = -(-max(size, 1) // UNIT) * UNIT
        assert ctypes.string_at(address, whole) == known[:size].ljust(whole, b"\0")
        self.filled = self.filled % 255 + 1
        content = bytes([self.filled]) * size
        ctypes.memmove(address, content, size)
        self.live.append((address, content))

    def do(self, kind: str, size: int, which: int) -> None:
        """Make a block, free or grow one of those that there are, or begin a step."""
        if kind == "step":
            self.library.next_step()
        elif kind == "malloc":
            self.add(self.call("malloc", size), size)
        elif kind == "align":
            alignment = UNIT << which % 6
            address = self.call("aligned_alloc", alignment, size)
            assert address % alignment == 0
            self.add(address, size)
        elif self.live:
            address, content = self.live.pop(which % len(self.live))
            assert ctypes.string_at(address, len(content)) == content
            if kind == "free":
                self.call("free", address)
            else:
                self.add(self.call("realloc", address, size), size, content)

    def recorded(self) -> bytes:
        """The blocks that are left, which are all that is in the heap."""
        size = self.library.stop_recording()
        expected = bytearray(size)
        for address, content in self.live:
            expected[address - self.start : address - self.start + len(content)] = content
        assert ctypes.string_at(self.start, size) == expected
        assert not any(ctypes.string_at(self.start + size, HEAP - size))
        return b"".join(self._blocks())

    def _blocks(self) -> Iterator[bytes]:
        block = ctypes.create_string_buffer(BLOCK.size)
        place = 0
        while place := self.library.next_block(ctypes.c_size_t(place), block):
            yield block.raw


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """heap.c and the functions on it as a shared library, with a small heap."""
    folder = tmp_path_factory.mktemp("heap")
    (folder / "memory.c").write_text(HEAP_IN_C)
    wraps = [f"-Wl,--wrap={name}" for name in launcher.OVERRIDDEN]
    sources = [*(str(toolchain.HERE / name) for name in ("heap.c", "overrides_malloc.c")), str(folder / "memory.c")]
    command = ["gcc", "-shared", "-fPIC", "-O1", *wraps, f"-I{toolchain.HERE}", *sources, "-o", str(folder / "heap.so")]
    subprocess.run(command, check=True)
    return folder / "heap.so"


@pytest.mark.parametrize("seed", range(8))
def test_a_recorded_block_stays_as_it_is_until_it_is_freed(compiled: Path, tmp_path: Path, seed: int) -> None:
    def numbers() -> Random:
        return Random(seed)

    def record(library: str, packed: bytes) -> bytes:
        fresh = tmp_path / library
        shutil.copy(compiled, fresh)
        heap = Heap(fresh, packed)
        random = numbers()
        for _ in range(STEPS):
            most = random.choice([6, 60, 600]) * UNIT
            heap.do(random.choice(KINDS), random.randrange(most), random.randrange(1 << 20))
        return heap.recorded()

    random = numbers()
    ordinary, others = (Touched(*(set(random.sample(range(4000), 100)) for _ in range(3))) for _ in range(2))
    packed = layout.places(record("first.so", layout.no_places()), 0, ordinary, others)
    for library in ("second.so", "third.so"):
        packed, missing = layout.settled(packed, record(library, packed))
        assert_fits(packed)
    assert missing == 0
