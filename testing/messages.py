"""The messages in the sources, to be looked for where they are documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from testing.project import ROOT

WORDS = re.compile(r"[A-Za-z]+ [a-z]+")  # what has none of these is no message: a name, a format, a type


def of_python(*patterns: str, without: str = "") -> list[str]:
    """The texts with words in them, as they stand in the code, with `{}` for what is put in; docstrings are none.

    The file named by `without` is left out.
    """
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.name != without]
    texts = [text for path in paths for text in _texts(path)]
    return sorted({text for text in texts if WORDS.search(text)})


def of_c(*patterns: str) -> list[str]:
    """What C says by `say` and `fail`, and a line that is defined: without its end."""
    spoken = re.compile(r'(?:\b(?:say|fail)\([^";]*|#define DAMAGED )"([^"]+?)(?:\\n)?"')
    return sorted(
        {text for pattern in patterns for path in ROOT.glob(pattern) for text in spoken.findall(path.read_text())}
    )


def is_said(text: str, where: str) -> bool:
    """Whether one of the lines has the text, with anything in the place of `{}`."""
    return bool(re.search(".*".join(re.escape(part) for part in text.strip().split("{}")), where))


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
