"""The tool chain: the compiler, its flags, and the Debian packages that the build needs.

toolchain.py --missing      prints the Debian packages that are not installed
toolchain.py --flags        prints gcc's flags for the C sources here
"""

import shutil
import sys
import sysconfig
from pathlib import Path

from commands import BuildError, run

HERE = Path(__file__).resolve().parent

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
INCLUDE = Path(sysconfig.get_path("include"))
LIBRARIES = Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH"))
LIBPYTHON = Path(str(sysconfig.get_config_var("LIBPL"))) / f"libpython{VERSION}.a"
PYTHON_PACKAGE = f"libpython{VERSION}-dev"

# The Debian packages, each with what the build uses of it. A name without a folder is a command.
NEEDED: dict[str, list[str | Path]] = {
    "gcc": ["gcc"],
    "binutils": ["ld", "objcopy"],
    "valgrind": ["valgrind"],
    "dpkg-dev": ["dpkg-source"],
    "libc6-dev": [LIBRARIES / "libc.a"],
    PYTHON_PACKAGE: [LIBPYTHON, INCLUDE / "Python.h", INCLUDE / "internal" / "pycore_hashtable.h"],
    "libssl-dev": [LIBRARIES / "libssl.a", LIBRARIES / "libcrypto.a", Path("/usr/include/openssl/ssl.h")],
    "zlib1g-dev": [LIBRARIES / "libz.a"],
    "libbluetooth-dev": [Path("/usr/include/bluetooth/bluetooth.h")],  # _ssl.c includes socketmodule.h, which needs it
}

FOR_SPEED = {"valgrind"}  # without these the executable is slower, and otherwise the same (memory_profile.py)

FLAGS = ["-c", "-O2", "-fwrapv", "-DNDEBUG", f"-I{HERE}"]
STRICT = [
    "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Wwrite-strings", "-Werror", "-isystem", str(INCLUDE),
]  # fmt: skip
AS_CPYTHON = ["-w", "-DPy_BUILD_CORE_BUILTIN", f"-I{INCLUDE}", f"-I{INCLUDE / 'internal'}"]


def missing() -> list[str]:
    """Return the Debian packages that the build needs and that are not installed."""
    return [package for package, files in NEEDED.items() if not all(map(_is_there, files))]


def _is_there(needed: str | Path) -> bool:
    return shutil.which(needed) is not None if isinstance(needed, str) else needed.exists()


def require_packages() -> None:
    """Raise BuildError if a package is missing, or if this Python is not Debian's."""
    if not LIBPYTHON.is_relative_to("/usr/lib"):
        raise BuildError(
            f"the Python of {sys.base_prefix} is not the distribution's, whose packages the executable is made from; "
            f"build with /usr/bin/python3"
        )
    if packages := [package for package in missing() if package not in FOR_SPEED]:
        raise BuildError(f"missing Debian packages: {' '.join(packages)}; type: make packages")


def compiled(source: Path, work: Path, options: list[str]) -> Path:
    """Compile a source, and return the object file, in the folder `work`. Raises BuildError."""
    output = work / f"{source.stem}.o"
    # Without its folder in __FILE__, which _ssl.c has in its errors, the source gives the same bytes in any folder.
    run(["gcc", *FLAGS, *options, f"-ffile-prefix-map={source.parent}/=", str(source), "-o", str(output)])
    return output


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--missing"]:
            print(" ".join(missing()))
        case ["--flags"]:
            print(" ".join([*FLAGS, *STRICT]))
        case _:
            raise SystemExit("usage: toolchain.py --missing | --flags")
