"""What the fuzzer begins with: the cases of the tests, as bytes for its targets, and those it has found itself."""

from pathlib import Path

from tests.probe.test_cli import BAD, SPELLED
from tests.probe.test_hot import VALUES
from tests.probe.test_reply import REPLIES

CORPUS = Path(__file__).parent / "corpus"


def _argument_list(arguments: list[str], environ: dict[str, str]) -> bytes:
    variables = "\0".join(f"{name}={value}" for name, value in environ.items())
    return ("\0".join(arguments) + "\n" + variables).encode("utf-8", "surrogateescape")


SEEDS = {
    "reply": [b"\0" + data for data, _ in REPLIES.values()],
    "arguments": [
        *(_argument_list(arguments, {}) for arguments in SPELLED.values()),
        *(_argument_list(arguments, environ) for arguments, environ, _ in BAD.values()),
    ],
    "texts": [text.encode() for text in VALUES],
}


def found(name: str) -> dict[str, bytes]:
    """What the fuzzer has found for a target, by the files' names."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / name).iterdir()) if path.name != ".gitkeep"}
