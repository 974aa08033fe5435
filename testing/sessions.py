"""Run the commands of a documentation page, and compare what they print with what the page says."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from testing.blocks import Session


def perform(session: Session, folder: Path, seconds: float, before: Sequence[str] = ()) -> None:
    """Run the session's commands in the folder, behind another command, and assert that they print what the page says.

    They have to succeed within these seconds.
    """
    saved = [folder.parent / str(number) for number in range(len(session.blocks))]
    end = folder.parent / "end"
    script = folder.parent / "script"
    script.write_text(f"{written(session, saved)}\n>{end}\n")
    failure = failed([*before, "bash", str(script)], folder, seconds)
    if not failure and not end.exists():
        failure = "it ends the session before the commands behind it"
    tried = [(block, file.read_text()) for block, file in zip(session.blocks, saved, strict=True) if file.exists()]
    if failure:
        block, printed = tried.pop()
        pytest.fail(f"{block.place}: {failure}, having printed:\n{printed}")
    for block, printed in tried:
        if block.printed is not None:
            assert normal(printed) == normal(block.printed), f"{block.place} prints something else"


def written(session: Session, saved: list[Path]) -> str:
    """Write the session as a script. It saves each block's output, and copies the blocks that are files."""
    lines = ["set -eu -o pipefail"]
    for block, file in zip(session.blocks, saved, strict=True):
        if block.kind == "file":
            source = file.with_suffix(".file")
            source.write_text(block.text)
            lines.append(f"exec >{file} 2>&1; cp --remove-destination {source} {block.argument}")  # it may be a link
        else:
            lines += [f"exec >{file} 2>&1", block.text]
    return "\n".join(lines)


def failed(command: list[str], folder: Path, seconds: float) -> str:
    """Run a command and kill what it leaves behind. Return what went wrong, or nothing."""
    environ = os.environ | {"DOCKER_BUILDKIT": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"no end within {seconds:.0f} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"exit status {status}" if status else ""


VOLATILE = {
    r"[ \t]+$": "",
    r"\(\d+ ms\)": "(1 ms)",
    r'"servedBy":"[^"]*"': '"servedBy":"10.0.1.5"',
    r"\b[0-9a-f]{64}\b": "ID",
    r"^Up .* \(": "Up 5 seconds (",
}


def normal(text: str) -> str:
    """Replace what differs from run to run: times, addresses, IDs."""
    for pattern, replacement in VOLATILE.items():
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text.strip()
