"""Makes the bootloader: the launcher, CPython, OpenSSL and zlib in one static executable.

Debian ships all of it in static form but for two modules of CPython's, _ssl and _hashlib, which are shared libraries
only. Those are compiled here from the source package of the installed Python. Everything else is linked as Debian
built it.

    link.py --missing       names the system packages that have to be installed first
"""

import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

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

SOURCES = ["seal.c", "launcher.c", "inittab.c", "without_zstd.c"]
MODULE_SOURCES = ["Modules/_ssl.c", "Modules/_hashopenssl.c"]

COMPILE = ["gcc", "-c", "-O2", "-fwrapv", "-DNDEBUG", f"-I{HERE}"]
STRICT = [
    "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Wwrite-strings", "-Werror", "-isystem", str(INCLUDE),
]  # fmt: skip
AS_CPYTHON = ["-w", "-DPy_BUILD_CORE_BUILTIN", f"-I{INCLUDE}", f"-I{INCLUDE / 'internal'}"]

# libz and libm are needed by the others. Stripped, and without a build id, the same input gives the same bytes.
LINKED = [LIBRARIES / "libssl.a", LIBRARIES / "libcrypto.a", LIBRARIES / "libz.a"]
LINK = ["gcc", "-static", "-s", "-Wl,--build-id=none", "-Wl,--gc-sections", "-Wl,--wrap=getaddrinfo",
        "-Wl,--wrap=__register_frame_info",
        "-Wl,--entry=sealed_start", f"-Wl,--script={HERE / 'layout.ld'}"]  # fmt: skip

# What the full interpreter and the archive's loader import before the archive can be read.
EARLY = ["encodings", "encodings.aliases", "encodings.utf_8", "struct"]
LOADER = "archive"
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


class BuildError(Exception):
    """The bootloader cannot be made; the text says what would help."""


def missing() -> list[str]:
    """The Debian packages that have to be installed for the build."""
    return [package for package, files in NEEDED.items() if not all(map(_is_there, files))]


def _is_there(needed: str | Path) -> bool:
    return shutil.which(needed) is not None if isinstance(needed, str) else needed.exists()


def bootloader(work: Path, packages: Path) -> Path:
    """Make the bootloader in the folder `work`, from the modules in the folder `packages`; its path.

    Raises BuildError.
    """
    _require_packages()
    modules = _python_source(work) / "Modules"
    (work / "frozen.c").write_text(_frozen_source(packages))
    objects = [_compile(HERE / source, work, STRICT) for source in SOURCES]
    objects.append(_compile(work / "frozen.c", work, STRICT))
    objects += [_compile(modules.parent / source, work, [*AS_CPYTHON, f"-I{modules}"]) for source in MODULE_SOURCES]
    return _link(objects, work)


def _require_packages() -> None:
    if not LIBPYTHON.exists() and not str(LIBPYTHON).startswith("/usr/lib/"):
        raise BuildError(
            f"{sys.base_prefix} has no static library of Python ({LIBPYTHON.name}); build with the distribution's own "
            f"/usr/bin/python3 and its package libpython3.x-dev"
        )
    if packages := missing():
        raise BuildError(f"missing system packages; type: sudo apt-get install --yes {' '.join(packages)}")


def first_stage(packages: Path) -> list[str]:
    """The modules of the first stage, each behind those that it imports. Raises BuildError for one of another's."""
    command = [sys.executable, "-I", "-S", "-c", RECORDER, FIRST_STAGE, str(packages)]
    return _run(command).split()


def frozen_names(packages: Path) -> list[str]:
    """The modules that are part of the bootloader."""
    return [*first_stage(packages), *EARLY, LOADER]


def _frozen_source(packages: Path) -> str:
    """frozen.c: the code of the modules, as C."""
    from probe.verdict import INTERRUPTED

    arrays, entries = [], []
    for name in frozen_names(packages):
        source, is_package = _module_source(name, [packages, HERE])
        code = compile(source.read_bytes(), f"<frozen {name}>", "exec", dont_inherit=True, optimize=2)
        array = f"code_of_{name.replace('.', '_')}"
        arrays.append(f"static const unsigned char {array}[] = {{{','.join(map(str, marshal.dumps(code)))}}};")
        entries.append(
            f'{{.name = "{name}", .code = {array}, .size = sizeof {array}, .is_package = {int(is_package)}}}'
        )
    core = [f'"{name}"' for name in first_stage(packages)]
    return "\n".join(
        [
            '#include "frozen.h"',
            *arrays,
            f"const struct _frozen frozen_modules[] = {{{', '.join([*entries, '{.name = NULL}'])}}};",
            f"const char *const core_modules[] = {{{', '.join([*core, 'NULL'])}}};",
            f"const char interrupted_line[] = {json.dumps(INTERRUPTED.output)};",
            "",
        ]
    )


def _module_source(name: str, folders: list[Path]) -> tuple[Path, bool]:
    """A module's source file, in the folders or in the standard library, and whether it is a package."""
    for folder in folders:
        path = folder.joinpath(*name.split("."))
        for source in (path / "__init__.py", path.with_suffix(".py")):
            if source.exists():
                return source, source.stem == "__init__"
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise BuildError(f"there is no module {name}")
    return Path(spec.origin), spec.submodule_search_locations is not None


def _compile(source: Path, work: Path, options: list[str]) -> Path:
    output = work / f"{source.stem}.o"
    # Without the folder in __FILE__, which _ssl.c has in its errors, any folder gives the same bytes.
    _run([*COMPILE, *options, f"-ffile-prefix-map={source.parent}/=", str(source), "-o", str(output)])
    return output


def _link(objects: list[Path], work: Path) -> Path:
    output = work / "bootloader"
    libraries = [_without_unwinding(library, work) for library in (LIBPYTHON, *LINKED)]
    _run([*LINK, *map(str, objects), *map(str, libraries), "-lm", "-o", str(output)])
    return output


def _without_unwinding(library: Path, work: Path) -> Path:
    """A copy of a static library without the tables for C++ exceptions and debuggers: a tenth of what is linked."""
    copy = work / library.name
    _run(["objcopy", "--remove-section=.eh_frame", "--remove-section=.rela.eh_frame", str(library), str(copy)])
    return copy


def _python_source(work: Path) -> Path:
    """The source of the installed Python, unpacked: Debian's package of the same version, its patches applied."""
    package, version = _run(
        ["dpkg-query", "--show", "--showformat", "${source:Package} ${source:Version}", PYTHON_PACKAGE]
    ).split()
    unpacked = work / f"{package}_{version}"
    if not unpacked.exists():
        download = work / "download"
        description = _fetch_source(package, version, download)
        _run(["dpkg-source", "--no-check", "--extract", description.name, "source"], download)  # apt has checked it
        (download / "source").rename(unpacked)
        shutil.rmtree(download)
    return unpacked


def _fetch_source(package: str, version: str, folder: Path) -> Path:
    """Download a source package by apt, with lists of its own: the system's need not name sources. Its .dsc file."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lists" / "partial").mkdir(parents=True)
    listing = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    repositories = _run([*listing, "Created-By: Packages", "Origin: Debian"])
    if not repositories:
        raise BuildError("apt knows no Debian repository yet; type: sudo apt-get update")
    lines = {f"deb-src {repository}\n" for repository in repositories.splitlines()}
    (folder / "sources.list").write_text("".join(sorted(lines)))
    settings = {
        "APT::Sandbox::User": "",
        "Dir::Cache": folder,
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    _run(["apt-get", *options, "update"])
    for candidate in revisions(_run(["apt-cache", *options, "showsrc", "--only-source", package]), version):
        try:
            _run(["apt-get", *options, "source", "--download-only", f"{package}={candidate}"], folder)
        except BuildError as error:
            refused = error
            continue
        if candidate != version:
            print(f"build: the source of {package} {version} is not to be had; using that of {candidate}")
        (description,) = folder.glob("*.dsc")
        return description
    raise BuildError(f"cannot download the source of {package} {version}: {refused}")


def revisions(records: str, version: str) -> list[str]:
    """The version itself, and Debian's other revisions of the same release: a repository may lag with the source."""
    release = version.rpartition("-")[0]
    listed = re.findall(r"^Version: (\S+)$", records, re.MULTILINE)
    return [version, *sorted({v for v in listed if v.rpartition("-")[0] == release} - {version}, reverse=True)]


def _run(command: list[str], folder: Path | None = None) -> str:
    """What the command prints. Raises BuildError, with its complaint, where it fails."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1:] != ["--missing"]:
        raise SystemExit("usage: link.py --missing")
    print(" ".join(missing()))
