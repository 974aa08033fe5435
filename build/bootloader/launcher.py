"""Link the launcher: the C sources here, CPython, OpenSSL and zlib, in one static executable.

It can record a snapshot of a program (snapshot.py), and has none yet.

Debian ships all of it in static form but for two modules of CPython, _ssl and _hashlib, which are shared libraries
only. Those are compiled from the source package of the installed Python. Everything else is linked as Debian built it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import libraries
import linker_script
import sources
import toolchain
from commands import run
from frozen_code import frozen_c
from linker_script import Script
from toolchain import AS_CPYTHON, HERE, STRICT, compiled

FIRST = ["seal.c", "start.c"]  # their code is in the first pages of the file: see seal.c
SOURCES = [*FIRST, *sorted(file.name for file in HERE.glob("*.c") if file.name not in FIRST)]
MODULE_SOURCES = ["Modules/_ssl.c", "Modules/_hashopenssl.c"]

# The functions of libraries that the sources here override: each is defined as __wrap_NAME, at the start of a line.
OVERRIDDEN = sorted(
    {name for source in SOURCES for name in re.findall(r"(?m)^__wrap_(\w+)\(", (HERE / source).read_text())}
)

# Stripped, and without a build id, the same input gives the same bytes.
LINK = [
    "gcc", "-static", "-Wl,--build-id=none", "-Wl,--gc-sections", *(f"-Wl,--wrap={name}" for name in OVERRIDDEN),
    "-Wl,--entry=sealed_start", "-Xlinker", f"--script={HERE / 'layout.ld'}",  # -Wl would split it at a comma
    "-Wl,--trace,--trace",  # prints which files it takes, and of libraries which members
]  # fmt: skip

# The heap to record in: what the assembler reserves for it.
TO_RECORD = f'.section .snapshot_heap, "aw", @nobits\n.skip {256 << 20}'


@dataclass(frozen=True)
class Launcher:
    """A launcher without a snapshot."""

    path: Path
    inputs: list[str]  # what it is linked of
    linked: set[Path]  # the files of Debian's packages that are in it
    source: Path  # of CPython


def make_launcher(work: Path, interrupted: str, extensions: Sequence[str] = ()) -> Launcher:
    """Make the launcher in the folder `work`; `interrupted` is the line that it prints when it is interrupted.

    `extensions` names modules in C that libpython has and the program needs beside those of inittab.c, such as _csv.

    Raises BuildError.
    """
    toolchain.require_packages()
    source = sources.cpython(work)
    (work / "frozen.c").write_text(frozen_c(interrupted, extensions))
    objects = [compiled(file, work, STRICT) for file in (*(HERE / name for name in SOURCES), work / "frozen.c")]
    objects += [compiled(source / name, work, [*AS_CPYTHON, f"-I{source / 'Modules'}"]) for name in MODULE_SOURCES]
    inputs = [*map(str, objects), *(str(libraries.trimmed(library, work)) for library in libraries.LINKED), "-lm"]
    path = work / "first" / "launcher"
    path.parent.mkdir(exist_ok=True)
    trace = link(inputs, path, linker_script.UNORDERED, TO_RECORD)
    return Launcher(path, inputs, libraries.linked_files(trace, work), source)


def link(inputs: list[str], output: Path, script: Script, heap: str) -> str:
    """Link, with assembler's text for the content of the heap. Return what the linker prints. Raises BuildError."""
    folder = output.parent
    source = output.with_name("content.s")
    source.write_text(f"{heap}\n.section .note.GNU-stack\n")
    content = compiled(source, folder, ["-Xassembler", f"-I{folder}"])
    order = folder / "order.ld"
    order.write_text(script.order)
    (folder / "variables.ld").write_text(script.variables)
    options = [f"-L{folder}", "-Xlinker", f"--script={order}", "-Xlinker", f"-Map={output}.map"]
    return run([*LINK, *options, *inputs, str(content), "-o", str(output)])


def addresses(path: Path) -> set[tuple[str, int]]:
    """Return each name in an executable, with its address. Raises BuildError."""
    lines = map(str.split, run(["nm", str(path)]).splitlines())
    return {(name, int(address, 16)) for address, _, name in lines}
