"""What one run of a command takes, and how several are compared: in turn, A B C A B C.

So whatever else the machine does falls on all alike. Figures are medians, with the quartiles as their spread.
"""

import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".build" / "bench"
PATIENCE = 120.0  # seconds for any one command


class MeasureError(Exception):
    """Something ran otherwise than it should, and what was measured says nothing; the text says what."""


class Command(NamedTuple):
    """What is run, and the exit status that it ends with: a run that failed for another reason measures nothing."""

    words: list[str]
    status: int = 0


class Cost(NamedTuple):
    """What one run takes: seconds, seconds, bytes of its largest process, page faults."""

    wall: float
    cpu: float
    memory: float
    faults: float


class Spread(NamedTuple):
    """The median of several figures, the quartiles around it, and of how many it is."""

    median: float
    low: float
    high: float
    number: int


def spread(figures: Iterable[float]) -> Spread:
    """Their median and quartiles."""
    ordered = sorted(figures)
    low, median, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else 3 * ordered
    return Spread(median, low, high, len(ordered))


def compiled(name: str, source: Path, *options: str, compiler: str = "gcc") -> Path:
    """A C program of bench/, built static and small."""
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
    """Runs commands one at a time, and in turn."""

    def __init__(self) -> None:
        self._meter = compiled("meter", ROOT / "bench" / "meter.c", compiler="musl-gcc")

    def run(self, command: Command) -> Cost:
        """One run's cost, its output discarded. Raises MeasureError."""
        line = subprocess.run(
            [str(self._meter), *command.words], stdout=subprocess.PIPE, env={}, check=True, timeout=PATIENCE
        ).stdout
        status, wall, cpu, memory, faults = map(int, line.split())
        if status != command.status:
            raise MeasureError(f"{' '.join(command.words)}: ended with {status}, not {command.status}")
        return Cost(wall / 1e9, cpu / 1e6, memory * 1024.0, float(faults))

    def in_turn(self, commands: Mapping[str, Command], rounds: int) -> dict[str, list[Cost]]:
        """The costs of each, run in turn so many times, after one time that does not count."""
        for command in commands.values():
            self.run(command)
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                costs[name].append(self.run(command))
        return costs


def instructions(command: Command) -> int:
    """What one run executes outside of the kernel, with all its processes, counted by valgrind. Raises MeasureError."""
    with tempfile.TemporaryDirectory() as folder:
        counting = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/%p"]
        # The signals by which Go's runtime preempts its threads end valgrind 3.19 by a failed assertion.
        environment = {"TMPDIR": folder, "GODEBUG": "asyncpreemptoff=1"}
        done = subprocess.run(
            [*counting, *command.words], capture_output=True, text=True, errors="replace", env=environment,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    counts = re.findall(r"^==\d+== Collected : (\d+)", done.stderr, re.MULTILINE)
    if done.returncode != command.status or not counts:
        raise MeasureError(f"valgrind {' '.join(command.words)}: ended with {done.returncode}")
    return sum(map(int, counts))
