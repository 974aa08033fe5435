"""What the program does before its snapshot is taken."""

import _csv  # noqa: F401 - the spec has it linked in
from collections.abc import Callable

import newest
from click.testing import CliRunner


def warm_up(step: Callable[[], None]) -> None:
    """Ask for the help, some times."""
    for _ in range(20):
        step()
        CliRunner().invoke(newest.main, ["--help"])
