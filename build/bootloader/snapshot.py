"""Take the snapshot of a program, and link it into the launcher.

There are two passes. The launcher records the program, and watched runs show what they touch. Then it is linked anew in
the order of that profile, and records again, each block of the heap in its place.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import layout
import linker_script
import memory_profile
from commands import BuildError, run
from launcher import TO_RECORD, Launcher, addresses, link
from linker_script import Script
from memory_profile import Unwatched
from toolchain import HERE

MOST_RECORDINGS = 6  # each with the layout of the one before; three were enough

FEW = 1000  # one block in this many may lack a place: the effect on time is too small to measure
SLOWER = "the executable is correct, but slower than it could be"


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is recorded (recorder.py), and the runs that the layout in memory is made for."""

    archive: Path  # a PYZ
    entry_point: str  # module:function
    warm_up: Path  # a script
    files: tuple[Path, ...] = ()  # that the warm-up reads
    renews_itself: bool = False  # or else each process renews, at its start, what it must not share
    ordinary: list[list[str]]  # the arguments of runs that are to be the fastest
    others: list[list[str]]  # and of those that come next


def make_bootloader(made: Launcher, program: Program) -> Path:
    """Return the launcher with a snapshot of the program, in the same folder.

    Raises BuildError, also if the snapshot is not the same in every process.
    """
    first = made.path.parent
    (first / "layout").write_bytes(layout.no_places())
    print(record(first, program, "snapshot"), end="")
    unordered = _with_snapshot(made.inputs, linker_script.UNORDERED, first, program)
    try:
        ordinary = memory_profile.watch(unordered, program.ordinary)
        others = memory_profile.watch(unordered, program.others)
    except Unwatched as error:
        print(f"build: {error}: {SLOWER}")
        return unordered
    script = linker_script.script(linker_script.sections((first / "launcher.map").read_text()), ordinary)

    second = first.with_name("second")
    second.mkdir(exist_ok=True)
    link(made.inputs, second / "launcher", script, TO_RECORD)
    heap = dict(addresses(made.path))["heap_start"]
    settle(second, program, layout.places((first / "snapshot.blocks").read_bytes(), heap, ordinary, others))
    return _with_snapshot(made.inputs, script, second, program)


def settle(folder: Path, program: Program, places: bytes) -> None:
    """Record with one layout after another, until a layout has a place for each block. Raises BuildError."""
    for _ in range(MOST_RECORDINGS):
        (folder / "layout").write_bytes(places)
        record(folder, program, "snapshot")
        blocks = (folder / "snapshot.blocks").read_bytes()
        places, missing = layout.settled(places, blocks)
        if not missing:
            return
    number = len(blocks) // layout.BLOCK.size
    if missing * FEW > number:
        print(f"build: the layout has no place for {missing:,} of {number:,} blocks of the heap: {SLOWER}")


def _with_snapshot(inputs: list[str], script: Script, folder: Path, program: Program) -> Path:
    """Let the folder's launcher record its snapshot once more, and return the launcher with that linked in.

    Raises BuildError if the two differ. Each process has other addresses for what is not linked (address space layout
    randomization), another time and another number, and none of that belongs into a snapshot.
    """
    record(folder, program, "another")
    for part in ("variables", "heap"):
        if (folder / f"snapshot.{part}").read_bytes() != (folder / f"another.{part}").read_bytes():
            raise BuildError(f"the snapshot is another one in each process (its {part}); see snapshot.c")
    filled = folder / "filled"
    link(inputs, filled, script, '.section .snapshot_heap, "aw", @progbits\n.incbin "snapshot.heap"')
    if _before_the_end(filled) != _before_the_end(folder / "launcher"):
        raise BuildError("the linker puts things elsewhere when the snapshot is there; see layout.ld")
    output = folder / "bootloader"
    variables = f".variables={folder / 'snapshot.variables'}"
    run(["objcopy", "--strip-all", "--update-section", variables, str(filled), str(output)])
    return output


def _before_the_end(path: Path) -> set[tuple[str, int]]:
    """Return the names and addresses of an executable, but for those at the end of its heap, which is its own end."""
    return {(name, address) for name, address in addresses(path) if name not in ("heap_end", "_end")}


def record(folder: Path, program: Program, name: str) -> str:
    """Let the folder's launcher record a snapshot, in files of that name. Raises BuildError.

    Return what it prints: which modules cannot be imported.

    The paths of files are relative to the folder, so that they are the same wherever that is.
    """
    files = [folder / name, folder / "layout", HERE / "recorder.py", program.archive]
    paths, more = (
        [os.path.relpath(file, folder) for file in group] for group in (files, [program.warm_up, *program.files])
    )
    renewal = str(int(program.renews_itself))
    command = [str(folder / "launcher"), "--record", *paths, program.entry_point, renewal, *more]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=memory_profile.LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"the warm-up of the program did not end within {error.timeout:g} seconds") from None
    if done.returncode:
        raise BuildError(f"the launcher took no snapshot of the program: {done.stderr.decode().strip()}")
    return done.stderr.decode()
