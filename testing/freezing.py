"""Freeze a program by PyInstaller: the bootloader serves others than healthchecker."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
DRAWING = PROGRAMS / "drawing.py"
SECOND = PROGRAMS / "second"


def pyinstaller(folder: Path, *arguments: str) -> None:
    """Run PyInstaller with these arguments, and put the executable into the folder."""
    command = [str(Path(sys.executable).parent / "pyinstaller"), "--log-level=ERROR", f"--workpath={folder / 'build'}"]
    environ = os.environ | {"WORK": str(folder / "work")}
    subprocess.run([*command, f"--distpath={folder}", *arguments], check=True, env=environ, timeout=600, cwd=folder)
