"""Where the project is, and its own files."""

import subprocess
from pathlib import Path

import tools

ROOT = tools.ROOT


def own_files() -> list[Path]:
    """List the project's files: those that git knows, and new ones that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [file for name in listed if (file := ROOT / name).is_file()]
