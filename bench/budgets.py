"""`make budgets`: what a check may cost, and how late it may end.

Prints each figure with its limit, and ends with 1 where one is exceeded.

Time is compared in one run and in turn, as a ratio: seconds would tell of the machine. Instructions are the same on
every run, and the limits leave room for another Python or compiler, not for another design.

BINARY is the only argument: the executable.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from bench import checks
from bench.contenders import Targets, busybox, curl, ours, unpacked
from bench.measure import Command, Cost, Meter, instructions, spread
from tests.deadlines import busy

ROUNDS = {"of curl": 100, "of one-file": 12, "of busybox": 100, "late": 3}

# Wall, and CPU where that is given too, as a ratio to the rival on the same path.
ORDINARY = 0.3
OF_CURL = {"help": 0.6, "https": 0.85}
OF_BUSYBOX = 1.45
OF_ONE_FILE = 0.01
INSTRUCTIONS = {"healthy": 0.45, "503": 0.55, "refused": 0.55, "URL": 0.55, "help": 10.0, "https": 20.0}  # millions
PEAK_MEMORY = 8.0  # MB
PAGE_FAULTS = 160.0  # with the pages that are copied at once
SIZE = 32.0  # MB
LATE = 100.0  # ms from the timeout to the end, the process's start included, with more processes at work than cores
TIMEOUTS = {"http": [600], "https": [1, 10, 30, 60, 600]}  # ms; the short ones end within the start


class Budget(NamedTuple):
    """A figure, and what it may be at most."""

    what: str
    figure: float
    limit: float


def medians(costs: list[Cost]) -> Cost:
    """Of each figure."""
    return Cost(*(spread(figures).median for figures in zip(*costs, strict=True)))


def budgets(binary: Path, targets: Targets, meter: Meter) -> Iterator[Budget]:
    """Every budget, with its figure of now."""
    probe = ours("healthchecker", binary).commands(targets)
    rival = curl().commands(targets)
    for path in ("healthy", "503", "refused", "URL"):
        found = meter.in_turn({"ours": probe[path], "curl": rival[path]}, ROUNDS["of curl"])
        mine, theirs = medians(found["ours"]), medians(found["curl"])
        yield Budget(f"{path}: wall, of curl's {theirs.wall * 1000:.1f} ms", mine.wall / theirs.wall, ORDINARY)
        yield Budget(f"{path}: CPU, of curl's {theirs.cpu * 1000:.1f} ms", mine.cpu / theirs.cpu, ORDINARY)
        if path == "healthy":
            yield Budget("healthy: peak memory, MB", mine.memory / 1e6, PEAK_MEMORY)
            yield Budget("healthy: page faults", mine.faults, PAGE_FAULTS)

    one_file = ours("one-file", unpacked("onefile")).commands(targets)["healthy"]
    found = meter.in_turn({"ours": probe["healthy"], "one-file": one_file}, ROUNDS["of one-file"])
    theirs = medians(found["one-file"])
    ratio = medians(found["ours"]).wall / theirs.wall
    yield Budget(f"healthy: wall, of one-file's {theirs.wall * 1000:.0f} ms", ratio, OF_ONE_FILE)

    for path, limit in OF_CURL.items():
        found = meter.in_turn({"ours": probe[path], "curl": rival[path]}, ROUNDS["of curl"])
        theirs = medians(found["curl"])
        ratio = medians(found["ours"]).wall / theirs.wall
        yield Budget(f"{path}: wall, of curl's {theirs.wall * 1000:.1f} ms", ratio, limit)

    found = meter.in_turn(
        {"ours": probe["healthy"], "busybox": busybox().commands(targets)["healthy"]}, ROUNDS["of busybox"]
    )
    theirs = medians(found["busybox"])
    ratio = medians(found["ours"]).wall / theirs.wall
    yield Budget(f"healthy: wall, of busybox wget's {theirs.wall * 1000:.1f} ms", ratio, OF_BUSYBOX)

    for path, limit in INSTRUCTIONS.items():
        yield Budget(f"{path}: instructions, millions", instructions(probe[path]) / 1e6, limit)
    yield Budget("size, MB", binary.stat().st_size / 1e6, SIZE)


def lateness(binary: Path, targets: Targets, meter: Meter) -> Iterator[Budget]:
    """How late a check ends whose server says nothing: the best of several, for the cores are busy."""
    with busy():
        for scheme, timeouts in TIMEOUTS.items():
            for timeout in timeouts:
                words = [str(binary), f"{scheme}://127.0.0.1:{targets.silent}/", "-k", f"-t={timeout}ms"]
                ended = min(meter.run(Command(words, 1)).wall for _ in range(ROUNDS["late"]))
                yield Budget(f"{scheme}: late, ms beyond {timeout}", ended * 1000 - timeout, LATE)


def main() -> None:
    """Print the figures with their limits."""
    exceeded = False
    with checks.targets() as targets:
        measured = (Path(sys.argv[1]).resolve(), targets, Meter())
        for budget in chain(budgets(*measured), lateness(*measured)):
            over = budget.figure > budget.limit
            exceeded = exceeded or over
            print(f"{budget.what:48} {budget.figure:8.4g}   at most {budget.limit:g}{'   EXCEEDED' if over else ''}")
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
