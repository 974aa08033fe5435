"""Run the commands that the build is made of."""

import os
import subprocess
from pathlib import Path


class BuildError(SystemExit):
    """The executable cannot be built; the text says what helps. If nothing catches it, it ends the build."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.code = f"build: {reason}"


def run(command: list[str], folder: Path | None = None) -> str:
    """Return what a command prints. Raises BuildError, with the command's own message, if it fails."""
    environ = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
