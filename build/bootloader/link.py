"""Makes the bootloader: the launcher, CPython, OpenSSL and zlib in one static executable.

Debian ships all of it in static form but for two modules of CPython's, _ssl and _hashlib, which are shared libraries
only. Those are compiled here from the source package of the installed Python. Everything else is linked as Debian
built it.

    link.py --missing           names the Debian packages that have to be installed first
    link.py --flags             names the flags for gcc that the sources here are compiled with
    link.py --source FOLDER     fetches the source package, to the folder that the build will look for it in
    link.py --publish FOLDER    writes to it what is to be published beside the executable: the source of its glibc
"""

import json
import marshal
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import NamedTuple

import debian
from debian import BuildError, run

HERE = Path(__file__).resolve().parent

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
INCLUDE = Path(sysconfig.get_path("include"))
LIBRARIES = Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH"))
LIBPYTHON = Path(str(sysconfig.get_config_var("LIBPL"))) / f"libpython{VERSION}.a"
PYTHON_PACKAGE = f"libpython{VERSION}-dev"

# What the build uses, and the Debian package that has it. A name without a folder is a command.
NEEDED: dict[str, list[str | Path]] = {
    "gcc": ["gcc"],
    "binutils": ["ld", "objcopy"],
    "dpkg-dev": ["dpkg-source"],
    "libc6-dev": [LIBRARIES / "libc.a"],
    PYTHON_PACKAGE: [LIBPYTHON, INCLUDE / "Python.h", INCLUDE / "internal" / "pycore_hashtable.h"],
    "libssl-dev": [LIBRARIES / "libssl.a", LIBRARIES / "libcrypto.a", Path("/usr/include/openssl/ssl.h")],
    "zlib1g-dev": [LIBRARIES / "libz.a"],
    "libbluetooth-dev": [Path("/usr/include/bluetooth/bluetooth.h")],  # for a header that _ssl.c's socketmodule.h wants
}

SOURCES = ["seal.c", "launcher.c", "signals.c", "inittab.c", "without_zstd.c"]
MODULE_SOURCES = ["Modules/_ssl.c", "Modules/_hashopenssl.c"]

FLAGS = ["-c", "-O2", "-fwrapv", "-DNDEBUG", f"-I{HERE}"]
STRICT = [
    "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Wwrite-strings", "-Werror", "-isystem", str(INCLUDE),
]  # fmt: skip
AS_CPYTHON = ["-w", "-DPy_BUILD_CORE_BUILTIN", f"-I{INCLUDE}", f"-I{INCLUDE / 'internal'}"]

FIRST_HEAP = 8 * 1024 * 1024  # bytes for the first snapshot, which tells how many of them are used

LINKED = [LIBPYTHON, *(LIBRARIES / name for name in ("libssl.a", "libcrypto.a", "libz.a", "libc.a"))]
# Functions of these that launcher.c and snapshot.c have another one for.
WRAPPED = ["getaddrinfo", "__register_frame_info", "malloc", "calloc", "realloc", "free", "pthread_self", "shmget"]
# Stripped, and without a build id, the same input gives the same bytes.
LINK = [
    "gcc", "-static", "-s", "-Wl,--build-id=none", "-Wl,--gc-sections", *(f"-Wl,--wrap={name}" for name in WRAPPED),
    "-Wl,--entry=sealed_start", f"-Wl,--script={HERE / 'layout.ld'}",
    "-Wl,--trace,--trace",  # says which files it takes, and of libraries which members
]  # fmt: skip

# The import system itself, which CPython has frozen too, and what it, the full interpreter's start and the archive's
# loader import before the archive can be read.
IMPORT_SYSTEM = {
    "_frozen_importlib": "importlib._bootstrap",
    "_frozen_importlib_external": "importlib._bootstrap_external",
}
EARLY = ["abc", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "io", "struct"]
OURS = ["archive", "rehearsal"]
FIRST_STAGE = "probe.hot"

# Prints the modules in a folder that one of them imports, each behind those that it imports itself. It imports nothing
# that is not frozen into every interpreter, and finds nothing outside the folder.
RECORDER = """
import sys
from importlib.machinery import FileFinder, SourceFileLoader
loaded = []
class Recorder(SourceFileLoader):
    def exec_module(self, module):
        super().exec_module(module)
        loaded.append(module.__name__)
sys.path[:] = sys.argv[2:]
sys.path_hooks.insert(0, FileFinder.path_hook((Recorder, [".py"])))
__import__(sys.argv[1])
print(*loaded)
"""


def missing() -> list[str]:
    """The Debian packages that have to be installed for the build."""
    return [package for package, files in NEEDED.items() if not all(map(_is_there, files))]


def _is_there(needed: str | Path) -> bool:
    return shutil.which(needed) is not None if isinstance(needed, str) else needed.exists()


class Bootloader(NamedTuple):
    """The launcher with CPython linked in."""

    path: Path
    linked: set[Path]  # the files of Debian's packages that are in it
    source: Path  # of CPython


def bootloader(work: Path, packages: Path) -> Bootloader:
    """Make the bootloader in the folder `work`, from the modules in the folder `packages`.

    Raises BuildError.
    """
    _require_packages()
    source = _python_source(work)
    (work / "frozen.c").write_text(_frozen_source(packages))
    objects = [_compile(HERE / name, work, STRICT) for name in SOURCES]
    objects.append(_compile(work / "frozen.c", work, STRICT))
    objects += [_compile(source / name, work, [*AS_CPYTHON, f"-I{source / 'Modules'}"]) for name in MODULE_SOURCES]
    path, trace = _with_snapshot(objects, work)
    return Bootloader(path, _linked(trace, work), source)


def _require_packages() -> None:
    if not LIBPYTHON.is_relative_to("/usr/lib"):
        raise BuildError(
            f"the Python of {sys.base_prefix} is not the distribution's, whose packages the executable is made from; "
            f"build with /usr/bin/python3"
        )
    if packages := missing():
        raise BuildError(f"missing Debian packages: {' '.join(packages)}; type: make packages")


def first_stage(packages: Path) -> list[str]:
    """The modules of the first stage, each behind those that it imports. Raises BuildError for one of another's."""
    command = [sys.executable, "-I", "-S", "-c", RECORDER, FIRST_STAGE, str(packages)]
    return run(command).split()


def frozen_names(packages: Path) -> list[str]:
    """The modules that are part of the bootloader."""
    return [*first_stage(packages), *EARLY, *OURS]


def _frozen_source(packages: Path) -> str:
    """frozen.c: the code of the modules, as C."""
    from probe.verdict import INTERRUPTED

    core = first_stage(packages)
    folders = [packages, HERE, Path(sysconfig.get_path("stdlib"))]
    return "\n".join(
        [
            '#include "frozen.h"',
            *_frozen_table("import_system", IMPORT_SYSTEM, folders),
            *_frozen_table("modules", {name: name for name in (*core, *EARLY, *OURS)}, folders),
            f"const char *const core_modules[] = {{{', '.join([*map(json.dumps, core), 'NULL'])}}};",
            f"const char interrupted_line[] = {json.dumps(INTERRUPTED.output)};",
            "",
        ]
    )


def _frozen_table(table: str, modules: dict[str, str], folders: list[Path]) -> Iterator[str]:
    """An array for each module's code, and the table of them all; `modules` has the name to look the source up by."""
    entries = ["{.name = NULL}"]
    for name, source_name in reversed(modules.items()):
        source, is_package = _module_source(source_name, folders)
        code = bare(compile(source.read_bytes(), f"<frozen {source_name}>", "exec", dont_inherit=True, optimize=2))
        array = f"code_of_{name.replace('.', '_')}"
        yield f"static const unsigned char {array}[] = {{{','.join(map(str, marshal.dumps(code)))}}};"
        entries.insert(
            0, f'{{.name = "{name}", .code = {array}, .size = sizeof {array}, .is_package = {int(is_package)}}}'
        )
    yield f"const struct _frozen frozen_{table}[] = {{{', '.join(entries)}}};"


def bare(code: CodeType) -> CodeType:
    """The code without the numbers of its lines, a quarter of it: they are for tracebacks, and none is ever shown."""
    constants = (bare(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(constants))


def _module_source(name: str, folders: list[Path]) -> tuple[Path, bool]:
    """A module's source file, in the first of the folders that has it, and whether it is a package."""
    for folder in folders:
        path = folder.joinpath(*name.split("."))
        for source in (path / "__init__.py", path.with_suffix(".py")):
            if source.exists():
                return source, source.stem == "__init__"
    raise BuildError(f"there is no module {name}")


def _compile(source: Path, work: Path, options: list[str]) -> Path:
    output = work / f"{source.stem}.o"
    # Without the folder in __FILE__, which _ssl.c has in its errors, any folder gives the same bytes.
    run(["gcc", *FLAGS, *options, f"-ffile-prefix-map={source.parent}/=", str(source), "-o", str(output)])
    return output


def _with_snapshot(objects: list[Path], work: Path) -> tuple[Path, str]:
    """Link, with a snapshot of the started interpreter (snapshot.c); what the linker took comes with it.

    Raises BuildError where it would not be the same in every process: each has other addresses for what is not linked
    (address space layout randomization), another time and another number, and none of that belongs in it.
    """
    libraries = [_without_unwinding(library, work) for library in LINKED]
    launcher = work / "launcher"
    size = FIRST_HEAP
    for _ in range(2):
        heap = _compile(HERE / "snapshot.c", work, [*STRICT, heap_of(size)])
        trace = run([*LINK, str(heap), *map(str, objects), *map(str, libraries), "-lm", "-o", str(launcher)])
        snapshot, size = _take_snapshot(launcher)
    if any(_take_snapshot(launcher)[0] != snapshot for _ in range(3)):
        raise BuildError("the snapshot of the interpreter is another one in each process; see snapshot.c")
    (work / "snapshot").write_bytes(snapshot)
    output = work / "bootloader"
    run(["objcopy", f"--update-section=.snapshot={work / 'snapshot'}", str(launcher), str(output)])
    return output, trace


def _linked(trace: str, work: Path) -> set[Path]:
    """The files of packages that the linker took something of: its trace has `object` and `(library)member`."""
    originals = {library.name: library for library in LINKED}  # of the copies in the work folder
    libraries = {Path(name) for name in re.findall(r"^\((.*)\)", trace, re.MULTILINE)}
    objects = {Path(name) for name in re.findall(r"^/.*\.o$", trace, re.MULTILINE)}
    return {originals.get(path.name, path).resolve() for path in libraries | {o for o in objects if o.parent != work}}


def heap_of(size: int) -> str:
    """The flag that tells snapshot.c the size of its heap, in bytes."""
    return f"-DHEAP_SIZE={size}"


def _take_snapshot(launcher: Path) -> tuple[bytes, int]:
    """The launcher's memory when it has started the interpreter, and how many bytes of its heap that takes."""
    done = subprocess.run([launcher, "--snapshot"], env={}, capture_output=True, check=False)
    if done.returncode:
        raise BuildError(f"the launcher took no snapshot of itself: {done.stderr.decode()}")
    return done.stdout, int(done.stderr)


def _without_unwinding(library: Path, work: Path) -> Path:
    """A copy of a static library without the tables for C++ exceptions and debuggers: a tenth of what is linked."""
    copy = work / library.name
    run(["objcopy", "--remove-section=.eh_frame", "--remove-section=.rela.eh_frame", str(library), str(copy)])
    return copy


def _python_source(work: Path) -> Path:
    """The source of the installed Python, unpacked and patched.

    It is Debian's package of the same release of CPython, and of the same revision where that can be had.
    """
    package, version = debian.source(PYTHON_PACKAGE)
    unpacked = work / f"{package}_{version}"
    if not unpacked.exists():
        download = work / "download"
        description = debian.fetch(package, version, download)
        run(["dpkg-source", "--no-check", "--extract", description.name, "source"], download)  # apt has checked it
        (download / "source").rename(unpacked)
        shutil.rmtree(download)
    return unpacked


def publish(folder: Path) -> Path:
    """Write Debian's source package of the installed glibc to the folder: it has to go with what is linked of it.

    LGPL-2.1, section 6(d): access to the source from the same place. Raises BuildError.
    """
    package, version = debian.source("libc6-dev")
    archive = folder / f"{package}-source.tar"
    with TemporaryDirectory() as download, tarfile.open(archive, "w") as tar:
        description = debian.fetch(package, version, Path(download))
        for path in sorted(description.parent.glob(f"{package}_*")):
            info = tarfile.TarInfo(path.name)  # without times and owners: the same each time
            info.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(info, content)
    return archive


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--missing"]:
            print(" ".join(missing()))
        case ["--flags"]:
            print(" ".join([*FLAGS, *STRICT, heap_of(FIRST_HEAP)]))
        case ["--source" | "--publish" as wanted, folder]:
            try:
                (_python_source if wanted == "--source" else publish)(Path(folder).resolve())
            except BuildError as error:
                raise SystemExit(f"build: {error}") from None
        case _:
            raise SystemExit("usage: link.py --missing | --flags | --source FOLDER | --publish FOLDER")
