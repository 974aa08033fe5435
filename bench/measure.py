"""The cost of one run of a command, and of several commands in turn: A B C A B C.

Other work of the machine affects all of them alike. Figures are medians with their quartiles.
"""

import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from testing.project import ROOT

WORK = ROOT / ".build" / "bench"
PATIENCE = 120.0  # seconds for any one command


class MeasureError(Exception):
    """A command did not do what was expected, so its figures mean nothing. The text says what happened."""


class Command(NamedTuple):
    """A command line and its expected exit code. Any other exit code makes the figures meaningless."""

    words: list[str]
    status: int = 0


class Cost(NamedTuple):
    """The cost of one run: seconds, seconds, bytes of its largest process, page faults."""

    wall: float
    cpu: float
    memory: float
    faults: float


class Spread(NamedTuple):
    """The median of several figures, their quartiles, and their number."""

    median: float
    low: float
    high: float
    number: int


def spread(figures: Iterable[float]) -> Spread:
    """Return the median and the quartiles."""
    ordered = sorted(figures)
    low, median, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else 3 * ordered
    return Spread(median, low, high, len(ordered))


def compiled(name: str, source: Path, *options: str, compiler: str = "gcc") -> Path:
    """Build a small static C program of bench/."""
    WORK.mkdir(parents=True, exist_ok=True)
    program = WORK / name
    command = [
        compiler,
        "-static",
        "-Os",
        "-s",
        "-Wall",
        "-Wextra",
        "-Werror",
        *options,
        "-o",
        str(program),
        str(source),
    ]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return program


class Meter:
    """Run commands one at a time, or several in turn."""

    def __init__(self) -> None:
        self._meter = compiled("meter", ROOT / "bench" / "meter.c", compiler="musl-gcc")

    def run(self, command: Command) -> Cost:
        """Return the cost of one run, and discard its output. Raises MeasureError."""
        line = subprocess.run(
            [str(self._meter), *command.words], stdout=subprocess.PIPE, env={}, check=True, timeout=PATIENCE
        ).stdout
        status, wall, cpu, memory, faults = map(int, line.split())
        if status != command.status:
            raise MeasureError(f"{' '.join(command.words)}: ended with {status}, not {command.status}")
        return Cost(wall / 1e9, cpu / 1e6, memory * 1024.0, float(faults))

    def in_turn(self, commands: Mapping[str, Command], rounds: int) -> dict[str, list[Cost]]:
        """Return the costs of this many rounds, after one that does not count. Raises MeasureError."""
        for command in commands.values():
            self.run(command)
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                costs[name].append(self.run(command))
        return costs


def instructions(command: Command) -> int:
    """Count the instructions of one run outside the kernel, by valgrind, in all its processes. Raises MeasureError."""
    with tempfile.TemporaryDirectory() as folder:
        counting = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/%p"]
        # Go's runtime preempts its threads by signals, on which an assertion of valgrind 3.19 fails.
        environment = {"TMPDIR": folder, "GODEBUG": "asyncpreemptoff=1"}
        done = subprocess.run(
            [*counting, *command.words], capture_output=True, text=True, errors="replace", env=environment,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    counts = re.findall(r"^==\d+== Collected : (\d+)", done.stderr, re.MULTILINE)
    if done.returncode != command.status or not counts:
        raise MeasureError(f"valgrind {' '.join(command.words)}: ended with {done.returncode}")
    return sum(map(int, counts))
