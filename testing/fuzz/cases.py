"""The fuzzer's first inputs: cases of the tests, as bytes for its targets, and what it has found before.

The fuzzer writes what it finds to files. Keep them as test cases: python -m testing.fuzz.cases TARGET FILE...
"""

import ast
import sys
from pathlib import Path

from testing.arguments import EQUIVALENT, MISTAKES, VALUES
from testing.responses import RESPONSES

CORPUS = Path(__file__).parent / "corpus"


def _argument_list(arguments: list[str], environ: dict[str, str]) -> bytes:
    variables = "\0".join(f"{name}={value}" for name, value in environ.items())
    return ("\0".join(arguments) + "\n" + variables).encode("utf-8", "surrogateescape")


SEEDS = {
    "response": [b"\0" + data for data, _ in RESPONSES.values()],
    "arguments": [
        *(_argument_list(arguments, {}) for arguments in EQUIVALENT.values()),
        *(_argument_list(arguments, environ) for arguments, environ, _ in MISTAKES.values()),
    ],
    "texts": [text.encode() for text in VALUES],
}


def found(name: str) -> list[bytes]:
    """Return what the fuzzer has found for a target."""
    return [ast.literal_eval(line) for line in (CORPUS / f"{name}.txt").read_text().splitlines()]


def keep(name: str, files: list[str]) -> None:
    """Add the contents of these files to what was found for the target."""
    cases = {*found(name), *(Path(file).read_bytes() for file in files)}
    (CORPUS / f"{name}.txt").write_text("".join(f"{case!r}\n" for case in sorted(cases)))


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2:])
