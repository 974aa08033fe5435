"""Measure a healthy check by executables of the project's history.

    python -m bench.steps NAME=FILE...      writes docs/bench/steps.json, in the order of the arguments

`make bench` draws these figures and does not measure them: the executables are built from older sources, which
docs/bench/notes.md names.
"""

import json
import sys
import time
from pathlib import Path

from bench import checks
from bench.competitors import ours
from bench.footprint import traced
from bench.measure import MeasureError, Meter, instructions, spread
from bench.report import STEPS

ROUNDS = 60


def measured(programs: dict[str, Path]) -> dict[str, object]:
    """Return the figures of each program, which take turns. Raises MeasureError."""
    with checks.targets() as targets:
        commands = {name: ours(name, program).commands(targets)["healthy"] for name, program in programs.items()}
        costs = Meter().in_turn(commands, ROUNDS)
        return {
            name: {
                "wall": spread(cost.wall for cost in costs[name])._asdict(),
                "faults": spread(cost.faults for cost in costs[name]).median - traced(command).populated,
                "instructions": instructions(command),
            }
            for name, command in commands.items()
        }


def main() -> None:
    """Measure and write."""
    programs = {name: Path(file).resolve() for name, _, file in (word.rpartition("=") for word in sys.argv[1:])}
    try:
        steps = measured(programs)
    except MeasureError as error:
        sys.exit(f"bench: {error}")
    STEPS.write_text(json.dumps({"date": time.strftime("%Y-%m-%d"), "steps": steps}, indent=1) + "\n")


if __name__ == "__main__":
    main()
