"""What a spec of PyInstaller's needs beside PyInstaller's own to make one static executable that never unpacks."""

import os
import sys
from pathlib import Path

import link
from PyInstaller.building.api import EXE, PYZ
from PyInstaller.building.utils import get_code_object
from PyInstaller.depend import analysis
from PyInstaller.depend.analysis import get_bootstrap_modules
from seal import seal

analysis.PY3_BASE_MODULES.clear()  # otherwise kept out of the PYZ, for base_library.zip, which is unpacked


def require_fixed_hashes() -> None:
    """Begin anew where Python's hashes are random.

    Sets among the constants are written in the order of their hashes: were those random, no two builds were the same.
    """
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606


class BareModules(PYZ):  # type: ignore[misc]
    """All modules, without what only tracebacks show, and nothing of PyInstaller's own start-up code."""

    def assemble(self) -> None:
        """As PyInstaller does it, with the code given, and with what it would put beside the PYZ to read that by."""
        self.toc += [(name, path, kind) for name, path, kind in get_bootstrap_modules() if name == "struct"]
        for name, source, _ in self.toc:
            self.code_dict[name] = link.bare(get_code_object(name, source, optimize=2))
        super().assemble()
        self.dependencies.clear()


class StaticExecutable(EXE):  # type: ignore[misc]
    """An executable on a bootloader of ours, sealed."""

    def __init__(self, bootloader: Path, *parts: object, name: str) -> None:
        self._ours = bootloader
        super().__init__(*parts, name=name, contents_directory=".")  # or an option would be packed

    def _bootloader_file(self, *_: object) -> str:
        return str(self._ours)

    def assemble(self) -> None:
        """As PyInstaller does it, and the seal behind it."""
        super().assemble()
        seal(Path(self.name))
