"""The messages in the sources, for tests that look for them in the documentation."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from testing.project import ROOT

WORDS = re.compile(r"[A-Za-z]+ [a-z]+")  # a text without two words is no message but a name, a format or a type


def of_python(*patterns: str, without: str = "") -> list[str]:
    """Return the messages in the modules that match the patterns, but docstrings, with `{}` for what is inserted.

    The file with the name `without` is left out.
    """
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.name != without]
    texts = [text for path in paths for text in _texts(path)]
    return sorted({text for text in texts if WORDS.search(text)})


def of_c(*patterns: str) -> list[str]:
    """Return what C sources print by `say` and `fail`, and the line DAMAGED, without the line feed."""
    spoken = re.compile(r'(?:\b(?:say|fail)\([^";]*|#define DAMAGED )"([^"]+?)(?:\\n)?"')
    return sorted(
        {text for pattern in patterns for path in ROOT.glob(pattern) for text in spoken.findall(path.read_text())}
    )


def is_in(text: str, page: str) -> bool:
    """Tell whether a line of the page has the message, with anything in place of `{}`."""
    return bool(re.search(".*".join(re.escape(part) for part in text.strip().split("{}")), page))


def _texts(path: Path) -> Iterator[str]:
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # a docstring
            waiting += ast.iter_child_nodes(node)
