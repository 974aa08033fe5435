"""Find out which memory a program touches in some runs.

lackey, a tool of valgrind, runs the program and prints each access to memory.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import fdopen, pipe
from pathlib import Path
from shutil import which
from signal import SIGKILL
from threading import Timer

from commands import BuildError

UNIT = 16  # bytes: what memory is counted in, as in heap.c

CHUNK = 1 << 20  # bytes
LONGEST = 600.0  # seconds: a watched run takes some, more on a busy or an emulated machine
FEWEST = 1000  # different lines of a run: with fewer, valgrind did not run the program


@dataclass(frozen=True)
class Touched:
    """The units of memory that some runs wrote to, read, and executed, by number."""

    written: set[int]
    read: set[int]
    executed: set[int]

    @property
    def all(self) -> set[int]:
        """Return the units that were touched in any way."""
        return self.written | self.read | self.executed


class Unwatched(Exception):
    """The runs of a program cannot be watched on this machine."""


def watch(program: Path, runs: list[list[str]]) -> Touched:
    """Return what the program touches in any of the runs, each a list of arguments. It runs in its own folder.

    Raises Unwatched, and BuildError if a run does not end.
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
    """Return the different lines that lackey prints of a run. Raises Unwatched, and BuildError if it does not end."""
    reading, writing = pipe()
    with fdopen(reading, "rb", buffering=0) as trace:
        with fdopen(writing, "wb", buffering=0):
            running = _start(program, arguments, writing)
        limit = Timer(LONGEST, running.kill)
        limit.start()
        lines: set[bytes] = set()
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


def _start(program: Path, arguments: list[str], log: int) -> "subprocess.Popen[bytes]":
    """Start a run that lackey watches, and that it prints to the file descriptor."""
    # Debian's command is a shell script, by which the program would get its folder as PWD.
    valgrind = which("valgrind.bin") or "valgrind"
    return subprocess.Popen(
        [valgrind, "--tool=lackey", "--trace-mem=yes", f"--log-fd={log}", f"./{program.name}", *arguments],
        cwd=program.parent,
        env={},
        pass_fds=[log],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
