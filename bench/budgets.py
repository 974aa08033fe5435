"""Compare the costs of a check with their budgets: `make budgets`.

    python -m bench.budgets BINARY

Prints each figure with its limit. The exit code is 1 if one is exceeded.

Times are ratios of programs that run in turn, because seconds depend on the machine. They are those of the quickest
runs, because other work of the machine only adds time. Instructions are the same in each run: their limits leave room
for another Python or compiler, not for another design.
"""

import gzip
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from bench import checks
from bench.competitors import Targets, busybox, curl, ours, unpacked
from bench.footprint import traced
from bench.measure import Command, Cost, MeasureError, Meter, instructions
from testing.deadlines import busy

ROUNDS = 100
ONE_FILE_ROUNDS = 12
LATE_ROUNDS = 3
ATTEMPTS = 5

# Wall time as a ratio to another program's.
ORDINARY = 0.22  # to curl's on the same path; CPU time likewise
OF_CURL = {"help": ("help", 0.6), "mistake": ("help", 0.6), "https": ("https", 0.8), "insecure": ("insecure", 0.8),
           "untrusted": ("untrusted", 0.45)}  # fmt: skip
OF_BUSYBOX = 1.45
OF_ONE_FILE = 0.01

INSTRUCTIONS = {"healthy": 0.45, "503": 0.55, "refused": 0.55, "URL": 0.55, "help": 10.0, "https": 20.0}  # millions
PEAK_MEMORY = 8.0  # MB
PAGE_FAULTS = 110.0  # exceptions: without the pages that are populated by one system call
SIZE = 24.0 if sys.version_info < (3, 13) else 28.0  # MB; OpenSSL 3.5 and CPython 3.13 have 3 MB more of code and data
PACKED = 8.0  # MB, as gzip packs it for a registry
LATE = 100.0  # ms from the timeout to the end, including the start, with more busy processes than cores
TIMEOUTS = {"http": [600], "https": [1, 10, 30, 60, 600]}  # ms; the short ones end within the start


class Budget(NamedTuple):
    """A figure and its limit."""

    what: str
    figure: float
    limit: float


def quickest(costs: list[Cost]) -> Cost:
    """Return the first decile of each figure."""
    return Cost(*(sorted(figures)[len(figures) // 10] for figures in zip(*costs, strict=True)))


class Pair(NamedTuple):
    """Two commands that run in turn, and the limits for the ratio of their times."""

    what: str
    mine: Command
    other: Command
    wall: float
    cpu: float | None = None
    rounds: int = ROUNDS

    def budgets(self, meter: Meter) -> Iterator[Budget]:
        """Measure both."""
        found = meter.in_turn({"mine": self.mine, "other": self.other}, self.rounds)
        mine, other = quickest(found["mine"]), quickest(found["other"])
        yield Budget(f"{self.what}, {other.wall * 1000:.1f} ms: wall", mine.wall / other.wall, self.wall)
        if self.cpu is not None:
            yield Budget(f"{self.what}, {other.cpu * 1000:.1f} ms: CPU", mine.cpu / other.cpu, self.cpu)


def pairs(binary: Path, targets: Targets) -> Iterator[Pair]:
    """List the pairs of commands."""
    probe = ours("healthchecker", binary).commands(targets)
    of_curl = curl().commands(targets)
    one_file = ours("one-file", unpacked("onefile")).commands(targets)
    for path in ("healthy", "503", "refused", "URL"):
        yield Pair(f"{path}, of curl's", probe[path], of_curl[path], ORDINARY, ORDINARY)
    for path, (of, limit) in OF_CURL.items():
        yield Pair(f"{path}, of curl's {of}", probe[path], of_curl[of], limit)
    yield Pair("healthy, of busybox wget's", probe["healthy"], busybox().commands(targets)["healthy"], OF_BUSYBOX)
    yield Pair("healthy, of one-file's", probe["healthy"], one_file["healthy"], OF_ONE_FILE, rounds=ONE_FILE_ROUNDS)


def times(binary: Path, targets: Targets, meter: Meter) -> Iterator[Budget]:
    """Measure each pair. Repeat it if a limit is exceeded: other processes can add to a time."""
    for pair in pairs(binary, targets):
        for _ in range(ATTEMPTS):
            measured = list(pair.budgets(meter))
            if all(budget.figure <= budget.limit for budget in measured):
                break
        yield from measured


def needs(binary: Path, targets: Targets, meter: Meter) -> Iterator[Budget]:
    """Measure what a check costs apart from time, and the size of the executable."""
    probe = ours("healthchecker", binary).commands(targets)
    for path, limit in INSTRUCTIONS.items():
        yield Budget(f"{path}: instructions, millions", instructions(probe[path]) / 1e6, limit)
    cost = quickest(meter.in_turn({"healthy": probe["healthy"]}, ROUNDS)["healthy"])
    trace = traced(probe["healthy"])
    yield Budget("healthy: page faults", cost.faults - trace.populated, PAGE_FAULTS)
    yield Budget("healthy: peak memory, MB", cost.memory / 1e6, PEAK_MEMORY)
    yield Budget("healthy: bytes written", trace.written, 0)
    yield Budget("healthy: processes started", trace.processes, 0)
    content = binary.read_bytes()
    yield Budget("size, MB", len(content) / 1e6, SIZE)
    yield Budget("size as gzip packs it, MB", len(gzip.compress(content)) / 1e6, PACKED)


def lateness(binary: Path, targets: Targets, meter: Meter) -> Iterator[Budget]:
    """Measure how late a check of a silent server ends, at best: the cores are busy."""
    with busy():
        for scheme, timeouts in TIMEOUTS.items():
            for timeout in timeouts:
                words = [str(binary), f"{scheme}://127.0.0.1:{targets.silent}/", "-k", f"-t={timeout}ms"]
                ended = min(meter.run(Command(words, 1)).wall for _ in range(LATE_ROUNDS))
                yield Budget(f"{scheme}: late, ms beyond {timeout}", ended * 1000 - timeout, LATE)


def main() -> None:
    """Print the figures with their limits."""
    exceeded = False
    try:
        with checks.targets() as targets:
            measured = (Path(sys.argv[1]).resolve(), targets, Meter())
            for budget in chain(times(*measured), needs(*measured), lateness(*measured)):
                over = budget.figure > budget.limit
                exceeded = exceeded or over
                print(
                    f"{budget.what:48} {budget.figure:8.4g}   at most {budget.limit:g}{'   EXCEEDED' if over else ''}",
                    flush=True,
                )
    except MeasureError as error:
        sys.exit(f"budgets: {error}")
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
