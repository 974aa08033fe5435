"""Debian's source packages that the build compiles a part of, or publishes.

sources.py cpython FOLDER   fetches the source of the installed Python into the folder where the build looks for it
sources.py glibc FOLDER     writes the source of the installed glibc to the folder, to be published
"""

import shutil
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import debian
import toolchain
from commands import run


def cpython(work: Path) -> Path:
    """Return the folder with the source of the installed Python, with Debian's patches. Raises BuildError.

    It is of the same release of CPython, and of the same revision if Debian offers it.
    """
    package, version = debian.source(toolchain.PYTHON_PACKAGE)
    unpacked = work / f"{package}_{version}"
    if not unpacked.exists():
        download = work / "download"
        description = debian.fetch(package, version, download)
        run(["dpkg-source", "--no-check", "--extract", description.name, "source"], download)  # apt has checked it
        (download / "source").rename(unpacked)
        shutil.rmtree(download)
    return unpacked


def glibc(folder: Path) -> Path:
    """Write the source package of the installed glibc to the folder, as one archive. Raises BuildError.

    The executable has glibc linked in, so its source has to be offered from the same place: LGPL-2.1, section 6(d).
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
        case ["cpython", folder]:
            cpython(Path(folder).resolve())
        case ["glibc", folder]:
            glibc(Path(folder).resolve())
        case _:
            raise SystemExit("usage: sources.py cpython FOLDER | glibc FOLDER")
