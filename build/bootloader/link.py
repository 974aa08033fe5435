"""Makes the bootloader: the launcher, CPython, OpenSSL and zlib in one static executable, and the program started.

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
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Literal, NamedTuple

import debian
import layout
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
    "valgrind": ["valgrind"],
    "dpkg-dev": ["dpkg-source"],
    "libc6-dev": [LIBRARIES / "libc.a"],
    PYTHON_PACKAGE: [LIBPYTHON, INCLUDE / "Python.h", INCLUDE / "internal" / "pycore_hashtable.h"],
    "libssl-dev": [LIBRARIES / "libssl.a", LIBRARIES / "libcrypto.a", Path("/usr/include/openssl/ssl.h")],
    "zlib1g-dev": [LIBRARIES / "libz.a"],
    "libbluetooth-dev": [Path("/usr/include/bluetooth/bluetooth.h")],  # for a header that _ssl.c's socketmodule.h wants
}

FOR_SPEED = {"valgrind"}  # without these the executable is slower, and nothing else (layout.py)

SOURCES = [
    "seal.c", "launcher.c", "signals.c", "recorder.c", "lookups.c", "snapshot.c", "heap.c", "inittab.c",
    "without_zstd.c", "without_avx512.c",
]  # fmt: skip
MODULE_SOURCES = ["Modules/_ssl.c", "Modules/_hashopenssl.c"]

FLAGS = ["-c", "-O2", "-fwrapv", "-DNDEBUG", f"-I{HERE}"]
STRICT = [
    "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Wwrite-strings", "-Werror", "-isystem", str(INCLUDE),
]  # fmt: skip
AS_CPYTHON = ["-w", "-DPy_BUILD_CORE_BUILTIN", f"-I{INCLUDE}", f"-I{INCLUDE / 'internal'}"]

MOST_RECORDINGS = 6  # by one layout after the other; three were enough

# A heap to record in, in the assembler's words.
TO_RECORD = f'.section .snapshot_heap, "aw", @nobits\n.skip {256 << 20}'

LIBCRYPTO = LIBRARIES / "libcrypto.a"
LINKED = [LIBPYTHON, LIBRARIES / "libssl.a", LIBCRYPTO, LIBRARIES / "libz.a", LIBRARIES / "libc.a"]
# Functions of these that the sources here have another one for.
WRAPPED = [
    "getaddrinfo", "__register_frame_info", "malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign",
    "pthread_self", "pthread_key_create", "pthread_key_delete", "clock_gettime", "gettimeofday", "time", "getrandom",
    "getentropy", "uname", "gethostname", "PyThread_get_thread_native_id", "stat64", "lstat64", "fstat64", "fstatat64",
    "SSL_CTX_new", "SSL_new", "shmget", "_dl_get_origin",
]  # fmt: skip
# Stripped, and without a build id, the same input gives the same bytes.
LINK = [
    "gcc", "-static", "-Wl,--build-id=none", "-Wl,--gc-sections", *(f"-Wl,--wrap={name}" for name in WRAPPED),
    "-Wl,--entry=sealed_start", "-Xlinker", f"--script={HERE / 'layout.ld'}",  # -Wl would split it at a comma
    "-Wl,--trace,--trace",  # says which files it takes, and of libraries which members
]  # fmt: skip

# The import system itself, which CPython has frozen too, and what the interpreter's start imports.
IMPORT_SYSTEM = {
    "_frozen_importlib": "importlib._bootstrap",
    "_frozen_importlib_external": "importlib._bootstrap_external",
}
EARLY = ["abc", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "io"]


def missing() -> list[str]:
    """The Debian packages that have to be installed for the build."""
    return [package for package, files in NEEDED.items() if not all(map(_is_there, files))]


def _is_there(needed: str | Path) -> bool:
    return shutil.which(needed) is not None if isinstance(needed, str) else needed.exists()


class Launcher(NamedTuple):
    """The launcher with CPython linked in, which can record a snapshot and has none yet."""

    path: Path
    inputs: list[str]  # what was linked
    linked: set[Path]  # the files of Debian's packages that are in it
    source: Path  # of CPython


def launcher(work: Path, interrupted: str, extensions: Sequence[str] = ()) -> Launcher:
    """Make the launcher in the folder `work`; `interrupted` is the line that it ends with where it is interrupted.

    `extensions` names modules of C that libpython has and the program needs beside those of inittab.c, such as _csv.

    Raises BuildError.
    """
    _require_packages()
    source = _python_source(work)
    (work / "frozen.c").write_text(_frozen_source(interrupted, extensions))
    objects = [_compile(HERE / name, work, STRICT) for name in SOURCES]
    objects.append(_compile(work / "frozen.c", work, STRICT))
    objects += [_compile(source / name, work, [*AS_CPYTHON, f"-I{source / 'Modules'}"]) for name in MODULE_SOURCES]
    libraries = [_trimmed(library, work) for library in LINKED]
    inputs = [*map(str, objects), *map(str, libraries), "-lm"]
    path = work / "first" / "launcher"
    path.parent.mkdir(exist_ok=True)
    trace = _link(inputs, path, layout.script([], layout.NOTHING), TO_RECORD)
    return Launcher(path, inputs, _linked(trace, work), source)


class Program(NamedTuple):
    """What is recorded, and how it is used: recorder.py says what each of the first parts is for."""

    archive: Path
    entry_point: str
    renewed_by: Literal["launcher", "program"]
    warm_up: Path
    files: list[Path]
    ordinary: list[list[str]]  # the arguments of runs that are to be fast before all others
    others: list[list[str]]  # and of those others


def bootloader(made: Launcher, program: Program) -> Path:
    """The launcher with a snapshot of the program, in the same folder.

    It is linked twice. The runs of the first one tell what the second should look like in memory (layout.py). The
    second is recorded until its layout has a place for all of its blocks, at most MOST_RECORDINGS times.
    Raises BuildError where a snapshot would not be the same in every process.
    """
    first = made.path.parent
    (first / "layout").write_bytes(layout.no_places())
    print(record(first, program, "snapshot"), end="")
    watched = _with_snapshot(made.inputs, layout.script([], layout.NOTHING), first, program)
    try:
        ordinary = layout.watch(watched, program.ordinary)
        others = layout.watch(watched, program.others)
    except layout.Unwatched as error:
        print(f"build: {error}: the executable is right, but slower than it could be")
        return watched
    script = layout.script(layout.sections((first / "launcher.map").read_text()), ordinary)

    second = first.with_name("second")
    second.mkdir(exist_ok=True)
    _link(made.inputs, second / "launcher", script, TO_RECORD)
    heap = int(dict(_addresses(made.path))["heap_start"], 16)
    places = layout.places((first / "snapshot.blocks").read_bytes(), heap, ordinary, others)
    for _ in range(MOST_RECORDINGS):
        (second / "layout").write_bytes(places)
        record(second, program, "snapshot")
        places, foreseen = layout.settled(places, (second / "snapshot.blocks").read_bytes())
        if foreseen:
            break
    return _with_snapshot(made.inputs, script, second, program)


def _with_snapshot(inputs: list[str], script: layout.Script, folder: Path, program: Program) -> Path:
    """Have the folder's launcher record its snapshot once more; the launcher with that in it.

    Raises BuildError where the snapshot would not be the same in every process: each has other addresses for what is
    not linked (address space layout randomization), another time and another number, and none of that belongs in it.
    """
    record(folder, program, "another")
    for part in ("variables", "heap"):
        if (folder / f"snapshot.{part}").read_bytes() != (folder / f"another.{part}").read_bytes():
            raise BuildError(f"the snapshot is another one in each process (its {part}); see snapshot.c")
    filled = folder / "filled"
    _link(inputs, filled, script, '.section .snapshot_heap, "aw", @progbits\n.incbin "snapshot.heap"')
    if _addresses(filled) != _addresses(folder / "launcher"):
        raise BuildError("the linker puts things elsewhere when the snapshot is there; see layout.ld")
    output = folder / "bootloader"
    variables = f".variables={folder / 'snapshot.variables'}"
    run(["objcopy", "--strip-all", "--update-section", variables, str(filled), str(output)])
    return output


def record(folder: Path, program: Program, name: str) -> str:
    """Have the folder's launcher record a snapshot, in files of that name. Raises BuildError.

    Return what it says: which modules cannot be imported.

    The names of files are relative to the folder, so that they are the same wherever that is.
    """
    files = [folder / name, folder / "layout", HERE / "recorder.py", program.archive, program.warm_up, *program.files]
    names = [os.path.relpath(file, folder) for file in files]
    command = [str(folder / "launcher"), "--record", *names[:4], program.entry_point, program.renewed_by, *names[4:]]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=layout.LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"the warm-up of the program did not end within {error.timeout:g} seconds") from None
    if done.returncode:
        raise BuildError(f"the launcher took no snapshot of the program: {done.stderr.decode().strip()}")
    return done.stderr.decode()


def _link(inputs: list[str], output: Path, script: layout.Script, heap: str) -> str:
    """Link with a heap of that content, in the assembler's words; what the linker says that it took."""
    source = output.with_name("content.s")
    source.write_text(f"{heap}\n.section .note.GNU-stack\n")
    content = _compile(source, output.parent, ["-Xassembler", f"-I{output.parent}"])
    (output.parent / "variables.ld").write_text(script.variables)
    order = output.parent / "order.ld"
    order.write_text(script.order)
    return run(
        [
            *LINK,
            f"-L{output.parent}",
            "-Xlinker",
            f"--script={order}",
            "-Xlinker",
            f"-Map={output}.map",
            *inputs,
            str(content),
            "-o",
            str(output),
        ]
    )


def _addresses(path: Path) -> set[tuple[str, str]]:
    """Each name and its address, but for those of the heap's end, behind which there is nothing."""
    lines = map(str.split, run(["nm", str(path)]).splitlines())
    return {(name, address) for address, _, name in lines if name not in ("heap_end", "_end")}


def _require_packages() -> None:
    if not LIBPYTHON.is_relative_to("/usr/lib"):
        raise BuildError(
            f"the Python of {sys.base_prefix} is not the distribution's, whose packages the executable is made from; "
            f"build with /usr/bin/python3"
        )
    if packages := [package for package in missing() if package not in FOR_SPEED]:
        raise BuildError(f"missing Debian packages: {' '.join(packages)}; type: make packages")


def _frozen_source(interrupted: str, extensions: Sequence[str]) -> str:
    """frozen.c, as frozen.h describes it."""
    return "\n".join(
        [
            '#include "frozen.h"',
            *_frozen_table("import_system", IMPORT_SYSTEM),
            *_frozen_table("modules", {name: name for name in EARLY}),
            *(f"PyMODINIT_FUNC PyInit_{name}(void);" for name in extensions),
            "struct _inittab program_modules[] = {",
            *(f'    {{"{name}", PyInit_{name}}},' for name in extensions),
            "    {NULL, NULL},",
            "};",
            f"const char interrupted_line[] = {json.dumps(interrupted)};",
            "",
        ]
    )


def _frozen_table(table: str, modules: dict[str, str]) -> Iterator[str]:
    """An array for each module's code, and the table of them all; `modules` has the name to look the source up by."""
    entries = ["{.name = NULL}"]
    for name, source_name in reversed(modules.items()):
        source, is_package = _module_source(source_name)
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


def _module_source(name: str) -> tuple[Path, bool]:
    """The source file of a module of the standard library, and whether it is a package."""
    path = Path(sysconfig.get_path("stdlib")).joinpath(*name.split("."))
    package = path / "__init__.py"
    return (package, True) if package.exists() else (path.with_suffix(".py"), False)


def _compile(source: Path, work: Path, options: list[str]) -> Path:
    output = work / f"{source.stem}.o"
    # Without the folder in __FILE__, which _ssl.c has in its errors, any folder gives the same bytes.
    run(["gcc", *FLAGS, *options, f"-ffile-prefix-map={source.parent}/=", str(source), "-o", str(output)])
    return output


def _linked(trace: str, work: Path) -> set[Path]:
    """The files of packages that the linker took something of: its trace has `object` and `(library)member`."""
    originals = {library.name: library for library in LINKED}  # of the copies in the work folder
    libraries = {Path(name) for name in re.findall(r"^\((.*)\)", trace, re.MULTILINE)}
    objects = {Path(name) for name in re.findall(r"^/.*\.o$", trace, re.MULTILINE)}
    return {
        originals.get(path.name, path).resolve() for path in libraries | {o for o in objects if work not in o.parents}
    }


def _trimmed(library: Path, work: Path) -> Path:
    """A copy of a static library without what would only cost time or room.

    These are the tables for C++ exceptions and debuggers, a tenth of what is linked; and what begins before main:
    OpenSSL looks at the processor, which launcher.c has it do where TLS is wanted, and mimalloc, which CPython has had
    since 3.13 and which is not used here, draws random numbers.
    """
    copy = work / library.name
    sections = [".eh_frame", *([".init", ".init_array"] if library in (LIBPYTHON, LIBCRYPTO) else [])]
    options = [f"--remove-section={prefix}{section}" for section in sections for prefix in ("", ".rela")]
    run(["objcopy", *options, str(library), str(copy)])
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
            print(" ".join([*FLAGS, *STRICT]))
        case ["--source" | "--publish" as wanted, folder]:
            (_python_source if wanted == "--source" else publish)(Path(folder).resolve())
        case _:
            raise SystemExit("usage: link.py --missing | --flags | --source FOLDER | --publish FOLDER")
