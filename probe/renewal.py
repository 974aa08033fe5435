"""The renewal of what a process must not share with another one.

The executable begins with memory that is the same in every process (build/bootloader/snapshot.c). Modules of the
library renew in a child of fork what it must not share, such as the seed of `random`. The executable calls the same
functions. An ordinary check needs none of them.
"""

from collections.abc import Callable
from importlib import import_module

renewals: list[Callable[[], object]]
try:
    renewals = import_module("_snapshot").renewals
except ImportError:
    renewals = []


def renew() -> None:
    """Call each renewal once."""
    while renewals:
        renewals.pop(0)()
