"""What the program does before its snapshot is taken."""

from collections.abc import Callable

import newest
from click.testing import CliRunner


def rehearse(step: Callable[[], None]) -> None:
    """Ask for the help, some times."""
    for _ in range(20):
        step()
        CliRunner().invoke(newest.main, ["--help"])
