"""What a PyInstaller spec needs beside PyInstaller's own to make a static executable that unpacks nothing."""

import fcntl
import os
import shutil
import sys
import zlib
from contextlib import suppress
from pathlib import Path

from frozen_code import bare
from PyInstaller.building.api import EXE, PYZ
from PyInstaller.building.utils import get_code_object
from PyInstaller.config import CONF
from PyInstaller.depend import analysis
from PyInstaller.depend.analysis import get_bootstrap_modules
from seal import seal

Module = tuple[str, str, str]  # an entry of PyInstaller's tables: the name, the file, the kind

analysis.PY3_BASE_MODULES.clear()  # otherwise kept out of the PYZ, for base_library.zip, which is unpacked

NO_DATA = 'DATA = b""'  # the line of a shim that is filled in


def begin(work: Path) -> Path:
    """Make the folder `work` ready for a build, and return the folder for the bootloader in it.

    A second build in the same folder waits until the first has ended.
    """
    _fix_hashes()
    work.mkdir(parents=True, exist_ok=True)
    _wait_for_turn(work)
    _move_pyinstaller_to(work / "pyinstaller")
    bootloader = work / "bootloader"
    bootloader.mkdir(exist_ok=True)
    return bootloader


def _fix_hashes() -> None:
    """Start this process again if Python's hashes are random.

    Sets among the constants are written in the order of their hashes, so two builds would differ.
    """
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606


def _wait_for_turn(work: Path) -> None:
    """Hold the folder's lock until this process ends."""
    lock = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"build: waiting for another build in {work} to end", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _move_pyinstaller_to(folder: Path) -> None:
    """Let PyInstaller work in the folder, which is emptied: what an earlier build leaves there changes the next one.

    It has made its default by now, build/NAME. That must go, since build/ may hold sources.
    """
    with suppress(OSError):
        Path(CONF["workpath"]).rmdir()
        Path(CONF["workpath"]).parent.rmdir()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    CONF["workpath"] = str(folder)
    CONF["warnfile"] = str(folder / "warnings.txt")
    CONF["xref-file"] = str(folder / "imports.html")


def shim(folder: Path, name: str, data: str) -> Module:
    """Return the entry of a module that a shim in the folder replaces, with the text as its DATA, compressed."""
    source = folder / f"{name.replace('.', '_')}.py"
    filled = Path(CONF["workpath"]) / source.name
    filled.write_text(source.read_text().replace(NO_DATA, f"DATA = {zlib.compress(data.encode(), 9)!r}"))
    return name, str(filled), "PYMODULE-2"


def with_codecs(modules: list[Module], codecs: list[str]) -> list[Module]:
    """Return the modules without Python's codecs, of which PyInstaller takes all, but for those that are listed."""
    return [module for module in modules if module[0] in codecs or not module[0].startswith("encodings.")]


class BareModules(PYZ):  # type: ignore[misc]
    """All modules, without what only tracebacks show, and without PyInstaller's own start-up code."""

    def assemble(self) -> None:
        """Assemble as PyInstaller does, but with code from here, and nothing beside the PYZ to read it with."""
        self.toc += [(name, path, kind) for name, path, kind in get_bootstrap_modules() if name == "struct"]
        for name, source, _ in self.toc:
            self.code_dict[name] = bare(get_code_object(name, source, optimize=2))
        super().assemble()
        self.dependencies.clear()


class StaticExecutable(EXE):  # type: ignore[misc]
    """An executable on a bootloader of this project, sealed."""

    def __init__(self, bootloader: Path, scripts: list[Module], *, name: str) -> None:
        self._ours = bootloader
        # The last script is the program's own, behind runtime hooks. Another contents directory would be packed.
        super().__init__(scripts[-1:], name=name, contents_directory=".")

    def _bootloader_file(self, *_: object) -> str:
        return str(self._ours)

    def assemble(self) -> None:
        """Assemble as PyInstaller does, and seal the file."""
        super().assemble()
        seal(Path(self.name))
