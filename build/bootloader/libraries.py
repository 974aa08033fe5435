"""The static libraries that the launcher is linked with."""

import re
from pathlib import Path

from commands import run
from toolchain import LIBPYTHON, LIBRARIES

LIBCRYPTO = LIBRARIES / "libcrypto.a"
LINKED = [LIBPYTHON, LIBRARIES / "libssl.a", LIBCRYPTO, LIBRARIES / "libz.a", LIBRARIES / "libc.a"]


def trimmed(library: Path, work: Path) -> Path:
    """Write a copy of the library to the folder, without sections that cost time or room. Return the copy.

    These are the tables for C++ exceptions and debuggers, a tenth of what is linked. And they are what runs before
    main. OpenSSL looks at the processor there, which overrides_openssl.c puts off until TLS is used. mimalloc, which
    CPython has since 3.13 and does not use here, draws random numbers.
    """
    copy = work / library.name
    sections = [".eh_frame", *([".init", ".init_array"] if library in (LIBPYTHON, LIBCRYPTO) else [])]
    options = [f"--remove-section={prefix}{section}" for section in sections for prefix in ("", ".rela")]
    run(["objcopy", *options, str(library), str(copy)])
    return copy


def linked_files(trace: str, work: Path) -> set[Path]:
    """Return the files of Debian's packages that the linker took something of.

    Its trace has a line for each: `object`, or `(library)member`.
    """
    originals = {library.name: library for library in LINKED}  # of the trimmed copies
    libraries = {Path(name) for name in re.findall(r"^\((.*)\)", trace, re.MULTILINE)}
    objects = {Path(name) for name in re.findall(r"^/.*\.o$", trace, re.MULTILINE)}
    ours = {file for file in objects if work in file.parents}
    return {originals.get(path.name, path).resolve() for path in libraries | objects - ours}
