"""What a process makes its own before it does more than an ordinary check.

The frozen program begins with memory that is the same in every process (build/bootloader/snapshot.c). Modules of the
library renew in a child of fork what a process must not share, such as the seed of `random`, and they do here. An
ordinary check uses none of it.
"""

from collections.abc import Callable
from importlib import import_module

renewals: list[Callable[[], object]]
try:
    renewals = import_module("_snapshot").renewals
except ImportError:
    renewals = []


def renew() -> None:
    """Do it, once."""
    while renewals:
        renewals.pop(0)()
