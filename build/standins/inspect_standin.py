"""Takes inspect's place in the executable, until more of it is used than the four functions that click asks for.

The original brings Python's own grammar with it, to read source.
"""

import sys
from types import FrameType, FunctionType

GENERATOR = 0x20  # CO_GENERATOR, of the flags of a code object (Python's library reference, inspect)


def __getattr__(name: str) -> object:
    import inspect_in_full

    return getattr(inspect_in_full, name)


def cleandoc(doc: str) -> str:
    """A docstring without the indentation of its source, nor empty lines around it (PEP 257)."""
    first, *rest = doc.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    lines = [first.lstrip(), *(line[margin:] for line in rest)]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines)


def currentframe() -> FrameType:
    """The caller's frame."""
    return sys._getframe(1)


def isfunction(value: object) -> bool:
    """Whether it is a function written in Python."""
    return isinstance(value, FunctionType)


def isgeneratorfunction(value: object) -> bool:
    """Whether it is a function whose calls are generators."""
    return isinstance(value, FunctionType) and bool(value.__code__.co_flags & GENERATOR)
